//! What follows when nothing is left of the program.

use std::time::Duration;

use super::Machine;
use super::state::{State, Then};
use super::trial::Probation;
use super::verdict::{Life, Verdict, meaning, verdict};
use crate::model::duration::Span;
use crate::model::event_line::EventKind;
use crate::model::moment::Present;
use crate::model::outcome::Outcome;
use crate::model::status::{Exit, Phase};
use crate::supervise::ending::Ending;
use crate::supervise::transition::Output;

/// Restarts that a program asks for do not count, so something has to keep one that asks each time from taking the
/// whole processor.
const SHORTEST_LIFE: Duration = Duration::from_secs(1);

impl Machine {
    pub(super) fn cleared(
        &mut self,
        then: Then,
        left: &[String],
        spared: &[String],
        now: Present,
    ) -> Vec<Output> {
        let mut remains = String::new();
        if let Some(limit) = self.outstayed.take() {
            let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            remains = format!("; it did not end within {}, so it was killed", Span::milliseconds(limit));
        }
        if !left.is_empty() {
            remains.push_str("; can't be killed: ");
            remains.push_str(&left.join(", "));
        }
        if !spared.is_empty() {
            remains.push_str("; lives on: ");
            remains.push_str(&spared.join(", "));
        }
        let left = remains;
        match then {
            Then::Stopped => self.stopped(Ending::Stopped, &format!("stopped{left}")),
            Then::Forced => self.stopped(Ending::Forced, &format!("stopped without waiting{left}")),
            Then::Renewed => {
                let outputs = self.launch(now);
                self.renewal.begin(now.boot);
                outputs
            }
            Then::Idle => self.rest(&left),
            Then::Ended { exit, was_ready } => self.ended(exit, was_ready, &left, now),
        }
    }

    fn stopped(&mut self, ending: Ending, message: &str) -> Vec<Output> {
        let mut outputs = vec![Output::Remember(EventKind::Ended)];
        outputs.extend(self.end(ending, Phase::Stopped, message));
        outputs
    }

    fn rest(&mut self, left: &str) -> Vec<Output> {
        let mut outputs = vec![Output::Remember(EventKind::Idled)];
        if self.terms.sockets {
            self.state = State::Idle;
            self.report(Phase::Idle, &format!("nobody needs it; the next connection starts it{left}"));
            outputs.push(Output::Report);
        } else {
            let message = format!("nobody needs it; it stays down until it is started by hand{left}");
            outputs.extend(self.end(Ending::Completed, Phase::Completed, &message));
        }
        outputs
    }

    fn ended(&mut self, exit: Exit, was_ready: bool, left: &str, now: Present) -> Vec<Output> {
        let scheduled = self.turns.is_some();
        let outcome = meaning(self.terms.exit_codes.outcome(exit), was_ready, self.unreconciled.is_none());
        let before = self.standing.last_outcome.replace(outcome);
        if let Some(turns) = &mut self.turns {
            turns.run_ended(outcome, now);
        }
        self.standing.refusal = self.last_refusal.clone().filter(|_| exit == Exit::NotReady);
        let reason = self.last_refusal.take().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let what = format!("the program {exit}{}{reason}{left}", word(outcome, exit));
        let watched = self.trial.as_ref().is_some_and(Probation::is_open);
        let life = Life { outcome, on_trial: self.on_trial, watched, scheduled };
        let verdict = verdict(life, &self.terms.restart, &mut self.standing.restarts, now.boot);
        if matches!(outcome, Outcome::Failure | Outcome::Fatal) || verdict == Verdict::TakenBack {
            self.standing.failures = self.standing.failures.saturating_add(1);
        }
        let followed = self.follow(verdict, exit, &what, now);
        let happening = if exit == Exit::Unhealthy { EventKind::Unhealthy } else { EventKind::Ended };
        // A schedule's good runs would fill the history and hide what matters in it: the first one stands for all.
        let is_news = !(scheduled && outcome == Outcome::Success && before == Some(outcome));
        let mut outputs: Vec<Output> = is_news.then_some(Output::Remember(happening)).into_iter().collect();
        // Whoever upgraded is told of a trial that failed; and the old version must not wait for an alert.
        if outcome.alarms() && verdict != Verdict::TakenBack {
            outputs.push(Output::Alert);
        }
        outputs.extend(followed);
        outputs
    }

    fn follow(&mut self, verdict: Verdict, exit: Exit, what: &str, now: Present) -> Vec<Output> {
        match verdict {
            // Not a final phase: whoever reads it knows that this instance is to be started again.
            Verdict::TakenBack => {
                self.trial.iter_mut().for_each(|trial| trial.fail(what, now));
                let message = format!("{what}; the version on trial is taken back");
                self.end(Ending::TrialFailed, Phase::BackingOff, &message)
            }
            Verdict::Sleep => self.sleep(what, now),
            Verdict::AtOnce if now.boot < self.started.later(SHORTEST_LIFE) => {
                let until = self.started.later(SHORTEST_LIFE);
                self.state = State::BackingOff { until };
                self.report(Phase::BackingOff, &format!("{what}; it is started again in a moment"));
                self.standing.next_start = Some(until);
                self.standing.at_most_until = Some(until);
                vec![Output::Report]
            }
            Verdict::AtOnce => {
                let outputs = self.launch(now);
                self.standing.message = format!("{what}; it is started again at once");
                outputs
            }
            Verdict::After(delay) => {
                let until = now.boot.later(delay.duration());
                self.state = State::BackingOff { until };
                let policy = &self.terms.restart;
                let (count, limit, window) = (self.standing.restarts.count(), policy.limit, policy.window);
                let message = format!(
                    "{what}; it is started again in {delay} (restart {count} of {limit} in {window})"
                );
                self.report(Phase::BackingOff, &message);
                self.standing.next_start = Some(until);
                self.standing.at_most_until = Some(until);
                vec![Output::Report]
            }
            Verdict::UsedUp => {
                let (limit, window) = (self.terms.restart.limit, self.terms.restart.window);
                let message = format!(
                    "{what}; the {limit} restarts in {window} are used up, so it stays down until it is started by hand"
                );
                self.end(Ending::Failed(exit), Phase::Failed, &message)
            }
            Verdict::Completed => self.end(Ending::Completed, Phase::Completed, what),
            Verdict::Failed => self.end(Ending::Failed(exit), Phase::Failed, what),
            Verdict::Fatal => {
                let message = format!(
                    "{what}; another start would fail too, so it stays down until it is started by hand"
                );
                self.end(Ending::Failed(exit), Phase::Failed, &message)
            }
        }
    }
}

/// The word for an outcome, where the exit does not say it itself.
fn word(outcome: Outcome, exit: Exit) -> String {
    let usual = if exit.success() { Outcome::Success } else { Outcome::Failure };
    if outcome == usual { String::new() } else { format!(" ({outcome})") }
}
