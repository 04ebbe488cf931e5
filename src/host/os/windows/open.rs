//! Opening and making, relative to an open folder.

use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr::null;

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_CREATE, FILE_DIRECTORY_FILE, FILE_OPEN, FILE_OPEN_IF, FILE_OPEN_REPARSE_POINT, FILE_OVERWRITE,
    FILE_OVERWRITE_IF, FILE_SYNCHRONOUS_IO_NONALERT, NtCreateFile,
};
use windows_sys::Win32::Foundation::{OBJ_CASE_INSENSITIVE, UNICODE_STRING};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_APPEND_DATA, FILE_ATTRIBUTE_NORMAL, FILE_ATTRIBUTE_READONLY, FILE_GENERIC_READ, FILE_GENERIC_WRITE,
    FILE_READ_ATTRIBUTES, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_TRAVERSE,
    FILE_WRITE_DATA, READ_CONTROL, SYNCHRONIZE,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use super::flags::{Mode, OFlags};
use super::name::{self, Arg};
use super::patience::patiently;
use super::security::Descriptor;
use super::{AsFd, BorrowedFd, Errno, OwnedFd, look};

/// How the kernel is asked for a file.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    /// For what.
    pub(super) access: u32,
    /// Whether it is made.
    pub(super) disposition: u32,
    /// Of what kind it has to be, and whether a link is followed.
    pub(super) options: u32,
    /// What it is when it is made.
    pub(super) attributes: u32,
    /// Who may use it when it is made; else its folder says so.
    pub(super) security: Option<&'a Descriptor>,
}

impl Request<'_> {
    /// For something that is there; a link is meant itself.
    pub(super) fn of(access: u32) -> Self {
        Self {
            access: access | SYNCHRONIZE,
            disposition: FILE_OPEN,
            options: FILE_OPEN_REPARSE_POINT,
            attributes: FILE_ATTRIBUTE_NORMAL,
            security: None,
        }
    }
}

/// Asks the kernel once.
pub(super) fn ask(folder: BorrowedFd<'_>, name: &[u16], request: Request<'_>) -> Result<OwnedFd, Errno> {
    let bytes = u16::try_from(name.len() * 2).map_err(|_| Errno::INVAL)?;
    let object_name =
        UNICODE_STRING { Length: bytes, MaximumLength: bytes, Buffer: name.as_ptr().cast_mut() };
    let object = OBJECT_ATTRIBUTES {
        Length: u32::try_from(size_of::<OBJECT_ATTRIBUTES>()).unwrap_or_default(),
        RootDirectory: folder.as_raw_handle(),
        ObjectName: &raw const object_name,
        Attributes: OBJ_CASE_INSENSITIVE,
        SecurityDescriptor: request.security.map_or(null(), |security| security.pointer().cast()),
        SecurityQualityOfService: null(),
    };
    let mut handle = std::ptr::null_mut();
    let mut status = IO_STATUS_BLOCK::default();
    // SAFETY: all that is pointed to lives until the call has returned, with the lengths that are said; what is
    // written is a handle and a status. The folder is open, or null, which stands for none.
    let answer = unsafe {
        NtCreateFile(
            &raw mut handle,
            request.access,
            &raw const object,
            &raw mut status,
            null(),
            request.attributes,
            FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
            request.disposition,
            request.options | FILE_SYNCHRONOUS_IO_NONALERT,
            null(),
            0,
        )
    };
    Errno::check(answer)?;
    // SAFETY: the call did as asked, so the handle is open, and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Opens what is already open once more, for something else.
pub(super) fn again(opened: BorrowedFd<'_>, access: u32) -> Result<OwnedFd, Errno> {
    patiently(|| ask(opened, &[], Request::of(access)))
}

/// Opens a name in a folder, or makes it. Who has it open for a moment is waited for.
pub fn openat(folder: impl AsFd, name: impl Arg, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let folder = folder.as_fd();
    let name = name::of_kernel(folder, &name)?;
    let makes = flags.contains(OFlags::CREATE);
    let truncates = flags.contains(OFlags::TRUNC);
    let disposition = match (makes, flags.contains(OFlags::EXCL), truncates) {
        (true, true, _) => FILE_CREATE,
        (true, false, true) => FILE_OVERWRITE_IF,
        (true, false, false) => FILE_OPEN_IF,
        (false, _, true) => FILE_OVERWRITE,
        (false, _, false) => FILE_OPEN,
    };
    let private = if makes { Descriptor::of_mode(mode, false)? } else { None };
    let follows = !flags.contains(OFlags::NOFOLLOW);
    let request = Request {
        access: access(flags),
        disposition,
        options: if follows { 0 } else { FILE_OPEN_REPARSE_POINT }
            | if flags.contains(OFlags::DIRECTORY) { FILE_DIRECTORY_FILE } else { 0 },
        attributes: if makes { attributes(mode) } else { FILE_ATTRIBUTE_NORMAL },
        security: private.as_ref(),
    };
    let opened = patiently(|| ask(folder, &name, request))?;
    if follows {
        return Ok(opened);
    }
    match look::reparse(opened.as_fd())? {
        look::Reparse::None => Ok(opened),
        look::Reparse::Link => Err(Errno::LOOP),
        // A file whose bytes lie elsewhere, in a cloud or a store without duplicates, leads nowhere.
        look::Reparse::Placeholder => {
            let request = Request { options: request.options & !FILE_OPEN_REPARSE_POINT, ..request };
            patiently(|| ask(folder, &name, Request { disposition: FILE_OPEN, ..request }))
        }
    }
}

/// Opens a path, or makes it.
pub fn open(path: impl Arg, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    openat(super::fs::CWD, path, flags, mode)
}

/// Makes a folder.
pub fn mkdirat(folder: impl AsFd, name: impl Arg, mode: Mode) -> Result<(), Errno> {
    let folder = folder.as_fd();
    let name = name::of_kernel(folder, &name)?;
    // From its beginning, because what others make in it meanwhile stays theirs.
    let private = match Descriptor::of_mode(mode, true)? {
        Some(private) => Some(private),
        None => Descriptor::closed_to_writers(parent(folder, &name)?.as_fd())?,
    };
    let request = Request {
        access: FILE_READ_ATTRIBUTES | SYNCHRONIZE,
        disposition: FILE_CREATE,
        options: FILE_DIRECTORY_FILE | FILE_OPEN_REPARSE_POINT,
        attributes: FILE_ATTRIBUTE_NORMAL,
        security: private.as_ref(),
    };
    patiently(|| ask(folder, &name, request)).map(drop)
}

/// The folder of a name.
fn parent(folder: BorrowedFd<'_>, name: &[u16]) -> Result<OwnedFd, Errno> {
    let end = name.iter().rposition(|word| *word == u16::from(b'\\')).unwrap_or(0);
    let request = Request { options: FILE_DIRECTORY_FILE, ..Request::of(READ_CONTROL) };
    patiently(|| ask(folder, name.get(..end).unwrap_or_default(), request))
}

fn access(flags: OFlags) -> u32 {
    let writes = if flags.contains(OFlags::APPEND) {
        FILE_GENERIC_WRITE & !FILE_WRITE_DATA | FILE_APPEND_DATA
    } else {
        FILE_GENERIC_WRITE
    };
    let wanted = match (flags.contains(OFlags::WRONLY), flags.contains(OFlags::RDWR)) {
        (true, _) => writes | FILE_READ_ATTRIBUTES,
        (_, true) => writes | FILE_GENERIC_READ,
        _ => FILE_GENERIC_READ,
    };
    wanted | if flags.contains(OFlags::DIRECTORY) { FILE_TRAVERSE } else { 0 }
}

fn attributes(mode: Mode) -> u32 {
    if mode.contains(Mode::WUSR) { FILE_ATTRIBUTE_NORMAL } else { FILE_ATTRIBUTE_READONLY }
}
