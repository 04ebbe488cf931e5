//! macOS: what `libproc` and `sysctl(3)` say of processes, and kqueue(2), which tells their end.

use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime};

use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, getpgid, getsid, kill_process};
use sysctl::Sysctl as _;
use sysinfo::{ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System};

use super::{Process, listed, runs};
use crate::host::command::{self, Manner};
use crate::model::status::ProcessIdentity;

/// How much of a name is kept, in bytes: as much as Linux keeps, so that names are compared alike everywhere.
const LONGEST_NAME: usize = 15;
/// How long ps(1) may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the system says of a process. Its start is in seconds since the beginning of 1970: a number comes back after
/// 99,998 other processes at the earliest.
pub(super) fn process(pid: u32) -> Option<Process> {
    let number = sysinfo::Pid::from_u32(pid);
    let mut system = System::new();
    let wanted = ProcessesToUpdate::Some(&[number]);
    system.refresh_processes_specifics(wanted, true, ProcessRefreshKind::nothing());
    // Of a process of another account the library tells the name alone, unless root asks.
    told(system.process(number)?).or_else(|| of_another_account(pid))
}

/// What ps(1) tells of a process, which may look at those of all accounts.
fn of_another_account(pid: u32) -> Option<Process> {
    let environment =
        [("LC_ALL", "C"), ("TZ", "UTC0")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let manner = Manner { environment: Some(&environment), limit: Some(PATIENCE), ..Manner::default() };
    let words = ["/bin/ps", "-o", listed::COLUMNS, "-p", &pid.to_string()].map(str::to_owned);
    let mut found = listed::parse(pid, &command::output(&words, manner).ok()?.stdout)?;
    found.session = number(getsid(Pid::from_raw(i32::try_from(pid).ok()?)));
    Some(found)
}

fn number(found: rustix::io::Result<Pid>) -> u32 {
    found.map_or(0, |found| found.as_raw_nonzero().get().unsigned_abs())
}

/// What the library tells of a process. `None`: not enough to know which one it is.
pub(in crate::host) fn told(process: &sysinfo::Process) -> Option<Process> {
    let pid = process.pid().as_u32();
    let start_ticks = Some(process.start_time()).filter(|start| *start > 0)?;
    let raw = Pid::from_raw(i32::try_from(pid).ok()?);
    let name = process.name().as_encoded_bytes();
    let name = String::from_utf8_lossy(name.get(..LONGEST_NAME).unwrap_or(name)).into_owned();
    let state = match process.status() {
        ProcessStatus::Run => 'R',
        ProcessStatus::Stop | ProcessStatus::Tracing => 'T',
        ProcessStatus::UninterruptibleDiskSleep => 'D',
        ProcessStatus::Zombie => 'Z',
        ProcessStatus::Dead => 'X',
        _ => 'S',
    };
    Some(Process {
        identity: ProcessIdentity { pid, start_ticks },
        parent: process.parent().map_or(0, sysinfo::Pid::as_u32),
        group: number(getpgid(raw)),
        session: number(getsid(raw)),
        name,
        state,
        ended: matches!(state, 'Z' | 'X'),
    })
}

/// When a process started, by the clock of files.
pub(super) fn started(process: ProcessIdentity) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(process.start_ticks))
}

/// Tells this boot of the host from all others (`kern.bootsessionuuid`). Empty where the system has no such thing.
#[must_use]
pub fn boot_id() -> String {
    let setting = sysctl::Ctl::new("kern.bootsessionuuid").and_then(|setting| setting.value_string());
    setting.map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// Sends a signal to this very process: a look at its start time just before is the best there is.
pub(super) fn signal(identity: ProcessIdentity, signal: Signal) -> std::io::Result<()> {
    let Some(pid) = i32::try_from(identity.pid).ok().and_then(Pid::from_raw) else { return Ok(()) };
    if !runs(identity) {
        return Ok(());
    }
    match kill_process(pid, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A queue of events that becomes readable when a process ends (`EVFILT_PROC`, kqueue(2)). It is never read, so that it
/// stays readable. `None`: there is no such process.
pub(in crate::host) fn hold(pid: u32) -> Option<OwnedFd> {
    let (filter, of_exit) = (EventFilter::EVFILT_PROC, FilterFlag::NOTE_EXIT);
    let wanted = KEvent::new(usize::try_from(pid).ok()?, filter, EvFlags::EV_ADD, of_exit, 0, 0);
    let queue = Kqueue::new().ok()?;
    queue.kevent(&[wanted], &mut [], None).ok()?;
    Some(queue.into())
}

/// Sends a signal to a process that is held.
pub(super) fn signal_held(_: &OwnedFd, identity: ProcessIdentity, wanted: Signal) -> std::io::Result<()> {
    signal(identity, wanted)
}
