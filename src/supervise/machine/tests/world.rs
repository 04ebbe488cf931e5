//! A world for the state machine: a launch, a clock, and somebody who does what the machine wants.

use crate::model::duration::Span;
use crate::model::event_line::EventKind;
use crate::model::launch::{Circumstances, LaunchSpec, Probe, Readiness};
use crate::model::manifest::{Manifest, PlatformKind, Scope};
use crate::model::moment::{BootMoment, Moment, Present};
use crate::model::status::{Exit, Phase, ProcessIdentity, Status};
use crate::model::trial::Trial;
use crate::supervise::ending::Ending;
use crate::supervise::machine::{Machine, Place};
use crate::supervise::transition::{Input, Output};

pub(super) const BOOT: &str = "boot";

pub(super) fn spec(probe: Probe) -> LaunchSpec {
    let manifest = r#"{ "name": "x", "package": { "name": "x" }, "service": { "command": ["x"] } }"#;
    let manifest: Manifest = serde_json::from_str(manifest).unwrap();
    let circumstances = Circumstances {
        platform: PlatformKind::Embedded,
        scope: Scope::User,
        deploy: "/deploy".into(),
        version: "1.0.0".parse().unwrap(),
        owner: None,
    };
    let mut spec = LaunchSpec::resolve(&manifest, None, circumstances).unwrap();
    spec.ready = Readiness { probe, timeout: Span::seconds(60) };
    spec
}

pub(super) fn trial(gate: u64) -> Trial {
    Trial {
        format: 1,
        tree: "x-1.0.0".to_owned(),
        gate: Span::seconds(gate),
        launch: String::new(),
        watch: None,
        taken_back: None,
    }
}

/// The present, on a host that began to count when its clock for people began.
pub(super) fn at(boot: u64) -> Present {
    let wall = jiff::Timestamp::from_millisecond(boot.try_into().unwrap()).unwrap();
    Present { boot: BootMoment(boot), wall: Moment(wall) }
}

pub(super) fn machine(
    spec: &LaunchSpec,
    trial: Option<&Trial>,
    previous: Option<&Status>,
    now: u64,
) -> Machine {
    Machine::new(spec, trial, previous, Place { boot_id: BOOT, zone: "" }, at(now))
}

/// A host without a clock of its own: it does at once what the machine wants, and notes what that was.
pub(super) struct World {
    pub(super) machine: Machine,
    pub(super) now: BootMoment,
    pub(super) starts: Vec<BootMoment>,
    pub(super) asked: usize,
    pub(super) signals: usize,
    pub(super) probes: Vec<BootMoment>,
    pub(super) health: Vec<BootMoment>,
    pub(super) reconciles: usize,
    pub(super) alerts: usize,
    pub(super) remembered: Vec<EventKind>,
    pub(super) ending: Option<Ending>,
    /// What it answers when it is asked.
    pub(super) healthy: bool,
    pub(super) needed: bool,
    pub(super) reconciled: Result<(), String>,
    pub(super) launch: Option<Box<LaunchSpec>>,
}

impl World {
    pub(super) fn new(spec: &LaunchSpec, trial: Option<&Trial>, previous: Option<&Status>, now: u64) -> Self {
        let mut world = Self {
            machine: machine(spec, trial, previous, now),
            now: BootMoment(now),
            starts: Vec::new(),
            asked: 0,
            signals: 0,
            probes: Vec::new(),
            health: Vec::new(),
            reconciles: 0,
            alerts: 0,
            remembered: Vec::new(),
            ending: None,
            healthy: true,
            needed: true,
            reconciled: Ok(()),
            launch: None,
        };
        world.tell(Input::Begin);
        world
    }

    pub(super) fn tell(&mut self, input: Input) {
        for output in self.machine.on(input, at(self.now.0)) {
            match output {
                Output::CheckPort => self.tell(Input::PortFree),
                Output::Start => {
                    self.starts.push(self.now);
                    self.tell(Input::Started);
                }
                Output::Probe => {
                    self.probes.push(self.now);
                    self.tell(Input::ProbeFailed("refused".to_owned()));
                }
                Output::AskHealth => {
                    self.health.push(self.now);
                    let answer =
                        if self.healthy { Input::Healthy } else { Input::Unhealthy("503".to_owned()) };
                    self.tell(answer);
                }
                Output::AskNeed => self.tell(if self.needed { Input::Needed } else { Input::NotNeeded }),
                Output::ReadLaunch => {
                    let launch = self.launch.take();
                    self.tell(Input::Launch(launch));
                }
                Output::Reconcile => {
                    self.reconciles += 1;
                    self.tell(Input::Reconciled(self.reconciled.clone()));
                }
                Output::AskToEnd => self.asked += 1,
                Output::Signal => self.signals += 1,
                Output::KillAll => self.tell(Input::Cleared { left: Vec::new(), spared: Vec::new() }),
                Output::Alert => self.alerts += 1,
                Output::Remember(happening) => self.remembered.push(happening),
                Output::Report => {}
                Output::End(ending) => self.ending = Some(ending),
            }
        }
    }

    /// Lets time pass up to a point, stopping at every deadline.
    pub(super) fn pass(&mut self, milliseconds: u64) {
        let until = BootMoment(self.now.0 + milliseconds);
        while let Some(deadline) = self.machine.deadline().filter(|deadline| *deadline <= until) {
            assert!(self.ending.is_none(), "no deadline after the end");
            self.now = self.now.max(deadline);
            self.tell(Input::Tick);
        }
        self.now = until;
    }

    pub(super) fn exit(&mut self, code: i32) {
        self.tell(Input::Exited(Exit::Code(code)));
    }

    pub(super) fn crash(&mut self) {
        self.exit(1);
    }

    pub(super) fn phase(&self) -> Phase {
        self.machine.standing().phase
    }

    pub(super) fn message(&self) -> &str {
        &self.machine.standing().message
    }

    pub(super) fn status(&self) -> Status {
        let standing = self.machine.standing();
        let moment = Moment("2026-01-01T00:00:00Z".parse().unwrap());
        let supervisor = ProcessIdentity { pid: 1, start_ticks: 1 };
        Status {
            phase: standing.phase,
            failures: standing.failures,
            restarts: standing.restarts.moments().to_vec(),
            last_exit: standing.last_exit,
            last_outcome: standing.last_outcome,
            health: standing.health.clone(),
            schedule: standing.schedule.clone(),
            message: standing.message.clone(),
            ..Status::begun(&delay(), BOOT, supervisor, moment)
        }
    }
}

pub(super) fn delay() -> LaunchSpec {
    spec(Probe::Delay(Span::seconds(1)))
}
