//! The state machine of one program's life: what happened goes in, what is to be done comes out. It reads no
//! clock and touches nothing, so that years can pass in a test.
//!
//! ```text
//! begin → checking the port → launching → starting → ready
//!             │                    │          │         │
//!             └────────────────────┴──── failed ────────┘ → killing what is left → backing off → …
//! stop  → draining → killing what is left → over
//! ```
//!
//! On a schedule a turn comes before: sleeping → reading the launch again → reconciling → launching, and sleeping
//! again when the run has ended. What is asked of a program that is ready (its health, whether somebody needs it) and
//! a changed file lead to draining, and from there to a start or to rest.

use std::time::Duration;

use crate::model::event_line::EventKind;
use crate::model::launch::{LaunchSpec, Probe};
use crate::model::moment::{BootMoment, Present};
use crate::model::status::{Exit, Phase, Status};
use crate::model::trial::Trial;
use crate::supervise::ending::Ending;
use crate::supervise::restarts::Restarts;
use crate::supervise::standing::Standing;
use crate::supervise::transition::{Input, Output};

use self::decided::Decided;
use self::health::Health;
use self::need::Need;
use self::renewal::Renewal;
use self::silence::Silence;
use self::state::{State, Then};
use self::terms::Terms;
use self::trial::Probation;
use self::turns::Turns;

mod aftermath;
mod cycle;
mod decided;
mod health;
mod need;
mod ready;
mod renewal;
mod silence;
mod start;
mod state;
mod stop;
mod terms;
mod trial;
mod turns;
mod verdict;

/// Which boot of the host this is, and where the host is.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Tells this boot from all others.
    pub boot_id: &'a str,
    /// The host's time zone by name; empty: times of a calendar are in UTC.
    pub zone: &'a str,
}

/// The state machine of one program's life.
#[derive(Clone, Debug)]
pub struct Machine {
    terms: Terms,
    /// The launch ([`LaunchSpec::identity`]).
    launch: String,
    /// Whether it has still to become ready in the first place.
    on_trial: bool,
    trial: Option<Probation>,
    silence: Silence,
    state: State,
    stop_asked: bool,
    /// When the program was last started.
    started: BootMoment,
    last_refusal: Option<String>,
    /// When a reason was told last.
    refusal_told: BootMoment,
    health: Option<Health>,
    need: Option<Need>,
    turns: Option<Turns>,
    renewal: Renewal,
    /// Why the reconcile command failed before the run that is under way, if it did.
    unreconciled: Option<String>,
    /// How the program has ended for good under a supervisor that was killed while it told somebody of it.
    decided: Option<Decided>,
    /// Whether the supervisor before this one was killed.
    orphaned: bool,
    /// The time in which the program did not end, so that it is killed.
    outstayed: Option<Duration>,
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
        place: Place<'_>,
        now: Present,
    ) -> Self {
        let launch = spec.identity();
        let trial = trial.filter(|trial| trial.is_open_for(spec));
        let before =
            previous.filter(|status| status.launch == launch).and_then(|status| status.trial.as_ref());
        let probation =
            trial.and_then(|trial| trial.watch.as_ref()).map(|watch| Probation::new(watch, before));
        // One that is passed is over, though nobody has closed it yet.
        let trial = trial.filter(|_| probation.as_ref().is_none_or(Probation::is_open));
        let silence = Silence::after(previous.filter(|status| status.boot_id == place.boot_id));
        // That of one that ended is no word about this life, unless it was killed before it could end.
        let killed = |status: &&Status| {
            status.launch == launch
                && status.boot_id == place.boot_id
                && (!status.phase.is_final() || status.telling)
        };
        let told = previous.filter(killed);
        let decided = told.filter(|status| status.telling).and_then(Decided::of);
        let earlier = told.map(|status| status.restarts.clone()).unwrap_or_default();
        let mut terms = Terms::of(spec);
        if let Some(trial) = trial {
            terms.ready_limit = terms.ready_limit.min(trial.gate.duration());
        }
        let seed = format!("{launch}:{}", place.boot_id);
        let turns = spec.schedule.clone().map(|schedule| Turns::new(schedule, seed, place.zone.to_owned()));
        let mut machine = Self {
            terms,
            launch,
            on_trial: trial.is_some(),
            trial: probation,
            silence,
            state: State::New,
            stop_asked: false,
            started: BootMoment(0),
            last_refusal: None,
            refusal_told: BootMoment(0),
            health: None,
            need: None,
            turns,
            renewal: Renewal::default(),
            unreconciled: None,
            decided,
            orphaned: told.is_some(),
            outstayed: None,
            standing: Standing {
                phase: Phase::Starting,
                failures: told.map_or(0, |status| status.failures),
                restarts: Restarts::counted(earlier, now.boot),
                next_start: None,
                at_most_until: None,
                last_exit: told.and_then(|status| status.last_exit),
                last_outcome: told.and_then(|status| status.last_outcome),
                health: None,
                schedule: None,
                trial: None,
                silent_since: None,
                downtime_ms: None,
                refusal: None,
                message: "starting".to_owned(),
            },
        };
        machine.take_health(spec);
        machine.show();
        machine
    }

    fn take_health(&mut self, spec: &LaunchSpec) {
        self.health = spec.health.clone().map(Health::new);
    }

    /// Where the program stands.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Whether the supervisor before this one was killed.
    #[must_use]
    pub fn is_orphaned(&self) -> bool {
        self.orphaned
    }

    /// Whether the answer to the question whether it is ready is still of interest.
    #[must_use]
    pub fn awaits_readiness(&self) -> bool {
        matches!(self.state, State::Checking | State::Starting { .. })
    }

    /// Likewise, whether it still works.
    #[must_use]
    pub fn awaits_health(&self) -> bool {
        self.state == State::Ready && self.health.as_ref().is_some_and(Health::awaits)
    }

    /// Likewise, whether somebody needs it.
    #[must_use]
    pub fn awaits_need(&self) -> bool {
        self.state == State::Ready && self.need.as_ref().is_some_and(Need::awaits)
    }

    /// Whether a waiting connection is to be told of, by [`Input::Wake`].
    #[must_use]
    pub fn awaits_connection(&self) -> bool {
        self.state == State::Idle
    }

    /// Whether a changed file would make a difference. A run of a schedule is not disturbed: the next one sees it.
    #[must_use]
    pub fn heeds_changes(&self) -> bool {
        let lives = matches!(self.state, State::Starting { .. } | State::Ready | State::BackingOff { .. });
        lives && self.turns.is_none()
    }

    /// When [`Input::Tick`] is due. `None`: nothing happens by time alone.
    #[must_use]
    pub fn deadline(&self) -> Option<BootMoment> {
        let trial = self.trial.as_ref().and_then(Probation::deadline);
        self.next_deadline().into_iter().chain(trial).min()
    }

    fn next_deadline(&self) -> Option<BootMoment> {
        match &self.state {
            State::Starting { until, next_probe, .. } => {
                [Some(*until), *next_probe, self.renewal.due()].into_iter().flatten().min()
            }
            State::Draining { until, .. } | State::BackingOff { until } => Some(*until),
            State::Sleeping => self.turns.as_ref().and_then(Turns::deadline),
            State::Ready => {
                let health = self.health.as_ref().and_then(Health::deadline);
                let need = self.need.as_ref().and_then(Need::deadline);
                health.into_iter().chain(need).chain(self.renewal.due()).min()
            }
            State::New
            | State::Rereading
            | State::Reconciling
            | State::Checking
            | State::Launching
            | State::Killing { .. }
            | State::Idle
            | State::Over => None,
        }
    }

    /// Takes what happened, and says what is to be done.
    pub fn on(&mut self, input: Input, now: Present) -> Vec<Output> {
        let was_up = self.standing.phase.is_up();
        let full = self.trial.as_mut().is_some_and(|trial| trial.count(now));
        let mut outputs = self.take(input, now);
        self.silence.look(was_up, self.standing.phase.is_up(), now.boot);
        if (self.look_at_trial(now) || full) && !outputs.contains(&Output::Report) {
            outputs.insert(0, Output::Report);
        }
        self.show();
        outputs
    }

    fn take(&mut self, input: Input, now: Present) -> Vec<Output> {
        match (&self.state, input) {
            (State::Over, _) => Vec::new(),
            (_, Input::Stop) => self.stop(now),
            (_, Input::Force) => self.force(),
            (State::New, Input::Begin) => self.begin(now),
            (State::Rereading, Input::Launch(spec)) => self.adopt(spec.as_deref(), now),
            (State::Reconciling, Input::Reconciled(answer)) => self.reconciled(answer, now),
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
            (State::Starting { .. }, Input::ProbeOk) => self.ready(now),
            (State::Starting { .. }, Input::ProbeFailed(reason)) => self.refused(reason, now.boot),
            (State::Starting { .. }, Input::Extend(more)) => self.extend(more, now.boot),
            (State::Ready, Input::Promoted(spec, trial)) => self.promoted(&spec, trial.as_deref(), now),
            (State::Ready, Input::Healthy) => self.healthy(now),
            (State::Ready, Input::Unhealthy(reason)) => self.unhealthy(reason, now),
            (State::Ready, Input::Needed) => {
                self.need.iter_mut().for_each(|need| need.needed(now.boot));
                Vec::new()
            }
            (State::Ready, Input::NotNeeded) => self.not_needed(now),
            (State::Idle, Input::Wake) => {
                let mut outputs = vec![Output::Remember(EventKind::Woken)];
                outputs.extend(self.launch(now));
                "a connection waits; starting".clone_into(&mut self.standing.message);
                outputs
            }
            (_, Input::Changed(what)) if self.heeds_changes() => self.changed(&what, now),
            (State::Starting { .. } | State::Ready, Input::OverMemory(how_much)) => {
                self.over_memory(how_much)
            }
            (State::Starting { .. } | State::Ready, Input::Exited(exit)) => self.exited(exit),
            (State::Draining { .. }, Input::HookFailed(reason)) => {
                self.standing.message.push_str("; it is sent a signal, for the hook failed: ");
                self.standing.message.push_str(&reason);
                vec![Output::Signal, Output::Report]
            }
            (State::Draining { then, .. }, Input::Reconciled(_)) => {
                let then = *then;
                self.kill(then)
            }
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
            (State::Killing { then }, Input::Cleared { left, spared }) => {
                let then = *then;
                self.cleared(then, &left, &spared, now)
            }
            (_, Input::Tick) => self.tick(now),
            _ => Vec::new(),
        }
    }

    fn tick(&mut self, now: Present) -> Vec<Output> {
        let lives = matches!(self.state, State::Starting { .. } | State::Ready);
        if lives && self.renewal.due().is_some_and(|due| now.boot >= due) {
            let what = self.renewal.what();
            return self.renew(&what, now);
        }
        match &mut self.state {
            State::Starting { until, .. } if now.boot >= *until => {
                if matches!(self.terms.probe, Probe::Delay(_)) {
                    return self.ready(now);
                }
                let then = Then::Ended { exit: Exit::NotReady, was_ready: false };
                self.standing.last_exit = Some(Exit::NotReady);
                self.report(Phase::Starting, "did not become ready in time; it is being ended");
                self.drain_by_signal(then, now.boot)
            }
            State::Starting { next_probe, .. } if next_probe.is_some_and(|probe| now.boot >= probe) => {
                *next_probe = None;
                vec![Output::Probe]
            }
            State::Ready => self.tick_ready(now),
            State::Draining { until, then } if now.boot >= *until => {
                let then = *then;
                self.outstayed = Some(self.terms.stop_limit);
                self.kill(then)
            }
            State::BackingOff { until } if now.boot >= *until => self.launch(now),
            State::Sleeping if self.turns.as_mut().is_some_and(|turns| turns.due(now)) => self.turn(now),
            _ => Vec::new(),
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

    /// Puts the counts of the parts into the standing.
    fn show(&mut self) {
        self.standing.health = self.health.as_ref().map(|health| health.standing().clone());
        self.standing.schedule = self.turns.as_ref().map(|turns| turns.standing().clone());
        self.standing.silent_since = self.silence.since();
        self.standing.downtime_ms = self.silence.lasted();
        self.standing.trial = self.trial.as_ref().map(Probation::standing);
    }
}

#[cfg(test)]
mod tests;
