//! Files that somebody else may have put there: no link is followed, sizes are limited, nothing keeps the reader
//! waiting.

use std::io::{self, Read as _, Write as _};

use camino::Utf8Path;

use crate::host::files::{FileError, failed, failed_io};
use crate::host::os;
use crate::host::os::OwnedFd;
use crate::host::os::fs::{Mode, OFlags};

/// A file that somebody else may have put there, open for reading: a regular file, no link followed, never a
/// pipe that would keep the reader waiting. Nothing where there is none.
pub fn open(path: &Utf8Path) -> Result<Option<std::fs::File>, FileError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file: OwnedFd = match os::fs::open(path.as_str(), flags, Mode::empty()) {
        Ok(file) => file,
        Err(os::Errno::NOENT | os::Errno::NOTDIR) => return Ok(None),
        Err(errno) => return Err(failed("read", path)(errno)),
    };
    let stat = os::fs::fstat(&file).map_err(failed("look at", path))?;
    if os::fs::FileType::from_raw_mode(stat.st_mode) != os::fs::FileType::RegularFile {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
        return Err(failed_io("read", path)(source));
    }
    Ok(Some(std::fs::File::from(file)))
}

/// A file that is reached through links, open for reading. What would keep the reader waiting, or is no file, is refused.
pub fn open_followed(path: &Utf8Path) -> io::Result<std::fs::File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file: OwnedFd = os::fs::open(path.as_str(), flags, Mode::empty())?;
    match os::fs::FileType::from_raw_mode(os::fs::fstat(&file)?.st_mode) {
        os::fs::FileType::Directory => Err(io::ErrorKind::IsADirectory.into()),
        os::fs::FileType::Fifo => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a named pipe")),
        _ => Ok(std::fs::File::from(file)),
    }
}

/// The text of such a file, of at most `limit` bytes.
pub fn read(path: &Utf8Path, limit: u64) -> Result<Option<String>, FileError> {
    let Some(bytes) = read_bytes(path, limit)? else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(|_| io::Error::from(io::ErrorKind::InvalidData));
    text.map(Some).map_err(failed_io("read", path))
}

/// The bytes of such a file, at most `limit` of them.
pub fn read_bytes(path: &Utf8Path, limit: u64) -> Result<Option<Vec<u8>>, FileError> {
    let Some(file) = open(path)? else { return Ok(None) };
    let mut bytes = Vec::new();
    let mut limited = fs_err::File::from_parts(file, path.as_std_path().to_owned()).take(limit + 1);
    limited.read_to_end(&mut bytes).map_err(failed_io("read", path))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        let source = io::Error::new(io::ErrorKind::InvalidData, format!("it is larger than {limit} bytes"));
        return Err(failed_io("read", path)(source));
    }
    Ok(Some(bytes))
}

/// Replaces a file in a folder to which others may write: written beside under a new name, which no link can stand
/// for, and renamed over whatever is there. It is not synced.
pub fn replace(path: &Utf8Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let beside = path.with_file_name(format!(".{name}.mainstay"));
    match os::fs::unlink(beside.as_str()) {
        Ok(()) | Err(os::Errno::NOENT) => {}
        Err(errno) => return Err(errno.into()),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = os::fs::open(beside.as_str(), flags, os::fs::mode(mode))?;
    let written = std::fs::File::from(file)
        .write_all(bytes)
        .and_then(|()| os::fs::rename(beside.as_str(), path.as_str()).map_err(Into::into));
    if written.is_err() {
        // What is left of it would only be in the way.
        let _ = os::fs::unlink(beside.as_str());
    }
    written
}

/// Looks at the text of every regular file of a folder whose name has an ending, in no order. What is larger,
/// is no text, or is a link is passed over; a file that may not be read is an error. Made for folders of ten
/// thousand: three system calls a file, and no memory of its own for each.
pub fn each_text(
    folder: &Utf8Path,
    ending: &str,
    limit: usize,
    mut look: impl FnMut(&str),
) -> Result<(), FileError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = match os::fs::open(folder.as_str(), flags, Mode::empty()) {
        Ok(opened) => opened,
        Err(os::Errno::NOENT | os::Errno::NOTDIR) => return Ok(()),
        Err(errno) => return Err(failed("list", folder)(errno)),
    };
    let mut buffer = vec![0; 64 << 10];
    for entry in os::fs::Dir::read_from(&opened).map_err(failed("list", folder))? {
        let entry = entry.map_err(failed("list", folder))?;
        let name = entry.file_name();
        let kind = entry.file_type();
        if !name.to_bytes().ends_with(ending.as_bytes())
            || !matches!(kind, os::fs::FileType::RegularFile | os::fs::FileType::Unknown)
        {
            continue;
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match os::fs::openat(&opened, name, flags, Mode::empty()) {
            Ok(file) => file,
            // Gone since, or a link after all.
            Err(os::Errno::NOENT | os::Errno::LOOP) => continue,
            Err(errno) => {
                return Err(failed("read", &folder.join(name.to_string_lossy().as_ref()))(errno));
            }
        };
        let mut length = 0;
        let whole = loop {
            if length == buffer.len() {
                if length > limit {
                    break false;
                }
                buffer.resize(length * 2, 0);
            }
            match os::io::read(&file, &mut buffer[length..]) {
                Ok(count) => {
                    length += count;
                    // A read of a regular file gives less than was asked for only at its end.
                    if length < buffer.len() {
                        break true;
                    }
                }
                Err(os::Errno::INTR) => {}
                // A folder or a socket by that name.
                Err(_) => break false,
            }
        };
        if whole && let Ok(text) = std::str::from_utf8(&buffer[..length]) {
            look(text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::files;

    #[expect(clippy::disallowed_methods, reason = "macOS has no call for it that the ground knows")]
    fn make_pipe(path: &Utf8Path) {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    #[test]
    fn what_others_put_there_is_read_with_care() {
        let keep = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(keep.path()).unwrap();
        let (secret, linked, pipe) = (folder.join("secret"), folder.join("linked"), folder.join("pipe"));
        files::write(&secret, "0123456789", 0o600, None).unwrap();
        files::link(&linked, Utf8Path::new("secret")).unwrap();
        if cfg!(unix) {
            make_pipe(&pipe);
        }
        assert_eq!(read(&secret, 10).unwrap().as_deref(), Some("0123456789"));
        assert!(read(&secret, 9).is_err());
        assert!(read(&linked, 10).is_err());
        assert!(read(&pipe, 10).is_err() || cfg!(windows));
        assert_eq!(read(&folder.join("none"), 10).unwrap(), None);
    }

    #[test]
    fn a_replacement_goes_through_no_link() {
        let keep = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(keep.path()).unwrap();
        let (secret, linked) = (folder.join("secret"), folder.join("linked"));
        files::write(&secret, "0123456789", 0o600, None).unwrap();
        files::link(&linked, Utf8Path::new("secret")).unwrap();
        files::link(&folder.join(".linked.mainstay"), Utf8Path::new("secret")).unwrap();
        replace(&linked, b"new", 0o644).unwrap();
        assert_eq!(read(&linked, 10).unwrap().as_deref(), Some("new"));
        assert_eq!(read(&secret, 10).unwrap().as_deref(), Some("0123456789"));
        assert_eq!(files::list(folder).unwrap().unwrap(), ["linked", "secret"]);
        std::fs::create_dir(folder.join("taken")).unwrap();
        assert!(replace(&folder.join("taken"), b"new", 0o644).is_err());
        assert_eq!(files::list(folder).unwrap().unwrap(), ["linked", "secret", "taken"]);
    }
}
