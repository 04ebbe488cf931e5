//! What is written for others: the health file, the pid file, the events.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::model::duration::Span;
use mainstay::model::event_line::EventKind;
use mainstay::model::health_file::HealthFile;
use mainstay::model::launch::{LaunchSpec, Probe};
use mainstay::model::manifest::RestartWhen;
use mainstay::model::outcome::Outcome;
use mainstay::model::status::{Exit, Phase};
use mainstay::supervise::read_events;
use rustix::process::Signal;

use crate::host::{Host, LONG, free_port, get, program, spec, wait_for};

fn monitored(port: u16) -> LaunchSpec {
    let mut spec = spec(&[&program("server"), "--port", &port.to_string()]);
    spec.ready.probe = Probe::Http(format!("http://127.0.0.1:{port}/health"));
    spec.restart.delays = vec![Span::milliseconds(10)];
    spec.health_file = Some("{data}/health.json".to_owned());
    spec.pid_file = Some("{data}/web.pid".to_owned());
    spec
}

fn health(path: &Utf8Path) -> Option<HealthFile> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn files(host: &Host) -> (Utf8PathBuf, Utf8PathBuf) {
    (host.data().join("health.json"), host.data().join("web.pid"))
}

#[test]
fn monitors_read_how_it_goes_and_history_what_happened() {
    let port = free_port();
    let host = Host::new(&monitored(port));
    let (health_file, pid_file) = files(&host);
    let mut driver = host.run();
    let first = host.wait_for_phase(Phase::Ready);
    let told = wait_for("the health file", LONG, || {
        health(&health_file).filter(|health| health.phase == Phase::Ready)
    });
    assert_eq!((told.last_start, told.last_success), (first.started, first.ready));
    assert_eq!((told.consecutive_failures, told.last_error), (0, None));
    let pid = |status: &mainstay::model::status::Status| format!("{}\n", status.program.unwrap().pid);
    assert_eq!(fs::read_to_string(&pid_file).unwrap(), pid(&first));
    get(port, "/exit/3");
    let second = host.wait_for_status("ready again", |status| {
        status.phase == Phase::Ready && status.started != first.started
    });
    assert_eq!(fs::read_to_string(&pid_file).unwrap(), pid(&second));
    let events = read_events(&host.layout.events(&host.name));
    let ended: Vec<_> = events.iter().filter(|event| event.event == EventKind::Ended).collect();
    assert_eq!(ended.len(), 1, "{events:?}");
    assert_eq!((ended[0].outcome, ended[0].exit), (Some(Outcome::Failure), Some(Exit::Code(3))));
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
    assert!(!pid_file.exists());
    assert_eq!(health(&health_file).unwrap().phase, Phase::Stopped);
}

#[test]
fn a_failure_stands_in_the_health_file() {
    let mut spec = spec(&[&program("exits"), "7"]);
    spec.restart.when = RestartWhen::Never;
    spec.health_file = Some("{data}/health.json".to_owned());
    let host = Host::new(&spec);
    let mut driver = host.run();
    assert_eq!(driver.code(), Some(7));
    let told = health(&files(&host).0).unwrap();
    assert_eq!((told.phase, told.consecutive_failures, told.last_success), (Phase::Failed, 1, None));
    assert_eq!(told.last_error.as_deref(), Some("the program exited with code 7"));
}

#[test]
fn a_pid_file_of_another_process_keeps_the_program_from_starting() {
    let mut spec = monitored(free_port());
    spec.restart.when = RestartWhen::Never;
    let host = Host::new(&spec);
    let (_, pid_file) = files(&host);
    // This very process stands for somebody else's.
    let other = format!("{}\n", std::process::id());
    fs::write(&pid_file, &other).unwrap();
    let mut driver = host.run();
    assert_eq!(driver.code(), Some(1));
    let status = host.status().unwrap();
    assert_eq!((status.phase, status.last_exit), (Phase::Failed, Some(Exit::NotStarted)));
    assert!(host.log().contains("is not of this service"), "{}", host.log());
    assert_eq!(fs::read_to_string(&pid_file).unwrap(), other);
    // One that is gone is in nobody's way.
    fs::write(&pid_file, "999999\n").unwrap();
    let mut driver = host.run();
    host.wait_for_phase(Phase::Ready);
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
}
