//! What is asked of a program that is ready, and what comes between: a changed file, too much memory.

use super::health::Due;
use super::need::Need;
use super::renewal::Renewal;
use super::state::{State, Then};
use super::trial::Probation;
use super::turns::Turns;
use super::{Machine, Terms};
use crate::model::event_line::EventKind;
use crate::model::launch::LaunchSpec;
use crate::model::moment::Present;
use crate::model::status::{Exit, Phase};
use crate::model::trial::Trial;
use crate::supervise::transition::Output;

impl Machine {
    pub(super) fn ready(&mut self, now: Present) -> Vec<Output> {
        self.state = State::Ready;
        self.standing.refusal = None;
        self.on_trial = false;
        self.health.iter_mut().for_each(|health| health.begin(now));
        let idle = self.terms.idle.as_ref().filter(|_| self.turns.is_none());
        self.need = idle.map(|idle| Need::begin(idle.after.duration(), now.boot));
        match &self.turns {
            Some(turns) => self.report(Phase::Ready, &format!("run {} is under way", turns.run())),
            None => self.report(Phase::Ready, "ready"),
        }
        vec![Output::Report]
    }

    /// Another start has taken the place of the one that was ready.
    pub(super) fn promoted(&mut self, spec: &LaunchSpec, trial: Option<&Trial>, now: Present) -> Vec<Output> {
        self.terms = Terms::of(spec);
        self.is_of(spec, trial);
        self.silence.never();
        self.take_health(spec);
        self.last_refusal = None;
        self.renewal = Renewal::default();
        self.ready(now)
    }

    /// Another launch may have come in, with its own trial or none. The same one goes on with its own.
    pub(super) fn is_of(&mut self, spec: &LaunchSpec, trial: Option<&Trial>) {
        let launch = spec.identity();
        if launch != self.launch {
            let watch = trial.filter(|trial| trial.is_open_for(spec)).and_then(|trial| trial.watch.as_ref());
            self.trial = watch.map(|watch| Probation::new(watch, None));
            self.launch = launch;
        }
    }

    /// How the trial goes on. Says whether that is worth a report.
    pub(super) fn look_at_trial(&mut self, now: Present) -> bool {
        let is_up = self.standing.phase.is_up();
        // A calendar's launch that only sleeps has not shown anything yet.
        let has_worked =
            self.state == State::Ready || (is_up && self.turns.as_ref().is_some_and(Turns::works));
        self.trial.as_mut().is_some_and(|trial| trial.go_on(is_up, has_worked, now))
    }

    pub(super) fn tick_ready(&mut self, now: Present) -> Vec<Output> {
        let mut outputs = Vec::new();
        if self.need.as_mut().is_some_and(|need| need.due(now.boot)) {
            outputs.push(Output::AskNeed);
        }
        match self.health.as_mut().map_or(Due::Nothing, |health| health.due(now)) {
            Due::Nothing => {}
            Due::Ask => outputs.push(Output::AskHealth),
            Due::Silence(reason) => outputs.extend(self.unhealthy(reason, now)),
        }
        outputs
    }

    pub(super) fn healthy(&mut self, now: Present) -> Vec<Output> {
        let news = self.health.as_mut().is_some_and(|health| health.good(now));
        if news { vec![Output::Report] } else { Vec::new() }
    }

    pub(super) fn unhealthy(&mut self, reason: String, now: Present) -> Vec<Output> {
        let Some(health) = &mut self.health else { return Vec::new() };
        if !health.bad(reason.clone(), now) {
            return vec![Output::Report];
        }
        let message =
            format!("failed {} health checks in a row; it is being ended", health.standing().failures);
        self.last_refusal = Some(reason);
        let then = Then::Ended { exit: Exit::Unhealthy, was_ready: true };
        self.standing.last_exit = Some(Exit::Unhealthy);
        self.report(Phase::Starting, &message);
        self.drain_by_signal(then, now.boot)
    }

    pub(super) fn not_needed(&mut self, now: Present) -> Vec<Output> {
        let over = self.need.as_mut().is_some_and(|need| need.not_needed(now.boot));
        if !over {
            return Vec::new();
        }
        let phase = if self.terms.sockets { Phase::Idle } else { Phase::Stopping };
        self.report(phase, "nobody needs it; it is being ended");
        self.drain(Then::Idle, now.boot)
    }

    pub(super) fn changed(&mut self, what: &str, now: Present) -> Vec<Output> {
        if matches!(self.state, State::BackingOff { .. }) {
            // What was wrong may have been mended.
            self.report(Phase::Starting, &format!("{what}; it is started anew"));
            let mut outputs = vec![Output::Remember(EventKind::Changed)];
            outputs.extend(self.launch(now));
            self.standing.message = format!("{what}; starting");
            return outputs;
        }
        match self.renewal.changed(what, now.boot) {
            Some(pause) => {
                let state = if self.state == State::Ready { "ready" } else { "not ready yet" };
                let pause = pause.as_secs();
                self.standing.message = format!(
                    "{state}; {what} soon after a start that a change had made, so the next such start waits until {pause} s after it"
                );
                vec![Output::Report]
            }
            None => self.renew(what, now),
        }
    }

    pub(super) fn renew(&mut self, what: &str, now: Present) -> Vec<Output> {
        self.report(Phase::Starting, &format!("{what}; it is started anew"));
        let mut outputs = vec![Output::Remember(EventKind::Changed)];
        outputs.extend(self.drain(Then::Renewed, now.boot));
        outputs
    }

    pub(super) fn over_memory(&mut self, how_much: String) -> Vec<Output> {
        self.last_refusal = Some(how_much);
        self.standing.last_exit = Some(Exit::OverMemory);
        let was_ready = self.state == State::Ready;
        self.kill(Then::Ended { exit: Exit::OverMemory, was_ready })
    }
}
