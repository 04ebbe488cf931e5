//! The real binary as guardian, of one instance and of all.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and starts processes itself"
)]

mod real;

use std::process::{Child, Stdio};

use mainstay::engine::guard::guardian_of;
use mainstay::host::identity;
use mainstay::model::name::InstanceName;
use real::{LONG, MAINSTAY, Place, await_some};
use rustix::process::Signal;

fn web() -> InstanceName {
    InstanceName::new("web").unwrap()
}

fn installed(settings: &str) -> Place {
    let place = Place::new();
    place.declare(&place.deploy(), "web", settings);
    place.run(&["install", "--no-start", "--from", &place.archive("1.0.0")]).good();
    place
}

fn begin(place: &Place, arguments: &[&str]) -> Child {
    let mut command = place.command(MAINSTAY, &place.deploy());
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

fn end(mut child: Child) -> Option<i32> {
    identity::signal(identity::identity_of(child.id()).unwrap(), Signal::TERM).unwrap();
    child.wait().unwrap().code()
}

#[test]
fn a_current_link_that_was_lost_is_mended_by_the_guardian() {
    let place = installed("");
    let link = place.layout.current(&web(), &"server".parse().unwrap());
    for arguments in [&["run", "--name", "web"][..], &["boot"]] {
        std::fs::remove_file(&link).unwrap();
        let guardian = begin(&place, arguments);
        let tree = await_some("the server", LONG, || place.running_tree(&web()));
        assert_eq!(tree, "server-1.0.0");
        assert_eq!(end(guardian), Some(0));
        assert_eq!(link.read_link_utf8().unwrap(), "server-1.0.0");
    }
}

#[test]
fn what_runs_in_the_foreground_passes_the_programs_output_on_without_a_terminal() {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    let manifest = place.deploy().join("mainstay.json");
    let mut document: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&manifest).unwrap()).unwrap();
    document["service"] = serde_json::json!({
        "command": ["/bin/sh", "-c", "echo from the program; echo and its errors >&2"],
        "ready": { "delay": "10ms" },
        "restart": { "when": "never" },
    });
    std::fs::write(&manifest, document.to_string()).unwrap();
    place.run(&["install", "--no-start", "--from", &place.archive("1.0.0")]).good();
    let said = place.run(&["run", "--name", "web"]).good();
    assert!(said.out.lines().any(|line| line == "from the program"), "{said:?}");
    assert!(said.err.lines().any(|line| line == "and its errors"), "{said:?}");
}

#[test]
fn boot_mends_a_link_and_leaves_down_what_is_not_for_boot() {
    let place = installed(r#", "boot": false"#);
    let link = place.layout.current(&web(), &"server".parse().unwrap());
    std::fs::remove_file(&link).unwrap();
    let said = place.run(&["boot"]).good();
    assert!(format!("{}{}", said.out, said.err).contains("no embedded instance"), "{said:?}");
    assert!(link.is_symlink());
}

#[test]
fn boot_says_that_it_can_not_find_the_instances() {
    let place = Place::new();
    let states = place.layout.states();
    std::fs::create_dir_all(states.parent().unwrap()).unwrap();
    std::fs::write(states, "").unwrap();
    place.run(&["boot"]).fails(1, "can't be found");
}

#[test]
fn boot_stays_for_what_was_stopped_and_guards_what_is_started_again() {
    let place = installed("");
    let boot = begin(&place, &["boot"]);
    await_some("the server", LONG, || place.server());
    for _ in 0..2 {
        place.run(&["stop"]).good();
        assert_eq!((guardian_of(&place.layout, &web()), place.server()), (None, None));
        std::thread::sleep(std::time::Duration::from_millis(200));
        place.run(&["start"]).good();
        await_some("the server again", LONG, || place.server());
        let guardian = guardian_of(&place.layout, &web()).map(|guardian| guardian.pid);
        assert_eq!(guardian, Some(boot.id()), "no other, which would be killed with a container");
    }
    assert_eq!(end(boot), Some(0));
    assert_eq!(place.server(), None, "it was stopped before boot ended");
    // Where there is no guardian of all, a start makes its own.
    place.run(&["start"]).good();
    await_some("the server by itself", LONG, || place.server());
    place.run(&["stop"]).good();
}

#[test]
fn boot_ends_at_a_signal_while_all_are_stopped() {
    let place = installed("");
    let boot = begin(&place, &["boot"]);
    await_some("the server", LONG, || place.server());
    place.run(&["stop"]).good();
    assert_eq!(end(boot), Some(0));
}

#[test]
fn a_start_while_the_service_goes_down_ends_with_the_service_running() {
    let place = Place::new();
    let mended = place.top().join("mended");
    let told = place.top().join("told");
    let text = format!(
        r#"{{
  "name": "web", "platform": "embedded", "package": {{ "name": "server", "version": "1.0.0" }},
  "service": {{
    "command": ["/bin/sh", "-c", "test -e {mended} && exec sleep 600; exit 4"],
    "ready": {{ "delay": "100ms" }}, "exitCodes": {{ "4": "fatal" }},
    "onFailure": ["/bin/sh", "-c", "echo >>{told}; exec sleep 50"]
  }}
}}
"#
    );
    std::fs::write(place.deploy().join("mainstay.json"), text).unwrap();
    place.run(&["install", "--no-start", "--from", &place.archive("1.0.0")]).good();
    let down = || {
        std::fs::remove_file(&told).unwrap();
        std::fs::remove_file(&mended).unwrap();
    };
    let ready = || {
        place.run(&["status"]).good();
    };
    std::fs::write(&mended, "").unwrap();
    std::fs::write(&told, "").unwrap();
    let began = std::time::Instant::now();
    for again in ["start", "install", "run"] {
        down();
        assert_ne!(place.run(&["start"]).code, Some(0));
        await_some("the alert", LONG, || told.exists().then_some(()));
        assert!(guardian_of(&place.layout, &web()).is_some(), "it waits for the alert");
        std::fs::write(&mended, "").unwrap();
        if again == "run" {
            let guardian = begin(&place, &["run", "--name", "web"]);
            await_some("the program", LONG, || (place.run(&["status"]).code == Some(0)).then_some(()));
            assert_eq!(end(guardian), Some(0));
        } else {
            place.run(&[again]).good();
            ready();
            place.run(&["stop"]).good();
        }
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(40), "no alert was waited for");
}
