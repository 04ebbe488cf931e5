//! Windows: the same calls over those of its kernel. A folder is a handle, and a name in it is opened relative to that
//! handle, as POSIX has it; no link is followed where that is not wanted.

#![allow(unsafe_code, reason = "the system has no safe interface; each call says why it may be made")]

mod accounts;
mod change;
pub(in crate::host) mod clock;
pub(in crate::host) mod console;
pub(in crate::host) mod console_text;
mod errno;
pub(in crate::host) mod event;
mod flags;
mod information;
pub(in crate::host) mod job;
pub(in crate::host) mod list;
mod lock;
mod look;
mod machine;
mod name;
mod open;
mod patience;
pub(in crate::host) mod pipe;
pub(in crate::host) mod process;
mod security;
#[cfg(test)]
mod tests;
pub(in crate::host) mod wait;
pub(in crate::host) mod words;

pub(in crate::host) mod dispatcher;
pub mod fs;
pub mod io;
pub(in crate::host) mod known;
pub(in crate::host) mod service;
pub(in crate::host) mod service_account;
pub(in crate::host) mod service_process;
pub(in crate::host) mod service_rights;
mod service_settings;
mod wide;

use std::os::windows::io::AsHandle;
pub use std::os::windows::io::{BorrowedHandle as BorrowedFd, OwnedHandle as OwnedFd};

pub use accounts::{account_named, account_numbered, accounts, own_account, profile, user_number};
pub use errno::Errno;
pub use machine::{kernel_release, memory_size};

/// What an open file or folder is lent from.
pub trait AsFd: AsHandle {
    /// Lends it.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.as_handle()
    }
}

impl<T: AsHandle + ?Sized> AsFd for T {}
