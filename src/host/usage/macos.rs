//! macOS: `libproc` for the words of processes, and lsof(8) for their programs, folders, files and libraries.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use super::listed;
use crate::host::command::{self, Manner};

/// Who lists what processes have open.
const LISTER: &str = "/usr/sbin/lsof";
/// The same, for people.
pub(super) const PLACE: &str = "by `lsof`";
/// How long that may take: a name on a file server that does not answer is not asked about (`-b`).
const PATIENCE: Duration = Duration::from_secs(60);

/// Hands on each text of a process in which a path may stand. Returns the processes of which not all can be known.
pub(super) fn texts(each: &mut dyn FnMut(&[u8])) -> io::Result<Vec<u32>> {
    let mut system = System::new();
    let kind = ProcessRefreshKind::nothing().with_cmd(UpdateKind::Always).with_environ(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
    for process in system.processes().values() {
        for text in process.cmd().iter().chain(process.environ()) {
            each(text.as_encoded_bytes());
        }
    }
    let words = [LISTER, "-b", "-w", "-n", "-P", "-F", listed::FIELDS].map(str::to_owned);
    // It ends with an error code where a single process could not be looked at.
    let output = command::output(&words, Manner { limit: Some(PATIENCE), ..Manner::default() })?;
    let mut told = BTreeSet::new();
    listed::parse(&output.stdout, &mut told, each);
    if told.is_empty() {
        return Err(io::Error::other(output.stderr));
    }
    let all = system.processes().keys().map(|pid| pid.as_u32());
    Ok(all.filter(|pid| !told.contains(pid)).collect())
}
