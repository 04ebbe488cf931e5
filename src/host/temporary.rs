//! A place to work in for a while.

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::environment;
use crate::host::files::{FileError, failed_io};

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

/// Makes a folder for a while.
pub fn folder(prefix: &str) -> Result<Temporary, FileError> {
    let parent = environment::temporary_folder();
    let made = tempfile::Builder::new().prefix(prefix).tempdir_in(&parent);
    let folder = made.map_err(failed_io("create a folder in", &parent))?;
    let path = Utf8PathBuf::try_from(folder.path().to_owned())
        .map_err(|error| failed_io("use a folder in", &parent)(error.into_io_error()))?;
    Ok(Temporary { path, _folder: folder })
}
