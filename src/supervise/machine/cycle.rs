//! The life of a program that is run on a schedule: sleep, turn, run.

use super::state::{State, Then};
use super::turns::Turns;
use super::{Machine, Terms};
use crate::model::launch::LaunchSpec;
use crate::model::moment::Present;
use crate::model::schedule::Reconcile;
use crate::model::status::Phase;
use crate::supervise::transition::Output;

impl Machine {
    /// The first thing of all: a start, or the sleep until the first turn.
    pub(super) fn begin(&mut self, now: Present) -> Vec<Output> {
        if let Some(decided) = self.decided.take() {
            return self.end(decided.ending, decided.phase, &decided.message);
        }
        let due = self.turns.as_mut().is_none_or(|turns| turns.start(now));
        if !due {
            // There is nothing yet that could be tried.
            self.on_trial = false;
            self.state = State::Sleeping;
            self.report(Phase::Sleeping, "it waits for its first run");
            return vec![Output::Report];
        }
        if self.turns.is_some() { self.turn(now) } else { self.launch(now) }
    }

    /// A turn has come.
    pub(super) fn turn(&mut self, now: Present) -> Vec<Output> {
        let Some(turns) = &mut self.turns else { return self.launch(now) };
        turns.begin(now);
        self.unreconciled = None;
        if turns.is_first() && self.state == State::New {
            return self.run(now);
        }
        self.state = State::Rereading;
        vec![Output::ReadLaunch]
    }

    /// The launch was read again at the beginning of a turn.
    pub(super) fn adopt(&mut self, spec: Option<&LaunchSpec>, now: Present) -> Vec<Output> {
        if let Some(spec) = spec {
            self.terms = Terms::of(spec);
            self.is_of(spec, None);
            self.take_health(spec);
            match (&mut self.turns, &spec.schedule) {
                (Some(turns), Some(schedule)) => turns.adopt(schedule.clone(), now),
                // From now on it runs on.
                (turns, _) => {
                    *turns = None;
                    self.standing.schedule = None;
                }
            }
        }
        self.run(now)
    }

    fn run(&mut self, now: Present) -> Vec<Output> {
        if self.turns.as_ref().is_some_and(Turns::reconciles) {
            self.state = State::Reconciling;
            self.report(self.rising(), "its reconcile command runs before it");
            self.standing.at_most_until = Some(now.boot.later(Reconcile::LIMIT));
            return vec![Output::Report, Output::Reconcile];
        }
        self.launch(now)
    }

    pub(super) fn reconciled(&mut self, answer: Result<(), String>, now: Present) -> Vec<Output> {
        self.unreconciled = answer.err();
        self.launch(now)
    }

    /// A run is over, and nothing of it is left.
    pub(super) fn sleep(&mut self, what: &str, now: Present) -> Vec<Output> {
        self.on_trial = false;
        let skipped = self.turns.as_mut().map_or(0, |turns| turns.plan(now));
        let mut message = format!("run {}: {what}", self.turns.as_ref().map_or(0, Turns::run));
        if let Some(reason) = &self.unreconciled {
            message = format!("{message}; the reconcile command before it failed ({reason})");
        }
        if skipped > 0 {
            let turns =
                if skipped == 1 { "one turn was".to_owned() } else { format!("{skipped} turns were") };
            message = format!("{message}; it took so long that {turns} skipped");
        }
        self.state = State::Sleeping;
        self.report(Phase::Sleeping, &message);
        vec![Output::Report]
    }

    /// A stop while the reconcile command runs: it is asked to end as the program would be.
    pub(super) fn drain_reconciling(&mut self, now: Present) -> Vec<Output> {
        let until = now.boot.later(self.terms.stop_limit);
        self.state = State::Draining { until, then: Then::Stopped };
        self.standing.at_most_until = Some(until);
        vec![Output::Signal, Output::Report]
    }
}
