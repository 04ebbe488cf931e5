//! Names, as the kernel wants them.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::os::windows::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use super::{BorrowedFd, Errno};

/// What can be a name: text, or what a folder lists.
pub trait Arg {
    /// The name in bytes, which are text or, where a name is none, its halves of pairs in three bytes each.
    fn bytes(&self) -> &[u8];
}

impl Arg for str {
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Arg for String {
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Arg for CStr {
    fn bytes(&self) -> &[u8] {
        self.to_bytes()
    }
}

impl Arg for CString {
    fn bytes(&self) -> &[u8] {
        self.to_bytes()
    }
}

impl Arg for Path {
    fn bytes(&self) -> &[u8] {
        self.as_os_str().as_encoded_bytes()
    }
}

impl<T: Arg + ?Sized> Arg for &T {
    fn bytes(&self) -> &[u8] {
        (**self).bytes()
    }
}

/// A name of a folder's list, in bytes.
pub(super) fn listed(units: &[u16]) -> CString {
    CString::new(OsString::from_wide(units).into_encoded_bytes()).unwrap_or_default()
}

/// The name as the kernel takes it: whole from the working folder, else relative to the open one.
pub(super) fn of_kernel(folder: BorrowedFd<'_>, name: &(impl Arg + ?Sized)) -> Result<Vec<u16>, Errno> {
    let units = units(name.bytes())?;
    if super::fs::is_working_folder(folder) { whole(&units) } else { relative(units) }
}

/// The bytes as units of UTF-16. What is no text is a half of a pair, which a name of this system may hold.
fn units(bytes: &[u8]) -> Result<Vec<u16>, Errno> {
    if bytes.contains(&0) {
        return Err(Errno::INVAL);
    }
    let mut units = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        units.extend(chunk.valid().encode_utf16());
        match chunk.invalid() {
            [] => {}
            // The first of three bytes comes alone, since nothing that is text begins so.
            [0xed, ..] => return surrogates(bytes),
            _ => return Err(Errno::INVAL),
        }
    }
    Ok(units)
}

fn surrogates(bytes: &[u8]) -> Result<Vec<u16>, Errno> {
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        if let [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, after @ ..] = rest {
            units.push(0xd000 | u16::from(second & 0x3f) << 6 | u16::from(third & 0x3f));
            rest = after;
            continue;
        }
        let until = (1..=rest.len()).find(|end| std::str::from_utf8(&rest[..*end]).is_ok());
        let (text, after) = rest.split_at(until.ok_or(Errno::INVAL)?);
        units.extend(std::str::from_utf8(text).map_err(|_| Errno::INVAL)?.encode_utf16());
        rest = after;
    }
    Ok(units)
}

const BACKSLASH: u16 = b'\\' as u16;
const SLASH: u16 = b'/' as u16;

/// A name below an open folder. A colon would name another stream of a file, and dots would lead up.
fn relative(mut units: Vec<u16>) -> Result<Vec<u16>, Errno> {
    for unit in &mut units {
        if *unit == SLASH {
            *unit = BACKSLASH;
        }
    }
    let is = |part: &[u16], text: &str| part.iter().copied().eq(text.encode_utf16());
    if is(&units, ".") {
        return Ok(Vec::new());
    }
    let wrong = units.contains(&u16::from(b':'))
        || units.first() == Some(&BACKSLASH)
        || units.split(|unit| *unit == BACKSLASH).any(|part| is(part, ".."));
    if wrong { Err(Errno::INVAL) } else { Ok(units) }
}

/// A path from the root of everything that the kernel names, however long it is.
fn whole(units: &[u16]) -> Result<Vec<u16>, Errno> {
    let path = OsString::from_wide(units);
    let absolute = std::path::absolute(Path::new(&path)).map_err(|_| Errno::NOENT)?;
    let text: Vec<u16> = OsStr::encode_wide(absolute.as_os_str()).collect();
    let starts = |with: &str| with.encode_utf16().eq(text.iter().copied().take(with.len()));
    let (prefix, rest) = if starts(r"\\?\") || starts(r"\\.\") {
        (r"\??\", &text[4..])
    } else if starts(r"\\") {
        (r"\??\UNC\", &text[2..])
    } else {
        (r"\??\", &text[..])
    };
    let mut named: Vec<u16> = prefix.encode_utf16().chain(rest.iter().copied()).collect();
    // A verbatim path keeps what was joined to it.
    for unit in &mut named {
        if *unit == SLASH {
            *unit = BACKSLASH;
        }
    }
    // `C:\` is a folder and `C:` a volume; of everything else a last stroke is too much.
    while named.last() == Some(&BACKSLASH) && named.get(named.len() - 2) != Some(&u16::from(b':')) {
        named.pop();
    }
    Ok(named)
}

/// Units with the zero at their end that many calls want.
pub(super) fn terminated(text: &str) -> Vec<u16> {
    text.encode_utf16().chain(std::iter::once(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(units: &[u16]) -> String {
        String::from_utf16(units).unwrap()
    }

    #[test]
    fn paths_are_named_from_the_kernels_root() {
        let whole = |path: &str| text(&whole(&path.encode_utf16().collect::<Vec<_>>()).unwrap());
        assert_eq!(whole(r"C:\a/b\..\c"), r"\??\C:\a\c");
        assert_eq!(whole(r"C:\"), r"\??\C:\");
        assert_eq!(whole(r"C:\a\"), r"\??\C:\a");
        assert_eq!(whole(r"\\?\C:\a\b"), r"\??\C:\a\b");
        assert_eq!(whole(r"\\server\share\x"), r"\??\UNC\server\share\x");
        let long = format!(r"C:\{}", "long/".repeat(100));
        assert!(whole(&long).len() > 500);
    }

    #[test]
    fn names_below_a_folder_lead_nowhere_else() {
        let below = |name: &str| relative(name.encode_utf16().collect());
        assert_eq!(text(&below("a/b").unwrap()), r"a\b");
        assert!(below(".").unwrap().is_empty());
        for name in ["..", "a/../b", r"\a", "/a", "a:b", "C:"] {
            assert_eq!(below(name), Err(Errno::INVAL), "{name}");
        }
    }

    #[test]
    fn a_name_that_is_no_text_is_found_again() {
        for name in [&[0x61, 0xd800, 0x62][..], &[0xdc00], &[0xe9, 0xd83d, 0xde00]] {
            assert_eq!(units(listed(name).to_bytes()).unwrap(), name);
        }
        assert_eq!(units(b"a\0b"), Err(Errno::INVAL));
        assert_eq!(units(b"\xff"), Err(Errno::INVAL));
    }
}
