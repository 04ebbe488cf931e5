//! Where archives come from, and whether they are trusted: the real binary against servers on loopback that are slow,
//! broken, or not who they should be.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::match_bool,
    reason = "a test fails by panicking, starts programs, says where it was not run in full, and its servers read well as tables"
)]

#[path = "../real/mod.rs"]
mod real;

mod breaking;
mod encryption;
mod ground;
mod proxies;
mod server;
mod signatures;
mod sources;
