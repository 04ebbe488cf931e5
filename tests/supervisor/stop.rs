use std::time::{Duration, Instant};

use mainstay::model::duration::Span;
use mainstay::model::status::Phase;
use rustix::process::Signal;

use crate::host::{Host, LONG, Running, program, spec, wait_for};

fn stubborn(timeout: u64) -> Host {
    let mut spec = spec(&[&program("stubborn")]);
    spec.stop.timeout = Span::milliseconds(timeout);
    spec.ready.probe = mainstay::model::launch::Probe::Delay(Span::milliseconds(100));
    Host::new(&spec)
}

#[test]
fn a_stop_leaves_no_descendant() {
    let host = stubborn(400);
    let mut driver = host.run();
    // Itself, a child, an orphan, and an orphan in a session of its own.
    wait_for("all four", LONG, || (host.programs().len() == 4).then_some(()));
    host.wait_for_phase(Phase::Ready);
    let sessions: std::collections::BTreeSet<_> =
        host.programs().iter().map(|process| process.session).collect();
    assert!(sessions.len() > 1, "one is in another session");
    let asked = Instant::now();
    driver.signal(Signal::TERM);
    host.wait_for_phase(Phase::Stopping);
    assert_eq!(driver.code(), Some(0));
    let took = asked.elapsed();
    assert!(took >= Duration::from_millis(400) && took < Duration::from_millis(1_500), "{took:?}");
    assert!(host.programs().is_empty(), "{:?}", host.programs());
    let status = host.status().unwrap();
    assert_eq!(status.phase, Phase::Stopped);
    assert_eq!(status.message, "stopped; it did not end within 400ms, so it was killed");
}

#[test]
fn a_second_signal_does_not_wait() {
    for signal in [Signal::TERM, Signal::INT] {
        let host = stubborn(60_000);
        let mut driver = host.run();
        wait_for("all four", LONG, || (host.programs().len() == 4).then_some(()));
        driver.signal(Signal::TERM);
        host.wait_for_phase(Phase::Stopping);
        let asked = Instant::now();
        driver.signal(signal);
        assert_eq!(driver.code(), Some(130));
        assert!(asked.elapsed() < Duration::from_secs(2));
        assert!(host.programs().is_empty());
    }
}

#[test]
fn a_terminal_that_goes_away_and_a_guardian_do_not_count_as_a_second_signal() {
    let host = stubborn(600);
    let mut driver = host.run();
    wait_for("all four", LONG, || (host.programs().len() == 4).then_some(()));
    driver.signal(Signal::HUP);
    host.wait_for_phase(Phase::Stopping);
    for signal in [Signal::HUP, Signal::USR1, Signal::HUP, Signal::USR1] {
        driver.signal(signal);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(driver.code(), Some(0));
}

#[test]
fn a_termination_after_a_terminal_went_away_does_not_wait() {
    for guarded in [false, true] {
        let host = stubborn(60_000);
        let mut driver = if guarded { host.guard() } else { host.run() };
        wait_for("all four", LONG, || (host.programs().len() == 4).then_some(()));
        driver.signal(Signal::HUP);
        host.wait_for_phase(Phase::Stopping);
        driver.signal(Signal::TERM);
        assert_eq!(driver.code(), Some(130));
        assert!(host.programs().is_empty());
    }
}

#[test]
fn what_a_program_leaves_behind_is_gone_before_it_is_started_again() {
    let mut spec = spec(&[&program("leaves_children"), "150"]);
    spec.restart.delays = vec![Span::milliseconds(100)];
    spec.restart.limit = 3;
    let host = Host::new(&spec);
    let mut driver = host.run();
    let mut most = 0;
    let code = loop {
        most = most.max(host.programs().len());
        if let Some(status) = driver.0.try_wait().unwrap() {
            break status.code();
        }
    };
    assert_eq!((code, most), (Some(1), 2), "the program and one child, never more");
    assert!(host.programs().is_empty());
}

#[test]
fn what_the_starter_ignores_the_program_does_not() {
    let host = Host::new(&spec(&["/bin/sleep", "1000000"]));
    let driver = host.driver("run", host.name.as_str());
    // As a shell does that starts something in the background, and more.
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", "trap '' INT QUIT HUP USR1 ALRM TTOU; exec \"$@\"", "sh"]);
    shell.arg(driver.get_program()).args(driver.get_args());
    let mut driver = Running(shell.spawn().unwrap());
    let status = host.wait_for_status("a program", |status| status.program.is_some());
    let pid = status.program.unwrap().pid;
    let ignored = || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
        // Beyond these are some that belong to the C library, and can't be caught.
        u64::from_str_radix(mask.trim(), 16).unwrap() & 0x7fff_ffff
    };
    // Only what a terminal does to those in its background.
    wait_for("its own signals", LONG, || (ignored() == 1 << (Signal::TTOU.as_raw() - 1)).then_some(()));
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
}

#[test]
fn the_signal_of_the_manifest_is_sent() {
    for (signal, number) in [("SIGINT", 2), ("SIGQUIT", 3), ("SIGUSR1", 10)] {
        let mut spec = spec(&[&program("never_ready")]);
        spec.stop.signal = serde_json::from_value(signal.into()).unwrap();
        let host = Host::new(&spec);
        let mut driver = host.run();
        host.wait_for_status("a program", |status| status.program.is_some());
        driver.signal(Signal::TERM);
        assert_eq!(driver.code(), Some(0));
        assert_eq!(host.status().unwrap().last_exit, Some(mainstay::model::status::Exit::Signal(number)));
    }
}
