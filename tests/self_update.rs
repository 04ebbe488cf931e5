//! The tool itself: an instance moves to another build of it through a gate, and its own file is replaced by an archive.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that fails panics, says what it saw, and starts processes itself"
)]

mod real;

use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::model::name::InstanceName;
use real::{LONG, MAINSTAY, Output, Place, await_some};

fn web() -> InstanceName {
    InstanceName::new("web").unwrap()
}

fn make_executable(path: &Utf8Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A copy of the tool; with words behind its end it is another build, which does the same.
fn tool(place: &Place, name: &str, words: &str) -> Utf8PathBuf {
    let folder = place.top().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("mainstay");
    let mut bytes = std::fs::read(MAINSTAY).unwrap();
    bytes.extend(words.as_bytes());
    std::fs::write(&path, bytes).unwrap();
    make_executable(&path);
    path
}

fn run(place: &Place, tool: &Utf8Path, arguments: &[&str]) -> Output {
    let output = place.command(tool.as_str(), &place.deploy()).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Output { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn build(place: &Place) -> String {
    let link = place.layout.runtime_link(&web()).read_link_utf8().unwrap();
    link.file_name().unwrap().to_owned()
}

/// The build whose program the supervisor runs.
fn running_build(place: &Place) -> Option<String> {
    let pid = mainstay::engine::guard::supervisor_of(&place.layout, &web())?.pid;
    let path = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    Some(path.parent()?.file_name()?.to_str()?.to_owned())
}

/// An instance that the first of two builds runs.
fn installed() -> (Place, Utf8PathBuf, Utf8PathBuf) {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    let (old, new) = (tool(&place, "old", ""), tool(&place, "new", "another build"));
    run(&place, &old, &["install", "--from", &place.archive("1.0.0")]).good();
    (place, old, new)
}

#[test]
fn an_instance_moves_to_another_build_through_a_gate() {
    let (place, old, new) = installed();
    let (of_old, before) = (build(&place), place.server().unwrap());
    assert!(!run(&place, &old, &["status"]).good().out.contains("another build"));
    for command in ["status", "doctor"] {
        let said = run(&place, &new, &[command]);
        assert!(said.out.contains("another build of mainstay"), "{command}: {said:?}");
    }
    let said = run(&place, &new, &["list"]).good();
    assert!(said.err.contains("another mainstay than this one runs `web`"), "{said:?}");
    let document: serde_json::Value =
        serde_json::from_str(&run(&place, &new, &["status", "--json"]).out).unwrap();
    assert_eq!(document["otherRuntime"], of_old.as_str());

    run(&place, &new, &["plan"]).fails(9, "link ");
    assert_eq!(place.server(), Some(before));
    run(&place, &new, &["apply", "--yes"]).good();
    assert_ne!(build(&place), of_old);
    assert_eq!(running_build(&place), Some(build(&place)));
    assert_ne!(place.server(), Some(before), "the new build has started it");
    assert!(run(&place, &new, &["apply", "--yes"]).good().out.contains("nothing to do"));
    assert!(!run(&place, &new, &["status"]).good().out.contains("another build"));

    // The guardian still runs the old build, which therefore stays.
    run(&place, &new, &["upgrade", "--cleanup", "--yes"]).good();
    assert!(place.layout.runtime(&of_old).exists());
    run(&place, &new, &["stop"]).good();
    run(&place, &new, &["start"]).good();
    run(&place, &new, &["upgrade", "--cleanup", "--yes"]).good();
    assert!(!place.layout.runtime(&of_old).exists(), "nothing needs it any more");
    assert!(place.layout.runtime(&build(&place)).exists() && place.server().is_some());
}

#[test]
fn a_build_under_which_nothing_gets_ready_is_left_again() {
    let (place, _, new) = installed();
    let of_old = build(&place);
    let shown = run(&place, &new, &["apply", "--dry-run"]).good().out;
    let of_new = shown.split("-> ../.runtime/").nth(1).unwrap().lines().next().unwrap().to_owned();
    // Copies are never overwritten: one that lies there already is taken for what its name says.
    let folder = place.layout.runtime(&of_new);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("mainstay"), "#!/bin/sh\nexit 1\n").unwrap();
    make_executable(&folder.join("mainstay"));
    run(&place, &new, &["apply", "--yes"]).fails(7, "runs again");
    assert_eq!((build(&place), running_build(&place)), (of_old.clone(), Some(of_old)));
    assert!(place.server().is_some());
    assert!(place.journal(&web()).is_empty());
    assert!(run(&place, &new, &["history"]).good().out.contains("taken back"));
}

#[test]
fn a_command_that_dies_while_it_moves_an_instance_leaves_it_running() {
    if std::process::Command::new("strace").arg("--version").output().is_err() {
        eprintln!("left out: strace is not installed");
        assert!(std::env::var("CI").is_err(), "strace is missing");
        return;
    }
    let (place, old, new) = installed();
    let mut kills = 0;
    for entry in (1..40).step_by(2) {
        let tool = if build(&place) == build_of(&old) { &new } else { &old };
        let killed = place
            .command("strace", &place.deploy())
            .args(["--quiet=all", "--output=/dev/null", "--trace=fdatasync"])
            .arg(format!("--inject=fdatasync:signal=KILL:when={entry}"))
            .args([tool.as_str(), "apply", "--yes"])
            .output()
            .unwrap();
        await_some("the service", LONG, || place.server());
        run(&place, tool, &["recover"]).good();
        assert!(place.journal(&web()).is_empty(), "killed at entry {entry}");
        assert!(place.server().is_some(), "killed at entry {entry}");
        await_some("the build that its link names", LONG, || {
            (running_build(&place) == Some(build(&place))).then_some(())
        });
        if killed.status.success() {
            break;
        }
        kills += 1;
    }
    assert!(kills > 3, "{kills}");
}

fn build_of(tool: &Utf8Path) -> String {
    let digest = mainstay::host::files::digest(tool).unwrap();
    format!("{}-{}", env!("CARGO_PKG_VERSION"), digest.short())
}
