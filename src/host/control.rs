//! A socket on which a process of ours is asked things, by root or by its own account, a line each.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub use system::{Connection, Control};
