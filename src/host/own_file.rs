//! Files of this program's own in folders where another account may have laid something in their place: a link there is
//! never followed.

use std::io;

use camino::Utf8Path;
use fs_err::OpenOptions;

/// To be opened for writing; what is said of creating and emptying it is the caller's. `mode` are the rights that a new
/// file gets.
#[must_use]
pub fn writing(mode: u32) -> OpenOptions {
    let mut options = OpenOptions::new();
    system::never_follow(&mut options, Some(mode));
    options
}

/// To be opened for reading. What is no file at all holds nobody up.
#[must_use]
pub fn reading() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    system::never_follow(&mut options, None);
    options
}

/// Puts a file in another one's place, also where somebody has that one open: who does goes on with what he has.
pub fn replace(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    system::replace(from, to)
}

#[cfg(unix)]
mod system {
    pub(super) use fs_err::rename as replace;

    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;

    pub(super) fn never_follow(options: &mut fs_err::OpenOptions, mode: Option<u32>) {
        let without_waiting = if mode.is_none() { OFlags::NONBLOCK } else { OFlags::empty() };
        let flags = OFlags::NOFOLLOW | without_waiting;
        options.options_mut().custom_flags(i32::try_from(flags.bits()).unwrap_or(0));
        if let Some(mode) = mode {
            options.options_mut().mode(mode);
        }
    }
}

#[cfg(windows)]
mod system {
    use std::os::windows::fs::OpenOptionsExt as _;

    use camino::Utf8Path;
    use windows_sys::Win32::Storage::FileSystem::FILE_FLAG_OPEN_REPARSE_POINT;

    use crate::host::os;

    pub(super) fn replace(from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
        Ok(os::fs::rename(from.as_str(), to.as_str())?)
    }

    /// Who may read a new file is what its folder says.
    pub(super) fn never_follow(options: &mut fs_err::OpenOptions, _mode: Option<u32>) {
        options.options_mut().custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
    }
}
