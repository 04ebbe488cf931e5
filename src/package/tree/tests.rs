//! The tree store: publishing, trash, sweeping.

use super::*;
use crate::host::os::testing::{IS_UNIX, mode, set_mode, symlink};

/// A folder for trees, which can be removed even when they are sealed.
struct Parent(tempfile::TempDir);

impl Drop for Parent {
    fn drop(&mut self) {
        let path = Utf8Path::from_path(self.0.path()).unwrap();
        disk::clear(disk::open_folder(path).unwrap().as_fd()).unwrap();
    }
}

fn parent() -> (Parent, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
    (Parent(folder), path)
}

fn complete(entries: u64) -> Complete {
    Complete { digest: Digest::of(b"archive"), entries, bytes: 7 }
}

fn names(parent: &Utf8Path) -> Vec<String> {
    let names =
        std::fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

fn publish(parent: &Utf8Path, name: &str) -> Utf8PathBuf {
    let staging = stage(parent, name).unwrap();
    std::fs::create_dir(staging.path().join("bin")).unwrap();
    std::fs::write(staging.path().join("bin/program"), "program").unwrap();
    staging.publish(name, &complete(100)).unwrap()
}

#[test]
fn a_tree_is_published_whole_and_read_only() {
    let (_folder, parent) = parent();
    let path = publish(&parent, "server-1.0.0");
    assert_eq!(path, parent.join("server-1.0.0"));
    assert_eq!(read_complete(&path), Some(complete(100)));
    if IS_UNIX {
        assert_eq!(mode(path.clone()), 0o555);
        assert_eq!(mode(path.join("bin")), 0o555);
        assert_eq!(mode(path.join("bin/program")), 0o444);
        assert_eq!(mode(path.join(TOKEN)), 0o444);
    }
    assert_eq!(mode(path.join("bin/program")) & 0o222, 0);
    assert_eq!(names(&parent), ["server-1.0.0"]);
}

#[test]
fn a_name_that_is_taken_stays() {
    let (_folder, parent) = parent();
    std::fs::create_dir(parent.join("server-1.0.0")).unwrap();
    let staging = stage(&parent, "server-1.0.0").unwrap();
    assert!(matches!(staging.publish("server-1.0.0", &complete(1)), Err(TreeError::Exists(_))));
    assert_eq!(names(&parent), ["server-1.0.0"]);
    assert!(!is_whole(&parent.join("server-1.0.0")));
    for name in ["", ".", "..", "a/b", "a\0"] {
        assert!(matches!(stage(&parent, name), Err(TreeError::Name(_))));
    }
}

#[test]
fn only_what_no_process_fills_is_swept() {
    let (_folder, parent) = parent();
    let living = stage(&parent, "living").unwrap();
    std::fs::create_dir_all(parent.join(".partial-dead-1/sealed")).unwrap();
    std::fs::write(parent.join(".partial-dead-1/sealed/file"), "x").unwrap();
    set_mode(parent.join(".partial-dead-1/sealed"), 0o555);
    assert_eq!(sweep(&parent).unwrap(), 1);
    assert!(living.path().is_dir());
    drop(living);
    assert!(names(&parent).is_empty());
    assert_eq!(sweep(&parent.join("missing")).unwrap(), 0);
}

#[test]
fn trash_is_renamed_first_and_removed_later() {
    let (_folder, parent) = parent();
    publish(&parent, "server-1.0.0");
    let outside = parent.join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("file"), "x").unwrap();
    symlink(&outside, parent.join(".trash-link"));
    let trashed = trash(&parent, "server-1.0.0").unwrap();
    assert!(trashed.is_dir() && !parent.join("server-1.0.0").exists());
    assert_eq!(empty_trash(&parent).unwrap(), 1 + u64::from(IS_UNIX));
    assert_eq!(names(&parent), ["outside"]);
    assert!(outside.join("file").exists());
    assert!(matches!(trash(&parent, "server-1.0.0"), Err(TreeError::Missing(_))));
}

#[test]
fn versions_are_listed_with_their_tokens() {
    let (_folder, parent) = parent();
    let component = ComponentName::new("server").unwrap();
    assert_eq!(versions(&parent.join("missing"), &component).unwrap(), []);
    publish(&parent, "server-1.0.0");
    std::fs::create_dir(parent.join("server-2.0.0")).unwrap();
    std::fs::create_dir(parent.join("other-1.0.0")).unwrap();
    symlink("server-1.0.0", parent.join("server-3.0.0"));
    symlink("server-1.0.0", parent.join("server"));
    let _staging = stage(&parent, "server-4.0.0").unwrap();
    let found = versions(&parent, &component).unwrap();
    let told: Vec<_> = found.iter().map(|tree| (tree.version.as_str(), tree.complete.is_some())).collect();
    assert_eq!(told, [("1.0.0", true), ("2.0.0", false)]);
    assert!(!is_whole(&parent.join("server-3.0.0")));
}

#[test]
fn a_token_that_can_not_be_read_is_no_missing_one() {
    let (_folder, parent) = parent();
    let tree = parent.join("server-1.0.0");
    std::fs::create_dir(&tree).unwrap();
    assert!(look(&tree).unwrap().is_none() && look(&parent.join("server-2.0.0")).unwrap().is_none());
    // Half of it: whoever wrote it has died.
    std::fs::write(tree.join(TOKEN), "{\"digest\"").unwrap();
    assert!(look(&tree).unwrap().is_none());
    std::fs::remove_file(tree.join(TOKEN)).unwrap();
    std::fs::create_dir(tree.join(TOKEN)).unwrap();
    assert!(look(&tree).is_err() && !is_whole(&tree));
}
