//! Names that are given and taken away, and what is said of a file.

use std::os::windows::io::AsRawHandle as _;

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_DIRECTORY_FILE, FILE_DISPOSITION_DELETE, FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE,
    FILE_DISPOSITION_POSIX_SEMANTICS, FILE_INFORMATION_CLASS, FILE_RENAME_IGNORE_READONLY_ATTRIBUTE,
    FILE_RENAME_POSIX_SEMANTICS, FILE_RENAME_REPLACE_IF_EXISTS, FileBasicInformation,
    FileDispositionInformation, FileDispositionInformationEx, FileLinkInformation, FileRenameInformation,
    FileRenameInformationEx,
};
use windows_sys::Win32::Foundation::{ERROR_CALL_NOT_IMPLEMENTED, ERROR_INVALID_LEVEL};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_NORMAL, FILE_ATTRIBUTE_READONLY,
    FILE_ATTRIBUTE_TEMPORARY, FILE_BASIC_INFO, FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES, FileBasicInfo,
};

use super::flags::{AtFlags, Mode, RenameFlags};
use super::information::{information, tell};
use super::look::{self, Reparse};
use super::name::{self, Arg};
use super::open::{Request, again, ask};
use super::patience::{named_patiently, patiently};
use super::{AsFd, BorrowedFd, Errno, OwnedFd, security};

/// Whether the system or the file system does not know what was asked, and an older way has to do.
fn is_unknown(errno: Errno) -> bool {
    let unknown = [ERROR_CALL_NOT_IMPLEMENTED, ERROR_INVALID_LEVEL];
    matches!(errno, Errno::INVAL | Errno::NOTSUP | Errno::NOSYS) || unknown.map(Errno::of).contains(&errno)
}

fn source(folder: BorrowedFd<'_>, name: &[u16], access: u32) -> Result<OwnedFd, Errno> {
    ask(folder, name, Request::of(access | FILE_READ_ATTRIBUTES))
}

/// The kernel's structure for a new name: flags, the folder, the length of the name and the name.
fn naming(flags: u32, folder: BorrowedFd<'_>, name: &[u16]) -> (Vec<u64>, usize) {
    let bytes = name.len() * 2;
    let mut words = vec![0_u64; 3 + bytes.div_ceil(8) + 1];
    words[0] = flags.into();
    words[1] = folder.as_raw_handle() as u64;
    words[2] = u64::try_from(bytes).unwrap_or_default();
    // The name begins in the upper half of the third word: its length has 32 bits.
    for (index, unit) in name.iter().enumerate() {
        let at = 2 + index;
        words[2 + at / 4] |= u64::from(*unit) << (16 * (at % 4));
    }
    // The structure itself is never shorter than with one unit and what fills it up.
    (words, (20 + bytes).max(24))
}

/// Gives a name to an open file.
fn name_it(
    opened: BorrowedFd<'_>,
    class: FILE_INFORMATION_CLASS,
    flags: u32,
    (folder, name): (BorrowedFd<'_>, &[u16]),
) -> Result<(), Errno> {
    let (words, length) = naming(flags, folder, name);
    tell(opened, class, &words, length)
}

/// Renames; a name that is taken is replaced.
pub fn renameat(from: impl AsFd, old: impl Arg, to: impl AsFd, new: impl Arg) -> Result<(), Errno> {
    renamed((from.as_fd(), &old), (to.as_fd(), &new), true)
}

/// Renames, and says what is to become of a name that is taken.
pub fn renameat_with(
    from: impl AsFd,
    old: impl Arg,
    to: impl AsFd,
    new: impl Arg,
    flags: RenameFlags,
) -> Result<(), Errno> {
    if flags.contains(RenameFlags::EXCHANGE) {
        return Err(Errno::NOSYS);
    }
    renamed((from.as_fd(), &old), (to.as_fd(), &new), !flags.contains(RenameFlags::NOREPLACE))
}

/// Renames a path; a name that is taken is replaced.
pub fn rename(from: impl Arg, to: impl Arg) -> Result<(), Errno> {
    renameat(super::fs::CWD, from, super::fs::CWD, to)
}

fn renamed(
    (from, old): (BorrowedFd<'_>, &dyn Arg),
    (to, new): (BorrowedFd<'_>, &dyn Arg),
    replaces: bool,
) -> Result<(), Errno> {
    let (old, new) = (name::of_kernel(from, old)?, name::of_kernel(to, new)?);
    let kept = if replaces { FILE_RENAME_REPLACE_IF_EXISTS } else { 0 };
    // Whoever has the old file open keeps it: so a file in use is replaced all the same.
    let flags = kept | FILE_RENAME_POSIX_SEMANTICS | FILE_RENAME_IGNORE_READONLY_ATTRIBUTE;
    let opened = patiently(|| source(from, &old, DELETE))?;
    named_patiently(|| {
        match name_it(opened.as_fd(), FileRenameInformationEx, flags, (to, &new)) {
            Err(errno) if is_unknown(errno) => {}
            outcome => return outcome,
        }
        match name_it(opened.as_fd(), FileRenameInformation, kept, (to, &new)) {
            Err(Errno::ACCESS) if replaces => {
                let was_closed = make_writable(to, &new)?;
                let named = name_it(opened.as_fd(), FileRenameInformation, kept, (to, &new));
                if named.is_err() && was_closed {
                    // What stays is as closed as before.
                    let _ = close(to, &new);
                }
                named
            }
            outcome => outcome,
        }
    })
}

/// Takes the mark from a file by which nobody may write it, remove it or put another in its place. Says whether it had it.
fn make_writable(folder: BorrowedFd<'_>, name: &[u16]) -> Result<bool, Errno> {
    let opened = source(folder, name, FILE_WRITE_ATTRIBUTES)?;
    set_read_only(opened.as_fd(), false)
}

fn close(folder: BorrowedFd<'_>, name: &[u16]) -> Result<bool, Errno> {
    set_read_only(source(folder, name, FILE_WRITE_ATTRIBUTES)?.as_fd(), true)
}

/// Takes the mark from a file by which it is one for a moment only, which whoever copies files goes by.
pub(super) fn make_lasting(opened: BorrowedFd<'_>) -> Result<(), Errno> {
    let opened = again(opened, FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES)?;
    mark(opened.as_fd(), FILE_ATTRIBUTE_TEMPORARY, false).map(drop)
}

fn set_read_only(opened: BorrowedFd<'_>, wanted: bool) -> Result<bool, Errno> {
    mark(opened, FILE_ATTRIBUTE_READONLY, wanted)
}

/// Says whether the mark was another one.
fn mark(opened: BorrowedFd<'_>, which: u32, wanted: bool) -> Result<bool, Errno> {
    let found: FILE_BASIC_INFO = information(opened, FileBasicInfo)?;
    let without = found.FileAttributes & !which & !FILE_ATTRIBUTE_NORMAL;
    let with = if wanted { without | which } else { without };
    // None at all would mean that they stay as they are.
    let attributes = if with == 0 { FILE_ATTRIBUTE_NORMAL } else { with };
    if found.FileAttributes == attributes {
        return Ok(false);
    }
    // Times of zero stay as they are.
    tell(opened, FileBasicInformation, &[0, 0, 0, 0, attributes.into()], 40).map(|()| true)
}

/// Gives a file another name; the new one has to be free.
pub fn linkat(from: impl AsFd, old: impl Arg, to: impl AsFd, new: impl Arg, _: AtFlags) -> Result<(), Errno> {
    let (from, to) = (from.as_fd(), to.as_fd());
    let (old, new) = (name::of_kernel(from, &old)?, name::of_kernel(to, &new)?);
    let opened = patiently(|| source(from, &old, FILE_WRITE_ATTRIBUTES))?;
    named_patiently(|| name_it(opened.as_fd(), FileLinkInformation, 0, (to, &new)))
}

/// Removes a name: of a file, of a link itself, or of an empty folder.
pub fn unlinkat(folder: impl AsFd, name: impl Arg, flags: AtFlags) -> Result<(), Errno> {
    let folder = folder.as_fd();
    let name = name::of_kernel(folder, &name)?;
    let wants_folder = flags.contains(AtFlags::REMOVEDIR);
    let request = Request::of(DELETE | FILE_READ_ATTRIBUTES);
    let options = request.options | if wants_folder { FILE_DIRECTORY_FILE } else { 0 };
    let opened = patiently(|| ask(folder, &name, Request { options, ..request }))?;
    let opened = opened.as_fd();
    let found: FILE_BASIC_INFO = information(opened, FileBasicInfo)?;
    let is_folder = found.FileAttributes & FILE_ATTRIBUTE_DIRECTORY != 0;
    if !wants_folder && is_folder && look::reparse(opened)? != Reparse::Link {
        return Err(Errno::ISDIR);
    }
    named_patiently(|| {
        let all = FILE_DISPOSITION_DELETE
            | FILE_DISPOSITION_POSIX_SEMANTICS
            | FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE;
        match tell(opened, FileDispositionInformationEx, &[all.into()], 4) {
            Err(errno) if is_unknown(errno) => {}
            outcome => return outcome,
        }
        if found.FileAttributes & FILE_ATTRIBUTE_READONLY == 0 {
            return tell(opened, FileDispositionInformation, &[1], 1);
        }
        // The mark belongs to the file and not to the name: whoever has it by another name keeps it.
        let marked = again(opened, FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES)?;
        set_read_only(marked.as_fd(), false)?;
        let gone = tell(opened, FileDispositionInformation, &[1], 1);
        set_read_only(marked.as_fd(), true)?;
        gone
    })
}

/// Removes the name of a file.
pub fn unlink(path: impl Arg) -> Result<(), Errno> {
    unlinkat(super::fs::CWD, path, AtFlags::empty())
}

/// Sets the mode, as far as there is one: who may not write marks a file so, and what is closed to others has a list of
/// rights of its own.
pub fn fchmod(opened: impl AsFd, mode: Mode) -> Result<(), Errno> {
    let opened = opened.as_fd();
    let found: FILE_BASIC_INFO = information(opened, FileBasicInfo)?;
    let is_folder = found.FileAttributes & FILE_ATTRIBUTE_DIRECTORY != 0;
    security::set_mode(opened, mode, is_folder)?;
    let writable = mode.contains(Mode::WUSR);
    if !is_folder && (found.FileAttributes & FILE_ATTRIBUTE_READONLY == 0) != writable {
        set_read_only(again(opened, FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES)?.as_fd(), !writable)?;
    }
    Ok(())
}

/// Times, by the names of POSIX.
#[derive(Clone, Copy, Debug)]
pub struct Timespec {
    /// Seconds.
    pub tv_sec: i64,
    /// Nanoseconds.
    pub tv_nsec: i64,
}

/// When a file was last read and changed.
#[derive(Clone, Copy, Debug)]
pub struct Timestamps {
    /// Read.
    pub last_access: Timespec,
    /// Changed.
    pub last_modification: Timespec,
}

/// Sets the times.
pub fn futimens(opened: impl AsFd, times: &Timestamps) -> Result<(), Errno> {
    let opened = again(opened.as_fd(), FILE_WRITE_ATTRIBUTES)?;
    let units = |time: Timespec| look::units(time.tv_sec, time.tv_nsec).cast_unsigned();
    let words = [0, units(times.last_access), units(times.last_modification), 0, 0];
    tell(opened.as_fd(), FileBasicInformation, &words, 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_stands_where_the_kernel_looks_for_it() {
        let name: Vec<u16> = "ab\u{e9}cdefg".encode_utf16().collect();
        let (words, length) = naming(3, crate::host::os::fs::CWD, &name);
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!((bytes[0], length), (3, 36));
        assert_eq!(bytes[16..20], 16_u32.to_le_bytes());
        let read: Vec<u16> =
            bytes[20..36].chunks(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
        assert_eq!(read, name);
    }
}
