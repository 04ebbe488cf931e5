//! The tool itself: an instance moves to another build of it through a gate, and its own file is replaced by an archive.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
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
        real::left_out("strace is not installed");
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

/// An archive of the tool: a program, and what its package says of itself.
fn tool_archive(place: &Place, name: &str, component: &str, version: &str, program: &[u8]) -> String {
    let source = place.top().join(format!("tool-{name}"));
    std::fs::create_dir_all(source.join("bin")).unwrap();
    std::fs::write(source.join("bin/mainstay"), program).unwrap();
    make_executable(&source.join("bin/mainstay"));
    let description = format!(r#"{{ "component": "{component}", "version": "{version}" }}"#);
    std::fs::write(source.join("mainstay-package.json"), description).unwrap();
    let archive = place.top().join(format!("{name}.tar.gz"));
    mainstay::package::pack::pack(&source, &archive).unwrap();
    archive.into_string()
}

/// A program that says of itself that it is a version, and then does something.
fn script(version: &str, then: &str) -> Vec<u8> {
    format!("#!/bin/sh\nif [ \"$1\" = --version ]; then echo mainstay {version}; exit; fi\n{then}\n")
        .into_bytes()
}

fn names(folder: &Utf8Path) -> Vec<String> {
    mainstay::host::files::list(folder).unwrap().unwrap()
}

const OWN: &str = env!("CARGO_PKG_VERSION");

#[test]
fn the_tool_replaces_itself_and_goes_back_while_services_run_on() {
    let (place, tool, new) = installed();
    let (server, of_old) = (place.server().unwrap(), build(&place));
    let (old_bytes, new_bytes) = (std::fs::read(&tool).unwrap(), std::fs::read(&new).unwrap());
    let archive = tool_archive(&place, "good", "mainstay", OWN, &new_bytes);
    let update = |arguments: &[&str]| run(&place, &tool, &[&["self-update"], arguments].concat());

    update(&["--from", &archive]).fails(2, "add `--yes`");
    let shown = update(&["--from", &archive, "--dry-run"]).good();
    assert!(shown.out.contains("replace "), "{shown:?}");
    assert_eq!(
        (std::fs::read(&tool).unwrap() == old_bytes, names(tool.parent().unwrap())),
        (true, vec!["mainstay".to_owned()])
    );
    update(&["--from", &archive, "--yes"]).good();
    assert!(std::fs::read(&tool).unwrap() == new_bytes);
    assert_eq!(names(tool.parent().unwrap()), ["mainstay", "mainstay.before"]);
    assert_eq!((place.server(), build(&place)), (Some(server), of_old.clone()), "what runs goes on");
    assert!(run(&place, &tool, &["status"]).good().out.contains("another build"));
    assert!(update(&["--from", &archive, "--yes"]).good().out.contains("nothing to do"));
    run(&place, &tool, &["apply", "--yes"]).good();
    assert_ne!(build(&place), of_old);

    update(&["--rollback", "--yes"]).good();
    assert!(std::fs::read(&tool).unwrap() == old_bytes);
    update(&["--rollback", "--yes"]).good();
    assert!(std::fs::read(&tool).unwrap() == new_bytes, "and forth again");
    let newer = tool_archive(
        &place,
        "newer",
        "mainstay",
        "99.0.0",
        &script("99.0.0", &format!("exec {MAINSTAY} \"$@\"")),
    );
    update(&["--from", &newer, "--yes"]).good();
    assert!(run(&place, &tool, &["--version"]).good().out.contains("99.0.0"));
    assert!(place.server().is_some());
}

#[test]
fn what_is_no_good_replaces_nothing() {
    let (place, tool, _) = installed();
    let before = (std::fs::read(&tool).unwrap(), names(tool.parent().unwrap()));
    let good = format!("exec {MAINSTAY} \"$@\"");
    let archive = |name: &str, component: &str, version: &str, program: Vec<u8>| {
        tool_archive(&place, name, component, version, &program)
    };
    let cases = [
        (archive("other", "orchestrator", "99.0.0", script("99.0.0", &good)), 5, "not of `mainstay`"),
        (archive("liar", "mainstay", "99.0.0", script("98.0.0", &good)), 5, "says that it is 98.0.0"),
        (archive("broken", "mainstay", "99.0.0", b"#!/bin/sh\nexit 1\n".to_vec()), 5, "does not work here"),
        (archive("blind", "mainstay", "99.0.0", script("99.0.0", "exit 1")), 5, "can't read the files"),
        (archive("older", "mainstay", "0.0.1", script("0.0.1", &good)), 4, "older than the active"),
    ];
    let update = |arguments: &[&str]| run(&place, &tool, &[&["self-update", "--yes"], arguments].concat());
    for (archive, code, words) in &cases {
        update(&["--from", archive]).fails(*code, words);
        assert!((std::fs::read(&tool).unwrap(), names(tool.parent().unwrap())) == before, "{archive}");
    }
    let good = archive("good", "mainstay", "99.0.0", script("99.0.0", &good));
    update(&["--from", &good, "--sha256", &"0".repeat(64)]).fails(5, "sha256");
    update(&["--rollback"]).fails(2, "no program before this one");
    update(&[]).fails(2, "--from ARCHIVE");
    let key = minisign::KeyPair::generate_unencrypted_keypair().unwrap().pk.to_base64();
    update(&["--from", &good, "--public-key", &key]).fails(5, "sign");
    let pin = tool.with_file_name("mainstay.pub");
    std::fs::write(&pin, format!("untrusted comment: ours\n{key}\n")).unwrap();
    update(&["--from", &good]).fails(5, "sign");
    let other = minisign::KeyPair::generate_unencrypted_keypair().unwrap().pk.to_base64();
    update(&["--from", &good, "--public-key", &other]).fails(4, "pins the key");
    std::fs::remove_file(pin).unwrap();
    let list = place.top().join(".crates.toml");
    std::fs::write(&list, "[v1]\n\"mainstay 0.1.0 (registry)\" = [\"mainstay\"]\n").unwrap();
    update(&["--from", &good]).fails(4, "cargo install mainstay");
    std::fs::remove_file(list).unwrap();
    assert!((std::fs::read(&tool).unwrap(), names(tool.parent().unwrap())) == before);
}

#[test]
fn the_tool_is_whole_wherever_its_update_dies() {
    if std::process::Command::new("strace").arg("--version").output().is_err() {
        real::left_out("strace is not installed");
        return;
    }
    let place = Place::new();
    let (tool, new) = (tool(&place, "old", ""), tool(&place, "new", "another build"));
    let archive = tool_archive(&place, "good", "mainstay", OWN, &std::fs::read(&new).unwrap());
    let old = std::fs::read(&tool).unwrap();
    let mut kills = 0;
    for (rollback, calls) in [(false, "rename,renameat,renameat2"), (true, "rename,renameat,renameat2")] {
        for entry in 1..20 {
            let what: &[&str] = if rollback { &["--rollback"] } else { &["--from", &archive] };
            let died = place
                .command("strace", place.top())
                .args(["--quiet=all", "--output=/dev/null", "-f"])
                .arg(format!("--trace={calls}"))
                .arg(format!("--inject={calls}:signal=KILL:when={entry}"))
                .args([tool.as_str(), "self-update", "--yes"])
                .args(what)
                .output()
                .unwrap();
            assert!(run(&place, &tool, &["--version"]).good().out.contains(OWN), "{entry}");
            if died.status.success() {
                break;
            }
            kills += 1;
            if !rollback {
                std::fs::write(tool.with_file_name("again"), &old).unwrap();
                make_executable(&tool.with_file_name("again"));
                std::fs::rename(tool.with_file_name("again"), &tool).unwrap();
            }
        }
        let left = names(tool.parent().unwrap());
        assert_eq!(left, ["mainstay", "mainstay.before"], "the next one sweeps");
    }
    assert!(kills > 3, "{kills}");
}
