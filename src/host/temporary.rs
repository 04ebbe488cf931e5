//! A place to work in for a while.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::environment;
use crate::host::files::{self, FileError, failed, failed_io};
use crate::host::os;
use crate::host::os::fs::{Mode, OFlags};

/// A folder for a while: it is removed with all that is in it when this is dropped.
#[derive(Debug)]
pub struct Temporary {
    path: Utf8PathBuf,
    _folder: tempfile::TempDir,
}

impl Temporary {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }
}

/// What comes on standard input, laid into a file without a name, which is gone with its descriptor. `tell` hears how
/// many bytes have come.
pub fn from_input(folder: &Utf8Path, tell: &mut dyn FnMut(u64)) -> Result<File, FileError> {
    files::create_folder(folder, 0o755, None)?;
    let mut file = tempfile::tempfile_in(folder).map_err(failed_io("create a file in", folder))?;
    let mut input = std::io::stdin().lock();
    let mut buffer = vec![0; 256 << 10];
    let mut length = 0;
    loop {
        match input.read(&mut buffer).map_err(failed_io("read", Utf8Path::new("standard input")))? {
            0 => return Ok(file),
            count => file.write_all(&buffer[..count]).map_err(failed_io("write to a file in", folder))?,
        }
        length = file.stream_position().unwrap_or(length);
        tell(length);
    }
}

/// Makes a folder for a while.
pub fn folder(prefix: &str) -> Result<Temporary, FileError> {
    made(tempfile::Builder::new().prefix(prefix))
}

/// Makes a folder for a while that everybody may enter and only the caller write to, for a program that is to find
/// nothing where it starts.
pub fn empty(prefix: &str) -> Result<Temporary, FileError> {
    let made = folder(prefix)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    os::fs::open(made.path.as_str(), flags, Mode::empty())
        .and_then(|opened| os::fs::fchmod(opened, os::fs::mode(0o755)))
        .map_err(failed("set the mode of", &made.path))?;
    Ok(made)
}

fn made(builder: &mut tempfile::Builder<'_, '_>) -> Result<Temporary, FileError> {
    let parent = environment::temporary_folder();
    let made = builder.tempdir_in(&parent);
    let folder = made.map_err(failed_io("create a folder in", &parent))?;
    let path = Utf8PathBuf::try_from(folder.path().to_owned())
        .map_err(|error| failed_io("use a folder in", &parent)(error.into_io_error()))?;
    Ok(Temporary { path, _folder: folder })
}
