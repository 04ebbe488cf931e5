//! Schedules: turns, runs, and the sleep between them.

use super::*;
use crate::model::outcome::Outcome;
use crate::model::schedule::{Reconcile, Schedule};
use crate::model::status::ScheduleStanding;

pub(super) fn every(seconds: u64) -> LaunchSpec {
    let mut spec = delay();
    spec.schedule = Some(Schedule { every: Some(Span::seconds(seconds)), ..Schedule::default() });
    spec.restart.when = RestartWhen::Never;
    spec.exit_codes = super::endings::codes();
    spec
}

fn calendar(text: &str) -> LaunchSpec {
    let mut spec = every(60);
    let calendar = Some(text.to_owned().try_into().unwrap());
    spec.schedule = Some(Schedule { calendar, ..Schedule::default() });
    spec
}

fn counts(world: &World) -> (u64, u64, u64, u64, u64) {
    let ScheduleStanding { cycles, successes, partials, failures, skipped, .. } =
        world.machine.standing().schedule.clone().unwrap();
    (cycles, successes, partials, failures, skipped)
}

fn starts(world: &World) -> Vec<u64> {
    world.starts.iter().map(|start| start.0 / 1_000).collect()
}

#[test]
fn runs_begin_on_a_grid_from_the_first_start() {
    let mut world = World::new(&every(60), None, None, 500);
    for took in [0, 30_000, 59_000] {
        world.pass(took);
        world.exit(0);
        assert_eq!(world.phase(), Phase::Sleeping);
        let next = world.machine.deadline().unwrap();
        world.pass(next.0 - world.now.0);
    }
    let expected: Vec<BootMoment> = [500, 60_500, 120_500, 180_500].map(BootMoment).to_vec();
    assert_eq!(world.starts, expected);
    assert_eq!(counts(&world), (4, 3, 0, 0, 0));
}

#[test]
fn a_run_that_takes_too_long_skips_turns_and_says_so() {
    let mut world = World::new(&every(60), None, None, 0);
    world.pass(150_000);
    assert_eq!(world.starts.len(), 1, "runs never overlap");
    world.exit(0);
    assert!(world.message().contains("2 turns were skipped"), "{}", world.message());
    world.pass(60_000);
    assert_eq!(starts(&world), [0, 180]);
    // A turn that has come at this moment is not late.
    world.pass(30_000);
    world.exit(0);
    assert_eq!((starts(&world), counts(&world).4), (vec![0, 180], 2));
    assert_eq!(world.machine.deadline(), Some(BootMoment(240_000)));
}

#[test]
fn turns_that_the_host_slept_through_are_made_up_for_once() {
    let mut world = World::new(&every(60), None, None, 0);
    world.exit(0);
    world.now = BootMoment(310_000);
    world.tell(Input::Tick);
    assert_eq!((starts(&world), counts(&world)), (vec![0, 310], (2, 1, 0, 0, 4)));
    world.exit(0);
    assert_eq!(world.machine.deadline(), Some(BootMoment(360_000)));
}

#[test]
fn a_partial_run_warns_and_goes_on_and_a_failed_one_ends_the_service() {
    let mut world = World::new(&every(60), None, None, 0);
    world.exit(2);
    assert_eq!((world.phase(), world.alerts, world.ending), (Phase::Sleeping, 1, None));
    assert_eq!(world.machine.standing().last_outcome, Some(Outcome::Partial));
    assert!(world.message().contains("partial"), "{}", world.message());
    world.pass(60_000);
    world.exit(3);
    assert_eq!((world.phase(), world.ending), (Phase::Failed, Some(Ending::Failed(Exit::Code(3)))));
    assert_eq!(counts(&world), (2, 0, 1, 1, 0));
}

#[test]
fn a_policy_of_the_manifest_starts_a_failed_run_again_within_its_turn() {
    let mut spec = every(60);
    spec.restart.when = RestartWhen::OnFailure;
    let mut world = World::new(&spec, None, None, 0);
    world.crash();
    assert_eq!(world.phase(), Phase::BackingOff);
    world.pass(1_000);
    world.crash();
    world.pass(5_000);
    world.exit(0);
    world.pass(60_000);
    assert_eq!(starts(&world), [0, 1, 6, 60]);
    assert_eq!(counts(&world), (4, 1, 0, 2, 0));
    world.exit(4);
    assert_eq!(world.ending, Some(Ending::Failed(Exit::Code(4))), "fatal is fatal");
}

#[test]
fn a_run_counts_as_up_when_it_is_ready_or_has_done_its_work() {
    let mut world = World::new(&every(60), Some(&trial(10)), None, 0);
    world.pass(1_000);
    assert_eq!(world.phase(), Phase::Ready);
    let mut world = World::new(&every(60), Some(&trial(10)), None, 0);
    world.exit(2);
    assert!(world.phase().is_up());
    world.pass(60_000);
    world.exit(3);
    assert_eq!(world.ending, Some(Ending::Failed(Exit::Code(3))), "the trial was over with the first run");
    let mut world = World::new(&every(60), Some(&trial(10)), None, 0);
    world.exit(3);
    assert_eq!(world.ending, Some(Ending::TrialFailed), "the first run is the trial");
    let world = World::new(&calendar("0 3 * * *"), Some(&trial(10)), None, 0);
    assert_eq!((world.phase(), world.starts.len()), (Phase::Sleeping, 0), "up, though nothing has run");
}

#[test]
fn the_reconcile_command_runs_before_every_so_many_th_turn() {
    let mut spec = every(60);
    let reconcile = Reconcile { command: vec!["sync".to_owned()], every_cycles: 3 };
    spec.schedule.as_mut().unwrap().reconcile = Some(reconcile);
    let mut world = World::new(&spec, None, None, 0);
    let mut done = Vec::new();
    for _ in 0..6 {
        done.push(world.reconciles);
        world.exit(0);
        world.pass(60_000);
    }
    assert_eq!(done, [0, 0, 1, 1, 1, 2]);
    world.exit(0);
    world.pass(60_000);
    world.exit(0);
    world.reconciled = Err("exited with code 9".to_owned());
    world.pass(60_000);
    assert_eq!((world.reconciles, world.starts.len()), (3, 9), "the run takes place all the same");
    world.exit(0);
    assert_eq!((world.phase(), counts(&world).2), (Phase::Sleeping, 1), "and is partial at best");
}

#[test]
fn a_stop_ends_a_sleep_at_once_and_asks_a_reconcile_command() {
    let mut spec = every(60);
    let mut world = World::new(&spec, None, None, 0);
    world.exit(0);
    world.tell(Input::Stop);
    assert_eq!((world.ending, world.asked), (Some(Ending::Stopped), 0));
    let reconcile = Reconcile { command: vec!["sync".to_owned()], every_cycles: 1 };
    spec.schedule.as_mut().unwrap().reconcile = Some(reconcile);
    let mut machine = machine(&spec, None, None, 0);
    assert_eq!(machine.on(Input::Begin, at(0)), [Output::Report, Output::Reconcile]);
    assert_eq!(machine.on(Input::Stop, at(0)), [Output::Signal, Output::Report]);
    assert_eq!(machine.on(Input::Reconciled(Ok(())), at(1)), [Output::KillAll]);
    let cleared = machine.on(Input::Cleared { left: Vec::new(), spared: Vec::new() }, at(1));
    assert!(cleared.contains(&Output::End(Ending::Stopped)));
}

#[test]
fn the_launch_is_read_again_at_each_turn() {
    let mut world = World::new(&every(60), None, None, 0);
    world.exit(0);
    let mut other = every(300);
    other.exit_codes = [(3, Outcome::Success)].into_iter().collect();
    world.launch = Some(Box::new(other));
    world.pass(60_000);
    world.exit(3);
    assert_eq!((world.phase(), counts(&world)), (Phase::Sleeping, (2, 2, 0, 0, 0)));
    assert_eq!(world.machine.deadline(), Some(BootMoment(360_000)), "the new grid begins with this turn");
    world.launch = Some(Box::new(delay()));
    world.pass(300_000);
    world.exit(0);
    assert_eq!(world.ending, Some(Ending::Completed), "a program without a schedule ends when it ends");
}

#[test]
fn jitter_is_the_same_for_the_same_turn_and_shorter_than_it_may_be() {
    let mut spec = every(60);
    spec.schedule.as_mut().unwrap().jitter = Some(Span::seconds(30));
    let run = |spec: &LaunchSpec| {
        let mut world = World::new(spec, None, None, 0);
        for _ in 0..20 {
            world.exit(0);
            let next = world.machine.deadline().unwrap();
            world.pass(next.0 - world.now.0);
        }
        let offsets: Vec<u64> =
            (0..).zip(&world.starts).map(|(turn, start)| start.0 - turn * 60_000).collect();
        assert_eq!(counts(&world).4, 0);
        offsets
    };
    let offsets = run(&spec);
    assert_eq!(offsets, run(&spec));
    assert_eq!(offsets[0], 0, "the first run is at once");
    assert!(offsets.iter().all(|offset| *offset < 30_000));
    assert!(offsets[1..].iter().max().unwrap() - offsets[1..].iter().min().unwrap() > 5_000, "{offsets:?}");
    spec.command.push("--other".to_owned());
    assert_ne!(offsets, run(&spec), "another launch, another jitter");
}

/// The wall clock of a host may be set at any time; the boot clock goes on.
fn shifted(boot: u64, wall: u64) -> Present {
    Present { boot: BootMoment(boot), wall: at(wall).wall }
}

const HOUR: u64 = 3_600_000;

#[test]
fn a_calendar_follows_the_wall_clock_wherever_it_is_set() {
    let mut machine = machine(&calendar("0 3 * * *"), None, None, 0);
    machine.on(Input::Begin, at(0));
    let next = |machine: &Machine| machine.standing().schedule.clone().unwrap().next.unwrap().to_string();
    assert_eq!(next(&machine), "1970-01-01T03:00:00Z");
    assert_eq!(machine.deadline(), Some(BootMoment(60_000)), "the clock is looked at each minute");
    // It was set back by half an hour: the same turn, later on the boot clock.
    assert_eq!(machine.on(Input::Tick, shifted(3 * HOUR, 3 * HOUR - HOUR / 2)), []);
    assert_eq!(next(&machine), "1970-01-01T03:00:00Z");
    // It was set ahead by decades, as on a host that has no clock of its own.
    let ahead = "2026-01-05T12:00:00Z".parse::<jiff::Timestamp>().unwrap();
    let ahead = u64::try_from(ahead.as_millisecond()).unwrap();
    let outputs = machine.on(Input::Tick, shifted(4 * HOUR, ahead));
    assert_eq!(outputs, [], "what would have been in the time between is nothing that it missed");
    assert_eq!(next(&machine), "2026-01-06T03:00:00Z");
    assert_eq!(machine.standing().schedule.as_ref().unwrap().skipped, 0);
    // Just after the turn it is set back by an hour: the turn does not come again.
    let turn = ahead + 15 * HOUR;
    machine.on(Input::Tick, shifted(20 * HOUR, turn));
    machine.on(Input::Launch(None), shifted(20 * HOUR, turn));
    machine.on(Input::Started, shifted(20 * HOUR, turn));
    machine.on(Input::Exited(Exit::Code(0)), shifted(20 * HOUR, turn - HOUR));
    machine.on(Input::Cleared { left: Vec::new(), spared: Vec::new() }, shifted(20 * HOUR, turn - HOUR));
    assert_eq!(next(&machine), "2026-01-07T03:00:00Z");
}

#[test]
fn a_calendar_without_a_turn_sleeps_for_ever() {
    let mut world = World::new(&calendar("0 0 30 2 *"), None, None, 0);
    world.pass(24 * HOUR);
    assert_eq!((world.phase(), world.starts.len()), (Phase::Sleeping, 0));
    world.tell(Input::Stop);
    assert_eq!(world.ending, Some(Ending::Stopped));
}

#[test]
fn a_host_that_slept_makes_up_for_one_turn_and_a_clock_that_was_set_for_none() {
    let turn = |boot, wall| {
        let mut machine = machine(&calendar("0 * * * *"), None, None, 0);
        machine.on(Input::Begin, at(0));
        let outputs = machine.on(Input::Tick, shifted(boot, wall));
        (outputs == [Output::ReadLaunch], machine.standing().schedule.clone().unwrap().skipped)
    };
    // The boot clock goes on while the host sleeps.
    assert_eq!(turn(5 * HOUR + 60_000, 5 * HOUR + 60_000), (true, 4));
    // Its clock was late by a quarter of an hour, after a start of some seconds.
    assert_eq!(turn(20_000, HOUR + HOUR / 4), (false, 0));
    // One that is corrected a little over the turn does not lose it.
    assert_eq!(turn(HOUR - 60_000, HOUR + 60_000), (true, 0));
}

#[test]
fn a_clock_that_is_set_ahead_during_a_run_has_no_turns_missed() {
    let mut machine = machine(&calendar("0 * * * *"), None, None, 0);
    machine.on(Input::Begin, at(0));
    assert_eq!(machine.on(Input::Tick, at(HOUR)), [Output::ReadLaunch]);
    machine.on(Input::Launch(None), at(HOUR));
    machine.on(Input::Started, at(HOUR));
    // Two hours and a half in which turns pass, and a century in which none does.
    let later = shifted(3 * HOUR + HOUR / 2, 876_000 * HOUR + HOUR / 2);
    machine.on(Input::Exited(Exit::Code(0)), later);
    machine.on(Input::Cleared { left: Vec::new(), spared: Vec::new() }, later);
    let standing = machine.standing().schedule.clone().unwrap();
    assert_eq!((standing.skipped, standing.next.map(|next| next > later.wall)), (2, Some(true)));
}

#[test]
fn a_calendar_counts_what_a_long_run_missed() {
    let mut world = World::new(&calendar("*/15 * * * *"), None, None, 0);
    world.pass(HOUR / 4);
    assert_eq!(world.starts.len(), 1);
    world.pass(HOUR);
    world.exit(0);
    // The turn of this very moment is not late.
    assert_eq!(counts(&world), (1, 1, 0, 0, 3));
    world.pass(1);
    assert_eq!(world.starts.len(), 2);
}

#[test]
fn a_service_stays_up_while_its_next_run_begins_unless_the_last_one_failed() {
    let mut spec = every(60);
    spec.restart.when = RestartWhen::OnFailure;
    let mut world = World::new(&spec, None, None, 0);
    assert_eq!(world.phase(), Phase::Starting);
    world.exit(2);
    world.pass(60_000);
    assert_eq!((world.phase(), world.starts.len()), (Phase::Ready, 2));
    world.exit(1);
    world.pass(1_000);
    assert_eq!((world.phase(), world.starts.len()), (Phase::Starting, 3));
}

#[test]
fn only_the_first_of_many_good_runs_is_remembered() {
    let mut world = World::new(&every(60), None, None, 0);
    for code in [0, 0, 0, 2, 2, 0, 0] {
        world.exit(code);
        world.pass(60_000);
    }
    // The first good one, both partial ones, and the first good one after them.
    assert_eq!(world.remembered.len(), 4);
    assert_eq!(counts(&world), (8, 5, 2, 0, 0));
}

#[test]
fn a_service_stays_up_while_its_reconcile_command_runs_after_a_good_run() {
    let mut spec = every(60);
    let reconcile = Reconcile { command: vec!["sync".to_owned()], every_cycles: 1 };
    spec.schedule.as_mut().unwrap().reconcile = Some(reconcile);
    let mut world = World::new(&spec, None, None, 0);
    world.exit(0);
    let due = world.machine.deadline().unwrap();
    world.machine.on(Input::Tick, at(due.0));
    assert_eq!(world.machine.on(Input::Launch(None), at(due.0)), [Output::Report, Output::Reconcile]);
    assert_eq!(world.phase(), Phase::Ready);
}
