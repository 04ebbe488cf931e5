use std::time::Duration;

use super::*;
use crate::model::duration::Span;
use crate::model::event_line::EventKind;
use crate::model::manifest::RestartWhen;

#[cfg(test)]
mod cycles;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod needs;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod trials;
#[cfg(test)]
mod watch_mode;
#[cfg(test)]
mod world;

use self::world::{World, at, delay, machine, spec, trial};

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
    let mut machine = machine(&delay(), None, None, 0);
    assert!(machine.on(Input::Begin, at(0)).contains(&Output::Start));
    assert_eq!(machine.on(Input::Stop, at(0)), [Output::Report]);
    assert!(machine.clone().on(Input::Started, at(1)).contains(&Output::AskToEnd));
    let failed = machine.on(Input::StartFailed("no".to_owned()), at(1));
    assert!(failed.contains(&Output::End(Ending::Stopped)));
}

#[test]
fn a_missed_readiness_is_a_failure() {
    let http = spec(Probe::Http("http://127.0.0.1:1/".to_owned()));
    let mut world = World::new(&http, None, None, 0);
    world.pass(59_999);
    assert_eq!((world.asked, world.phase()), (0, Phase::Starting));
    world.pass(1);
    assert_eq!((world.asked, world.signals), (0, 1));
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
    let mut machine = machine(&http, None, None, 0);
    assert_eq!(machine.on(Input::Begin, at(0)), [Output::Report, Output::CheckPort]);
    assert_eq!(
        machine.on(Input::PortTaken, at(0)),
        [Output::Remember(EventKind::Ended), Output::Alert, Output::Report]
    );
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
        assert_eq!(world.signals, asked);
        world.pass(1);
        assert_eq!(world.signals, 1);
    }
}

#[test]
fn a_trial_ends_with_the_first_failure_before_readiness() {
    let notify = spec(Probe::Notify);
    for exit in [Exit::Code(1), Exit::Code(0), Exit::Signal(9)] {
        let mut world = World::new(&notify, Some(&trial(10)), None, 0);
        world.tell(Input::Exited(exit));
        assert_eq!((world.ending, world.alerts), (Some(Ending::TrialFailed), 0));
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
