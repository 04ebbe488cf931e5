//! The file system, by descriptors: nothing here follows a link or resolves a name of more than one part.

use std::fs::File;
use std::io;

use camino::Utf8Path;

use crate::host::os;
use crate::host::os::Errno;
use crate::host::os::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RawMode, RenameFlags};
use crate::host::os::{AsFd, BorrowedFd, OwnedFd};

pub(crate) use crate::host::removal::{clear, names, remove};

/// Mode of a folder while it is being filled.
const OPEN_FOLDER: Mode = Mode::from_raw_mode(0o755);
const SEALED_FOLDER: Mode = Mode::from_raw_mode(0o555);
const SEALED_FILE: Mode = Mode::from_raw_mode(0o444);
const SEALED_PROGRAM: Mode = Mode::from_raw_mode(0o555);
pub(crate) const FOLDER_FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens a folder by its path; links on the way to it count, it itself may not be one.
pub(crate) fn open_folder(path: &Utf8Path) -> io::Result<OwnedFd> {
    Ok(os::fs::openat(CWD, path.as_str(), FOLDER_FLAGS, Mode::empty())?)
}

/// Opens a folder of a folder.
pub(crate) fn open_folder_at(parent: impl AsFd, name: &str) -> io::Result<OwnedFd> {
    Ok(os::fs::openat(parent, name, FOLDER_FLAGS, Mode::empty())?)
}

/// Opens a regular file of a folder for reading.
pub(crate) fn open_file_at(parent: impl AsFd, name: &str) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(os::fs::openat(parent, name, flags, Mode::empty())?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// Creates a folder that only its owner can enter.
pub(crate) fn create_private_folder(parent: impl AsFd, name: &str) -> io::Result<()> {
    Ok(os::fs::mkdirat(parent, name, Mode::RWXU)?)
}

/// Whether there are names in a folder.
pub(crate) fn is_empty(folder: impl AsFd) -> io::Result<bool> {
    Ok(names(folder)?.is_empty())
}

/// Writes below one folder. Remembers the folders on the way to the entry before, because entries mostly
/// come folder by folder.
#[derive(Debug)]
pub(crate) struct Writer<'root> {
    root: BorrowedFd<'root>,
    way: Vec<(String, OwnedFd)>,
    /// Whether files are born with other modes than asked for (umask, default ACLs): told from the first.
    modes_differ: Option<bool>,
}

impl<'root> Writer<'root> {
    pub(crate) fn new(root: BorrowedFd<'root>) -> Self {
        Self { root, way: Vec::new(), modes_differ: None }
    }

    /// The folder of this name, made where it is missing. The empty name is the root.
    pub(crate) fn folder(&mut self, path: &str) -> io::Result<BorrowedFd<'_>> {
        let mut depth = 0;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            if self.way.get(depth).is_none_or(|(name, _)| name != part) {
                self.way.truncate(depth);
                let parent = self.way.last().map_or(self.root, |(_, folder)| folder.as_fd());
                let folder = match open_folder_at(parent, part) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        match os::fs::mkdirat(parent, part, OPEN_FOLDER) {
                            Ok(()) | Err(Errno::EXIST) => open_folder_at(parent, part)?,
                            Err(error) => return Err(error.into()),
                        }
                    }
                    opened => opened?,
                };
                self.way.push((part.to_owned(), folder));
            }
            depth += 1;
        }
        self.way.truncate(depth);
        Ok(self.way.last().map_or(self.root, |(_, folder)| folder.as_fd()))
    }

    /// Creates a file that can't be written again once it is closed.
    pub(crate) fn create(&mut self, folder: &str, name: &str, program: bool) -> io::Result<File> {
        let mode = if program { SEALED_PROGRAM } else { SEALED_FILE };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = os::fs::openat(self.folder(folder)?, name, flags, mode)?;
        let differ = match self.modes_differ {
            Some(differ) => differ,
            None => permissions(os::fs::fstat(&file)?.st_mode) != mode,
        };
        self.modes_differ = Some(differ);
        if differ {
            os::fs::fchmod(&file, mode)?;
        }
        Ok(File::from(file))
    }

    /// Gives a file a second name.
    pub(crate) fn hard_link(&mut self, from: (&str, &str), to: (&str, &str)) -> io::Result<()> {
        let old = self.folder(from.0)?.try_clone_to_owned()?;
        let new = self.folder(to.0)?;
        Ok(os::fs::linkat(&old, from.1, new, to.1, AtFlags::empty())?)
    }

    /// Creates a symbolic link.
    pub(crate) fn symlink(&mut self, target: &str, folder: &str, name: &str) -> io::Result<()> {
        Ok(os::fs::symlinkat(target, self.folder(folder)?, name)?)
    }
}

fn permissions(mode: RawMode) -> Mode {
    Mode::from_raw_mode(mode & 0o7777)
}

/// Free bytes of a file system for this process, and how many more files it takes, where it has such a limit.
pub(crate) fn available(folder: impl AsFd) -> io::Result<(u64, Option<u64>)> {
    let found = os::fs::fstatvfs(folder)?;
    let files = (found.f_files > 0).then_some(found.f_favail);
    Ok((found.f_bavail.saturating_mul(found.f_frsize), files))
}

/// Whether a failure says that the disk, or the user's share of it, is full.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Takes the right to write from everything below a folder, and from the folder itself.
pub(crate) fn seal(folder: BorrowedFd<'_>) -> io::Result<()> {
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => {
                FileType::from_raw_mode(os::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode)
            }
            known => known,
        };
        match kind {
            FileType::Directory => {
                seal(os::fs::openat(folder, name, FOLDER_FLAGS, Mode::empty())?.as_fd())?;
            }
            FileType::RegularFile => {
                let mode = os::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode;
                if mode & 0o222 != 0 {
                    let mode = if mode & 0o100 == 0 { SEALED_FILE } else { SEALED_PROGRAM };
                    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
                    os::fs::fchmod(os::fs::openat(folder, name, flags, Mode::empty())?, mode)?;
                }
            }
            _ => {}
        }
    }
    Ok(os::fs::fchmod(folder, SEALED_FOLDER)?)
}

/// Whether a name still leads to the folder that was opened by it.
pub(crate) fn is_named(parent: &OwnedFd, name: &str, folder: &OwnedFd) -> bool {
    let named = os::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW);
    let opened = os::fs::fstat(folder);
    matches!((named, opened), (Ok(named), Ok(opened)) if named.st_ino == opened.st_ino && named.st_dev == opened.st_dev)
}

/// Renames without replacing. Where the file system can't, the name is looked at first: writers hold the
/// instance's lock, so nobody else takes it in between.
pub(crate) fn rename_to_free(parent: &OwnedFd, from: &std::ffi::CStr, to: &str) -> io::Result<()> {
    match os::fs::renameat_with(parent, from, parent, to, RenameFlags::NOREPLACE) {
        Err(Errno::NOSYS | Errno::INVAL | Errno::NOTSUP) => {}
        renamed => return Ok(renamed?),
    }
    match os::fs::statat(parent, to, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => Ok(os::fs::renameat(parent, from, parent, to)?),
        Err(error) => Err(error.into()),
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
    }
}

/// Gives one entry the name of another, which gets its own: in one step, or not at all. Says whether there was another.
pub(crate) fn exchange(parent: &OwnedFd, from: &std::ffi::CStr, to: &str) -> io::Result<bool> {
    match os::fs::renameat_with(parent, from, parent, to, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::NOENT) => rename_to_free(parent, from, to).map(|()| false),
        Err(error) => Err(error.into()),
    }
}

/// Whether a folder can get another name where it is. No call asks just that: the name of a folder that holds something is
/// refused to it everywhere, and what can't be renamed at all is refused for that first.
pub(crate) fn can_be_renamed(parent: &OwnedFd, folder: &str, full: &std::ffi::CStr) -> bool {
    os::fs::renameat(parent, folder, parent, full) != Err(Errno::XDEV)
}

/// Begins to write back what was written so far, where the system can do so in one call.
pub(crate) fn start_sync(folder: BorrowedFd<'_>) {
    os::fs::begin_sync(folder);
}

/// Forces everything below a folder to the disk: in one call for the whole file system where the system has
/// one and there is much to force, else file by file. The one call also writes what others have left
/// unwritten, so it does not pay for a few files.
pub(crate) fn sync_tree(folder: BorrowedFd<'_>, entries: u64) -> io::Result<()> {
    if entries > 50 {
        return Ok(os::fs::syncfs(folder)?);
    }
    sync_each(folder)
}

fn sync_each(folder: BorrowedFd<'_>) -> io::Result<()> {
    for name in names(folder)? {
        let kind = FileType::from_raw_mode(os::fs::statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode);
        match kind {
            FileType::Directory => {
                sync_each(os::fs::openat(folder, &name, FOLDER_FLAGS, Mode::empty())?.as_fd())?;
            }
            FileType::RegularFile => os::fs::sync_at(folder, &name)?,
            _ => {}
        }
    }
    sync_folder(folder)
}

/// Forces the names in a folder to the disk.
pub(crate) fn sync_folder(folder: BorrowedFd<'_>) -> io::Result<()> {
    os::fs::sync_names(folder)
}
