//! Making a host ready for a package: shown, confirmed, done with what undoes it. Only what an account may do by itself
//! is done here; `tests/systems/prepare` does what takes root.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test that can't go on fails"
)]

mod real;

use mainstay::model::digest::Digest;
use mainstay::package::pack;
use real::{Place, program};
use serde_json::{Value, json};

/// An archive of a server whose package prepares the host so.
fn archive(place: &Place, steps: &Value, checks: &Value) -> String {
    archive_at(place, place.port, steps, checks)
}

fn archive_at(place: &Place, port: u16, steps: &Value, checks: &Value) -> String {
    let source = place.top().join("source");
    std::fs::create_dir_all(source.join("bin")).unwrap();
    std::fs::copy(program("server"), source.join("bin/server")).unwrap();
    let port = port.to_string();
    let description = json!({
        "component": "server", "version": "1.0.0",
        "service": {
            "command": ["{package}/bin/server", "--port", port],
            "ready": { "http": format!("http://127.0.0.1:{port}/health") }
        },
        "host": { "prepare": steps, "checks": checks }
    });
    std::fs::write(source.join("mainstay-package.json"), description.to_string()).unwrap();
    let archive = place.top().join("server-1.0.0.tar.gz");
    let _ = std::fs::remove_file(&archive);
    pack::pack(&source, &archive).unwrap();
    archive.into_string()
}

fn install(place: &Place, archive: &str, further: &[&str]) -> real::Output {
    let install =
        ["install", "--name", "web", "--component", "server", "--platform", "embedded", "--from", archive];
    place.run(&[&install[..], further].concat())
}

/// A folder in the service's data, and a file that is fetched into a folder beside.
fn steps(place: &Place, sha256: &Digest) -> Value {
    let from = place.top().join("published");
    json!([
        { "id": "images", "kind": "folder", "path": "{data}/deep/images", "mode": "750", "rights": "account", "safe": true, "what": "holds images" },
        { "id": "kernel", "kind": "download", "url": format!("file://{from}"), "sha256": sha256, "mode": "755",
          "path": place.top().join("tools/firecracker"), "rights": "account", "safe": true, "what": "runs virtual machines" },
        { "id": "bridge", "kind": "print", "command": ["ip", "link", "add", "jobs 0", "type", "bridge"], "what": "connects them" },
        { "id": "unsafe", "kind": "folder", "path": "/no-such-folder", "what": "is left to the operator" },
        { "id": "elsewhere", "kind": "folder", "path": "/no-such-other", "what": "is not for this host", "safe": true,
          "when": { "os": ["windows"] } }
    ])
}

#[test]
fn a_host_is_prepared_once_it_was_confirmed_and_a_purge_undoes_it() {
    let place = Place::new();
    std::fs::write(place.top().join("published"), "a program").unwrap();
    let tool = place.top().join("tools/firecracker");
    let needs = json!([{ "kind": "file", "path": tool, "access": "execute", "why": "jobs run in it" }]);
    let archive = archive(&place, &steps(&place, &Digest::of(b"a program")), &needs);
    let before = place.print();

    // Without the word nothing is prepared, and what the package needs is missing.
    let refused = install(&place, &archive, &[]);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(refused.err.contains("there is no `") && refused.err.contains("`mainstay install --prepare`"));
    // Nobody is there to be asked.
    install(&place, &archive, &["--prepare"]).fails(2, "add `--yes`");
    let shown = install(&place, &archive, &["--prepare", "--dry-run"]).good();
    for line in [
        "prepare: make the folder `",
        "deep/images` (as ",
        "prepare: fetch `",
        "it holds images",
        "by hand: `sudo ip link add 'jobs 0' type bridge`",
        "by hand: `sudo install -d -m 755 ",
    ] {
        assert!(format!("{}{}", shown.out, shown.err).contains(line), "{line}: {shown:?}");
    }
    assert!(!shown.out.contains("no-such-other"), "{shown:?}");
    assert_eq!(before, place.print());
    assert!(!tool.exists());

    install(&place, &archive, &["--prepare", "--yes"]).good();
    let data = place.layout.data(&"web".parse().unwrap());
    assert!(data.join("deep/images").is_dir());
    assert_eq!(std::fs::read_to_string(&tool).unwrap(), "a program");
    assert!(!std::path::Path::new("/no-such-folder").exists());
    assert!(place.run(&["status"]).good().out.contains("running and ready"));
    // A second time there is nothing to prepare.
    let again = install(&place, &archive, &["--prepare", "--yes"]).good();
    assert!(!again.out.contains("prepare:") && again.out.contains("nothing to do"), "{again:?}");

    // What somebody has changed since stays, and is named.
    let shown = place.run(&["uninstall", "--purge", "--dry-run"]).good();
    assert!(format!("{}{}", shown.out, shown.err).contains("undo: fetch `"), "{shown:?}");
    place.run(&["uninstall", "--purge", "--yes"]).good();
    assert!(!tool.exists() && !place.top().join("tools").exists());
    assert!(!place.layout.states().join(".prepared").exists());
}

#[test]
fn a_purge_that_died_is_finished_by_the_next_one() {
    let place = Place::new();
    std::fs::write(place.top().join("published"), "a program").unwrap();
    let archive = archive(&place, &steps(&place, &Digest::of(b"a program")), &json!([]));
    install(&place, &archive, &["--prepare", "--yes"]).good();
    let (tool, record) =
        (place.top().join("tools/firecracker"), place.layout.states().join(".prepared/web/steps.json"));
    // As it is between the removal of the instance and the undoing: its record is there, and what was done.
    let text = std::fs::read_to_string(&record).unwrap();
    place.run(&["uninstall", "--purge", "--yes"]).good();
    std::fs::create_dir_all(record.parent().unwrap()).unwrap();
    std::fs::write(&record, &text).unwrap();
    std::fs::create_dir_all(tool.parent().unwrap()).unwrap();
    std::fs::write(&tool, "a program").unwrap();
    let other = place.top().join("other");
    std::fs::create_dir(&other).unwrap();
    let shown = place.run_in(&other, &["uninstall", "--purge", "--name", "web", "--dry-run"]).good();
    assert!(format!("{}{}", shown.out, shown.err).contains("undo: fetch `") && tool.exists(), "{shown:?}");
    // Without the word nothing is undone.
    place.run_in(&other, &["uninstall", "--name", "web", "--yes"]).good();
    assert!(tool.exists());
    place.run_in(&other, &["uninstall", "--purge", "--name", "web", "--yes"]).good();
    assert!(
        !tool.exists()
            && !tool.parent().unwrap().exists()
            && !place.layout.states().join(".prepared").exists()
    );
    let again = place.run_in(&other, &["uninstall", "--purge", "--name", "web", "--yes"]).good();
    assert!(again.err.contains("nothing was done"), "{again:?}");
}

#[test]
fn a_file_of_somebodys_own_is_not_replaced() {
    let place = Place::new();
    std::fs::write(place.top().join("published"), "a program").unwrap();
    let archive = archive(&place, &steps(&place, &Digest::of(b"a program")), &json!([]));
    let tool = place.top().join("tools/firecracker");
    std::fs::create_dir(tool.parent().unwrap()).unwrap();
    std::fs::write(&tool, "somebody's own").unwrap();
    install(&place, &archive, &["--prepare", "--yes"]).fails(1, "it is somebody's own");
    assert_eq!(std::fs::read_to_string(&tool).unwrap(), "somebody's own");
    let data = place.layout.data(&"web".parse().unwrap());
    assert!(!data.join("deep").exists());
}

#[test]
fn a_description_that_contradicts_itself_is_not_installed() {
    let place = Place::new();
    let steps =
        json!([{ "id": "a", "kind": "kernelModule", "name": "../../evil", "safe": true, "what": "w" }]);
    let evil = archive(&place, &steps, &json!([]));
    install(&place, &evil, &["--prepare", "--yes"]).fails(2, "is no name that can be used here");
    assert!(!place.deploy().join("mainstay.json").exists());
    // Nor is it where a manifest is there already, and nobody looks at the package beforehand.
    let good = archive(&place, &json!([]), &json!([]));
    install(&place, &good, &[]).good();
    let evil = archive(&place, &steps, &json!([]));
    place.run(&["upgrade", "--yes", "--from", &evil]).fails(2, "is no name that can be used here");
}

#[test]
fn what_was_changed_since_stays() {
    let place = Place::new();
    std::fs::write(place.top().join("published"), "a program").unwrap();
    let archive = archive(&place, &steps(&place, &Digest::of(b"a program")), &json!([]));
    install(&place, &archive, &["--prepare", "--yes"]).good();
    let tool = place.top().join("tools/firecracker");
    std::fs::write(&tool, "somebody's own").unwrap();
    let removed = place.run(&["uninstall", "--purge", "--yes"]).good();
    assert!(removed.err.contains("was changed since, and stays"), "{removed:?}");
    assert_eq!(std::fs::read_to_string(&tool).unwrap(), "somebody's own");
}

#[test]
fn a_step_that_fails_takes_those_before_it_back() {
    let place = Place::new();
    std::fs::write(place.top().join("published"), "another program").unwrap();
    let archive = archive(&place, &steps(&place, &Digest::of(b"a program")), &json!([]));
    let failed = install(&place, &archive, &["--prepare", "--yes"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.err.contains("the host could not be prepared at `fetch `"), "{failed:?}");
    assert!(!place.top().join("tools/firecracker").exists() && !place.top().join("tools").exists());
    let data = place.layout.data(&"web".parse().unwrap());
    assert!(!data.join("deep").exists());
    assert!(!place.layout.states().join(".prepared").exists());
    assert!(!place.deploy().join("mainstay.json").exists());
    // Without preparing, it is told what is not, and all goes on.
    let told = install(&place, &archive, &[]).good();
    assert!(told.err.contains("the host is not prepared: make the folder `"), "{told:?}");
}

#[test]
fn what_two_instances_use_goes_with_the_last() {
    let (place, other) = (Place::new(), Place::new());
    std::fs::write(place.top().join("published"), "a program").unwrap();
    let steps = steps(&place, &Digest::of(b"a program"));
    let tool = place.top().join("tools/firecracker");
    install(&place, &archive(&place, &steps, &json!([])), &["--prepare", "--yes"]).good();
    // The other has nothing to prepare any more; it listens elsewhere.
    let beside = place.top().join("beside");
    std::fs::create_dir(&beside).unwrap();
    let second = archive_at(&place, other.port, &steps, &json!([]));
    let install_second = ["install", "--name", "beside", "--component", "server", "--platform", "embedded"];
    place.run_in(&beside, &[&install_second[..], &["--from", &second]].concat()).good();

    let removed = place.run(&["uninstall", "--purge", "--yes"]).good();
    assert!(removed.err.contains("stays: `beside` needs it as well"), "{removed:?}");
    assert_eq!(std::fs::read_to_string(&tool).unwrap(), "a program");
    place.run_in(&beside, &["uninstall", "--purge", "--yes"]).good();
    assert!(!tool.exists() && !place.top().join("tools").exists());
    assert!(!place.layout.states().join(".prepared").exists());
}

/// Nothing of what prepares the host is there, nor written down.
fn bare(place: &Place) -> bool {
    let data = place.layout.data(&"web".parse().unwrap());
    let left = [place.top().join("tools"), data, place.layout.states().join(".prepared")];
    left.iter().all(|path| !path.exists())
}

#[test]
fn what_does_not_help_is_undone() {
    let place = Place::new();
    std::fs::write(place.top().join("published"), "a program").unwrap();
    let steps = steps(&place, &Digest::of(b"a program"));
    let needs = json!([{ "kind": "file", "path": place.top().join("never"), "why": "nobody makes it" }]);
    let refused = install(&place, &archive(&place, &steps, &needs), &["--prepare", "--yes"]);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(bare(&place) && !refused.err.contains("--prepare"), "{refused:?}");

    // The host is ready, and the program is not.
    let archive = archive(&place, &steps, &json!([]));
    let taken = std::net::TcpListener::bind(("127.0.0.1", place.port)).unwrap();
    let failed = install(&place, &archive, &["--prepare", "--yes"]);
    assert!(failed.code.is_some_and(|code| code != 0), "{failed:?}");
    assert!(bare(&place), "{failed:?}");
    drop(taken);
    install(&place, &archive, &["--prepare", "--yes"]).good();
    assert!(place.top().join("tools/firecracker").exists());
}

#[test]
fn what_a_killed_installation_prepared_is_undone_by_the_next_command() {
    let place = Place::new();
    std::fs::write(place.top().join("published"), "a program").unwrap();
    let tool = place.top().join("tools/firecracker");
    let needs = json!([{ "kind": "file", "path": tool, "why": "jobs run in it" }]);
    let archive = archive(&place, &steps(&place, &Digest::of(b"a program")), &needs);
    let record = place.layout.states().join(".prepared/web/steps.json");
    install(&place, &archive, &["--prepare", "--yes"]).good();
    let text = std::fs::read_to_string(&record).unwrap();
    place.run(&["uninstall", "--purge", "--yes"]).good();
    // As it is between the preparation and the installation.
    let die = || {
        let mut half: Value = serde_json::from_str(&text).unwrap();
        half["begun"] = json!({ "known": 0, "tree": "server-1.0.0" });
        std::fs::create_dir_all(record.parent().unwrap()).unwrap();
        std::fs::write(&record, half.to_string()).unwrap();
        std::fs::create_dir_all(tool.parent().unwrap()).unwrap();
        std::fs::write(&tool, "a program").unwrap();
    };
    die();
    let recovered = place.run(&["recover"]).good();
    assert!(format!("{}{}", recovered.out, recovered.err).contains("is undone"), "{recovered:?}");
    assert!(bare(&place));
    // Whoever does not prepare must not rely on what is about to be undone.
    die();
    let refused = install(&place, &archive, &["--yes"]);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(bare(&place));
    // Whoever does has all of it.
    die();
    install(&place, &archive, &["--prepare", "--yes"]).good();
    let data = place.layout.data(&"web".parse().unwrap());
    assert!(tool.exists() && data.join("deep/images").is_dir());
    assert!(!std::fs::read_to_string(&record).unwrap().contains("begun"));
}

#[test]
fn the_folder_of_another_account_has_nothing_done_as_root() {
    if !real::is_root() {
        return real::left_out("what root does for others takes root");
    }
    let place = Place::new();
    let made = place.top().join("made");
    let steps =
        json!([{ "id": "made", "kind": "folder", "path": made, "safe": true, "what": "is made by root" }]);
    let archive = archive(&place, &steps, &json!([]));
    std::fs::create_dir_all(place.deploy()).unwrap();
    std::os::unix::fs::chown(place.deploy(), Some(65534), Some(65534)).unwrap();
    let shown = install(&place, &archive, &["--prepare", "--yes", "--dry-run"]);
    let told = format!("{}{}", shown.out, shown.err);
    assert!(told.contains("by hand: `sudo install -d ") && !told.contains("prepare: make"), "{shown:?}");
    std::os::unix::fs::chown(place.deploy(), Some(0), Some(0)).unwrap();
    let shown = install(&place, &archive, &["--prepare", "--yes", "--dry-run"]);
    assert!(format!("{}{}", shown.out, shown.err).contains("prepare: make the folder `"), "{shown:?}");
}
