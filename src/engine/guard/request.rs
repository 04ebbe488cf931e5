//! What a command wants of a guardian: to stop or to restart one instance. The word is left in a file beside the
//! guardian's lock, and a signal says that it is there: so it is heard whatever the guardian is about, and one
//! guardian of many instances knows which one is meant.

use std::io::Read;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::engine::guard::sweep::clear;
use crate::host::holder::holder;
use crate::host::signal::Signal;
use crate::host::{files, identity, os, own_file};
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::model::status::ProcessIdentity;
use crate::supervise::supervisor_lock;

/// The pause between two looks whether a lock is free.
const LOOK: Duration = Duration::from_millis(5);
/// After this long the guardian is told again: it may be another one by now.
const AGAIN: Duration = Duration::from_millis(500);

/// What the name of a request's file ends in.
const REQUEST: &str = ".guardian.request";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Of a guardian of all, which takes the instance on.
    Start,
    Stop,
    Restart,
}

impl Request {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start\n",
            Self::Stop => "stop\n",
            Self::Restart => "restart\n",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Start, Self::Stop, Self::Restart].into_iter().find(|request| request.word() == word)
    }
}

/// What became of a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It ran, and is gone with its guardian's hold on it.
    Stopped,
    /// Nothing ran.
    NotRunning,
}

/// What became of the wish for a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// The guardian was told; it stops the supervisor and starts it again.
    Requested {
        /// The guardian.
        guardian: ProcessIdentity,
        /// The supervisor that is to be replaced, if there is one.
        supervisor: Option<ProcessIdentity>,
    },
    /// There is no guardian.
    NotRunning,
}

/// Why a guardian did not do what was wanted.
#[derive(Debug, Error)]
pub enum RequestError {
    /// It can't be told.
    #[error("can't leave a request for the guardian of `{name}` in `{path}`")]
    File {
        /// The instance.
        name: InstanceName,
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It may not be signalled: it is another account's.
    #[error("can't signal process {pid}, which guards `{name}`")]
    Signal {
        /// The instance.
        name: InstanceName,
        /// The process.
        pid: u32,
        /// Why.
        source: std::io::Error,
    },
    /// It did not take an instance on.
    #[error("process {pid}, which guards all instances, did not take `{name}` on within {} s", limit.as_secs())]
    NotTaken {
        /// The instance.
        name: InstanceName,
        /// The guardian of all.
        pid: u32,
        /// How long was waited.
        limit: Duration,
    },
    /// What its dead supervisor left can't be killed.
    #[error("`{name}` still runs, and can't be killed: {}", .processes.join(", "))]
    Left {
        /// The instance.
        name: InstanceName,
        /// The names and numbers of the processes.
        processes: Vec<String>,
    },
    /// It did not stop in time.
    #[error("`{name}` still runs: process {pid} did not end within {} s", limit.as_secs())]
    StillRunning {
        /// The instance.
        name: InstanceName,
        /// The guardian, or the supervisor without one.
        pid: u32,
        /// How long was waited.
        limit: Duration,
    },
}

/// The guardian of an instance, if one lives.
#[must_use]
pub fn guardian_of(layout: &Layout, name: &InstanceName) -> Option<ProcessIdentity> {
    holder(&layout.guardian_lock(name))
}

/// The supervisor of an instance, if one lives, whoever guards it.
#[must_use]
pub fn supervisor_of(layout: &Layout, name: &InstanceName) -> Option<ProcessIdentity> {
    holder(&supervisor_lock(&layout.status(name)))
}

/// Stops an instance, and waits until neither a guardian nor a supervisor has it. Where both were killed, what
/// they left is killed too.
pub fn stop_guardian(layout: &Layout, name: &InstanceName, limit: Duration) -> Result<Stop, RequestError> {
    let began = Instant::now();
    let mut told: Option<(ProcessIdentity, Instant)> = None;
    loop {
        let guardian = guardian_of(layout, name);
        let Some(process) = guardian.or_else(|| supervisor_of(layout, name)) else {
            // One that was told twice may have ended at the first word: nobody is left to take the second.
            let _ = take(&request_file(layout, name));
            let (cleared, left) = clear(layout, name);
            if !left.is_empty() {
                return Err(RequestError::Left { name: name.clone(), processes: left });
            }
            return Ok(if cleared || told.is_some() { Stop::Stopped } else { Stop::NotRunning });
        };
        if told.is_none_or(|(earlier, when)| earlier != process || when.elapsed() >= AGAIN) {
            if guardian.is_some() {
                leave(layout, name, Request::Stop)?;
            }
            // Guardian and supervisor both take this one, however often it comes.
            signal(name, process)?;
            told = Some((process, Instant::now()));
        }
        if began.elapsed() >= limit {
            return Err(RequestError::StillRunning { name: name.clone(), pid: process.pid, limit });
        }
        std::thread::sleep(LOOK);
    }
}

/// Asks the guardian of an instance to stop its supervisor and to start it again, with the switch between.
pub fn request_restart(layout: &Layout, name: &InstanceName) -> Result<Restart, RequestError> {
    let Some(guardian) = guardian_of(layout, name) else { return Ok(Restart::NotRunning) };
    let supervisor = supervisor_of(layout, name);
    leave(layout, name, Request::Restart)?;
    signal(name, guardian)?;
    Ok(Restart::Requested { guardian, supervisor })
}

/// Asks a supervisor that its service manager has started to end, so that the manager starts it again. Says whether it is
/// this process that supervises.
pub fn ask_to_come_again(layout: &Layout, name: &InstanceName, pid: u32) -> Result<bool, RequestError> {
    let Some(supervisor) = supervisor_of(layout, name).filter(|supervisor| supervisor.pid == pid) else {
        return Ok(false);
    };
    leave(layout, name, Request::Restart)?;
    signal(name, supervisor)?;
    Ok(true)
}

/// Whether such a request was left. It is gone then.
#[must_use]
pub fn is_to_come_again(layout: &Layout, name: &InstanceName) -> bool {
    take(&request_file(layout, name)) == Some(Request::Restart)
}

/// The lock of the guardian of all instances (`boot`).
#[must_use]
pub fn boot_lock(layout: &Layout) -> Utf8PathBuf {
    layout.locks().join("boot.lock")
}

/// Asks the guardian of all to take an instance on, and waits until it has. Says whether there is such a guardian:
/// where there is, no other may be started. In a container it is PID 1, whose end kills what it does not guard.
pub fn request_start(layout: &Layout, name: &InstanceName, limit: Duration) -> Result<bool, RequestError> {
    let began = Instant::now();
    let mut told: Option<Instant> = None;
    while guardian_of(layout, name).is_none() {
        let Some(boot) = holder(&boot_lock(layout)) else {
            // It ends just now, and takes nothing on any more.
            let _ = take(&request_file(layout, name));
            return Ok(false);
        };
        if told.is_none_or(|when| when.elapsed() >= AGAIN) {
            if told.is_some() && !request_file(layout, name).exists() {
                // It was taken on, and has ended already.
                return Ok(true);
            }
            leave(layout, name, Request::Start)?;
            signal(name, boot)?;
            told = Some(Instant::now());
        }
        if began.elapsed() >= limit {
            let _ = take(&request_file(layout, name));
            return Err(RequestError::NotTaken { name: name.clone(), pid: boot.pid, limit });
        }
        std::thread::sleep(LOOK);
    }
    Ok(true)
}

/// The instances that are to be taken on; the requests are gone then. Those for others are left to them.
pub(super) fn take_starts(locks: &Utf8Path, guarded: impl Fn(&InstanceName) -> bool) -> Vec<InstanceName> {
    let files = files::list(locks).ok().flatten().unwrap_or_default();
    let named = files.iter().filter_map(|file| file.strip_suffix(REQUEST));
    let others = named.filter_map(|name| InstanceName::new(name).ok()).filter(|name| !guarded(name));
    others.filter(|name| take(&locks.join(format!("{name}{REQUEST}"))) == Some(Request::Start)).collect()
}

fn signal(name: &InstanceName, process: ProcessIdentity) -> Result<(), RequestError> {
    identity::signal(process, Signal::USR1).map_err(|source| RequestError::Signal {
        name: name.clone(),
        pid: process.pid,
        source,
    })
}

/// Where a request for the guardian of an instance is left.
#[must_use]
pub fn request_file(layout: &Layout, name: &InstanceName) -> Utf8PathBuf {
    layout.locks().join(format!("{name}{REQUEST}"))
}

fn leave(layout: &Layout, name: &InstanceName, request: Request) -> Result<(), RequestError> {
    let path = request_file(layout, name);
    let failed = |source| RequestError::File { name: name.clone(), path: path.clone(), source };
    if own_file::rewrite(&path, request.word()).map_err(failed)? {
        return Ok(());
    }
    let temporary = Utf8PathBuf::from(format!("{path}.{}", std::process::id()));
    let written = match fs_err::write(&temporary, request.word()) {
        // A service is to be stopped on a full disk too. A link has its word in its own entry and needs no room.
        Err(error) if is_full(&error) => fs_err::remove_file(&temporary)
            .and_then(|()| Ok(os::fs::lead(temporary.as_str(), request.word().trim_end())?)),
        written => written,
    };
    written.and_then(|()| own_file::replace(&temporary, &path)).map_err(failed)
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}

/// Takes the request that was left, if there is one: it is gone then.
pub(super) fn take(path: &Utf8Path) -> Option<Request> {
    if let Ok(Some(word)) = files::read_link(path) {
        fs_err::remove_file(path).ok()?;
        return Request::of(&(word + "\n"));
    }
    let file = own_file::reading().open(path).ok()?;
    let mut word = String::new();
    let read = file.take(64).read_to_string(&mut word);
    if word.is_empty() {
        // It lies there for the next one, who may be about to write.
        return None;
    }
    // One that stays would be obeyed again and again.
    own_file::consume(path).ok()?;
    read.ok()?;
    Request::of(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let layout = Layout::system().below(root);
        let name = InstanceName::new("x").unwrap();
        std::fs::create_dir_all(layout.locks()).unwrap();
        let path = request_file(&layout, &name);
        assert_eq!(take(&path), None);
        for request in [Request::Start, Request::Stop, Request::Restart] {
            leave(&layout, &name, request).unwrap();
            assert_eq!(take(&path), Some(request));
            assert_eq!(take(&path), None);
        }
        // As it is left on a full disk.
        files::link(&path, Utf8Path::new("stop")).unwrap();
        assert_eq!(take(&path), Some(Request::Stop));
        assert_eq!(take(&path), None);
        // A word that nobody is left to take does not stay.
        leave(&layout, &name, Request::Stop).unwrap();
        assert_eq!(stop_guardian(&layout, &name, Duration::ZERO).unwrap(), Stop::NotRunning);
        assert!(!path.exists());
        assert_eq!(request_restart(&layout, &name).unwrap(), Restart::NotRunning);
    }
}
