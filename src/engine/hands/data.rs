//! Steps around the data of an instance: hooks, the switch of a service that is stopped, and the way back.

use std::collections::VecDeque;

use super::Hands;
use crate::engine::event::Event;
use crate::engine::failure::StepError;
use crate::engine::hooks;
use crate::engine::logs::tail;
use crate::engine::ready::step_error;
use crate::engine::switch::{self, AtStart, Back, Means};
use crate::model::hook::HookCall;
use crate::model::trial::{Stage, Switch};
use crate::plan::step::Step;
use crate::platform::calls::Sockets;

/// How many of the last lines of a hook that failed are shown.
const MOST_LINES: usize = 20;

impl Hands<'_> {
    /// Runs a hook. Its lines are the person's to see, and stand in the log.
    pub(super) fn hook(&self, hook: &HookCall) -> Result<(), StepError> {
        let context = self.context;
        let mut lines = VecDeque::new();
        let said = |line: &str, failed| {
            context.tell(Event::Said { by: hook.field.clone(), line: line.to_owned(), failed });
        };
        let outcome = hooks::run(hook, &mut |line| {
            said(line, false);
            tail::keep(context, &self.of, &format!("{}: {line}", hook.field));
            lines.push_back(line.to_owned());
            if lines.len() > MOST_LINES {
                lines.pop_front();
            }
        });
        if outcome.is_err() {
            for line in &lines {
                said(line, true);
            }
        }
        outcome
    }

    fn hear(&self, work: impl FnOnce(&Means<'_>) -> Result<(), StepError>) -> Result<(), StepError> {
        let say = |line: &str| {
            self.context.tell(Event::Said { by: "switch".to_owned(), line: line.to_owned(), failed: false });
        };
        work(&Means { manager: self.context.manager, obstacle: self.context.obstacle, say: &say })
    }

    /// Makes the switch of a service that is stopped. One that was started since then has data in use: only a start of
    /// its own may move them.
    pub(super) fn make_switch(&self) -> Result<(), StepError> {
        let (layout, name) = (&self.context.layout, &self.of.name);
        // Where nobody can say whether it runs, it may.
        if self.context.manager.seen(&self.of).map_or(true, |seen| seen.state.runs()) {
            let reason = format!("{name} was started meanwhile, so that its data are in use");
            return Err(StepError::Other(reason));
        }
        self.hear(|means| match switch::make_stopped(layout, name, means).map_err(step_error)? {
            AtStart::TakenBack { reason, .. } => Err(StepError::Other(reason)),
            _ => Ok(()),
        })
    }

    /// Brings the old launch of a stopped service back, with its data. If somebody has started it meanwhile, that start
    /// has done it, or the next one does.
    pub(super) fn give_back(&self, switch: &Switch, reason: &str) -> Result<(), StepError> {
        let runs = self.context.manager.seen(&self.of).is_ok_and(|seen| seen.state.runs());
        if runs {
            return self.take_back(switch, &[], reason);
        }
        let (layout, name) = (&self.context.layout, &self.of.name);
        self.hear(|means| {
            switch::take_back(layout, switch, reason, false, means).map(drop).map_err(step_error)
        })?;
        switch::forget(layout, name).map_err(step_error)
    }

    /// Brings the old launch back, does what has to be done before it can run, and sees it run.
    pub(crate) fn take_back(&self, switch: &Switch, first: &[Step], reason: &str) -> Result<(), StepError> {
        let layout = &self.context.layout;
        let name = &self.of.name;
        // Where the guard has taken it back, it runs under the definition that is undone here.
        let found = switch::read(layout, name).map_err(step_error)?;
        let taken_back = found.is_some_and(|found| matches!(found.stage, Stage::TakenBack { .. }));
        // Where nobody can say whether it runs, it may.
        let runs = self.context.manager.seen(&self.of).map_or(true, |seen| seen.state.runs());
        let mut anew = taken_back && !first.is_empty();
        let mut waits = false;
        self.hear(|means| {
            let back = switch::take_back(layout, switch, reason, runs, means).map_err(step_error)?;
            waits = back == Back::AtTheNextStart;
            anew |= waits;
            Ok(())
        })?;
        // An older build may not know what the next start has to do with the data: it comes back when that is done.
        let runtime = layout.runtime_link(name);
        let leads_to_it = |step: &&Step| matches!(step, Step::Link { path, .. } if *path == runtime);
        let (builds, others): (Vec<&Step>, Vec<&Step>) =
            first.iter().partition(|step| waits && leads_to_it(step));
        self.perform_inverses(others)?;
        let renewed = Sockets::if_any(switch.from.sockets != switch.to.sockets);
        self.run_from(&switch.from, anew, renewed)?;
        // Whatever came of that start: only one that has given the data back may be the end of this.
        switch::guard_way_back(layout, name).map_err(step_error)?;
        if !builds.is_empty() {
            let unready = self.is_unready();
            self.perform_inverses(builds)?;
            if unready {
                self.unready.take();
                self.run_from(&switch.from, true, Sockets::Left)?;
            }
        }
        switch::forget(layout, name).map_err(step_error)
    }
}
