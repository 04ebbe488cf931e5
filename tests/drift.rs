//! What was changed by hand on the embedded platform is found, named and mended by `apply`, with the real binary and a
//! real server: each kind is made, `plan` ends with 9 and names it, `apply` mends it, and `plan` ends with 0.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and changes things by hand"
)]

mod real;

use camino::Utf8PathBuf;
use mainstay::model::name::InstanceName;
use real::{LONG, Place, await_some};

fn web() -> InstanceName {
    InstanceName::new("web").unwrap()
}

/// An installed server, with these settings.
fn installed(settings: &str) -> Place {
    let place = Place::new();
    place.declare(&place.deploy(), "web", settings);
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    place.run(&["plan"]).good();
    place
}

/// Finds drift of a kind, mends it, and finds none.
fn found_and_mended(place: &Place, kind: &str, words: &str) {
    let shown = place.run(&["plan", "--diff"]).fails(9, kind);
    assert!(shown.out.contains(words), "{words}: {shown:?}");
    let document = place.run(&["plan", "--json"]).fails(9, "\"drift\"").out;
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let drift = document["drift"].as_array().unwrap();
    assert!(!drift.is_empty(), "{document}");
    assert!(drift.iter().all(|drift| drift["mend"].as_str().is_some_and(|mend| !mend.is_empty())));
    place.run(&["apply", "--yes"]).good();
    await_some("an answer", LONG, || place.server());
    let after = place.run(&["plan"]);
    assert_eq!(after.code, Some(0), "{kind} is still there: {after:?}");
    let before = place.print();
    place.run(&["apply", "--yes"]).good();
    assert_eq!(place.print(), before, "{kind}: the second time something changed");
}

fn ended(place: &Place) {
    place.run(&["uninstall", "--yes", "--purge"]).good();
}

fn launch(place: &Place) -> Utf8PathBuf {
    place.layout.launch(&web(), "server-1.0.0")
}

#[test]
fn a_definition_that_was_edited_lost_or_made_unknown_is_written_anew() {
    let place = installed("");
    let path = place.layout.state(&web()).join("definition.json");
    let whole = std::fs::read_to_string(&path).unwrap();
    let pid = place.server().unwrap();
    std::fs::write(&path, whole.replace("\"boot\": true", "\"boot\": false")).unwrap();
    let status = place.run(&["status"]).good().out;
    assert!(status.contains("drift: definition edited by hand; `mainstay plan --diff`"), "{status}");
    let shown = place.run(&["plan", "--diff"]).fails(9, "definition edited by hand").out;
    assert!(shown.contains("\n-  \"boot\": false") && shown.contains("\n+  \"boot\": true"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "colours where no terminal is: {shown}");
    found_and_mended(&place, "definition edited by hand", path.as_str());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
    std::fs::remove_file(&path).unwrap();
    found_and_mended(&place, "definition missing", path.as_str());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
    std::fs::write(&path, "{}\n").unwrap();
    found_and_mended(&place, "definition without its marker", path.as_str());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
    // None of it is a reason to start the program anew.
    assert_eq!(place.server(), Some(pid));
    ended(&place);
}

#[test]
fn a_link_and_launch_settings_that_were_changed_are_put_right_under_what_runs() {
    let place = installed("");
    let pid = place.server().unwrap();
    let link = place.layout.current(&web(), &"server".parse().unwrap());
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("server-9.9.9", &link).unwrap();
    found_and_mended(&place, "current link moved", "server-9.9.9");
    std::fs::remove_file(&link).unwrap();
    found_and_mended(&place, "current link moved", link.as_str());
    let whole = std::fs::read_to_string(launch(&place)).unwrap();
    std::fs::write(launch(&place), whole.replace("\"limit\": 5", "\"limit\": 7")).unwrap();
    found_and_mended(&place, "launch settings changed by hand", "service.restart.limit: 7 → 5 (restart)");
    assert_eq!(std::fs::read_to_string(launch(&place)).unwrap(), whole);
    for spoiled in ["", "{ \"format\": 1 }"] {
        std::fs::write(launch(&place), spoiled).unwrap();
        found_and_mended(&place, "launch settings missing", launch(&place).as_str());
    }
    std::fs::remove_file(launch(&place)).unwrap();
    found_and_mended(&place, "launch settings missing", launch(&place).as_str());
    assert_eq!(std::fs::read_to_string(launch(&place)).unwrap(), whole);
    assert_eq!(place.server(), Some(pid), "nothing of this needs a restart");
    // What was started with the other settings is started anew.
    std::fs::write(launch(&place), whole.replace("\"limit\": 5", "\"limit\": 7")).unwrap();
    place.run(&["restart"]).good();
    let pid = await_some("an answer", LONG, || place.server());
    found_and_mended(&place, "launch settings changed by hand", "service.restart.limit: 7 → 5 (restart)");
    assert_ne!(place.server(), Some(pid));
    ended(&place);
}

#[test]
fn a_version_that_was_started_by_a_moved_link_is_replaced_by_the_active_one() {
    let place = installed("");
    place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).good();
    place.run(&["plan"]).good();
    let link = place.layout.current(&web(), &"server".parse().unwrap());
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("server-1.0.0", &link).unwrap();
    place.run(&["restart"]).good();
    assert_eq!(place.running_tree(&web()).unwrap(), "server-1.0.0");
    let status = place.run(&["status"]).good().out;
    assert!(status.contains("drift: current link moved"), "{status}");
    found_and_mended(&place, "current link moved", "server-1.0.0");
    assert_eq!(place.running_tree(&web()).unwrap(), "server-2.0.0");
    ended(&place);
}

#[test]
fn variables_and_secrets_that_changed_since_the_start_are_named_and_never_shown() {
    let settings = r#", "environmentFile": "web.env", "secrets": { "SESSION": { "file": "session" } }"#;
    let place = Place::new();
    let (file, secret) = (place.deploy().join("web.env"), place.deploy().join("session"));
    std::fs::write(&file, "GREETING=hello\nCOLOUR=red\n").unwrap();
    std::fs::write(&secret, "hush-hush\n").unwrap();
    place.declare(&place.deploy(), "web", settings);
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    place.run(&["plan"]).good();
    // Another order, a comment and another time are no drift.
    std::fs::write(&file, "# ours\nCOLOUR=red\nGREETING=hello\n").unwrap();
    place.run(&["plan"]).good();
    std::fs::write(&file, "GREETING=good-morning\nSIZE=large\n").unwrap();
    let shown = place.run(&["plan", "--diff"]).fails(9, "environment changed since the start: COLOUR").out;
    for name in ["GREETING", "SIZE"] {
        assert!(shown.contains(&format!("environment changed since the start: {name}")), "{shown}");
    }
    assert!(!shown.contains("hello") && !shown.contains("good-morning"), "{shown}");
    let pid = place.server().unwrap();
    found_and_mended(&place, "environment changed since the start", "restarts the service");
    assert_ne!(place.server(), Some(pid));
    let pid = place.server().unwrap();
    std::fs::write(&secret, "other-hush\n").unwrap();
    let shown = place.run(&["plan", "--diff", "--json"]).fails(9, "secret-changed").out;
    assert!(shown.contains("SESSION") && !shown.contains("hush"), "{shown}");
    // Whoever wants to keep what runs says so, and is told until its next start.
    place.run(&["apply", "--yes", "--no-restart"]).good();
    assert_eq!(place.server(), Some(pid));
    found_and_mended(&place, "secret changed since the start", "SESSION");
    assert_ne!(place.server(), Some(pid));
    ended(&place);
}

#[test]
fn settings_that_wait_for_a_restart_are_told_and_brought_in() {
    let place = installed("");
    let pid = place.server().unwrap();
    place.declare(&place.deploy(), "web", r#", "environment": { "GREETING": "hello", "API_TOKEN": "hush" }"#);
    let shown = place.run(&["plan"]).fails(9, "service.environment.GREETING: nothing → hello (restart)").out;
    assert!(shown.contains("service.environment.API_TOKEN: nothing → … (restart)"), "{shown}");
    place.run(&["apply", "--yes", "--no-restart"]).good();
    assert_eq!(place.server(), Some(pid));
    found_and_mended(&place, "runs with other settings", "web");
    assert_ne!(place.server(), Some(pid));
    ended(&place);
}

#[test]
fn what_only_decides_about_upgrades_or_is_read_by_the_manager_restarts_nothing() {
    let place = installed("");
    let pid = place.server().unwrap();
    let path = place.deploy().join("mainstay.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace(
        "\"service\": {",
        "\"upgrade\": { \"keep\": 4 },\n  \"service\": {\n    \"description\": \"Words\", \"boot\": false,",
    );
    std::fs::write(&path, text).unwrap();
    let shown = place.run(&["plan", "--diff"]).fails(9, "upgrade.keep: 2 → 4 (none)").out;
    assert!(shown.contains("service.boot: true → false (reload)"), "{shown}");
    assert!(shown.contains("service.description: web (server) → Words (reload)"), "{shown}");
    assert!(!shown.contains("drift:") && !shown.contains("restart --name"), "{shown}");
    place.run(&["apply", "--yes"]).good();
    place.run(&["plan"]).good();
    let status = place.run(&["status"]).good().out;
    assert!(!status.contains("pending restart") && !status.contains("drift"), "{status}");
    assert_eq!(place.server(), Some(pid));
    ended(&place);
}

/// The way back of a changed setting is the one before.
#[test]
fn a_setting_with_which_the_service_is_not_ready_is_taken_back() {
    let place = installed("");
    let port = place.port;
    let path = place.deploy().join("mainstay.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let ready =
        format!("\"ready\": {{ \"http\": \"http://127.0.0.1:{port}/health\", \"timeout\": \"10s\" }}");
    assert!(text.contains(&ready));
    let never =
        format!("\"ready\": {{ \"http\": \"http://127.0.0.1:{port}/nothing-there\", \"timeout\": \"1s\" }}");
    std::fs::write(&path, text.replace(&ready, &never)).unwrap();
    let before = std::fs::read_to_string(launch(&place)).unwrap();
    place.run(&["apply", "--yes"]).fails(7, "");
    await_some("an answer", LONG, || place.server());
    assert_eq!(std::fs::read_to_string(launch(&place)).unwrap(), before);
    // The manifest stays as it was written: what it says is still to be done.
    place.run(&["plan"]).fails(9, "service.ready.http");
    std::fs::write(&path, text).unwrap();
    place.run(&["plan"]).good();
    ended(&place);
}

#[test]
fn a_copy_of_mainstay_that_is_gone_is_laid_there_again() {
    let place = installed("");
    let pid = place.server().unwrap();
    let program = place.layout.runtime_program(&web());
    std::fs::remove_file(&program).unwrap();
    found_and_mended(&place, "copy of mainstay missing", program.as_str());
    assert!(program.exists());
    assert_eq!(place.server(), Some(pid));
    ended(&place);
}

/// Takes the definition away, or what says whose it is; what runs is untouched.
const LOSSES: [(Option<&str>, &str); 2] =
    [(None, "definition missing"), (Some("{}\n"), "definition without its marker")];

fn lose(place: &Place, left: Option<&str>) {
    let path = place.layout.state(&web()).join("definition.json");
    match left {
        Some(text) => std::fs::write(&path, text).unwrap(),
        None => std::fs::remove_file(&path).unwrap(),
    }
}

#[test]
fn an_instance_without_its_definition_is_seen_stopped_and_started_again() {
    for (left, drift) in LOSSES {
        let place = installed("");
        let pid = place.server().unwrap();
        lose(&place, left);
        let status = place.run(&["status"]).good().out;
        assert!(
            status.contains(&format!("drift: {drift};")) && status.contains("mainstay apply"),
            "{status}"
        );
        let list = place.run_in(place.top(), &["list"]).good();
        assert!(list.out.contains("web") && list.err.contains("definition of `web` is gone"), "{list:?}");
        place.run(&["doctor"]).fails(1, "there is no definition of it");
        for refused in
            [&["restart"][..], &["start"], &["upgrade", "--yes", "--from", &place.archive("2.0.0")]]
        {
            place.run(refused).fails(4, "mainstay apply");
        }
        assert_eq!(place.server(), Some(pid), "a refusal changes nothing");
        place.run_in(place.top(), &["stop", "--name", "web"]).good();
        assert_eq!(place.server(), None, "{drift}");
        place.run(&["status"]).fails(11, drift);
        place.run(&["apply", "--yes"]).good();
        place.run(&["start"]).good();
        await_some("an answer", LONG, || place.server());
        ended(&place);
    }
}

#[test]
fn an_instance_without_its_definition_is_stopped_before_it_is_removed() {
    for (left, _) in LOSSES {
        for more in [&[][..], &["--purge"]] {
            let place = installed("");
            let supervisor = place.run(&["status", "--json"]).good().out;
            let supervisor: serde_json::Value = serde_json::from_str(&supervisor).unwrap();
            let process = format!("/proc/{}", supervisor["supervisorPid"]);
            lose(&place, left);
            place.run(&[&["uninstall", "--yes"], more].concat()).good();
            assert_eq!(place.server(), None);
            assert!(!Utf8PathBuf::from(&process).exists(), "its supervisor runs on");
            assert!(!place.layout.receipt(&web()).exists() && !place.layout.install(&web()).exists());
            assert_eq!(place.layout.state(&web()).exists(), more.is_empty());
        }
    }
}
