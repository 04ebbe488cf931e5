use std::time::{Duration, Instant};

use mainstay::model::duration::Span;
use mainstay::model::launch::{LaunchSpec, Probe};
use mainstay::model::manifest::RestartWhen;
use mainstay::model::status::{Exit, Phase};
use mainstay::model::trial::Trial;
use mainstay::supervise::supervisor_lock;
use rustix::process::Signal;

use crate::host::{Host, LONG, free_port, get, program, spec, wait_for};

fn server(port: u16, more: &[&str]) -> LaunchSpec {
    let port_text = port.to_string();
    let mut command = vec!["server", "--port", &port_text];
    command.extend(more);
    let file = program("server");
    command[0] = &file;
    let mut spec = spec(&command);
    spec.environment.insert("PORT".to_owned().try_into().unwrap(), port_text.clone());
    spec.ready.probe = Probe::Http("http://127.0.0.1:{env.PORT}/health".to_owned());
    spec
}

#[test]
fn a_server_becomes_ready_and_stops() {
    let port = free_port();
    let host = Host::new(&server(port, &["--ready-after", "300"]));
    let began = Instant::now();
    let mut driver = host.run();
    let starting = host.wait_for_status("a program", |status| status.program.is_some());
    assert_eq!(starting.phase, Phase::Starting);
    let ready = host.wait_for_phase(Phase::Ready);
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert_eq!(get(port, "/pid"), ready.program.map(|program| program.pid.to_string()));
    assert_eq!(ready.supervisor.pid, driver.pid());
    assert!(ready.ready.is_some() && ready.started.is_some());
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
    let stopped = host.status().unwrap();
    assert_eq!((stopped.phase, stopped.program), (Phase::Stopped, None));
    assert_eq!(stopped.last_exit, Some(Exit::Signal(15)));
    assert!(host.programs().is_empty());
}

#[test]
fn readiness_comes_no_earlier_and_hardly_later_than_the_program_is_ready() {
    let took = || {
        let host = Host::new(&server(free_port(), &["--ready-after", "300"]));
        let began = Instant::now();
        let mut driver = host.run();
        host.wait_for_phase(Phase::Ready);
        let took = began.elapsed();
        driver.signal(Signal::TERM);
        assert_eq!(driver.code(), Some(0));
        took
    };
    // The best of three: a busy machine may hold a process up for longer than this.
    let all = [took(), took(), took()];
    assert!(all.iter().all(|took| *took >= Duration::from_millis(300)), "{all:?}");
    assert!(all.iter().min().is_some_and(|least| *least < Duration::from_secs(1)), "{all:?}");
}

#[test]
fn readiness_is_noticed_within_milliseconds() {
    let port = free_port();
    let host = Host::new(&server(port, &[]));
    let _driver = host.run();
    let answered =
        wait_for("an answer", Duration::from_secs(5), || get(port, "/health").map(|_| Instant::now()));
    wait_for("readiness", Duration::from_secs(5), || {
        host.status().filter(|status| status.phase == Phase::Ready)
    });
    assert!(answered.elapsed() < Duration::from_millis(150), "{:?}", answered.elapsed());
}

#[test]
fn an_exit_code_leaves_as_it_is_and_190_as_191() {
    for (code, expected) in [("42", 42), ("190", 191), ("0", 0)] {
        let mut spec = spec(&[&program("exits"), code]);
        spec.restart.when = RestartWhen::Never;
        let host = Host::new(&spec);
        assert_eq!(host.run().code(), Some(expected));
        let phase = if code == "0" { Phase::Completed } else { Phase::Failed };
        assert_eq!(host.status().unwrap().phase, phase);
    }
}

#[test]
fn a_program_that_fails_is_started_again_until_the_limit() {
    let mut spec = spec(&[&program("crashes"), "10"]);
    spec.restart.delays = [100, 200, 300].map(Span::milliseconds).to_vec();
    spec.restart.limit = 4;
    let host = Host::new(&spec);
    let began = Instant::now();
    assert_eq!(host.run().code(), Some(1));
    let took = began.elapsed();
    // 100 + 200 + 300 + 300, and five short lives.
    assert!(took >= Duration::from_millis(900) && took < Duration::from_millis(2_500), "{took:?}");
    let status = host.status().unwrap();
    assert_eq!((status.phase, status.failures, status.restarts.len()), (Phase::Failed, 5, 4));
    let log = host.log();
    assert_eq!(log.matches("started again in").count(), 4, "{log}");
    assert!(log.contains("started again in 100ms (restart 1 of 4 in 5m)"), "{log}");
    assert!(log.contains("stays down"), "{log}");
}

#[test]
fn the_count_goes_on_when_the_supervisor_was_killed() {
    let mut spec = spec(&[&program("crashes"), "10"]);
    spec.restart.delays = [50, 60_000].map(Span::milliseconds).to_vec();
    let host = Host::new(&spec);
    let driver = host.run();
    host.wait_for_status("the long pause", |status| status.restarts.len() == 2);
    drop(driver);
    let mut driver = host.run();
    let status = host.wait_for_status("the third", |status| status.restarts.len() == 3);
    assert_eq!(status.failures, 3);
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
    let driver = host.run();
    let status = host.wait_for_status("one", |status| status.restarts.len() == 1);
    assert_eq!(status.failures, 1, "a stop begins the count anew");
    drop(driver);
}

#[test]
fn a_port_that_is_in_use_is_said_before_the_program_starts() {
    let port = free_port();
    let other = Host::new(&server(port, &[]));
    let _other_driver = other.run();
    other.wait_for_phase(Phase::Ready);
    let mut spec = server(port, &[]);
    spec.restart.when = RestartWhen::Never;
    let host = Host::new(&spec);
    assert_eq!(host.run().code(), Some(1));
    let status = host.status().unwrap();
    assert!(status.message.contains("port is in use"), "{}", status.message);
    assert_eq!((status.last_exit, status.started), (Some(Exit::NotStarted), None));
}

#[test]
fn a_program_that_never_becomes_ready_is_ended() {
    let mut spec = spec(&[&program("never_ready")]);
    spec.ready.probe = Probe::Tcp(format!("127.0.0.1:{}", free_port()));
    spec.ready.timeout = Span::milliseconds(300);
    spec.restart.when = RestartWhen::Never;
    let host = Host::new(&spec);
    assert_eq!(host.run().code(), Some(1));
    let status = host.status().unwrap();
    assert_eq!(status.last_exit, Some(Exit::NotReady));
    assert!(status.message.contains("refused"), "{}", status.message);
}

#[test]
fn what_can_not_be_started_says_why() {
    let cases = [
        (spec(&["no-such-program"]), "no program `no-such-program`"),
        (spec(&["/dev/null"]), "not a file"),
        (spec(&[]), "the command is empty"),
        (
            LaunchSpec { working_directory: "/no/such/folder".to_owned(), ..spec(&["true"]) },
            "/no/such/folder",
        ),
        (LaunchSpec { environment_file: Some("/no/such/file".into()), ..spec(&["true"]) }, "/no/such/file"),
    ];
    for (mut spec, expected) in cases {
        spec.restart.when = RestartWhen::Never;
        let host = Host::new(&spec);
        assert_eq!(host.run().code(), Some(1), "{expected}");
        let status = host.status().unwrap();
        assert!(status.message.contains(expected), "{}", status.message);
        assert_eq!(status.last_exit, Some(Exit::NotStarted));
    }
}

#[test]
fn a_trial_that_fails_ends_with_190() {
    for (command, gate) in
        [(vec![program("crashes"), "10".to_owned()], 10_000), (vec![program("never_ready")], 200)]
    {
        let command: Vec<_> = command.iter().map(String::as_str).collect();
        let mut spec = spec(&command);
        spec.ready.probe = Probe::Notify;
        let host = Host::new(&spec);
        let trial = Trial {
            format: 1,
            tree: spec.tree(),
            gate: Span::milliseconds(gate),
            launch: String::new(),
            watch: None,
            taken_back: None,
        };
        std::fs::write(host.layout.trial(&host.name), serde_json::to_vec(&trial).unwrap()).unwrap();
        assert_eq!(host.run().code(), Some(190));
        assert!(host.programs().is_empty());
    }
}

#[test]
fn every_kind_of_readiness_is_seen() {
    let port = free_port();
    let port_text = port.to_string();
    let dumps = [program("dumps")];
    let (server, notifies) = (program("server"), program("notifies"));
    let cases: [(&[&str], Probe); 5] = [
        (&[&server, "--port", &port_text], Probe::Tcp(format!("127.0.0.1:{port}"))),
        (&[&dumps[0]], Probe::File("{data}/dump.json".to_owned())),
        (&[&dumps[0]], Probe::Command(["test", "-e", "{data}/dump.json"].map(str::to_owned).to_vec())),
        (&[&notifies, "100"], Probe::Notify),
        (&[&dumps[0]], Probe::Delay(Span::milliseconds(200))),
    ];
    for (command, probe) in cases {
        let mut spec = spec(command);
        spec.ready.probe = probe.clone();
        let host = Host::new(&spec);
        // Older than the start: no sign of readiness.
        std::fs::write(host.data().join("dump.json"), "{}").unwrap();
        if !matches!(probe, Probe::File(_)) {
            std::fs::remove_file(host.data().join("dump.json")).unwrap();
        }
        std::thread::sleep(Duration::from_millis(30));
        let mut driver = host.run();
        let ready = host.wait_for_phase(Phase::Ready);
        if probe == Probe::Notify {
            assert_eq!(ready.message, "ready: all is well");
        }
        driver.signal(Signal::TERM);
        assert_eq!(driver.code(), Some(0), "{probe:?}");
    }
}

#[test]
fn a_file_that_is_older_than_the_start_is_no_readiness() {
    let mut spec = spec(&[&program("never_ready")]);
    spec.ready.probe = Probe::File("{data}/ready".to_owned());
    spec.ready.timeout = Span::milliseconds(400);
    spec.restart.when = RestartWhen::Never;
    let host = Host::new(&spec);
    std::fs::write(host.data().join("ready"), "").unwrap();
    std::thread::sleep(Duration::from_millis(30));
    assert_eq!(host.run().code(), Some(1));
    assert!(host.status().unwrap().message.contains("older"));
}

#[test]
fn there_is_one_supervisor_of_an_instance() {
    let host = Host::new(&spec(&[&program("never_ready")]));
    let _driver = host.run();
    host.wait_for_phase(Phase::Ready);
    assert_eq!(host.run().code(), Some(192));
    let log = std::fs::read_to_string(host.root.join("driver.log")).unwrap();
    assert!(log.contains("Held"), "{log}");
    assert_eq!(host.programs().len(), 1);
}

#[test]
fn a_status_that_can_not_be_written_keeps_nothing_down() {
    let host = Host::new(&spec(&[&program("never_ready")]));
    // As a full disk does: the new status can't be opened, whatever the rights.
    let status = host.layout.status(&host.name);
    let place = camino::Utf8PathBuf::from(format!("{status}.new"));
    std::fs::create_dir_all(&place).unwrap();
    let mut driver = host.run();
    wait_for("the program", LONG, || (host.programs().len() == 1).then_some(()));
    assert_eq!(host.status(), None);
    std::fs::remove_dir(&place).unwrap();
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
    assert_eq!(host.status().unwrap().phase, Phase::Stopped);
    assert!(host.log().contains("can't be written"), "{}", host.log());
}

#[test]
fn a_set_up_that_fails_has_a_code_of_its_own() {
    let host = Host::new(&spec(&[&program("never_ready")]));
    let lock = supervisor_lock(&host.layout.status(&host.name));
    std::fs::create_dir_all(&lock).unwrap();
    assert_eq!(host.run().code(), Some(192));
    let trial = Trial {
        format: 1,
        tree: "server-1.0.0".to_owned(),
        gate: Span::seconds(10),
        launch: String::new(),
        watch: None,
        taken_back: None,
    };
    std::fs::write(host.layout.trial(&host.name), serde_json::to_vec(&trial).unwrap()).unwrap();
    assert_eq!(host.run().code(), Some(190));
}
