//! Programs that are asked to end in another way than by a signal.

use std::time::{Duration, Instant};

use mainstay::model::duration::Span;
use mainstay::model::launch::{LaunchSpec, Probe};
use mainstay::model::status::{Exit, Phase};
use rustix::process::Signal;

use crate::host::{Host, free_port, program, spec};

fn server(port: u16) -> LaunchSpec {
    let mut spec = spec(&[&program("server"), "--port", &port.to_string()]);
    spec.environment.insert("PORT".to_owned().try_into().unwrap(), port.to_string());
    spec.ready.probe = Probe::Http("http://127.0.0.1:{env.PORT}/health".to_owned());
    spec
}

fn stopped(spec: &LaunchSpec) -> (Exit, Duration, String) {
    let host = Host::new(spec);
    let mut driver = host.run();
    host.wait_for_phase(Phase::Ready);
    let asked = Instant::now();
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
    assert!(host.programs().is_empty());
    (host.status().unwrap().last_exit.unwrap(), asked.elapsed(), host.log())
}

#[test]
fn a_request_ends_the_program_and_one_that_is_refused_is_followed_by_the_signal() {
    let mut spec = server(free_port());
    spec.stop.http = Some("http://127.0.0.1:{env.PORT}/shutdown".to_owned());
    let (exit, took, _) = stopped(&spec);
    assert!(exit == Exit::Code(0) && took < Duration::from_secs(2), "{exit} {took:?}");
    for address in ["http://127.0.0.1:{env.PORT}/refuse", "http://127.0.0.1:1/"] {
        spec.stop.http = Some(address.to_owned());
        let (exit, took, log) = stopped(&spec);
        assert!(exit == Exit::Signal(15) && took < Duration::from_secs(2), "{exit} {took:?}");
        assert!(log.contains("the hook failed"), "{log}");
    }
}

#[test]
fn a_command_ends_the_program_and_one_that_fails_is_followed_by_the_signal() {
    let script = "trap 'exit 7' TERM; while :; do test -e stop && exit 0; sleep 0.02; done";
    let mut spec = spec(&["/bin/sh", "-c", script]);
    spec.ready.probe = Probe::Delay(Span::milliseconds(50));
    for (command, expected) in [("touch stop", 0), ("exit 3", 7), ("kill -9 $$", 7)] {
        spec.stop.command = ["/bin/sh", "-c", command].map(str::to_owned).to_vec();
        let (exit, took, _) = stopped(&spec);
        assert!(exit == Exit::Code(expected) && took < Duration::from_secs(2), "{command}: {exit} {took:?}");
    }
    spec.stop.command = vec!["/no/such/command".to_owned()];
    assert_eq!(stopped(&spec).0, Exit::Code(7));
}

#[test]
fn a_hook_that_hangs_is_followed_by_the_signal_when_half_of_the_time_is_over() {
    let mut spec = spec(&[&program("never_ready")]);
    spec.ready.probe = Probe::Delay(Span::milliseconds(50));
    spec.stop.command = ["sleep", "60"].map(str::to_owned).to_vec();
    spec.stop.timeout = Span::seconds(4);
    let (exit, took, log) = stopped(&spec);
    assert!(exit == Exit::Signal(15) && log.contains("took longer than 2s"), "{exit} {log}");
    assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(4), "{took:?}");
}
