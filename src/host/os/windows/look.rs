//! Looking at files and folders.

use std::ffi::{CStr, CString};
use std::os::windows::io::AsRawHandle as _;

use windows_sys::Win32::Foundation::{ERROR_FILE_NOT_FOUND, ERROR_NO_MORE_FILES, FILETIME, GetLastError};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_READONLY,
    FILE_ATTRIBUTE_REPARSE_POINT, FILE_ATTRIBUTE_TAG_INFO, FILE_ID_BOTH_DIR_INFO, FILE_READ_ATTRIBUTES,
    FILE_STANDARD_INFO, FileAttributeTagInfo, FileIdBothDirectoryInfo, FileIdBothDirectoryRestartInfo,
    FileStandardInfo, GetDiskFreeSpaceExW, GetFileInformationByHandle, GetFileInformationByHandleEx,
    GetFinalPathNameByHandleW, READ_CONTROL,
};

use super::flags::{AtFlags, FileType, RawMode};
use super::information::information;
use super::name::{self, Arg};
use super::open::{Request, ask};
use super::patience::patiently;
use super::{AsFd, BorrowedFd, Errno, security};

/// From the system's first second (1601) to that of POSIX (1970), in its units of 100 ns.
const EPOCH: i64 = 116_444_736_000_000_000;
/// A link or junction: something that stands for another name, and not for its own bytes.
const SURROGATE: u32 = 0x2000_0000;
/// How much of a folder's list is asked for at once, in bytes.
const LIST: usize = 64 << 10;

/// What is to be known of a file, by the names of POSIX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The volume.
    pub st_dev: u64,
    /// The number on it.
    pub st_ino: u64,
    /// The kind, and what the owner and others may do: the latter by the list of rights.
    pub st_mode: RawMode,
    /// How many names it has.
    pub st_nlink: u64,
    /// The owner's number.
    pub st_uid: u32,
    /// The same: there are no groups.
    pub st_gid: u32,
    /// The size in bytes.
    pub st_size: i64,
    /// The room that it takes, in units of 512 bytes.
    pub st_blocks: i64,
    /// When it was last read, in seconds.
    pub st_atime: i64,
    /// And the part of a second, in nanoseconds.
    pub st_atime_nsec: u64,
    /// When it was last changed, in seconds.
    pub st_mtime: i64,
    /// And the part of a second, in nanoseconds.
    pub st_mtime_nsec: u64,
}

/// Whether what was opened stands for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reparse {
    /// It is what it is.
    None,
    /// It is a link or a junction.
    Link,
    /// Its bytes lie elsewhere, and it leads nowhere.
    Placeholder,
}

pub(super) fn reparse(opened: BorrowedFd<'_>) -> Result<Reparse, Errno> {
    let found: FILE_ATTRIBUTE_TAG_INFO = information(opened, FileAttributeTagInfo)?;
    if found.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT == 0 {
        return Ok(Reparse::None);
    }
    Ok(if found.ReparseTag & SURROGATE == 0 { Reparse::Placeholder } else { Reparse::Link })
}

/// What is to be known of an open file or folder.
pub fn fstat(opened: impl AsFd) -> Result<Stat, Errno> {
    let opened = opened.as_fd();
    let mut found = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open, and the structure is the one that is written.
    if unsafe { GetFileInformationByHandle(opened.as_raw_handle(), &raw mut found) } == 0 {
        return Err(Errno::last());
    }
    let standard: FILE_STANDARD_INFO = information(opened, FileStandardInfo)?;
    let is = |attribute: u32| found.dwFileAttributes & attribute != 0;
    let kind = if is(FILE_ATTRIBUTE_REPARSE_POINT) && reparse(opened)? == Reparse::Link {
        FileType::Symlink
    } else if is(FILE_ATTRIBUTE_DIRECTORY) {
        FileType::Directory
    } else {
        FileType::RegularFile
    };
    let closed = if is(FILE_ATTRIBUTE_READONLY) && kind == FileType::RegularFile { 0o222 } else { 0 };
    let who = security::who(opened);
    let closed = if kind == FileType::Directory { closed } else { closed | 0o1000 };
    let (atime, atime_nsec) = time(found.ftLastAccessTime);
    let (mtime, mtime_nsec) = time(found.ftLastWriteTime);
    let wide = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
    Ok(Stat {
        st_dev: found.dwVolumeSerialNumber.into(),
        st_ino: wide(found.nFileIndexHigh, found.nFileIndexLow),
        st_mode: kind.bits() | ((0o700 | who.others) & !closed),
        st_nlink: found.nNumberOfLinks.into(),
        st_uid: who.owner,
        st_gid: who.owner,
        st_size: i64::try_from(wide(found.nFileSizeHigh, found.nFileSizeLow)).unwrap_or(i64::MAX),
        st_blocks: (standard.AllocationSize + 511) / 512,
        st_atime: atime,
        st_atime_nsec: atime_nsec,
        st_mtime: mtime,
        st_mtime_nsec: mtime_nsec,
    })
}

fn time(found: FILETIME) -> (i64, u64) {
    let units = i64::from(found.dwHighDateTime) << 32 | i64::from(found.dwLowDateTime);
    let since = units - EPOCH;
    (since.div_euclid(10_000_000), u64::try_from(since.rem_euclid(10_000_000) * 100).unwrap_or_default())
}

/// A moment of POSIX, in the system's units.
pub(super) fn units(seconds: i64, nanoseconds: i64) -> i64 {
    seconds.saturating_mul(10_000_000).saturating_add(nanoseconds / 100).saturating_add(EPOCH)
}

/// What is to be known of a name in a folder.
pub fn statat(folder: impl AsFd, name: impl Arg, flags: AtFlags) -> Result<Stat, Errno> {
    let folder = folder.as_fd();
    let name = name::of_kernel(folder, &name)?;
    let options = if flags.contains(AtFlags::SYMLINK_NOFOLLOW) { Request::of(0).options } else { 0 };
    let open = |access| ask(folder, &name, Request { options, ..Request::of(access) });
    let opened = patiently(|| match open(FILE_READ_ATTRIBUTES | READ_CONTROL) {
        // Who owns it is then not known, and nobody's number stands for it.
        Err(Errno::ACCESS) => open(FILE_READ_ATTRIBUTES),
        opened => opened,
    })?;
    fstat(opened)
}

/// What is to be known of a path; a link is meant itself.
pub fn lstat(path: impl Arg) -> Result<Stat, Errno> {
    statat(super::fs::CWD, path, AtFlags::SYMLINK_NOFOLLOW)
}

/// What is to be known of a path; links are followed.
pub fn stat(path: impl Arg) -> Result<Stat, Errno> {
    statat(super::fs::CWD, path, AtFlags::empty())
}

/// The list of a folder, read at once.
#[derive(Debug)]
pub struct Dir {
    entries: std::vec::IntoIter<DirEntry>,
}

/// A name in a folder.
#[derive(Clone, Debug)]
pub struct DirEntry {
    name: CString,
    kind: FileType,
}

impl DirEntry {
    /// The name.
    #[must_use]
    pub fn file_name(&self) -> &CStr {
        &self.name
    }

    /// What it stands for, as far as the list says it.
    #[must_use]
    pub fn file_type(&self) -> FileType {
        self.kind
    }
}

impl Dir {
    /// Lists an open folder.
    pub fn read_from(folder: impl AsFd) -> Result<Self, Errno> {
        let folder = folder.as_fd();
        let mut entries = Vec::new();
        // The kernel writes structures of 64-bit numbers.
        let mut buffer = vec![0_u64; LIST / 8];
        let mut class = FileIdBothDirectoryRestartInfo;
        loop {
            let length = u32::try_from(buffer.len() * 8).unwrap_or(u32::MAX);
            // SAFETY: the handle is open, and the buffer is as long as is said.
            let listed = unsafe {
                GetFileInformationByHandleEx(
                    folder.as_raw_handle(),
                    class,
                    buffer.as_mut_ptr().cast(),
                    length,
                )
            };
            if listed == 0 {
                // SAFETY: it only reads a number of this thread.
                return match unsafe { GetLastError() } {
                    // Of an empty folder without even dots, as of a volume, the first answer is that nothing is found.
                    ERROR_NO_MORE_FILES | ERROR_FILE_NOT_FOUND => Ok(Self { entries: entries.into_iter() }),
                    other => Err(Errno::of(other)),
                };
            }
            collect(&buffer, &mut entries);
            class = FileIdBothDirectoryInfo;
        }
    }
}

/// Takes the names out of a list of the kernel's.
fn collect(buffer: &[u64], entries: &mut Vec<DirEntry>) {
    const NAME: usize = std::mem::offset_of!(FILE_ID_BOTH_DIR_INFO, FileName);
    // SAFETY: every byte of the buffer was written, by the kernel or before, and any byte is a value.
    let bytes = unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), size_of_val(buffer)) };
    let number = |at: usize| {
        let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        u32::from_le_bytes(bytes.unwrap_or_default())
    };
    let mut at = 0;
    loop {
        let field = |offset: usize| number(at + offset);
        let length = field(std::mem::offset_of!(FILE_ID_BOTH_DIR_INFO, FileNameLength)) as usize;
        let name = bytes.get(at + NAME..at + NAME + length).unwrap_or_default();
        let units: Vec<u16> =
            name.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
        let attributes = field(std::mem::offset_of!(FILE_ID_BOTH_DIR_INFO, FileAttributes));
        let kind = if attributes & FILE_ATTRIBUTE_REPARSE_POINT != 0 {
            FileType::Unknown
        } else if attributes & FILE_ATTRIBUTE_DIRECTORY != 0 {
            FileType::Directory
        } else {
            FileType::RegularFile
        };
        entries.push(DirEntry { name: name::listed(&units), kind });
        match field(std::mem::offset_of!(FILE_ID_BOTH_DIR_INFO, NextEntryOffset)) as usize {
            0 => return,
            next => at += next,
        }
    }
}

impl Iterator for Dir {
    type Item = Result<DirEntry, Errno>;

    fn next(&mut self) -> Option<Self::Item> {
        self.entries.next().map(Ok)
    }
}

/// The room of a file system, by the names of POSIX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatVfs {
    /// The bytes that this account can still write.
    pub f_bavail: u64,
    /// The size in bytes.
    pub f_blocks: u64,
    /// What both are counted in.
    pub f_frsize: u64,
    /// How many files it can hold: it has no such limit.
    pub f_files: u64,
    /// How many more it takes.
    pub f_favail: u64,
}

/// The room of the volume of an open folder.
pub fn fstatvfs(folder: impl AsFd) -> Result<StatVfs, Errno> {
    let folder = folder.as_fd();
    let mut path = vec![0_u16; 32 << 10];
    let most = u32::try_from(path.len()).unwrap_or(u32::MAX);
    // SAFETY: the handle is open, and the buffer is as long as is said.
    let length = unsafe { GetFinalPathNameByHandleW(folder.as_raw_handle(), path.as_mut_ptr(), most, 0) };
    if length == 0 || length >= most {
        return Err(Errno::last());
    }
    room(&path)
}

/// The room of the volume of a path.
pub fn statvfs(path: &str) -> Result<StatVfs, Errno> {
    room(&name::terminated(path))
}

fn room(path: &[u16]) -> Result<StatVfs, Errno> {
    let (mut available, mut size) = (0, 0);
    // SAFETY: the path ends with a zero, and what is written are two numbers.
    let found = unsafe {
        GetDiskFreeSpaceExW(path.as_ptr(), &raw mut available, &raw mut size, std::ptr::null_mut())
    };
    if found == 0 {
        return Err(Errno::last());
    }
    Ok(StatVfs { f_bavail: available, f_blocks: size, f_frsize: 1, f_files: 0, f_favail: 0 })
}
