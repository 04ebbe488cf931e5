//! Windows: what the kernel says of a process, and a handle to it.

use std::io;
use std::time::{Duration, SystemTime};

use super::Process;

use crate::host::os::list::{self, Listed};
use crate::host::os::process::{self as single, For};
use crate::host::os::{AsFd as _, OwnedFd, console};
use crate::host::process::KILLED;
use crate::host::signal::{self, Signal};
use crate::model::status::ProcessIdentity;

/// From the beginning of the kernel's calendar to that of 1970.
const TO_1970: Duration = Duration::from_secs(11_644_473_600);
/// How much of a name is kept, in bytes, as elsewhere.
const LONGEST_NAME: usize = 15;

/// What the system says of a process. `None`: there is none of this number.
pub(super) fn process(pid: u32) -> Option<Process> {
    let held = match single::open(pid, For::Looking) {
        Ok(held) => held,
        // It is another account's: then the list is all that there is.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return list::all().ok()?.into_iter().find(|listed| listed.pid == pid).as_ref().map(told);
        }
        Err(_) => return None,
    };
    let held = held.as_fd();
    let path = single::program(held).unwrap_or_default();
    let file = path.rsplit('\\').next().unwrap_or_default();
    Some(Process {
        identity: ProcessIdentity { pid, start_ticks: single::started(held).ok()? },
        parent: single::parent(held).unwrap_or(0),
        group: pid,
        session: 0,
        name: name_of(file),
        state: 'S',
        ended: single::exit_code(held).is_some(),
    })
}

/// A process as it is listed.
pub(in crate::host) fn told(listed: &Listed) -> Process {
    Process {
        identity: ProcessIdentity { pid: listed.pid, start_ticks: listed.started },
        parent: listed.parent,
        group: listed.pid,
        session: listed.session,
        name: name_of(&listed.name),
        state: 'S',
        ended: false,
    }
}

/// The name as elsewhere: without what every program's ends in here.
fn name_of(file: &str) -> String {
    let stem = file.rsplit_once('.').filter(|(_, kind)| kind.eq_ignore_ascii_case("exe"));
    let mut name = stem.map_or(file, |(stem, _)| stem).to_owned();
    name.truncate((0..=LONGEST_NAME).rev().find(|length| name.is_char_boundary(*length)).unwrap_or(0));
    name
}

/// When a process started, by the clock of files.
pub(super) fn started(process: ProcessIdentity) -> Option<SystemTime> {
    let since_1970 = Duration::from_millis(process.start_ticks).checked_sub(TO_1970)?;
    SystemTime::UNIX_EPOCH.checked_add(since_1970)
}

/// Tells this boot of the host from all others: when the kernel started its first process.
#[must_use]
pub fn boot_id() -> String {
    list::boot().to_string()
}

/// Sends a signal to this very process.
pub(super) fn signal(identity: ProcessIdentity, signal: Signal) -> io::Result<()> {
    let purpose = if signal == Signal::KILL { For::Ending } else { For::Looking };
    match single::open(identity.pid, purpose) {
        Ok(held) => signal_held(&held, identity, signal),
        Err(error) if single::is_gone(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Takes hold of a process. `None`: there is none of this number, or nobody may.
pub(in crate::host) fn hold(pid: u32) -> Option<OwnedFd> {
    single::open(pid, For::Ending).or_else(|_| single::open(pid, For::Looking)).ok()
}

/// Sends a signal to a process that is held. One of ours hears it as what it is; another's console and windows are asked
/// to close.
pub(super) fn signal_held(held: &OwnedFd, identity: ProcessIdentity, signal: Signal) -> io::Result<()> {
    let held = held.as_fd();
    if single::started(held)? != identity.start_ticks || single::exit_code(held).is_some() {
        return Ok(());
    }
    if signal == Signal::KILL {
        return single::end(held, KILLED);
    }
    if !signal::ask(identity, signal)? {
        // Whom nobody can ask is ended later.
        let _ = console::ask_to_end(identity.pid);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_the_program_without_its_kind() {
        assert_eq!(name_of("Server.EXE"), "Server");
        assert_eq!(name_of("orchestrator-worker.exe"), "orchestrator-wo");
        assert_eq!(name_of("System"), "System");
    }
}
