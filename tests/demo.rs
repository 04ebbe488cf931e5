//! `mainstay demo` from beginning to end with the real binary: what it shows, and that nothing stays behind.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and runs what it likes"
)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_mainstay");
/// An account without rights, home or shell that every Linux has, and its group.
const NOBODY: u32 = 65534;

/// A folder for temporary files of its own, in which everybody may make files.
fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o1777)).unwrap();
    place
}

fn demo(binary: &Path, place: &Path) -> Command {
    let mut command = Command::new(binary);
    command.arg("demo").env("TMPDIR", place).stdin(Stdio::null());
    command
}

fn text(output: &Output) -> String {
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n--- standard error ---\n{}", said(&output.stdout), said(&output.stderr))
}

/// The processes whose program stands below a folder or that were told to keep everything there.
fn processes(place: &Path) -> Vec<String> {
    let below = |path: PathBuf| path.starts_with(place);
    let root = format!("MAINSTAY_ROOT={}", place.display());
    let concerned = |folder: &PathBuf| {
        let environment = std::fs::read(folder.join("environ")).unwrap_or_default();
        std::fs::read_link(folder.join("exe")).is_ok_and(below)
            || environment.split(|byte| *byte == 0).any(|entry| entry.starts_with(root.as_bytes()))
    };
    let folders = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let found = folders.filter(concerned);
    found.map(|folder| std::fs::read_to_string(folder.join("comm")).unwrap_or_default()).collect()
}

#[track_caller]
fn nothing_is_left(place: &Path) {
    assert_eq!(processes(place), [""; 0]);
    let names: Vec<_> = std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.is_empty(), "{names:?}");
}

/// The lines that have to come, in this order; what stands between them is the commands' own affair.
#[track_caller]
fn shows(output: &Output, wanted: &[&str]) {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines = stdout.lines();
    for wanted in wanted {
        assert!(
            lines.any(|line| line.contains(wanted)),
            "`{wanted}` is missing or too early in\n{}",
            text(output)
        );
    }
}

#[track_caller]
fn shows_the_whole_life(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", text(output));
    shows(
        output,
        &[
            "$ mainstay pack hello-1",
            "$ mainstay pack hello-2",
            "$ cat mainstay.json",
            "$ mainstay install --from ../hello-1.0.0.tar.gz",
            "hello 1.0.0 is installed",
            "/version",
            "hello 1.0.0",
            "$ mainstay status",
            "1.0.0",
            "$ mainstay logs --no-follow",
            "hello 1.0.0 listens on 127.0.0.1:",
            "$ mainstay upgrade --from ../hello-2.0.0.tar.gz --yes",
            "hello: 1.0.0 -> 2.0.0",
            "/version",
            "hello 2.0.0",
            "$ mainstay history",
            "2.0.0",
            "$ mainstay upgrade --rollback --yes",
            "hello: 2.0.0 -> 1.0.0",
            "/version",
            "hello 1.0.0",
            "$ mainstay upgrade --cleanup --yes",
            "one old version removed",
            "$ mainstay uninstall --purge --yes",
            "nothing is left",
        ],
    );
}

#[test]
fn it_shows_the_whole_life_and_leaves_nothing() {
    let place = place();
    let output = demo(Path::new(BINARY), place.path()).output().unwrap();
    shows_the_whole_life(&output);
    nothing_is_left(place.path());
}

#[test]
fn an_ordinary_user_can_run_it() {
    if !rustix::process::geteuid().is_root() {
        // Then the test above was one.
        return;
    }
    let (place, tools) = (place(), place());
    let binary = tools.path().join("mainstay");
    std::fs::copy(BINARY, &binary).unwrap();
    let mut command = demo(&binary, place.path());
    command.uid(NOBODY).gid(NOBODY).env_clear().env("TMPDIR", place.path()).current_dir("/");
    let output = command.output().unwrap();
    shows_the_whole_life(&output);
    nothing_is_left(place.path());
}

/// Runs it until a line is shown, and asks it to end.
fn interrupted_at(line: &str, signal: rustix::process::Signal) {
    let place = place();
    let mut child =
        demo(Path::new(BINARY), place.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|shown| shown.unwrap().contains(line)), "`{line}` never came");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, signal).unwrap();
    // What it writes goes somewhere, so that it does not end because nobody reads.
    lines.for_each(drop);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{line}: {said}");
    assert!(said.contains("interrupted"), "{line}: {said}");
    nothing_is_left(place.path());
}

#[test]
fn interrupted_it_leaves_nothing() {
    use rustix::process::Signal;
    interrupted_at("$ mainstay pack hello-2", Signal::INT);
    interrupted_at("$ mainstay install", Signal::TERM);
    interrupted_at("$ mainstay upgrade --from", Signal::HUP);
    interrupted_at("$ mainstay uninstall", Signal::INT);
}

#[test]
fn a_folder_can_be_kept() {
    let place = place();
    let output = demo(Path::new(BINARY), place.path()).arg("--keep").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(processes(place.path()), [""; 0]);
    let folders: Vec<PathBuf> =
        std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [folder] = folders.as_slice() else { panic!("{folders:?}") };
    shows(&output, &[&format!("The folder is left: {}", folder.display())]);
    assert!(folder.join("hello-2.0.0.tar.gz").is_file() && folder.join("deploy/mainstay.json").is_file());
}

#[test]
fn where_it_can_not_be_shown_it_says_so() {
    let place = place();
    let output = demo(Path::new(BINARY), place.path()).arg("--json").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    nothing_is_left(place.path());
    let output = demo(Path::new(BINARY), &place.path().join("none")).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
}
