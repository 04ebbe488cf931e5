//! The data of a service between two versions, with the real binary and real processes on the embedded platform: a
//! migration that works, fails, hangs, is killed; going back with data and without.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::unnecessary_debug_formatting,
    reason = "a test that fails panics, starts processes itself, and shows odd names as they are"
)]

mod real;

use std::fmt::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::host::replica::{put_back, replicate};
use mainstay::host::{identity, tree};
use mainstay::model::name::InstanceName;
use proptest::prelude::*;
use real::{LONG, Place, await_some};
use rustix::process::Signal;

fn web() -> InstanceName {
    InstanceName::new("web").unwrap()
}

/// A server with data, and these hooks.
fn with_hooks(place: &Place, hooks: &str) -> Utf8PathBuf {
    place.declare(&place.deploy(), "web", "");
    let path = place.deploy().join("mainstay.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let upgrade = format!(
        ",\n  \"upgrade\": {{ \"data\": [\"{{data}}\"], \"trial\": \"0s\", \"hooks\": {{ {hooks} }} }}\n}}\n"
    );
    std::fs::write(&path, text.trim_end().trim_end_matches('}').trim_end().to_owned() + &upgrade).unwrap();
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    let data = place.layout.data(&web());
    std::fs::create_dir_all(data.join("rows")).unwrap();
    std::fs::write(data.join("form"), "1.0.0\n").unwrap();
    std::fs::write(data.join("rows/one"), "one\n".repeat(1000)).unwrap();
    std::os::unix::fs::symlink("rows/one", data.join("first")).unwrap();
    data
}

fn told(place: &Place) -> String {
    let log = place.layout.logs(&web()).join("web.log");
    std::fs::read_to_string(log).unwrap_or_default()
}

fn ended(place: &Place) {
    place.run(&["uninstall", "--yes", "--purge"]).good();
}

#[test]
fn a_migration_runs_between_the_two_versions_and_its_output_is_in_the_log() {
    let place = Place::new();
    let migrate = r#""migrate": ["/bin/sh", "-ec", "echo moving $MAINSTAY_NAME from $MAINSTAY_FROM_VERSION; test -x $MAINSTAY_TO_PACKAGE/bin/server; echo $MAINSTAY_TO_VERSION > $MAINSTAY_DATA/form"]"#;
    let data = with_hooks(&place, migrate);
    let shown = place.run(&["upgrade", "--dry-run", "--from", &place.archive("2.0.0")]).good();
    let said = format!("{}{}", shown.out, shown.err);
    assert!(said.contains("take a snapshot of") && said.contains("upgrade.hooks.migrate"), "{said}");
    assert!(said.contains("a snapshot of `") && said.contains("KiB"), "its size is not shown: {said}");
    place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).good();
    assert_eq!(place.running_tree(&web()).unwrap(), "server-2.0.0");
    assert_eq!(std::fs::read_to_string(data.join("form")).unwrap(), "2.0.0\n");
    assert!(told(&place).contains("out moving web from 1.0.0"), "{}", told(&place));
    // Its data are closed to the old version.
    place.run(&["upgrade", "--yes", "--rollback"]).fails(4, "there is no `migrateBack`");
    assert_eq!(place.running_tree(&web()).unwrap(), "server-2.0.0");
    place.run(&["upgrade", "--yes", "--rollback", "--restore-data"]).good();
    assert_eq!(place.running_tree(&web()).unwrap(), "server-1.0.0");
    assert_eq!(std::fs::read_to_string(data.join("form")).unwrap(), "1.0.0\n");
    ended(&place);
    assert!(!place.layout.snapshots(&web()).exists());
}

#[test]
fn a_migration_that_fails_or_hangs_gives_the_data_back() {
    let scripts = [
        (
            "rm -r $MAINSTAY_DATA/rows; echo half > $MAINSTAY_DATA/form; echo no luck; exit 3",
            "exited with code 3: no luck",
        ),
        (
            "rm -r $MAINSTAY_DATA/rows; sleep 60 & echo $! > $MAINSTAY_DATA/../../sleeper; sleep 60",
            "took longer than 1s",
        ),
    ];
    for (script, reason) in scripts {
        let place = Place::new();
        let hooks = format!(r#""timeout": "1s", "migrate": ["/bin/sh", "-c", "{script}"]"#);
        let data = with_hooks(&place, &hooks);
        let before = described(&data);
        place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).fails(7, reason);
        assert_eq!(place.running_tree(&web()).unwrap(), "server-1.0.0");
        assert_eq!(described(&data), before);
        assert!(place.journal(&web()).is_empty());
        let history = place.run(&["history", "--json"]).good().out;
        assert!(history.contains("taken-back") && history.contains(reason), "{history}");
        ended(&place);
        let left = tree::all().into_iter().filter(|process| {
            tree::variable(process.identity.pid, "MAINSTAY_SWITCH")
                .is_some_and(|path| path.starts_with(place.root.as_str()))
        });
        assert_eq!(left.count(), 0, "something of the migration runs on");
    }
}

/// The migration, or what runs it, is killed in the middle; the command as well, or not.
#[test]
fn a_migration_that_is_killed_gives_the_data_back() {
    for whole in [false, true] {
        let place = Place::new();
        let migrate = r#""migrate": ["/bin/sh", "-c", "rm -r $MAINSTAY_DATA/rows; echo $$ > $MAINSTAY_DATA/pid; exec sleep 60"]"#;
        let data = with_hooks(&place, migrate);
        let before = described(&data);
        let mut command = place.command(real::MAINSTAY, &place.deploy());
        let arguments =
            ["upgrade", "--yes", "--from"].map(str::to_owned).into_iter().chain([place.archive("2.0.0")]);
        let mut child = command.args(arguments).stderr(std::process::Stdio::null()).spawn().unwrap();
        let pid: u32 = await_some("the migration", LONG, || {
            std::fs::read_to_string(data.join("pid")).ok()?.trim().parse().ok()
        });
        let migration = identity::process(pid).unwrap();
        if whole {
            child.kill().unwrap();
            child.wait().unwrap();
            // Who runs it, and not the migration itself: that has to be found by whoever comes next.
            let runner = identity::identity_of(migration.parent).unwrap();
            identity::signal(runner, Signal::KILL).unwrap();
            await_some("the end of the migration", LONG, || {
                (!identity::runs(migration.identity)).then_some(())
            });
        } else {
            identity::signal(migration.identity, Signal::KILL).unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(7));
        }
        await_some("the old version", LONG, || {
            place.running_tree(&web()).filter(|tree| tree == "server-1.0.0")
        });
        place.run(&["recover", "--name", "web"]).good();
        assert_eq!(place.running_tree(&web()).unwrap(), "server-1.0.0");
        assert_eq!(described(&data), before);
        assert!(place.journal(&web()).is_empty());
        ended(&place);
    }
}

#[test]
fn a_version_that_never_becomes_ready_gives_the_data_back() {
    let place = Place::new();
    let migrate =
        r#""migrate": ["/bin/sh", "-c", "rm -r $MAINSTAY_DATA/rows; mkdir -m 0 $MAINSTAY_DATA/odd"]"#;
    let data = with_hooks(&place, migrate);
    let before = described(&data);
    place.run(&["upgrade", "--yes", "--from", &place.broken_archive("3.0.0")]).fails(7, "no luck");
    assert_eq!(place.running_tree(&web()).unwrap(), "server-1.0.0");
    assert_eq!(described(&data), before);
    ended(&place);
}

#[test]
fn a_stop_ends_a_migration() {
    let place = Place::new();
    let migrate = r#""migrate": ["/bin/sh", "-c", "rm -r $MAINSTAY_DATA/rows; echo $$ > $MAINSTAY_DATA/pid; exec sleep 60"]"#;
    let data = with_hooks(&place, migrate);
    let before = described(&data);
    let mut command = place.command(real::MAINSTAY, &place.deploy());
    let archive = place.archive("2.0.0");
    let mut child = command.args(["upgrade", "--yes", "--from", &archive]).spawn().unwrap();
    let pid: u32 = await_some("the migration", LONG, || {
        std::fs::read_to_string(data.join("pid")).ok()?.trim().parse().ok()
    });
    let migration = identity::identity_of(pid).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let began = Instant::now();
    mainstay::engine::guard::stop_guardian(&place.layout, &web(), LONG).unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(!identity::runs(migration), "the migration runs on");
    place.run(&["recover", "--name", "web"]).good();
    assert_eq!(described(&data), before);
    ended(&place);
}

const BOTH_WAYS: &str = r#""migrate": ["/bin/sh", "-c", "echo up to $MAINSTAY_TO_VERSION > $MAINSTAY_DATA/form"],
  "migrateBack": ["/bin/sh", "-c", "echo down to $MAINSTAY_TO_VERSION > $MAINSTAY_DATA/form"]"#;

fn with_trial(place: &Place, period: &str) {
    let path = place.deploy().join("mainstay.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace(r#""trial": "0s""#, &format!(r#""trial": "{period}""#))).unwrap();
}

fn comes_to_run(place: &Place, tree: &str) {
    await_some(tree, LONG, || place.running_tree(&web()).filter(|running| running == tree));
}

#[test]
fn an_older_version_on_trial_has_its_data_brought_forward_again() {
    let place = Place::new();
    let data = with_hooks(&place, BOTH_WAYS);
    let form = || std::fs::read_to_string(data.join("form")).unwrap();
    place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).good();
    assert_eq!(form(), "up to 2.0.0\n");
    with_trial(&place, "30s");
    place.run(&["upgrade", "--yes", "--to", "1.0.0"]).good();
    assert_eq!(form(), "down to 1.0.0\n");
    let _ = place.answer("/exit/3");
    comes_to_run(&place, "server-2.0.0");
    assert_eq!(form(), "up to 2.0.0\n", "{}", told(&place));

    // With older data there is nothing to go back to.
    let again = ["upgrade", "--yes", "--to", "1.0.0", "--force", "--restore-data"];
    let said = place.run(&again).good();
    assert!(said.err.contains("1.0.0 is not on trial once it is ready"), "{said:?}");
    assert_eq!(form(), "1.0.0\n");
    let _ = place.answer("/exit/3");
    comes_to_run(&place, "server-1.0.0");
    ended(&place);
}

#[test]
fn a_crash_while_the_last_hook_runs_takes_the_version_and_its_data_back() {
    let place = Place::new();
    let hook = format!(
        r#"{BOTH_WAYS}, "afterStart": ["/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/{}; echo 'GET /exit/3 HTTP/1.0' >&3; echo >&3; while ! grep -q down $MAINSTAY_DATA/form; do sleep 0.1; done"]"#,
        place.port
    );
    let data = with_hooks(&place, &hook);
    with_trial(&place, "30s");
    place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).fails(7, "exited with code 3");
    comes_to_run(&place, "server-1.0.0");
    assert_eq!(std::fs::read_to_string(data.join("form")).unwrap(), "down to 1.0.0\n");
    let status = place.run(&["status", "--json"]).out;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["version"], "1.0.0", "{status}");
    assert_eq!(status["takenBack"]["version"], "2.0.0", "{status}");
    assert!(place.journal(&web()).is_empty());
    ended(&place);
}

/// Everything below a folder: names, modes, sizes, links, contents, and which names are one file.
fn described(folder: &Utf8Path) -> String {
    let mut text = String::new();
    let mut inodes = Vec::new();
    describe(folder.as_std_path(), folder.as_std_path(), &mut inodes, &mut text);
    text
}

fn describe(root: &std::path::Path, folder: &std::path::Path, inodes: &mut Vec<u64>, text: &mut String) {
    let mode = std::fs::symlink_metadata(folder).unwrap().permissions();
    // Without root's rights a closed folder has to be opened to be looked at.
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let facts = path.symlink_metadata().unwrap();
        let name = path.strip_prefix(root).unwrap();
        let place = inodes.iter().position(|inode| *inode == facts.ino()).unwrap_or_else(|| {
            inodes.push(facts.ino());
            inodes.len() - 1
        });
        write!(text, "{name:?} {:o} {} {} #{place} ", facts.mode(), facts.uid(), facts.mtime_nsec()).unwrap();
        if facts.is_symlink() {
            writeln!(text, "-> {:?}", path.read_link().unwrap()).unwrap();
        } else if facts.is_dir() {
            writeln!(text, "folder").unwrap();
            describe(root, &path, inodes, text);
        } else {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            let content = std::fs::read(&path).unwrap();
            std::fs::set_permissions(&path, facts.permissions()).unwrap();
            writeln!(text, "{} {}", content.len(), mainstay::model::digest::Digest::of(&content)).unwrap();
        }
    }
    std::fs::set_permissions(folder, mode).unwrap();
}

#[derive(Clone, Debug)]
enum Thing {
    File { content: Vec<u8>, hole: u16, mode: u32 },
    Link(String),
    Second(prop::sample::Index),
    Folder { mode: u32 },
}

fn things() -> impl Strategy<Value = Vec<(String, Thing)>> {
    let name = prop_oneof!["[a-z]{1,8}", r"[ \n\\'*?$-]{1,5}x", "\\PC{1,6}y", Just("…".repeat(60))];
    // A slash among the odd characters would lead out of the folder.
    let name = name.prop_map(|name: String| name.replace(['/', '\0'], "0"));
    let path = prop::collection::vec(name, 1..4).prop_map(|parts| parts.join("/"));
    let mode = prop_oneof![Just(0), Just(0o644), Just(0o700), Just(0o555), Just(0o4755), Just(0o1777)];
    let thing = prop_oneof![
        (prop::collection::vec(any::<u8>(), 0..3000), any::<u16>(), mode.clone())
            .prop_map(|(content, hole, mode)| Thing::File { content, hole, mode }),
        "[a-z./]{1,20}".prop_map(Thing::Link),
        any::<prop::sample::Index>().prop_map(Thing::Second),
        mode.prop_map(|mode| Thing::Folder { mode }),
    ];
    prop::collection::vec((path, thing), 0..20)
}

fn make(root: &Utf8Path, things: &[(String, Thing)]) {
    std::fs::create_dir(root).unwrap();
    let mut files = Vec::new();
    let mut modes = Vec::new();
    for (path, thing) in things {
        let path = root.join(path);
        if path.symlink_metadata().is_ok() || std::fs::create_dir_all(path.parent().unwrap()).is_err() {
            continue;
        }
        let made = match thing {
            Thing::File { content, hole, mode } => std::fs::File::create(&path).and_then(|file| {
                use std::os::unix::fs::FileExt as _;
                file.write_all_at(content, u64::from(*hole) * 64)?;
                files.push(path.clone());
                modes.push((path.clone(), *mode));
                Ok(())
            }),
            Thing::Link(target) => std::os::unix::fs::symlink(target, &path),
            Thing::Second(of) if !files.is_empty() => std::fs::hard_link(of.get(&files), &path),
            Thing::Second(_) => Ok(()),
            Thing::Folder { mode } => std::fs::create_dir(&path).map(|()| modes.push((path.clone(), *mode))),
        };
        let _ = made;
    }
    for (path, mode) in modes.into_iter().rev() {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn open(path: &Utf8Path) -> std::fs::File {
    std::fs::File::open(path).unwrap()
}

/// Whoever runs the program may lay a link on the way to its data, to have root move something else.
#[test]
fn no_link_is_followed_on_the_way_to_the_data_of_another_account() {
    use std::os::fd::AsFd as _;
    let keep = tempfile::tempdir().unwrap();
    let top = Utf8PathBuf::try_from(keep.path().to_owned()).unwrap();
    let owner = top.metadata().unwrap().uid();
    for folder in ["own/db", "foreign/db", "store/copy"] {
        std::fs::create_dir_all(top.join(folder)).unwrap();
    }
    let store = open(&top.join("store"));
    let put = |data: &Utf8Path, owner| {
        put_back(store.as_fd(), &top.join("store/copy"), "away", data, owner).unwrap_err().source.to_string()
    };
    replicate(&top.join("own/db"), Some(owner), store.as_fd(), "first").unwrap().unwrap();
    std::fs::rename(top.join("own"), top.join("mine")).unwrap();
    std::os::unix::fs::symlink("foreign", top.join("own")).unwrap();
    let data = top.join("own/db");
    let refused = replicate(&data, Some(owner), store.as_fd(), "second").unwrap_err().source.to_string();
    assert!(refused.contains("a link stands on the way"), "{refused}");
    put(&data, Some(owner));
    assert!(top.join("foreign/db").exists() && top.join("store/copy").exists());
    // Nor does what belongs to a third account count.
    let refused = replicate(&top.join("mine/db"), Some(owner + 1), store.as_fd(), "third").unwrap_err();
    assert!(owner == 0 || refused.source.to_string().contains("another account"), "{refused}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_copy_is_the_same_and_goes_back_whole(things in things(), across in any::<bool>()) {
        use std::os::fd::AsFd as _;
        let keep = tempfile::tempdir().unwrap();
        let other = tempfile::Builder::new().tempdir_in("/dev/shm").unwrap();
        let top = Utf8PathBuf::try_from(keep.path().to_owned()).unwrap();
        let far = Utf8PathBuf::try_from(other.path().to_owned()).unwrap();
        // On another file system the content of the folder is exchanged instead of the folder.
        let store = if across { far.join("store") } else { top.join("store") };
        std::fs::create_dir(&store).unwrap();
        let data = top.join("data");
        make(&data, &things);
        let before = described(&data);
        let opened = open(&store);
        replicate(&data, None, opened.as_fd(), "copy").unwrap().unwrap();
        prop_assert_eq!(described(&store.join("copy")), before.clone());
        prop_assert_eq!(described(&data), before.clone());
        // What the new version made of it, half of it done by an earlier turn.
        std::fs::write(data.join("new"), "new").unwrap();
        std::fs::create_dir_all(data.join(".mainstay-return/half")).unwrap();
        for _ in 0..2 {
            put_back(opened.as_fd(), &store.join("copy"), "away", &data, None).unwrap();
            prop_assert_eq!(described(&data), before.clone());
        }
        for folder in [&top, &far] {
            let _ = mainstay::host::removal::clear(open(folder).as_fd());
        }
    }
}
