//! Programs that no longer work, that depend on a changed file, or that nobody needs.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mainstay::model::duration::Span;
use mainstay::model::event_line::EventKind;
use mainstay::model::health::{HealthPolicy, HealthProbe};
use mainstay::model::idle::Idle;
use mainstay::model::launch::{LaunchSpec, Probe};
use mainstay::model::socket::Socket;
use mainstay::model::status::{Exit, Phase};
use mainstay::model::watched::Watched;
use mainstay::supervise::read_events;
use rustix::process::Signal;

use crate::host::{Host, LONG, free_port, get, program, spec, wait_for};
use crate::load::ask;

fn server(port: u16) -> LaunchSpec {
    let mut spec = spec(&[&program("server"), "--port", &port.to_string()]);
    spec.ready.probe = Probe::Http(format!("http://127.0.0.1:{port}/health"));
    spec.restart.delays = vec![Span::milliseconds(100)];
    spec.stop.timeout = Span::milliseconds(2_000);
    spec
}

fn health(probe: HealthProbe) -> HealthPolicy {
    let (every, timeout) = (Span::milliseconds(100), Span::milliseconds(200));
    HealthPolicy { probe, every, timeout, failures: 2 }
}

fn kinds(host: &Host) -> Vec<EventKind> {
    let events = read_events(&host.layout.report(&host.name).join("events.jsonl"));
    events.iter().map(|event| event.event).collect()
}

#[test]
fn a_program_that_hangs_is_ended_and_started_again() {
    let port = free_port();
    let mut spec = server(port);
    let address = format!("http://127.0.0.1:{port}/health");
    spec.health = Some(health(HealthProbe::Http { address, status: None, body: BTreeMap::new() }));
    let host = Host::new(&spec);
    let mut driver = host.run();
    let first = host.wait_for_phase(Phase::Ready);
    host.wait_for_status("a good answer", |status| {
        status.health.as_ref().is_some_and(|health| health.last_success.is_some() && health.failures == 0)
    });
    assert!(get(port, "/hang").is_some());
    let again = host.wait_for_status("another program", |status| {
        status.phase == Phase::Ready && status.program != first.program
    });
    assert_eq!((again.last_exit, again.restarts.len(), again.failures), (Some(Exit::Unhealthy), 1, 1));
    assert_eq!(kinds(&host), [EventKind::Unhealthy]);
    assert!(host.log().contains("failed 2 health checks in a row"), "{}", host.log());
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
}

#[test]
fn a_command_may_ask_and_one_that_hangs_is_a_failure() {
    let mut spec = spec(&[&program("never_ready")]);
    spec.ready.probe = Probe::Delay(Span::milliseconds(50));
    spec.restart.limit = 1;
    spec.restart.delays = vec![Span::milliseconds(50)];
    spec.health = Some(health(HealthProbe::Command(["sleep", "60"].map(str::to_owned).to_vec())));
    let host = Host::new(&spec);
    assert_eq!(host.run().code(), Some(1));
    let status = host.status().unwrap();
    assert_eq!((status.phase, status.last_exit), (Phase::Failed, Some(Exit::Unhealthy)));
    assert!(status.message.contains("no answer within 200ms"), "{}", status.message);
}

#[test]
fn a_program_that_says_that_it_works_must_go_on_saying_so() {
    let mut spec = spec(&[&program("notifies"), "10", "well", "10"]);
    spec.ready.probe = Probe::Notify;
    spec.restart.limit = 1;
    spec.restart.delays = vec![Span::milliseconds(50)];
    let mut policy = health(HealthProbe::Notify);
    policy.every = Span::milliseconds(250);
    spec.health = Some(policy);
    let host = Host::new(&spec);
    let mut driver = host.run();
    host.wait_for_phase(Phase::Ready);
    std::thread::sleep(Duration::from_secs(1));
    let status = host.status().unwrap();
    assert_eq!((status.phase, status.failures), (Phase::Ready, 0), "it says so");
    assert_eq!(driver.code(), Some(1));
    let status = host.status().unwrap();
    assert_eq!(status.last_exit, Some(Exit::Unhealthy));
    assert!(status.message.contains("WATCHDOG=1"), "{}", status.message);
}

#[test]
fn a_changed_file_drains_the_program_and_starts_it_anew() {
    let script = "trap 'sleep 0.2; echo >>drained; exit 0' TERM; echo >>lives; while :; do sleep 0.05; done";
    let mut spec = spec(&["/bin/sh", "-c", script]);
    spec.restart_on_change = vec![Watched::Config];
    let host = Host::new(&spec);
    let config = host.layout.config(&host.name);
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("web.toml"), "a = 1").unwrap();
    let mut driver = host.run();
    host.wait_for_phase(Phase::Ready);
    std::fs::write(config.join("web.toml"), "a = 22").unwrap();
    let count =
        |file: &str| std::fs::read_to_string(host.data().join(file)).unwrap_or_default().lines().count();
    wait_for("another life", LONG, || (count("lives") == 2).then_some(()));
    let status = host.wait_for_phase(Phase::Ready);
    assert_eq!((status.failures, status.restarts.len(), status.last_exit), (0, 0, Some(Exit::Code(0))));
    assert_eq!((count("drained"), kinds(&host)), (1, vec![EventKind::Changed]));
    assert!(host.log().contains("web.toml` has changed"), "{}", host.log());
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
}

#[test]
fn a_program_that_nobody_needs_is_stopped() {
    let mut spec = spec(&[&program("never_ready")]);
    spec.ready.probe = Probe::Delay(Span::milliseconds(50));
    let busy = Some(["test", "-e", "needed"].map(str::to_owned).to_vec());
    spec.idle = Some(Idle { after: Span::milliseconds(500), busy });
    let host = Host::new(&spec);
    std::fs::write(host.data().join("needed"), "").unwrap();
    let mut driver = host.run();
    host.wait_for_phase(Phase::Ready);
    std::thread::sleep(Duration::from_millis(1_200));
    assert_eq!(host.status().unwrap().phase, Phase::Ready, "somebody needs it");
    std::fs::remove_file(host.data().join("needed")).unwrap();
    let alone = Instant::now();
    assert_eq!(driver.code(), Some(0));
    assert!(alone.elapsed() >= Duration::from_millis(300), "{:?}", alone.elapsed());
    let status = host.status().unwrap();
    assert_eq!((status.phase, status.failures), (Phase::Completed, 0));
    assert!(status.message.contains("nobody needs it"), "{}", status.message);
    assert_eq!(kinds(&host), [EventKind::Idled]);
}

#[test]
fn a_connection_wakes_a_program_that_was_stopped_and_at_rest_nothing_wakes_up() {
    let mut spec = spec(&[&program("holds"), "here"]);
    spec.ready.probe = Probe::Delay(Span::milliseconds(50));
    spec.idle = Some(Idle { after: Span::milliseconds(400), busy: None });
    let host = Host::new(&spec);
    // Of a TCP connection the kernel remembers the end for a minute.
    let path = host.root.join("web.sock");
    spec.sockets = vec![Socket { listen: path.to_string().try_into().unwrap(), name: None }];
    host.put(&spec);
    let mut driver = host.run();
    for life in 1..=3 {
        let rest = host.wait_for_phase(Phase::Idle);
        wait_for("the end of the program", LONG, || host.programs().is_empty().then_some(()));
        assert!(rest.phase.is_up() && rest.restarts.is_empty());
        let pid = rest.supervisor.pid;
        let switches = || {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            status.lines().find(|line| line.starts_with("voluntary")).map(str::to_owned)
        };
        std::thread::sleep(Duration::from_millis(100));
        let before = switches();
        std::thread::sleep(Duration::from_millis(700));
        assert_eq!(before, switches());
        // The one that wakes it is answered too.
        assert!(ask(path.as_str()).unwrap().starts_with("here "));
        let woken = kinds(&host).into_iter().filter(|kind| *kind == EventKind::Woken).count();
        assert_eq!(woken, life);
    }
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
    assert!(!path.exists());
}

#[test]
fn a_connection_that_stays_keeps_a_program_up() {
    let mut spec = spec(&[&program("holds"), "here"]);
    spec.ready.probe = Probe::Delay(Span::milliseconds(50));
    spec.idle = Some(Idle { after: Span::milliseconds(400), busy: None });
    let address = format!("127.0.0.1:{}", free_port());
    spec.sockets = vec![Socket { listen: address.clone().try_into().unwrap(), name: None }];
    let host = Host::new(&spec);
    let _driver = host.run();
    let ready = host.wait_for_phase(Phase::Ready);
    let connection = std::net::TcpStream::connect(&address).unwrap();
    std::thread::sleep(Duration::from_millis(1_200));
    assert_eq!(host.status().unwrap().program, ready.program);
    // A reset leaves nothing for the kernel to remember.
    rustix::net::sockopt::set_socket_linger(&connection, Some(Duration::ZERO)).unwrap();
    drop(connection);
    host.wait_for_phase(Phase::Idle);
}

#[test]
fn health_that_is_asked_at_the_held_socket_keeps_no_program_up() {
    // Between the questions, and while one is answered.
    for pause in ["1", "60"] {
        let mut spec = spec(&[&program("holds"), "here", pause]);
        spec.idle = Some(Idle { after: Span::milliseconds(600), busy: None });
        let address = format!("127.0.0.1:{}", free_port());
        spec.sockets = vec![Socket { listen: address.clone().try_into().unwrap(), name: None }];
        let address = format!("http://{address}/health");
        spec.ready.probe = Probe::Http(address.clone());
        spec.health = Some(health(HealthProbe::Http { address, status: None, body: BTreeMap::new() }));
        let host = Host::new(&spec);
        let _driver = host.run();
        host.wait_for_phase(Phase::Ready);
        host.wait_for_phase(Phase::Idle);
    }
}

#[test]
fn a_stop_in_a_pause_is_at_once() {
    let mut spec = spec(&[&program("crashes"), "10"]);
    spec.restart.delays = vec![Span::seconds(60)];
    let host = Host::new(&spec);
    let mut driver = host.run();
    host.wait_for_phase(Phase::BackingOff);
    let asked = Instant::now();
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}

#[test]
fn the_programs_own_word_does_not_make_it_ready_where_another_probe_asks() {
    let mut spec = spec(&[&program("notifies"), "0", "hello", "50"]);
    spec.ready.probe = Probe::File("{data}/ready".to_owned());
    spec.health = Some(health(HealthProbe::Notify));
    let host = Host::new(&spec);
    let _driver = host.run();
    let status = host.wait_for_status("its word", |status| status.message.contains("hello"));
    assert_eq!(status.phase, Phase::Starting);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(host.status().unwrap().phase, Phase::Starting);
    std::fs::write(host.data().join("ready"), "").unwrap();
    host.wait_for_phase(Phase::Ready);
}
