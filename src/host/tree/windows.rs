//! Windows: the kernel's list, and the jobs into which programs are started.

use std::collections::BTreeMap;
use std::path::PathBuf;

use camino::Utf8Path;

use crate::host::identity::{self, Process};
use crate::host::os::AsFd as _;
use crate::host::os::process::{self as single, For};
use crate::host::os::{list, words};
use crate::host::process as children;

/// Orphans stay in the job in which they were born, by which [`all`] gives them back to this process.
pub fn become_reaper() -> std::io::Result<()> {
    Ok(())
}

/// Every process of the host that has not ended. A process keeps the number of its parent for good, which may be
/// another's by then: a parent that is younger is none. What is in a job of this process and has no parent is given to
/// this process, as the kernel gives orphans to their reaper elsewhere.
#[must_use]
pub fn all() -> Vec<Process> {
    let mut found = list::all().unwrap_or_default();
    found.retain(|process| !is_console(&process.name));
    let ours = children::bound();
    adopted(found.iter().map(identity::told).collect(), &ours, std::process::id())
}

/// Whether a process is the window of others: the system starts one below whoever has a console, and with it that one
/// ends as well.
fn is_console(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(name.strip_suffix(".exe").unwrap_or(&name), "conhost" | "openconsole")
}

fn adopted(mut found: Vec<Process>, ours: &[u32], this: u32) -> Vec<Process> {
    let started: BTreeMap<u32, u64> =
        found.iter().map(|process| (process.identity.pid, process.identity.start_ticks)).collect();
    for process in &mut found {
        let lives =
            started.get(&process.parent).is_some_and(|parent| *parent <= process.identity.start_ticks);
        if !lives {
            process.parent = if ours.contains(&process.identity.pid) { this } else { 0 };
        }
    }
    found
}

/// The words that a process was started with, its own name first. `None`: they can't be known.
#[must_use]
pub fn arguments(pid: u32) -> Option<Vec<String>> {
    Some(words::split(&single::given(pid)?.line))
}

/// A variable in the environment that a process was started with.
#[must_use]
pub fn variable(pid: u32, name: &str) -> Option<String> {
    let given = single::given(pid)?;
    given.environment.iter().find_map(|variable| {
        let (found, value) = variable.split_once('=')?;
        found.eq_ignore_ascii_case(name).then(|| value.to_owned())
    })
}

/// The program that a process runs. `None`: it may not be known.
#[must_use]
pub fn program(pid: u32) -> Option<PathBuf> {
    single::program(single::open(pid, For::Looking).ok()?.as_fd()).map(PathBuf::from)
}

/// The folder in which a process stands. `None`: it may not be known.
#[must_use]
pub fn folder(pid: u32) -> Option<PathBuf> {
    single::given(pid).map(|given| PathBuf::from(given.folder))
}

/// The account of a process is not asked for: whose it is counts only where an account could be told by a number. `None`.
#[must_use]
pub fn owner(_pid: u32) -> Option<u32> {
    None
}

/// Whether a process runs this very file. A program that runs can't be replaced in its place here, and the system says
/// where it is by now. `None`: this can't be known.
#[must_use]
pub fn runs_file(pid: u32, file: &Utf8Path) -> Option<bool> {
    let program = program(pid)?.canonicalize().ok()?;
    Some(program == file.as_std_path().canonicalize().ok()?)
}

/// Whether a process runs a script that it was given: an interpreter is not called after it, and scripts name none. So it
/// is one that no person works with: a script is looked at in an editor, which has a window.
pub(super) fn interprets(process: &Process, script: &Utf8Path) -> bool {
    let kind = script.extension().unwrap_or_default().to_ascii_lowercase();
    let of: &[&str] = match kind.as_str() {
        "py" | "pyw" => &["python", "pythonw", "py", "python3"],
        "js" | "mjs" | "cjs" => &["node", "bun", "deno"],
        "rb" => &["ruby", "rubyw"],
        "pl" => &["perl"],
        "ps1" => &["powershell", "pwsh"],
        "bat" | "cmd" => &["cmd"],
        "jar" => &["java", "javaw"],
        _ => &[],
    };
    of.iter().any(|name| process.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::status::ProcessIdentity;

    fn one(pid: u32, parent: u32, start_ticks: u64) -> Process {
        let identity = ProcessIdentity { pid, start_ticks };
        Process { identity, parent, group: pid, session: 0, name: String::new(), state: 'S', ended: false }
    }

    #[test]
    fn the_window_of_a_process_is_none_of_its_children() {
        assert!(is_console("conhost.exe") && is_console("OpenConsole.exe"));
        assert!(!is_console("server.exe") && !is_console("conhost-of-mine.exe"));
    }

    #[test]
    fn orphans_of_our_jobs_are_ours_and_a_younger_parent_is_none() {
        let found = vec![
            one(10, 1, 5),
            one(11, 10, 6),
            one(12, 99, 7),
            one(13, 98, 8),
            one(14, 15, 8),
            one(15, 10, 9),
        ];
        let parents: Vec<u32> = adopted(found, &[12, 14], 10).iter().map(|process| process.parent).collect();
        assert_eq!(parents, [0, 10, 10, 0, 10, 10]);
    }
}
