//! The trial of a version beyond its gate.

use super::needs::health;
use super::*;
use crate::model::duration::Span;
use crate::model::health::HealthProbe;
use crate::model::status::TrialStanding;
use crate::model::trial::{Trial, Watch};

/// A trial of so many seconds.
pub(super) fn watched(spec: &LaunchSpec, seconds: u64) -> Trial {
    let from = LaunchSpec { version: "0.9.0".parse().unwrap(), ..spec.clone() };
    let watch = Watch {
        period: Span::seconds(seconds),
        from: Box::new(from),
        definitions: Vec::new(),
        digest: None,
        migrate_back: None,
    };
    Trial::of(spec, Some(watch))
}

fn on_trial(spec: &LaunchSpec, seconds: u64) -> World {
    let mut world = World::new(spec, Some(&watched(spec, seconds)), None, 0);
    world.pass(1_000);
    assert_eq!(world.phase(), Phase::Ready);
    world
}

fn standing(world: &World) -> TrialStanding {
    world.machine.standing().trial.clone().unwrap()
}

fn always(mut spec: LaunchSpec) -> LaunchSpec {
    spec.restart.when = RestartWhen::Always;
    spec
}

#[test]
fn a_crash_while_it_is_watched_ends_it_and_says_why() {
    let mut world = on_trial(&always(delay()), 60);
    world.pass(5_000);
    world.crash();
    assert_eq!((world.ending, world.starts.len()), (Some(Ending::TrialFailed), 1));
    let standing = standing(&world);
    assert_eq!(standing.failed.as_deref(), Some("the program exited with code 1"));
    assert!((standing.ready_seconds, standing.was_ready) == (5, true) && standing.ended.is_some());
}

#[test]
fn when_the_time_is_full_it_is_passed_and_nothing_wakes_it_any_more() {
    let mut world = on_trial(&always(delay()), 60);
    world.pass(59_000);
    assert!(!standing(&world).passed());
    world.pass(1_000);
    assert!(standing(&world).passed() && standing(&world).ready_seconds == 60);
    assert_eq!(world.machine.deadline(), None, "at rest there is no deadline");
    world.crash();
    assert_eq!((world.ending, world.phase()), (None, Phase::BackingOff), "from now on its policy decides");
    assert!(standing(&world).passed());
}

#[test]
fn it_is_written_down_at_most_every_15_seconds() {
    let spec = delay();
    let mut machine = machine(&spec, Some(&watched(&spec, 600)), None, 0);
    machine.on(Input::Begin, at(0));
    machine.on(Input::Started, at(0));
    let mut reports = Vec::new();
    let mut now = 0;
    while let Some(due) = machine.deadline() {
        now = due.0;
        if machine.on(Input::Tick, at(now)).contains(&Output::Report) {
            reports.push(now);
        }
    }
    assert_eq!(now, 601_000, "a second until it was ready, and the time");
    let pauses = reports.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(pauses.clone().all(|pause| pause == 15_000), "{:?}", pauses.collect::<Vec<_>>());
    assert_eq!(reports.len(), 41);
}

#[test]
fn what_a_person_or_the_program_itself_wishes_is_no_failure() {
    let mut spec = always(delay());
    spec.exit_codes = super::endings::codes();
    for exit in [Exit::Code(42), Exit::Code(0), Exit::Code(2)] {
        let mut world = on_trial(&spec, 60);
        world.tell(Input::Exited(exit));
        assert_eq!(world.ending, None, "{exit}");
        world.pass(10_000);
        assert!(world.starts.len() == 2 && standing(&world).failed.is_none(), "{exit}");
        world.tell(Input::Changed("a file has changed".to_owned()));
        world.tell(Input::Exited(Exit::Signal(15)));
        world.pass(3_000);
        assert_eq!((world.starts.len(), world.phase()), (3, Phase::Ready), "{exit}");
        world.tell(Input::Stop);
        world.tell(Input::Exited(Exit::Code(1)));
        assert_eq!(world.ending, Some(Ending::Stopped));
        assert!(standing(&world).failed.is_none());
    }
}

#[test]
fn bad_health_too_much_memory_and_a_start_that_fails_are_failures() {
    let mut spec = delay();
    spec.health = Some(health(HealthProbe::Tcp("h:1".to_owned())));
    let mut sick = on_trial(&spec, 600);
    sick.healthy = false;
    sick.pass(60_000);
    sick.tell(Input::Exited(Exit::Signal(15)));
    let mut greedy = on_trial(&spec, 600);
    greedy.tell(Input::OverMemory("much".to_owned()));
    let mut late = on_trial(&spec, 600);
    late.tell(Input::Changed("a file has changed".to_owned()));
    late.tell(Input::Exited(Exit::Signal(15)));
    late.tell(Input::Exited(Exit::Code(1)));
    for (world, why) in [(sick, "health checks"), (greedy, "memory"), (late, "code 1")] {
        assert_eq!(world.ending, Some(Ending::TrialFailed), "{why}");
        assert!(standing(&world).failed.unwrap().contains(why));
    }
}

#[test]
fn the_next_supervisor_of_the_same_launch_counts_on_in_another_boot_too() {
    let spec = delay();
    let trial = watched(&spec, 60);
    let mut world = on_trial(&spec, 60);
    world.pass(20_000);
    world.tell(Input::Stop);
    world.tell(Input::Exited(Exit::Signal(15)));
    let mut before = world.status();
    before.boot_id = "another".to_owned();
    before.trial = Some(standing(&world));
    let mut next = World::new(&spec, Some(&trial), Some(&before), 5_000);
    next.pass(41_000);
    assert!(standing(&next).passed(), "{:?}", standing(&next));
    // What is passed is over, also for a start that fails.
    before.trial = Some(standing(&next));
    let mut after = World::new(&spec, Some(&trial), Some(&before), 0);
    after.crash();
    assert_ne!(after.ending, Some(Ending::TrialFailed));
    // Another launch begins anew.
    before.launch = "another".to_owned();
    let other = World::new(&spec, Some(&trial), Some(&before), 0);
    assert_eq!((standing(&other).ready_seconds, standing(&other).was_ready), (0, false));
}

#[test]
fn time_in_which_it_is_not_ready_does_not_count() {
    let mut spec = always(delay());
    spec.exit_codes = super::endings::codes();
    let mut world = on_trial(&spec, 60);
    for _ in 0..10 {
        world.pass(4_000);
        world.exit(42);
        world.pass(1_000);
    }
    assert_eq!(standing(&world).ready_seconds, 40);
    world.pass(19_999);
    assert!(!standing(&world).passed());
    world.pass(1);
    assert!(standing(&world).passed());
}

#[test]
fn a_calendar_that_has_not_run_yet_has_proved_nothing_and_a_run_that_fails_is_a_failure() {
    let mut spec = super::cycles::every(3_600);
    let schedule = spec.schedule.as_mut().unwrap();
    schedule.every = None;
    schedule.calendar = Some("0 3 * * *".to_owned().try_into().unwrap());
    let trial = watched(&spec, 60);
    let mut world = World::new(&spec, Some(&trial), None, 0);
    world.pass(3 * 3_600_000 - 1);
    assert_eq!((world.phase(), standing(&world).ready_seconds), (Phase::Sleeping, 0));
    world.pass(1);
    assert_eq!(world.starts.len(), 1);
    let mut good = World::new(&spec, Some(&trial), None, 0);
    good.pass(3 * 3_600_000);
    good.exit(0);
    good.pass(60_000);
    assert!(standing(&good).passed(), "from its first run on, sleeping is standing");
    world.exit(1);
    assert_eq!(world.ending, Some(Ending::TrialFailed));
}

#[test]
fn what_takes_over_from_a_running_program_has_its_own_trial() {
    let old = delay();
    let mut new = old.clone();
    new.version = "2.0.0".parse().unwrap();
    let mut world = World::new(&old, None, None, 0);
    world.pass(1_000);
    let trial = watched(&new, 60);
    world.tell(Input::Promoted(Box::new(new.clone()), Some(Box::new(trial.clone()))));
    assert_eq!(world.machine.standing().downtime_ms, Some(0));
    world.pass(30_000);
    assert_eq!(standing(&world).ready_seconds, 30);
    // The same launch, started beside itself, goes on with it.
    world.tell(Input::Promoted(Box::new(new), Some(Box::new(trial))));
    world.pass(29_000);
    world.crash();
    assert_eq!((world.ending, standing(&world).ready_seconds), (Some(Ending::TrialFailed), 59));
}

#[test]
fn the_time_without_an_answer_is_from_the_request_to_end_to_the_next_readiness() {
    let spec = delay();
    let mut world = World::new(&spec, None, None, 0);
    world.pass(10_000);
    world.tell(Input::Stop);
    world.pass(300);
    world.tell(Input::Exited(Exit::Signal(15)));
    let mut before = world.status();
    before.silent_since = world.machine.standing().silent_since;
    assert_eq!(before.silent_since, Some(BootMoment(10_000)));
    let mut next = World::new(&spec, None, Some(&before), 10_400);
    assert_eq!(next.machine.standing().downtime_ms, None);
    next.pass(1_000);
    assert_eq!(next.machine.standing().downtime_ms, Some(1_400));
    assert_eq!(next.machine.standing().silent_since, None);
    // What was killed while it was up has not said when.
    before.phase = Phase::Ready;
    let mut killed = World::new(&spec, None, Some(&before), 20_000);
    killed.pass(1_000);
    assert_eq!(killed.machine.standing().downtime_ms, None);
}
