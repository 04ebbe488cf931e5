//! Programs that are run again and again.

use std::time::{Duration, Instant};

use mainstay::model::duration::Span;
use mainstay::model::launch::{LaunchSpec, Probe};
use mainstay::model::outcome::Outcome;
use mainstay::model::schedule::{Reconcile, Schedule};
use mainstay::model::status::{Exit, Phase, ScheduleStanding};
use mainstay::model::trial::Trial;
use rustix::process::Signal;

use crate::host::{Host, LONG, spec, wait_for};

/// A script that is run each 200 ms; the shortest time that a manifest takes is a minute.
fn scheduled(script: &str, every: u64) -> LaunchSpec {
    let mut spec = spec(&["/bin/sh", "-c", script]);
    spec.schedule = Some(Schedule { every: Some(Span::milliseconds(every)), ..Schedule::default() });
    spec.restart.when = mainstay::model::manifest::RestartWhen::Never;
    spec.exit_codes = [(2, Outcome::Partial)].into_iter().collect();
    spec
}

fn standing(host: &Host) -> ScheduleStanding {
    host.status().unwrap().schedule.unwrap()
}

fn lines(host: &Host, file: &str) -> usize {
    std::fs::read_to_string(host.data().join(file)).unwrap_or_default().lines().count()
}

#[test]
fn partial_runs_warn_and_go_on_and_a_failure_ends_the_service_with_its_code() {
    let script = "echo >>runs; case $(wc -l <runs) in 2|4) exit 2;; 6) exit 9;; esac";
    let mut spec = scheduled(script, 200);
    spec.on_failure = ["/bin/sh", "-c", "echo $MAINSTAY_OUTCOME >>told"].map(str::to_owned).to_vec();
    let host = Host::new(&spec);
    let began = Instant::now();
    assert_eq!(host.run().code(), Some(9));
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    let status = host.status().unwrap();
    assert_eq!((status.phase, status.last_outcome), (Phase::Failed, Some(Outcome::Failure)));
    assert_eq!(status.last_exit, Some(Exit::Code(9)));
    let ScheduleStanding { cycles, successes, partials, failures, next, last_end, .. } =
        status.schedule.unwrap();
    assert_eq!((cycles, successes, partials, failures), (6, 3, 2, 1));
    assert!(next.is_none() && last_end.is_some());
    let told = std::fs::read_to_string(host.data().join("told")).unwrap();
    assert_eq!(told, "partial\npartial\nfailure\n");
}

#[test]
fn a_run_that_takes_longer_than_a_turn_skips_turns() {
    let host = Host::new(&scheduled("echo >>runs; sleep 0.5", 200));
    let mut driver = host.run();
    wait_for("three runs", LONG, || (lines(&host, "runs") == 3).then_some(()));
    let ScheduleStanding { cycles, successes, skipped, .. } = standing(&host);
    assert!(cycles == 3 && successes == 2 && skipped >= 4, "{cycles} {successes} {skipped}");
    assert!(host.log().contains("turns were skipped"), "{}", host.log());
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
}

#[test]
fn a_stop_ends_the_sleep_between_two_runs_at_once() {
    let host = Host::new(&scheduled("exit 2", 3_600_000));
    let mut driver = host.run();
    let status = host.wait_for_phase(Phase::Sleeping);
    assert!(status.phase.is_up() && status.program.is_none() && status.message.contains("partial"));
    assert!(status.schedule.unwrap().next.is_some());
    let asked = Instant::now();
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(host.status().unwrap().phase, Phase::Stopped);
}

#[test]
fn a_stop_lets_a_run_drain() {
    let script = "trap 'sleep 0.3; echo >drained; exit 0' TERM; echo >begun; while :; do sleep 0.05; done";
    let host = Host::new(&scheduled(script, 60_000));
    let mut driver = host.run();
    wait_for("the run", LONG, || host.data().join("begun").exists().then_some(()));
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
    assert!(host.data().join("drained").exists());
    assert_eq!(host.status().unwrap().last_exit, Some(Exit::Code(0)));
}

#[test]
fn the_reconcile_command_runs_first_and_a_stop_asks_it_to_end() {
    let mut spec = scheduled("echo run >>order", 200);
    let command = ["/bin/sh", "-c", "echo reconcile >>order; exit 3"].map(str::to_owned).to_vec();
    spec.schedule.as_mut().unwrap().reconcile = Some(Reconcile { command, every_cycles: 2 });
    let host = Host::new(&spec);
    let mut driver = host.run();
    wait_for("five lines", LONG, || (lines(&host, "order") >= 5).then_some(()));
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
    let order = std::fs::read_to_string(host.data().join("order")).unwrap();
    assert!(order.starts_with("run\nreconcile\nrun\nrun\nreconcile\n"), "{order}");
    assert!(standing(&host).partials >= 1);
    assert!(host.log().contains("the reconcile command before it failed"), "{}", host.log());

    let script = "trap 'echo >asked; exit 0' TERM; echo >begun; while :; do sleep 0.05; done";
    let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    spec.schedule.as_mut().unwrap().reconcile = Some(Reconcile { command, every_cycles: 1 });
    let host = Host::new(&spec);
    let mut driver = host.run();
    wait_for("the command", LONG, || host.data().join("begun").exists().then_some(()));
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
    assert!(host.data().join("asked").exists() && host.programs().is_empty());
    assert_eq!((lines(&host, "order"), host.status().unwrap().phase), (0, Phase::Stopped));
}

#[test]
fn the_launch_is_read_again_before_each_run() {
    let mut spec = scheduled("echo old >>runs", 300);
    let host = Host::new(&spec);
    let mut driver = host.run();
    wait_for("a run", LONG, || (lines(&host, "runs") >= 1).then_some(()));
    spec.command = ["/bin/sh", "-c", "echo new >>runs"].map(str::to_owned).to_vec();
    host.put(&spec);
    let identity = spec.identity();
    host.wait_for_status("the new launch", |status| status.launch == identity);
    let runs = || std::fs::read_to_string(host.data().join("runs")).unwrap();
    wait_for("a new run", LONG, || runs().ends_with("new\n").then_some(()));
    // Another version comes by a restart, which is its trial.
    spec.version = "2.0.0".parse().unwrap();
    host.put(&spec);
    wait_for("a word on it", LONG, || host.log().contains("only a restart can change").then_some(()));
    assert_eq!(host.status().unwrap().version.to_string(), "1.0.0");
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
}

#[test]
fn the_first_run_is_the_trial() {
    for (script, code) in [("exit 3", Some(190)), ("exit 2", None)] {
        let spec = scheduled(script, 3_600_000);
        let host = Host::new(&spec);
        let trial = Trial {
            format: 1,
            tree: spec.tree(),
            gate: Span::seconds(10),
            launch: String::new(),
            watch: None,
            taken_back: None,
        };
        std::fs::write(host.layout.trial(&host.name), serde_json::to_vec(&trial).unwrap()).unwrap();
        let mut driver = host.run();
        if code.is_none() {
            host.wait_for_phase(Phase::Sleeping);
            driver.signal(Signal::TERM);
        }
        assert_eq!(driver.code(), code.or(Some(0)));
    }
}

#[test]
fn a_calendar_waits_for_its_time_and_counts_as_up() {
    let mut spec = scheduled("echo >>runs", 1);
    // In the small hours of a day that is at least a year away.
    let calendar = Some("0 3 29 2 *".to_owned().try_into().unwrap());
    spec.schedule = Some(Schedule { calendar, ..Schedule::default() });
    spec.ready.probe = Probe::Notify;
    let host = Host::new(&spec);
    let mut driver = host.run();
    let status = host.wait_for_phase(Phase::Sleeping);
    let next = status.schedule.unwrap().next.unwrap();
    assert!(next > status.began && status.last_exit.is_none(), "{next}");
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
    assert_eq!(lines(&host, "runs"), 0);
}
