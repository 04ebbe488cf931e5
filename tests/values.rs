//! The variables that come from files have a way back: real service, embedded platform. What stands in the files is their
//! owner's and stays; the program runs with the values of its last good start.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and changes things by hand"
)]

mod real;

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use mainstay::model::name::InstanceName;
use real::{LONG, Place, await_some};

const SETTINGS: &str = r#", "environmentFile": "web.env", "secrets": { "SESSION": { "file": "session" } },
    "restart": { "delays": ["100ms"], "limit": 1 }"#;

/// An installed server that does not start where a variable or a secret says `bad`.
fn installed() -> Place {
    let place = Place::new();
    std::fs::write(place.deploy().join("web.env"), "MODE=good\n").unwrap();
    std::fs::write(place.deploy().join("session"), "hush-hush\n").unwrap();
    place.declare(&place.deploy(), "web", SETTINGS);
    let path = place.deploy().join("mainstay.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let port = place.port;
    let plain = format!(r#"["{{package}}/bin/server", "--port", "{port}"]"#);
    assert!(text.contains(&plain));
    let checks = format!(
        r#"["/bin/sh", "-c", "case \"$MODE$SESSION\" in *bad*) exit 3;; esac; exec {{package}}/bin/server --port {port}"]"#
    );
    std::fs::write(&path, text.replace(&plain, &checks)).unwrap();
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    place
}

fn name() -> InstanceName {
    InstanceName::new("web").unwrap()
}

#[test]
fn changed_values_with_which_it_is_not_ready_give_way_to_those_of_the_last_good_start() {
    let place = installed();
    for (file, bad, good) in
        [("web.env", "MODE=bad\n", "MODE=better\n"), ("session", "bad\n", "other-hush\n")]
    {
        let path = place.deploy().join(file);
        std::fs::write(&path, bad).unwrap();
        let said =
            place.run(&["apply", "--yes"]).fails(7, "it runs again with the values of its last good start");
        assert!(said.err.contains("`mainstay apply`") && !said.err.contains("hush"), "{said:?}");
        await_some("an answer", LONG, || place.server());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), bad, "the file is its owner's");
        // Whatever starts it again, it runs; and the difference is still to be seen.
        place.run(&["restart"]).good();
        await_some("an answer", LONG, || place.server());
        place.run(&["plan"]).fails(9, "changed since the start");
        let log = place.run(&["logs", "--no-follow"]).good().out;
        assert!(log.contains("those of its last good start") && !log.contains("hush"), "{log}");
        // Asked for again, they are tried again.
        place.run(&["apply", "--yes"]).fails(7, "it runs again");
        let refused = std::fs::read_to_string(place.layout.refused_values(&name())).unwrap();
        assert!(!refused.contains("hush") && !refused.contains("good"), "{refused}");
        std::fs::write(&path, good).unwrap();
        place.run(&["apply", "--yes"]).good();
        place.run(&["plan"]).good();
    }
    let kept = place.layout.report(&name()).join("values");
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let kept = std::fs::read(&kept).unwrap();
    assert_eq!(kept, b"MODE=better\0SESSION=other-hush\0");
    assert!(!place.layout.refused_values(&name()).exists(), "none are refused any more");
    place.run(&["uninstall", "--yes"]).good();
    assert!(!place.layout.report(&name()).join("values").exists(), "nothing of it stays");
}

/// A version that is taken back, while values were changed with which neither of the two starts.
#[test]
fn a_version_that_is_taken_back_runs_with_the_values_it_was_started_with() {
    let place = installed();
    std::fs::write(place.deploy().join("web.env"), "MODE=bad\n").unwrap();
    place
        .run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")])
        .fails(7, "the version before runs again");
    await_some("an answer", LONG, || place.server());
    place.run(&["restart"]).good();
    assert_eq!(place.running_tree(&name()).unwrap(), "server-1.0.0");
    place.run(&["uninstall", "--yes", "--purge"]).good();
}

/// A restart would end what runs for a start that can't be.
#[test]
fn a_secret_or_environment_file_that_is_gone_is_told_before_anything_is_stopped() {
    for (file, words) in
        [("session", "can't read the secret SESSION"), ("web.env", "can't read the environment file")]
    {
        let place = installed();
        let path = place.deploy().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let pid = place.server().unwrap();
        place.run(&["doctor", "--name", "web"]).fails(1, words);
        let planned = place.run(&["plan"]).good();
        assert!(format!("{}{}", planned.out, planned.err).contains(words), "{planned:?}");
        let refused = place.run(&["restart", "--name", "web"]).fails(4, words);
        assert!(refused.err.contains("put the file in its place again"), "{refused:?}");
        place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).fails(4, words);
        // The settings that only a restart brings in wait for it.
        let manifest = place.deploy().join("mainstay.json");
        let declared = std::fs::read_to_string(&manifest).unwrap();
        let changed = declared.replace("\"stop\":", "\"environment\": { \"MORE\": \"yes\" }, \"stop\":");
        assert_ne!(changed, declared);
        std::fs::write(&manifest, changed).unwrap();
        place.run(&["plan"]).fails(4, words);
        place.run(&["apply", "--yes"]).fails(4, words);
        assert_eq!(place.server(), Some(pid), "what runs goes on");
        std::fs::write(&path, text).unwrap();
        place.run(&["doctor", "--name", "web"]).good();
        place.run(&["apply", "--yes"]).good();
        place.run(&["uninstall", "--yes", "--purge"]).good();
    }
}

/// Files that are root's alone reach the program of another account.
#[test]
fn roots_own_files_are_read_for_another_account() {
    if !real::is_root() {
        real::left_out("only root runs a program as another account");
        return;
    }
    let place = Place::new();
    std::fs::set_permissions(place.top(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let secrets = place.deploy().join("secrets");
    std::fs::create_dir(&secrets).unwrap();
    let file = |path: &str, text: &str| {
        let path = place.deploy().join(path);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    file("web.env", "MODE=good\n");
    file("secrets/session", "hush-hush\n");
    std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(0o700)).unwrap();
    let settings = r#", "user": "nobody", "environmentFile": "web.env", "restartOnChange": ["environment"],
    "secrets": { "SESSION": { "file": "secrets/session" } }"#;
    place.declare(&place.deploy(), "web", settings);
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    let program = place.server().unwrap();
    let environment = || std::fs::read(format!("/proc/{}/environ", place.server()?)).ok();
    let has = |words: &[u8]| {
        environment().is_some_and(|all| all.split(|byte| *byte == 0).any(|line| line == words)).then_some(())
    };
    has(b"MODE=good").unwrap();
    has(b"SESSION=hush-hush").unwrap();
    place.run(&["doctor", "--name", "web"]).good();
    place.run(&["plan"]).good();
    // And they are watched.
    file("secrets/session", "other-hush\n");
    await_some("the new secret", LONG, || has(b"SESSION=other-hush"));
    assert_ne!(place.server(), Some(program));
    place.run(&["uninstall", "--yes", "--purge"]).good();
}

#[test]
fn where_the_values_before_are_kept_nowhere_the_failure_says_so() {
    let place = installed();
    std::fs::remove_file(place.layout.report(&name()).join("values")).unwrap();
    std::fs::write(place.deploy().join("web.env"), "MODE=bad\n").unwrap();
    let said = place.run(&["apply", "--yes"]).fails(8, "there is no way back");
    assert!(said.err.contains("mainstay restart --name web"), "{said:?}");
    std::fs::write(place.deploy().join("web.env"), "MODE=good\n").unwrap();
    place.run(&["restart", "--name", "web"]).good();
    await_some("an answer", LONG, || place.server());
    place.run(&["uninstall", "--yes", "--purge"]).good();
}

/// What `upgrade` writes into a manifest changes nothing of whose it is.
#[test]
fn a_manifest_keeps_its_owner_and_group_when_a_version_is_written_into_it() {
    if !real::is_root() {
        real::left_out("only root can give a file away");
        return;
    }
    let place = installed();
    let manifest = place.deploy().join("mainstay.json");
    std::os::unix::fs::chown(&manifest, None, Some(2345)).unwrap();
    std::fs::set_permissions(&manifest, std::fs::Permissions::from_mode(0o640)).unwrap();
    place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).good();
    let facts = std::fs::metadata(&manifest).unwrap();
    assert!(std::fs::read_to_string(&manifest).unwrap().contains("2.0.0"));
    assert_eq!((facts.uid(), facts.gid(), facts.mode() & 0o777), (0, 2345, 0o640));
    place.run(&["uninstall", "--yes", "--purge"]).good();
}
