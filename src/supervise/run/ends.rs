//! The end of a life: the request, the hook, and the death of all that is left.

use std::time::Duration;

use super::Supervisor;
use crate::host::identity::Process;
use crate::host::{clock, identity, tree};
use crate::model::event_line::{EventKind, EventLine};
use crate::model::layout::EVENTS;
use crate::model::moment::BootMoment;
use crate::supervise::events::read_events;
use crate::supervise::program::Program;
use crate::supervise::report::read_status;
use crate::supervise::signals;
use crate::supervise::transition::Input;
use crate::supervise::watch::GuardianWatch;

/// How long what was sent SIGKILL may take to go. What is left then waits in the kernel, for a disk or a
/// network file system, and no signal can help.
const KILL_LIMIT: Duration = Duration::from_secs(5);

impl Supervisor {
    /// One that was killed could not say so itself.
    pub(super) fn tell_of_the_killed(&mut self) {
        if !self.machine.is_orphaned() || self.has_ended_since() {
            return;
        }
        let message =
            "the supervisor was killed, and its program ended with it; another one has taken over".to_owned();
        self.log.warn(&message);
        let (at, event) = (clock::now(), EventKind::Orphaned);
        self.events.add(&EventLine { at, event, outcome: None, exit: None, message });
    }

    /// Whether the program's end is told of, though the report before it is the last: of a disk that was full. Then
    /// nobody was killed.
    fn has_ended_since(&self) -> bool {
        let started = read_status(&self.context.status).and_then(|status| status.started);
        let events = read_events(&self.context.status.with_file_name(EVENTS));
        let last_end =
            events.iter().rev().find(|event| event.event == EventKind::Ended).map(|event| event.at);
        started.is_some_and(|started| last_end.is_some_and(|end| end > started))
    }

    pub(super) fn ask_to_end(&mut self, now: BootMoment) {
        let Some(program) = self.program.as_ref().filter(|program| program.runs) else { return };
        match self.errands.ask_to_end(&self.context, &program.prepared, now) {
            None => self.signal_to_end(),
            Some(Ok(())) => {}
            Some(Err(reason)) => self.inputs.push_back(Input::HookFailed(reason)),
        }
    }

    pub(super) fn signal_to_end(&mut self) {
        let signal = signals::of(self.context.spec.stop.signal);
        match self.program.as_ref().filter(|program| program.runs) {
            // One that ends at this moment is no error, and one that can't be asked is killed later.
            Some(program) => drop(identity::signal(program.identity, signal)),
            None => self.errands.signal_reconcile(signal),
        }
    }

    pub(super) fn kill_all(&mut self) {
        // Nothing takes the place of what is being killed: it would be taken for it.
        if let Some(program) = &mut self.program {
            program.runs = false;
        }
        let mut ended = Vec::new();
        let left = tree::kill_all(KILL_LIMIT, || self.split(&tree::all()).0, |one| ended.push(one));
        for one in ended {
            self.ended(one);
        }
        self.readiness.cancel();
        self.errands.end_with_program(&mut self.log);
        if let Some(program) = self.program.take() {
            self.remnants.add(program.end(&mut self.log));
        }
        let (_, spared) = self.split(&tree::all());
        self.reporter.detached(spared.iter().map(|process| process.identity).collect());
        let names = |processes: &[Process]| {
            let name = |process: &Process| format!("{} ({})", process.name, process.identity.pid);
            processes.iter().map(name).collect()
        };
        self.inputs.push_back(Input::Cleared { left: names(&left), spared: names(&spared) });
    }

    /// What lives on goes on writing when this supervisor is gone. Says whether there is such a thing.
    pub(super) fn hand_over_output(&mut self) -> bool {
        let mut detached = self.reporter.status().detached.clone();
        detached.retain(|process| identity::runs(*process));
        if detached.is_empty() {
            return false;
        }
        let keepers = self.remnants.hand_over(&self.context);
        if keepers.is_empty() {
            return false;
        }
        detached.extend(keepers);
        self.reporter.detached(detached);
        true
    }

    /// Kills what is left of a start of the program, and of no other, less what its manifest lets live on.
    pub(super) fn kill_start(&mut self, program: Program) {
        let mut ended = Vec::new();
        let split = |all: &[Process]| {
            let roots = program.roots(all);
            let of_it = |spared: &[u32]| {
                let open = roots.iter().filter(|root| !spared.contains(root));
                let below = open.flat_map(|root| tree::below(*root, spared, all));
                let them = all.iter().filter(|process| roots.contains(&process.identity.pid)).cloned();
                let mut found: Vec<Process> = below.chain(them).collect();
                found.retain(|process| !spared.contains(&process.identity.pid));
                found
            };
            let mut spared = tree::named(&program.detach, &of_it(&[]));
            spared.retain(|process| process.identity != program.identity);
            let pids: Vec<u32> = spared.iter().map(|process| process.identity.pid).collect();
            (of_it(&pids), spared)
        };
        let select = || split(&tree::all()).0;
        let left = tree::kill_all(KILL_LIMIT, select, |one| ended.push(one));
        for process in left {
            self.log.warn(&format!("can't be killed: {} ({})", process.name, process.identity.pid));
        }
        if !program.detach.is_empty() {
            let mut detached = self.reporter.status().detached.clone();
            detached.retain(|process| identity::runs(*process));
            detached.extend(split(&tree::all()).1.iter().map(|process| process.identity));
            self.reporter.detached(detached);
            self.report(clock::present());
        }
        self.remnants.add(program.end(&mut self.log));
        for one in ended {
            self.ended(one);
        }
    }

    /// What of the program's processes is to go, and what is to live on: those that its manifest names, which are
    /// spared with all that they have started.
    pub(super) fn split(&self, all: &[Process]) -> (Vec<Process>, Vec<Process>) {
        let this = std::process::id();
        let guardian = self.guardian.as_ref().and_then(GuardianWatch::spared);
        let mut beside: Vec<u32> = guardian.into_iter().chain(self.errands.spared()).collect();
        beside.extend(self.pids_beside(all));
        let ours = tree::below(this, &beside, all);
        if self.context.spec.detach.is_empty() {
            return (ours, Vec::new());
        }
        // The program itself is never what it leaves behind.
        let program = self.program.as_ref().map(|program| program.identity);
        let mut spared = tree::named(&self.context.spec.detach, &ours);
        spared.retain(|process| Some(process.identity) != program);
        beside.extend(spared.iter().map(|process| process.identity.pid));
        (tree::below(this, &beside, all), spared)
    }
}
