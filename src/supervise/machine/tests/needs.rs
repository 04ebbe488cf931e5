//! What is asked of a program that is ready, and what comes between.

use super::*;
use crate::model::event_line::EventKind;
use crate::model::health::{HealthPolicy, HealthProbe};
use crate::model::idle::Idle;
use crate::model::socket::Socket;

pub(super) fn health(probe: HealthProbe) -> HealthPolicy {
    HealthPolicy { probe, every: Span::seconds(10), timeout: Span::seconds(3), failures: 3 }
}

pub(super) fn socket() -> Socket {
    Socket { listen: "127.0.0.1:4000".to_owned().try_into().unwrap(), name: None }
}

fn with_health(probe: HealthProbe) -> LaunchSpec {
    let mut spec = delay();
    spec.health = Some(health(probe));
    spec
}

fn with_idle(sockets: bool) -> LaunchSpec {
    let mut spec = delay();
    spec.idle = Some(Idle { after: Span::seconds(60), busy: None });
    spec.sockets = sockets.then(socket).into_iter().collect();
    spec
}

fn exited(world: &mut World) {
    world.tell(Input::Exited(Exit::Signal(15)));
}

#[test]
fn health_is_asked_only_while_ready_and_failures_in_a_row_count() {
    let mut world = World::new(&with_health(HealthProbe::Tcp("h:1".to_owned())), None, None, 0);
    world.pass(1_000);
    world.pass(35_000);
    assert_eq!(world.health, [11_000, 21_000, 31_000].map(BootMoment));
    world.healthy = false;
    world.pass(20_000);
    assert_eq!(world.machine.standing().health.as_ref().unwrap().failures, 2);
    world.healthy = true;
    world.pass(10_000);
    let standing = world.machine.standing().health.clone().unwrap();
    assert_eq!((standing.failures, standing.last_error), (0, None));
    assert_eq!(standing.last_success, Some(at(61_000).wall));
    world.healthy = false;
    world.pass(30_000);
    assert_eq!((world.asked, world.signals), (0, 1), "one that does not answer is sent the signal");
    assert_eq!(world.machine.standing().last_exit, Some(Exit::Unhealthy));
    exited(&mut world);
    assert_eq!((world.phase(), world.machine.standing().restarts.count()), (Phase::BackingOff, 1));
    assert!(world.message().contains("failed its health checks (503)"), "{}", world.message());
    assert_eq!((world.remembered.as_slice(), world.alerts), (&[EventKind::Unhealthy][..], 1));
    let asked = world.health.len();
    world.pass(1_500);
    assert_eq!((world.phase(), world.health.len()), (Phase::Starting, asked), "not while it starts");
}

#[test]
fn a_good_answer_is_reported_once_a_minute() {
    let mut machine = machine(&with_health(HealthProbe::Tcp("h:1".to_owned())), None, None, 0);
    machine.on(Input::Begin, at(0));
    machine.on(Input::Started, at(0));
    machine.on(Input::Tick, at(1_000));
    let mut reports = 0;
    for second in 1..=30 {
        let now = at(second * 10_000 + 1_000);
        assert_eq!(machine.on(Input::Tick, now), [Output::AskHealth]);
        assert!(machine.awaits_health() && machine.deadline().is_none());
        reports += machine.on(Input::Healthy, now).len();
    }
    assert_eq!(reports, 5);
}

#[test]
fn silence_counts_as_a_failure_where_the_program_speaks_for_itself() {
    let mut world = World::new(&with_health(HealthProbe::Notify), None, None, 0);
    world.pass(1_000);
    for _ in 0..10 {
        world.pass(9_000);
        world.tell(Input::Healthy);
    }
    assert_eq!((world.phase(), world.signals), (Phase::Ready, 0));
    world.pass(29_999);
    assert_eq!(world.signals, 0);
    world.pass(1);
    assert_eq!((world.signals, world.health.len()), (1, 0));
}

#[test]
fn a_program_that_nobody_needs_rests_until_a_connection_waits() {
    let mut world = World::new(&with_idle(true), None, None, 0);
    world.pass(100_000);
    assert_eq!((world.phase(), world.asked), (Phase::Ready, 0), "somebody needs it");
    world.needed = false;
    // It was last seen to be needed at 97 s.
    world.pass(56_999);
    assert_eq!(world.asked, 0);
    world.pass(1);
    assert_eq!((world.asked, world.phase()), (1, Phase::Idle));
    world.exit(0);
    assert_eq!((world.phase(), world.ending, world.alerts), (Phase::Idle, None, 0));
    assert!(world.machine.awaits_connection() && world.machine.deadline().is_none(), "no wake-up at rest");
    world.tell(Input::Wake);
    assert_eq!((world.phase(), world.starts.len()), (Phase::Starting, 2));
    assert_eq!(world.remembered, [EventKind::Idled, EventKind::Woken]);
    assert_eq!(world.machine.standing().restarts.count(), 0);
    world.needed = true;
    world.tell(Input::Stop);
    exited(&mut world);
    assert_eq!(world.ending, Some(Ending::Stopped));
}

#[test]
fn without_sockets_a_program_that_nobody_needs_ends_the_service() {
    let mut world = World::new(&with_idle(false), None, None, 0);
    world.needed = false;
    world.pass(61_000);
    exited(&mut world);
    assert_eq!((world.ending, world.phase()), (Some(Ending::Completed), Phase::Completed));
    let mut world = World::new(&with_idle(true), None, None, 0);
    world.needed = false;
    world.pass(61_000);
    exited(&mut world);
    world.tell(Input::Stop);
    assert_eq!(
        (world.ending, world.phase()),
        (Some(Ending::Stopped), Phase::Stopped),
        "a stop ends the rest"
    );
}

#[test]
fn a_change_drains_and_starts_anew_without_being_counted() {
    let mut world = World::new(&delay(), None, None, 0);
    world.pass(2_000);
    world.tell(Input::Changed("`x` has changed".to_owned()));
    assert_eq!((world.asked, world.starts.len()), (1, 1));
    assert!(world.message().contains("`x` has changed"), "{}", world.message());
    world.tell(Input::Changed("`y` has changed".to_owned()));
    world.exit(1);
    let standing = world.machine.standing();
    assert_eq!((world.starts.len(), standing.failures, standing.restarts.count()), (2, 0, 0));
    assert_eq!((standing.last_exit, standing.last_outcome), (Some(Exit::Code(1)), None));
    assert_eq!((world.remembered.as_slice(), world.alerts), (&[EventKind::Changed][..], 0));
    // What made it fail may have been mended.
    world.crash();
    world.tell(Input::Changed("`x` has changed".to_owned()));
    assert_eq!((world.starts.len(), world.now), (3, BootMoment(2_000)));
    let mut scheduled = World::new(&super::cycles::every(60), None, None, 0);
    scheduled.pass(2_000);
    scheduled.tell(Input::Changed("`x` has changed".to_owned()));
    assert_eq!((scheduled.phase(), scheduled.asked), (Phase::Ready, 0), "the next run sees it");
}

#[test]
fn too_much_memory_is_a_failure_without_a_drain() {
    let mut world = World::new(&delay(), None, None, 0);
    world.pass(2_000);
    world.tell(Input::OverMemory("600 MiB of 512MiB".to_owned()));
    assert_eq!((world.phase(), world.asked, world.signals), (Phase::BackingOff, 0, 0));
    assert_eq!(world.machine.standing().last_exit, Some(Exit::OverMemory));
    assert!(world.message().contains("600 MiB of 512MiB"), "{}", world.message());
}

#[test]
fn a_hook_that_fails_is_followed_by_the_signal() {
    let mut world = World::new(&delay(), None, None, 0);
    world.pass(2_000);
    world.tell(Input::Stop);
    assert_eq!((world.asked, world.signals), (1, 0));
    world.tell(Input::HookFailed("answered 500".to_owned()));
    assert_eq!((world.signals, world.phase()), (1, Phase::Stopping));
    assert!(world.message().contains("answered 500"), "{}", world.message());
    exited(&mut world);
    assert_eq!(world.ending, Some(Ending::Stopped));
    world.tell(Input::HookFailed("late".to_owned()));
    assert_eq!(world.signals, 1);
}

#[test]
fn with_sockets_the_port_is_not_checked() {
    let mut spec = spec(Probe::Tcp("127.0.0.1:4000".to_owned()));
    assert!(machine(&spec, None, None, 0).on(Input::Begin, at(0)).contains(&Output::CheckPort));
    spec.sockets = vec![socket()];
    assert!(machine(&spec, None, None, 0).on(Input::Begin, at(0)).contains(&Output::Start));
}

#[test]
fn a_program_that_changes_its_own_files_is_started_anew_ever_more_seldom() {
    let mut world = World::new(&delay(), None, None, 0);
    world.pass(100_000);
    let mut measured = Vec::new();
    for _ in 0..9 {
        // It writes its configuration when it starts.
        world.pass(10_000);
        world.tell(Input::Changed("`x` has changed".to_owned()));
        let asked = world.asked;
        let due = world.machine.deadline().unwrap();
        if measured.len() > 1 {
            assert!(world.message().contains("a start that a change had made"), "{}", world.message());
            world.tell(Input::Changed("`x` has changed".to_owned()));
            assert_eq!((world.asked, world.machine.deadline()), (asked, Some(due)), "one is enough");
            world.pass(due.0 - world.now.0);
            assert!(
                world.message().starts_with("`x` has changed; it is started anew"),
                "{}",
                world.message()
            );
        }
        if measured.is_empty() {
            measured.push(0);
        }
        let before = *world.starts.last().unwrap();
        world.exit(0);
        measured.push(world.now.since(before).as_secs());
    }
    assert_eq!(measured, [0, 110, 30, 60, 120, 240, 480, 960, 1_920, 3_600]);
    assert_eq!(world.starts.len(), 10);
    // One that comes later is somebody's own.
    world.pass(40_000);
    world.tell(Input::Changed("`x` has changed".to_owned()));
    assert!(world.message().contains("it is started anew"), "{}", world.message());
    world.exit(0);
    world.pass(10_000);
    world.tell(Input::Changed("`x` has changed".to_owned()));
    assert!(world.message().contains("until 30 s after it"), "{}", world.message());
    // A failure meanwhile is the policy's.
    world.crash();
    world.pass(1_000);
    assert_eq!(world.machine.standing().restarts.count(), 1);
    world.pass(2_000);
    assert_eq!(world.machine.deadline(), None);
}
