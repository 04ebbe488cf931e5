//! The supervisor and the guardian with real processes. Every test has a root folder of its own, and whatever
//! carries that folder's name in its command line or environment is killed when the test ends.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that fails panics, says what it saw, and starts processes itself"
)]

mod detach;
mod environment;
mod grandchildren;
mod guardian;
mod hooks;
mod host;
mod life;
mod liveness;
#[path = "../load/mod.rs"]
mod load;
mod manager;
mod memory;
mod monitors;
mod outcomes;
mod output;
mod rest;
mod schedule;
mod sockets;
mod stop;
