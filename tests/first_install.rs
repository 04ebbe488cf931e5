//! A first installation that fails: where its manifest was made on the way, nothing of it is in the way of the same
//! command, corrected. Where a person has written the manifest, the installation stands.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and starts processes itself"
)]

mod real;

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::model::name::InstanceName;
use real::{LONG, MAINSTAY, Place, await_some, is_root};

/// It writes data, and goes on only where its code is 0.
const SCRIPT: &str = "echo code $CODE; : > {data}/made; test $CODE = 0 && exec sleep 1000; exit $CODE";
/// The number of an account that no host has.
const NOBODY_AT_ALL: u32 = 1_345_678;

fn name() -> InstanceName {
    InstanceName::new("web").unwrap()
}

/// Types the installation of the script with this code, and with more words.
fn install(code: &str, more: &[&str]) -> Vec<String> {
    let code = format!("service.environment.CODE={code}");
    let begun = ["install", "--platform", "embedded", "--name", "web", "--binary", "/bin/sh", "--set", &code];
    [&begun, more, &["--", "-c", SCRIPT]].concat().iter().map(ToString::to_string).collect()
}

fn typed(place: &Place, words: &[String]) -> real::Output {
    place.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn entries(folder: &Utf8Path) -> Vec<String> {
    mainstay::host::files::list(folder).unwrap().unwrap_or_default()
}

/// What is left of the instance in the folders of this root, without locks, which stay, and its log.
fn left(place: &Place) -> Vec<Utf8PathBuf> {
    let (layout, name) = (&place.layout, name());
    let folders = [layout.state(&name), layout.config(&name), layout.install(&name), layout.data(&name)];
    let mut left: Vec<Utf8PathBuf> = folders
        .into_iter()
        .chain([layout.run(&name, mainstay::model::manifest::PlatformKind::Embedded)])
        .collect();
    left.retain(|path| path.exists());
    left.extend(place.journal(&name).iter().map(Utf8PathBuf::from));
    left
}

#[test]
fn of_a_service_that_was_never_ready_nothing_is_in_the_way_of_the_next_try() {
    let place = Place::new();
    let variables = place.top().join("x.env");
    std::fs::write(&variables, "A=1\n").unwrap();
    let more = ["--env-file", variables.as_str(), "--set", "service.environmentFile=web.env"];
    let failed = typed(&place, &install("3", &more)).fails(1, "so web was not installed");
    assert!(
        failed.err.contains("code 3") && failed.err.contains("  2"),
        "its last lines are told: {failed:?}"
    );
    assert!(!failed.err.contains("undoing: "), "the steps are for those who ask: {failed:?}");
    assert_eq!(entries(&place.deploy()), [""; 0], "neither manifest nor environment file");
    assert_eq!(left(&place), [""; 0]);
    let log = place.layout.logs(&name());
    assert!(failed.err.contains(log.as_str()), "{failed:?}");
    assert!(std::fs::read_to_string(log.join("web.log")).unwrap().contains("code 3"));
    place.run(&["status", "--name", "web"]).fails(3, "web");
    let said = typed(&place, &install("4", &["--verbose"])).fails(1, "code 4");
    assert!(said.err.contains("undoing: "), "{said:?}");
    // The same, corrected.
    typed(&place, &install("0", &more)).good();
    place.run(&["status"]).good();
    assert_eq!(entries(&place.deploy()).len(), 2);
    assert!(place.layout.data(&name()).join("made").exists());
}

#[test]
fn data_that_were_there_before_a_failed_installation_stay() {
    let place = Place::new();
    typed(&place, &install("0", &[])).good();
    let kept = place.layout.data(&name()).join("kept");
    std::fs::write(&kept, "x").unwrap();
    place.run(&["uninstall", "--yes"]).good();
    std::fs::remove_file(place.deploy().join("mainstay.json")).unwrap();
    typed(&place, &install("3", &[])).fails(1, "so web was not installed");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "x");
    assert_eq!(entries(&place.deploy()), [""; 0]);
    assert!(place.layout.history(&name()).exists(), "what was before is not forgotten");
}

#[test]
fn an_installation_of_a_written_manifest_stands_and_the_manifest_is_corrected() {
    let place = Place::new();
    typed(&place, &install("0", &["--dry-run"])).good();
    let text = r#"{ "name": "web", "platform": "embedded", "package": { "name": "web", "source": "binary" },
        "service": { "command": ["/bin/sh", "-c", "exit 3"] } }"#;
    let manifest = place.deploy().join("mainstay.json");
    std::fs::write(&manifest, text).unwrap();
    let failed = place.run(&["install"]);
    assert!(matches!(failed.code, Some(1 | 8)), "{failed:?}");
    assert!(manifest.exists() && place.layout.receipt(&name()).exists());
    std::fs::write(&manifest, text.replace("exit 3", "exec sleep 1000")).unwrap();
    place.run(&["apply", "--yes"]).good();
}

/// Types an installation that waits, and kills the command as soon as it does.
fn killed(place: &Place, ready: &str) {
    let words = install("0", &["--set", ready]);
    let mut child = place
        .command(MAINSTAY, &place.deploy())
        .args(&words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    await_some("the program", LONG, || place.layout.data(&name()).join("made").exists().then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn where_the_command_dies_the_next_one_takes_the_installation_back_or_brings_it_to_its_end() {
    let place = Place::new();
    killed(&place, "service.ready.tcp=127.0.0.1:9");
    // It is found by its folder meanwhile.
    assert_eq!(place.run(&["status", "--json"]).code, Some(10));
    place.run(&["recover", "--name", "web"]).good();
    assert_eq!(entries(&place.deploy()), [""; 0]);
    assert_eq!(left(&place), [""; 0]);
    // One that has become ready without it stays.
    killed(&place, "service.ready.delay=2s");
    let ready = || (place.run(&["status"]).code == Some(0)).then_some(());
    await_some("the program to be ready", LONG, ready);
    place.run(&["recover", "--name", "web"]).good();
    place.run(&["status"]).good();
    assert!(place.layout.receipt(&name()).exists() && place.deploy().join("mainstay.json").exists());
}

#[test]
fn an_account_without_a_line_in_the_account_database_has_services_too() {
    if !is_root() {
        real::left_out("only root can start something as an account that nobody knows");
        return;
    }
    let place = Place::new();
    let top = place.top().to_owned();
    std::fs::set_permissions(&top, std::fs::Permissions::from_mode(0o755)).unwrap();
    let binary = top.join("mainstay");
    std::fs::copy(MAINSTAY, &binary).unwrap();
    for (root, variable) in [("home", "HOME"), ("rooted", "MAINSTAY_ROOT")] {
        let root = top.join(root);
        let deploy = root.join("deploy");
        std::fs::create_dir_all(&deploy).unwrap();
        for folder in [&root, &deploy] {
            std::os::unix::fs::chown(folder, Some(NOBODY_AT_ALL), Some(0)).unwrap();
        }
        let run = |words: &[&str]| {
            let mut command = Command::new(&binary);
            command.args(words).current_dir(&deploy).uid(NOBODY_AT_ALL).gid(0).env_clear();
            // What is started here is found by its root when the test ends.
            command.env(variable, &root).env("PLACE", &place.root).stdin(Stdio::null());
            let output = command.output().unwrap();
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert_eq!(output.status.code(), Some(0), "{words:?}: {said}");
            said
        };
        let script = "echo I am $(id -u) at $HOME; exec sleep 1000";
        run(&[
            "install",
            "--platform",
            "embedded",
            "--name",
            "web",
            "--binary",
            "/bin/sh",
            "--",
            "-c",
            script,
        ]);
        assert!(run(&["status"]).contains("running and ready"));
        let home = if variable == "HOME" { root.as_str() } else { "/" };
        let expected = format!("I am {NOBODY_AT_ALL} at {home}\n");
        await_some("its word", Duration::from_secs(5), || {
            run(&["logs", "--no-follow"]).contains(&expected).then_some(())
        });
        run(&["uninstall", "--purge", "--yes"]);
    }
}
