use proptest::prelude::*;

use super::*;
use crate::model::duration::Span;
use crate::model::launch::{Circumstances, Readiness};
use crate::model::manifest::{Manifest, PlatformKind, Scope};
use crate::model::moment::Moment;
use crate::model::status::ProcessIdentity;

const BOOT: &str = "boot";

fn spec(probe: Probe) -> LaunchSpec {
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

fn trial(gate: u64) -> Trial {
    Trial { format: 1, tree: "x-1.0.0".to_owned(), gate: Span::seconds(gate) }
}

/// A host without a clock of its own: it does at once what the machine wants, and notes what that was.
struct World {
    machine: Machine,
    now: BootMoment,
    starts: Vec<BootMoment>,
    asked: usize,
    probes: Vec<BootMoment>,
    ending: Option<Ending>,
}

impl World {
    fn new(spec: &LaunchSpec, trial: Option<&Trial>, previous: Option<&Status>, now: u64) -> Self {
        let now = BootMoment(now);
        let machine = Machine::new(spec, trial, previous, BOOT, now);
        let mut world = Self { machine, now, starts: Vec::new(), asked: 0, probes: Vec::new(), ending: None };
        world.tell(Input::Begin);
        world
    }

    fn tell(&mut self, input: Input) {
        for output in self.machine.on(input, self.now) {
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
                Output::AskToEnd => self.asked += 1,
                Output::KillAll => self.tell(Input::Cleared { left: Vec::new() }),
                Output::Report => {}
                Output::End(ending) => self.ending = Some(ending),
            }
        }
    }

    /// Lets time pass up to a point, stopping at every deadline.
    fn pass(&mut self, milliseconds: u64) {
        let until = BootMoment(self.now.0 + milliseconds);
        while let Some(deadline) = self.machine.deadline().filter(|deadline| *deadline <= until) {
            assert!(self.ending.is_none(), "no deadline after the end");
            self.now = self.now.max(deadline);
            self.tell(Input::Tick);
        }
        self.now = until;
    }

    fn crash(&mut self) {
        self.tell(Input::Exited(Exit::Code(1)));
    }

    fn phase(&self) -> Phase {
        self.machine.standing().phase
    }

    fn status(&self) -> Status {
        let standing = self.machine.standing();
        let moment = Moment("2026-01-01T00:00:00Z".parse().unwrap());
        Status {
            format: 1,
            phase: standing.phase,
            tree: "x-1.0.0".to_owned(),
            version: "1.0.0".parse().unwrap(),
            launch: delay().identity(),
            boot_id: BOOT.to_owned(),
            supervisor: ProcessIdentity { pid: 1, start_ticks: 1 },
            program: None,
            began: moment,
            started: None,
            ready: None,
            failures: standing.failures,
            restarts: standing.restarts.moments().to_vec(),
            next_start: None,
            last_exit: standing.last_exit,
            last_outcome: None,
            health: None,
            schedule: None,
            message: standing.message.clone(),
        }
    }
}

fn delay() -> LaunchSpec {
    spec(Probe::Delay(Span::seconds(1)))
}

#[test]
fn pauses_are_1_5_15_30_30_seconds_and_then_it_stays_down() {
    let mut world = World::new(&delay(), None, None, 0);
    let mut measured = Vec::new();
    for _ in 0..5 {
        let crashed = world.now;
        world.crash();
        assert_eq!(world.phase(), Phase::BackingOff);
        world.pass(40_000);
        let started = *world.starts.last().unwrap();
        measured.push(started.since(crashed).as_secs_f64());
        world.now = started;
    }
    assert_eq!(measured, [1.0, 5.0, 15.0, 30.0, 30.0]);
    world.crash();
    assert_eq!(world.ending, Some(Ending::Failed(Exit::Code(1))));
    assert_eq!(world.phase(), Phase::Failed);
    assert_eq!(world.starts.len(), 6);
    assert!(world.machine.standing().message.contains("until it is started by hand"));
}

#[test]
fn the_window_slides() {
    let mut world = World::new(&delay(), None, None, 0);
    for _ in 0..40 {
        world.pass(100_000);
        world.crash();
    }
    // Never more than three within five minutes, so it goes on for ever, with the pause that they call for.
    assert_eq!(world.ending, None);
    assert_eq!(world.machine.standing().restarts.count(), 3);
    world.pass(3_600_000);
    world.crash();
    assert_eq!(world.machine.deadline().unwrap().since(world.now), Duration::from_secs(1));
}

#[test]
fn the_count_survives_the_death_of_the_supervisor_but_not_a_stop_a_boot_or_another_launch() {
    let mut world = World::new(&delay(), None, None, 0);
    for _ in 0..4 {
        world.crash();
        world.pass(31_000);
    }
    let killed = world.status();
    assert_eq!(killed.restarts.len(), 4);
    let mut next = World::new(&delay(), None, Some(&killed), world.now.0);
    next.crash();
    assert_eq!(next.machine.deadline().unwrap().since(next.now), Duration::from_secs(30));
    next.pass(30_000);
    next.crash();
    assert_eq!(next.ending, Some(Ending::Failed(Exit::Code(1))));
    let over = next.status();
    let other_boot = Status { boot_id: "other".to_owned(), ..killed.clone() };
    let mut other = delay();
    other.stop.timeout = Span::seconds(1);
    let other_launch = Status { launch: other.identity(), ..killed };
    for forgotten in [over, other_boot, other_launch] {
        let mut world = World::new(&delay(), None, Some(&forgotten), next.now.0);
        world.crash();
        assert_eq!(world.machine.deadline().unwrap().since(world.now), Duration::from_secs(1));
        assert_eq!(world.machine.standing().failures, 1);
    }
}

#[test]
fn policies_are_kept() {
    for (when, exit, ending) in [
        (RestartWhen::Never, 0, Some(Ending::Completed)),
        (RestartWhen::Never, 3, Some(Ending::Failed(Exit::Code(3)))),
        (RestartWhen::OnFailure, 0, Some(Ending::Completed)),
        (RestartWhen::OnFailure, 3, None),
        (RestartWhen::Always, 0, None),
        (RestartWhen::Always, 3, None),
    ] {
        let mut spec = delay();
        spec.restart.when = when;
        let mut world = World::new(&spec, None, None, 0);
        world.tell(Input::Exited(Exit::Code(exit)));
        assert_eq!(world.ending, ending, "{when:?} {exit}");
    }
}

#[test]
fn a_stop_is_a_success_whatever_the_program_makes_of_it() {
    for exit in [Exit::Code(0), Exit::Code(143), Exit::Signal(15)] {
        let mut world = World::new(&delay(), None, None, 0);
        world.pass(2_000);
        world.tell(Input::Stop);
        world.tell(Input::Stop);
        assert_eq!((world.asked, world.phase()), (1, Phase::Stopping));
        world.tell(Input::Exited(exit));
        assert_eq!((world.ending, world.phase()), (Some(Ending::Stopped), Phase::Stopped));
        assert_eq!(world.machine.standing().last_exit, Some(exit));
    }
}

#[test]
fn a_program_that_does_not_drain_is_killed_in_time() {
    let mut world = World::new(&delay(), None, None, 0);
    world.tell(Input::Stop);
    world.pass(29_999);
    assert_eq!(world.ending, None);
    world.pass(1);
    assert_eq!(world.ending, Some(Ending::Stopped));
}

#[test]
fn a_second_request_does_not_wait() {
    let mut world = World::new(&delay(), None, None, 0);
    world.tell(Input::Stop);
    world.tell(Input::Force);
    assert_eq!(world.ending, Some(Ending::Forced));
}

#[test]
fn a_stop_while_backing_off_is_a_stop() {
    let mut world = World::new(&delay(), None, None, 0);
    world.crash();
    world.tell(Input::Stop);
    assert_eq!((world.ending, world.asked), (Some(Ending::Stopped), 0));
}

#[test]
fn a_stop_between_the_decision_to_start_and_the_start_is_kept() {
    let mut machine = Machine::new(&delay(), None, None, BOOT, BootMoment(0));
    assert!(machine.on(Input::Begin, BootMoment(0)).contains(&Output::Start));
    assert_eq!(machine.on(Input::Stop, BootMoment(0)), [Output::Report]);
    assert!(machine.clone().on(Input::Started, BootMoment(1)).contains(&Output::AskToEnd));
    let failed = machine.on(Input::StartFailed("no".to_owned()), BootMoment(1));
    assert!(failed.contains(&Output::End(Ending::Stopped)));
}

#[test]
fn a_missed_readiness_is_a_failure() {
    let http = spec(Probe::Http("http://127.0.0.1:1/".to_owned()));
    let mut world = World::new(&http, None, None, 0);
    world.pass(59_999);
    assert_eq!((world.asked, world.phase()), (0, Phase::Starting));
    world.pass(1);
    assert_eq!(world.asked, 1);
    world.tell(Input::Exited(Exit::Signal(15)));
    assert_eq!(world.phase(), Phase::BackingOff);
    let standing = world.machine.standing();
    assert_eq!((standing.last_exit, standing.failures), (Some(Exit::NotReady), 1));
    assert!(standing.message.contains("refused"), "{}", standing.message);
}

#[test]
fn readiness_is_asked_for_often_at_first() {
    let http = spec(Probe::Http("http://127.0.0.1:1/".to_owned()));
    let mut world = World::new(&http, None, None, 0);
    world.pass(59_000);
    let within = |limit| world.probes.iter().filter(|probe| probe.0 < limit).count();
    assert!(within(100) >= 8 && within(1_000) >= 20, "{} {}", within(100), within(1_000));
    assert!(world.probes.len() < 270, "{}", world.probes.len());
    world.tell(Input::ProbeOk);
    assert_eq!((world.phase(), world.machine.deadline()), (Phase::Ready, None));
}

#[test]
fn a_port_in_use_is_a_failed_start() {
    let http = spec(Probe::Tcp("127.0.0.1:1".to_owned()));
    let mut machine = Machine::new(&http, None, None, BOOT, BootMoment(0));
    assert_eq!(machine.on(Input::Begin, BootMoment(0)), [Output::Report, Output::CheckPort]);
    assert_eq!(machine.on(Input::PortTaken, BootMoment(0)), [Output::Report]);
    let standing = machine.standing();
    assert_eq!((standing.phase, standing.last_exit), (Phase::BackingOff, Some(Exit::NotStarted)));
    assert!(standing.message.contains("port is in use"), "{}", standing.message);
}

#[test]
fn an_answer_that_comes_after_the_program_ended_does_not_count() {
    let http = spec(Probe::Http("http://127.0.0.1:1/".to_owned()));
    let mut world = World::new(&http, None, None, 0);
    world.crash();
    world.tell(Input::ProbeOk);
    assert_eq!(world.phase(), Phase::BackingOff);
}

#[test]
fn more_time_is_given_but_not_in_a_trial() {
    for (trial, asked) in [(None, 0), (Some(trial(60)), 1)] {
        let mut world = World::new(&spec(Probe::Notify), trial.as_ref(), None, 0);
        world.pass(50_000);
        world.tell(Input::Extend(Duration::from_secs(30)));
        world.pass(29_999);
        assert_eq!(world.asked, asked);
        world.pass(1);
        assert_eq!(world.asked, 1);
    }
}

#[test]
fn a_trial_ends_with_the_first_failure_before_readiness() {
    let notify = spec(Probe::Notify);
    for exit in [Exit::Code(1), Exit::Code(0), Exit::Signal(9)] {
        let mut world = World::new(&notify, Some(&trial(10)), None, 0);
        world.tell(Input::Exited(exit));
        assert_eq!(world.ending, Some(Ending::TrialFailed));
    }
    let mut world = World::new(&notify, Some(&trial(10)), None, 0);
    world.pass(10_000);
    world.tell(Input::Exited(Exit::Signal(15)));
    assert_eq!(world.ending, Some(Ending::TrialFailed));
    assert_eq!(world.phase(), Phase::BackingOff, "not a final phase: it is to be started again");
    let mut world = World::new(&notify, Some(&trial(10)), None, 0);
    world.tell(Input::ProbeOk);
    world.crash();
    assert_eq!((world.ending, world.phase()), (None, Phase::BackingOff));
    let of_another = Trial { tree: "x-2.0.0".to_owned(), ..trial(10) };
    let mut world = World::new(&notify, Some(&of_another), None, 0);
    world.crash();
    assert_eq!(world.ending, None);
    let mut world = World::new(&notify, Some(&trial(10)), None, 0);
    world.tell(Input::Stop);
    world.crash();
    assert_eq!(world.ending, Some(Ending::Stopped), "a stop is not a failure");
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        4 => Just(Input::Tick),
        3 => Just(Input::Exited(Exit::Code(1))),
        1 => Just(Input::Exited(Exit::Code(0))),
        1 => Just(Input::Exited(Exit::Signal(9))),
        2 => Just(Input::ProbeOk),
        2 => Just(Input::ProbeFailed("no".to_owned())),
        1 => Just(Input::PortTaken),
        1 => Just(Input::PortFree),
        1 => Just(Input::Started),
        1 => Just(Input::StartFailed("no".to_owned())),
        1 => Just(Input::Cleared { left: vec!["x (1)".to_owned()] }),
        1 => Just(Input::Extend(Duration::from_secs(5))),
        1 => Just(Input::Begin),
    ]
}

proptest! {
    /// Whatever happens in whatever order: the limit holds in every window, a stop ends it, and an end is one.
    #[test]
    fn whatever_happens_the_limit_holds_and_a_stop_ends_it(
        steps in prop::collection::vec((input(), 0_u64..60_000), 0..200),
        when in prop_oneof![Just(RestartWhen::OnFailure), Just(RestartWhen::Always)],
        http in any::<bool>(),
        tried in any::<bool>(),
    ) {
        let probe = if http { Probe::Http("http://h/".to_owned()) } else { Probe::Delay(Span::seconds(1)) };
        let mut spec = spec(probe);
        spec.restart.when = when;
        let trial = tried.then(|| trial(20));
        let mut world = World::new(&spec, trial.as_ref(), None, 0);
        for (input, pause) in steps {
            if world.ending.is_some() {
                break;
            }
            world.pass(pause);
            world.tell(input);
        }
        for (index, first) in world.starts.iter().enumerate() {
            let within = world.starts[index..].iter().filter(|start| start.since(*first).as_secs() < 300);
            // One start and five restarts; the pause of the first may begin before the window does.
            prop_assert!(within.count() <= 7);
        }
        if world.ending.is_none() {
            world.tell(Input::Stop);
            world.pass(120_000);
        }
        prop_assert!(world.ending.is_some());
        let after = world.machine.on(Input::Exited(Exit::Code(1)), world.now);
        prop_assert!(after.is_empty() && world.machine.deadline().is_none());
        let phase = world.phase();
        let over = matches!(phase, Phase::Stopped | Phase::Failed | Phase::Completed);
        prop_assert!(over || world.ending == Some(Ending::TrialFailed), "{phase:?}");
    }
}
