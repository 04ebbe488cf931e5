//! To whom orphans belong where the system gives them all to its first process.

use std::collections::BTreeMap;

use crate::host::identity::Process;
use crate::model::status::ProcessIdentity;

/// Who gets every orphan.
const FIRST: u32 = 1;

/// Gives each orphan the parent to whom it belongs: the supervisor that its mark names, or that of one of its group;
/// else the leader of its group, or of its session. A process that none of this tells stays where it is.
pub(super) fn adopted(found: Vec<(Process, Option<ProcessIdentity>)>) -> Vec<Process> {
    let alive: BTreeMap<u32, ProcessIdentity> =
        found.iter().map(|(process, _)| (process.identity.pid, process.identity)).collect();
    let lives = |mark: &ProcessIdentity| alive.get(&mark.pid) == Some(mark);
    let of_groups: BTreeMap<u32, u32> = found
        .iter()
        .filter_map(|(process, mark)| Some((process.group, mark.filter(lives)?.pid)))
        .filter(|(group, _)| *group > FIRST)
        .collect();
    let parent = |process: &Process, mark: Option<ProcessIdentity>| {
        let leader = |number: u32| alive.contains_key(&number).then_some(number);
        let belongs = [
            mark.filter(lives).map(|mark| mark.pid),
            of_groups.get(&process.group).copied(),
            leader(process.group),
            leader(process.session),
        ];
        // Who leads its group is nobody's by that.
        let other = |pid: &u32| *pid > FIRST && *pid != process.identity.pid;
        belongs.into_iter().flatten().find(other)
    };
    let given: Vec<Option<u32>> = found
        .iter()
        .map(|(process, mark)| parent(process, *mark).filter(|_| process.parent == FIRST))
        .collect();
    let with = |((process, _), parent): ((Process, _), Option<u32>)| Process {
        parent: parent.unwrap_or(process.parent),
        ..process
    };
    found.into_iter().zip(given).map(with).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::tree::below;

    fn one(pid: u32, parent: u32, group: u32, session: u32) -> Process {
        let identity = ProcessIdentity { pid, start_ticks: 7 };
        Process { identity, parent, group, session, name: String::new(), state: 'S', ended: false }
    }

    #[test]
    fn orphans_are_below_whom_they_belong_to() {
        let supervisor = Some(ProcessIdentity { pid: 10, start_ticks: 7 });
        let found = vec![
            (one(1, 0, 1, 1), None),
            (one(10, 1, 10, 10), None),
            (one(20, 10, 20, 10), supervisor),
            // By its mark, in a session of its own; by the mark of another in its group; by the leader of its group; by
            // that of its session.
            (one(21, 1, 21, 21), supervisor),
            (one(22, 1, 21, 21), None),
            (one(30, 20, 30, 30), None),
            (one(31, 1, 30, 30), None),
            (one(32, 1, 99, 10), None),
            // The children of orphans come with them.
            (one(33, 32, 99, 10), None),
            // Nobody's: an ordinary daemon, and one of a supervisor of another time.
            (one(40, 1, 40, 40), None),
            (one(41, 1, 41, 41), Some(ProcessIdentity { pid: 10, start_ticks: 3 })),
        ];
        let all = adopted(found);
        let mut below: Vec<u32> = below(10, &[], &all).iter().map(|process| process.identity.pid).collect();
        below.sort_unstable();
        assert_eq!(below, [20, 21, 22, 30, 31, 32, 33]);
        let parent = |pid: u32| all.iter().find(|process| process.identity.pid == pid).unwrap().parent;
        assert_eq!([10, 40, 41].map(parent), [1, 1, 1]);
    }
}
