//! The real binary: a new version that is ready, and fails when the command that brought it is long gone.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that fails panics, says what it saw, and starts processes itself"
)]

mod real;

use std::time::{Duration, Instant};

use mainstay::engine::guard::{guardian_of, supervisor_of};
use mainstay::host::identity;
use mainstay::model::name::InstanceName;
use mainstay::supervise::read_status;
use real::{LONG, Output, Place, await_some};
use rustix::process::Signal;

const OLD: &str = "server-1.0.0";
const NEW: &str = "server-2.0.0";

fn web() -> InstanceName {
    InstanceName::new("web").unwrap()
}

/// An old version that runs, and a new one that is on trial for so long.
fn on_trial(period: &str) -> (Place, Output) {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    trial_of(&place, period);
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    let said = place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).good();
    assert_eq!(place.running_tree(&web()).unwrap(), NEW);
    (place, said)
}

fn trial_of(place: &Place, period: &str) {
    let path = place.deploy().join("mainstay.json");
    let mut manifest: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    manifest["upgrade"]["trial"] = period.into();
    std::fs::write(&path, manifest.to_string()).unwrap();
}

fn status(place: &Place) -> serde_json::Value {
    serde_json::from_str(&place.run(&["status", "--json"]).out).unwrap()
}

fn has_come_back(place: &Place) {
    let back = || place.running_tree(&web()).filter(|tree| tree == OLD);
    await_some("the old version", LONG, back);
}

fn crash(place: &Place) {
    let _ = place.answer("/exit/3");
}

fn wait(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

fn actions(place: &Place) -> Vec<String> {
    let history: serde_json::Value =
        serde_json::from_str(&place.run(&["history", "--json"]).good().out).unwrap();
    let events = history["events"].as_array().unwrap();
    events.iter().filter_map(|event| event["action"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_version_that_crashes_in_its_trial_is_taken_back_and_refused_from_then_on() {
    let (place, said) = on_trial("20s");
    assert!(said.out.contains("on trial for 20s: a failure takes 1.0.0 back"), "{said:?}");
    let trial = &status(&place)["trial"];
    assert_eq!((&trial["ofSeconds"], &trial["goesBackTo"]), (&20.into(), &"1.0.0".into()), "{trial}");
    let manifest = std::fs::read_to_string(place.deploy().join("mainstay.json")).unwrap();
    wait(1_500);
    crash(&place);
    has_come_back(&place);
    let now = status(&place);
    assert_eq!((&now["version"], &now["trial"]), (&"1.0.0".into(), &serde_json::Value::Null));
    let reason = now["takenBack"]["reason"].as_str().unwrap();
    assert!(reason.contains("exited with code 3") && reason.contains("of 20s"), "{now}");
    assert_eq!(now["takenBack"]["version"], "2.0.0");
    assert_eq!(actions(&place), ["installed", "upgraded", "taken-back"]);
    let screen = place.run(&["status"]).good();
    assert!(screen.out.contains("2.0.0 was taken back"), "{screen:?}");
    assert_eq!(std::fs::read_to_string(place.deploy().join("mainstay.json")).unwrap(), manifest);
    for again in
        [&["upgrade", "--yes", "--from", &place.archive("2.0.0")][..], &["upgrade", "--yes", "--to", "2.0.0"]]
    {
        place.run(again).fails(4, "2.0.0 was taken back");
    }
    place.run(&["upgrade", "--yes", "--to", "2.0.0", "--force"]).good();
    assert_eq!(place.running_tree(&web()).unwrap(), NEW);
    assert_eq!(status(&place)["takenBack"], serde_json::Value::Null, "somebody has changed something");
}

#[test]
fn a_version_that_was_never_ready_is_no_way_back() {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    trial_of(&place, "20s");
    place.run(&["install", "--from", &place.broken_archive("1.0.0")]).fails(1, "before it was ready");
    let said = place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).good();
    assert!(!said.out.contains("on trial for"), "{said:?}");
    assert!(said.err.contains("1.0.0 has not been ready since it was made active"), "{said:?}");
    let before = place.server().unwrap();
    crash(&place);
    let again = || place.server().filter(|server| *server != before);
    await_some("the new version, started again", LONG, again);
    assert_eq!(place.running_tree(&web()).unwrap(), NEW);
    // What has been ready once is a way back, also if it is down at the moment.
    crash(&place);
    let said = place.run(&["upgrade", "--yes", "--from", &place.archive("3.0.0")]).good();
    assert!(said.out.contains("on trial for 20s: a failure takes 2.0.0 back"), "{said:?}");
}

/// Whoever waits hears for what, and why that does not come.
#[test]
fn settings_whose_readiness_never_comes_say_what_was_asked() {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    let path = place.deploy().join("mainstay.json");
    let mut manifest: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    manifest["service"]["ready"] = serde_json::json!({ "http": "http://127.0.0.1:1/", "timeout": "4s" });
    std::fs::write(&path, manifest.to_string()).unwrap();
    let said = place.run(&["apply", "--yes"]).fails(7, "it runs again with the settings before");
    assert!(said.err.contains("did not become ready in time (http://127.0.0.1:1/: "), "{said:?}");
    assert!(said.err.contains("is not ready yet: http://127.0.0.1:1/: "), "{said:?}");
    assert!(place.server().is_some());
}

#[test]
fn a_version_that_is_up_for_long_enough_stays_whatever_comes() {
    let (place, _) = on_trial("2s");
    let passed = || {
        let status = read_status(&place.layout.status(&web()))?;
        status.trial.filter(mainstay::model::status::TrialStanding::passed)
    };
    await_some("the end of the trial", LONG, passed);
    assert_eq!(actions(&place), ["installed", "upgraded", "proved"]);
    crash(&place);
    await_some("the new version again", LONG, || place.running_tree(&web()).filter(|tree| tree == NEW));
    place.run(&["restart"]).good();
    assert_eq!(actions(&place), ["installed", "upgraded", "proved"]);
    assert!(!place.layout.trial(&web()).exists());
    // The way back is a rollback from now on.
    place.run(&["upgrade", "--rollback", "--yes"]).good();
    assert_eq!(place.running_tree(&web()).unwrap(), OLD);
}

#[test]
fn a_supervisor_or_a_guardian_that_is_killed_and_a_restart_by_hand_are_no_failures() {
    let (place, _) = on_trial("60s");
    let counted = || read_status(&place.layout.status(&web())).unwrap().trial.unwrap();
    wait(1_200);
    place.run(&["restart"]).good();
    assert_eq!(place.running_tree(&web()).unwrap(), NEW);
    let before = counted();
    assert!(before.ready_seconds >= 1 && before.was_ready, "{before:?}");
    let supervisor = supervisor_of(&place.layout, &web()).unwrap();
    identity::signal(supervisor, Signal::KILL).unwrap();
    let other = || supervisor_of(&place.layout, &web()).filter(|other| *other != supervisor);
    await_some("another supervisor", LONG, other);
    await_some("the new version", LONG, || place.running_tree(&web()).filter(|tree| tree == NEW));
    assert!(counted().ready_seconds >= before.ready_seconds);
    let guardian = guardian_of(&place.layout, &web()).unwrap();
    identity::signal(guardian, Signal::KILL).unwrap();
    let other = || guardian_of(&place.layout, &web()).filter(|other| *other != guardian);
    await_some("another guardian", LONG, other);
    // The one that has come in its place is not the supervisor's parent, and takes back all the same.
    crash(&place);
    has_come_back(&place);
    assert_eq!(actions(&place), ["installed", "upgraded", "taken-back"]);
}

#[test]
fn a_change_ends_a_trial_and_a_rollback_simply_goes_back() {
    let (place, _) = on_trial("60s");
    let said = place.run(&["upgrade", "--yes", "--from", &place.archive("3.0.0")]).good();
    assert!(said.err.contains("the trial of 2.0.0 ends with this"), "{said:?}");
    assert_eq!(status(&place)["trial"]["goesBackTo"], "2.0.0");
    place.run(&["upgrade", "--rollback", "--yes"]).good();
    assert_eq!(place.running_tree(&web()).unwrap(), NEW);
    assert!(!place.layout.trial(&web()).exists());
    crash(&place);
    await_some("the same version again", LONG, || place.running_tree(&web()).filter(|tree| tree == NEW));
}

#[test]
fn a_version_that_fails_its_gate_is_remembered_and_what_replaces_a_trial_in_vain_gives_it_back() {
    let (place, _) = on_trial("60s");
    let broken = place.broken_archive("3.0.0");
    place.run(&["upgrade", "--yes", "--from", &broken]).fails(7, "no luck");
    assert_eq!(place.running_tree(&web()).unwrap(), NEW);
    let history = place.run(&["history", "--json"]).good().out;
    let history: serde_json::Value = serde_json::from_str(&history).unwrap();
    let last = history["events"].as_array().unwrap().iter().rfind(|event| event["action"] == "taken-back");
    assert!(last.unwrap()["downtimeMs"].as_u64().is_some_and(|downtime| downtime > 0), "{history}");
    assert_eq!(status(&place)["trial"]["goesBackTo"], "1.0.0", "what was on trial is so again");
    place.run(&["upgrade", "--yes", "--from", &broken]).fails(4, "--force");
    let began = Instant::now();
    place.run(&["upgrade", "--yes", "--from", &broken, "--force"]).fails(7, "no luck");
    eprintln!("a failed gate took {:?}", began.elapsed());
    crash(&place);
    has_come_back(&place);
}

#[test]
fn what_failed_its_trial_and_runs_on_is_restarted_before_its_books_are_closed() {
    let (place, _) = on_trial("60s");
    let path = place.layout.trial(&web());
    let text = std::fs::read_to_string(&path).unwrap();
    let mut trial: serde_json::Value = serde_json::from_str(&text).unwrap();
    trial["takenBack"] = serde_json::json!({ "reason": "no luck", "at": "2026-05-08T12:00:00Z" });
    // As a start leaves it that could not do the rest, on a full disk say.
    std::fs::write(&path, trial.to_string()).unwrap();
    let said = place.run(&["restart"]).good();
    assert!(said.err.contains("what runs has failed in its trial"), "{said:?}");
    has_come_back(&place);
    assert!(!path.exists());
    assert!(actions(&place).iter().any(|action| action == "taken-back"));
}
