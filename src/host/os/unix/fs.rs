//! Files. What other systems say in one call stands here as one, too.

use std::ffi::CStr;
use std::path::Path;

use rustix::buffer::spare_capacity;

use super::{AsFd, Errno};
use crate::host::os::Oddity;
use crate::model::owner::Owner;

pub use super::system::{begin_sync, can_clone, clone_to, mount_of, open_closed};
#[cfg(target_os = "macos")]
pub use super::system::{copy_file_range, fsync, ioctl_ficlone, syncfs};
pub use rustix::fs::*;

/// Whether everybody may make symbolic links.
pub const HAS_LINKS: bool = true;
/// Whether two names can be exchanged in one step, also of folders that are in use.
pub const EXCHANGES: bool = true;

/// Whether everybody may make folders where those of the host stand: only root may (hier(7)).
pub const EVERYBODY_MAKES_FOLDERS: bool = false;

/// The longest list of attributes, and the longest value of one (xattr(7)).
const LONGEST: usize = 64 << 10;
/// What every file has on hosts with `SELinux`, by its place.
const LABEL: &[u8] = b"security.selinux";

/// A mode from its bits, as chmod(1) has them.
#[must_use]
pub fn mode(bits: u32) -> Mode {
    let bits = RawMode::try_from(bits & 0o7777).unwrap_or_default();
    Mode::from_raw_mode(bits)
}

/// The bits of a mode, without the kind of the file.
#[must_use]
pub fn bits(mode: RawMode) -> u32 {
    #[cfg_attr(
        target_os = "linux",
        expect(clippy::useless_conversion, reason = "the types differ between systems")
    )]
    let bits = u32::from(mode);
    bits & 0o7777
}

/// Gives a temporary file its name, in the place of whatever has it.
pub fn persist(file: tempfile::NamedTempFile, path: impl AsRef<Path>) -> std::io::Result<()> {
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Gives a file or folder to an account, if one is said, and the mode after that: a change of the owner takes bits away.
pub fn furnish(file: impl AsFd, mode: Mode, owner: Option<&Owner>) -> rustix::io::Result<()> {
    // What is that account's already needs no right.
    let stat = fstat(&file)?;
    if let Some(owner) = owner.filter(|owner| (stat.st_uid, stat.st_gid) != (owner.uid, owner.gid)) {
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

/// Lets others read a file that is about to be made, as far as the mask of this process lets them.
pub fn share(builder: &mut tempfile::Builder<'_, '_>) {
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
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

/// Gives a file or folder the owner and group of another one.
pub fn own_like(file: impl AsFd, stat: &Stat) -> rustix::io::Result<()> {
    fchown(file, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))
}

/// The times of a file, to be given to another one.
#[must_use]
pub fn times_of(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    }
}

/// The type of the nanoseconds differs between systems.
fn time(seconds: i64, nanoseconds: impl TryInto<i64>) -> Timespec {
    Timespec { tv_sec: seconds, tv_nsec: nanoseconds.try_into().unwrap_or_default() }
}

/// Copies a link itself, with its owner and times.
pub fn copy_link(
    parent: impl AsFd,
    name: &CStr,
    into: impl AsFd,
    to: &CStr,
    stat: &Stat,
) -> rustix::io::Result<()> {
    let target = readlinkat(parent, name, Vec::new())?;
    symlinkat(&*target, &into, to)?;
    let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    chownat(&into, to, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
    utimensat(&into, to, &times_of(stat), AtFlags::SYMLINK_NOFOLLOW)
}

/// Copies the extended attributes, as far as this account may and the file system has them.
pub fn copy_attributes(from: impl AsFd, to: impl AsFd) -> rustix::io::Result<()> {
    let mut list: Vec<u8> = Vec::with_capacity(LONGEST);
    match flistxattr(&from, spare_capacity(&mut list)) {
        Ok(_) => {}
        Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(()),
        Err(error) => return Err(error),
    }
    for name in list.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value: Vec<u8> = Vec::with_capacity(LONGEST);
        let copied = fgetxattr(&from, name, spare_capacity(&mut value))
            .and_then(|_| fsetxattr(&to, name, &value, XattrFlags::empty()));
        match copied {
            // What belongs to a security module is its own to set.
            Ok(()) | Err(Errno::NODATA | Errno::NOTSUP | Errno::PERM | Errno::ACCESS) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether somebody has given a file more than its mode: capabilities, an access list.
pub fn has_attributes(file: impl AsFd) -> bool {
    let mut names = [0; 1024];
    match flistxattr(file, &mut names) {
        Ok(length) => {
            let names = names.get(..length).unwrap_or_default();
            names.split(|byte| *byte == 0).any(|name| !name.is_empty() && name != LABEL)
        }
        Err(Errno::NOTSUP) => false,
        Err(_) => true,
    }
}

/// Whether a file of a folder that is to be packed is a program, by its mode.
#[must_use]
pub fn is_program(_: &Path, metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(metadata) & 0o100 != 0
}

/// What a file is that is neither a file, a folder nor a link, or what its mode says beside who may use it.
#[must_use]
pub fn oddity(metadata: &std::fs::Metadata) -> Option<Oddity> {
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    let kind = metadata.file_type();
    if kind.is_fifo() {
        Some(Oddity::Kind("named pipe"))
    } else if kind.is_socket() {
        Some(Oddity::Kind("socket"))
    } else if kind.is_block_device() {
        Some(Oddity::Kind("block device"))
    } else if kind.is_char_device() {
        Some(Oddity::Kind("character device"))
    } else {
        (metadata.mode() & 0o7000 != 0).then_some(Oddity::Bits)
    }
}

/// A path as somebody would type it: here all are.
#[must_use]
pub fn as_typed(path: camino::Utf8PathBuf) -> camino::Utf8PathBuf {
    path
}

/// How a program's file may be spelled that is called so: here as it is.
pub fn spelled(path: camino::Utf8PathBuf) -> impl Iterator<Item = camino::Utf8PathBuf> {
    std::iter::once(path)
}
