//! The processes of an instance, as the system has them, whatever its supervisor or its manager say: who holds a
//! service that does not stop, and what is left of one that nobody supervises.

use std::collections::BTreeSet;

use camino::Utf8Path;

use crate::engine::{guard, report};
use crate::host::identity::{self, Process};
use crate::host::{files, tree};
use crate::model::layout::{Layout, unit_name};
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::model::status::ProcessIdentity;
use crate::supervise::environment::MARK;

/// A process of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Which one it is.
    pub identity: ProcessIdentity,
    /// Its name, at most 15 bytes of it.
    pub name: String,
    /// Its state, as in `/proc/PID/stat` (proc(5)).
    pub state: char,
    /// Its parent's number and name.
    pub parent: (u32, String),
    /// What it is to the instance.
    pub role: Role,
}

/// What a process is to its instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It guards the supervisor.
    Guardian,
    /// It supervises the program.
    Supervisor,
    /// It is the program's, or below it.
    Program,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let role = match self.role {
            Role::Guardian => ", its guardian",
            Role::Supervisor => ", its supervisor",
            Role::Program => "",
        };
        let state = match self.state {
            'R' => "runs",
            'D' => "waits in the kernel for a device or a file system (state D), where no signal reaches it",
            'T' => "was stopped by a signal (state T)",
            't' => "is stopped by a debugger (state t)",
            _ => "sleeps",
        };
        let (parent, parents_name) = &self.parent;
        write!(
            formatter,
            "process {} ({}{role}) {state}; its parent is {parent} ({parents_name})",
            self.identity.pid, self.name
        )
    }
}

/// The processes of an instance, its guardian and supervisor first.
#[must_use]
pub fn holders(layout: &Layout, of: &Marker) -> Vec<Holder> {
    let all = tree::all();
    let name = &of.name;
    let reported = report::read(layout, name);
    let living = |identity: Option<ProcessIdentity>| identity.filter(|identity| identity::runs(*identity));
    let guardian = living(guard::guardian_of(layout, name));
    let supervisor =
        living(guard::supervisor_of(layout, name).or(reported.as_ref().map(|status| status.supervisor)));
    let program = living(reported.as_ref().and_then(|status| status.program));
    let mark = reported.as_ref().map(|status| status.supervisor.to_string());
    let install = layout.install(name);
    let own = |process: &&Process| {
        let pid = process.identity.pid;
        Some(process.identity) == program
            || tree::runs_from(pid, &install)
            || tree::is_script_of(process, &install)
            || interprets_from(process, &install)
            || mark.as_ref().is_some_and(|mark| tree::carries(pid, MARK, mark))
            || (of.platform == PlatformKind::Systemd && in_unit(pid, of))
    };
    let mut roots: BTreeSet<u32> = all.iter().filter(own).map(|process| process.identity.pid).collect();
    roots.extend(supervisor.map(|supervisor| supervisor.pid));
    let mut pids = roots.clone();
    for root in roots {
        pids.extend(tree::below(root, &[], &all).iter().map(|process| process.identity.pid));
    }
    // This program may itself stand in a tree of the instance's: a hook may have typed the command.
    let this = std::process::id();
    let own = |pid: &u32| *pid != this && Some(*pid) != guardian.map(|guardian| guardian.pid);
    let pids = pids.into_iter().filter(own).filter(|pid| Some(*pid) != supervisor.map(|own| own.pid));
    let mut found = Vec::new();
    for (role, identity) in [(Role::Guardian, guardian), (Role::Supervisor, supervisor)] {
        found.extend(
            identity.and_then(|identity| identity::process(identity.pid)).map(|it| holder(&it, role)),
        );
    }
    found.extend(pids.filter_map(identity::process).map(|process| holder(&process, Role::Program)));
    found
}

fn holder(process: &Process, role: Role) -> Holder {
    let parents_name = identity::process(process.parent).map(|parent| parent.name).unwrap_or_default();
    Holder {
        identity: process.identity,
        name: process.name.clone(),
        state: process.state,
        parent: (process.parent, parents_name),
        role,
    }
}

/// Programs that are given a file to run; others may only look at one.
const INTERPRETERS: [&str; 12] =
    ["python", "node", "ruby", "perl", "php", "java", "sh", "bash", "dash", "deno", "bun", "lua"];

/// Whether an interpreter was given a file below a folder to run: `python3 -u …/server.py`, `java -jar …/server.jar`.
fn interprets_from(process: &Process, folder: &Utf8Path) -> bool {
    let version = |next: char| next.is_ascii_digit() || next == '.';
    let name = process.name.trim_end_matches(version);
    if !INTERPRETERS.contains(&name) {
        return false;
    }
    let words = tree::arguments(process.identity.pid).unwrap_or_default();
    // What stands behind the file is its own.
    let file = words.iter().skip(1).find(|word| !word.starts_with('-'));
    file.is_some_and(|file| Utf8Path::new(file).starts_with(folder))
}

/// Whether systemd has put a process into the unit of an instance (`/proc/PID/cgroup`, cgroups(7)).
fn in_unit(pid: u32, of: &Marker) -> bool {
    let path = format!("/proc/{pid}/cgroup");
    let text = files::read(Utf8Path::new(&path)).ok().flatten().unwrap_or_default();
    let unit = unit_name(&of.name);
    let of_a_user = of.scope == Scope::User;
    text.lines().any(|line| {
        line.split('/').any(|part| part == unit)
            && line.split('/').any(|part| part == "user.slice") == of_a_user
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::os::testing::{IS_UNIX, PROGRAM};

    #[test]
    fn an_interpreter_that_was_given_a_file_of_the_instance_is_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let install = Utf8Path::from_path(folder.path()).unwrap();
        let script = install.join("server-1.0.0").join("run");
        std::fs::create_dir(install.join("server-1.0.0")).unwrap();
        std::fs::write(&script, "read -r line\n").unwrap();
        // A shell by the name of an interpreter, which takes the words that it does not know for nothing.
        let named = tempfile::tempdir().unwrap();
        let interpreter = if IS_UNIX { "/bin/sh".into() } else { named.path().join("node.exe") };
        if !IS_UNIX {
            std::fs::copy(PROGRAM, &interpreter).unwrap();
        }
        let started = |words: &[&str]| {
            #[expect(clippy::disallowed_methods, reason = "a child that waits is no one-shot command")]
            let mut command = std::process::Command::new(&interpreter);
            command.args(words).stdin(std::process::Stdio::piped()).spawn().unwrap()
        };
        let found = |child: &std::process::Child| {
            // The name is the new program's a moment after the start.
            (0..200).any(|_| {
                std::thread::sleep(std::time::Duration::from_millis(5));
                identity::process(child.id()).is_some_and(|process| interprets_from(&process, install))
            })
        };
        let mut runs = started(&[script.as_str()]);
        assert!(found(&runs));
        drop(runs.stdin.take());
        runs.wait().unwrap();
        let mut looks = started(&["-c", "read -r line", script.as_str()]);
        std::thread::sleep(std::time::Duration::from_millis(50));
        let process = identity::process(looks.id()).unwrap();
        assert!(!interprets_from(&process, install), "{process:?}");
        drop(looks.stdin.take());
        looks.wait().unwrap();
    }
}
