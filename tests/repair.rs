//! Rebuilding a version tree from its archive, through the real binary: what is damaged is found and named, what runs
//! goes on, and nothing but the right archive is taken.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and starts processes itself"
)]

mod real;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use mainstay::model::name::InstanceName;
use real::Place;
use serde_json::Value;

/// The program of a tree, damaged as by a disk: with the same size, and without a write to its inode.
fn damage(tree: &Path) {
    let program = tree.join("bin/server");
    let mut bytes = std::fs::read(&program).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    writable(tree, true);
    std::fs::remove_file(&program).unwrap();
    std::fs::write(&program, bytes).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o555)).unwrap();
    writable(tree, false);
}

fn writable(tree: &Path, is: bool) {
    for folder in [tree.to_owned(), tree.join("bin")] {
        std::fs::set_permissions(folder, PermissionsExt::from_mode(if is { 0o755 } else { 0o555 })).unwrap();
    }
}

fn installed(archive_of: &str) -> (Place, String, PathBuf) {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    let archive = place.archive(archive_of);
    place.run_in(&place.deploy(), &["install", "--from", &archive]).good();
    let name = InstanceName::new("web").unwrap();
    let tree = place.layout.tree(&name, &format!("server-{archive_of}"));
    (place, archive, tree.into_std_path_buf())
}

#[test]
fn what_is_damaged_is_found_and_rebuilt_while_the_program_runs() {
    let (place, archive, tree) = installed("1.0.0");
    let run = |arguments: &[&str]| place.run_in(&place.deploy(), arguments);
    let before: Value = serde_json::from_str(&run(&["status", "--json"]).good().out).unwrap();
    let sound = std::fs::read(tree.join("bin/server")).unwrap();

    let untouched = run(&["repair", "--from", &archive, "--yes"]).good();
    assert!(untouched.out.contains("nothing to do"), "{untouched:?}");

    damage(&tree);
    let looked = run(&["repair", "--from", &archive, "--dry-run"]);
    assert_eq!(looked.code, Some(9), "{looked:?}");
    assert!(looked.err.contains("bin/server has other bytes"), "{looked:?}");
    assert_ne!(std::fs::read(tree.join("bin/server")).unwrap(), sound, "a dry run changes nothing");

    let rebuilt = run(&["repair", "--from", &archive, "--yes", "--json"]).good();
    let answer: Value = serde_json::from_str(&rebuilt.out).unwrap();
    assert_eq!((&answer["operation"], &answer["changed"]), (&"repair".into(), &true.into()), "{answer}");
    assert_eq!(std::fs::read(tree.join("bin/server")).unwrap(), sound);
    let after: Value = serde_json::from_str(&run(&["status", "--json"]).good().out).unwrap();
    assert_eq!(before["program"], after["program"], "the program goes on");
    run(&["restart"]).good();
    let history = run(&["history", "--json"]).good().out;
    assert!(history.contains("\"repaired\""), "{history}");
    let left = std::fs::read_dir(tree.parent().unwrap()).unwrap();
    let hidden: Vec<_> = left
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_str().unwrap().starts_with(".trash"))
        .collect();
    assert!(hidden.is_empty(), "{hidden:?}");
    assert!(run(&["repair", "--from", &archive, "--yes"]).good().out.contains("nothing to do"));
}

#[test]
fn a_tree_that_is_gone_comes_back_and_only_from_its_own_archive() {
    let (place, archive, tree) = installed("1.0.0");
    let run = |arguments: &[&str]| place.run_in(&place.deploy(), arguments);
    let other = place.archive("1.1.0");
    run(&["repair", "--from", &other, "--yes"]).fails(5, "1.1.0");
    run(&["repair", "--yes"]).fails(2, "--from");

    run(&["stop"]).good();
    writable(&tree, true);
    std::fs::remove_dir_all(&tree).unwrap();
    assert_ne!(run(&["start"]).code, Some(0));
    run(&["repair", "--from", &archive, "--yes"]).good();
    run(&["start"]).good();
}
