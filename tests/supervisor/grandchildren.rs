//! Descendants that mean to outlive their program, in every way and in all ways at once.

use mainstay::engine::guard::{Stop, stop_guardian};
use mainstay::host::identity;
use mainstay::model::duration::Span;
use mainstay::model::launch::Probe;
use mainstay::model::status::Phase;
use rustix::process::Signal;

use crate::guardian::{kill, ready_after, start};
use crate::host::{Host, LONG, program, spec, wait_for};

const WAYS: [&str; 4] = ["fork", "session", "ignore", "forget"];

/// Every way and every combination of ways.
fn ways() -> Vec<String> {
    (1..1 << WAYS.len())
        .map(|chosen| {
            let ways: Vec<_> = WAYS
                .iter()
                .enumerate()
                .filter(|(bit, _)| chosen & 1 << bit != 0)
                .map(|(_, way)| *way)
                .collect();
            ways.join("+")
        })
        .collect()
}

/// A host whose program has a descendant for each of the ways. Its folder is an argument of them all.
fn escaping(ways: &[String]) -> Host {
    let file = program("escapes");
    let mut command = vec![file.as_str(), "{data}"];
    command.extend(ways.iter().map(String::as_str));
    let mut spec = spec(&command);
    spec.stop.timeout = Span::seconds(60);
    spec.ready.probe = Probe::Delay(Span::milliseconds(50));
    Host::new(&spec)
}

fn all_there(host: &Host, ways: &[String]) {
    wait_for("program and descendants", LONG, || {
        let found = host.programs();
        let sessions: std::collections::BTreeSet<_> = found.iter().map(|process| process.session).collect();
        let separate = ways.iter().filter(|way| way.contains("session")).count();
        (found.len() == ways.len() + 1 && sessions.len() == separate + 1).then_some(())
    });
}

#[test]
fn a_stop_ends_them_and_does_not_wait_for_them() {
    let ways = ways();
    let host = escaping(&ways);
    let mut driver = host.run();
    host.wait_for_phase(Phase::Ready);
    all_there(&host, &ways);
    driver.signal(Signal::TERM);
    // The program ends at once, and its time to end is not theirs.
    assert_eq!(driver.code(), Some(0));
    assert!(host.programs().is_empty(), "{:?}", host.programs());
}

#[test]
fn a_stop_by_command_ends_them_after_any_death() {
    let ways = ways();
    let host = escaping(&ways);
    start(&host).unwrap();
    let before = host.wait_for_phase(Phase::Ready);
    all_there(&host, &ways);
    kill(before.supervisor);
    let between = ready_after(&host, &before);
    all_there(&host, &ways);
    let first = between.program.unwrap().start_ticks;
    assert!(
        host.programs().iter().all(|process| process.identity.start_ticks >= first),
        "none of the first life"
    );
    kill(between.program.unwrap());
    let again = host.wait_for_status("another program", |status| {
        status.phase == Phase::Ready && status.program != between.program
    });
    all_there(&host, &ways);
    let second = again.program.unwrap().start_ticks;
    assert!(
        host.programs().iter().all(|process| process.identity.start_ticks >= second),
        "none of the second life"
    );
    assert_eq!(stop_guardian(&host.layout, &host.name, LONG).unwrap(), Stop::Stopped);
    assert!(host.programs().is_empty(), "{:?}", host.programs());
}

#[test]
fn a_stop_ends_what_was_left_when_guardian_and_supervisor_were_killed() {
    // Without its environment nothing tells whose an orphan in a session of its own is.
    let ways: Vec<_> = ways().into_iter().filter(|way| !way.contains("forget")).collect();
    let host = escaping(&ways);
    let guardian = start(&host).unwrap();
    let before = host.wait_for_phase(Phase::Ready);
    all_there(&host, &ways);
    // Else the first to die would be replaced by the other.
    identity::signal(guardian, Signal::STOP).unwrap();
    kill(before.supervisor);
    kill(guardian);
    wait_for("their end", LONG, || {
        (!identity::runs(guardian) && !identity::runs(before.supervisor)).then_some(())
    });
    all_there(&host, &ways);
    assert_eq!(stop_guardian(&host.layout, &host.name, LONG).unwrap(), Stop::Stopped);
    assert!(host.programs().is_empty(), "{:?}", host.programs());
    assert_eq!(stop_guardian(&host.layout, &host.name, LONG).unwrap(), Stop::NotRunning);
}
