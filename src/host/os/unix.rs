//! Unix: the system's own calls.

pub mod fs;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
pub mod net;
pub mod process;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;

pub use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

pub use rustix::io;
pub use rustix::io::Errno;
pub use rustix::process::{getegid, geteuid};

/// The version of the kernel, as it names itself.
#[must_use]
pub fn kernel_release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

/// The memory of this host, in bytes, where a call tells it: here a file does.
#[must_use]
pub const fn memory_size() -> Option<u64> {
    None
}
