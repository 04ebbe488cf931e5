//! Removal of whole folders by descriptors: links are removed and never followed.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, RawMode};
use rustix::io::Errno;

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
            Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
        }
        // What is no folder answers ENOTDIR, a link ELOOP on some systems.
        Err(Errno::NOTDIR | Errno::LOOP) => Ok(rustix::fs::unlinkat(parent, name, AtFlags::empty())?),
        Err(error) => Err(error.into()),
    }
}

/// Removes everything below a folder.
pub fn clear(folder: BorrowedFd<'_>) -> io::Result<()> {
    let mode = permissions(rustix::fs::fstat(folder)?.st_mode);
    if !mode.contains(Mode::RWXU) {
        rustix::fs::fchmod(folder, mode | Mode::RWXU)?;
    }
    for name in names(folder)? {
        // A file needs no opening: `unlink` refuses a folder, with an answer that differs by system.
        match rustix::fs::unlinkat(folder, &name, AtFlags::empty()) {
            Ok(()) => {}
            Err(Errno::ISDIR | Errno::PERM) => remove(folder, &name)?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Opens a name in a folder, also where its mode closes it to its own owner: for the moment of the opening, the mode
/// is another.
pub(super) fn open_at(parent: impl AsFd, name: &CStr, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let parent = parent.as_fd();
    match rustix::fs::openat(parent, name, flags, Mode::empty()) {
        Err(Errno::ACCESS) => {}
        opened => return opened,
    }
    let place =
        rustix::fs::openat(parent, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let mode = permissions(rustix::fs::fstat(&place)?.st_mode);
    // The way by /proc leads to the very thing that was opened, whatever has its name by now (proc(5)).
    let way = format!("/proc/self/fd/{}", place.as_raw_fd());
    rustix::fs::chmodat(CWD, way.as_str(), mode | Mode::RUSR | Mode::XUSR, AtFlags::empty())?;
    let opened = rustix::fs::openat(CWD, way.as_str(), flags.difference(OFlags::NOFOLLOW), Mode::empty());
    rustix::fs::chmodat(CWD, way.as_str(), mode, AtFlags::empty())?;
    opened
}

pub(super) fn permissions(mode: RawMode) -> Mode {
    Mode::from_raw_mode(mode & 0o7777)
}
