//! Which process is meant: a number alone is used again by the system, its start time with it is not.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(target_os = "macos", test))]
mod listed;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

use std::time::{Duration, SystemTime};

use crate::host::rest::{self, AsFd, BorrowedFd, OwnedFd};
use crate::host::signal::Signal;
use crate::model::status::ProcessIdentity;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
#[cfg(windows)]
use windows as system;

pub use system::boot_id;
#[cfg(unix)]
pub(super) use system::hold;
#[cfg(any(target_os = "macos", windows))]
pub(in crate::host) use system::told;

/// What the clock of files and that of processes may differ by.
const TOLERANCE: Duration = Duration::from_secs(2);

/// What the system says of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Which one it is.
    pub identity: ProcessIdentity,
    /// Its parent.
    pub parent: u32,
    /// Its process group.
    pub group: u32,
    /// Its session.
    pub session: u32,
    /// The first 15 bytes of its program's name.
    pub name: String,
    /// Its state: `R`, `S`, `D` for waiting that nothing interrupts, `T` for stopped, and others.
    pub state: char,
    /// Whether it has ended and only waits for its parent to notice.
    pub ended: bool,
}

/// What the system says of a process. `None`: there is none of this number.
#[must_use]
pub fn process(pid: u32) -> Option<Process> {
    system::process(pid)
}

/// Which process has this number now. `None`: there is none.
#[must_use]
pub fn identity_of(pid: u32) -> Option<ProcessIdentity> {
    process(pid).map(|process| process.identity)
}

/// This process.
#[must_use]
pub fn own() -> ProcessIdentity {
    let pid = std::process::id();
    identity_of(pid).unwrap_or(ProcessIdentity { pid, start_ticks: 0 })
}

/// Whether this very process still runs. One that has ended and waits for its parent does not.
#[must_use]
pub fn runs(identity: ProcessIdentity) -> bool {
    process(identity.pid).is_some_and(|process| process.identity == identity && !process.ended)
}

/// Whether a process started after a file was written: then the number in that file was another's.
#[must_use]
pub fn is_younger(process: ProcessIdentity, written: SystemTime) -> bool {
    system::started(process).is_some_and(|start| start > written + TOLERANCE)
}

/// Sends a signal to this very process. One that has ended already is no error.
pub fn signal(identity: ProcessIdentity, signal: Signal) -> std::io::Result<()> {
    system::signal(identity, signal)
}

/// A hold on one process: a signal sent through it never reaches another that was given its number. Its descriptor
/// becomes readable when the process has ended.
#[derive(Debug)]
pub struct ProcessHandle {
    identity: ProcessIdentity,
    descriptor: OwnedFd,
}

impl ProcessHandle {
    /// Takes hold of a process. `None`: it runs no longer.
    #[must_use]
    pub fn open(identity: ProcessIdentity) -> Option<Self> {
        let descriptor = system::hold(identity.pid)?;
        // Looked at after the descriptor is there: from now on the number can't change its meaning.
        runs(identity).then_some(Self { identity, descriptor })
    }

    /// Which process it is.
    #[must_use]
    pub fn identity(&self) -> ProcessIdentity {
        self.identity
    }

    /// Sends a signal. One that has ended already is no error.
    pub fn signal(&self, signal: Signal) -> std::io::Result<()> {
        system::signal_held(&self.descriptor, self.identity, signal)
    }

    /// Waits until it has ended, but no longer than the limit; says whether it has.
    #[must_use]
    pub fn wait(&self, limit: Duration) -> bool {
        let until = std::time::Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(std::time::Instant::now());
            match rest::any(&[self.descriptor.as_fd()], Some(left)) {
                Ok(false) => return false,
                // A signal that was caught wakes too.
                Ok(true) if runs(self.identity) => {}
                Ok(true) => return true,
                Err(_) => return !runs(self.identity),
            }
        }
    }
}

#[cfg(unix)]
impl AsFd for ProcessHandle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

#[cfg(windows)]
impl std::os::windows::io::AsHandle for ProcessHandle {
    fn as_handle(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_runs_and_one_of_another_time_does_not() {
        let this = own();
        assert!(this.start_ticks > 0 && runs(this));
        let other = ProcessIdentity { start_ticks: this.start_ticks + 1, ..this };
        assert!(!runs(other));
        assert!(ProcessHandle::open(other).is_none());
        assert!(!ProcessHandle::open(this).unwrap().wait(Duration::from_millis(1)));
    }

    #[test]
    fn this_process_is_younger_than_what_was_written_before_it_and_no_other() {
        let this = own();
        let started = system::started(this).unwrap();
        assert!(is_younger(this, started - Duration::from_secs(60)));
        assert!(!is_younger(this, started + Duration::from_secs(60)));
        assert!(!boot_id().is_empty());
    }
}
