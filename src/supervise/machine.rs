//! The state machine of one program's life: what happened goes in, what is to be done comes out. It reads no
//! clock and touches nothing, so that years can pass in a test.
//!
//! ```text
//! begin → checking the port → launching → starting → ready
//!             │                    │          │         │
//!             └────────────────────┴──── failed ────────┘ → killing what is left → backing off → …
//! stop  → draining → killing what is left → over
//! ```

use std::time::Duration;

use crate::model::launch::{LaunchSpec, Probe, RestartPolicy};
use crate::model::manifest::RestartWhen;
use crate::model::moment::BootMoment;
use crate::model::status::{Exit, Phase, Status};
use crate::model::trial::Trial;
use crate::supervise::ending::Ending;
use crate::supervise::restarts::Restarts;
use crate::supervise::standing::Standing;
use crate::supervise::transition::{Input, Output};

/// The shortest and the longest pause between two questions whether the program is ready. In between, a
/// pause is an eighth of the time since the start: so readiness is noticed soon after it came about, and a
/// slow start is not disturbed.
const PROBE_PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Checking,
    Launching,
    Starting { since: BootMoment, until: BootMoment, next_probe: Option<BootMoment> },
    Ready,
    Draining { until: BootMoment, then: Then },
    Killing { then: Then },
    BackingOff { until: BootMoment },
    Over,
}

/// What follows when nothing is left of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Stopped,
    Forced,
    Ended { exit: Exit, was_ready: bool },
}

/// The state machine of one program's life.
#[derive(Clone, Debug)]
pub struct Machine {
    policy: RestartPolicy,
    probe: Probe,
    ready_limit: Duration,
    stop_limit: Duration,
    on_trial: bool,
    state: State,
    stop_asked: bool,
    last_refusal: Option<String>,
    standing: Standing,
}

impl Machine {
    /// A program that is not started yet. What an earlier supervisor reported counts on if it is of the same
    /// launch, was written in this boot, and was not final: then that supervisor was killed.
    #[must_use]
    pub fn new(
        spec: &LaunchSpec,
        trial: Option<&Trial>,
        previous: Option<&Status>,
        boot_id: &str,
        now: BootMoment,
    ) -> Self {
        let (tree, launch) = (spec.tree(), spec.identity());
        let trial = trial.filter(|trial| trial.tree == tree);
        let same_life = |status: &&Status| {
            let over = matches!(status.phase, Phase::Stopped | Phase::Failed | Phase::Completed);
            status.launch == launch && status.boot_id == boot_id && !over
        };
        let previous = previous.filter(same_life);
        let timeout = spec.ready.timeout.duration();
        let earlier = previous.map(|status| status.restarts.clone()).unwrap_or_default();
        Self {
            policy: spec.restart.clone(),
            probe: spec.ready.probe.clone(),
            ready_limit: trial.map_or(timeout, |trial| timeout.min(trial.gate.duration())),
            stop_limit: spec.stop.timeout.duration(),
            on_trial: trial.is_some(),
            state: State::Idle,
            stop_asked: false,
            last_refusal: None,
            standing: Standing {
                phase: Phase::Starting,
                failures: previous.map_or(0, |status| status.failures),
                restarts: Restarts::counted(earlier, now),
                next_start: None,
                at_most_until: None,
                last_exit: previous.and_then(|status| status.last_exit),
                message: "starting".to_owned(),
            },
        }
    }

    /// Where the program stands.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Whether the answer to a question that was asked is still of interest.
    #[must_use]
    pub fn waits_for_an_answer(&self) -> bool {
        matches!(self.state, State::Checking | State::Starting { .. })
    }

    /// When [`Input::Tick`] is due. `None`: nothing happens by time alone.
    #[must_use]
    pub fn deadline(&self) -> Option<BootMoment> {
        match &self.state {
            State::Starting { until, next_probe, .. } => {
                Some(next_probe.map_or(*until, |probe| probe.min(*until)))
            }
            State::Draining { until, .. } | State::BackingOff { until } => Some(*until),
            State::Idle
            | State::Checking
            | State::Launching
            | State::Ready
            | State::Killing { .. }
            | State::Over => None,
        }
    }

    /// Takes what happened, and says what is to be done.
    pub fn on(&mut self, input: Input, now: BootMoment) -> Vec<Output> {
        match (&self.state, input) {
            (State::Over, _) => Vec::new(),
            (_, Input::Stop) => self.stop(now),
            (_, Input::Force) => self.force(),
            (State::Idle, Input::Begin) => self.launch(),
            (State::Checking, Input::PortFree) => {
                self.state = State::Launching;
                vec![Output::Start]
            }
            (State::Checking, Input::PortTaken) => {
                let what = "the port is in use: something answers before the program is started".to_owned();
                self.not_started(what, now)
            }
            (State::Launching, Input::Started) => self.started(now),
            (State::Checking | State::Launching, Input::StartFailed(reason)) => self.not_started(reason, now),
            (State::Starting { .. }, Input::ProbeOk) => self.ready(),
            (State::Starting { .. }, Input::ProbeFailed(reason)) => {
                self.last_refusal = Some(reason);
                self.plan_probe(now);
                Vec::new()
            }
            (State::Starting { .. }, Input::Extend(more)) => self.extend(more, now),
            (State::Starting { .. } | State::Ready, Input::Exited(exit)) => self.exited(exit),
            (State::Draining { then, .. }, Input::Exited(exit)) => {
                let then = *then;
                self.note_exit(exit, then);
                self.kill(then)
            }
            (State::Killing { then }, Input::Exited(exit)) => {
                let then = *then;
                self.note_exit(exit, then);
                Vec::new()
            }
            (State::Killing { then }, Input::Cleared { left }) => {
                let then = *then;
                self.cleared(then, &left, now)
            }
            (_, Input::Tick) => self.tick(now),
            _ => Vec::new(),
        }
    }

    fn launch(&mut self) -> Vec<Output> {
        self.last_refusal = None;
        self.report(Phase::Starting, "starting");
        // A program's own answer can only be told from another's if nothing answers before it runs.
        if matches!(self.probe, Probe::Http(_) | Probe::Tcp(_)) {
            self.state = State::Checking;
            vec![Output::Report, Output::CheckPort]
        } else {
            self.state = State::Launching;
            vec![Output::Report, Output::Start]
        }
    }

    fn started(&mut self, now: BootMoment) -> Vec<Output> {
        if self.stop_asked {
            return self.drain(Then::Stopped, now);
        }
        let until = match &self.probe {
            // The time that the program is to stay alive is itself the limit.
            Probe::Delay(delay) => now.later(delay.duration()),
            _ => now.later(self.ready_limit),
        };
        self.state = State::Starting { since: now, until, next_probe: None };
        self.plan_probe(now);
        self.report(Phase::Starting, "started; not ready yet");
        self.standing.at_most_until = Some(until.later(self.stop_limit));
        vec![Output::Report]
    }

    fn plan_probe(&mut self, now: BootMoment) {
        let asks = matches!(self.probe, Probe::Http(_) | Probe::Tcp(_) | Probe::Command(_) | Probe::File(_));
        if let State::Starting { since, next_probe, .. } = &mut self.state {
            let pause = (now.since(*since) / 8).clamp(PROBE_PAUSES.0, PROBE_PAUSES.1);
            *next_probe = asks.then(|| now.later(pause));
        }
    }

    fn extend(&mut self, more: Duration, now: BootMoment) -> Vec<Output> {
        // The gate of a trial is the user's word against the program's.
        if let State::Starting { until, .. } = &mut self.state
            && !self.on_trial
        {
            *until = (*until).max(now.later(more));
            self.standing.at_most_until = Some(until.later(self.stop_limit));
            return vec![Output::Report];
        }
        Vec::new()
    }

    fn ready(&mut self) -> Vec<Output> {
        self.state = State::Ready;
        self.on_trial = false;
        self.report(Phase::Ready, "ready");
        vec![Output::Report]
    }

    fn not_started(&mut self, reason: String, now: BootMoment) -> Vec<Output> {
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
        self.cleared(Then::Ended { exit, was_ready: false }, &[], now)
    }

    fn exited(&mut self, exit: Exit) -> Vec<Output> {
        self.standing.last_exit = Some(exit);
        self.last_refusal = None;
        let was_ready = self.state == State::Ready;
        self.kill(Then::Ended { exit, was_ready })
    }

    fn drain(&mut self, then: Then, now: BootMoment) -> Vec<Output> {
        let until = now.later(self.stop_limit);
        self.state = State::Draining { until, then };
        self.standing.at_most_until = Some(until);
        vec![Output::AskToEnd, Output::Report]
    }

    /// What ended while it was drained: a stop keeps the program's own ending, a missed readiness stays one.
    fn note_exit(&mut self, exit: Exit, then: Then) {
        if matches!(then, Then::Stopped | Then::Forced) {
            self.standing.last_exit = Some(exit);
        }
    }

    fn kill(&mut self, then: Then) -> Vec<Output> {
        self.state = State::Killing { then };
        vec![Output::KillAll]
    }

    fn stop(&mut self, now: BootMoment) -> Vec<Output> {
        if self.stop_asked {
            return Vec::new();
        }
        self.stop_asked = true;
        self.report(Phase::Stopping, "stopping");
        match &self.state {
            State::Starting { .. } | State::Ready => self.drain(Then::Stopped, now),
            State::Draining { until, .. } => {
                self.state = State::Draining { until: *until, then: Then::Stopped };
                vec![Output::Report]
            }
            State::Killing { .. } => {
                self.state = State::Killing { then: Then::Stopped };
                vec![Output::Report]
            }
            State::Launching => vec![Output::Report],
            State::Idle | State::Checking | State::BackingOff { .. } => {
                self.end(Ending::Stopped, Phase::Stopped, "stopped")
            }
            State::Over => Vec::new(),
        }
    }

    fn force(&mut self) -> Vec<Output> {
        self.stop_asked = true;
        self.report(Phase::Stopping, "stopping without waiting");
        if matches!(self.state, State::Killing { .. }) {
            self.state = State::Killing { then: Then::Forced };
            return vec![Output::Report];
        }
        let mut outputs = vec![Output::Report];
        outputs.extend(self.kill(Then::Forced));
        outputs
    }

    fn tick(&mut self, now: BootMoment) -> Vec<Output> {
        match &mut self.state {
            State::Starting { until, .. } if now >= *until => {
                if matches!(self.probe, Probe::Delay(_)) {
                    return self.ready();
                }
                let then = Then::Ended { exit: Exit::NotReady, was_ready: false };
                self.standing.last_exit = Some(Exit::NotReady);
                self.report(Phase::Starting, "did not become ready in time; it is being ended");
                self.drain(then, now)
            }
            State::Starting { next_probe, .. } if next_probe.is_some_and(|probe| now >= probe) => {
                *next_probe = None;
                vec![Output::Probe]
            }
            State::Draining { until, then } if now >= *until => {
                let then = *then;
                self.kill(then)
            }
            State::BackingOff { until } if now >= *until => self.launch(),
            _ => Vec::new(),
        }
    }

    fn cleared(&mut self, then: Then, left: &[String], now: BootMoment) -> Vec<Output> {
        let left =
            if left.is_empty() { String::new() } else { format!("; can't be killed: {}", left.join(", ")) };
        let (exit, was_ready) = match then {
            Then::Stopped => return self.end(Ending::Stopped, Phase::Stopped, &format!("stopped{left}")),
            Then::Forced => {
                return self.end(Ending::Forced, Phase::Stopped, &format!("stopped without waiting{left}"));
            }
            Then::Ended { exit, was_ready } => (exit, was_ready),
        };
        let reason = self.last_refusal.take().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let what = format!("the program {exit}{reason}{left}");
        if !exit.success() || self.on_trial {
            self.standing.failures = self.standing.failures.saturating_add(1);
        }
        if self.on_trial && !was_ready {
            // Not a final phase: whoever reads it knows that this instance is to be started again.
            let message = format!("{what}; the version on trial is taken back");
            return self.end(Ending::TrialFailed, Phase::BackingOff, &message);
        }
        let wanted = match self.policy.when {
            RestartWhen::Never => false,
            RestartWhen::OnFailure => !exit.success(),
            RestartWhen::Always => true,
        };
        match (wanted.then(|| self.standing.restarts.next(&self.policy, now)), exit.success()) {
            (Some(Some(delay)), _) => {
                let until = now.later(delay.duration());
                self.state = State::BackingOff { until };
                let (count, limit, window) =
                    (self.standing.restarts.count(), self.policy.limit, self.policy.window);
                let message = format!(
                    "{what}; it is started again in {delay} (restart {count} of {limit} in {window})"
                );
                self.report(Phase::BackingOff, &message);
                self.standing.next_start = Some(until);
                self.standing.at_most_until = Some(until);
                vec![Output::Report]
            }
            (Some(None), _) => {
                let (limit, window) = (self.policy.limit, self.policy.window);
                let message = format!(
                    "{what}; the {limit} restarts in {window} are used up, so it stays down until it is started by hand"
                );
                self.end(Ending::Failed(exit), Phase::Failed, &message)
            }
            (None, true) => self.end(Ending::Completed, Phase::Completed, &what),
            (None, false) => self.end(Ending::Failed(exit), Phase::Failed, &what),
        }
    }

    fn end(&mut self, ending: Ending, phase: Phase, message: &str) -> Vec<Output> {
        self.state = State::Over;
        self.report(phase, message);
        vec![Output::Report, Output::End(ending)]
    }

    fn report(&mut self, phase: Phase, message: &str) {
        self.standing.phase = phase;
        message.clone_into(&mut self.standing.message);
        self.standing.next_start = None;
        self.standing.at_most_until = None;
    }
}

#[cfg(test)]
mod tests;
