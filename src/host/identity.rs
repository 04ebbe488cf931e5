//! Which process is meant: a number alone is used again by the system, its start time with it is not.

use std::time::{Duration, SystemTime};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, kill_process, pidfd_open, pidfd_send_signal};

use crate::host::clock;
use crate::host::rest::{self, AsFd, BorrowedFd, OwnedFd};
use crate::host::signal::Signal;
use crate::model::status::ProcessIdentity;

/// The clock ticks of a second in `/proc` (`USER_HZ`, proc(5)): the same on every system that Linux runs on today.
const TICKS: u64 = 100;
/// What the clock of files and that of processes may differ by.
const TOLERANCE: Duration = Duration::from_secs(2);

/// What the system says of a process (`/proc/PID/stat`, proc(5)).
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
    parse(pid, &fs_err::read(format!("/proc/{pid}/stat")).ok()?)
}

fn parse(pid: u32, stat: &[u8]) -> Option<Process> {
    // The name stands in parentheses and may itself hold any of them, so the last one counts.
    let open = stat.iter().position(|byte| *byte == b'(')?;
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let name = String::from_utf8_lossy(stat.get(open + 1..close)?).into_owned();
    let rest = std::str::from_utf8(stat.get(close + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let ended = matches!(state, 'Z' | 'X' | 'x');
    let mut number = || fields.next()?.parse::<i64>().ok().map(|number| u32::try_from(number).unwrap_or(0));
    let (parent, group, session) = (number()?, number()?, number()?);
    // The fields 7 to 21 are of no use here; the 22nd is the start time.
    let start_ticks = fields.nth(15)?.parse().ok()?;
    let identity = ProcessIdentity { pid, start_ticks };
    Some(Process { identity, parent, group, session, name, state, ended })
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
    let started = Duration::from_millis(process.start_ticks.saturating_mul(1000 / TICKS));
    let age = Duration::from_millis(clock::boot_now().0).saturating_sub(started);
    let start = SystemTime::from(clock::now().0).checked_sub(age);
    start.is_some_and(|start| start > written + TOLERANCE)
}

/// Tells this boot of the host from all others (`/proc/sys/kernel/random/boot_id`, random(4)). Empty where
/// the system has no such thing.
#[must_use]
pub fn boot_id() -> String {
    fs_err::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}

/// Sends a signal to this very process. One that has ended already is no error.
pub fn signal(identity: ProcessIdentity, signal: Signal) -> std::io::Result<()> {
    let Some(pid) = i32::try_from(identity.pid).ok().and_then(Pid::from_raw) else { return Ok(()) };
    let result = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(descriptor) if runs(identity) => pidfd_send_signal(descriptor, signal),
        // Before Linux 5.3: a look at the start time just before is the best there is.
        Err(Errno::NOSYS) if runs(identity) => kill_process(pid, signal),
        Ok(_) | Err(Errno::SRCH | Errno::NOSYS) => Ok(()),
        Err(error) => Err(error),
    };
    match result {
        Err(Errno::SRCH) => Ok(()),
        other => other.map_err(Into::into),
    }
}

/// A hold on one process: a signal sent through it never reaches another that was given its number
/// (`pidfd_open(2)`). Its descriptor becomes readable when the process has ended.
#[derive(Debug)]
pub struct ProcessHandle {
    identity: ProcessIdentity,
    descriptor: OwnedFd,
}

impl ProcessHandle {
    /// Takes hold of a process. `None`: it runs no longer.
    #[must_use]
    pub fn open(identity: ProcessIdentity) -> Option<Self> {
        let pid = Pid::from_raw(i32::try_from(identity.pid).ok()?)?;
        let descriptor = pidfd_open(pid, PidfdFlags::empty()).ok()?;
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
        match pidfd_send_signal(&self.descriptor, signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
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

impl AsFd for ProcessHandle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_parentheses_and_blanks_are_read() {
        let stat = b"42 (a) S (b) S 7 42 40 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3\n";
        let process = parse(42, stat).unwrap();
        assert_eq!(process.name, "a) S (b");
        assert_eq!((process.parent, process.group, process.session), (7, 42, 40));
        assert_eq!(process.identity, ProcessIdentity { pid: 42, start_ticks: 987_654 });
        assert!(!process.ended && process.state == 'S');
        assert_eq!(parse(42, b"42 (x"), None);
    }

    #[test]
    fn this_process_runs_and_one_of_another_time_does_not() {
        let this = own();
        assert!(this.start_ticks > 0 && runs(this));
        let other = ProcessIdentity { start_ticks: this.start_ticks + 1, ..this };
        assert!(!runs(other));
        assert!(ProcessHandle::open(other).is_none());
        assert!(!ProcessHandle::open(this).unwrap().wait(Duration::from_millis(1)));
    }
}
