//! What holds whatever happens, in whatever order.

use proptest::prelude::*;

use super::needs::{health, socket};
use super::*;
use crate::model::event_line::EventKind;
use crate::model::health::HealthProbe;
use crate::model::idle::Idle;
use crate::model::outcome::Outcome;
use crate::model::schedule::{Reconcile, Schedule};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    /// The oldest demand of the machine is answered so.
    Answer(bool),
    /// This happens, whether it makes sense now or not.
    Happen(Input),
    /// The program ends, if there is one.
    Exit(Exit),
}

fn step() -> impl Strategy<Value = Step> {
    let exit = prop_oneof![
        Just(Exit::Code(0)),
        Just(Exit::Code(1)),
        Just(Exit::Code(2)),
        Just(Exit::Code(42)),
        Just(Exit::Signal(9)),
        Just(Exit::Code(3)),
    ];
    let input = prop_oneof![
        2 => Just(Input::Tick),
        2 => Just(Input::ProbeOk),
        1 => Just(Input::ProbeFailed("no".to_owned())),
        1 => Just(Input::PortTaken),
        1 => Just(Input::PortFree),
        1 => Just(Input::Started),
        1 => Just(Input::StartFailed("no".to_owned())),
        1 => Just(Input::Extend(Duration::from_secs(5))),
        1 => Just(Input::Begin),
        1 => Just(Input::Healthy),
        2 => Just(Input::Unhealthy("no".to_owned())),
        1 => Just(Input::Needed),
        2 => Just(Input::NotNeeded),
        1 => Just(Input::Wake),
        1 => Just(Input::Changed("x".to_owned())),
        1 => Just(Input::OverMemory("much".to_owned())),
        1 => Just(Input::Launch(None)),
        1 => Just(Input::Reconciled(Ok(()))),
        1 => Just(Input::HookFailed("no".to_owned())),
    ];
    prop_oneof![
        5 => prop::bool::weighted(0.8).prop_map(Step::Answer),
        3 => input.prop_map(Step::Happen),
        3 => exit.prop_map(Step::Exit),
    ]
}

fn launch() -> impl Strategy<Value = LaunchSpec> {
    let when = prop_oneof![Just(RestartWhen::Never), Just(RestartWhen::OnFailure), Just(RestartWhen::Always)];
    let probe = prop_oneof![
        Just(Probe::Delay(Span::seconds(1))),
        Just(Probe::Notify),
        Just(Probe::Http("http://h/".to_owned()))
    ];
    let schedule = prop_oneof![3 => Just(None), 1 => Just(Some(false)), 1 => Just(Some(true))];
    (when, probe, schedule, any::<bool>(), any::<bool>(), any::<bool>(), 1_u32..4).prop_map(
        |(when, probe, schedule, healthy, idle, sockets, limit)| {
            let mut spec = spec(probe);
            spec.exit_codes = super::endings::codes();
            spec.restart.when = when;
            spec.restart.delays = [2, 7].map(Span::seconds).to_vec();
            spec.restart.limit = limit;
            spec.restart.window = Span::seconds(100);
            spec.health = healthy.then(|| health(HealthProbe::Tcp("h:1".to_owned())));
            spec.idle = idle.then(|| Idle { after: Span::seconds(20), busy: None });
            spec.sockets = sockets.then(socket).into_iter().collect();
            spec.schedule = schedule.map(|calendar| Schedule {
                every: (!calendar).then(|| Span::seconds(60)),
                calendar: calendar.then(|| "*/2 * * * *".to_owned().try_into().unwrap()),
                jitter: None,
                reconcile: Some(Reconcile { command: vec!["x".to_owned()], every_cycles: 2 }),
            });
            spec
        },
    )
}

/// A host that keeps its own books about the machine.
struct Witness {
    spec: LaunchSpec,
    machine: Machine,
    now: u64,
    pending: Vec<Output>,
    alive: bool,
    ending: Option<Ending>,
    /// What is known to allow the next start, other than the policy.
    explained: bool,
    /// Whether the program wished for it.
    wished: bool,
    /// When restarts that count were decided.
    counted: Vec<u64>,
    /// When the last one may be made at the earliest.
    earliest: u64,
    /// Until when it was looked at, and for how long it was up until then.
    looked: u64,
    up: u64,
}

/// What it is tried with: nothing, a gate, or a gate and a time in which it is watched.
#[derive(Clone, Copy, Debug)]
enum Tried {
    No,
    Gate,
    Watch,
}

impl Witness {
    fn new(spec: LaunchSpec, tried: Tried) -> Self {
        let trial = match tried {
            Tried::No => None,
            Tried::Gate => Some(trial(20)),
            Tried::Watch => Some(super::trials::watched(&spec, 120)),
        };
        let machine = machine(&spec, trial.as_ref(), None, 0);
        let mut witness = Self {
            spec,
            machine,
            now: 0,
            pending: Vec::new(),
            alive: false,
            ending: None,
            explained: true,
            wished: false,
            counted: Vec::new(),
            earliest: 0,
            looked: 0,
            up: 0,
        };
        witness.tell(Input::Begin);
        witness
    }

    fn tell(&mut self, input: Input) {
        if self.ending.is_some() {
            return;
        }
        let before = self.machine.standing().clone();
        // A restart that the program wishes is not counted, though it may wait until its life has lasted a second.
        if before.phase == Phase::Ready && input == Input::Exited(Exit::Code(42)) {
            (self.explained, self.wished) = (true, true);
        }
        if before.phase.is_up() {
            self.up += self.now - self.looked;
        }
        self.looked = self.now;
        let told = input.clone();
        let outputs = self.machine.on(input, at(self.now));
        let after = self.machine.standing().clone();
        self.trial_holds(&before, &after, &outputs);
        self.last_exit_is_kept(&told, before.last_exit, after.last_exit);
        if matches!(told, Input::Exited(_) | Input::Cleared { .. }) {
            self.alive = false;
        }
        for output in outputs {
            match output {
                Output::Start => self.started(),
                Output::ReadLaunch
                | Output::Reconcile
                | Output::Remember(EventKind::Woken | EventKind::Changed) => self.explained = true,
                Output::End(ending) => {
                    if let Ending::Failed(exit) = ending {
                        assert_eq!(after.last_exit, Some(exit), "the code of the last failure");
                    }
                    self.ending = Some(ending);
                }
                _ => {}
            }
            if !matches!(output, Output::Report | Output::Alert | Output::Remember(_) | Output::End(_)) {
                self.pending.push(output);
            }
        }
        let pauses = before.phase != Phase::BackingOff && after.phase == Phase::BackingOff;
        if pauses && !self.wished && self.ending.is_none() {
            self.paused();
        }
    }

    /// Nothing counts but time in which it is up; what has failed or is passed stays so; and an open trial ends with the
    /// first failure.
    fn trial_holds(&self, before: &Standing, after: &Standing, outputs: &[Output]) {
        let Some(trial) = &after.trial else { return };
        assert!(trial.ready_seconds * 1_000 <= self.up, "{trial:?}, up for {} ms", self.up);
        if let Some(earlier) = before.trial.as_ref().filter(|earlier| earlier.ended.is_some()) {
            assert_eq!(earlier, trial);
        }
        let failed = outputs.contains(&Output::End(Ending::TrialFailed));
        assert_eq!(failed, trial.failed.is_some(), "{trial:?}");
        let bad = matches!(after.last_outcome, Some(Outcome::Failure | Outcome::Fatal));
        let goes_on = outputs.iter().any(|output| matches!(output, Output::End(Ending::Failed(_))))
            || (before.phase != Phase::BackingOff && after.phase == Phase::BackingOff);
        assert!(trial.ended.is_some() || !(bad && goes_on), "a failure that does not end the trial");
    }

    fn last_exit_is_kept(&self, input: &Input, before: Option<Exit>, after: Option<Exit>) {
        let own = |exit| matches!(exit, Some(Exit::NotReady | Exit::Unhealthy | Exit::OverMemory));
        match input {
            // An ending that the supervisor had a reason for keeps the reason.
            Input::Exited(exit) if self.alive => {
                assert!(
                    after == Some(*exit) || (own(before) && after == before),
                    "{before:?} {exit} {after:?}"
                );
            }
            Input::StartFailed(_) | Input::PortTaken => {
                assert!(after == before || after == Some(Exit::NotStarted));
            }
            _ => assert!(after == before || own(after), "{input:?}: {before:?} {after:?}"),
        }
    }

    /// A pause began: how long it must be by the policy, counted here.
    fn paused(&mut self) {
        let window = u64::try_from(self.spec.restart.window.duration().as_millis()).unwrap();
        self.counted.push(self.now);
        let within = self.counted.iter().filter(|made| self.now - **made < window).count();
        assert!(within <= self.spec.restart.limit as usize, "{within} restarts in a window");
        let delays = &self.spec.restart.delays;
        let delay = delays[(within - 1).min(delays.len() - 1)];
        self.earliest = self.now + u64::try_from(delay.duration().as_millis()).unwrap();
        self.explained = false;
    }

    fn started(&mut self) {
        let paused = self.now >= self.earliest && !self.counted.is_empty();
        assert!(self.explained || paused, "a start that nothing explains");
        assert!(self.explained || self.machine.standing().phase == Phase::Starting);
        (self.explained, self.wished) = (false, false);
        self.earliest = u64::MAX;
    }

    fn answer(&mut self, well: bool) {
        if self.pending.is_empty() {
            return;
        }
        let failed = || "no".to_owned();
        let output = self.pending.remove(0);
        match output {
            Output::CheckPort => self.tell(if well { Input::PortFree } else { Input::PortTaken }),
            Output::Start => {
                self.alive = well;
                self.tell(if well { Input::Started } else { Input::StartFailed(failed()) });
            }
            Output::Probe => self.tell(if well { Input::ProbeOk } else { Input::ProbeFailed(failed()) }),
            Output::AskHealth => self.tell(if well { Input::Healthy } else { Input::Unhealthy(failed()) }),
            Output::AskNeed => self.tell(if well { Input::NotNeeded } else { Input::Needed }),
            Output::ReadLaunch => self.tell(Input::Launch(None)),
            Output::Reconcile => self.tell(Input::Reconciled(if well { Ok(()) } else { Err(failed()) })),
            Output::AskToEnd | Output::Signal if well => {
                if self.alive {
                    self.tell(Input::Exited(Exit::Signal(15)));
                } else {
                    self.tell(Input::Reconciled(Ok(())));
                }
            }
            Output::KillAll => {
                if self.alive {
                    self.tell(Input::Exited(Exit::Signal(9)));
                }
                self.tell(Input::Cleared { left: Vec::new(), spared: Vec::new() });
            }
            _ => {}
        }
    }

    fn pass(&mut self, milliseconds: u64) {
        let until = self.now + milliseconds;
        // A demand that is not answered keeps its own deadline passed; time goes on all the same.
        for _ in 0..10_000 {
            let due = self.machine.deadline().filter(|due| due.0 <= until && self.ending.is_none());
            let Some(due) = due else { break };
            self.now = self.now.max(due.0);
            self.tell(Input::Tick);
        }
        self.now = until;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    /// No sequence of 50 events leaves the machine without a way to stop, starts a program faster than the policy
    /// allows, or loses the last exit.
    #[test]
    fn whatever_happens_the_policy_holds_the_last_exit_is_kept_and_a_stop_ends_it(
        spec in launch(),
        steps in prop::collection::vec((step(), 0_u64..40_000), 50),
        tried in prop_oneof![Just(Tried::No), Just(Tried::Gate), Just(Tried::Watch)],
        stubborn in any::<bool>(),
    ) {
        let mut witness = Witness::new(spec, tried);
        for (step, pause) in steps {
            // Most things happen at once, some after a while.
            witness.pass(pause.saturating_sub(20_000));
            match step {
                Step::Answer(well) => witness.answer(well),
                Step::Happen(input) => {
                    let senseless = matches!(input, Input::Started | Input::PortFree | Input::PortTaken)
                        || matches!(input, Input::StartFailed(_) | Input::Begin);
                    // A start that nobody asked for is not told of, but anything else may come at any time.
                    if !senseless || witness.pending.is_empty() {
                        witness.tell(input);
                    }
                }
                Step::Exit(exit) => {
                    if witness.alive {
                        witness.tell(Input::Exited(exit));
                    }
                }
            }
        }
        witness.tell(Input::Stop);
        for _ in 0..100 {
            if witness.ending.is_some() {
                break;
            }
            // A stubborn program does nothing that it is asked; killing is not asking.
            let asks = matches!(witness.pending.first(), Some(Output::AskToEnd | Output::Signal));
            witness.answer(!(stubborn && asks));
            if witness.pending.is_empty() {
                witness.pass(60_000);
            }
        }
        prop_assert!(witness.ending.is_some(), "stuck as {:?}", witness.machine.standing());
        let last = witness.machine.standing().clone();
        let after = witness.machine.on(Input::Exited(Exit::Code(1)), at(witness.now));
        prop_assert!(after.is_empty() && witness.machine.deadline().is_none());
        prop_assert_eq!(&last, witness.machine.standing());
        let over = last.phase.is_final() || witness.ending == Some(Ending::TrialFailed);
        prop_assert!(over, "{:?}", last.phase);
        if let Some(Ending::Failed(_)) = witness.ending {
            prop_assert!(last.last_outcome.is_some_and(|outcome| outcome != Outcome::Restart));
        }
    }
}
