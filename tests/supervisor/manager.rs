use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use mainstay::model::duration::Span;
use mainstay::model::launch::Probe;
use mainstay::model::outcome::Outcome;
use mainstay::model::schedule::Schedule;
use mainstay::model::status::Phase;
use rustix::process::Signal;

use crate::host::{Host, LONG, Running, program, spec, wait_for};

fn said(socket: &UnixDatagram) -> Vec<String> {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length) = socket.recv(&mut buffer) {
        all.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
    }
    all
}

#[test]
fn the_service_manager_is_told() {
    let mut spec = spec(&[&program("notifies"), "200"]);
    spec.ready.probe = Probe::Notify;
    let host = Host::new(&spec);
    let path = host.root.join("manager");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut command = host.driver("run", "web");
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "400000");
    let mut driver = Running(command.spawn().unwrap());
    host.wait_for_status("a program", |status| status.program.is_some());
    std::thread::sleep(Duration::from_millis(50));
    let before = said(&socket).concat();
    assert!(!before.contains("READY=1"), "{before}");
    assert!(before.contains("EXTEND_TIMEOUT_USEC="), "{before}");
    assert!(before.contains("WATCHDOG=1"), "{before}");
    host.wait_for_phase(Phase::Ready);
    std::thread::sleep(Duration::from_millis(900));
    let after = said(&socket);
    let ready = after.iter().filter(|message| message.contains("READY=1")).count();
    let alive = after.iter().filter(|message| *message == "WATCHDOG=1").count();
    assert_eq!(ready, 1, "{after:?}");
    assert!((4..=6).contains(&alive), "{after:?}");
    assert!(after.iter().any(|message| message.contains("STATUS=ready: all is well")), "{after:?}");
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
    let last = said(&socket).concat();
    assert!(last.contains("STOPPING=1") && last.contains("STATUS=stopped"), "{last}");
}

#[test]
fn a_schedule_is_up_between_its_runs_and_says_when_the_next_one_is() {
    let mut spec = spec(&["/bin/sh", "-c", "exit 2"]);
    spec.schedule = Some(Schedule { every: Some(Span::seconds(3_600)), ..Schedule::default() });
    spec.exit_codes = [(2, Outcome::Partial)].into_iter().collect();
    let host = Host::new(&spec);
    let path = host.root.join("manager");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut command = host.driver("run", "web");
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "400000");
    let mut driver = Running(command.spawn().unwrap());
    host.wait_for_phase(Phase::Sleeping);
    std::thread::sleep(Duration::from_millis(700));
    let told = said(&socket);
    let ready: Vec<_> = told.iter().filter(|message| message.contains("READY=1")).collect();
    assert_eq!(ready.len(), 1, "{told:?}");
    for part in [
        "STATUS=run 1: the program exited with code 2 (partial)",
        "1 run: 0 success, 1 partial",
        "next run 20",
    ] {
        assert!(ready[0].contains(part), "{part} in {ready:?}");
    }
    assert!(told.iter().filter(|message| *message == "WATCHDOG=1").count() >= 2, "{told:?}");
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
}

#[test]
fn a_word_of_somebody_else_is_not_believed() {
    let mut spec = spec(&[&program("never_ready")]);
    spec.ready.probe = Probe::Notify;
    spec.ready.timeout = Span::seconds(30);
    let host = Host::new(&spec);
    let _driver = host.run();
    host.wait_for_status("a program", |status| status.program.is_some());
    let path = host.layout.run(&host.name, spec.platform).join("notify");
    let manager = mainstay::host::notify::Manager::at(path.as_str()).unwrap();
    manager.tell("READY=1").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(host.status().unwrap().phase, Phase::Starting);
}

#[test]
fn a_program_under_a_path_that_is_too_long_for_a_socket_notifies_too() {
    let mut spec = spec(&[&program("notifies"), "0"]);
    spec.ready.probe = Probe::Notify;
    let host = Host::new(&spec);
    let deep = host.root.join("deep".repeat(25));
    std::fs::create_dir_all(&deep).unwrap();
    let layout = mainstay::model::layout::Layout::system().below(deep.clone());
    for folder in [layout.launches(&host.name), layout.data(&host.name), layout.locks()] {
        std::fs::create_dir_all(folder).unwrap();
    }
    std::fs::write(layout.launch(&host.name, "current"), serde_json::to_vec(&spec).unwrap()).unwrap();
    let mut command = host.driver("run", "web");
    let mut arguments = vec!["run", deep.as_str(), "web"];
    command = {
        let mut other = std::process::Command::new(command.get_program());
        other.args(arguments.drain(..));
        other
    };
    let _driver = Running(command.spawn().unwrap());
    wait_for("readiness", LONG, || {
        mainstay::supervise::read_status(&layout.status(&host.name))
            .filter(|status| status.phase == Phase::Ready)
    });
}
