//! macOS: what `libproc` says.

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

/// Whether the system limits the memory of this process: macOS limits that of applications of its own alone.
#[must_use]
pub fn is_limited() -> bool {
    false
}

/// What one process holds in memory, what it shares included. `None`: it has ended, or is another account's.
pub(super) fn of(pid: u32) -> Option<u64> {
    let number = sysinfo::Pid::from_u32(pid);
    let mut system = System::new();
    let wanted = ProcessesToUpdate::Some(&[number]);
    system.refresh_processes_specifics(wanted, true, ProcessRefreshKind::nothing().with_memory());
    system.process(number).map(sysinfo::Process::memory)
}
