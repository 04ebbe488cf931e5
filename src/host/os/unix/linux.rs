//! What other unixes do not have, or do otherwise: Linux.

pub(super) mod net;
pub(super) mod process;

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, StatxFlags, chmodat, fstat, ioctl_ficlone, openat, statx, syncfs,
};
use rustix::io::{Errno, Result};

/// The memory of this host, in bytes, where a call tells it: here a file does.
#[must_use]
pub const fn memory_size() -> Option<u64> {
    None
}

/// Opens a name in a folder, also where its mode closes it to its own owner: for the moment of the opening, the mode
/// is another.
pub fn open_closed(parent: impl AsFd, name: &CStr, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let parent = parent.as_fd();
    match openat(parent, name, flags, Mode::empty()) {
        Err(Errno::ACCESS) => {}
        opened => return opened,
    }
    let place = openat(parent, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let mode = Mode::from_raw_mode(fstat(&place)?.st_mode & 0o7777);
    // The way by /proc leads to the very thing that was opened, whatever has its name by now (proc(5)).
    let way = format!("/proc/self/fd/{}", place.as_raw_fd());
    chmodat(CWD, way.as_str(), mode | Mode::RUSR | Mode::XUSR, AtFlags::empty())?;
    let opened = openat(CWD, way.as_str(), flags.difference(OFlags::NOFOLLOW), Mode::empty());
    chmodat(CWD, way.as_str(), mode, AtFlags::empty())?;
    opened
}

/// The mount that holds a name in a folder, since Linux 5.8 (statx(2), `STATX_MNT_ID`). Files of one overlay may say that
/// they are of different devices (the kernel's documentation of overlayfs, "Inode properties").
pub fn mount_of(parent: impl AsFd, name: &CStr) -> Option<u64> {
    let found = statx(parent, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::MNT_ID).ok()?;
    (found.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(found.stx_mnt_id)
}

/// Lets the disk begin to write what was written so far. It promises nothing.
pub fn begin_sync(folder: BorrowedFd<'_>) {
    let _ = syncfs(folder);
}

/// Makes a new file that shares its bytes with another, where only the making can do that. Says whether it has: here
/// two files come to share theirs at any time.
pub fn clone_to(_: impl AsFd, _: impl AsFd, _: &CStr) -> Result<bool> {
    Ok(false)
}

/// Whether a file in that folder could share its bytes with this one: tried with a file that never has a name.
pub fn can_clone(sample: impl AsFd, into: &Path) -> bool {
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    let nameless = openat(CWD, into, flags, Mode::RUSR | Mode::WUSR);
    nameless.is_ok_and(|nameless| ioctl_ficlone(&nameless, sample).is_ok())
}
