//! Unix: the system's own calls.

pub mod fs;

pub use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

pub use rustix::io;
pub use rustix::io::Errno;
pub use rustix::process::{getegid, geteuid};
