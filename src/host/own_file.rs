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

/// Writes a text into a file that is there, where the account that reads it may not put another in its place. Says whether
/// that was so: else it is to be replaced.
pub fn rewrite(path: &Utf8Path, text: &str) -> io::Result<bool> {
    system::rewrite(path, text)
}

/// Takes away a file that was read. Who may not remove it empties it.
pub fn consume(path: &Utf8Path) -> io::Result<()> {
    system::consume(path)
}

#[cfg(unix)]
mod system {
    pub(super) use fs_err::{remove_file as consume, rename as replace};

    use std::os::unix::fs::OpenOptionsExt as _;

    use camino::Utf8Path;
    use rustix::fs::OFlags;

    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub(super) fn rewrite(_: &Utf8Path, _: &str) -> std::io::Result<bool> {
        Ok(false)
    }

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
    use std::io::Write as _;
    use std::os::windows::fs::OpenOptionsExt as _;

    use camino::Utf8Path;
    use windows_sys::Win32::Storage::FileSystem::FILE_FLAG_OPEN_REPARSE_POINT;

    use crate::host::os;

    pub(super) fn replace(from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
        Ok(os::fs::rename(from.as_str(), to.as_str())?)
    }

    pub(super) fn rewrite(path: &Utf8Path, text: &str) -> std::io::Result<bool> {
        match super::writing(0o600).write(true).truncate(true).open(path) {
            Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) fn consume(path: &Utf8Path) -> std::io::Result<()> {
        super::writing(0o600).write(true).truncate(true).open(path)?;
        // The account of a service may write it, and no more.
        let _ = fs_err::remove_file(path);
        Ok(())
    }

    /// Who may read a new file is what its folder says.
    pub(super) fn never_follow(options: &mut fs_err::OpenOptions, _mode: Option<u32>) {
        options.options_mut().custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
    }
}
