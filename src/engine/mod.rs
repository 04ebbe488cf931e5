//! Operations.

pub mod guard;
