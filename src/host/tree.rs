//! The tree of processes below one of them, and its end.
//!
//! On Linux a process that is the reaper of its descendants (`PR_SET_CHILD_SUBREAPER`, prctl(2)) stays their ancestor
//! however they fork, change their group or open a session: the kernel gives it every orphan among them. Where there is
//! no such thing, orphans are given to whom they belong by what they carry.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(any(target_os = "macos", test))]
mod orphans;
#[cfg(windows)]
mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use camino::Utf8Path;

use crate::host::identity::{self, Process};
use crate::host::process;
use crate::host::signal::Signal;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
#[cfg(windows)]
use windows as system;

pub use system::{all, arguments, become_reaper, folder, owner, program, runs_file, variable};

/// The variable by which a program, and all that it starts, names the supervisor that started it.
pub const MARK: &str = "MAINSTAY_SUPERVISOR";

/// The pause between two looks at a tree that is being killed: the time in which the kernel ends a process
/// that was already sent its signal.
const PAUSE: Duration = Duration::from_millis(2);

/// How much of a process's name the system keeps, in bytes (`PR_SET_NAME`, prctl(2)).
const LONGEST_NAME: usize = 15;

/// The processes below one of them, less those that are spared and all that is below these.
#[must_use]
pub fn below(root: u32, spared: &[u32], processes: &[Process]) -> Vec<Process> {
    let mut children: BTreeMap<u32, Vec<&Process>> = BTreeMap::new();
    for process in processes {
        children.entry(process.parent).or_default().push(process);
    }
    let mut found = Vec::new();
    let mut seen = BTreeSet::from([root]);
    let mut open = vec![root];
    while let Some(parent) = open.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            let pid = child.identity.pid;
            if !spared.contains(&pid) && seen.insert(pid) {
                open.push(pid);
                found.push(child.clone());
            }
        }
    }
    found
}

/// Those among processes that have one of these names. The system knows the first 15 bytes of a name (`comm`,
/// proc(5)), so no more are compared.
#[must_use]
pub fn named(names: &[String], processes: &[Process]) -> Vec<Process> {
    let known = |name: &String| {
        String::from_utf8_lossy(name.as_bytes().get(..LONGEST_NAME).unwrap_or(name.as_bytes())).into_owned()
    };
    let known: Vec<String> = names.iter().map(known).collect();
    processes.iter().filter(|process| known.contains(&process.name)).cloned().collect()
}

/// Whether a process carries a variable in the environment that it was started with. One that may not be read
/// carries none.
#[must_use]
pub fn carries(pid: u32, variable: &str, value: &str) -> bool {
    self::variable(pid, variable).is_some_and(|found| found == value)
}

/// Whether a process was given these words, in this order and next to each other.
#[must_use]
pub fn has_words(words: &[&str]) -> bool {
    all().iter().any(|process| {
        let given = arguments(process.identity.pid).unwrap_or_default();
        let same = |window: &[String]| window.iter().zip(words).all(|(one, word)| one == word);
        given.windows(words.len()).any(same)
    })
}

/// Whether a process runs a program that stands, or stood, below a folder. One that may not be looked at does not.
#[must_use]
pub fn runs_from(pid: u32, folder: &Utf8Path) -> bool {
    program(pid).is_some_and(|program| program.starts_with(folder))
}

/// Whether a process is a script that stands, or stood, below a folder. It is its interpreter's first argument
/// (execve(2)); a file that is merely looked at is not meant.
#[must_use]
pub fn is_script_of(process: &Process, folder: &Utf8Path) -> bool {
    let Some(arguments) = arguments(process.identity.pid) else { return false };
    let mut arguments = arguments.iter().skip(1).take(2);
    arguments.any(|script| {
        let script = Utf8Path::new(script);
        script.starts_with(folder) && system::interprets(process, script)
    })
}

/// Kills until `select` finds nothing more: what is killed may have forked a moment before. Meanwhile this
/// process's own children that have ended are reaped and handed on. Returns what is still there when the
/// limit is over, and can't be killed.
pub fn kill_all(
    limit: Duration,
    mut select: impl FnMut() -> Vec<Process>,
    mut reaped: impl FnMut(process::Ended),
) -> Vec<Process> {
    let until = Instant::now() + limit;
    loop {
        let found = select();
        for process in &found {
            // A refusal shows in the next look: the process is still there.
            let _ = identity::signal(process.identity, Signal::KILL);
        }
        for ended in process::reap() {
            reaped(ended);
        }
        if found.is_empty() || Instant::now() >= until {
            return found;
        }
        std::thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::status::ProcessIdentity;

    fn one(pid: u32, parent: u32) -> Process {
        let identity = ProcessIdentity { pid, start_ticks: 1 };
        Process { identity, parent, group: pid, session: pid, name: String::new(), state: 'S', ended: false }
    }

    #[test]
    fn a_tree_is_all_that_is_below_and_not_spared() {
        let all = vec![one(1, 0), one(2, 1), one(3, 2), one(4, 3), one(5, 2), one(6, 5), one(7, 1)];
        let pids = |root, spared: &[u32]| {
            let mut found: Vec<_> =
                below(root, spared, &all).iter().map(|process| process.identity.pid).collect();
            found.sort_unstable();
            found
        };
        assert_eq!(pids(2, &[]), [3, 4, 5, 6]);
        assert_eq!(pids(2, &[5]), [3, 4]);
        assert!(pids(9, &[]).is_empty());
    }

    #[test]
    fn names_are_compared_as_far_as_the_system_knows_them() {
        let with = |pid, name: &str| Process { name: name.to_owned(), ..one(pid, 1) };
        let all = [with(2, "worker"), with(3, "orchestrator-wo"), with(4, "work")];
        let names = ["worker", "orchestrator-worker"].map(str::to_owned);
        let pids: Vec<_> = named(&names, &all).iter().map(|process| process.identity.pid).collect();
        assert_eq!(pids, [2, 3]);
    }

    #[test]
    fn this_process_is_among_all() {
        assert!(all().iter().any(|process| process.identity == identity::own()));
    }
}
