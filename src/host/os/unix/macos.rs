//! What other unixes do not have, or do otherwise: macOS.

pub(super) mod net;
pub(super) mod process;

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, CloneFlags, Dir, FileType, Mode, OFlags};
use rustix::io::{Errno, Result};

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// The memory of this host, in bytes.
#[must_use]
pub fn memory_size() -> Option<u64> {
    process::setting("hw.memsize")?.trim().parse().ok()
}

/// Opens a name in a folder, also where its mode closes it to its own owner: for the moment of the opening, the mode
/// is another. There is no way to hold a thing without opening it, so its mode is changed by its name, not through links.
pub fn open_closed(parent: impl AsFd, name: &CStr, flags: OFlags) -> Result<OwnedFd> {
    let parent = parent.as_fd();
    match rustix::fs::openat(parent, name, flags, Mode::empty()) {
        Err(Errno::ACCESS) => {}
        opened => return opened,
    }
    let found = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if !matches!(FileType::from_raw_mode(found.st_mode), FileType::Directory | FileType::RegularFile) {
        return Err(Errno::ACCESS);
    }
    let mode = Mode::from_raw_mode(found.st_mode & 0o7777);
    rustix::fs::chmodat(parent, name, mode | Mode::RUSR | Mode::XUSR, AtFlags::SYMLINK_NOFOLLOW)?;
    let opened = rustix::fs::openat(parent, name, flags, Mode::empty());
    match &opened {
        Ok(opened) => rustix::fs::fchmod(opened, mode)?,
        Err(_) => rustix::fs::chmodat(parent, name, mode, AtFlags::SYMLINK_NOFOLLOW)?,
    }
    opened
}

/// Forces a file or the names in a folder to the disk itself: fsync(2) stops at the cache of the drive (`F_FULLFSYNC`,
/// fcntl(2)). A file system of another maker may not know of that.
pub fn fsync(file: impl AsFd) -> Result<()> {
    match rustix::fs::fcntl_fullfsync(&file) {
        Err(Errno::NOTSUP | Errno::NOTTY | Errno::INVAL) => rustix::fs::fsync(file),
        synced => synced,
    }
}

/// Forces everything below a folder to the disk: file by file as far as the drive, and then what the drive holds.
/// There is no call that waits for a whole file system.
pub fn syncfs(folder: impl AsFd) -> Result<()> {
    sync_below(folder.as_fd())?;
    fsync(folder)
}

fn sync_below(folder: BorrowedFd<'_>) -> Result<()> {
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let found = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Directory => sync_below(open_closed(folder, name, FOLDER)?.as_fd())?,
            FileType::RegularFile => rustix::fs::fsync(open_closed(folder, name, FILE)?)?,
            _ => {}
        }
    }
    rustix::fs::fsync(folder)
}

/// The mount that holds a name in a folder: here the device says so already.
pub fn mount_of(_: BorrowedFd<'_>, _: &CStr) -> Option<u64> {
    None
}

/// Lets the disk begin to write what was written so far. It promises nothing, and here it does nothing: the disk begins
/// on its own.
pub fn begin_sync(_: BorrowedFd<'_>) {}

/// Lets a file share its bytes with another: here only a new one can ([`clone_to`]).
pub fn ioctl_ficlone(_: impl AsFd, _: impl AsFd) -> Result<()> {
    Err(Errno::NOTSUP)
}

/// Copies within the kernel: there is no such call.
pub fn copy_file_range(
    _: impl AsFd,
    _: Option<&mut u64>,
    _: impl AsFd,
    _: Option<&mut u64>,
    _: usize,
) -> Result<usize> {
    Err(Errno::NOSYS)
}

/// Makes a new file that shares its bytes with another (`fclonefileat(2)`), and says whether it has: the two have to be
/// in one file system that can do it. The file can be written to by its owner.
pub fn clone_to(source: impl AsFd, folder: impl AsFd, name: &CStr) -> Result<bool> {
    let folder = folder.as_fd();
    match rustix::fs::fclonefileat(source, folder, name, CloneFlags::NOOWNERCOPY) {
        Ok(()) => {
            let mode = Mode::RUSR | Mode::WUSR;
            rustix::fs::chmodat(folder, name, mode, AtFlags::SYMLINK_NOFOLLOW)?;
            Ok(true)
        }
        Err(Errno::NOTSUP | Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::PERM) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a file in that folder could share its bytes with this one: tried with one that has a name for a moment.
pub fn can_clone(sample: impl AsFd, into: &Path) -> bool {
    let name = into.join(format!(".mainstay-clone-{}", std::process::id()));
    let cloned = rustix::fs::fclonefileat(sample, CWD, name.as_path(), CloneFlags::NOOWNERCOPY).is_ok();
    if cloned {
        let _ = rustix::fs::unlink(name.as_path());
    }
    cloned
}
