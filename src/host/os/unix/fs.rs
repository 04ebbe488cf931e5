//! Files. What other systems say in one call stands here as one, too.

use std::ffi::CStr;
use std::path::Path;

use super::AsFd;
use crate::model::owner::Owner;

pub use super::system::{begin_sync, can_clone, clone_to, open_closed};
#[cfg(target_os = "macos")]
pub use super::system::{copy_file_range, fsync, ioctl_ficlone, syncfs};
pub use rustix::buffer::spare_capacity;
pub use rustix::fs::*;

/// A mode from its bits, as chmod(1) has them.
#[must_use]
pub fn mode(bits: u32) -> Mode {
    #[expect(clippy::useless_conversion, reason = "the types differ between systems")]
    let bits = RawMode::try_from(bits & 0o7777).unwrap_or_default();
    Mode::from_raw_mode(bits)
}

/// The bits of a mode, without the kind of the file.
#[must_use]
pub fn bits(mode: RawMode) -> u32 {
    #[expect(clippy::useless_conversion, reason = "the types differ between systems")]
    let bits = u32::from(mode);
    bits & 0o7777
}

/// Gives a temporary file its name, in the place of whatever has it.
pub fn persist(file: tempfile::NamedTempFile, path: impl AsRef<Path>) -> std::io::Result<()> {
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Gives a file or folder to an account, if one is said, and the mode after that: a change of the owner takes bits away.
pub fn furnish(file: impl AsFd, mode: Mode, owner: Option<&Owner>) -> rustix::io::Result<()> {
    if let Some(owner) = owner {
        fchown(&file, Some(Uid::from_raw(owner.uid)), Some(Gid::from_raw(owner.gid)))?;
    }
    fchmod(file, mode)
}

/// An open folder is held by its own descriptor.
#[derive(Debug)]
pub struct Hold;

/// Holds an open folder until it is closed, or says that another one does.
pub fn hold(folder: impl AsFd) -> rustix::io::Result<Hold> {
    flock(folder, FlockOperation::NonBlockingLockExclusive).map(|()| Hold)
}

/// Makes a name that leads to another: a symbolic link. The name must be free.
pub fn lead(name: &str, target: &str) -> rustix::io::Result<()> {
    symlinkat(target, CWD, name)
}

/// Where a name leads that [`lead`] made.
pub fn leads_to(name: &str) -> rustix::io::Result<String> {
    Ok(readlinkat(CWD, name, Vec::new())?.to_string_lossy().into_owned())
}

/// Forces a file of a folder to the disk.
pub fn sync_at(folder: impl AsFd, name: &CStr) -> std::io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    // `sync_all` is F_FULLFSYNC on Apple's systems, where fsync stops at the drive's cache.
    std::fs::File::from(openat(folder, name, flags, Mode::empty())?).sync_all()
}

/// Forces the names in a folder to the disk.
pub fn sync_names(folder: impl AsFd) -> std::io::Result<()> {
    std::fs::File::from(folder.as_fd().try_clone_to_owned()?).sync_all()
}
