use crate::host::os::testing::{IS_UNIX, inode, mode, set_mode, symlink};

use camino::Utf8PathBuf;

use super::*;

struct Trees {
    folder: tempfile::TempDir,
}

impl Trees {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).unwrap().join(name)
    }

    fn write(&self, path: &str, content: &[u8], mode: u32) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        set_mode(&path, mode);
    }

    fn inode(&self, path: &str) -> u64 {
        inode(self.path(path))
    }

    fn share(&self, others: &[&str], make: bool) -> Shared {
        let root = disk::open_folder(&self.path("new")).unwrap();
        let others: Vec<Utf8PathBuf> = others.iter().map(|name| self.path(name)).collect();
        let others: Vec<&Utf8Path> = others.iter().map(AsRef::as_ref).collect();
        let manner = if make { Manner::Link } else { Manner::Look };
        share(root.as_fd(), &others, manner).unwrap()
    }

    fn is_shared(&self, path: &str, old: &str) -> bool {
        self.inode(&format!("new/{path}")) == self.inode(&format!("old/{old}"))
    }
}

#[test]
fn equal_files_are_stored_once() {
    let trees = Trees::new();
    let big = vec![7; 3 * PIECE + 5];
    for (path, old, new) in [
        ("deep/in/here/same", &b"same words"[..], &b"same words"[..]),
        ("big", &big, &big),
        ("empty", b"", b""),
        ("other", b"some words", b"same words"),
        ("longer", b"words", b"words and words"),
    ] {
        trees.write(&format!("old/{path}"), old, 0o444);
        trees.write(&format!("new/{path}"), new, 0o444);
    }
    trees.write("old/lib-1.0/x.js", b"moved", 0o444);
    trees.write("new/lib-1.1/x.js", b"moved", 0o444);
    assert_eq!(trees.share(&["old"], false).files, 4);
    assert!(!trees.is_shared("big", "big"));
    let shared = trees.share(&["missing", "old"], true);
    assert_eq!(shared.files, 4);
    assert!(shared.bytes >= big.len() as u64);
    assert!(trees.is_shared("deep/in/here/same", "deep/in/here/same") && trees.is_shared("big", "big"));
    assert!(trees.is_shared("empty", "empty") && trees.is_shared("lib-1.1/x.js", "lib-1.0/x.js"));
    assert_eq!(std::fs::read(trees.path("new/other")).unwrap(), b"same words");
    assert_eq!(std::fs::read(trees.path("new/longer")).unwrap(), b"words and words");
    // Nothing but the files is left.
    let names = std::fs::read_dir(trees.path("new")).unwrap().count();
    assert_eq!(names, 6);
}

#[test]
fn what_differs_in_more_than_its_name_stays_a_copy() {
    let trees = Trees::new();
    trees.write("old/writable", b"same", 0o644);
    trees.write("new/writable", b"same", 0o444);
    trees.write("old/open", b"same", 0o644);
    trees.write("new/open", b"same", 0o644);
    if IS_UNIX {
        // Elsewhere no mode says that something is a program.
        trees.write("old/program", b"same", 0o555);
        trees.write("new/program", b"same", 0o444);
    }
    trees.write("old/target", b"same", 0o444);
    trees.write("new/link", b"same", 0o444);
    trees.write("new/folder", b"same", 0o444);
    symlink("target", trees.path("old/link"));
    std::fs::create_dir(trees.path("old/folder")).unwrap();
    assert_eq!(trees.share(&["old"], true), Shared::default());
    // By two names of its own, and never linked to itself.
    trees.write("old/twice", b"twice", 0o444);
    std::fs::hard_link(trees.path("old/twice"), trees.path("new/twice")).unwrap();
    assert_eq!(trees.share(&["old"], true), Shared::default());
}

#[cfg(unix)]
#[test]
fn a_file_with_capabilities_stays_a_copy() {
    let trees = Trees::new();
    trees.write("old/program", b"same", 0o555);
    trees.write("new/program", b"same", 0o555);
    let file = File::open(trees.path("old/program")).unwrap();
    let set =
        crate::host::os::fs::fsetxattr(&file, "user.note", b"x", crate::host::os::fs::XattrFlags::empty());
    if set.is_err() {
        // Not every file system keeps such a thing.
        return;
    }
    assert_eq!(trees.share(&["old"], true), Shared::default());
}

#[test]
fn what_two_trees_share_survives_either() {
    let trees = Trees::new();
    trees.write("old/a", b"words", 0o444);
    trees.write("new/a", b"words", 0o444);
    assert_eq!(trees.share(&["old"], true).files, 1);
    crate::host::removal::clear(disk::open_folder(&trees.path("old")).unwrap().as_fd()).unwrap();
    assert_eq!(std::fs::read_dir(trees.path("old")).unwrap().count(), 0);
    assert_eq!(std::fs::read(trees.path("new/a")).unwrap(), b"words");
    assert_eq!(mode(trees.path("new/a")) & 0o222, 0, "nobody may write what is left");
}

#[test]
fn a_name_that_an_archive_has_taken_is_left_alone() {
    let trees = Trees::new();
    trees.write("old/a", b"words", 0o444);
    trees.write("new/a", b"words", 0o444);
    for number in 0..MOST_THREADS {
        trees.write(&format!("new/{BESIDE}{number}"), b"an archive's own", 0o444);
    }
    assert_eq!(trees.share(&["old"], true), Shared::default());
    assert_eq!(std::fs::read(trees.path(&format!("new/{BESIDE}0"))).unwrap(), b"an archive's own");
}

#[test]
fn what_is_only_cloned_never_becomes_one_file() {
    let trees = Trees::new();
    for path in ["old/one", "new/one", "old/two", "new/two"] {
        trees.write(path, b"same", 0o444);
    }
    let root = disk::open_folder(&trees.path("new")).unwrap();
    share(root.as_fd(), &[&trees.path("old")], Manner::Clone).unwrap();
    for name in ["one", "two"] {
        assert!(!trees.is_shared(name, name));
        assert_eq!(std::fs::read(trees.path("new").join(name)).unwrap(), b"same");
    }
}
