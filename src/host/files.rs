//! Files, replaced whole and made durable: written beside, synced, renamed, the folder synced.

use std::io::{self, Read as _, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::host::os;
use crate::host::os::fs::{AtFlags, CWD, Mode, OFlags};
use crate::model::digest::Digest;
use crate::model::owner::Owner;

/// What could not be done with which path.
#[derive(Debug, Error)]
#[error("can't {action} `{path}`")]
pub struct FileError {
    /// What was tried, as a verb.
    pub action: &'static str,
    /// On which path.
    pub path: Utf8PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl FileError {
    /// Whether the disk, or the account's share of it, is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, wherever it leads.
    Link,
    /// A device, socket or pipe.
    Other,
}

/// The facts of a path, links not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What it is.
    pub kind: Kind,
    /// The permission bits.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// The size in bytes.
    pub size: u64,
}

pub(super) fn failed(action: &'static str, path: &Utf8Path) -> impl FnOnce(os::Errno) -> FileError {
    let path = path.to_owned();
    move |source| FileError { action, path, source: source.into() }
}

pub(super) fn failed_io(action: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError { action, path, source }
}

/// Takes the right to change a file or folder from everybody but its owner. A link is not followed.
pub fn close_to_others(path: &Utf8Path) -> Result<(), FileError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = os::fs::open(path.as_str(), flags, Mode::empty()).map_err(failed("open", path))?;
    let mode = os::fs::fstat(&opened).map_err(failed("look at", path))?.st_mode;
    let closed = Mode::from_raw_mode(mode & 0o7755);
    os::fs::fchmod(&opened, closed).map_err(failed("set the mode of", path))
}

/// The facts of a path, or nothing where there is none.
pub fn facts(path: &Utf8Path) -> Result<Option<Facts>, FileError> {
    let stat = match os::fs::statat(CWD, path.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(os::Errno::NOENT | os::Errno::NOTDIR) => return Ok(None),
        Err(errno) => return Err(failed("look at", path)(errno)),
    };
    let kind = match os::fs::FileType::from_raw_mode(stat.st_mode) {
        os::fs::FileType::RegularFile => Kind::File,
        os::fs::FileType::Directory => Kind::Folder,
        os::fs::FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    };
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    Ok(Some(Facts { kind, mode: os::fs::bits(stat.st_mode), uid: stat.st_uid, gid: stat.st_gid, size }))
}

/// When a path was last changed, as a value to compare; nothing where there is none.
#[must_use]
pub fn changed(path: &Utf8Path) -> Option<std::time::SystemTime> {
    path.symlink_metadata().ok()?.modified().ok()
}

/// The digest of a file.
pub fn digest(path: &Utf8Path) -> Result<Digest, FileError> {
    let mut file = fs_err::File::open(path).map_err(failed_io("open", path))?;
    let mut hasher = sha2::Sha256::default();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer).map_err(failed_io("read", path))? {
            0 => return Ok(Digest::finish(hasher)),
            count => sha2::Digest::update(&mut hasher, &buffer[..count]),
        }
    }
}

/// The path without links, absolute.
pub fn canonical(path: &Utf8Path) -> Result<Utf8PathBuf, FileError> {
    path.canonicalize_utf8().map(os::fs::as_typed).map_err(failed_io("find", path))
}

/// The end of a file, at most so many bytes, from the beginning of a line.
pub fn read_end(path: &Utf8Path, most: u64) -> Result<String, FileError> {
    use std::io::{Seek as _, SeekFrom};
    let mut file = fs_err::File::open(path).map_err(failed_io("open", path))?;
    let size = file.metadata().map_err(failed_io("look at", path))?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(most))).map_err(failed_io("read", path))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).map_err(failed_io("read", path))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(match text.split_once('\n') {
        Some((_, whole_lines)) if size > most => whole_lines.to_owned(),
        _ => text,
    })
}

/// The text of a file, or nothing where there is none. Links are followed.
pub fn read(path: &Utf8Path) -> Result<Option<String>, FileError> {
    match fs_err::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed_io("read", path)(error)),
    }
}

/// Replaces a file whole and durably. A reader sees the old text or the new one, also after a power cut.
pub fn write(path: &Utf8Path, text: &str, mode: u32, owner: Option<&Owner>) -> Result<(), FileError> {
    let beside = write_beside(path, text, mode, owner)?;
    beside.as_file().sync_all().map_err(failed_io("sync", path))?;
    os::fs::persist(beside, path).map_err(failed_io("replace", path))?;
    sync_folder(parent(path))
}

/// Replaces a file whole, and durably. One that is there keeps its mode and whose it is, but is open to everybody only
/// where this mode opens it to others too; another gets this mode.
pub fn rewrite(path: &Utf8Path, text: &str, mode: u32) -> Result<(), FileError> {
    let there = facts(path)?.filter(|facts| facts.kind == Kind::File);
    let owner = there.map(|facts| Owner { name: String::new(), uid: facts.uid, gid: facts.gid });
    // What only its owner should read is not left open to everybody because it was so before.
    let most = if mode & 0o044 == 0 { !0o007 } else { !0 };
    write(path, text, there.map_or(mode, |facts| facts.mode & most), owner.as_ref())
}

/// Replaces a file whole, for what may be forgotten at a power cut: nobody waits for the disk.
pub fn write_for_now(path: &Utf8Path, text: &str, mode: u32) -> Result<(), FileError> {
    let beside = write_beside(path, text, mode, None)?;
    os::fs::persist(beside, path).map_err(failed_io("replace", path))?;
    Ok(())
}

fn write_beside(
    path: &Utf8Path,
    text: &str,
    mode: u32,
    owner: Option<&Owner>,
) -> Result<tempfile::NamedTempFile, FileError> {
    let folder = parent(path);
    let mut beside = tempfile::Builder::new()
        .prefix(".mainstay-")
        .tempfile_in(folder)
        .map_err(failed_io("write beside", path))?;
    // Before anything stands in it: where it takes its rights from its folder, others may read there.
    os::fs::furnish(beside.as_file(), os::fs::mode(mode), owner).map_err(failed(furnishing(owner), path))?;
    beside.write_all(text.as_bytes()).map_err(failed_io("write", path))?;
    Ok(beside)
}

/// Adds a line to a file, durably, and makes the file if there is none. A line before it that was written in part
/// does not take it along.
pub fn append(path: &Utf8Path, line: &str, mode: u32) -> Result<(), FileError> {
    use std::io::{Seek as _, SeekFrom};
    let flags = OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = os::fs::open(path.as_str(), flags, os::fs::mode(mode)).map_err(failed("open", path))?;
    let mut file = std::fs::File::from(file);
    let size = file.metadata().map_err(failed_io("look at", path))?.len();
    let mut last = *b"\n";
    if size > 0 {
        file.seek(SeekFrom::End(-1))
            .and_then(|_| file.read_exact(&mut last))
            .map_err(failed_io("read", path))?;
    }
    let torn = if last == *b"\n" { "" } else { "\n" };
    file.write_all(format!("{torn}{line}\n").as_bytes()).map_err(failed_io("write", path))?;
    file.sync_all().map_err(failed_io("sync", path))?;
    if size == 0 { sync_folder(parent(path)) } else { Ok(()) }
}

/// Makes a folder, and says whether it had to. A folder that is there keeps its mode and owner.
pub fn create_folder(path: &Utf8Path, mode: u32, owner: Option<&Owner>) -> Result<bool, FileError> {
    match os::fs::mkdirat(CWD, path.as_str(), os::fs::mode(mode)) {
        Ok(()) => {}
        Err(os::Errno::EXIST) => return Ok(false),
        Err(os::Errno::NOENT) => {
            create_folder(parent(path), 0o755, None)?;
            return create_folder(path, mode, owner);
        }
        Err(errno) => return Err(failed("create", path)(errno)),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = os::fs::open(path.as_str(), flags, Mode::empty()).map_err(failed("open", path))?;
    os::fs::furnish(&folder, os::fs::mode(mode), owner).map_err(failed(furnishing(owner), path))?;
    sync_folder(parent(path))?;
    Ok(true)
}

/// Removes a folder if it is empty, and says whether it did.
pub fn remove_empty_folder(path: &Utf8Path) -> Result<bool, FileError> {
    match os::fs::unlinkat(CWD, path.as_str(), AtFlags::REMOVEDIR) {
        Ok(()) => sync_folder(parent(path)).map(|()| true),
        // One that is a file system of its own stays, however empty.
        Err(os::Errno::NOENT | os::Errno::NOTEMPTY | os::Errno::EXIST | os::Errno::BUSY) => Ok(false),
        Err(errno) => Err(failed("remove", path)(errno)),
    }
}

/// Removes a file or link, durably, and says whether there was one.
pub fn remove(path: &Utf8Path) -> Result<bool, FileError> {
    match os::fs::unlinkat(CWD, path.as_str(), AtFlags::empty()) {
        Ok(()) => sync_folder(parent(path)).map(|()| true),
        Err(os::Errno::NOENT | os::Errno::NOTDIR) => Ok(false),
        Err(errno) => Err(failed("remove", path)(errno)),
    }
}

/// Makes a folder and those above it that are missing, each as the system's usual ones are. On Windows what an
/// administrator makes so is closed to others, though its folder hands them the right to write.
pub fn make_folders(path: &Utf8Path) -> io::Result<()> {
    let attempt = || os::fs::mkdirat(CWD, path.as_str(), Mode::from_raw_mode(0o777));
    let made = match attempt() {
        Err(os::Errno::NOENT) if parent(path) != path => {
            make_folders(parent(path))?;
            attempt()
        }
        outcome => outcome,
    };
    match made {
        Err(os::Errno::EXIST) if path.is_dir() => Ok(()),
        outcome => Ok(outcome?),
    }
}

/// Removes a folder with all that is in it; links in it are removed, not followed.
pub fn remove_tree(path: &Utf8Path) -> Result<(), FileError> {
    match fs_err::remove_dir_all(path) {
        Ok(()) => sync_folder(parent(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed_io("remove", path)(error)),
    }
}

/// Points a link elsewhere in one durable step: made beside, renamed over, the folder synced.
pub fn link(path: &Utf8Path, target: &Utf8Path) -> Result<(), FileError> {
    let folder = parent(path);
    let name = path.file_name().unwrap_or("link");
    let beside = folder.join(format!(".mainstay-{name}.{}", std::process::id()));
    // What a killed run left under this name points nowhere that matters.
    match os::fs::unlinkat(CWD, beside.as_str(), AtFlags::empty()) {
        Ok(()) | Err(os::Errno::NOENT) => {}
        Err(errno) => return Err(failed("remove", &beside)(errno)),
    }
    os::fs::lead(beside.as_str(), target.as_str()).map_err(failed("create", &beside))?;
    os::fs::renameat(CWD, beside.as_str(), CWD, path.as_str()).map_err(failed("switch", path))?;
    sync_folder(folder)
}

/// Where a link points, or nothing where there is no link.
pub fn read_link(path: &Utf8Path) -> Result<Option<String>, FileError> {
    match os::fs::leads_to(path.as_str()) {
        Ok(target) => Ok(Some(target)),
        Err(os::Errno::NOENT | os::Errno::INVAL | os::Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(failed("read the link", path)(errno)),
    }
}

/// Where a link leads that names something of its own folder. The account of a service may be able to replace it, so one that
/// leads anywhere else is refused.
pub fn read_pointer(path: &Utf8Path) -> Result<Option<String>, FileError> {
    let target = read_link(path)?;
    if target.as_deref().is_none_or(is_plain_name) {
        return Ok(target);
    }
    let source = io::Error::new(io::ErrorKind::InvalidData, "it leads out of its folder");
    Err(failed_io("follow", path)(source))
}

/// Whether a text names something of one folder, on every system.
#[must_use]
pub fn is_plain_name(text: &str) -> bool {
    !text.is_empty() && !matches!(text, "." | "..") && !text.contains(['/', '\\', ':', '\0'])
}

/// The names in a folder, in order, or nothing where there is no folder.
pub fn list(folder: &Utf8Path) -> Result<Option<Vec<String>>, FileError> {
    let entries = match fs_err::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed_io("list", folder)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed_io("list", folder))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(Some(names))
}

/// Puts a file in another one's place: whoever opens that name finds the one or the other, whole.
pub fn rename_over(from: &Utf8Path, to: &Utf8Path) -> Result<(), FileError> {
    os::fs::rename(from.as_str(), to.as_str()).map_err(failed("replace", to))?;
    sync_folder(parent(to))
}

/// Copies a program so that what runs it later never sees half of it.
pub fn copy_program(from: &Utf8Path, to: &Utf8Path) -> Result<(), FileError> {
    let folder = parent(to);
    let mut source = fs_err::File::open(from).map_err(failed_io("open", from))?;
    let mut beside = tempfile::Builder::new()
        .prefix(".mainstay-")
        .tempfile_in(folder)
        .map_err(failed_io("write beside", to))?;
    io::copy(&mut source, beside.as_file_mut()).map_err(failed_io("write", to))?;
    os::fs::fchmod(beside.as_file(), Mode::from_raw_mode(0o755)).map_err(failed("set the mode of", to))?;
    beside.as_file().sync_all().map_err(failed_io("sync", to))?;
    os::fs::persist(beside, to).map_err(failed_io("replace", to))?;
    sync_folder(folder)
}

/// Makes what was done in a folder survive a power cut.
pub fn sync_folder(folder: &Utf8Path) -> Result<(), FileError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = os::fs::open(folder.as_str(), flags, Mode::empty()).map_err(failed("open", folder))?;
    os::fs::fsync(&opened).map_err(failed("sync", folder))
}

/// What can fail when a file gets its mode and owner.
pub(super) fn furnishing(owner: Option<&Owner>) -> &'static str {
    if owner.is_some() { "give away" } else { "set the mode of" }
}

pub(super) fn parent(path: &Utf8Path) -> &Utf8Path {
    match path.parent() {
        Some(folder) if !folder.as_str().is_empty() => folder,
        _ => Utf8Path::new("."),
    }
}

#[cfg(test)]
mod tests;
