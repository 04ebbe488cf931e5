//! What a clean-up keeps, what stays among other instances' things, and what is no change at all.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use mainstay::engine::failure::Failure;
use mainstay::engine::obstacle::Fate;
use mainstay::engine::remove::Removal;
use mainstay::host::files;
use mainstay::model::manifest::PlatformKind::{Embedded, Systemd};
use mainstay::model::receipt::Receipt;

use mainstay::plan::refusal::Refusal;
use mainstay::plan::wanted::Wishes;

use crate::check::{Allowed, print_of, whole};
use crate::host::Host;
use crate::obstacle::{FullAfter, Stops};

fn trees(host: &Host) -> Vec<String> {
    let names = files::list(&host.layout.install(&host.name)).unwrap().unwrap_or_default();
    names.into_iter().filter(|name| name.starts_with("server-")).collect()
}

fn keep(host: &Host, count: u32) {
    let text = std::fs::read_to_string(host.manifest()).unwrap();
    std::fs::write(host.manifest(), text.replace("\"keep\": 1", &format!("\"keep\": {count}"))).unwrap();
}

#[test]
fn a_clean_up_keeps_the_version_that_was_rolled_back() {
    let host = Host::new(Embedded);
    keep(&host, 2);
    let never = Stops::never();
    host.install("1.0.0", &never).unwrap();
    host.upgrade("1.1.0", &never).unwrap();
    host.upgrade("2.0.0", &never).unwrap();
    host.rollback(&never).unwrap();
    host.remove(Removal::OldVersions, &never).unwrap();
    // 1.1.0 is active and 1.0.0 was before it.
    assert_eq!(trees(&host), ["server-1.0.0", "server-1.1.0"]);
    host.rollback(&never).unwrap();
    host.remove(Removal::OldVersions, &never).unwrap();
    // No other is left of those that were active, and one more may be kept.
    assert_eq!(trees(&host), ["server-1.0.0", "server-1.1.0"]);
    let next = host.remove(Removal::OldVersions, &never).unwrap();
    assert!(next.is_empty(), "{:?}", next.steps);
}

/// What the supervisor of a script runs from is seen by nothing but its own word.
#[test]
fn the_tree_that_the_service_runs_from_stays() {
    for platform in [Embedded, Systemd] {
        let host = Host::new(platform);
        let never = Stops::never();
        host.install("1.0.0", &never).unwrap();
        let later = Wishes { no_restart: true, force: true, ..Wishes::default() };
        host.upgrade_as("1.1.0", later).unwrap();
        host.upgrade_as("2.0.0", later).unwrap();
        assert_eq!(host.service.running().unwrap().0, "server-1.0.0");
        host.remove(Removal::OldVersions, &never).unwrap();
        assert_eq!(trees(&host), ["server-1.0.0", "server-2.0.0"], "{platform}");
        let tree = host.layout.tree(&host.name, "server-1.0.0");
        std::fs::set_permissions(&tree, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::remove_file(tree.join(".complete")).unwrap();
        let refused = host.upgrade_as("1.0.0", later).unwrap_err();
        assert!(matches!(refused, Failure::Refused(Refusal::LiveTree { .. })), "{refused}");
    }
}

#[test]
fn sockets_do_not_move_under_what_runs() {
    let host = Host::new(Systemd);
    host.listen(&["127.0.0.1:80"]);
    host.install("1.0.0", &Stops::never()).unwrap();
    host.declare("1.0.0", "{}");
    host.listen(&["127.0.0.1:81"]);
    let refused = host.upgrade_as("2.0.0", Wishes { no_restart: true, ..Wishes::default() }).unwrap_err();
    assert!(matches!(refused, Failure::Refused(Refusal::SocketsMove(_))), "{refused}");
    host.stop();
    host.upgrade_as("2.0.0", Wishes { no_restart: true, ..Wishes::default() }).unwrap();
}

#[test]
fn the_tree_of_a_script_that_runs_stays() {
    let host = Host::new(Embedded);
    let never = Stops::never();
    host.install("1.0.0", &never).unwrap();
    host.upgrade("1.1.0", &never).unwrap();
    host.upgrade("2.0.0", &never).unwrap();
    let script = host.layout.tree(&host.name, "server-1.0.0").join("bin/server");
    let mut child = Command::new("sh");
    let mut child = child.args(["-c", "read word", script.as_str()]).stdin(Stdio::piped()).spawn().unwrap();
    let outcome = host.remove(Removal::OldVersions, &never);
    child.kill().unwrap();
    child.wait().unwrap();
    outcome.unwrap();
    // 1.1.0 is the way back of the trial that is open.
    assert_eq!(trees(&host), ["server-1.0.0", "server-1.1.0", "server-2.0.0"]);
}

#[test]
fn the_active_version_from_the_same_archive_is_no_change() {
    let host = Host::new(Embedded);
    let never = Stops::never();
    host.install("1.0.0", &never).unwrap();
    let before = print_of(&host.root);
    let outcome = host.upgrade("1.0.0", &never).unwrap();
    assert!(outcome.plan.is_empty() && outcome.done.is_none(), "{:?}", outcome.plan);
    assert_eq!(print_of(&host.root), before);
}

#[test]
fn a_pinned_digest_is_checked_for_its_version_and_follows_an_upgrade() {
    let host = Host::new(Embedded);
    let never = Stops::never();
    let digest = |version: &str| files::digest(&host.archive(version)).unwrap().to_string();
    let pin = |digest: &str| {
        let text = std::fs::read_to_string(host.manifest()).unwrap();
        let pinned = format!("\"version\": \"1.0.0\", \"sha256\": \"{digest}\"");
        std::fs::write(host.manifest(), text.replace("\"version\": \"1.0.0\"", &pinned)).unwrap();
    };
    host.install("1.0.0", &never).unwrap();
    pin(&digest("2.0.0"));
    let refused = host.upgrade("1.0.0", &never).unwrap_err();
    assert!(matches!(refused, Failure::OtherArchive(_)), "{refused}");
    host.declare("1.0.0", "{}");
    pin(&digest("1.0.0"));
    host.upgrade("2.0.0", &never).unwrap();
    let text = std::fs::read_to_string(host.manifest()).unwrap();
    assert!(text.contains(&digest("2.0.0")) && text.contains("\"version\": \"2.0.0\""), "{text}");
}

#[test]
fn what_its_owner_writes_into_the_manifest_meanwhile_stays() {
    let host = Host::new(Embedded);
    host.install("1.0.0", &Stops::never()).unwrap();
    // Killed when the new version is ready, and before its number stands in the manifest.
    let points = {
        let other = Host::new(Embedded);
        other.install("1.0.0", &Stops::never()).unwrap();
        let clean = Stops::never();
        other.upgrade("2.0.0", &clean).unwrap();
        clean.count()
    };
    let mut met = false;
    for place in 0..points {
        let stops = Stops::new(&[(place, Fate::Death)]);
        let host = Host::new(Embedded);
        host.install("1.0.0", &Stops::never()).unwrap();
        host.upgrade("2.0.0", &stops).unwrap_err();
        let text = std::fs::read_to_string(host.manifest()).unwrap() + "\n\n";
        std::fs::write(host.manifest(), &text).unwrap();
        host.recover(&Stops::never()).unwrap();
        assert_eq!(std::fs::read_to_string(host.manifest()).unwrap(), text, "killed at {place}");
        met |= !host.notices.borrow().is_empty();
    }
    assert!(met, "the manifest was never left as it is");
}

#[test]
fn nothing_of_an_uninstalled_instance_but_what_is_its_owners() {
    for platform in [Embedded, Systemd] {
        let host = Host::new(platform);
        host.install("1.0.0", &Stops::never()).unwrap();
        std::fs::write(host.layout.data(&host.name).join("kept"), "kept").unwrap();
        host.remove(Removal::Instance, &Stops::never()).unwrap();
        let mut left = files::list(&host.layout.state(&host.name)).unwrap().unwrap();
        left.retain(|name| name != "data");
        assert_eq!(left, ["history.jsonl"], "{platform}");
        assert!(host.layout.data(&host.name).join("kept").exists());
        host.install("1.0.0", &Stops::never()).unwrap();
        host.remove(Removal::Everything, &Stops::never()).unwrap();
        for folder in [
            host.layout.state(&host.name),
            host.layout.data(&host.name),
            host.layout.logs(&host.name),
            host.layout.config(&host.name),
            host.layout.install(&host.name),
        ] {
            assert!(!folder.exists(), "{folder} is left on {platform}");
        }
        if let Some(parent) = host.layout.data(&host.name).parent() {
            assert!(!parent.exists(), "{parent} is left on {platform}");
        }
        assert!(host.manifest().exists());
    }
}

#[test]
fn the_trash_of_another_instance_is_not_emptied() {
    let host = Host::new(Embedded);
    host.install("1.0.0", &Stops::never()).unwrap();
    // As an uninstall of `web-2` leaves it that has not yet ended, and may still be undone.
    let others = host.layout.install(&host.name).with_file_name(".trash-web-2-1795225317210125");
    std::fs::create_dir(&others).unwrap();
    host.remove(Removal::Instance, &Stops::never()).unwrap();
    host.recover(&Stops::never()).unwrap();
    assert!(others.exists());
    std::fs::remove_dir(&others).unwrap();
}

#[test]
fn a_running_instance_does_not_change_its_platform_by_the_way() {
    let host = Host::new(Embedded);
    host.install("1.0.0", &Stops::never()).unwrap();
    let text = std::fs::read_to_string(host.manifest()).unwrap();
    std::fs::write(host.manifest(), text.replace("embedded", "systemd")).unwrap();
    let refused = host.apply(&Stops::never()).unwrap_err();
    assert!(refused.to_string().contains("is installed on embedded"), "{refused}");
}

#[test]
fn an_instance_does_not_change_its_account_by_the_way() {
    let host = Host::new(Systemd);
    host.install("1.0.0", &Stops::never()).unwrap();
    let spec = host.layout.launch(&host.name, "server-1.0.0");
    let text = std::fs::read_to_string(&spec).unwrap();
    std::fs::write(&spec, text.replacen('{', "{ \"user\": \"somebody\",", 1)).unwrap();
    host.declare("1.0.0", r#"{ "A": "1" }"#);
    let before = print_of(&host.root);
    for outcome in [host.apply(&Stops::never()), host.upgrade("2.0.0", &Stops::never())] {
        let refused = outcome.unwrap_err();
        assert!(matches!(refused, Failure::Refused(Refusal::OtherAccount { .. })), "{refused}");
        assert!(refused.to_string().contains("runs as `somebody`"), "{refused}");
    }
    assert_eq!(print_of(&host.root), before);
}

#[test]
fn without_the_managers_word_nothing_is_changed() {
    let host = Host::new(Systemd);
    let never = Stops::never();
    host.install("1.0.0", &never).unwrap();
    host.declare("1.0.0", r#"{ "A": "1" }"#);
    let before = print_of(&host.root);
    host.service.deaf.set(true);
    for outcome in [host.upgrade("2.0.0", &never), host.apply(&never)] {
        let refused = outcome.unwrap_err();
        assert!(refused.to_string().contains("does not answer"), "{refused}");
    }
    assert_eq!(print_of(&host.root), before);
    host.service.deaf.set(false);
    host.apply(&never).unwrap();
}

#[test]
fn a_version_before_that_does_not_become_ready_either_blocks_nothing() {
    for platform in [Embedded, Systemd] {
        let host = Host::new(platform);
        let never = Stops::never();
        host.install("1.0.0", &never).unwrap();
        host.service.barren.set(true);
        let failure = host.upgrade("2.0.0", &never).unwrap_err();
        assert!(matches!(failure, Failure::Down { .. }), "{failure}");
        assert!(failure.to_string().contains("what ran before is back, and not ready"), "{failure}");
        let versions = &["1.0.0"];
        let allowed = Allowed { versions, gone: false, edited: false, runs: Some(false) };
        whole(&host, allowed).unwrap();
        host.service.barren.set(false);
        host.apply(&never).unwrap();
        host.remove(Removal::Instance, &never).unwrap();
    }
}

#[test]
fn a_recovery_to_a_version_that_does_not_become_ready_comes_to_an_end() {
    let clean = Stops::never();
    let host = Host::new(Systemd);
    host.install("1.0.0", &Stops::never()).unwrap();
    host.upgrade("2.0.0", &clean).unwrap();
    for place in 1..clean.count() {
        let host = Host::new(Systemd);
        host.install("1.0.0", &Stops::never()).unwrap();
        host.upgrade("2.0.0", &Stops::new(&[(place, Fate::Death)])).unwrap_err();
        host.service.barren.set(true);
        host.service.next_start();
        host.recover(&Stops::never()).unwrap();
        let versions = &["1.0.0", "2.0.0"];
        let allowed = Allowed { versions, gone: false, edited: false, runs: None };
        whole(&host, allowed).unwrap_or_else(|wrong| panic!("killed at {place}: {wrong}"));
    }
}

#[test]
fn a_journal_that_cant_be_written_leaves_nothing_halfway() {
    for (platform, once) in [(Embedded, true), (Embedded, false), (Systemd, true), (Systemd, false)] {
        for entries in 0..200 {
            let host = Host::new(platform);
            host.install("1.0.0", &Stops::never()).unwrap();
            let full = FullAfter::new(entries, once);
            let outcome = host.upgrade("2.0.0", &full);
            if !full.met.get() {
                assert!(entries > 5 && outcome.is_ok(), "{entries}");
                break;
            }
            let failure = outcome.unwrap_err();
            let version = if failure.to_string().contains("upgrade is done") { "2.0.0" } else { "1.0.0" };
            let allowed = Allowed { versions: &[version], gone: false, edited: false, runs: Some(true) };
            if let Failure::Unclosed { .. } = failure {
                assert!(failure.to_string().contains("mainstay recover"), "{failure}");
                host.recover(&Stops::never()).unwrap();
            }
            // Before anything else has had to mend it.
            whole(&host, allowed).unwrap_or_else(|wrong| panic!("after {entries}: {failure}: {wrong}"));
        }
    }
}

#[test]
fn a_journal_that_was_torn_is_gone_on_with() {
    let tails: [&[u8]; 2] = [b"{\"beg", b"\0\0\0\0"];
    for (place, tail) in [6, 11, 14].into_iter().flat_map(|place| tails.map(|tail| (place, tail))) {
        let host = Host::new(Embedded);
        host.install("1.0.0", &Stops::never()).unwrap();
        host.upgrade("2.0.0", &Stops::new(&[(place, Fate::Death)])).unwrap_err();
        let journal = host.layout.operation(&host.name);
        let text = std::fs::read(&journal).unwrap();
        std::fs::write(&journal, [&text, tail].concat()).unwrap();
        // Recovery itself dies, and what it has added is read by the next.
        for turn in 0..3 {
            let _ = host.recover(&Stops::new(&[(turn, Fate::Death)]));
        }
        host.recover(&Stops::never()).unwrap();
        let versions = &["1.0.0", "2.0.0"];
        whole(&host, Allowed { versions, gone: false, edited: false, runs: Some(true) }).unwrap();
    }
}

/// However often whoever takes back is killed, it is told once, remembered, and refused.
#[test]
fn a_take_back_is_told_and_remembered_once() {
    for place in 0..8 {
        for platform in [Embedded, Systemd] {
            let host = Host::new(platform);
            host.install("1.0.0", &Stops::never()).unwrap();
            host.upgrade("2.0.0", &Stops::never()).unwrap();
            host.service.fail();
            let stops = Stops::new(&[(place, Fate::Death)]);
            let started = host.service.start_against(&stops);
            let finished = started.and_then(|()| host.recover(&stops).map(drop));
            assert_eq!(finished.is_err(), stops.stopped(), "{place}");
            host.service.start_against(&Stops::never()).unwrap();
            host.recover(&Stops::never()).unwrap();
            let history = std::fs::read_to_string(host.layout.history(&host.name)).unwrap();
            assert_eq!(history.matches("taken-back").count(), 1, "killed at {place}: {history}");
            let receipt = std::fs::read_to_string(host.layout.receipt(&host.name)).unwrap();
            let receipt: Receipt = serde_json::from_str(&receipt).unwrap();
            let bad = receipt.last_taken_back().unwrap();
            assert!(bad.version.as_str() == "2.0.0" && bad.digest.is_some(), "{bad:?}");
            assert_eq!(receipt.bad.len(), 1);
            let refused = host.upgrade("2.0.0", &Stops::never()).unwrap_err();
            assert!(matches!(refused, Failure::Refused(Refusal::BadVersion { .. })), "{refused}");
            let again = Wishes { force: true, try_again: true, ..Wishes::default() };
            host.upgrade_as("2.0.0", again).unwrap();
            host.service.prove();
            host.recover(&Stops::never()).unwrap();
            let receipt = std::fs::read_to_string(host.layout.receipt(&host.name)).unwrap();
            let receipt: Receipt = serde_json::from_str(&receipt).unwrap();
            assert!(receipt.bad.is_empty(), "it has proved itself");
        }
    }
}
