//! Bytes in and out of what is open.

use std::io::{Read as _, Write as _};
use std::os::windows::fs::FileExt as _;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _};

use super::{AsFd, BorrowedFd, Errno};

/// What such a call gives.
pub type Result<T> = std::result::Result<T, Errno>;

/// The standard library's file over a handle that somebody else owns and closes.
struct Lent(std::mem::ManuallyDrop<std::fs::File>);

impl Lent {
    fn new(opened: BorrowedFd<'_>) -> Self {
        // SAFETY: it is never dropped, so that the handle stays its owner's, and no caller lets it outlive the handle.
        let file = unsafe { std::fs::File::from_raw_handle(opened.as_raw_handle()) };
        Self(std::mem::ManuallyDrop::new(file))
    }
}

fn errno(error: &std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::INVAL, |code| Errno::of(code.cast_unsigned()))
}

/// Reads on; 0: there is no more.
pub fn read(opened: impl AsFd, buffer: &mut [u8]) -> Result<usize> {
    Lent::new(opened.as_fd()).0.read(buffer).map_err(|error| errno(&error))
}

/// Writes on.
pub fn write(opened: impl AsFd, bytes: &[u8]) -> Result<usize> {
    Lent::new(opened.as_fd()).0.write(bytes).map_err(|error| errno(&error))
}

/// Reads at a place.
pub fn pread(opened: impl AsFd, buffer: &mut [u8], at: u64) -> Result<usize> {
    Lent::new(opened.as_fd()).0.seek_read(buffer, at).map_err(|error| errno(&error))
}

/// Writes at a place.
pub fn pwrite(opened: impl AsFd, bytes: &[u8], at: u64) -> Result<usize> {
    Lent::new(opened.as_fd()).0.seek_write(bytes, at).map_err(|error| errno(&error))
}
