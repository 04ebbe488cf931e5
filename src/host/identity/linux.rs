//! Linux: proc(5), and `pidfd_open(2)`.

use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use super::{Process, runs};
use crate::host::clock;
use crate::model::status::ProcessIdentity;

/// The clock ticks of a second in `/proc` (`USER_HZ`, proc(5)): the same on every system that Linux runs on today.
const TICKS: u64 = 100;

/// What the system says of a process (`/proc/PID/stat`, proc(5)).
pub(super) fn process(pid: u32) -> Option<Process> {
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

/// When a process started, by the clock of files.
pub(super) fn started(process: ProcessIdentity) -> Option<SystemTime> {
    let started = Duration::from_millis(process.start_ticks.saturating_mul(1000 / TICKS));
    let age = Duration::from_millis(clock::boot_now().0).saturating_sub(started);
    SystemTime::from(clock::now().0).checked_sub(age)
}

/// Tells this boot of the host from all others (`/proc/sys/kernel/random/boot_id`, random(4)). Empty where
/// the system has no such thing.
#[must_use]
pub fn boot_id() -> String {
    fs_err::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}

/// Sends a signal to this very process.
pub(super) fn signal(identity: ProcessIdentity, signal: Signal) -> std::io::Result<()> {
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

/// Takes hold of a process (`pidfd_open(2)`). `None`: there is none of this number.
pub(in crate::host) fn hold(pid: u32) -> Option<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// Sends a signal to a process that is held.
pub(super) fn signal_held(held: &OwnedFd, _: ProcessIdentity, signal: Signal) -> std::io::Result<()> {
    match pidfd_send_signal(held, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
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
}
