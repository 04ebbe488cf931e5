//! Files: the calls by their names of POSIX.

use std::ffi::CStr;
use std::io::Write as _;
use std::os::windows::io::{AsRawHandle as _, BorrowedHandle};
use std::path::Path;

use windows_sys::Wdk::Storage::FileSystem::FileEndOfFileInformation;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ADD_FILE, FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES, FILE_WRITE_DATA, FlushFileBuffers,
};

use super::information::tell;
use super::open::again;
use super::{AsFd, BorrowedFd, Errno, OwnedFd};
use crate::model::owner::Owner;

pub use super::change::{
    Timespec, Timestamps, fchmod, futimens, linkat, rename, renameat, renameat_with, unlink, unlinkat,
};
pub use super::flags::{Access, AtFlags, FileType, Mode, OFlags, RawMode, RenameFlags, bits, mode};
pub use super::lock::{FlockOperation, Hold, flock, hold};
pub use super::look::{Dir, DirEntry, Stat, StatVfs, fstat, fstatvfs, lstat, stat, statat, statvfs};
pub use super::open::{mkdirat, open, openat};

/// The working folder, which stands before every path.
// SAFETY: no handle is null, so this is never used as one: it is told from all others before.
pub const CWD: BorrowedFd<'static> = unsafe { BorrowedHandle::borrow_raw(std::ptr::null_mut()) };

/// What tells one volume from another.
pub type Dev = u64;

/// Whether everybody may make symbolic links.
pub const HAS_LINKS: bool = false;
/// Whether two names can be exchanged in one step, also of folders that are in use.
pub const EXCHANGES: bool = false;

/// Whether everybody may make folders where those of the host stand (`%ProgramData%`).
pub const EVERYBODY_MAKES_FOLDERS: bool = true;

/// How the file begins that leads to another name.
const LEADS: &str = "mainstay pointer: ";
/// The longest such file, in bytes.
const LONGEST: u64 = 64 << 10;

pub(super) fn is_working_folder(folder: BorrowedFd<'_>) -> bool {
    folder.as_raw_handle().is_null()
}

/// Opens a name in a folder; no mode closes it to its owner here.
pub fn open_closed(parent: impl AsFd, name: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    openat(parent, name, flags, Mode::empty())
}

/// Gives a temporary file its name, in the place of whatever has it, also while somebody has that open.
pub fn persist(file: tempfile::NamedTempFile, path: impl AsRef<Path>) -> std::io::Result<()> {
    let text = |path: &Path| path.to_str().map(str::to_owned).ok_or(Errno::INVAL);
    let (opened, beside) = file.into_parts();
    let (from, to) = (text(&beside)?, text(path.as_ref())?);
    super::change::make_lasting(opened.as_fd())?;
    rename(from, to)?;
    // The name is gone, so there is nothing to remove.
    let _ = beside.keep();
    drop(opened);
    Ok(())
}

/// Gives a file or folder the mode, and lets an account use it.
pub fn furnish(file: impl AsFd, mode: Mode, owner: Option<&Owner>) -> Result<(), Errno> {
    let file = file.as_fd();
    fchmod(file, mode)?;
    owner.map_or(Ok(()), |owner| super::security::give(file, owner))
}

/// Whether this account may use a path so, found out by opening it.
pub fn accessat(folder: impl AsFd, path: &str, access: Access, _: AtFlags) -> Result<(), Errno> {
    let flags = if access.contains(Access::WRITE_OK) { OFlags::WRONLY } else { OFlags::RDONLY };
    openat(folder, path, flags, Mode::empty()).map(drop)
}

/// Symbolic links are made by nobody here: only administrators may.
pub fn symlinkat(_: &str, _: impl AsFd, _: &str) -> Result<(), Errno> {
    Err(Errno::NOTSUP)
}

/// Links are not copied, for the same reason.
pub fn copy_link(_: impl AsFd, _: &CStr, _: impl AsFd, _: &CStr, _: &Stat) -> Result<(), Errno> {
    Err(Errno::NOTSUP)
}

/// A copy belongs to whoever makes it, and its rights are those of its folder and its mode.
pub fn own_like(_: impl AsFd, _: &Stat) -> Result<(), Errno> {
    Ok(())
}

/// Further streams of a file are not copied.
pub fn copy_attributes(_: impl AsFd, _: impl AsFd) -> Result<(), Errno> {
    Ok(())
}

/// Whether somebody has given a file more than its mode, which the mode tells here.
#[must_use]
pub fn has_attributes(_: impl AsFd) -> bool {
    false
}

/// The times of a file, to be given to another one.
#[must_use]
pub fn times_of(stat: &Stat) -> Timestamps {
    let time = |seconds, nanoseconds: u64| Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds.try_into().unwrap_or_default(),
    };
    Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    }
}

/// Whether a file of a folder that is to be packed is a program: by its first bytes, since no mode says it here.
#[must_use]
pub fn is_program(path: &Path, _: &std::fs::Metadata) -> bool {
    use std::io::Read as _;
    let mut start = Vec::new();
    let read = fs_err::File::open(path).and_then(|file| file.take(4).read_to_end(&mut start));
    read.is_ok() && [&b"MZ"[..], b"\x7fELF", b"#!"].iter().any(|magic| start.starts_with(magic))
}

/// What a file is that is neither a file, a folder nor a link: nothing is.
#[must_use]
pub fn oddity(_: &std::fs::Metadata) -> Option<crate::host::os::Oddity> {
    None
}

/// Makes a name that leads to another: a file that says so. The name must be free.
pub fn lead(name: &str, target: &str) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
    let mut file = std::fs::File::from(open(name, flags, Mode::from_raw_mode(0o644))?);
    // The new name is only as good as what stands in it.
    let written = writeln!(file, "{LEADS}{target}").and_then(|()| file.sync_all());
    written.map_err(|error| Errno::of(error.raw_os_error().map_or(0, i32::cast_unsigned)))
}

/// Where a name leads that [`lead`] made; `INVAL`: it is something else.
pub fn leads_to(name: &str) -> Result<String, Errno> {
    use std::io::Read as _;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW;
    let opened = match open(name, flags, Mode::empty()) {
        Err(Errno::LOOP) => return Err(Errno::INVAL),
        opened => opened?,
    };
    if FileType::from_raw_mode(fstat(&opened)?.st_mode) != FileType::RegularFile {
        return Err(Errno::INVAL);
    }
    let mut text = String::new();
    let read = std::fs::File::from(opened).take(LONGEST).read_to_string(&mut text);
    let target = text.strip_prefix(LEADS).and_then(|target| target.strip_suffix('\n'));
    match (read, target) {
        (Ok(_), Some(target)) => Ok(target.to_owned()),
        _ => Err(Errno::INVAL),
    }
}

/// Forces what is open to the disk. Of a folder, as far as the file system does that.
pub fn fsync(opened: impl AsFd) -> Result<(), Errno> {
    let opened = opened.as_fd();
    if FileType::from_raw_mode(fstat(opened)?.st_mode) == FileType::Directory {
        return sync_folder(opened);
    }
    flush(again(opened, FILE_WRITE_DATA)?.as_fd())
}

/// Forces the names in a folder to the disk, as far as the file system does that: its own journal keeps their order.
pub fn sync_names(folder: impl AsFd) -> std::io::Result<()> {
    Ok(sync_folder(folder.as_fd())?)
}

fn sync_folder(folder: BorrowedFd<'_>) -> Result<(), Errno> {
    match again(folder, FILE_ADD_FILE).and_then(|opened| flush(opened.as_fd())) {
        Err(Errno::ACCESS | Errno::NOTSUP | Errno::NOSYS | Errno::INVAL | Errno::ISDIR) => Ok(()),
        outcome => outcome,
    }
}

fn flush(opened: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: the handle is open.
    if unsafe { FlushFileBuffers(opened.as_raw_handle()) } == 0 { Err(Errno::last()) } else { Ok(()) }
}

/// Lets others read a file that is about to be made: it has the rights of its folder.
pub fn share(_: &mut tempfile::Builder<'_, '_>) {}

/// Forces a file of a folder to the disk, also one that nobody may write.
pub fn sync_at(folder: impl AsFd, name: &CStr) -> std::io::Result<()> {
    let folder = folder.as_fd();
    let opened = openat(folder, name, OFlags::RDONLY | OFlags::NOFOLLOW, Mode::empty())?;
    let mode = Mode::from_raw_mode(fstat(&opened)?.st_mode);
    if mode.contains(Mode::WUSR) {
        return Ok(fsync(&opened)?);
    }
    // Who may force it has to be able to write it: for that moment it may be written.
    let open = mode | Mode::WUSR;
    let marked = again(opened.as_fd(), FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES)?;
    fchmod(&marked, open)?;
    let forced = fsync(&opened);
    fchmod(&marked, mode)?;
    Ok(forced?)
}

/// Forces everything below a folder to the disk.
pub fn syncfs(folder: impl AsFd) -> Result<(), Errno> {
    let folder = folder.as_fd();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        match FileType::from_raw_mode(statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode) {
            FileType::Directory => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
                syncfs(openat(folder, name, flags, Mode::empty())?)?;
            }
            FileType::RegularFile => sync_at(folder, name)
                .map_err(|error| Errno::of(error.raw_os_error().map_or(0, i32::cast_unsigned)))?,
            _ => {}
        }
    }
    sync_folder(folder)
}

/// How a file's room is taken.
#[derive(Clone, Copy, Debug)]
pub struct FallocateFlags;

impl FallocateFlags {
    /// As it is.
    #[must_use]
    pub const fn empty() -> Self {
        Self
    }
}

/// Takes the room for so many bytes, with nothing in it.
pub fn fallocate(file: impl AsFd, _: FallocateFlags, at: u64, length: u64) -> Result<(), Errno> {
    ftruncate(file, at + length)
}

/// Sets the length of a file.
pub fn ftruncate(file: impl AsFd, length: u64) -> Result<(), Errno> {
    tell(file.as_fd(), FileEndOfFileInformation, &[length], 8)
}

/// A place in a file.
#[derive(Clone, Copy, Debug)]
pub enum SeekFrom {
    /// The next bytes that were written.
    Data(u64),
    /// The next that were not.
    Hole(u64),
}

/// Where something begins in a file: the system tells it in another way, and a copy does without.
pub fn seek(_: impl AsFd, _: SeekFrom) -> Result<u64, Errno> {
    Err(Errno::INVAL)
}

/// Lets two files share their bytes, which only few file systems do here.
pub fn ioctl_ficlone(_: impl AsFd, _: impl AsFd) -> Result<(), Errno> {
    Err(Errno::NOTSUP)
}

/// Makes a file that shares the bytes of another one, and says whether it could.
pub fn clone_to(_: impl AsFd, _: impl AsFd, _: &CStr) -> Result<bool, Errno> {
    Ok(false)
}

/// Whether a file of that folder could share its bytes with this one.
#[must_use]
pub fn can_clone(_: impl AsFd, _: &Path) -> bool {
    false
}

/// The mount that holds a name in a folder: here the volume says so already.
#[must_use]
pub fn mount_of(_: impl AsFd, _: &CStr) -> Option<u64> {
    None
}

/// Begins to write back what was written so far: no call does so for a whole file system.
pub fn begin_sync(_: impl AsFd) {}

/// Copies within the kernel, which it does not offer for open files.
pub fn copy_file_range(
    _: impl AsFd,
    _: Option<&mut u64>,
    _: impl AsFd,
    _: Option<&mut u64>,
    _: usize,
) -> Result<usize, Errno> {
    Err(Errno::NOSYS)
}

/// A path as somebody would type it, and as it can be joined to others: in a verbatim one a stroke is no separator.
#[must_use]
pub fn as_typed(path: camino::Utf8PathBuf) -> camino::Utf8PathBuf {
    let text = path.as_str();
    if let Some(share) = text.strip_prefix(r"\\?\UNC\") {
        return format!(r"\\{share}").into();
    }
    match text.strip_prefix(r"\\?\") {
        Some(rest) if rest.as_bytes().get(1) == Some(&b':') => rest.to_owned().into(),
        _ => path,
    }
}

/// How a program's file may be spelled that is called so: with an ending that says what it is.
pub fn spelled(path: camino::Utf8PathBuf) -> impl Iterator<Item = camino::Utf8PathBuf> {
    let has_ending = path.extension().is_some();
    let endings = ["", ".exe", ".com", ".bat", ".cmd"].into_iter().filter(move |ending| {
        // A name without one is no program.
        !ending.is_empty() || has_ending
    });
    endings.map(move |ending| format!("{path}{ending}").into())
}
