//! What is fetched of a file before it is whole: kept across interruptions, and belonging to one command at a time.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::host::files;
use crate::host::os;
use crate::host::os::fs::{FlockOperation, Mode, OFlags};
use crate::model::digest::Digest;
use crate::package::fetch::error::FetchError;
use crate::package::fetch::locator::Locator;

/// What nobody has gone on with for so long is not gone on with any more.
const STALE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What the server said of the file, by which a later try can tell whether it is still the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facts {
    /// Whose words these are.
    pub(super) address: Digest,
    /// What may be sent as `If-Range`: a strong entity tag, else the time of the last change (RFC 9110, 13.1.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) validator: Option<String>,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<u64>,
}

/// A file that is being fetched. As long as this lives, no other command takes it up.
#[derive(Debug)]
pub(super) struct Part {
    path: Utf8PathBuf,
    facts_path: Utf8PathBuf,
    pub(super) file: File,
    /// How many bytes are there.
    pub(super) length: u64,
    pub(super) facts: Option<Facts>,
    /// Last of all, because a file may keep its name until it is closed.
    folder: Folder,
}

/// The folder of all parts, which goes with the last of them.
#[derive(Debug)]
struct Folder(Utf8PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // One that is not empty stays.
        let _ = files::remove_empty_folder(&self.0);
    }
}

impl Part {
    /// Takes up what is there of a file, or begins it. It is known by the digest that it is to have, so that it may
    /// come from anywhere; else by its address.
    pub(super) fn open(
        folder: &Utf8Path,
        address: &Locator,
        expected: Option<Digest>,
    ) -> Result<Self, FetchError> {
        let name = match expected {
            Some(digest) => format!("sha256-{digest}"),
            None => format!("address-{}", address.identity()),
        };
        let path = folder.join(format!("{name}.part"));
        let facts_path = folder.join(format!("{name}.json"));
        let unwritable = |source: io::Error| FetchError::Write { path: path.clone(), source };
        let file = loop {
            files::create_folder(folder, 0o700, None).map_err(|error| unwritable(error.source))?;
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = match os::fs::open(path.as_str(), flags, Mode::from_raw_mode(0o600)) {
                // Whoever had nothing to keep has removed the folder meanwhile.
                Err(os::Errno::NOENT) => continue,
                opened => opened.map_err(|errno| unwritable(errno.into()))?,
            };
            match os::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(os::Errno::WOULDBLOCK) => return Err(FetchError::Busy(address.to_string())),
                Err(errno) => return Err(unwritable(errno.into())),
            }
            // The one before may have removed it between the two.
            if is_named(&path, &file) {
                break File::from(file);
            }
        };
        let length = file.metadata().map_err(unwritable)?.len();
        let text = files::read(&facts_path).ok().flatten().unwrap_or_default();
        let facts: Option<Facts> = serde_json::from_str(&text).ok();
        // Another server's words about the file say nothing about this one's.
        let facts = facts.filter(|facts| facts.address == address.identity());
        Ok(Self { folder: Folder(folder.to_owned()), path, facts_path, file, length, facts })
    }

    /// Where the next try goes on, and what it says for the server to tell whether the file is still the same.
    /// Without a digest, nothing but the server's word could tell.
    pub(super) fn resume(&self, has_digest: bool) -> Option<(u64, Option<String>)> {
        let facts = self.facts.as_ref();
        let validator = facts.and_then(|facts| facts.validator.clone());
        if self.length == 0 || (validator.is_none() && !has_digest) {
            return None;
        }
        // Of one that is whole already the last byte is asked for once more: an answer says that it is so.
        let last = facts.and_then(|facts| facts.size).map(|size| size.saturating_sub(1));
        let from = last.map_or(self.length, |last| self.length.min(last));
        (from > 0).then_some((from, validator))
    }

    /// Begins anew with what a server says of the file.
    pub(super) fn begin(&mut self, facts: Facts) -> Result<(), FetchError> {
        self.cut(0)?;
        let text = serde_json::to_string(&facts).unwrap_or_default();
        files::write_for_now(&self.facts_path, &text, 0o600)
            .map_err(|error| FetchError::Write { path: error.path, source: error.source })?;
        self.facts = Some(facts);
        Ok(())
    }

    /// Drops what lies beyond so many bytes, and goes on there.
    pub(super) fn cut(&mut self, length: u64) -> Result<(), FetchError> {
        let cut = self.file.set_len(length).and_then(|()| self.file.seek(SeekFrom::Start(length)));
        cut.map_err(|source| FetchError::Write { path: self.path.clone(), source })?;
        self.length = length;
        Ok(())
    }

    /// Adds what came.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        let written = self.file.write_all(bytes);
        if let Err(source) = written {
            self.length = self.file.metadata().map_or(self.length, |metadata| metadata.len());
            return Err(FetchError::Write { path: self.path.clone(), source });
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Where it lies.
    pub(super) fn folder(&self) -> &Utf8Path {
        &self.folder.0
    }

    /// The digest of what is there.
    pub(super) fn digest(&mut self) -> Result<Digest, FetchError> {
        let unreadable = |source| FetchError::Write { path: self.path.clone(), source };
        let file = self.file.try_clone().map_err(unreadable)?;
        crate::package::gunzip::digest_of(file).map_err(unreadable)
    }

    /// Removes it: it was used, or is good for nothing.
    pub(super) fn discard(mut self) {
        // What stays is swept once it is old.
        let _ = self.cut(0);
    }
}

impl Drop for Part {
    /// What is empty is not worth keeping.
    fn drop(&mut self) {
        if self.length == 0 {
            let _ = files::remove(&self.facts_path);
            let _ = files::remove(&self.path);
        }
    }
}

fn is_named(path: &Utf8Path, file: &impl os::AsFd) -> bool {
    let named = os::fs::lstat(path.as_str());
    let opened = os::fs::fstat(file);
    matches!((named, opened), (Ok(named), Ok(opened)) if named.st_ino == opened.st_ino && named.st_dev == opened.st_dev)
}

/// Removes what was begun long ago and nobody has gone on with. What can't be removed stays for the next time.
pub fn sweep(folder: &Utf8Path) {
    let names = files::list(folder).ok().flatten().unwrap_or_default();
    if names.is_empty() {
        return;
    }
    let now = SystemTime::now();
    for path in names.iter().map(|name| folder.join(name)) {
        let age = files::changed(&path).and_then(|changed| now.duration_since(changed).ok());
        if age.is_some_and(|age| age > STALE) && is_free(&path) {
            let _ = files::remove(&path);
        }
    }
    let _ = files::remove_empty_folder(folder);
}

/// Whether no command has it in its hands.
fn is_free(path: &Utf8Path) -> bool {
    crate::host::lock::is_claimed(&path.with_extension("part")) == Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(folder.path().join("downloads")).unwrap();
        (folder, path)
    }

    fn address() -> Locator {
        Locator::new("https://example.com/a.tar.gz").unwrap()
    }

    fn facts(validator: Option<&str>, size: Option<u64>) -> Facts {
        Facts { address: address().identity(), validator: validator.map(str::to_owned), size }
    }

    #[test]
    fn a_part_is_gone_on_with_only_where_something_can_tell_that_it_is_still_the_same() {
        let (_keep, folder) = folder();
        let mut part = Part::open(&folder, &address(), None).unwrap();
        part.begin(facts(None, Some(10))).unwrap();
        part.write(b"12345").unwrap();
        assert_eq!(part.resume(false), None);
        assert_eq!(part.resume(true), Some((5, None)));
        part.begin(facts(Some("\"a\""), Some(10))).unwrap();
        assert_eq!(part.resume(false), None, "nothing of it is there");
        part.write(b"1234567890").unwrap();
        assert_eq!(part.resume(false), Some((9, Some("\"a\"".to_owned()))));
        drop(part);
        let again = Part::open(&folder, &address(), None).unwrap();
        assert_eq!((again.length, again.resume(false).map(|(from, _)| from)), (10, Some(9)));
        let other = Locator::new("https://example.com/b.tar.gz").unwrap();
        assert_eq!(Part::open(&folder, &other, None).unwrap().length, 0);
    }

    #[test]
    fn one_command_has_a_part_at_a_time_and_what_is_empty_is_not_kept() {
        let (_keep, folder) = folder();
        let mut part = Part::open(&folder, &address(), None).unwrap();
        assert!(matches!(Part::open(&folder, &address(), None), Err(FetchError::Busy(_))));
        part.begin(facts(None, None)).unwrap();
        part.write(b"1").unwrap();
        part.discard();
        assert!(!folder.exists());
    }

    #[test]
    fn old_parts_are_swept_and_those_in_use_are_not() {
        let (_keep, folder) = folder();
        let long_ago = SystemTime::now() - STALE - Duration::from_secs(60);
        let mut part = Part::open(&folder, &address(), None).unwrap();
        part.begin(facts(None, None)).unwrap();
        part.write(b"1").unwrap();
        part.file.set_modified(long_ago).unwrap();
        File::open(&part.facts_path).unwrap().set_modified(long_ago).unwrap();
        sweep(&folder);
        assert_eq!(files::list(&folder).unwrap().unwrap().len(), 2);
        drop(part);
        sweep(&folder);
        assert!(!folder.exists());
    }
}
