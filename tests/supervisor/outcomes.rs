//! What exit codes mean, and who is told.

use std::time::{Duration, Instant};

use mainstay::model::duration::Span;
use mainstay::model::event_line::EventKind;
use mainstay::model::launch::{LaunchSpec, Probe};
use mainstay::model::outcome::Outcome;
use mainstay::model::status::{Exit, Phase};
use mainstay::supervise::read_events;
use rustix::process::Signal;

use crate::host::{Host, LONG, program, spec, wait_for};

fn shell(script: &str) -> LaunchSpec {
    let mut spec = spec(&["/bin/sh", "-c", script]);
    spec.ready.probe = Probe::Delay(Span::milliseconds(100));
    spec.restart.delays = vec![Span::milliseconds(50)];
    spec.exit_codes =
        [(2, Outcome::Partial), (4, Outcome::Fatal), (42, Outcome::Restart)].into_iter().collect();
    spec
}

#[test]
fn codes_mean_what_the_manifest_says() {
    for (code, expected, phase, outcome) in [
        (2, 0, Phase::Completed, Outcome::Partial),
        (4, 4, Phase::Failed, Outcome::Fatal),
        (0, 0, Phase::Completed, Outcome::Success),
    ] {
        let host = Host::new(&shell(&format!("exit {code}")));
        assert_eq!(host.run().code(), Some(expected));
        let status = host.status().unwrap();
        assert_eq!((status.phase, status.last_outcome), (phase, Some(outcome)));
        assert_eq!(status.last_exit, Some(Exit::Code(code)));
        assert_eq!(status.restarts.len(), 0);
        let events = read_events(&host.layout.report(&host.name).join("events.jsonl"));
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!((events[0].event, events[0].outcome), (EventKind::Ended, Some(outcome)));
        assert_eq!(events[0].message, status.message);
    }
}

#[test]
fn a_program_that_was_ready_and_wants_a_restart_gets_it_at_once_and_uncounted() {
    let mut spec = shell("echo >>lives; test $(wc -l <lives) -gt 4 && exec sleep 60; sleep 0.2; exit 42");
    // A pause would be seen.
    spec.restart.delays = vec![Span::seconds(60)];
    let host = Host::new(&spec);
    let mut driver = host.run();
    let began = Instant::now();
    let lives = || std::fs::read_to_string(host.data().join("lives")).unwrap_or_default().lines().count();
    wait_for("five lives", LONG, || (lives() == 5).then_some(()));
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let status = host.wait_for_phase(Phase::Ready);
    assert_eq!((status.failures, status.restarts.len()), (0, 0));
    assert_eq!(status.last_outcome, Some(Outcome::Restart));
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
}

#[test]
fn an_alert_is_told_the_facts_and_the_end_waits_for_it() {
    let mut spec = shell("exit 4");
    let facts =
        "sleep 0.3; env | grep ^MAINSTAY_ >facts.new; echo BASE=$BASE >>facts.new; mv facts.new facts";
    spec.on_failure = ["/bin/sh", "-c", facts].map(str::to_owned).to_vec();
    spec.environment.insert("BASE".to_owned().try_into().unwrap(), "here".to_owned());
    let host = Host::new(&spec);
    assert_eq!(host.run().code(), Some(4));
    let facts = std::fs::read_to_string(host.data().join("facts")).unwrap();
    let message = format!("MAINSTAY_MESSAGE={}", host.status().unwrap().message);
    for line in ["MAINSTAY_OUTCOME=fatal", "MAINSTAY_EXIT=4", "MAINSTAY_FAILURES=1", "BASE=here", &message] {
        assert!(facts.lines().any(|fact| fact == line), "{line} in {facts}");
    }
    assert!(facts.lines().any(|fact| fact == "MAINSTAY_NEXT_START="), "{facts}");
}

#[test]
fn alerts_run_one_at_a_time_beside_the_next_life_and_outlive_the_death_of_a_program() {
    let mut spec = shell("echo >>lives; kill -9 $$");
    spec.restart.limit = 8;
    let alert = "echo begin $MAINSTAY_EXIT $MAINSTAY_NEXT_START >>told; sleep 0.4; echo end >>told";
    spec.on_failure = ["/bin/sh", "-c", alert].map(str::to_owned).to_vec();
    let host = Host::new(&spec);
    assert_eq!(host.run().code(), Some(137));
    let lives = std::fs::read_to_string(host.data().join("lives")).unwrap().lines().count();
    let told = std::fs::read_to_string(host.data().join("told")).unwrap();
    let words: Vec<_> = told.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert!(words.len() >= 4 && words.len() < 2 * lives, "{lives} {told}");
    assert!(words.chunks(2).all(|pair| pair == ["begin", "end"]), "{told}");
    assert!(told.starts_with("begin SIGKILL 20"), "{told}");
    assert!(host.log().contains("is replaced by a later one"), "{}", host.log());
}

#[test]
fn a_stop_does_not_wait_for_an_alert() {
    let mut spec = shell("exit 1");
    spec.restart.delays = vec![Span::seconds(60)];
    spec.on_failure = ["/bin/sh", "-c", "echo >told; sleep 50"].map(str::to_owned).to_vec();
    let host = Host::new(&spec);
    let mut driver = host.run();
    wait_for("the alert", LONG, || host.data().join("told").exists().then_some(()));
    let asked = Instant::now();
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert!(host.log().contains("the alert is cut off"), "{}", host.log());
    wait_for("the end of the alert", LONG, || host.programs().is_empty().then_some(()));
}

#[test]
fn what_can_not_be_started_is_told_too() {
    let mut spec = spec(&[&program("exits"), "0"]);
    spec.restart.when = mainstay::model::manifest::RestartWhen::Never;
    spec.environment_file = Some("/no/such/file".into());
    spec.working_directory = "/no/such/folder".to_owned();
    let told = "{data}/told";
    spec.on_failure = ["/bin/sh", "-c", "echo $MAINSTAY_EXIT >$0", told].map(str::to_owned).to_vec();
    let host = Host::new(&spec);
    assert_eq!(host.run().code(), Some(1));
    assert_eq!(std::fs::read_to_string(host.data().join("told")).unwrap(), "not-started\n");
}

#[test]
fn what_is_down_for_good_stays_down_though_its_supervisor_is_killed_while_it_tells_of_it() {
    for code in [4, 2] {
        let mut spec = shell(&format!("echo >>lives; exit {code}"));
        spec.on_failure = ["/bin/sh", "-c", "echo >told; sleep 50"].map(str::to_owned).to_vec();
        let host = Host::new(&spec);
        let mut guardian = host.guard();
        wait_for("the alert", LONG, || host.data().join("told").exists().then_some(()));
        let before = host.wait_for_status("the ending", |status| status.telling);
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(before.supervisor.pid.cast_signed()).unwrap(),
            Signal::KILL,
        )
        .unwrap();
        assert_eq!(guardian.code(), Some(if code == 4 { 4 } else { 0 }));
        let after = host.status().unwrap();
        assert_ne!(after.supervisor, before.supervisor);
        assert_eq!((after.phase, after.last_exit, after.telling), (before.phase, before.last_exit, false));
        assert_eq!(after.message, before.message);
        assert!(host.programs().is_empty(), "{:?}", host.programs());
        assert_eq!(std::fs::read_to_string(host.data().join("lives")).unwrap(), "\n");
        // Started by hand, it is started.
        let _again = host.guard();
        wait_for("another life", LONG, || {
            (std::fs::read_to_string(host.data().join("lives")).unwrap() == "\n\n").then_some(())
        });
    }
}
