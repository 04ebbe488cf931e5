//! Editing a file that is its owner's.

use std::io::ErrorKind;

use camino::Utf8Path;

use crate::host::files::{self, FileError, Kind};
use crate::host::untrusted;

/// The largest file that is edited, in bytes: what is larger was not read either.
const LARGEST_EDITED: u64 = 1 << 20;

/// Brings a file from one text to another, and says why not where it is better left alone.
pub(super) fn edit(
    path: &Utf8Path,
    (before, after): (Option<&str>, Option<&str>),
    mode: u32,
) -> Result<Option<String>, FileError> {
    let facts = files::facts(path)?;
    if facts.is_some_and(|facts| facts.kind != Kind::File) {
        return Ok(Some("it is no regular file any more".to_owned()));
    }
    let found = untrusted::read(path, LARGEST_EDITED)?;
    if found.as_deref() == after {
        return Ok(None);
    }
    if found.as_deref() != before {
        return Ok(Some("it was changed meanwhile".to_owned()));
    }
    let Some(text) = after else { return files::remove(path).map(|_| None) };
    match files::rewrite(path, text, mode) {
        Err(error)
            if before.is_some()
                && matches!(
                    error.source.kind(),
                    ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
                ) =>
        {
            Ok(Some(format!("it can't be written: {}", error.source)))
        }
        written => written.map(|()| None),
    }
}
