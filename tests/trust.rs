//! Root in a folder that belongs to an ordinary user: what the folder asks for is refused with exit code 4 and
//! what to do, or done with that user's rights. Nothing of root's is read or written through it.
//!
//! Only root can test this; for others it is left out, and said so.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that fails panics, says what it saw, and starts processes itself"
)]

mod real;

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::host::account;
use real::{LONG, Output, Place, await_some, is_root};

/// What root alone may read, and nothing may change.
const PRECIOUS: &str = "for root's eyes only\n";

fn is_left_out() -> bool {
    if !is_root() {
        real::left_out("what root may do in somebody's folder can only be tested by root");
    }
    !is_root()
}

/// A place whose deploy folder belongs to `nobody`, and a file of root's beside it.
struct Ground {
    place: Place,
    precious: Utf8PathBuf,
    user: u32,
}

impl Ground {
    fn new(settings: &str) -> Self {
        let place = Place::new();
        let user = account::by_name("nobody").unwrap().uid;
        // The user's programs have to find their trees.
        std::fs::set_permissions(place.top(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let precious = place.top().join("precious");
        std::fs::write(&precious, PRECIOUS).unwrap();
        std::fs::set_permissions(&precious, std::fs::Permissions::from_mode(0o600)).unwrap();
        let ground = Self { place, precious, user };
        ground.declare(settings);
        chown(ground.place.deploy(), Some(user), Some(user)).unwrap();
        ground
    }

    fn manifest(&self) -> Utf8PathBuf {
        self.place.deploy().join("mainstay.json")
    }

    fn declare(&self, settings: &str) {
        self.place.declare(&self.place.deploy(), "web", settings);
        self.give(&self.manifest());
    }

    fn give(&self, path: &Utf8Path) {
        chown(path, Some(self.user), Some(self.user)).unwrap();
    }

    fn edit(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.manifest()).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(self.manifest(), text.replace(from, to)).unwrap();
    }

    fn install(&self) -> Output {
        self.place.run(&["install", "--from", &self.place.archive("1.0.0")])
    }

    fn refused(&self, words: &str) {
        let before = self.place.print();
        let output = self.install().fails(4, words);
        assert!(output.err.contains("help:"), "it does not say what to do: {output:?}");
        assert_eq!(self.place.print(), before, "something was changed");
        self.untouched(&output);
    }

    /// Root's file is as it was, and nothing of it came out.
    fn untouched(&self, output: &Output) {
        assert_eq!(std::fs::read_to_string(&self.precious).unwrap(), PRECIOUS);
        let metadata = std::fs::metadata(&self.precious).unwrap();
        assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (0, 0o600));
        assert!(!format!("{output:?}").contains("root's eyes"), "{output:?}");
        let logs = self.place.layout.logs(&"web".parse().unwrap());
        for entry in std::fs::read_dir(logs).into_iter().flatten().flatten() {
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            assert!(!text.contains("root's eyes"), "{text}");
        }
    }
}

fn owner_of(path: impl AsRef<Path>) -> u32 {
    std::fs::symlink_metadata(path).unwrap().uid()
}

#[test]
fn a_service_runs_as_its_folders_owner() {
    if is_left_out() {
        return;
    }
    let ground = Ground::new("");
    ground.install().good();
    let place = &ground.place;
    let program = place.server().unwrap();
    assert_eq!(owner_of(format!("/proc/{program}")), ground.user);
    // Its supervisor stays root, so it writes where the user can lay no link.
    let name = "web".parse().unwrap();
    for folder in [place.layout.report(&name), place.layout.logs(&name), place.layout.state(&name)] {
        assert_eq!(owner_of(&folder), 0, "{folder}");
    }
    assert_eq!(owner_of(place.layout.data(&name)), ground.user);
    // The manifest is edited with its owner's rights, and stays its owner's.
    place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).good();
    assert_eq!(owner_of(ground.manifest()), ground.user);
    assert!(std::fs::read_to_string(ground.manifest()).unwrap().contains("2.0.0"));
    // So is one that `install` makes.
    let other = place.top().join("other");
    std::fs::create_dir(&other).unwrap();
    ground.give(&other);
    let arguments = [
        "install",
        "--no-start",
        "--name",
        "new",
        "--component",
        "server",
        "--platform",
        "embedded",
        "--set",
        "service.command=[\"{package}/bin/server\"]",
        "--from",
    ];
    let archive = place.archive("1.0.0");
    let arguments: Vec<&str> = arguments.into_iter().chain([archive.as_str()]).collect();
    place.run_in(&other, &arguments).good();
    assert_eq!(owner_of(other.join("mainstay.json")), ground.user);
}

#[test]
fn another_account_is_refused() {
    if is_left_out() {
        return;
    }
    for user in ["root", "daemon"] {
        Ground::new(&format!(r#", "user": "{user}""#)).refused("can do only what its owner could do");
    }
    Ground::new(r#", "user": "nobody""#).install().good();
}

#[test]
fn a_hook_runs_as_its_folders_owner() {
    if is_left_out() {
        return;
    }
    let ground = Ground::new("");
    let place = &ground.place;
    ground.install().good();
    let script = format!(
        "id -u > {{data}}/who; id -G > {{data}}/groups; cat {} > {{data}}/stolen; exit 0",
        ground.precious
    );
    let hooks = format!(
        ", \"upgrade\": {{ \"hooks\": {{ \"beforeStop\": [\"/bin/sh\", \"-c\", \"{script}\"] }} }}\n}}\n"
    );
    let text = std::fs::read_to_string(ground.manifest()).unwrap();
    let end = text.rfind('}').unwrap();
    std::fs::write(ground.manifest(), format!("{}{hooks}", &text[..end])).unwrap();
    let output = place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).good();
    let data = place.layout.data(&"web".parse().unwrap());
    let read = |name: &str| std::fs::read_to_string(data.join(name)).unwrap();
    assert_eq!(read("who").trim(), ground.user.to_string());
    assert!(!read("groups").split_whitespace().any(|group| group == "0"), "{}", read("groups"));
    assert_eq!(read("stolen"), "");
    assert_eq!(owner_of(data.join("who")), ground.user);
    ground.untouched(&output);
}

#[test]
fn secrets_and_variables_are_read_with_the_owners_rights() {
    if is_left_out() {
        return;
    }
    for setting in [
        r#", "secrets": { "X": { "file": "/etc/shadow" } }"#,
        r#", "secrets": { "X": { "file": "PRECIOUS" } }"#,
        r#", "secrets": { "X": { "file": "link" } }"#,
        r#", "environmentFile": "link""#,
        r#", "environmentFile": "/etc/shadow""#,
        r#", "environmentFile": "hard""#,
    ] {
        let ground = Ground::new("");
        ground.declare(&setting.replace("PRECIOUS", ground.precious.as_str()));
        let deploy = ground.place.deploy();
        symlink(&ground.precious, deploy.join("link")).unwrap();
        std::fs::hard_link(&ground.precious, deploy.join("hard")).unwrap();
        let output = ground.install();
        assert_ne!(output.code, Some(0), "{setting}: {output:?}");
        let said = format!("{}{}", output.out, output.err);
        assert!(!said.contains("root:"), "{setting}: {said}");
        assert!(ground.place.server().is_none(), "{setting}: it runs");
        ground.untouched(&output);
    }
}

#[test]
fn what_others_could_have_put_there_is_refused() {
    if is_left_out() {
        return;
    }
    let mode = |path: &Utf8Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    // A link instead of the manifest.
    let ground = Ground::new("");
    let real = ground.place.deploy().join("real.json");
    std::fs::rename(ground.manifest(), &real).unwrap();
    symlink("real.json", ground.manifest()).unwrap();
    ground.refused("is not a regular file");
    // A link to root's own file, and a hard link to it.
    std::fs::remove_file(ground.manifest()).unwrap();
    symlink(&ground.precious, ground.manifest()).unwrap();
    ground.refused("is not a regular file");
    std::fs::remove_file(ground.manifest()).unwrap();
    std::fs::hard_link(&ground.precious, ground.manifest()).unwrap();
    ground.refused("can't be read by nobody");

    let ground = Ground::new("");
    mode(&ground.place.deploy(), 0o777);
    ground.refused("chmod go-w");
    mode(&ground.place.deploy(), 0o755);
    mode(&ground.manifest(), 0o666);
    ground.refused("chmod go-w");
    mode(&ground.manifest(), 0o644);
    mode(ground.place.top(), 0o777);
    ground.refused("chmod go-w");
    mode(ground.place.top(), 0o755);
    let third = account::by_name("daemon").unwrap().uid;
    chown(ground.manifest(), Some(third), None).unwrap();
    ground.refused("chown nobody");
    ground.give(&ground.manifest());
    ground.install().good();
}

#[test]
fn an_archive_that_is_a_link_is_opened_with_its_owners_rights() {
    if is_left_out() {
        return;
    }
    let ground = Ground::new("");
    let archive = Utf8PathBuf::from(ground.place.archive("1.0.0"));
    let hidden = ground.place.top().join("hidden.tar.gz");
    std::fs::rename(archive, &hidden).unwrap();
    std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(0o600)).unwrap();
    let link = ground.place.deploy().join("server-1.0.0.tar.gz");
    symlink(&hidden, &link).unwrap();
    std::os::unix::fs::lchown(&link, Some(ground.user), Some(ground.user)).unwrap();
    let before = ground.place.print();
    ground.place.run(&["install", "--from", link.as_str()]).fails(1, "Permission denied");
    assert_eq!(ground.place.print(), before, "something was unpacked");
    // What its owner may read is no secret.
    std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(0o644)).unwrap();
    ground.place.run(&["install", "--no-start", "--from", link.as_str()]).good();
}

/// Whoever may write what Compose reads may have any folder of the host seen in a container of root's.
#[test]
fn a_container_of_roots_is_made_in_nobodys_folder() {
    if is_left_out() {
        return;
    }
    let ground = Ground::new("");
    let text = r#"{ "name": "web", "platform": "compose", "package": { "name": "web" }, "compose": { "image": "web:1" } }"#;
    std::fs::write(ground.manifest(), text).unwrap();
    chown(ground.manifest(), Some(ground.user), Some(ground.user)).unwrap();
    for arguments in [&["install", "--yes"][..], &["install", "--dry-run"], &["apply", "--yes"]] {
        ground.place.run(arguments).fails(4, "\"platform\": \"compose\"");
    }
}

#[test]
fn settings_of_systemd_that_give_rights_are_refused() {
    if is_left_out() {
        return;
    }
    for systemd in [
        r#"{ "service": { "AmbientCapabilities": ["CAP_SYS_ADMIN"] } }"#,
        r#"{ "service": { "LimitCORE": ["infinity"] } }"#,
        r#"{ "unit": { "OnFailure": ["reboot.target"] } }"#,
        r#"{ "unit": { "Conflicts": ["ssh.service"] } }"#,
        r#"{ "unit": { "Wants": ["debug-shell.service"] } }"#,
        r#"{ "unit": { "Before": ["ssh.service"] } }"#,
    ] {
        let ground = Ground::new("");
        ground.edit("\"embedded\"", &format!("\"systemd\", \"systemd\": {systemd}"));
        let output = ground.place.run(&["install", "--dry-run", "--from", &ground.place.archive("1.0.0")]);
        let output = output.fails(4, "rights that nobody does not have");
        assert!(output.err.contains("help:"), "{output:?}");
    }
}

#[test]
fn a_file_is_not_made_where_its_owner_may_not() {
    if is_left_out() {
        return;
    }
    let ground = Ground::new("");
    let place = &ground.place;
    let variables = place.top().join("variables");
    std::fs::write(&variables, "A=1\n").unwrap();
    let target = place.top().join("made-by-root");
    ground.declare(&format!(r#", "environmentFile": "{target}""#));
    let archive = place.archive("1.0.0");
    let output = place.run(&["install", "--no-start", "--env-file", variables.as_str(), "--from", &archive]);
    assert_ne!(output.code, Some(0), "{output:?}");
    assert!(!target.exists());
    ground.declare(r#", "environmentFile": "link""#);
    symlink(&ground.precious, place.deploy().join("link")).unwrap();
    let output = place.run(&["install", "--no-start", "--env-file", variables.as_str(), "--from", &archive]);
    ground.untouched(&output);
}

#[test]
fn a_purge_follows_no_link_of_the_user() {
    if is_left_out() {
        return;
    }
    let ground = Ground::new("");
    let place = &ground.place;
    let folder = place.top().join("of-root");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("file"), PRECIOUS).unwrap();
    let output = ground.install().good();
    let data = place.layout.data(&"web".parse().unwrap());
    symlink(&folder, data.join("link")).unwrap();
    symlink(&ground.precious, data.join("file")).unwrap();
    std::fs::hard_link(&ground.precious, data.join("hard")).unwrap();
    place.run(&["uninstall", "--purge", "--yes"]).good();
    assert!(!data.exists());
    assert_eq!(std::fs::read_to_string(folder.join("file")).unwrap(), PRECIOUS);
    ground.untouched(&output);
}

/// The user swaps the manifest for links to root's file, and every name that is being written for one, while root
/// upgrades and goes back, again and again.
#[test]
fn a_link_that_is_swapped_in_while_root_writes_leads_nowhere() {
    if is_left_out() {
        return;
    }
    let ground = Ground::new("");
    let place = &ground.place;
    ground.install().good();
    let deploy = place.deploy();
    let over = AtomicBool::new(false);
    let swaps = std::thread::scope(|scope| {
        let swapping = scope.spawn(|| {
            let manifest = ground.manifest();
            let keep = deploy.join("keep.json");
            let mut swaps = 0_u32;
            while !over.load(Ordering::Relaxed) {
                // What stands there now, then a link, then what stood there: each by one rename.
                let _ = std::fs::rename(&manifest, &keep);
                let bait = deploy.join("bait");
                let made = if swaps.is_multiple_of(2) {
                    symlink(&ground.precious, &bait)
                } else {
                    std::fs::hard_link(&ground.precious, &bait)
                };
                let _ = made.and_then(|()| std::fs::rename(&bait, &manifest));
                for entry in deploy.read_dir_utf8().into_iter().flatten().flatten() {
                    if entry.file_name().starts_with(".mainstay-") {
                        let _ = std::fs::remove_file(entry.path());
                        let _ = symlink(&ground.precious, entry.path());
                    }
                }
                std::thread::sleep(Duration::from_micros(u64::from(swaps % 7) * 300));
                let _ = std::fs::remove_file(&bait);
                let _ = std::fs::rename(&keep, &manifest);
                std::thread::sleep(Duration::from_micros(u64::from(swaps % 5) * 2000));
                swaps += 1;
            }
            swaps
        });
        let began = Instant::now();
        let (mut done, mut turn) = (0, 0);
        while began.elapsed() < Duration::from_secs(4) {
            let archive = place.archive(["2.0.0", "1.0.0"][turn % 2]);
            let output = place.run(&["upgrade", "--yes", "--force", "--from", &archive]);
            ground.untouched(&output);
            done += usize::from(output.code == Some(0));
            turn += 1;
        }
        over.store(true, Ordering::Relaxed);
        eprintln!("{done} of {turn} upgrades were done");
        swapping.join().unwrap()
    });
    assert!(swaps > 20, "only {swaps} swaps");
    await_some("the service runs", LONG, || place.server());
    place.run_in(place.top(), &["recover"]).good();
    assert!(place.journal(&"web".parse().unwrap()).is_empty());
}

#[test]
fn root_listens_for_nobody_where_he_could_not_and_lends_no_group() {
    if is_left_out() {
        return;
    }
    let sockets = |listen: &str| format!(r#", "sockets": [{{ "listen": "{listen}" }}]"#);
    let ground = Ground::new(&sockets("127.0.0.1:80"));
    ground.refused("a port below 1024");
    let run =
        ground.place.layout.run(&"web".parse().unwrap(), mainstay::model::manifest::PlatformKind::Embedded);
    for path in [ground.precious.to_string(), format!("{run}/below/web.sock"), "/run/web.sock".to_owned()] {
        ground.declare(&sockets(&path));
        ground.refused("its Unix sockets lie in");
    }
    ground.declare(r#", "group": "root""#);
    ground.refused("is not in it");
    ground.declare(r#", "group": "no-such-group""#);
    ground.refused("is not in it");
    // His own he may have: the file is his, and so is its group.
    let path = run.join("web.sock");
    let own = account::by_name("nobody").unwrap().gid;
    ground.declare(&sockets(path.as_str()));
    ground.install().good();
    await_some("the socket", LONG, || path.exists().then_some(()));
    let metadata = std::fs::symlink_metadata(&path).unwrap();
    assert_eq!((metadata.uid(), metadata.gid(), metadata.mode() & 0o777), (ground.user, own, 0o660));
}

#[test]
fn another_account_reads_the_health_file_and_lists_nothing() {
    if is_left_out() {
        return;
    }
    let ground = Ground::new(r#", "healthFile": "{run}/health.json""#);
    ground.install().good();
    let run =
        ground.place.layout.run(&"web".parse().unwrap(), mainstay::model::manifest::PlatformKind::Embedded);
    let monitor = account::by_name("daemon").unwrap();
    let file = run.join("health.json");
    await_some("the health file", LONG, || file.exists().then_some(()));
    let (read, listed) =
        account::acting_as(Some(&monitor), || (std::fs::read_to_string(&file), std::fs::read_dir(&run)))
            .unwrap();
    assert!(read.unwrap().contains("lastStart"));
    assert_eq!(listed.err().unwrap().kind(), std::io::ErrorKind::PermissionDenied);
}
