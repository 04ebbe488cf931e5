//! What endings mean.

use super::*;
use crate::model::event_line::EventKind;
use crate::model::launch::Readiness;
use crate::model::outcome::{ExitCodes, Outcome};
use crate::supervise::machine::verdict::{Life, Verdict, meaning, verdict};

pub(super) fn codes() -> ExitCodes {
    use Outcome::{Failure, Fatal, Partial, Restart, Success};
    [(2, Partial), (4, Fatal), (42, Restart), (7, Success), (8, Failure)].into_iter().collect()
}

fn with_codes(when: RestartWhen) -> LaunchSpec {
    let mut spec = delay();
    spec.exit_codes = codes();
    spec.restart.when = when;
    spec
}

#[test]
fn codes_end_a_life_as_the_manifest_says() {
    use RestartWhen::{Always, Never, OnFailure};
    let failed = |code| Some(Ending::Failed(Exit::Code(code)));
    let completed = Some(Ending::Completed);
    for (code, when, ending, alerts) in [
        (0, OnFailure, completed, 0),
        (7, OnFailure, completed, 0),
        (2, OnFailure, completed, 1),
        (2, Never, completed, 1),
        (2, Always, None, 1),
        (8, OnFailure, None, 1),
        (8, Never, failed(8), 1),
        (4, OnFailure, failed(4), 1),
        (4, Always, failed(4), 1),
        (42, Never, None, 0),
    ] {
        let mut world = World::new(&with_codes(when), None, None, 0);
        world.pass(2_000);
        world.exit(code);
        assert_eq!((world.ending, world.alerts), (ending, alerts), "{code} {when:?}");
        assert_eq!(world.machine.standing().last_exit, Some(Exit::Code(code)));
        assert_eq!(world.machine.standing().last_outcome, Some(codes().outcome(Exit::Code(code))));
        assert_eq!(world.remembered, [EventKind::Ended]);
    }
}

#[test]
fn a_restart_that_the_program_wants_is_at_once_and_does_not_count() {
    let mut world = World::new(&with_codes(RestartWhen::OnFailure), None, None, 0);
    for life in 1..=20 {
        world.pass(1_000);
        world.exit(42);
        assert_eq!((world.phase(), world.starts.len()), (Phase::Starting, life + 1));
    }
    assert_eq!(*world.starts.last().unwrap(), world.now);
    assert!(world.message().contains("at once") || world.message().contains("not ready yet"));
    assert_eq!((world.machine.standing().failures, world.machine.standing().restarts.count()), (0, 0));
    // Before it is ready it is a failure like any other, or it would go on for ever.
    world.pass(999);
    world.exit(42);
    assert_eq!((world.phase(), world.alerts), (Phase::BackingOff, 1));
    assert_eq!(world.machine.standing().last_outcome, Some(Outcome::Failure));
    assert_eq!(world.machine.standing().restarts.count(), 1);
}

#[test]
fn a_word_says_what_a_code_means_where_that_is_not_the_usual() {
    for (code, said) in [(2, "code 2 (partial)"), (7, "code 7 (success)"), (0, "code 0")] {
        let mut world = World::new(&with_codes(RestartWhen::OnFailure), None, None, 0);
        world.exit(code);
        assert!(world.message().ends_with(said), "{}", world.message());
    }
}

#[test]
fn on_trial_only_a_run_of_a_schedule_may_end_before_it_is_ready() {
    let restarts = || Restarts::default();
    for outcome in [Outcome::Success, Outcome::Partial, Outcome::Failure, Outcome::Fatal] {
        for scheduled in [false, true] {
            let life = Life { outcome, on_trial: true, watched: false, scheduled };
            let done = matches!(outcome, Outcome::Success | Outcome::Partial);
            let expected = if scheduled && done { Verdict::Sleep } else { Verdict::TakenBack };
            assert_eq!(verdict(life, &delay().restart, &mut restarts(), BootMoment(0)), expected);
        }
    }
    assert_eq!(meaning(Outcome::Success, true, false), Outcome::Partial);
    assert_eq!(meaning(Outcome::Fatal, true, false), Outcome::Fatal);
}

#[test]
fn what_is_left_is_named() {
    let mut machine = machine(&delay(), None, None, 0);
    machine.on(Input::Begin, at(0));
    machine.on(Input::Started, at(0));
    machine.on(Input::Stop, at(0));
    machine.on(Input::Exited(Exit::Code(0)), at(1));
    let spared = vec!["worker (12)".to_owned()];
    let outputs = machine.on(Input::Cleared { left: Vec::new(), spared }, at(1));
    assert!(outputs.contains(&Output::End(Ending::Stopped)));
    assert_eq!(machine.standing().message, "stopped; lives on: worker (12)");
}

#[test]
fn a_program_that_always_wants_to_be_started_again_gets_no_more_than_a_start_a_second() {
    let mut spec = with_codes(RestartWhen::OnFailure);
    spec.ready = Readiness { probe: Probe::Notify, timeout: Span::seconds(60) };
    let mut world = World::new(&spec, None, None, 0);
    for life in 1..=20 {
        world.tell(Input::ProbeOk);
        world.exit(42);
        assert_eq!((world.phase(), world.starts.len()), (Phase::BackingOff, life));
        world.pass(999);
        assert_eq!(world.starts.len(), life);
        world.pass(1);
        assert_eq!(world.starts.len(), life + 1);
    }
    assert_eq!((world.machine.standing().failures, world.machine.standing().restarts.count()), (0, 0));
}

#[test]
fn a_stop_that_meets_an_ending_keeps_what_that_ending_meant() {
    for input in [Input::Stop, Input::Force] {
        let mut machine = machine(&with_codes(RestartWhen::Always), None, None, 0);
        machine.on(Input::Begin, at(0));
        machine.on(Input::Started, at(0));
        machine.on(Input::Exited(Exit::Code(2)), at(1));
        machine.on(Input::Cleared { left: Vec::new(), spared: Vec::new() }, at(1));
        assert_eq!(machine.standing().last_outcome, Some(Outcome::Partial));
        machine.on(Input::Tick, at(1_100));
        machine.on(Input::Started, at(1_100));
        machine.on(Input::Exited(Exit::Code(8)), at(1_200));
        machine.on(input, at(1_200));
        let standing = machine.standing();
        assert_eq!(
            (standing.last_exit, standing.last_outcome),
            (Some(Exit::Code(8)), Some(Outcome::Failure))
        );
    }
}
