//! What the system tells of an open file, and is told of it, in structures of its own.

use std::os::windows::io::AsRawHandle as _;

use windows_sys::Wdk::Storage::FileSystem::{FILE_INFORMATION_CLASS, NtSetInformationFile};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_TAG_INFO, FILE_BASIC_INFO, FILE_INFO_BY_HANDLE_CLASS, FILE_STANDARD_INFO,
    GetFileInformationByHandleEx,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use super::{BorrowedFd, Errno};

/// A structure of numbers alone, of which any bytes are a value.
pub(super) trait Numbers: Default {}

impl Numbers for FILE_ATTRIBUTE_TAG_INFO {}
impl Numbers for FILE_BASIC_INFO {}
impl Numbers for FILE_STANDARD_INFO {}

/// Asks for a structure; the class has to be its own.
pub(super) fn information<T: Numbers>(
    opened: BorrowedFd<'_>,
    class: FILE_INFO_BY_HANDLE_CLASS,
) -> Result<T, Errno> {
    let mut found = T::default();
    let length = u32::try_from(size_of::<T>()).unwrap_or_default();
    // SAFETY: the handle is open, and no more is written than the structure is long; it is one of numbers alone.
    let answer = unsafe {
        GetFileInformationByHandleEx(opened.as_raw_handle(), class, (&raw mut found).cast(), length)
    };
    if answer == 0 { Err(Errno::last()) } else { Ok(found) }
}

/// Tells something of an open file: a structure that holds no pointers, as its bytes.
pub(super) fn tell(
    opened: BorrowedFd<'_>,
    class: FILE_INFORMATION_CLASS,
    words: &[u64],
    length: usize,
) -> Result<(), Errno> {
    let length = u32::try_from(length.min(size_of_val(words))).unwrap_or_default();
    let mut status = IO_STATUS_BLOCK::default();
    // SAFETY: the handle is open, and the words are at least as long as is said; the kernel looks at what they hold.
    Errno::check(unsafe {
        NtSetInformationFile(opened.as_raw_handle(), &raw mut status, words.as_ptr().cast(), length, class)
    })
}
