//! The start of the program, until it is ready or will not be.

use std::time::Duration;

use super::Machine;
use super::health::Health;
use super::state::{State, Then};
use super::turns::Turns;
use crate::model::launch::Probe;
use crate::model::moment::{BootMoment, Present};
use crate::model::status::{Exit, Phase};
use crate::supervise::ending::Ending;
use crate::supervise::transition::Output;

/// The shortest and the longest pause between two questions whether the program is ready. In between, a
/// pause is an eighth of the time since the start: so readiness is noticed soon after it came about, and a
/// slow start is not disturbed.
const PROBE_PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));
/// From when on somebody wants to know why a program is not ready yet, and how often at most another reason.
const WORTH_TELLING: Duration = Duration::from_secs(1);

impl Machine {
    pub(super) fn launch(&mut self, now: Present) -> Vec<Output> {
        self.last_refusal = None;
        self.standing.refusal = None;
        self.renewal.forget();
        let message = match &mut self.turns {
            Some(turns) => {
                turns.run_begins(now);
                format!("run {}: starting", turns.run())
            }
            None => "starting".to_owned(),
        };
        self.report(self.rising(), &message);
        if self.terms.checks_the_port() {
            self.state = State::Checking;
            vec![Output::Report, Output::CheckPort]
        } else {
            self.state = State::Launching;
            vec![Output::Report, Output::Start]
        }
    }

    /// The phase of a program that is started. One on a schedule whose last run did its work stays up: whoever
    /// watches it should not see it come up anew at each turn.
    pub(super) fn rising(&self) -> Phase {
        if self.turns.as_ref().is_some_and(Turns::works) { Phase::Ready } else { Phase::Starting }
    }

    pub(super) fn started(&mut self, now: Present) -> Vec<Output> {
        let now = now.boot;
        self.started = now;
        if self.stop_asked {
            return self.drain(Then::Stopped, now);
        }
        let until = match &self.terms.probe {
            // The time that the program is to stay alive is itself the limit.
            Probe::Delay(delay) => now.later(delay.duration()),
            _ => now.later(self.terms.ready_limit),
        };
        self.state = State::Starting { since: now, until, next_probe: None };
        self.health.iter_mut().for_each(Health::forget);
        self.plan_probe(now);
        match &self.turns {
            Some(turns) => self.report(self.rising(), &format!("run {} is under way", turns.run())),
            None => self.report(Phase::Starting, "started; not ready yet"),
        }
        self.standing.at_most_until = Some(until.later(self.terms.stop_limit));
        vec![Output::Report]
    }

    /// A question whether it is ready has failed. Why is worth a report where it lasts, and is another reason than before.
    pub(super) fn refused(&mut self, reason: String, now: BootMoment) -> Vec<Output> {
        let lasts = now >= self.refusal_told.max(self.started).later(WORTH_TELLING);
        let is_news = lasts && self.standing.refusal.as_ref() != Some(&reason);
        self.last_refusal = Some(reason.clone());
        self.plan_probe(now);
        if !is_news {
            return Vec::new();
        }
        if self.turns.is_none() {
            self.standing.message = format!("started; not ready yet: {reason}");
        }
        self.standing.refusal = Some(reason);
        self.refusal_told = now;
        vec![Output::Report]
    }

    pub(super) fn plan_probe(&mut self, now: BootMoment) {
        let asks = self.terms.asks();
        if let State::Starting { since, next_probe, .. } = &mut self.state {
            let pause = (now.since(*since) / 8).clamp(PROBE_PAUSES.0, PROBE_PAUSES.1);
            *next_probe = asks.then(|| now.later(pause));
        }
    }

    pub(super) fn extend(&mut self, more: Duration, now: BootMoment) -> Vec<Output> {
        // The gate of a trial is the user's word against the program's.
        if let State::Starting { until, .. } = &mut self.state
            && !self.on_trial
        {
            *until = (*until).max(now.later(more));
            self.standing.at_most_until = Some(until.later(self.terms.stop_limit));
            return vec![Output::Report];
        }
        Vec::new()
    }

    pub(super) fn not_started(&mut self, reason: String, now: Present) -> Vec<Output> {
        let exit = Exit::NotStarted;
        if self.stop_asked {
            return self.end(
                Ending::Stopped,
                Phase::Stopped,
                &format!("stopped; it could not be started ({reason})"),
            );
        }
        self.last_refusal = Some(reason);
        self.standing.last_exit = Some(exit);
        self.cleared(Then::Ended { exit, was_ready: false }, &[], &[], now)
    }
}
