//! macOS: what `libproc` and `KERN_PROCARGS2` (`sysctl(3)`) say.

use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use camino::Utf8Path;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use crate::host::identity::{self, Process};
use crate::host::tree::{LONGEST_NAME, MARK, orphans};

/// How much of a script is read to find its interpreter, in bytes: what the system itself reads of its first line.
const FIRST_LINE: u64 = 512;

/// Nobody is the reaper of descendants here: launchd gets every orphan, and [`all`] gives it back to whom it belongs.
pub fn become_reaper() -> std::io::Result<()> {
    Ok(())
}

/// Every process of the host that has not ended and may be looked at. An orphan has the parent to whom it belongs.
#[must_use]
pub fn all() -> Vec<Process> {
    let mut system = System::new();
    let kind = ProcessRefreshKind::nothing().with_environ(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
    let found = system.processes().values().filter_map(|process| {
        let mark = value(process.environ(), MARK).and_then(|mark| mark.parse().ok());
        Some((identity::told(process)?, mark))
    });
    orphans::adopted(found.filter(|(process, _)| !process.ended).collect())
}

/// Looks at one process.
fn look<T>(pid: u32, kind: ProcessRefreshKind, of: impl FnOnce(&sysinfo::Process) -> Option<T>) -> Option<T> {
    let number = sysinfo::Pid::from_u32(pid);
    let mut system = System::new();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[number]), true, kind);
    of(system.process(number)?)
}

/// The words that a process was started with, its own name first. `None`: they can't be known.
#[must_use]
pub fn arguments(pid: u32) -> Option<Vec<String>> {
    look(pid, ProcessRefreshKind::nothing().with_cmd(UpdateKind::Always), |process| {
        let words = process.cmd().iter().map(|word| word.to_string_lossy().into_owned());
        Some(words.collect::<Vec<_>>()).filter(|words| !words.is_empty())
    })
}

/// A variable in the environment that a process was started with.
#[must_use]
pub fn variable(pid: u32, name: &str) -> Option<String> {
    let kind = ProcessRefreshKind::nothing().with_environ(UpdateKind::Always);
    look(pid, kind, |process| value(process.environ(), name))
}

fn value(environment: &[impl AsRef<OsStr>], name: &str) -> Option<String> {
    let value = environment.iter().find_map(|entry| {
        entry.as_ref().as_encoded_bytes().strip_prefix(name.as_bytes())?.strip_prefix(b"=")
    })?;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// The program that a process runs. `None`: it may not be known.
#[must_use]
pub fn program(pid: u32) -> Option<PathBuf> {
    let kind = ProcessRefreshKind::nothing().with_exe(UpdateKind::Always);
    look(pid, kind, |process| process.exe().map(PathBuf::from))
}

/// The folder in which a process stands. `None`: it may not be known.
#[must_use]
pub fn folder(pid: u32) -> Option<PathBuf> {
    let kind = ProcessRefreshKind::nothing().with_cwd(UpdateKind::Always);
    look(pid, kind, |process| process.cwd().map(PathBuf::from))
}

/// The account of a process. `None`: there is no such process, or it is another account's.
#[must_use]
pub fn owner(pid: u32) -> Option<u32> {
    look(pid, ProcessRefreshKind::nothing().with_user(UpdateKind::Always), |process| {
        process.user_id().map(|user| **user)
    })
}

/// Whether a process runs this very file. `None`: this can't be known, as of a file that is gone by now.
#[must_use]
pub fn runs_file(pid: u32, file: &Utf8Path) -> Option<bool> {
    let number = |path: &Path| fs_err::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    Some(number(&program(pid)?)? == number(file.as_std_path())?)
}

/// Whether a process runs a script: the script's first line names its interpreter, after which the process is called.
pub(super) fn interprets(process: &Process, script: &Utf8Path) -> bool {
    let mut line = Vec::new();
    let read = fs_err::File::open(script).and_then(|file| file.take(FIRST_LINE).read_to_end(&mut line));
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Some(line) = line.strip_prefix(b"#!").filter(|_| read.is_ok()) else { return false };
    String::from_utf8_lossy(line).split_ascii_whitespace().any(|word| {
        let name = Utf8Path::new(word).file_name().unwrap_or_default();
        name.get(..LONGEST_NAME).unwrap_or(name) == process.name
    })
}
