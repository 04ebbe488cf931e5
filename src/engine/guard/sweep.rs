//! What a dead supervisor left behind, and its end.

use std::time::Duration;

use crate::host::identity::{self, Process};
use crate::host::process::Ended;
use crate::host::tree;
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::model::status::ProcessIdentity;
use crate::supervise::environment::MARK;
use crate::supervise::read_status;

/// How long what was sent SIGKILL may take to go.
const LIMIT: Duration = Duration::from_secs(5);

/// A supervisor that was killed, and what may be left of its program.
#[derive(Clone, Debug)]
pub(super) struct Remains<'a> {
    /// The supervisor.
    pub(super) supervisor: ProcessIdentity,
    /// The program, as it last reported it.
    pub(super) program: Option<ProcessIdentity>,
    /// Whether its death was seen just now. Else it may be long ago, and numbers may be others' by now.
    pub(super) witnessed: bool,
    /// Whether this process is a guardian, so that what is below it and no living supervisor's is meant. A command
    /// may have children that are something else.
    pub(super) guarded: bool,
    /// The living supervisors of others.
    pub(super) others: &'a [u32],
    /// What is to live on, as the supervisor reported it.
    pub(super) detached: Vec<ProcessIdentity>,
}

/// What a supervisor of this boot of the host left that neither it nor a guardian was there to clear: both were
/// killed at once. Only for when neither of them lives.
fn of_dead(layout: &Layout, name: &InstanceName) -> Option<Remains<'static>> {
    let status = read_status(&layout.status(name))?;
    let died = (!status.phase.is_final() || status.telling) && !identity::runs(status.supervisor);
    (died && status.boot_id == identity::boot_id()).then_some(Remains {
        supervisor: status.supervisor,
        program: status.program,
        witnessed: false,
        guarded: false,
        others: &[],
        detached: status.detached,
    })
}

/// Whether anything of an instance runs that neither a guardian nor a supervisor has.
#[must_use]
pub fn has_remains(layout: &Layout, name: &InstanceName) -> bool {
    of_dead(layout, name).is_some_and(|remains| !find(&remains, &tree::all()).is_empty())
}

/// Kills it. Says whether there was anything, and the names and numbers of what can't be killed.
pub(in crate::engine) fn clear(layout: &Layout, name: &InstanceName) -> (bool, Vec<String>) {
    match of_dead(layout, name).filter(|remains| !find(remains, &tree::all()).is_empty()) {
        Some(remains) => (true, sweep(&remains, |_| ())),
        None => (false, Vec::new()),
    }
}

/// Kills all that is left, and returns the names and numbers of what can't be killed. Children of this process that
/// end meanwhile are handed on.
pub(super) fn sweep(remains: &Remains<'_>, reaped: impl FnMut(Ended)) -> Vec<String> {
    let left = tree::kill_all(LIMIT, || find(remains, &tree::all()), reaped);
    left.iter().map(|process| format!("{} ({})", process.name, process.identity.pid)).collect()
}

/// A guardian that started the supervisor is the reaper of what it left, so whatever is below it and no living
/// supervisor's is meant. PID 1 has orphans of other origin, and a guardian that adopted the supervisor
/// has none: there the mark in the environment tells, and the process group.
fn find(remains: &Remains<'_>, all: &[Process]) -> Vec<Process> {
    let this = std::process::id();
    let mark = remains.supervisor.to_string();
    let mut spared = remains.others.to_vec();
    spared.push(this);
    let below = remains.guarded && this != 1;
    let mut found = if below { tree::below(this, remains.others, all) } else { Vec::new() };
    let marked = |process: &Process| {
        in_group(process, remains, all) || tree::carries(process.identity.pid, MARK, &mark)
    };
    let roots: Vec<Process> = all.iter().filter(|process| marked(process)).cloned().collect();
    for root in roots {
        let pid = root.identity.pid;
        if !spared.contains(&pid) {
            found.push(root);
            found.extend(tree::below(pid, &spared, all));
        }
    }
    found.sort_unstable_by_key(|process| process.identity.pid);
    found.dedup_by_key(|process| process.identity.pid);
    let spared = lives_on(remains, &found, &mark, all);
    found.retain(|process| !spared.contains(&process.identity.pid));
    found
}

/// What of it is not to go: what the supervisor let live on, and what another one did, for that hangs below the
/// guardian too once its supervisor has ended.
fn lives_on(remains: &Remains<'_>, found: &[Process], mark: &str, all: &[Process]) -> Vec<u32> {
    let is_root = |process: &&Process| {
        remains.detached.contains(&process.identity)
            || tree::variable(process.identity.pid, MARK).is_some_and(|other| other != mark)
    };
    let roots = found.iter().filter(is_root).map(|process| process.identity.pid);
    let with_all_below = |root: u32| {
        let below = tree::below(root, &[], all).into_iter().map(|process| process.identity.pid);
        std::iter::once(root).chain(below)
    };
    roots.flat_map(with_all_below).collect()
}

/// Whether a process is in the program's group. While the leader lives there is no doubt. A supervisor keeps its
/// program's number from being given away, so just after its death the group can still be trusted without its
/// leader; later the same number may be a group of somebody else, whose leader has ended too.
fn in_group(process: &Process, remains: &Remains<'_>, all: &[Process]) -> bool {
    let Some(program) = remains.program else { return false };
    let leader = all.iter().find(|leader| leader.identity.pid == program.pid);
    let trusted = leader.map_or(remains.witnessed, |leader| leader.identity == program);
    trusted && process.group == program.pid && process.identity.start_ticks >= program.start_ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(pid: u32, parent: u32, group: u32, start_ticks: u64) -> Process {
        let identity = ProcessIdentity { pid, start_ticks };
        Process { identity, parent, group, session: group, name: String::new(), state: 'S', ended: false }
    }

    #[test]
    fn what_is_below_the_guardian_or_in_the_group_is_meant_and_other_supervisors_are_not() {
        let this = std::process::id();
        let (a, b) = (4_000_001, 4_000_010);
        let all = vec![
            one(this, 1, this, 1),
            one(a, this, a, 100),
            one(a + 1, a, a, 101),
            one(b, this, b, 50),
            one(b + 1, b, b + 1, 60),
            one(a + 2, 1, a + 3, 100),
            one(a + 4, a + 2, 7, 100),
        ];
        let program = ProcessIdentity { pid: a + 3, start_ticks: 90 };
        let supervisor = ProcessIdentity { pid: 4_000_100, start_ticks: 1 };
        let remains = Remains {
            supervisor,
            program: Some(program),
            witnessed: true,
            guarded: true,
            others: &[b],
            detached: Vec::new(),
        };
        let pids: Vec<_> = find(&remains, &all).iter().map(|process| process.identity.pid).collect();
        assert_eq!(pids, [a, a + 1, a + 2, a + 4]);
        let pids: Vec<_> = find(&Remains { guarded: false, ..remains.clone() }, &all)
            .iter()
            .map(|process| process.identity.pid)
            .collect();
        assert_eq!(pids, [a + 2, a + 4]);
    }

    #[test]
    fn what_was_left_to_live_on_is_not_meant_nor_is_what_is_below_it() {
        let this = std::process::id();
        let all = vec![
            one(4_000_001, this, 4_000_001, 100),
            one(4_000_002, 4_000_001, 4_000_001, 101),
            one(4_000_003, this, 4_000_003, 102),
        ];
        let identity = |pid, start_ticks| ProcessIdentity { pid, start_ticks };
        let remains = |detached| Remains {
            supervisor: identity(4_000_100, 1),
            program: None,
            witnessed: true,
            guarded: true,
            others: &[],
            detached: vec![detached],
        };
        let pids = |detached| {
            let found = find(&remains(detached), &all);
            found
                .iter()
                .map(|process| process.identity.pid)
                .filter(|pid| *pid > 4_000_000)
                .collect::<Vec<_>>()
        };
        assert_eq!(pids(identity(4_000_001, 100)), [4_000_003]);
        assert_eq!(pids(identity(4_000_001, 99)), [4_000_001, 4_000_002, 4_000_003], "a number used again");
    }

    #[test]
    fn a_later_group_of_the_same_number_is_not_meant() {
        let program = ProcessIdentity { pid: 4_000_001, start_ticks: 90 };
        let supervisor = ProcessIdentity { pid: 4_000_100, start_ticks: 1 };
        let remains = |program, witnessed| Remains {
            supervisor,
            program: Some(program),
            witnessed,
            guarded: true,
            others: &[],
            detached: Vec::new(),
        };
        let leader = one(4_000_001, 1, 4_000_001, 500);
        let member = one(4_000_002, 1, 4_000_001, 501);
        let with_leader = [leader.clone(), member.clone()];
        for witnessed in [true, false] {
            assert!(!in_group(&member, &remains(program, witnessed), &with_leader), "the leader is another");
            assert!(in_group(&member, &remains(leader.identity, witnessed), &with_leader));
        }
        let alone = [member.clone()];
        assert!(in_group(&member, &remains(program, true), &alone));
        assert!(!in_group(&member, &remains(program, false), &alone), "nobody knows whose it is");
    }
}
