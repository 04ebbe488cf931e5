//! A lock that one process holds for as long as it lives, and that says which process that is.
//!
//! The lock is flock(2) on the file's descriptor, so the system frees it however the process ends; the content
//! is `PID:TICKS` and a line feed. The file is never deleted: a second file of the same name would be a second
//! lock.

use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use thiserror::Error;

use crate::host::identity;
use crate::model::status::ProcessIdentity;

/// How long another process may take between the lock and the word about itself.
const HANDSHAKE: Duration = Duration::from_millis(500);

/// The lock, held. It is freed when this is dropped.
#[derive(Debug)]
pub struct HeldLock {
    file: fs_err::File,
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        // A holder that lives on must not be taken for one. If this fails, the lock itself is free all the same.
        let _ = self.file.set_len(0);
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
    /// Takes the lock for this process, making the file where there is none.
    pub fn take(path: &Utf8Path) -> Result<Self, HolderError> {
        let failed = |source| HolderError::File { path: path.to_owned(), source };
        let mut options = fs_err::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        options.options_mut().mode(0o644).custom_flags(no_follow());
        let mut file = options.open(path).map_err(failed)?;
        let until = Instant::now() + HANDSHAKE;
        loop {
            match flock(file.file(), FlockOperation::NonBlockingLockExclusive) {
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
        // One write of the whole line, over a longer or shorter one of an earlier holder: a reader in
        // between sees a process that runs no longer, or a line that is none, and takes neither.
        file.rewind().map_err(failed)?;
        let line = format!("{}\n", identity::own());
        file.write_all(line.as_bytes()).map_err(failed)?;
        file.set_len(line.len() as u64).map_err(failed)?;
        Ok(Self { file })
    }
}

/// The process that holds the lock. `None`: there is none, or it has not yet said which it is.
#[must_use]
pub fn holder(path: &Utf8Path) -> Option<ProcessIdentity> {
    let mut options = fs_err::OpenOptions::new();
    options.read(true).options_mut().custom_flags(no_follow());
    let mut content = String::new();
    options.open(path).ok()?.take(128).read_to_string(&mut content).ok()?;
    let (line, _) = content.split_once('\n')?;
    line.parse().ok().filter(|holder| identity::runs(*holder))
}

fn no_follow() -> i32 {
    i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0)
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
        std::fs::write(&path, "1:1\nand more that is longer than what follows\n").unwrap();
        assert_eq!(holder(&path), None);
        let _lock = HeldLock::take(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", identity::own()));
    }
}
