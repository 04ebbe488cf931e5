//! A manifest that is brought as a file of its own (`--manifest`): it comes to its folder with the operation, and not if that
//! fails. What is only shown before is what is done then.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and starts processes itself"
)]

mod real;

use std::io::Write as _;
use std::process::Stdio;

use camino::Utf8PathBuf;
use real::{MAINSTAY, Place};

/// A manifest of the server, beside the folders of the place.
fn manifest(place: &Place, settings: &str) -> (Utf8PathBuf, String) {
    let beside = place.top().join("brought");
    place.declare(&beside, "web", settings);
    let path = beside.join("mainstay.json");
    let text = std::fs::read_to_string(&path).unwrap().replace(r#", "version": "1.0.0""#, "");
    std::fs::write(&path, &text).unwrap();
    (path, text)
}

fn steps(output: &str) -> Vec<String> {
    let answer: serde_json::Value = serde_json::from_str(output).unwrap();
    let step = |step: &serde_json::Value| {
        // The time in a receipt is not always as long.
        let text = step.as_str().unwrap();
        text.split_once("receipt.json").map_or_else(|| text.to_owned(), |(before, _)| before.to_owned())
    };
    answer["steps"].as_array().unwrap().iter().map(step).collect()
}

#[test]
fn it_comes_with_the_installation_into_a_folder_that_is_made_for_it() {
    let place = Place::new();
    let (path, text) = manifest(&place, "");
    let archive = place.archive("1.0.0");
    let deploy = place.top().join("made").join("web");
    let words = [
        "install",
        "--manifest",
        path.as_str(),
        "--instance-dir",
        deploy.as_str(),
        "--from",
        &archive,
        "--json",
    ];
    let before = place.print();
    let shown = place.run(&[&words[..], &["--dry-run"]].concat()).good();
    assert_eq!(place.print(), before);
    assert!(!deploy.exists() && !deploy.parent().unwrap().exists());
    let done = place.run(&words).good();
    assert_eq!(steps(&shown.out), steps(&done.out));
    assert_eq!(std::fs::read_to_string(deploy.join("mainstay.json")).unwrap(), text);
    assert!(place.server().is_some());
    // The same again is nothing to do.
    let again = place.run(&["apply", "--manifest", path.as_str(), "--name", "web", "--yes"]).good();
    assert!(again.out.contains("nothing to do"), "{again:?}");
}

#[test]
fn a_first_installation_that_fails_leaves_neither_it_nor_its_folder() {
    let place = Place::new();
    let (path, _) = manifest(&place, "");
    let archive = place.broken_archive("1.0.0");
    let deploy = place.top().join("made");
    place
        .run(&["install", "--manifest", path.as_str(), "--instance-dir", deploy.as_str(), "--from", &archive])
        .fails(1, "code 7");
    assert!(!deploy.exists());
    place.run(&["status", "--name", "web"]).fails(3, "no instance");
}

#[test]
fn with_a_version_that_fails_the_one_before_stays_and_with_one_that_works_it_comes() {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    let (path, text) = manifest(&place, r#", "environment": { "A": "1" }"#);
    let stands = || std::fs::read_to_string(place.deploy().join("mainstay.json")).unwrap();
    let before = stands();
    let words = ["upgrade", "--name", "web", "--manifest", path.as_str(), "--yes", "--json", "--from"];
    place
        .run(&[&words[..], &[&place.broken_archive("2.0.0")]].concat())
        .fails(7, "the version before runs again");
    assert_eq!(stands(), before);
    let good = place.archive("3.0.0");
    let shown = place.run(&[&words[..], &[&good, "--dry-run"]].concat()).good();
    assert_eq!(stands(), before);
    let done = place.run(&[&words[..], &[&good]].concat()).good();
    assert_eq!(steps(&shown.out), steps(&done.out));
    assert!(shown.out.contains("mainstay.json"), "the manifest is among the diffs: {shown:?}");
    assert_eq!(stands(), text);
}

#[test]
fn it_is_read_from_standard_input_and_has_to_be_of_the_instance_that_was_named() {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    let typed = |text: &str, words: &[&str]| {
        let mut command = place.command(MAINSTAY, &place.deploy());
        command.args(["plan", "--manifest", "-", "--json"]).args(words);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (_, text) = manifest(&place, r#", "environment": { "A": "1" }"#);
    let (code, said) = typed(&text, &["--name", "web"]);
    assert!(code == Some(9) && said.contains("service.environment.A"), "{code:?} {said}");
    let (code, said) = typed(&text.replace("\"web\"", "\"other\""), &["--name", "web"]);
    assert!(code == Some(2) && said.contains("the manifest of `other`"), "{code:?} {said}");
    let (code, said) = typed(&text.replace("\"service\"", "\"servis\""), &[]);
    assert!(code == Some(2) && said.contains("standard input:4:3"), "{code:?} {said}");
    place
        .run(&["upgrade", "--manifest", "-", "--from", "-", "--yes"])
        .fails(2, "standard input can be read once");
}

/// Another manifest stood there before, and does again.
#[test]
fn a_first_installation_that_fails_gives_the_manifest_of_before_back() {
    let place = Place::new();
    let (path, text) = manifest(&place, "");
    let stands = place.deploy().join("mainstay.json");
    let before = text.replace("10s", "9s");
    std::fs::write(&stands, &before).unwrap();
    let archive = place.broken_archive("1.0.0");
    let words = ["install", "--manifest", path.as_str(), "--from", &archive];
    place.run(&words).fails(1, "code 7");
    assert_eq!(std::fs::read_to_string(&stands).unwrap(), before);
    place.run(&["status", "--name", "web"]).fails(3, "no instance");
}

#[test]
fn what_would_not_look_at_it_is_refused() {
    let place = Place::new();
    let (path, _) = manifest(&place, "");
    for words in ["--cleanup", "--restart-only"] {
        place.run(&["upgrade", words, "--manifest", path.as_str()]).fails(2, "cannot be used with");
    }
    let huge = place.top().join("huge.json");
    std::fs::write(&huge, " ".repeat((1 << 20) + 1)).unwrap();
    place.run(&["install", "--manifest", huge.as_str(), "--from", "x.tar.gz"]).fails(2, "is larger than");
}
