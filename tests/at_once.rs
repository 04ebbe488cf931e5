//! Commands given at the same moment, by the real binary: one wins, the others wait for it or say that another
//! operation is under way, and nothing is lost. What only reads never fails meanwhile.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and starts processes itself"
)]

mod real;

use std::process::{Child, Stdio};
use std::time::Duration;

use mainstay::model::name::InstanceName;
use real::{MAINSTAY, Output, Place, after};
use serde_json::Value;

fn web() -> InstanceName {
    InstanceName::new("web").unwrap()
}

fn old_runs() -> Place {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    for version in ["2.0.0", "3.0.0", "9.0.0"] {
        place.archive(version);
    }
    place
}

fn begin(place: &Place, arguments: &[&str]) -> Child {
    let mut command = place.command(MAINSTAY, &place.deploy());
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn end(child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Output { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Begins both, the second after a pause, and waits for both.
fn both(place: &Place, pause: u64, one: &[&str], other: &[&str]) -> (Output, Output) {
    let first = begin(place, one);
    std::thread::sleep(Duration::from_millis(pause));
    let second = begin(place, other);
    (end(first), end(second))
}

fn is_one_of(output: &Output, codes: &[i32], told: &str) {
    assert!(output.code.is_some_and(|code| codes.contains(&code)), "{told}: {output:?}");
}

/// At the same moment, and at moments within the time that an upgrade takes.
const PAUSES: [u64; 4] = [0, 30, 80, 150];

#[test]
fn of_two_upgrades_one_at_least_comes_through() {
    for pause in PAUSES {
        let place = old_runs();
        let (two, three) = (place.archive("2.0.0"), place.archive("3.0.0"));
        let one = ["upgrade", "--yes", "--from", two.as_str()];
        let other = ["upgrade", "--yes", "--from", three.as_str()];
        let (first, second) = both(&place, pause, &one, &other);
        let told = format!("two upgrades, {pause} ms apart: {first:?}, {second:?}");
        // The older version is refused where the newer one was first, and so is a plan that is no longer the same.
        is_one_of(&first, &[0, 4, 6], &told);
        is_one_of(&second, &[0, 4, 6], &told);
        let may: &[&str] = match (first.code, second.code) {
            (Some(0), Some(0)) => &["2.0.0", "3.0.0"],
            (Some(0), _) => &["2.0.0"],
            (_, Some(0)) => &["3.0.0"],
            _ => panic!("{told}: none came through"),
        };
        after::in_order(&place, &web(), &told, may);
        after::goes_on(&place, &web(), &told);
    }
}

#[test]
fn an_upgrade_and_an_uninstall() {
    for pause in PAUSES {
        let place = old_runs();
        let two = place.archive("2.0.0");
        let upgrade = ["upgrade", "--yes", "--from", two.as_str()];
        let (first, second) = both(&place, pause, &upgrade, &["uninstall", "--yes"]);
        let told = format!("an upgrade and an uninstall, {pause} ms apart: {first:?}, {second:?}");
        // 1: what it began after the uninstall is undone.
        is_one_of(&first, &[0, 1, 3, 4, 6], &told);
        is_one_of(&second, &[0, 4, 6], &told);
        place.run(&["recover"]).good();
        if second.code == Some(0) && !place.layout.receipt(&web()).exists() {
            assert!(place.server().is_none(), "{told}: it is gone and answers");
            assert!(place.journal(&web()).is_empty(), "{told}");
            place.run(&["install", "--from", &place.archive("1.0.0")]).good();
            after::in_order(&place, &web(), &told, &["1.0.0"]);
        } else {
            let may: &[&str] = if first.code == Some(0) { &["2.0.0"] } else { &["1.0.0"] };
            after::in_order(&place, &web(), &told, may);
        }
    }
}

#[test]
fn whoever_only_looks_sees_one_of_the_two_versions_all_the_time() {
    let place = old_runs();
    let archive = place.archive("2.0.0");
    let upgrading = begin(&place, &["upgrade", "--yes", "--from", &archive]);
    let mut looks = Vec::new();
    for _ in 0..10 {
        for what in ["status", "list", "history"] {
            looks.push((what, begin(&place, &[what, "--json"])));
        }
        std::thread::sleep(Duration::from_millis(15));
    }
    for (what, look) in looks {
        let look = end(look);
        // Ready, starting, stopped for the moment.
        is_one_of(&look, if what == "status" { &[0, 10, 11] } else { &[0] }, what);
        let document: Value = serde_json::from_str(&look.out).unwrap();
        match what {
            "status" => {
                let version = document["version"].as_str().unwrap();
                assert!(["1.0.0", "2.0.0"].contains(&version), "{look:?}");
            }
            "list" => assert!(look.out.contains("\"web\""), "{look:?}"),
            _ => assert_eq!(document["events"][0]["action"], "installed", "{look:?}"),
        }
    }
    end(upgrading).good();
    after::in_order(&place, &web(), "looked at", &["2.0.0"]);
}

#[test]
fn an_upgrade_beside_every_other_command() {
    let commands: [&[&str]; 6] = [
        &["stop"],
        &["start"],
        &["restart"],
        &["apply", "--yes"],
        &["upgrade", "--cleanup", "--yes"],
        &["recover"],
    ];
    for (place_in_row, other) in commands.iter().enumerate() {
        let place = old_runs();
        let two = place.archive("2.0.0");
        let pause = PAUSES[place_in_row % PAUSES.len()];
        let (first, second) = both(&place, pause, &["upgrade", "--yes", "--from", &two], other);
        let told = format!("an upgrade and {other:?}, {pause} ms apart: {first:?}, {second:?}");
        is_one_of(&first, &[0, 4, 6], &told);
        is_one_of(&second, &[0, 4, 6], &told);
        place.run(&["start"]).good();
        let may: &[&str] = if first.code == Some(0) { &["2.0.0"] } else { &["1.0.0"] };
        after::in_order(&place, &web(), &told, may);
        after::goes_on(&place, &web(), &told);
    }
}

#[test]
fn what_follows_the_active_version_follows_it_to_the_end() {
    for pause in [20, 50, 80, 110, 140, 180] {
        let place = Place::new();
        place.declare(&place.deploy(), "web", "");
        // Which version is wanted stands nowhere but in the receipt, which the upgrade is about to change.
        let manifest = place.deploy().join("mainstay.json");
        let text = std::fs::read_to_string(&manifest).unwrap().replace(r#", "version": "1.0.0""#, "");
        assert!(!text.contains("version"), "{text}");
        std::fs::write(&manifest, text).unwrap();
        place.run(&["install", "--from", &place.archive("1.0.0")]).good();
        let two = place.archive("2.0.0");
        let (first, second) = both(&place, pause, &["upgrade", "--yes", "--from", &two], &["apply", "--yes"]);
        let told = format!("an upgrade and an apply, {pause} ms apart: {first:?}, {second:?}");
        is_one_of(&first, &[0], &told);
        is_one_of(&second, &[0, 6], &told);
        after::in_order(&place, &web(), &told, &["2.0.0"]);
    }
}
