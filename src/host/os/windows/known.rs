//! Where Windows has put its own folders, whatever the variables of a process say: those of services differ.
#![allow(unsafe_code)]

use std::ptr::null_mut;

use windows_sys::Win32::System::Com::CoTaskMemFree;
use windows_sys::Win32::UI::Shell::{FOLDERID_ProgramData, FOLDERID_ProgramFiles, SHGetKnownFolderPath};
use windows_sys::core::GUID;

use super::wide::from_wide;

/// Where services keep what they write.
pub(in crate::host) fn program_data() -> Option<String> {
    folder(&FOLDERID_ProgramData)
}

/// Where programs are that administrators install.
pub(in crate::host) fn program_files() -> Option<String> {
    folder(&FOLDERID_ProgramFiles)
}

fn folder(which: &GUID) -> Option<String> {
    let mut path: *mut u16 = null_mut();
    // SAFETY: the path is allocated by the call and freed by its caller, whether it was found or not; it ends with a NUL.
    unsafe {
        let found = SHGetKnownFolderPath(which, 0, null_mut(), &raw mut path) >= 0;
        let text = from_wide(path);
        CoTaskMemFree(path.cast());
        (found && !text.is_empty()).then_some(text)
    }
}
