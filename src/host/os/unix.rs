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

pub use system::memory_size;

pub use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

pub use rustix::io;
pub use rustix::io::Errno;
pub use rustix::process::{getegid, geteuid};

/// The version of the kernel, as it names itself.
#[must_use]
pub fn kernel_release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}
