//! The end of the program: asked for, forced, or its own.

use super::Machine;
use super::health::Health;
use super::state::{State, Then};
use super::verdict::meaning;
use crate::model::moment::{BootMoment, Present};
use crate::model::status::{Exit, Phase};
use crate::supervise::ending::Ending;
use crate::supervise::transition::Output;

impl Machine {
    pub(super) fn stop(&mut self, now: Present) -> Vec<Output> {
        if self.stop_asked {
            return Vec::new();
        }
        self.stop_asked = true;
        self.report(Phase::Stopping, "stopping");
        match &self.state {
            State::Starting { .. } | State::Ready => self.drain(Then::Stopped, now.boot),
            State::Reconciling => self.drain_reconciling(now),
            State::Draining { until, then } => {
                let (until, then) = (*until, *then);
                self.judge(then);
                self.state = State::Draining { until, then: Then::Stopped };
                self.standing.at_most_until = Some(until);
                vec![Output::Report]
            }
            State::Killing { then } => {
                let then = *then;
                self.judge(then);
                self.state = State::Killing { then: Then::Stopped };
                vec![Output::Report]
            }
            State::Launching => vec![Output::Report],
            State::New
            | State::Sleeping
            | State::Rereading
            | State::Checking
            | State::BackingOff { .. }
            | State::Idle => self.end(Ending::Stopped, Phase::Stopped, "stopped"),
            State::Over => Vec::new(),
        }
    }

    pub(super) fn force(&mut self) -> Vec<Output> {
        self.stop_asked = true;
        self.report(Phase::Stopping, "stopping without waiting");
        if let State::Killing { then } | State::Draining { then, .. } = self.state {
            self.judge(then);
        }
        if matches!(self.state, State::Killing { .. }) {
            self.state = State::Killing { then: Then::Forced };
            return vec![Output::Report];
        }
        let mut outputs = vec![Output::Report];
        outputs.extend(self.kill(Then::Forced));
        outputs
    }

    pub(super) fn exited(&mut self, exit: Exit) -> Vec<Output> {
        self.standing.last_exit = Some(exit);
        self.last_refusal = None;
        let was_ready = self.state == State::Ready;
        self.kill(Then::Ended { exit, was_ready })
    }

    pub(super) fn drain(&mut self, then: Then, now: BootMoment) -> Vec<Output> {
        self.begin_drain(then, now);
        vec![Output::AskToEnd, Output::Report]
    }

    /// One that does not answer would not answer its hook either.
    pub(super) fn drain_by_signal(&mut self, then: Then, now: BootMoment) -> Vec<Output> {
        self.begin_drain(then, now);
        vec![Output::Signal, Output::Report]
    }

    pub(super) fn begin_drain(&mut self, then: Then, now: BootMoment) {
        let until = now.later(self.terms.stop_limit);
        self.outstayed = false;
        self.leave_ready();
        self.state = State::Draining { until, then };
        self.standing.at_most_until = Some(until);
    }

    pub(super) fn leave_ready(&mut self) {
        self.health.iter_mut().for_each(Health::end);
        self.need = None;
    }

    /// What ended while it was drained: an ending that was asked for keeps the program's own, and one that the
    /// supervisor had a reason for keeps the reason.
    pub(super) fn note_exit(&mut self, exit: Exit, then: Then) {
        if !matches!(then, Then::Ended { .. }) {
            self.standing.last_exit = Some(exit);
            self.standing.last_outcome = None;
        }
    }

    /// A stop has met an ending that nobody asked for: what that meant is not what an earlier one did.
    fn judge(&mut self, then: Then) {
        if let Then::Ended { exit, was_ready } = then {
            let declared = self.terms.exit_codes.outcome(exit);
            self.standing.last_outcome = Some(meaning(declared, was_ready, self.unreconciled.is_none()));
        }
    }

    pub(super) fn kill(&mut self, then: Then) -> Vec<Output> {
        self.leave_ready();
        self.state = State::Killing { then };
        vec![Output::KillAll]
    }
}
