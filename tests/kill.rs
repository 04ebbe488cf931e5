//! The real binary, killed at every entry of its journal, and the supervisor and guardian that it leaves.
//!
//! The journal is the only thing that is synced with fdatasync(2), so a tracer that kills at the Nth call kills
//! at the Nth entry. A normal run takes a sample, `MAINSTAY_FULL=1` every entry.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that fails panics, says what it saw, and starts processes itself"
)]

mod real;

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::Duration;

use mainstay::engine::guard::{guardian_of, supervisor_of};
use mainstay::host::identity;
use mainstay::model::name::InstanceName;
use mainstay::model::status::ProcessIdentity;
use real::{LONG, MAINSTAY, Place, await_some};
use rustix::process::Signal;

fn web() -> InstanceName {
    InstanceName::new("web").unwrap()
}

/// More entries than any operation writes: reaching it means that the kill does not count as it should.
const MOST: usize = 80;

fn strace_is_missing() -> bool {
    let missing = Command::new("strace").arg("--version").output().is_err();
    if missing {
        real::left_out("strace is not installed, which kills the program at its journal's entries");
    }
    missing
}

#[derive(Clone, Copy)]
enum Then {
    /// It has to run all the time.
    Runs,
    /// It may be that nothing is installed.
    MayBeGone,
}

struct Case {
    name: &'static str,
    set: fn(&Place),
    arguments: fn(&Place) -> Vec<String>,
    then: Then,
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().copied().map(str::to_owned).collect()
}

fn old_runs(place: &Place) {
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
}

fn new_runs(place: &Place) {
    old_runs(place);
    place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).good();
}

/// Runs a command that is killed at its Nth entry; says whether it was.
fn killed_at(place: &Place, entry: usize, arguments: &[String]) -> bool {
    let status = place
        .command("strace", &place.deploy())
        .args(["--quiet=all", "--output=/dev/null", "--trace=fdatasync"])
        .arg(format!("--inject=fdatasync:signal=KILL:when={entry}"))
        .arg(MAINSTAY)
        .args(arguments)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    status.signal() == Some(9)
}

fn sweep(case: &Case, offset: usize) {
    if strace_is_missing() {
        return;
    }
    let full = std::env::var("MAINSTAY_FULL").is_ok_and(|full| full == "1");
    let (first, stride) = if full { (1, 1) } else { (1 + offset, 5) };
    let mut kills = 0;
    let mut entry = first;
    loop {
        let place = Place::new();
        place.declare(&place.deploy(), "web", "");
        (case.set)(&place);
        let arguments = (case.arguments)(&place);
        if !killed_at(&place, entry, &arguments) {
            break;
        }
        kills += 1;
        assert!(entry < MOST, "{} never survives", case.name);
        after_a_kill(&place, case, entry);
        entry += stride;
    }
    eprintln!("{}: killed at {kills} entries, survives the {entry}th", case.name);
    assert!(kills > 0, "{} was never killed", case.name);
}

fn after_a_kill(place: &Place, case: &Case, entry: usize) {
    let told = format!("{}, killed at entry {entry}", case.name);
    if matches!(case.then, Then::Runs) {
        // With nobody to help: whoever guards the service has it running.
        await_some(&told, LONG, || place.server());
    }
    place.run(&["recover"]).good();
    assert!(place.journal(&web()).is_empty(), "{told}: {:?}", place.journal(&web()));
    let is_installed = place.layout.receipt(&web()).exists();
    match case.then {
        Then::MayBeGone if !is_installed => {
            assert!(place.server().is_none(), "{told}: it is gone and answers");
            assert!(!place.layout.install(&web()).exists(), "{told}: something of it is left");
        }
        _ => {
            place.run(&["start"]).good();
            let tree = await_some(&told, LONG, || place.running_tree(&web()));
            assert!(["server-1.0.0", "server-2.0.0"].contains(&tree.as_str()), "{told}: {tree} runs");
            let link = std::fs::read_link(place.layout.current(&web(), &"server".parse().unwrap())).unwrap();
            assert_eq!(link.to_str(), Some(tree.as_str()), "{told}");
        }
    }
    let before = place.print();
    place.run(&["recover"]).good();
    assert_eq!(before, place.print(), "{told}: the second recover changes something");
}

#[test]
fn install() {
    let arguments = |place: &Place| words(&["install", "--from", &place.archive("1.0.0")]);
    sweep(&Case { name: "install", set: |_| {}, arguments, then: Then::MayBeGone }, 0);
}

#[test]
fn apply() {
    let set = |place: &Place| {
        old_runs(place);
        place.declare(&place.deploy(), "web", r#", "environment": { "A": "1" }"#);
    };
    let arguments = |_: &Place| words(&["apply", "--yes"]);
    sweep(&Case { name: "apply", set, arguments, then: Then::Runs }, 1);
}

#[test]
fn upgrade() {
    let arguments = |place: &Place| words(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]);
    sweep(&Case { name: "upgrade", set: old_runs, arguments, then: Then::Runs }, 2);
}

#[test]
fn bad_upgrade() {
    let arguments = |place: &Place| words(&["upgrade", "--yes", "--from", &place.broken_archive("3.0.0")]);
    sweep(&Case { name: "upgrade to a broken version", set: old_runs, arguments, then: Then::Runs }, 3);
}

#[test]
fn rollback() {
    let arguments = |_: &Place| words(&["upgrade", "--rollback", "--yes"]);
    sweep(&Case { name: "rollback", set: new_runs, arguments, then: Then::Runs }, 1);
}

#[test]
fn cleanup() {
    let set = |place: &Place| {
        new_runs(place);
        place.run(&["upgrade", "--yes", "--from", &place.archive("2.1.0")]).good();
        place.run(&["upgrade", "--rollback", "--yes"]).good();
        place.run(&["upgrade", "--yes", "--from", &place.archive("2.2.0")]).good();
        place.run(&["upgrade", "--rollback", "--yes"]).good();
    };
    let arguments = |_: &Place| words(&["upgrade", "--cleanup", "--yes"]);
    sweep(&Case { name: "clean-up", set, arguments, then: Then::Runs }, 0);
}

#[test]
fn uninstall() {
    let arguments = |_: &Place| words(&["uninstall", "--yes"]);
    sweep(&Case { name: "uninstall", set: new_runs, arguments, then: Then::MayBeGone }, 0);
}

#[test]
fn purge() {
    let arguments = |_: &Place| words(&["uninstall", "--purge", "--yes"]);
    sweep(&Case { name: "purge", set: new_runs, arguments, then: Then::MayBeGone }, 2);
}

fn kill(process: ProcessIdentity) {
    identity::signal(process, Signal::KILL).unwrap();
}

#[test]
fn whoever_is_killed_the_service_comes_back() {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    old_runs(&place);
    let (layout, name) = (&place.layout, &web());
    let two_seconds = Duration::from_secs(2);

    // The supervisor: its guardian starts another, and nothing of the program is left.
    let (guardian, supervisor) = (guardian_of(layout, name).unwrap(), supervisor_of(layout, name).unwrap());
    let program = place.server().unwrap();
    kill(supervisor);
    let next = await_some("the supervisor is back", two_seconds, || {
        place.server().filter(|server| *server != program)
    });
    assert_eq!(guardian_of(layout, name), Some(guardian));

    // The guardian: the supervisor starts another, the program goes on, and is still guarded.
    kill(guardian);
    await_some("another guardian", Duration::from_secs(5), || {
        guardian_of(layout, name).filter(|other| *other != guardian)
    });
    assert_eq!(place.server(), Some(next));
    kill(supervisor_of(layout, name).unwrap());
    let third = await_some("still guarded", two_seconds, || place.server().filter(|server| *server != next));

    // Both at once: nobody is left, and a start ends what was left of the program first.
    let (guardian, supervisor) = (guardian_of(layout, name).unwrap(), supervisor_of(layout, name).unwrap());
    kill(guardian);
    kill(supervisor);
    await_some("both are dead", LONG, || {
        (guardian_of(layout, name).is_none() && supervisor_of(layout, name).is_none()).then_some(())
    });
    place.run(&["start"]).good();
    let last = await_some("started again", LONG, || place.server());
    assert_ne!(last, third);
    let old = identity::process(third).filter(|process| !process.ended);
    assert!(old.is_none(), "the old program still runs");
    place.run(&["stop"]).good();
    assert_eq!(place.server(), None);
}

#[test]
fn an_upgrade_comes_through_although_the_guardian_has_just_died() {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    old_runs(&place);
    kill(guardian_of(&place.layout, &web()).unwrap());
    place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).good();
    assert_eq!(place.running_tree(&web()).as_deref(), Some("server-2.0.0"));
}
