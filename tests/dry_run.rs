//! What changes nothing: a second `apply`, and every command that is only asked what it would do.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and starts processes itself"
)]

mod real;

use real::{Place, program};

fn unchanged(place: &Place, arguments: &[&str], expected: &[&str]) {
    let (before, deploy) =
        (place.print(), std::fs::read_to_string(place.deploy().join("mainstay.json")).ok());
    let server = place.server();
    let output = place.run(arguments).good();
    for words in expected {
        assert!(output.out.contains(words), "{arguments:?} does not say `{words}`: {output:?}");
    }
    assert_eq!(place.print(), before, "{arguments:?} has changed something");
    assert_eq!(std::fs::read_to_string(place.deploy().join("mainstay.json")).ok(), deploy);
    assert_eq!(place.server(), server, "{arguments:?} has touched the service");
    let mut json: Vec<&str> = arguments.to_vec();
    json.push("--json");
    let output = place.run(&json).good();
    let answer: serde_json::Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(answer["dryRun"], serde_json::json!(true), "{arguments:?}: {answer}");
    assert!(!answer["steps"].as_array().unwrap().is_empty(), "{arguments:?}: {answer}");
    assert_eq!(place.print(), before, "{json:?} has changed something");
}

#[test]
fn every_command_that_changes_shows_what_it_would_do_and_does_nothing() {
    let place = Place::new();
    let (old, new) = (place.archive("1.0.0"), place.archive("2.0.0"));
    let install = place.layout.install(&"web".parse().unwrap()).to_string();

    // Without a manifest: the one that it would make.
    let port = place.port;
    let command = format!("service.command=[\"{{package}}/bin/server\", \"--port\", \"{port}\"]");
    unchanged(
        &place,
        &[
            "install",
            "--dry-run",
            "--name",
            "web",
            "--component",
            "server",
            "--platform",
            "embedded",
            "--set",
            &command,
            "--from",
            &old,
        ],
        &["mainstay.json", &install, "server-1.0.0"],
    );
    assert!(!place.deploy().join("mainstay.json").exists());

    place.declare(&place.deploy(), "web", "");
    unchanged(&place, &["install", "--dry-run", "--from", &old], &["unpack", &install, "start"]);
    place.run(&["install", "--from", &old]).good();

    unchanged(&place, &["upgrade", "--dry-run", "--from", &new], &["server-2.0.0", "switch from", "restart"]);
    unchanged(&place, &["stop", "--dry-run"], &["stop"]);
    unchanged(&place, &["restart", "--dry-run"], &["restart"]);
    unchanged(&place, &["uninstall", "--dry-run"], &["stop", "remove", &install]);
    unchanged(
        &place,
        &["uninstall", "--dry-run", "--purge"],
        &[place.layout.state(&"web".parse().unwrap()).as_str()],
    );

    place.run(&["upgrade", "--yes", "--from", &new]).good();
    unchanged(&place, &["upgrade", "--dry-run", "--rollback"], &["switch from server-2.0.0 to server-1.0.0"]);
    unchanged(&place, &["upgrade", "--dry-run", "--to", "1.0.0"], &["server-1.0.0"]);

    let text = std::fs::read_to_string(place.deploy().join("mainstay.json")).unwrap();
    let edited = text.replace("\"5s\" }", "\"4s\" }, \"environment\": { \"A\": \"1\" }");
    assert_ne!(text, edited);
    std::fs::write(place.deploy().join("mainstay.json"), &edited).unwrap();
    unchanged(&place, &["apply", "--dry-run"], &["new settings", "restart"]);
    std::fs::write(place.deploy().join("mainstay.json"), text.replace("\"5s\" }\n", "\"5s\" }\n ")).unwrap();

    for version in ["3.0.0", "4.0.0"] {
        place.run(&["upgrade", "--yes", "--from", &place.archive(version)]).good();
    }
    unchanged(&place, &["upgrade", "--dry-run", "--cleanup"], &["server-1.0.0", "server-2.0.0"]);

    place.run(&["stop"]).good();
    unchanged(&place, &["start", "--dry-run"], &["start"]);
}

#[test]
fn a_second_apply_does_nothing_and_says_so() {
    let place = Place::new();
    assert!(program("server").exists());
    place.declare(&place.deploy(), "web", "");
    let archive = place.archive("1.0.0");
    place.run(&["install", "--from", &archive]).good();
    let server = place.server().unwrap();
    for arguments in [
        &["apply"][..],
        &["apply", "--yes"],
        &["install", "--from", &archive],
        &["upgrade", "--from", &archive],
    ] {
        let before = place.print();
        let output = place.run(arguments).good();
        assert!(output.out.contains("nothing to do"), "{arguments:?}: {output:?}");
        assert_eq!(place.print(), before, "{arguments:?}");
    }
    assert_eq!(place.server(), Some(server));
    let plan = place.run(&["plan"]).good();
    assert!(plan.out.contains("nothing to do"), "{plan:?}");
    // After a change it is the same again.
    place.declare(&place.deploy(), "web", r#", "environment": { "A": "1" }"#);
    place.run(&["plan"]).fails(9, "new settings");
    place.run(&["apply", "--yes"]).good();
    let again = place.run(&["apply", "--yes"]).good();
    assert!(again.out.contains("nothing to do"), "{again:?}");
}
