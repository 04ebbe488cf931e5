//! Which instance is meant, and how what is known of the instances heals: each rule of discovery, with the
//! real binary where it needs no service manager, else with the engine on a layout of its own.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and starts processes itself"
)]

mod real;

use std::process::Stdio;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::engine::failure::Failure;
use mainstay::engine::registry;
use mainstay::engine::target::{Choice, TargetError, find};
use mainstay::host::lock;
use mainstay::model::launch::LaunchSpec;
use mainstay::model::layout::{Layout, UserFolders};
use mainstay::model::manifest::{PlatformKind, Scope};
use mainstay::model::marker::Marker;
use mainstay::model::name::InstanceName;
use mainstay::platform::{Facts, definition};
use real::{MAINSTAY, Place};

/// A place with one instance, `web`, that is installed and does not run.
fn one() -> Place {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    place.run(&["install", "--no-start", "--from", &place.archive("1.0.0")]).good();
    place
}

fn name(text: &str) -> InstanceName {
    text.parse().unwrap()
}

/// The names and folders that `list` shows.
fn listed(place: &Place) -> Vec<(String, String)> {
    let list = place.run(&["list", "--json"]).good();
    let list: serde_json::Value = serde_json::from_str(&list.out).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let instances = list["instances"].as_array().unwrap().iter();
    instances.map(|one| (text(&one["name"]), text(&one["folder"]))).collect()
}

fn index(place: &Place) -> String {
    std::fs::read_to_string(place.layout.index()).unwrap()
}

fn expected(place: &Place) -> Vec<(String, String)> {
    vec![("web".to_owned(), place.deploy().to_string())]
}

#[test]
fn the_marker_beats_the_index() {
    let place = one();
    let right = index(&place);
    let wrong = right.replace(place.deploy().as_str(), "/elsewhere").replace("server", "another");
    std::fs::write(place.layout.index(), wrong).unwrap();
    assert_eq!(listed(&place), expected(&place));
    assert_eq!(index(&place), right);
    // What the index alone knows is not there.
    let more = right.replace(
        "\"instances\": [",
        "\"instances\": [ { \"name\": \"ghost\", \"component\": \"c\", \
         \"platform\": \"embedded\", \"scope\": \"SCOPE\", \"folder\": \"/ghost\" },",
    );
    let more = more.replace("SCOPE", place.layout.scope.as_str());
    std::fs::write(place.layout.index(), more).unwrap();
    assert_eq!(listed(&place), expected(&place));
    assert_eq!(index(&place), right);
}

#[test]
fn a_deleted_and_a_corrupt_index_heal() {
    let place = one();
    let right = index(&place);
    std::fs::remove_file(place.layout.index()).unwrap();
    assert_eq!(listed(&place), expected(&place));
    assert_eq!(index(&place), right);
    for corrupt in ["", "{", "[1, 2]", "\u{0}\u{0}"] {
        std::fs::write(place.layout.index(), corrupt).unwrap();
        assert_eq!(listed(&place), expected(&place));
        assert_eq!(index(&place), right, "{corrupt:?}");
    }
}

#[test]
fn an_index_that_cannot_be_written_is_a_notice() {
    let place = one();
    std::fs::remove_file(place.layout.index()).unwrap();
    std::fs::create_dir(place.layout.index()).unwrap();
    let output = place.run(&["list"]).good();
    assert!(output.out.contains("web"), "{output:?}");
    assert!(output.err.contains("the index"), "{output:?}");
    let stop = place.run(&["stop"]).good();
    assert!(stop.err.contains("the index"), "{stop:?}");
    std::fs::remove_dir(place.layout.index()).unwrap();
    // Another process holds its lock for longer than anybody waits.
    let output = lock::holding(&place.layout.index_lock(), Duration::ZERO, || place.run(&["list"])).unwrap();
    let output = output.good();
    assert!(
        output.out.contains("web") && output.err.contains("could not be brought up to date"),
        "{output:?}"
    );
}

#[test]
fn a_definition_that_was_deleted_by_hand() {
    let place = one();
    let definition = place.layout.definition(&name("web"), PlatformKind::Embedded);
    let text = std::fs::read_to_string(&definition).unwrap();
    std::fs::remove_file(&definition).unwrap();
    // The receipt still tells of it; the index is of markers alone.
    assert_eq!(listed(&place), expected(&place));
    assert!(!index(&place).contains("web"), "{}", index(&place));
    place.run(&["list"]).good().err.contains("definition of `web` is gone").then_some(()).unwrap();
    place.run(&["status"]).fails(11, "drift: definition missing");
    for command in ["start", "restart"] {
        place.run(&[command]).fails(4, "mainstay apply");
    }
    place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).fails(4, "mainstay apply");
    // `apply` brings it back, byte for byte; or `uninstall` removes the rest.
    place.run(&["apply", "--yes"]).good();
    assert_eq!(std::fs::read_to_string(&definition).unwrap(), text);
    std::fs::remove_file(&definition).unwrap();
    place.run(&["uninstall", "--yes"]).good();
    assert!(!place.layout.install(&name("web")).exists() && !place.layout.receipt(&name("web")).exists());
}

#[test]
fn the_same_name_in_another_folder_is_refused_unless_it_takes_over() {
    let place = one();
    let other = place.top().join("other");
    place.declare(&other, "web", "");
    let archive = place.archive("1.0.0");
    place.run_in(&other, &["install", "--no-start", "--from", &archive]).fails(4, "--take-over");
    place.run_in(&other, &["apply", "--yes"]).fails(4, "already installed from");
    place.run_in(&other, &["status"]).fails(3, "not installed");
    assert_eq!(listed(&place), expected(&place));
    place.run_in(&other, &["install", "--no-start", "--take-over", "--from", &archive]).good();
    let taken = vec![("web".to_owned(), other.to_string())];
    assert_eq!(listed(&place), taken);
    assert!(index(&place).contains(other.as_str()));
    let marker =
        std::fs::read_to_string(place.layout.definition(&name("web"), PlatformKind::Embedded)).unwrap();
    assert!(marker.contains(other.as_str()), "{marker}");
    place.run(&["apply", "--yes"]).fails(4, "already installed from");
}

#[test]
fn a_copy_of_a_folder_removes_nothing_of_the_original() {
    let place = one();
    let copy = place.top().join("copy");
    std::fs::create_dir(&copy).unwrap();
    std::fs::copy(place.deploy().join("mainstay.json"), copy.join("mainstay.json")).unwrap();
    let before = place.print();
    for arguments in [["uninstall", "--purge", "--yes"], ["uninstall", "--yes", "--json"]] {
        place.run_in(&copy, &arguments).good();
        assert_eq!(place.print(), before);
    }
    place.run(&["status"]).fails(11, "web");
    // What a plain uninstall keeps can still be purged, from the folder that it belongs to.
    place.run(&["uninstall", "--yes"]).good();
    assert!(place.layout.data(&name("web")).exists());
    place.run(&["uninstall", "--purge", "--yes"]).good();
    assert!(!place.layout.state(&name("web")).exists() && !place.layout.data(&name("web")).exists());
}

#[test]
fn a_manifest_that_cannot_be_read_keeps_nobody_from_stopping() {
    let place = one();
    std::fs::write(place.deploy().join("mainstay.json"), "{").unwrap();
    for arguments in [&["status"][..], &["status", "--name", "web"]] {
        place.run(arguments).fails(11, "its manifest has faults and is left aside");
    }
    let stopped = place.run(&["stop", "--name", "web"]).good();
    assert!(stopped.err.contains("its manifest has faults and is left aside"), "{stopped:?}");
    // Who needs it says what is wrong with it, once.
    let output = place.run(&["apply", "--yes"]).fails(2, "mainstay.json");
    assert!(
        !output.err.contains("left aside") && output.err.matches("mainstay.json").count() == 1,
        "{output:?}"
    );
    place.run(&["uninstall", "--yes"]).good();
}

#[test]
fn a_folder_that_was_moved_is_anchored_again_from_inside() {
    let place = one();
    let moved = place.top().join("moved");
    std::fs::rename(place.deploy(), &moved).unwrap();
    // Found from inside before anything is applied, and by name from anywhere.
    place.run_in(&moved, &["status"]).fails(11, "web");
    place.run_in(place.top(), &["status", "--name", "web"]).fails(11, "web");
    place.run_in(&moved, &["apply", "--yes"]).good();
    assert_eq!(listed_in(&place, &moved), [("web".to_owned(), moved.to_string())]);
    let again = place.run_in(&moved, &["apply", "--yes"]).good();
    assert!(again.out.contains("nothing to do"), "{again:?}");
}

fn listed_in(place: &Place, folder: &Utf8Path) -> Vec<(String, String)> {
    let list = place.run_in(folder, &["list", "--json"]).good();
    let list: serde_json::Value = serde_json::from_str(&list.out).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let instances = list["instances"].as_array().unwrap().iter();
    instances.map(|one| (text(&one["name"]), text(&one["folder"]))).collect()
}

#[test]
fn what_is_absent_is_stopped_and_uninstalled_and_cannot_be_started() {
    let place = one();
    let top = place.top();
    for command in [&["stop", "--name", "nope"][..], &["uninstall", "--yes", "--name", "nope"]] {
        let output = place.run_in(top, command).good();
        assert!(output.err.contains("no instance is called `nope`, and nothing was done\n"), "{output:?}");
        assert!(output.out.is_empty() && output.err.contains("installed here: web"), "{output:?}");
    }
    // A slip of the finger reads like no success, and names what was meant.
    for command in [&["stop", "--name", "wbe"][..], &["uninstall", "--yes", "--name", "wbe"]] {
        let output = place.run_in(top, command).good();
        assert!(output.err.contains("`wbe`, and nothing was done; did you mean `web`?"), "{output:?}");
        let output = place.run_in(top, &[command, &["--json"]].concat()).good();
        assert!(output.out.contains("wbe is not installed; did you mean `web`?"), "{output:?}");
    }
    place.run_in(top, &["status", "--name", "wbe"]).fails(3, "did you mean `web`?");
    for command in ["start", "status", "restart"] {
        let output = place.run_in(top, &[command, "--name", "nope"]).fails(3, "no instance `nope`");
        // The candidates, one a line, with what tells them apart.
        let line = output.err.lines().find(|line| line.contains("web")).unwrap().to_owned();
        assert!(line.contains("embedded") && line.contains(place.deploy().as_str()), "{line}");
    }
}

#[test]
fn without_a_name_or_a_manifest_nothing_is_done() {
    let place = one();
    for command in
        [&["start"][..], &["stop"], &["restart"], &["status"], &["uninstall", "--yes"], &["apply", "--yes"]]
    {
        let output = place.run_in(place.top(), command).fails(3, "no instance was named");
        assert!(output.err.contains("--name") && output.err.contains("web"), "{output:?}");
    }
    // Folder, name and the working folder lead to the same.
    let deploy = place.deploy();
    for (folder, more) in [
        (deploy.as_path(), &[][..]),
        (place.top(), &["--name", "web"]),
        (place.top(), &["--instance-dir", "deploy"]),
    ] {
        let arguments: Vec<&str> = ["status", "--json"].iter().chain(more).copied().collect();
        let output = place.run_in(folder, &arguments).fails(11, "\"web\"");
        assert!(output.out.contains(deploy.as_str()), "{output:?}");
    }
}

#[test]
fn two_manifests_in_a_folder_need_a_component() {
    let place = Place::new();
    let deploy = place.deploy();
    for component in ["server", "worker"] {
        let text = format!(
            r#"{{ "name": "{component}-1", "platform": "embedded", "package": {{ "name": "{component}" }},
                 "service": {{ "command": ["{{package}}/bin/server", "--port", "1"] }} }}"#
        );
        std::fs::write(deploy.join(format!("{component}.mainstay.json")), text).unwrap();
    }
    let archive = place.archive("1.0.0");
    let refused = place.run(&["install", "--no-start", "--from", &archive]).fails(3, "--component");
    assert!(
        refused.err.contains("server.mainstay.json") && refused.err.contains("worker.mainstay.json"),
        "{refused:?}"
    );
    place.run(&["install", "--no-start", "--component", "server", "--from", &archive]).good();
    place.run(&["status", "--component", "server"]).fails(11, "server-1");
    place.run(&["status"]).fails(3, "several manifests");
    place.run(&["status", "--component", "worker"]).fails(3, "not installed");
    place
        .run(&["install", "--no-start", "--component", "worker", "--from", &archive])
        .fails(5, "not of `worker`");
}

#[test]
fn twenty_installs_at_once() {
    let place = Place::new();
    let archive = place.archive("1.0.0");
    let names: Vec<String> = (0..20).map(|number| format!("web-{number:02}")).collect();
    let children: Vec<_> = names
        .iter()
        .map(|name| {
            let folder = place.top().join(name);
            place.declare(&folder, name, "");
            let mut command = place.command(MAINSTAY, &folder);
            command.args(["install", "--no-start", "--from", &archive]);
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let index: serde_json::Value = serde_json::from_str(&index(&place)).unwrap();
    let indexed: Vec<_> =
        index["instances"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(indexed, names);
    assert_eq!(listed(&place).len(), 20);
}

#[test]
fn discovery_is_by_marker_and_never_by_name() {
    let place = one();
    let states = place.layout.states();
    for (folder, text) in [("web-2", "{}"), ("web-3", "not even JSON"), ("other", "")] {
        std::fs::create_dir(states.join(folder)).unwrap();
        std::fs::write(states.join(folder).join("definition.json"), text).unwrap();
    }
    std::fs::create_dir(states.join("web-4")).unwrap();
    let linked = states.join("web-4/definition.json");
    std::os::unix::fs::symlink("../web/definition.json", &linked).unwrap();
    assert_eq!(listed(&place), expected(&place));
}

/// A user's layout in a folder, with a unit of ours.
fn with_unit(top: &Utf8Path, unit: &str, folder: &Utf8Path) -> Layout {
    let layout = Layout::user(&UserFolders {
        home: top.to_owned(),
        config_home: None,
        state_home: None,
        data_home: None,
        runtime_directory: None,
        local_data: None,
    });
    let of = Marker {
        name: name(unit),
        component: "server".parse().unwrap(),
        platform: PlatformKind::Systemd,
        scope: Scope::User,
        folder: folder.to_owned(),
    };
    let mut spec = LaunchSpec::bare(&of);
    spec.command = vec!["/bin/true".to_owned()];
    let facts = Facts { systemd_version: 252, home: None, account: None };
    let unit = definition(&spec, &layout, &facts).unwrap();
    std::fs::create_dir_all(unit.path.parent().unwrap()).unwrap();
    std::fs::write(&unit.path, unit.text).unwrap();
    layout
}

fn temporary() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(folder.path().canonicalize().unwrap()).unwrap();
    (folder, path)
}

#[test]
fn units_are_found_by_their_markers_and_a_failed_scan_prunes_nothing() {
    let (_keep, top) = temporary();
    let layout = with_unit(&top, "web", &top.join("deploy"));
    std::fs::write(layout.units().join("web-other.service"), "[Service]\nExecStart=/bin/true\n").unwrap();
    let found = registry::instances(&layout);
    assert_eq!(found.markers.len(), 1, "{found:?}");
    assert_eq!(found.markers[0].name, name("web"));
    let known = std::fs::read_to_string(layout.index()).unwrap();

    // The folder of units can't be read: what is known stays, and it is said.
    let aside = top.join("aside");
    std::fs::rename(layout.units(), &aside).unwrap();
    std::os::unix::fs::symlink("user", layout.units()).unwrap();
    let blind = registry::instances(&layout);
    assert_eq!(blind.markers, found.markers);
    assert!(blind.notices.iter().any(|notice| notice.contains("can't be read")), "{blind:?}");
    assert_eq!(std::fs::read_to_string(layout.index()).unwrap(), known);

    // It can again, and the unit was deleted by hand.
    std::fs::remove_file(layout.units()).unwrap();
    std::fs::rename(&aside, layout.units()).unwrap();
    std::fs::remove_file(layout.units().join("web.service")).unwrap();
    assert!(registry::instances(&layout).markers.is_empty());
    assert!(!std::fs::read_to_string(layout.index()).unwrap().contains("web"));
}

#[test]
fn an_embedded_instance_is_seen_beside_one_of_systemd() {
    let (_keep, top) = temporary();
    let layout = with_unit(&top, "web", &top.join("deploy"));
    let of = Marker {
        name: name("worker"),
        component: "server".parse().unwrap(),
        platform: PlatformKind::Embedded,
        scope: Scope::User,
        folder: top.join("other"),
    };
    let facts = Facts { systemd_version: 252, home: None, account: None };
    let entry = definition(&LaunchSpec::bare(&of), &layout, &facts).unwrap();
    std::fs::create_dir_all(entry.path.parent().unwrap()).unwrap();
    std::fs::write(&entry.path, entry.text).unwrap();
    let found: Vec<_> = registry::instances(&layout).markers.into_iter().map(|marker| marker.name).collect();
    assert_eq!(found, [name("web"), name("worker")]);
}

#[test]
fn reading_looks_in_the_users_scope_first_and_changing_only_in_the_callers() {
    let (_keep, top) = temporary();
    let user = with_unit(&top.join("home"), "web", &top.join("one"));
    let system = Layout::system().below(top.join("system"));
    let of = Marker {
        name: name("web"),
        component: "server".parse().unwrap(),
        platform: PlatformKind::Embedded,
        scope: Scope::System,
        folder: top.join("two"),
    };
    let others = Marker { name: name("other"), ..of.clone() };
    for of in [&of, &others] {
        let facts = Facts { systemd_version: 252, home: None, account: None };
        let entry = definition(&LaunchSpec::bare(of), &system, &facts).unwrap();
        std::fs::create_dir_all(entry.path.parent().unwrap()).unwrap();
        std::fs::write(&entry.path, entry.text).unwrap();
    }
    let by_name = |wanted: &str, layouts: &[Layout]| {
        let choice = Choice { name: Some(name(wanted)), ..Choice::default() };
        find(&choice, &top, layouts).map(|(target, _)| target.layout.scope)
    };
    let both = [user.clone(), system.clone()];
    assert_eq!(by_name("web", &both).unwrap(), Scope::User);
    assert_eq!(by_name("other", &both).unwrap(), Scope::System);
    assert_eq!(by_name("web", &both[1..]).unwrap(), Scope::System);
    let missed = by_name("other", &both[..1]).unwrap_err();
    assert!(matches!(missed, Failure::Target(TargetError::Unknown { .. })), "{missed}");
}
