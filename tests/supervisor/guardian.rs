use std::fs;
use std::time::{Duration, Instant};

use mainstay::engine::guard::{
    DetachedError, Restart, Stop, guardian_of, request_restart, start_detached, stop_guardian, supervisor_of,
};
use mainstay::host::identity;
use mainstay::model::duration::Span;
use mainstay::model::event_line::EventKind;
use mainstay::model::launch::{LaunchSpec, Probe};
use mainstay::model::status::{Phase, ProcessIdentity, Status};
use mainstay::model::trial::Trial;
use mainstay::supervise::read_events;
use rustix::process::Signal;

use crate::host::{Host, LONG, Running, named_spec, program, spec, wait_for};

fn quick(command: &[&str]) -> LaunchSpec {
    let mut spec = spec(command);
    spec.ready.probe = Probe::Delay(Span::milliseconds(50));
    spec
}

fn stubborn() -> LaunchSpec {
    let mut spec = quick(&[&program("stubborn")]);
    spec.stop.timeout = Span::milliseconds(200);
    spec
}

pub(crate) fn kill(identity: ProcessIdentity) {
    identity::signal(identity, Signal::KILL).unwrap();
}

fn all_four(host: &Host) {
    wait_for("all four", LONG, || (host.programs().len() == 4).then_some(()));
}

pub(crate) fn ready_after(host: &Host, earlier: &Status) -> Status {
    host.wait_for_status("another supervisor", |status| {
        status.supervisor != earlier.supervisor && status.phase == Phase::Ready
    })
}

pub(crate) fn start(host: &Host) -> Result<ProcessIdentity, DetachedError> {
    let arguments = ["guard", host.root.as_str(), host.name.as_str(), "--detached"].map(str::to_owned);
    let driver = program("driver");
    let (lock, log) = (host.layout.guardian_lock(&host.name), host.root.join("guardian.log"));
    start_detached(driver.as_str().into(), &arguments, &lock, &log, LONG)
}

#[test]
fn a_supervisor_that_is_killed_is_back_within_two_seconds_with_one_program() {
    let host = Host::new(&stubborn());
    let mut guardian = host.guard();
    for round in 1..=3 {
        let before = host.wait_for_phase(Phase::Ready);
        all_four(&host);
        let killed = Instant::now();
        kill(before.supervisor);
        let after = ready_after(&host, &before);
        assert!(killed.elapsed() < Duration::from_secs(2), "{:?}", killed.elapsed());
        all_four(&host);
        assert!(
            host.programs()
                .iter()
                .all(|process| process.identity.start_ticks >= after.program.unwrap().start_ticks)
        );
        assert_eq!(host.starts(), round + 1);
    }
    guardian.signal(Signal::TERM);
    assert_eq!(guardian.code(), Some(0));
    assert!(host.processes().is_empty(), "{:?}", host.processes());
    let events = read_events(&host.layout.events(&host.name));
    let kinds: Vec<EventKind> = events.iter().map(|line| line.event).collect();
    assert_eq!(kinds, [EventKind::Orphaned, EventKind::Orphaned, EventKind::Orphaned, EventKind::Ended]);
}

#[test]
fn a_guardian_that_is_killed_is_replaced_and_the_program_goes_on() {
    let host = Host::new(&stubborn());
    let first = start(&host).unwrap();
    let before = host.wait_for_phase(Phase::Ready);
    all_four(&host);
    kill(first);
    let second = wait_for("another guardian", LONG, || {
        guardian_of(&host.layout, &host.name).filter(|guardian| *guardian != first)
    });
    let after = host.status().unwrap();
    assert_eq!((after.supervisor, after.program), (before.supervisor, before.program));
    assert_eq!(host.starts(), 1);
    // The second guards as the first did, though it is not the supervisor's parent.
    kill(before.supervisor);
    let again = ready_after(&host, &before);
    all_four(&host);
    assert_eq!(guardian_of(&host.layout, &host.name), Some(second));
    assert_eq!(host.starts(), 2);
    // And it is replaced as the first was, any number of times.
    kill(second);
    let third = wait_for("a third guardian", LONG, || {
        guardian_of(&host.layout, &host.name).filter(|guardian| *guardian != second)
    });
    assert_eq!(host.status().unwrap().program, again.program);
    assert_eq!(stop_guardian(&host.layout, &host.name, LONG).unwrap(), Stop::Stopped);
    assert!(!identity::runs(third) || guardian_of(&host.layout, &host.name).is_none());
    wait_for("nothing left", LONG, || host.processes().is_empty().then_some(()));
    assert_eq!(host.status().unwrap().phase, Phase::Stopped);
}

#[test]
fn when_both_were_killed_a_start_clears_what_is_left() {
    let host = Host::new(&stubborn());
    let guardian = start(&host).unwrap();
    let before = host.wait_for_phase(Phase::Ready);
    all_four(&host);
    identity::signal(before.supervisor, Signal::STOP).unwrap();
    kill(guardian);
    kill(before.supervisor);
    wait_for("their end", LONG, || {
        (!identity::runs(guardian) && !identity::runs(before.supervisor)).then_some(())
    });
    assert_eq!(host.programs().len(), 4, "nobody is there to kill them");
    start(&host).unwrap();
    ready_after(&host, &before);
    all_four(&host);
    assert_eq!(stop_guardian(&host.layout, &host.name, LONG).unwrap(), Stop::Stopped);
    wait_for("nothing left", LONG, || host.processes().is_empty().then_some(()));
}

#[test]
fn a_stop_waits_and_a_second_one_finds_nothing() {
    let host = Host::new(&stubborn());
    let guardian = start(&host).unwrap();
    assert!(matches!(start(&host), Err(DetachedError::Guarded(other)) if other == guardian));
    host.wait_for_phase(Phase::Ready);
    let session = identity::process(guardian.pid).unwrap().session;
    assert_eq!(session, guardian.pid, "in a session of its own");
    assert_eq!(stop_guardian(&host.layout, &host.name, LONG).unwrap(), Stop::Stopped);
    assert!(host.programs().is_empty());
    assert_eq!(guardian_of(&host.layout, &host.name), None);
    assert_eq!(supervisor_of(&host.layout, &host.name), None);
    assert_eq!(stop_guardian(&host.layout, &host.name, LONG).unwrap(), Stop::NotRunning);
    start(&host).unwrap();
    host.wait_for_phase(Phase::Ready);
    assert_eq!(stop_guardian(&host.layout, &host.name, LONG).unwrap(), Stop::Stopped);
}

#[test]
fn a_guardian_that_can_not_begin_says_so() {
    let host = Host::new(&stubborn());
    fs::remove_dir_all(host.layout.locks()).unwrap();
    let refused = start(&host);
    assert!(matches!(refused, Err(DetachedError::Ended { .. })), "{refused:?}");
    assert!(fs::read_to_string(host.root.join("guardian.log")).unwrap().contains("Lock"));
}

#[test]
fn a_final_ending_is_the_guardians_too() {
    let mut spec = quick(&[&program("exits"), "42"]);
    spec.restart.limit = 0;
    let host = Host::new(&spec);
    assert_eq!(host.guard().code(), Some(42));
    assert_eq!(host.starts(), 1);
    assert_eq!(host.status().unwrap().phase, Phase::Failed);
}

#[test]
fn a_trial_that_fails_is_taken_back() {
    let bad = named_spec("web", "2.0.0", &[&program("crashes"), "20"]);
    let host = Host::new(&bad);
    let good = quick(&[&program("never_ready")]);
    fs::write(host.layout.launch(&host.name, "back"), serde_json::to_vec(&good).unwrap()).unwrap();
    let trial = Trial {
        format: 1,
        tree: bad.tree(),
        gate: Span::seconds(10),
        launch: String::new(),
        watch: None,
        taken_back: None,
    };
    fs::write(host.layout.trial(&host.name), serde_json::to_vec(&trial).unwrap()).unwrap();
    let _guardian = host.guard();
    let status = host.wait_for_phase(Phase::Ready);
    assert_eq!((status.tree.as_str(), status.failures, host.starts()), ("server-1.0.0", 0, 2));
}

#[test]
fn a_restart_is_made_by_the_guardian() {
    let host = Host::new(&stubborn());
    let guardian = start(&host).unwrap();
    let before = host.wait_for_phase(Phase::Ready);
    let requested = request_restart(&host.layout, &host.name).unwrap();
    assert_eq!(requested, Restart::Requested { guardian, supervisor: Some(before.supervisor) });
    ready_after(&host, &before);
    all_four(&host);
    assert_eq!((guardian_of(&host.layout, &host.name), host.starts()), (Some(guardian), 2));
    stop_guardian(&host.layout, &host.name, LONG).unwrap();
}

#[test]
fn one_guardian_has_several_and_stops_one() {
    let host = Host::new(&stubborn());
    let mut other = named_spec("other", "1.0.0", &[&program("never_ready")]);
    other.ready.probe = Probe::Delay(Span::milliseconds(50));
    host.put(&other);
    let mut guardian = Running(host.driver("guard", "web,other").spawn().unwrap());
    let before = host.wait_for_phase(Phase::Ready);
    let other_status = || mainstay::supervise::read_status(&host.layout.status(&other.name));
    let ready = wait_for("the other", LONG, || other_status().filter(|status| status.phase == Phase::Ready));
    wait_for("all five", LONG, || (host.programs().len() == 5).then_some(()));
    // What one leaves behind is killed, and nothing of the other.
    kill(before.supervisor);
    ready_after(&host, &before);
    wait_for("all five again", LONG, || (host.programs().len() == 5).then_some(()));
    assert_eq!(stop_guardian(&host.layout, &host.name, LONG).unwrap(), Stop::Stopped);
    assert_eq!(guardian_of(&host.layout, &host.name), None);
    assert_eq!(guardian_of(&host.layout, &other.name).map(|guardian| guardian.pid), Some(guardian.pid()));
    assert_eq!(other_status().unwrap().program, ready.program);
    assert_eq!(host.programs().len(), 1);
    guardian.signal(Signal::INT);
    assert_eq!(guardian.code(), Some(0));
    assert!(host.processes().is_empty());
}

#[test]
fn supervisors_that_die_at_once_are_all_back() {
    let host = Host::new(&stubborn());
    let names = ["web", "two", "three", "four"];
    for name in &names[1..] {
        let mut other = named_spec(name, "1.0.0", &[&program("stubborn")]);
        other.ready.probe = Probe::Delay(Span::milliseconds(50));
        other.stop.timeout = Span::milliseconds(200);
        host.put(&other);
    }
    let mut guardian = Running(host.driver("guard", &names.join(",")).spawn().unwrap());
    let statuses = || -> Vec<Status> {
        let path = |name: &&str| host.layout.status(&name.parse().unwrap());
        names.iter().filter_map(|name| mainstay::supervise::read_status(&path(name))).collect()
    };
    let all_ready = |statuses: &Vec<Status>| {
        statuses.len() == names.len() && statuses.iter().all(|status| status.phase == Phase::Ready)
    };
    for _ in 0..5 {
        let before = wait_for("all", LONG, || Some(statuses()).filter(all_ready));
        for status in &before {
            kill(status.supervisor);
        }
        let others = |after: &Vec<Status>| {
            all_ready(after)
                && after.iter().zip(&before).all(|(after, before)| after.supervisor != before.supervisor)
        };
        wait_for("all again", LONG, || Some(statuses()).filter(others));
        wait_for("sixteen", LONG, || (host.programs().len() == 16).then_some(()));
    }
    guardian.signal(Signal::TERM);
    assert_eq!(guardian.code(), Some(0));
    assert!(host.processes().is_empty());
}

#[test]
fn a_second_signal_to_the_guardian_does_not_wait() {
    let mut spec = stubborn();
    spec.stop.timeout = Span::seconds(60);
    let host = Host::new(&spec);
    let mut guardian = host.guard();
    host.wait_for_phase(Phase::Ready);
    guardian.signal(Signal::TERM);
    host.wait_for_phase(Phase::Stopping);
    guardian.signal(Signal::TERM);
    assert_eq!(guardian.code(), Some(130));
    assert!(host.processes().is_empty());
}

#[test]
fn a_supervisor_that_is_stuck_does_not_keep_its_program_alive() {
    let host = Host::new(&stubborn());
    let mut guardian = host.guard();
    let status = host.wait_for_phase(Phase::Ready);
    identity::signal(status.supervisor, Signal::STOP).unwrap();
    guardian.signal(Signal::TERM);
    assert_eq!(guardian.code(), Some(0));
    assert!(host.processes().is_empty());
}

#[test]
fn a_start_that_something_hinders_for_a_while_is_made_again() {
    let host = Host::new(&stubborn());
    let lock = mainstay::supervise::supervisor_lock(&host.layout.status(&host.name));
    fs::create_dir_all(&lock).unwrap();
    let mut guardian = host.guard();
    wait_for("a first start", LONG, || (host.starts() == 1).then_some(()));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(host.starts(), 1, "after a pause");
    fs::remove_dir(&lock).unwrap();
    host.wait_for_phase(Phase::Ready);
    assert_eq!(host.starts(), 2);
    guardian.signal(Signal::TERM);
    assert_eq!(guardian.code(), Some(0));
}
