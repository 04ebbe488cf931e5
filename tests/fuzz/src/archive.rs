//! An archive becomes a tree below one folder, or nothing: whatever its bytes are.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::model::size::Size;
use mainstay::package::limits::Limits;
use mainstay::package::need;
use mainstay::package::unpack::{Unpacked, unpack};

/// Small, so that one input is done in a moment and every limit is met.
fn limits() -> Limits {
    Limits {
        entries: 100,
        depth: 8,
        name: 255,
        path: 400,
        file: Size::new(64 << 10),
        total: Size::new(256 << 10),
        ratio: 200,
        ratio_after: Size::new(1 << 20),
    }
}

pub fn run(bytes: &[u8]) {
    let host = Host::new(bytes);
    let into = host.root.join("trees/hostile");
    let unpacked = unpack(&host.root.join("archive"), &into, None, &limits(), &mut |_| {});
    // What it says of its size is asked before, of the same bytes.
    let archive = host.root.join("archive");
    let _ = need::of(&mut fs::File::open(&archive).unwrap(), &archive, &limits());
    match unpacked {
        Ok(unpacked) => check_tree(&into, &unpacked),
        Err(error) => {
            assert!(!into.exists(), "what was refused has left something behind: {error}");
            // A message is one line, whatever the names in it are.
            assert!(!error.to_string().contains(|letter: char| letter.is_control()), "{error:?}");
        }
    }
    host.check();
}

/// A folder with a neighbour tree and a file outside, which no archive may touch.
struct Host {
    _temporary: tempfile::TempDir,
    root: Utf8PathBuf,
}

const OUTSIDE: &str = "outside";

impl Host {
    fn new(archive: &[u8]) -> Self {
        // In memory, where there is such a place: thousands of trees are made.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let temporary = tempfile::Builder::new().prefix("mainstay-archive-").tempdir_in(folder).unwrap();
        let root = Utf8PathBuf::try_from(temporary.path().to_owned()).unwrap();
        fs::create_dir(root.join("trees")).unwrap();
        fs::create_dir(root.join("trees/other")).unwrap();
        symlink("other", root.join("trees/link")).unwrap();
        fs::write(root.join("trees/other/program"), OUTSIDE).unwrap();
        fs::write(root.join(OUTSIDE), OUTSIDE).unwrap();
        fs::write(root.join("archive"), archive).unwrap();
        Self { _temporary: temporary, root }
    }

    /// Asserts that all is as it was, but for the tree.
    fn check(&self) {
        let mut found = Vec::new();
        walk(self.root.as_std_path(), &mut found);
        found.retain(|path| !path.starts_with(self.root.join("trees/hostile")));
        found.sort();
        let known = ["archive", OUTSIDE, "trees", "trees/link", "trees/other", "trees/other/program"];
        let known: Vec<_> = known.iter().map(|name| self.root.join(name).into_std_path_buf()).collect();
        assert_eq!(found, known);
        assert_eq!(fs::read(self.root.join("trees/other/program")).unwrap(), OUTSIDE.as_bytes());
        assert_eq!(fs::read(self.root.join(OUTSIDE)).unwrap(), OUTSIDE.as_bytes());
    }
}

/// Asserts what holds of every tree.
fn check_tree(tree: &Utf8Path, unpacked: &Unpacked) {
    let limits = limits();
    let mut paths = Vec::new();
    walk(tree.as_std_path(), &mut paths);
    assert!(!paths.is_empty(), "nothing was unpacked");
    assert!(unpacked.entries <= limits.entries && unpacked.bytes <= limits.total.bytes());
    let (mut bytes, mut inodes) = (0, Vec::new());
    for path in paths {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(tree).unwrap().to_str().unwrap();
        assert!(name.len() <= limits.path && name.split('/').count() <= limits.depth, "{name}");
        assert_ne!(name.to_lowercase(), ".complete", "the token is not the archive's to give");
        if metadata.is_file() {
            let mode = metadata.permissions().mode() & 0o7777;
            assert!(matches!(mode, 0o444 | 0o555), "{name} has mode {mode:o}");
            if !inodes.contains(&metadata.ino()) {
                inodes.push(metadata.ino());
                bytes += metadata.len();
            }
            assert!(metadata.len() <= limits.file.bytes(), "{name}");
        } else if metadata.is_symlink() {
            check_link(tree, &path);
        } else {
            assert!(metadata.is_dir(), "{name} is neither file, folder nor link");
        }
    }
    assert_eq!(bytes, unpacked.bytes, "the files hold other than was told");
}

/// Asserts that no step of a link leads out, and that the system agrees.
fn check_link(tree: &Utf8Path, link: &Path) {
    let target = fs::read_link(link).unwrap();
    assert!(target.is_relative(), "{} leads to {}", link.display(), target.display());
    if let Ok(end) = fs::canonicalize(link) {
        let root = fs::canonicalize(tree).unwrap();
        assert!(end.starts_with(root), "{} leads to {}", link.display(), end.display());
    }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            walk(&path, found);
        }
        found.push(path);
    }
}
