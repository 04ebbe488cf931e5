//! Removal of whole folders by descriptors: links are removed and never followed.

use std::ffi::{CStr, CString};
use std::io;

use crate::host::os;
use crate::host::os::Errno;
use crate::host::os::fs::{AtFlags, Dir, Mode, OFlags, RawMode};
use crate::host::os::{AsFd, BorrowedFd};

pub(super) use crate::host::os::fs::open_closed as open_at;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The names in a folder, without `.` and `..`.
pub fn names(folder: impl AsFd) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// Removes a name and everything below it. Links are removed, never followed; folders that are closed to their owner
/// are opened.
pub fn remove(parent: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    match open_at(parent, name, FOLDER) {
        Ok(folder) => {
            clear(folder.as_fd())?;
            Ok(os::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
        }
        // What is no folder answers ENOTDIR, a link ELOOP on some systems.
        Err(Errno::NOTDIR | Errno::LOOP) => Ok(os::fs::unlinkat(parent, name, AtFlags::empty())?),
        Err(error) => Err(error.into()),
    }
}

/// Removes everything below a folder.
pub fn clear(folder: BorrowedFd<'_>) -> io::Result<()> {
    let mode = permissions(os::fs::fstat(folder)?.st_mode);
    if !mode.contains(Mode::RWXU) {
        os::fs::fchmod(folder, mode | Mode::RWXU)?;
    }
    for name in names(folder)? {
        // A file needs no opening: `unlink` refuses a folder, with an answer that differs by system.
        match os::fs::unlinkat(folder, &name, AtFlags::empty()) {
            Ok(()) => {}
            Err(Errno::ISDIR | Errno::PERM) => remove(folder, &name)?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

pub(super) fn permissions(mode: RawMode) -> Mode {
    Mode::from_raw_mode(mode & 0o7777)
}
