//! The sample of `demo`: a small server, two packages of it, and the stage on which its life is shown.

pub(crate) mod packages;
pub(crate) mod server;
pub(crate) mod stage;
