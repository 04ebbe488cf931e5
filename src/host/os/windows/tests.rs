//! The calls as a whole, on the real system or under Wine.

use camino::{Utf8Path, Utf8PathBuf};

use super::fs::{self, AtFlags, FileType, FlockOperation, Mode, OFlags, RenameFlags};
use super::{AsFd as _, Errno, OwnedFd};

const NEW: OFlags = OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW);

fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let keep = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(keep.path().to_owned()).unwrap();
    (keep, path)
}

fn open_folder(path: &Utf8Path) -> OwnedFd {
    fs::open(path.as_str(), OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap()
}

fn put(folder: &OwnedFd, name: &str, text: &str) {
    let opened = fs::openat(folder, name, NEW, Mode::from_raw_mode(0o644)).unwrap();
    super::io::write(&opened, text.as_bytes()).unwrap();
}

fn text(folder: &OwnedFd, name: &str) -> String {
    let opened = fs::openat(folder, name, OFlags::RDONLY, Mode::empty()).unwrap();
    let mut buffer = [0; 100];
    let length = super::io::read(&opened, &mut buffer).unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

fn names(folder: &OwnedFd) -> Vec<String> {
    let entries = fs::Dir::read_from(folder).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_str().unwrap().to_owned()).collect();
    names.retain(|name| name != "." && name != "..");
    names.sort();
    names
}

#[test]
fn files_are_made_named_and_removed_in_an_open_folder() {
    let (_keep, path) = folder();
    let root = open_folder(&path);
    put(&root, "one", "1");
    put(&root, "two", "2");
    assert_eq!(fs::openat(&root, "one", NEW, Mode::empty()).unwrap_err(), Errno::EXIST);
    assert_eq!(fs::openat(&root, "none", OFlags::RDONLY, Mode::empty()).unwrap_err(), Errno::NOENT);
    // One spelling is as good as another, so nobody makes a second file of one name.
    assert_eq!(fs::openat(&root, "ONE", NEW, Mode::empty()).unwrap_err(), Errno::EXIST);
    let kept = fs::renameat_with(&root, "one", &root, "two", RenameFlags::NOREPLACE);
    assert_eq!(kept, Err(Errno::EXIST));
    fs::renameat(&root, "one", &root, "two").unwrap();
    assert_eq!((names(&root), text(&root, "two")), (vec!["two".to_owned()], "1".to_owned()));
    fs::mkdirat(&root, "deep", Mode::RWXU).unwrap();
    let deep = fs::openat(&root, "deep", OFlags::DIRECTORY | OFlags::NOFOLLOW, Mode::empty()).unwrap();
    fs::renameat(&root, "two", &deep, "three").unwrap();
    assert_eq!(text(&deep, "three"), "1");
    assert_eq!(fs::unlinkat(&root, "deep", AtFlags::empty()), Err(Errno::ISDIR));
    assert_eq!(fs::unlinkat(&root, "deep", AtFlags::REMOVEDIR), Err(Errno::NOTEMPTY));
    assert_eq!(fs::unlinkat(&deep, "three", AtFlags::REMOVEDIR), Err(Errno::NOTDIR));
    fs::unlinkat(&deep, "three", AtFlags::empty()).unwrap();
    drop(deep);
    fs::unlinkat(&root, "deep", AtFlags::REMOVEDIR).unwrap();
    assert_eq!(names(&root), [""; 0]);
    for name in ["a:b", "..", "a/../../b"] {
        assert_eq!(fs::openat(&root, name, NEW, Mode::empty()).unwrap_err(), Errno::INVAL, "{name}");
    }
}

#[test]
fn what_nobody_may_write_is_replaced_and_removed_all_the_same() {
    let (_keep, path) = folder();
    let root = open_folder(&path);
    for name in ["sealed", "other", "gone"] {
        drop(fs::openat(&root, name, NEW, Mode::from_raw_mode(0o444)).unwrap());
        let stat = fs::statat(&root, name, AtFlags::SYMLINK_NOFOLLOW).unwrap();
        assert_eq!(stat.st_mode & 0o222, 0, "{name}: {:o}", stat.st_mode);
    }
    fs::renameat(&root, "other", &root, "sealed").unwrap();
    fs::unlinkat(&root, "gone", AtFlags::empty()).unwrap();
    assert_eq!(names(&root), ["sealed"]);
    fs::sync_at(&root, c"sealed").unwrap();
    let opened = fs::openat(&root, "sealed", OFlags::RDONLY, Mode::empty()).unwrap();
    assert_eq!(fs::fstat(&opened).unwrap().st_mode & 0o222, 0);
    fs::fchmod(&opened, Mode::from_raw_mode(0o644)).unwrap();
    assert_eq!(fs::fstat(&opened).unwrap().st_mode & 0o200, 0o200);
}

#[test]
fn a_file_that_somebody_has_open_is_replaced_and_removed() {
    let (_keep, path) = folder();
    let root = open_folder(&path);
    put(&root, "used", "old");
    put(&root, "next", "new");
    let used = fs::openat(&root, "used", OFlags::RDONLY, Mode::empty()).unwrap();
    match fs::renameat(&root, "next", &root, "used") {
        Ok(()) => {}
        // A system that has no renaming as POSIX has it, or a file system: then nothing has changed, and it can be
        // done as soon as the file is closed.
        Err(Errno::ACCESS) => {
            assert_eq!((text(&root, "used"), text(&root, "next")), ("old".into(), "new".into()));
        }
        Err(other) => panic!("{other}"),
    }
    let mut buffer = [0; 10];
    assert_eq!(super::io::read(&used, &mut buffer).unwrap(), 3);
    assert_eq!(&buffer[..3], b"old");
    drop(used);
    if names(&root).len() == 2 {
        fs::renameat(&root, "next", &root, "used").unwrap();
    }
    assert_eq!((names(&root), text(&root, "used")), (vec!["used".to_owned()], "new".to_owned()));
}

#[test]
fn a_mode_is_seen_again() {
    let (_keep, path) = folder();
    for name in ["a", "b"] {
        std::fs::write(path.join(name), "x").unwrap();
        crate::host::os::testing::set_mode(path.join(name), 0o444);
    }
    let root = open_folder(&path);
    let of = |name: &str| fs::statat(&root, name, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    assert_eq!(of("a").st_mode & 0o222, 0);
    let opened = fs::fstat(std::fs::File::open(path.join("a")).unwrap()).unwrap();
    assert_eq!(opened, of("a"));
    assert_eq!((of("a").st_mode, of("a").st_uid), (of("b").st_mode, of("b").st_uid));
}

#[test]
fn one_file_has_several_names() {
    let (_keep, path) = folder();
    let root = open_folder(&path);
    put(&root, "one", "1");
    fs::linkat(&root, "one", &root, "other", AtFlags::empty()).unwrap();
    let of = |name: &str| fs::statat(&root, name, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    let (one, other) = (of("one"), of("other"));
    assert_eq!((one.st_ino, one.st_dev, one.st_nlink), (other.st_ino, other.st_dev, 2));
    assert_eq!((one.st_size, FileType::from_raw_mode(one.st_mode)), (1, FileType::RegularFile));
    assert_eq!(FileType::from_raw_mode(fs::fstat(&root).unwrap().st_mode), FileType::Directory);
}

#[test]
fn paths_may_be_long_and_names_many() {
    let (_keep, path) = folder();
    let mut deep = path.clone();
    for number in 0..20 {
        deep.push(format!("a folder with a name that makes the path long {number}"));
        fs::mkdirat(fs::CWD, deep.as_str(), Mode::RWXU).unwrap();
    }
    assert!(deep.as_str().len() > 600);
    let opened = open_folder(&deep);
    let wanted: Vec<String> =
        (0..1000).map(|number| format!("file {number:05} \u{e9}\u{65e5}\u{1f600}")).collect();
    for name in &wanted {
        drop(fs::openat(&opened, name, NEW, Mode::from_raw_mode(0o644)).unwrap());
    }
    assert_eq!(names(&opened), wanted);
    drop(opened);
    let root = open_folder(&path);
    crate::host::removal::clear(root.as_fd()).unwrap();
    assert_eq!(names(&root), [""; 0]);
}

#[test]
fn a_lock_is_held_by_one_and_keeps_nobody_from_reading() {
    let (_keep, path) = folder();
    let root = open_folder(&path);
    put(&root, "lock", "words");
    let open = || fs::openat(&root, "lock", OFlags::RDWR, Mode::empty()).unwrap();
    let (one, other) = (open(), open());
    fs::flock(&one, FlockOperation::NonBlockingLockExclusive).unwrap();
    assert_eq!(fs::flock(&other, FlockOperation::NonBlockingLockShared), Err(Errno::WOULDBLOCK));
    assert_eq!(text(&root, "lock"), "words");
    fs::flock(&one, FlockOperation::Unlock).unwrap();
    fs::flock(&other, FlockOperation::NonBlockingLockExclusive).unwrap();
    drop(other);
    fs::flock(&one, FlockOperation::NonBlockingLockShared).unwrap();
    let held = fs::hold(&root).unwrap();
    assert_eq!(fs::hold(open_folder(&path)).unwrap_err(), Errno::WOULDBLOCK);
    drop(held);
    fs::hold(&root).unwrap();
}

#[test]
fn a_pointer_leads_to_a_name_and_nothing_else_does() {
    let (_keep, path) = folder();
    let (pointer, other) = (path.join("current"), path.join("other"));
    fs::lead(pointer.as_str(), "server-1.0.0").unwrap();
    assert_eq!(fs::leads_to(pointer.as_str()).unwrap(), "server-1.0.0");
    assert_eq!(fs::lead(pointer.as_str(), "server-2.0.0"), Err(Errno::EXIST));
    std::fs::write(&other, "server-1.0.0").unwrap();
    assert_eq!(fs::leads_to(other.as_str()), Err(Errno::INVAL));
    assert_eq!(fs::leads_to(path.as_str()), Err(Errno::INVAL));
    assert_eq!(fs::leads_to(path.join("none").as_str()), Err(Errno::NOENT));
}

#[test]
fn what_is_closed_to_others_has_no_rights_for_them() {
    let (_keep, path) = folder();
    let root = open_folder(&path);
    drop(fs::openat(&root, "secret", NEW, Mode::from_raw_mode(0o600)).unwrap());
    drop(fs::openat(&root, "public", NEW, Mode::from_raw_mode(0o644)).unwrap());
    let of = |name: &str| fs::statat(&root, name, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    assert_eq!(of("secret").st_mode & 0o077, 0);
    assert_eq!(of("secret").st_uid, super::user_number());
    let opened = fs::openat(&root, "public", OFlags::RDONLY, Mode::empty()).unwrap();
    fs::fchmod(&opened, Mode::from_raw_mode(0o600)).unwrap();
    assert_eq!(of("public").st_mode & 0o077, 0);
}

#[test]
fn times_and_lengths_are_set() {
    let (_keep, path) = folder();
    let root = open_folder(&path);
    put(&root, "file", "1234567890");
    let opened = fs::openat(&root, "file", OFlags::RDWR, Mode::empty()).unwrap();
    fs::ftruncate(&opened, 4).unwrap();
    let time = |tv_sec| fs::Timespec { tv_sec, tv_nsec: 500 };
    let times = fs::Timestamps { last_access: time(1_000_000_000), last_modification: time(1_100_000_000) };
    fs::futimens(&opened, &times).unwrap();
    let stat = fs::fstat(&opened).unwrap();
    assert_eq!((stat.st_size, stat.st_mtime, stat.st_mtime_nsec), (4, 1_100_000_000, 500));
    assert!(fs::fstatvfs(&root).unwrap().f_bavail > 0 && fs::statvfs(path.as_str()).unwrap().f_blocks > 0);
}
