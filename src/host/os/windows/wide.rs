//! Texts as Windows has them: UTF-16 with a NUL at the end.
#![allow(unsafe_code)]

/// A text with its end. It may not hold a NUL, which would be its end.
pub(in crate::host) fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// The text at a place; empty where there is none.
///
/// # Safety
/// What is not null has to end with a NUL.
pub(in crate::host) unsafe fn from_wide(text: *const u16) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller says that a NUL follows.
    let units = unsafe {
        let length = (0..usize::MAX).take_while(|place| *text.add(*place) != 0).count();
        std::slice::from_raw_parts(text, length)
    };
    String::from_utf16_lossy(units)
}
