//! A lock that one process holds for as long as it lives, and that says which process that is.
//!
//! The lock is flock(2) on the file's descriptor, so the system frees it however the process ends. For that call
//! any descriptor is enough, one for reading too: so nobody but the owner may open the file, else any account
//! could take the lock and keep a service down. Who holds it stands in a second file beside it, for all to read:
//! `PID:TICKS` and a line feed, believed only while that process lives. Neither file is ever deleted: a second
//! one of the same name would be a second lock.

use std::fs::File;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::host::identity;
use crate::host::os::fs::{FlockOperation, OFlags, fchmod, flock, mode, open};
use crate::host::os::{Errno, OwnedFd};
use crate::model::status::ProcessIdentity;

/// How long another process may take between the lock and the word about itself.
const HANDSHAKE: Duration = Duration::from_millis(500);

/// The mode of a lock: who can open it can hold it.
const OWNERS_ONLY: u32 = 0o600;
/// The length of the line that names the holder: two numbers of at most 20 digits, and what stands between and
/// around them. It never changes, so that a full disk, which has no room for more, still takes a new name.
const LINE: usize = 48;

/// The lock, held. It is freed when this is dropped.
#[derive(Debug)]
pub struct HeldLock {
    _file: OwnedFd,
    word: Utf8PathBuf,
    named: bool,
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        // A holder that lives on must not be taken for one. If this fails, the lock itself is free all the same.
        let _ = write_word(&self.word, "");
    }
}

/// Why a lock is not held.
#[derive(Debug, Error)]
pub enum HolderError {
    /// Another process holds it.
    #[error("`{path}` is held by process {holder}")]
    Held {
        /// The lock.
        path: Utf8PathBuf,
        /// Who holds it.
        holder: Holder,
    },
    /// The file can't be made, locked or written.
    #[error("can't lock `{path}`")]
    File {
        /// The lock.
        path: Utf8PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// This process.
    Known(ProcessIdentity),
    /// One that has not said which it is.
    Unknown,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(identity) => write!(formatter, "{}", identity.pid),
            Self::Unknown => formatter.write_str("(unknown)"),
        }
    }
}

impl HeldLock {
    /// Takes the lock for this process, making the file where there is none, and says so.
    pub fn take(path: &Utf8Path) -> Result<Self, HolderError> {
        let mut lock = Self::take_unnamed(path)?;
        lock.name().map_err(|source| HolderError::File { path: lock.word.clone(), source })?;
        Ok(lock)
    }

    /// Takes the lock, and does not yet say who holds it: see [`HeldLock::name`].
    pub fn take_unnamed(path: &Utf8Path) -> Result<Self, HolderError> {
        let failed = |source| HolderError::File { path: path.to_owned(), source };
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = open(path.as_str(), flags, mode(OWNERS_ONLY)).map_err(|errno| failed(errno.into()))?;
        // One that was made open to all is closed to others. Whose file it is not can't, and need not.
        let _ = fchmod(&file, mode(OWNERS_ONLY));
        let until = Instant::now() + HANDSHAKE;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) => {
                    if let Some(identity) = holder(path) {
                        let holder = Holder::Known(identity);
                        return Err(HolderError::Held { path: path.to_owned(), holder });
                    }
                    if Instant::now() >= until {
                        return Err(HolderError::Held { path: path.to_owned(), holder: Holder::Unknown });
                    }
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) => return Err(failed(error.into())),
            }
        }
        Ok(Self { _file: file, word: word_of(path), named: false })
    }

    /// Says which process holds the lock, if that is not said yet.
    pub fn name(&mut self) -> std::io::Result<()> {
        if !self.named {
            write_word(&self.word, &identity::own().to_string())?;
            self.named = true;
        }
        Ok(())
    }
}

/// Where it stands who holds a lock.
#[must_use]
pub fn word_of(lock: &Utf8Path) -> Utf8PathBuf {
    lock.with_extension("holder")
}

/// One write of a whole line over the one of an earlier holder: a reader in between sees a process that runs no
/// longer, or a line that is none, and takes neither.
fn write_word(path: &Utf8Path, word: &str) -> std::io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(open(path.as_str(), flags, mode(0o644))?);
    fs_err::File::from_parts(file, path.as_std_path().to_owned())
        .write_all(format!("{word:<LINE$}\n").as_bytes())
}

/// The process that holds the lock. `None`: there is none, or it has not yet said which it is.
#[must_use]
pub fn holder(path: &Utf8Path) -> Option<ProcessIdentity> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(open(word_of(path).as_str(), flags, mode(0)).ok()?);
    let mut content = String::new();
    file.take(128).read_to_string(&mut content).ok()?;
    let (line, _) = content.split_once('\n')?;
    line.trim_end_matches(' ').parse().ok().filter(|holder| identity::runs(*holder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_once_and_names_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("lock")).unwrap();
        assert_eq!(holder(&path), None);
        let lock = HeldLock::take(&path).unwrap();
        assert_eq!(holder(&path), Some(identity::own()));
        let refused = HeldLock::take(&path).unwrap_err();
        let this = Holder::Known(identity::own());
        assert!(matches!(refused, HolderError::Held { holder, .. } if holder == this), "{refused}");
        drop(lock);
        assert_eq!(holder(&path), None);
        assert!(HeldLock::take(&path).is_ok());
    }

    #[test]
    fn what_an_earlier_holder_wrote_names_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("lock")).unwrap();
        std::fs::write(word_of(&path), "1:1\nand more that is longer than what follows\n").unwrap();
        assert_eq!(holder(&path), None);
        let _lock = HeldLock::take(&path).unwrap();
        assert_eq!(holder(&path), Some(identity::own()));
    }

    #[cfg(unix)]
    #[test]
    fn no_other_account_can_open_a_lock_and_all_can_read_who_holds_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("lock")).unwrap();
        let others = |path: &Utf8Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o077;
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let lock = HeldLock::take(&path).unwrap();
        assert_eq!(others(&path), 0, "one that was open to all");
        assert_ne!(others(&word_of(&path)) & 0o044, 0);
        drop(lock);
        std::fs::remove_file(&path).unwrap();
        let mut lock = HeldLock::take_unnamed(&path).unwrap();
        assert_eq!((others(&path), holder(&path)), (0, None));
        lock.name().unwrap();
        assert_eq!(holder(&path), Some(identity::own()));
        let length = std::fs::metadata(word_of(&path)).unwrap().len();
        drop(lock);
        assert_eq!(std::fs::metadata(word_of(&path)).unwrap().len(), length, "room for the next name");
    }
}
