//! Locks that end with whoever holds them.

use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};

use windows_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, ERROR_IO_PENDING, ERROR_LOCK_VIOLATION, ERROR_NOT_LOCKED, GetLastError,
};
use windows_sys::Win32::Storage::FileSystem::{
    LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx, UnlockFileEx,
};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::Win32::System::Threading::CreateEventW;

use super::look::fstat;
use super::name::terminated;
use super::{AsFd, Errno};

/// The one byte of a file that is locked: far beyond all that is in it, because here a lock keeps others from reading.
const AT: u32 = 0x7fff_fff0;

/// What is done with a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlockOperation {
    /// Held by one, at once or not.
    NonBlockingLockExclusive,
    /// Held by many, at once or not.
    NonBlockingLockShared,
    /// Given back.
    Unlock,
}

/// Locks an open file, or gives the lock back.
pub fn flock(file: impl AsFd, operation: FlockOperation) -> Result<(), Errno> {
    let file = file.as_fd();
    let mut place = OVERLAPPED::default();
    place.Anonymous.Anonymous.OffsetHigh = AT;
    let flags = match operation {
        FlockOperation::NonBlockingLockExclusive => LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY,
        FlockOperation::NonBlockingLockShared => LOCKFILE_FAIL_IMMEDIATELY,
        FlockOperation::Unlock => {
            // SAFETY: the handle is open, and the place lives until the call has returned.
            return match unsafe { UnlockFileEx(file.as_raw_handle(), 0, 1, 0, &raw mut place) } {
                0 if Errno::last() == Errno::of(ERROR_NOT_LOCKED) => Ok(()),
                0 => Err(Errno::last()),
                _ => Ok(()),
            };
        }
    };
    // SAFETY: the same; the call does not wait.
    if unsafe { LockFileEx(file.as_raw_handle(), flags, 0, 1, 0, &raw mut place) } != 0 {
        return Ok(());
    }
    // SAFETY: it only reads a number of this thread.
    Err(match unsafe { GetLastError() } {
        ERROR_IO_PENDING | ERROR_LOCK_VIOLATION => Errno::WOULDBLOCK,
        other => Errno::of(other),
    })
}

/// A folder that is held: by a thing of the system's that has the folder's number for its name, since folders have no
/// locks.
#[derive(Debug)]
pub struct Hold {
    _thing: OwnedHandle,
}

/// Holds an open folder for as long as what is given lives, or says that another one does.
pub fn hold(folder: impl AsFd) -> Result<Hold, Errno> {
    let found = fstat(folder)?;
    let descriptor = super::event::Descriptor::ours().map_err(|_| Errno::ACCESS)?;
    let attributes = descriptor.attributes();
    let name = terminated(&format!(r"Global\mainstay-folder-{:x}-{:x}", found.st_dev, found.st_ino));
    // SAFETY: the name ends with a zero, and lives as the attributes do until the call returns; the number of the thread is read before anything else can set it.
    let (handle, before) = unsafe {
        let handle = CreateEventW(&raw const attributes, 1, 0, name.as_ptr());
        (handle, GetLastError())
    };
    if handle.is_null() {
        // Another account's: that it exists says enough.
        return Err(if Errno::of(before) == Errno::ACCESS { Errno::WOULDBLOCK } else { Errno::of(before) });
    }
    // SAFETY: the handle is open, and ours.
    let thing = unsafe { OwnedHandle::from_raw_handle(handle) };
    if before == ERROR_ALREADY_EXISTS { Err(Errno::WOULDBLOCK) } else { Ok(Hold { _thing: thing }) }
}
