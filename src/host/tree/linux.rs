//! Linux: proc(5).

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use camino::Utf8Path;
use rustix::process::{getpid, set_child_subreaper};

use crate::host::identity::{self, Process};
use crate::host::tree::LONGEST_NAME;

/// Makes this process the reaper of all its descendants.
pub fn become_reaper() -> std::io::Result<()> {
    set_child_subreaper(Some(getpid())).map_err(Into::into)
}

/// Every process of the host that has not ended.
#[must_use]
pub fn all() -> Vec<Process> {
    let Ok(entries) = fs_err::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(identity::process).filter(|process| !process.ended).collect()
}

/// The words that a process was started with, its own name first (`/proc/PID/cmdline`). `None`: they can't be known.
#[must_use]
pub fn arguments(pid: u32) -> Option<Vec<String>> {
    let line = fs_err::read(format!("/proc/{pid}/cmdline")).ok()?;
    let line = line.strip_suffix(b"\0").unwrap_or(&line);
    Some(line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect())
}

/// A variable in the environment that a process was started with (`/proc/PID/environ`).
#[must_use]
pub fn variable(pid: u32, name: &str) -> Option<String> {
    let environment = fs_err::read(format!("/proc/{pid}/environ")).ok()?;
    let value = environment
        .split(|byte| *byte == 0)
        .find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// The program that a process runs (`/proc/PID/exe`). `None`: it may not be known.
#[must_use]
pub fn program(pid: u32) -> Option<PathBuf> {
    fs_err::read_link(format!("/proc/{pid}/exe")).ok()
}

/// The folder in which a process stands (`/proc/PID/cwd`). `None`: it may not be known.
#[must_use]
pub fn folder(pid: u32) -> Option<PathBuf> {
    fs_err::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// The account of a process. `None`: there is no such process.
#[must_use]
pub fn owner(pid: u32) -> Option<u32> {
    fs_err::metadata(format!("/proc/{pid}")).ok().map(|found| found.uid())
}

/// Whether a process runs this very file, also where its name leads elsewhere by now: the link leads to the file itself
/// (proc(5)). `None`: this can't be known.
#[must_use]
pub fn runs_file(pid: u32, file: &Utf8Path) -> Option<bool> {
    let number = |path: &Utf8Path| fs_err::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    Some(number(Utf8Path::new(&format!("/proc/{pid}/exe")))? == number(file)?)
}

/// Whether a process runs a script: it has the script's name then, of which the kernel keeps 15 bytes.
pub(super) fn interprets(process: &Process, script: &Utf8Path) -> bool {
    let name = script.file_name().unwrap_or_default();
    name.get(..LONGEST_NAME).unwrap_or(name) == process.name
}
