//! A file that was fetched, put in its place whole: written beside, compared with its digest, renamed.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;
use sha2::Digest as _;

use crate::host::files::{FileError, failed_io, sync_folder};
use crate::model::digest::Digest;
use crate::model::owner::Owner;

/// Copies what a descriptor holds to a path, if it has this digest; else nothing is changed.
pub fn place(
    source: &mut File,
    path: &Utf8Path,
    wanted: Digest,
    mode: u32,
    owner: Option<&Owner>,
) -> Result<(), FileError> {
    let folder = path.parent().unwrap_or(Utf8Path::new("/"));
    let mut beside = tempfile::Builder::new()
        .prefix(".mainstay-")
        .tempfile_in(folder)
        .map_err(failed_io("write beside", path))?;
    let mut hasher = sha2::Sha256::default();
    let mut buffer = vec![0; 256 << 10];
    source.rewind().map_err(failed_io("read what was fetched for", path))?;
    loop {
        let count = source.read(&mut buffer).map_err(failed_io("read what was fetched for", path))?;
        if count == 0 {
            break;
        }
        let piece = buffer.get(..count).unwrap_or_default();
        hasher.update(piece);
        beside.write_all(piece).map_err(failed_io("write", path))?;
    }
    let found = Digest::finish(hasher);
    if found != wanted {
        let what = format!("what came has the sha256 {found}, not {wanted}");
        return Err(failed_io("put in its place", path)(io::Error::new(io::ErrorKind::InvalidData, what)));
    }
    beside
        .as_file()
        .set_permissions(std::fs::Permissions::from_mode(mode))
        .map_err(failed_io("set the mode of", path))?;
    if let Some(owner) = owner {
        std::os::unix::fs::fchown(beside.as_file(), Some(owner.uid), Some(owner.gid))
            .map_err(failed_io("give away", path))?;
    }
    beside.as_file().sync_all().map_err(failed_io("sync", path))?;
    beside.persist(path).map_err(|error| failed_io("replace", path)(error.error))?;
    sync_folder(folder)
}
