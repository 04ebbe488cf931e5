//! What trees take of the disk, with files that several names share counted as often as they are stored.

use std::collections::BTreeMap;
use std::io;
use std::ops::RangeInclusive;

use camino::Utf8Path;

use crate::host::os;
use crate::host::os::fs::{AtFlags, FileType, Mode, Stat};
use crate::host::os::{AsFd as _, BorrowedFd};
use crate::package::disk;
use crate::package::tree::TOKEN;

/// What stat(2) counts blocks in, in bytes.
const BLOCK: u64 = 512;

/// An inode that was met, and by how many of its names.
struct Met {
    names: u64,
    links: u64,
    bytes: u64,
    /// What is in it, if it is a file.
    content: u64,
}

/// Inodes by device and number.
type Inodes = BTreeMap<(os::fs::Dev, u64), Met>;

/// The room that is free again when these folders and files are gone, in bytes: what has a name elsewhere stays. A path
/// that is not there frees nothing.
pub fn frees<'a>(paths: impl IntoIterator<Item = &'a Utf8Path>) -> io::Result<u64> {
    let met = walk_all(paths)?;
    Ok(met.values().filter(|met| met.names >= met.links).map(|met| met.bytes).sum())
}

/// The room that these folders and files take, in bytes, each inode once.
pub fn takes<'a>(paths: impl IntoIterator<Item = &'a Utf8Path>) -> io::Result<u64> {
    Ok(walk_all(paths)?.values().map(|met| met.bytes).sum())
}

/// What is in the files of a tree, in bytes, its token aside: with what has several names counted once, and with each
/// name counted. An archive may have given it either way, and files that are the same are stored once.
pub fn holds(tree: &Utf8Path) -> io::Result<RangeInclusive<u64>> {
    let mut met = Inodes::new();
    let folder = disk::open_folder(tree)?;
    walk(folder.as_fd(), &mut met)?;
    let token = os::fs::statat(&folder, TOKEN, AtFlags::SYMLINK_NOFOLLOW)?;
    let token = u64::try_from(token.st_size).unwrap_or(0);
    let sum = |count: fn(&Met) -> u64| met.values().map(count).sum::<u64>().saturating_sub(token);
    Ok(sum(|met| met.content)..=sum(|met| met.content * met.names))
}

fn walk_all<'a>(paths: impl IntoIterator<Item = &'a Utf8Path>) -> io::Result<Inodes> {
    let mut met = Inodes::new();
    for path in paths {
        match disk::open_folder(path) {
            Ok(folder) => walk(folder.as_fd(), &mut met)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => enter(&os::fs::lstat(path.as_str())?, &mut met),
        }
    }
    Ok(met)
}

fn walk(folder: BorrowedFd<'_>, met: &mut Inodes) -> io::Result<()> {
    // A folder has a name for each folder in it; all of them go with it.
    let mut own = os::fs::fstat(folder)?;
    own.st_nlink = 1;
    enter(&own, met);
    for name in disk::names(folder)? {
        let stat = os::fs::statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            let below = os::fs::openat(folder, &name, disk::FOLDER_FLAGS, Mode::empty())?;
            walk(below.as_fd(), met)?;
        } else {
            enter(&stat, met);
        }
    }
    Ok(())
}

#[expect(clippy::useless_conversion, reason = "the types differ between systems")]
fn enter(stat: &Stat, met: &mut Inodes) {
    let (links, blocks) = (u64::from(stat.st_nlink), u64::try_from(stat.st_blocks).unwrap_or(0));
    let found = met.entry((stat.st_dev, u64::from(stat.st_ino))).or_insert(Met {
        names: 0,
        links,
        bytes: blocks * BLOCK,
        content: match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => u64::try_from(stat.st_size).unwrap_or(0),
            _ => 0,
        },
    });
    found.names += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_name_elsewhere_frees_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| Utf8Path::from_path(folder.path()).unwrap().join(name);
        for name in ["a", "b", "c"] {
            std::fs::create_dir(path(name)).unwrap();
        }
        std::fs::write(path("a/own"), vec![1; 100_000]).unwrap();
        std::fs::write(path("a/shared"), vec![1; 50_000]).unwrap();
        std::fs::hard_link(path("a/shared"), path("b/shared")).unwrap();
        let of = |names: &[&str]| {
            frees(names.iter().map(|name| path(name)).collect::<Vec<_>>().iter().map(AsRef::as_ref)).unwrap()
        };
        let empty = of(&["c"]);
        assert!((100_000..110_000).contains(&(of(&["a"]) - empty)), "{}", of(&["a"]));
        assert_eq!(of(&["b"]), empty);
        assert!((150_000..170_000).contains(&(of(&["a", "b"]) - 2 * empty)), "{}", of(&["a", "b"]));
        assert_eq!(of(&["missing"]), 0);
        let both = [path("a"), path("b")];
        assert_eq!(takes(both.iter().map(AsRef::as_ref)).unwrap(), of(&["a", "b"]));
    }
}
