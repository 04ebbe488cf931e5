//! Locks between processes: held by an open file, so that they end with their holder however it dies.

use std::io;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::host::files;
use crate::host::os;
use crate::host::os::fs::{FlockOperation, Mode, OFlags};
use crate::host::os::{Errno, OwnedFd};

/// Why a lock was not taken.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("another process holds `{0}`")]
    Held(Utf8PathBuf),
    /// The file could not be opened or locked.
    #[error("can't lock `{path}`")]
    Failed {
        /// The lock's file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Does something while holding a lock, after waiting at most `patience` for whoever holds it now.
pub fn holding<T>(path: &Utf8Path, patience: Duration, work: impl FnOnce() -> T) -> Result<T, LockError> {
    let failed = |source: io::Error| LockError::Failed { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        files::make_folders(folder).map_err(failed)?;
    }
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = os::fs::open(path.as_str(), flags, Mode::from_raw_mode(0o600));
    let mut lock = fd_lock::RwLock::new(opened.map_err(|errno| failed(errno.into()))?);
    let deadline = Instant::now() + patience;
    let _guard = loop {
        match lock.try_write() {
            Ok(guard) => break guard,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(failed(error)),
            Err(_) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
            Err(_) => return Err(LockError::Held(path.to_owned())),
        }
    };
    Ok(work())
}

/// Whether a process holds a lock now. `None`: that can't be known to this account.
#[must_use]
pub fn is_held(path: &Utf8Path) -> Option<bool> {
    // Whoever comes just now waits longer than this is held.
    opened(path, |file| {
        let lock = fd_lock::RwLock::new(file);
        let taken = lock.try_read();
        taken.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    })
}

/// The same of a file that was locked by [`os::fs::flock`]: on Windows the two do not see each other, since one locks the
/// first byte of a file and the other one far behind its end.
#[must_use]
pub fn is_claimed(path: &Utf8Path) -> Option<bool> {
    opened(path, |file| os::fs::flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK))
}

fn opened(path: &Utf8Path, is_locked: impl FnOnce(OwnedFd) -> bool) -> Option<bool> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match os::fs::open(path.as_str(), flags, Mode::empty()) {
        Ok(file) => Some(is_locked(file)),
        Err(Errno::NOENT) => Some(false),
        Err(_) => None,
    }
}

/// The process that holds a lock, as the system lists it (`/proc/locks`, proc(5)). `None`: none does, or it can't be
/// known, as of one in another container.
#[must_use]
pub fn holder_of(path: &Utf8Path) -> Option<u32> {
    let inode = os::fs::lstat(path.as_str()).ok()?.st_ino;
    holder_in(&fs_err::read_to_string("/proc/locks").ok()?, inode)
}

/// The first holder of a whole-file lock on an inode. Its device is not compared: what is listed of it is not what
/// stat(2) says on every file system.
fn holder_in(list: &str, inode: u64) -> Option<u32> {
    list.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        // A waiting process stands behind an arrow in the place of the kind.
        let kind = fields.next()?;
        let (pid, file) = (fields.nth(2)?, fields.next()?);
        let is_it = kind == "FLOCK" && file.rsplit(':').next()?.parse() == Ok(inode);
        pid.parse().ok().filter(|_| is_it)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_are_found_in_the_systems_list() {
        let list = "1: FLOCK  ADVISORY  WRITE 5384 fe:00:10666654 0 EOF\n\
            1: -> FLOCK  ADVISORY  WRITE 5390 fe:00:10666654 0 EOF\n\
            2: POSIX  ADVISORY  WRITE 5376 fe:00:4711 0 EOF\n";
        assert_eq!(holder_in(list, 10_666_654), Some(5384));
        assert_eq!(holder_in(list, 4711), None);
        assert_eq!(holder_in(list, 1), None);
    }

    #[test]
    fn a_lock_keeps_others_out_while_it_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(folder.path().join("deep/lock")).unwrap();
        let inner =
            holding(&path, Duration::ZERO, || holding(&path, Duration::from_millis(50), || ())).unwrap();
        assert!(matches!(inner, Err(LockError::Held(_))));
        assert!(holding(&path, Duration::ZERO, || ()).is_ok());
        assert_eq!(holding(&path, Duration::ZERO, || is_held(&path)).unwrap(), Some(true));
        assert_eq!(is_held(&path), Some(false));
        assert_eq!(is_held(&path.with_extension("other")), Some(false));
    }
}
