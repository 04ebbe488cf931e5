//! What the system answers where it does not do what is asked.

use std::io;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS, ERROR_BAD_NETPATH, ERROR_BAD_PATHNAME, ERROR_BUSY,
    ERROR_CANT_ACCESS_FILE, ERROR_DELETE_PENDING, ERROR_DIR_NOT_EMPTY, ERROR_DIRECTORY,
    ERROR_DIRECTORY_NOT_SUPPORTED, ERROR_DISK_FULL, ERROR_FILE_EXISTS, ERROR_FILE_NOT_FOUND,
    ERROR_HANDLE_DISK_FULL, ERROR_INVALID_FUNCTION, ERROR_INVALID_NAME, ERROR_INVALID_PARAMETER,
    ERROR_LOCK_VIOLATION, ERROR_NOT_SAME_DEVICE, ERROR_NOT_SUPPORTED, ERROR_OPERATION_ABORTED,
    ERROR_PATH_NOT_FOUND, ERROR_PRIVILEGE_NOT_HELD, ERROR_SHARING_VIOLATION, GetLastError, NTSTATUS,
    RtlNtStatusToDosError, STATUS_CANNOT_DELETE, STATUS_DELETE_PENDING, STATUS_FILE_IS_A_DIRECTORY,
    STATUS_NOT_A_DIRECTORY, STATUS_OBJECT_NAME_INVALID, STATUS_REPARSE_POINT_ENCOUNTERED,
};

/// A number of the system's (`GetLastError`), by the names of POSIX. Of those that mean one thing, one stands for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(u32);

impl Errno {
    /// There is nothing of that name.
    pub const NOENT: Self = Self(ERROR_FILE_NOT_FOUND);
    /// The name is taken.
    pub const EXIST: Self = Self(ERROR_ALREADY_EXISTS);
    /// This account may not.
    pub const ACCESS: Self = Self(ERROR_ACCESS_DENIED);
    /// A right is missing that has nothing to do with the file.
    pub const PERM: Self = Self(ERROR_PRIVILEGE_NOT_HELD);
    /// What should be a folder is none.
    pub const NOTDIR: Self = Self(ERROR_DIRECTORY);
    /// It is a folder.
    pub const ISDIR: Self = Self(ERROR_DIRECTORY_NOT_SUPPORTED);
    /// There is something in the folder.
    pub const NOTEMPTY: Self = Self(ERROR_DIR_NOT_EMPTY);
    /// It is a link, and links are not followed.
    pub const LOOP: Self = Self(ERROR_CANT_ACCESS_FILE);
    /// It is on another volume.
    pub const XDEV: Self = Self(ERROR_NOT_SAME_DEVICE);
    /// It makes no sense.
    pub const INVAL: Self = Self(ERROR_INVALID_PARAMETER);
    /// The file system can't do it.
    pub const NOTSUP: Self = Self(ERROR_NOT_SUPPORTED);
    /// The system can't do it.
    pub const NOSYS: Self = Self(ERROR_INVALID_FUNCTION);
    /// It is no such device.
    pub const NOTTY: Self = Self(ERROR_BAD_PATHNAME);
    /// Another one holds the lock.
    pub const WOULDBLOCK: Self = Self(ERROR_LOCK_VIOLATION);
    /// Somebody has it open.
    pub const BUSY: Self = Self(ERROR_SHARING_VIOLATION);
    /// The call was interrupted.
    pub const INTR: Self = Self(ERROR_OPERATION_ABORTED);
    /// There is nothing beyond.
    pub const NXIO: Self = Self(ERROR_BAD_NETPATH);
    /// There is no such attribute.
    pub const NODATA: Self = Self(ERROR_BUSY);
    /// It is to be gone as soon as nobody has it open any more.
    pub(super) const GOING: Self = Self(ERROR_DELETE_PENDING);

    /// The number, as the standard library has it.
    #[must_use]
    pub fn raw_os_error(self) -> i32 {
        i32::try_from(self.0).unwrap_or(i32::MAX)
    }

    /// What the last call of this thread answered.
    pub(super) fn last() -> Self {
        // SAFETY: it only reads a number of this thread.
        Self::of(unsafe { GetLastError() })
    }

    /// What a call answered that gives the number itself.
    pub(super) fn of(code: u32) -> Self {
        match code {
            ERROR_PATH_NOT_FOUND | ERROR_INVALID_NAME => Self::NOENT,
            ERROR_FILE_EXISTS => Self::EXIST,
            ERROR_HANDLE_DISK_FULL => Self(ERROR_DISK_FULL),
            other => Self(other),
        }
    }

    /// What the kernel answered; nothing where it did as asked.
    pub(super) fn check(status: NTSTATUS) -> Result<(), Self> {
        match status {
            0.. => Ok(()),
            STATUS_FILE_IS_A_DIRECTORY => Err(Self::ISDIR),
            STATUS_NOT_A_DIRECTORY => Err(Self::NOTDIR),
            STATUS_REPARSE_POINT_ENCOUNTERED => Err(Self::LOOP),
            STATUS_DELETE_PENDING => Err(Self::GOING),
            // A program that runs, or a library that is loaded.
            STATUS_CANNOT_DELETE => Err(Self::BUSY),
            STATUS_OBJECT_NAME_INVALID => Err(Self::NOENT),
            // SAFETY: it only looks a number up.
            other => Err(Self::of(unsafe { RtlNtStatusToDosError(other) })),
        }
    }
}

impl From<Errno> for io::Error {
    fn from(errno: Errno) -> Self {
        Self::from_raw_os_error(errno.raw_os_error())
    }
}

impl std::fmt::Display for Errno {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        io::Error::from(*self).fmt(formatter)
    }
}

impl std::error::Error for Errno {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_the_kinds_of_the_standard_library() {
        let kind = |errno: Errno| io::Error::from(errno).kind();
        assert_eq!(kind(Errno::NOENT), io::ErrorKind::NotFound);
        assert_eq!(kind(Errno::EXIST), io::ErrorKind::AlreadyExists);
        assert_eq!(kind(Errno::ACCESS), io::ErrorKind::PermissionDenied);
        assert_eq!(kind(Errno::NOTEMPTY), io::ErrorKind::DirectoryNotEmpty);
        assert_eq!(kind(Errno::of(ERROR_HANDLE_DISK_FULL)), io::ErrorKind::StorageFull);
        assert_eq!(Errno::of(ERROR_PATH_NOT_FOUND), Errno::NOENT);
    }
}
