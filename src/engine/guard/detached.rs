//! A guardian that outlives the command and the terminal that start it.

use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::engine::guard::{GuardError, system};
use crate::host::holder::holder;
use crate::host::identity::{self, ProcessHandle};
use crate::host::process::{self, Input, Particulars, Sink, Start};
use crate::host::signal::Signal;
use crate::host::{files, session};
use crate::model::status::{Exit, ProcessIdentity};

/// The pause between two looks whether the guardian is there.
const LOOK: Duration = Duration::from_millis(2);

/// Why no guardian was started.
#[derive(Debug, Error)]
pub enum DetachedError {
    /// There is one already.
    #[error("process {} guards this instance already", .0.pid)]
    Guarded(ProcessIdentity),
    /// Its log can't be written.
    #[error("can't write the guardian's log `{path}`")]
    Log {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The system refuses to start it.
    #[error("can't start `{program}` as guardian")]
    Start {
        /// The program.
        program: Utf8PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It ended before it held its lock.
    #[error("the guardian {exit}; what it said stands in `{log}`")]
    Ended {
        /// How.
        exit: Exit,
        /// Its log.
        log: Utf8PathBuf,
    },
    /// It does not hold its lock in time.
    #[error("the guardian, process {pid}, did not begin within {} s", limit.as_secs())]
    Slow {
        /// The process.
        pid: u32,
        /// How long was waited.
        limit: Duration,
    },
}

/// Starts a guardian and returns when it holds its lock. The arguments have to make it call [`detach`]. What it
/// says is added to `log`; its standard input and output are `/dev/null`.
pub fn start_detached(
    program: &Utf8Path,
    arguments: &[String],
    lock: &Utf8Path,
    log: &Utf8Path,
    limit: Duration,
) -> Result<ProcessIdentity, DetachedError> {
    if let Some(guardian) = holder(lock) {
        return Err(DetachedError::Guarded(guardian));
    }
    let log_error = |source| DetachedError::Log { path: log.to_owned(), source };
    if let Some(folder) = log.parent() {
        files::make_folders(folder).map_err(log_error)?;
    }
    let file = fs_err::OpenOptions::new().append(true).create(true).open(log).map_err(log_error)?;
    let all: Vec<String> = std::iter::once(program.to_string()).chain(arguments.iter().cloned()).collect();
    let start = Start {
        program,
        arguments: &all,
        environment: None,
        folder: None,
        account: None,
        leads_group: false,
        input: Input::Null,
        output: Sink::Null,
        error: Sink::File(file.into_parts().0),
    };
    let child = process::start_with(&start, &Particulars { apart: true, ..Particulars::default() })
        .map_err(|source| DetachedError::Start { program: program.to_owned(), source })?;
    let began = Instant::now();
    loop {
        match holder(lock) {
            Some(guardian) if guardian.pid == child.pid => return Ok(guardian),
            // Two commands at once; the other's guardian was faster, and ours ends by itself.
            Some(other) => return Err(DetachedError::Guarded(other)),
            None => {}
        }
        if let Some(exit) = process::reap_one(child.pid) {
            return Err(DetachedError::Ended { exit, log: log.to_owned() });
        }
        if began.elapsed() >= limit {
            if let Some(handle) = identity::identity_of(child.pid).and_then(ProcessHandle::open) {
                // What comes too late must not come at all: the caller says that nothing was started.
                let _ = handle.signal(Signal::KILL);
            }
            return Err(DetachedError::Slow { pid: child.pid, limit });
        }
        std::thread::sleep(LOOK);
    }
}

/// Makes this process a guardian of its own: a session without a terminal (setsid(2)), no folder held, files
/// made as the system makes them, whatever shell it came from.
pub fn detach() -> Result<(), GuardError> {
    session::detach().map_err(system("leave the session of the terminal"))
}
