//! In what a version tree differs from the one that its archive makes.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use camino::Utf8Path;

use crate::host::os;
use crate::host::os::fs::{FileType, RawMode, Stat};
use crate::package::tree::{self, TOKEN};

/// How much of two files is compared at a time, in bytes.
const PIECE: usize = 128 << 10;
/// Who may write a file, of its permission bits.
const WRITING: RawMode = 0o222;
/// Whether anybody may execute it.
const EXECUTING: RawMode = 0o111;

/// What is wrong with an entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The archive has it, and the tree does not.
    Missing,
    /// The tree has it, and the archive does not.
    Added,
    /// One of the two is a file, and the other a folder or a link.
    Kind,
    /// Other bytes.
    Content,
    /// A link that leads elsewhere.
    Target,
    /// A program that can't be executed, or the other way round.
    Program,
    /// A file that somebody may write.
    Writable,
    /// The disk does not give it back.
    Unreadable,
}

/// An entry in which a tree differs from its archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name below the tree's root, fit for a terminal; empty: the tree itself.
    pub path: String,
    /// What is wrong with it.
    pub fault: Fault,
    /// Whether other trees may hold the same file.
    pub shared: bool,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the tree" } else { &self.path };
        let what = match self.fault {
            Fault::Missing => "is missing",
            Fault::Added => "is not in the archive",
            Fault::Kind => "is of another kind than in the archive",
            Fault::Content => "has other bytes than in the archive",
            Fault::Target => "leads elsewhere than in the archive",
            Fault::Program => {
                "has not the right to be executed that the archive gives it, or has one too many"
            }
            Fault::Writable => "can be written",
            Fault::Unreadable => "can't be read",
        };
        write!(formatter, "{path} {what}")
    }
}

/// In what a tree differs from one that was just unpacked from its archive, in the order of names. An error is one of
/// the rebuilt tree's; what is wrong with the other is a difference.
pub fn between(damaged: &Utf8Path, rebuilt: &Utf8Path) -> io::Result<Vec<Difference>> {
    let mut found = Vec::new();
    match std::fs::symlink_metadata(damaged) {
        Ok(facts) if facts.is_dir() => folders(damaged.as_ref(), rebuilt.as_ref(), "", &mut found)?,
        Ok(_) => note(&mut found, "", Fault::Kind, None),
        Err(_) => note(&mut found, "", Fault::Missing, None),
    }
    if found.is_empty() && !tree::is_whole(damaged) {
        note(&mut found, TOKEN, Fault::Missing, None);
    }
    Ok(found)
}

fn note(found: &mut Vec<Difference>, path: &str, fault: Fault, facts: Option<&Stat>) {
    let shared = facts.is_some_and(|facts| kind(facts) == FileType::RegularFile && facts.st_nlink > 1);
    let path = path
        .chars()
        .flat_map(|next| if next.is_control() { next.escape_default().collect() } else { vec![next] });
    found.push(Difference { path: path.collect(), fault, shared });
}

fn kind(facts: &Stat) -> FileType {
    FileType::from_raw_mode(facts.st_mode)
}

fn names(folder: &Path) -> io::Result<BTreeSet<OsString>> {
    std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

fn folders(damaged: &Path, rebuilt: &Path, below: &str, found: &mut Vec<Difference>) -> io::Result<()> {
    let Ok(there) = names(damaged) else {
        note(found, below, Fault::Unreadable, None);
        return Ok(());
    };
    let wanted = names(rebuilt)?;
    for name in there.union(&wanted) {
        if below.is_empty() && name == TOKEN {
            continue;
        }
        let shown = name.to_string_lossy();
        let path = if below.is_empty() { shown.into_owned() } else { format!("{below}/{shown}") };
        let (old, new) = (damaged.join(name), rebuilt.join(name));
        match (there.contains(name), wanted.contains(name)) {
            (true, false) => note(found, &path, Fault::Added, None),
            (false, _) => note(found, &path, Fault::Missing, None),
            (true, true) => entries((&old, &new), &path, found)?,
        }
    }
    Ok(())
}

fn entries((damaged, rebuilt): (&Path, &Path), path: &str, found: &mut Vec<Difference>) -> io::Result<()> {
    let new = os::fs::lstat(rebuilt)?;
    let Ok(old) = os::fs::lstat(damaged) else {
        note(found, path, Fault::Unreadable, None);
        return Ok(());
    };
    let fault = if kind(&old) != kind(&new) {
        Some(Fault::Kind)
    } else if kind(&new) == FileType::Directory {
        return folders(damaged, rebuilt, path, found);
    } else if kind(&new) == FileType::Symlink {
        let target = std::fs::read_link(rebuilt)?;
        (std::fs::read_link(damaged).ok() != Some(target)).then_some(Fault::Target)
    } else if (old.st_dev, old.st_ino) == (new.st_dev, new.st_ino) {
        None
    } else if old.st_size != new.st_size {
        Some(Fault::Content)
    } else {
        content(damaged, rebuilt)?
    };
    let fault = fault.or_else(|| {
        let is_file = kind(&new) == FileType::RegularFile;
        let executable = |facts: &Stat| facts.st_mode & EXECUTING != 0;
        let is_program = is_file && executable(&old) != executable(&new);
        let is_writable = is_file && old.st_mode & WRITING != 0;
        if is_program { Some(Fault::Program) } else { is_writable.then_some(Fault::Writable) }
    });
    if let Some(fault) = fault {
        note(found, path, fault, Some(&old));
    }
    Ok(())
}

/// What is wrong with the content of one of two files of a size, if anything.
fn content(damaged: &Path, rebuilt: &Path) -> io::Result<Option<Fault>> {
    let Ok(mut old) = File::open(damaged) else { return Ok(Some(Fault::Unreadable)) };
    let mut new = File::open(rebuilt)?;
    let (mut ours, mut theirs) = (vec![0; PIECE], vec![0; PIECE]);
    loop {
        let length = new.read(&mut ours)?;
        if length == 0 {
            return Ok(None);
        }
        match old.read_exact(&mut theirs[..length]) {
            Ok(()) if theirs[..length] == ours[..length] => {}
            Ok(()) => return Ok(Some(Fault::Content)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Some(Fault::Content)),
            Err(_) => return Ok(Some(Fault::Unreadable)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::os::testing::{IS_UNIX, set_mode, symlink};

    fn tree(below: &Utf8Path, name: &str) -> camino::Utf8PathBuf {
        let root = below.join(name);
        std::fs::create_dir_all(root.join("bin")).unwrap();
        for (path, text, mode) in
            [("bin/run", "one", 0o555), ("readme", "two", 0o444), ("data", "three", 0o444)]
        {
            std::fs::write(root.join(path), text).unwrap();
            set_mode(root.join(path), mode);
        }
        symlink("bin/run", root.join("link"));
        let complete =
            tree::Complete { digest: crate::model::digest::Digest::of(b""), entries: 4, bytes: 11 };
        std::fs::write(root.join(TOKEN), serde_json::to_string(&complete).unwrap()).unwrap();
        root
    }

    #[test]
    fn every_kind_of_damage_is_found_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let below = Utf8Path::from_path(folder.path()).unwrap();
        let (old, new) = (tree(below, "old"), tree(below, "new"));
        assert_eq!(between(&old, &new).unwrap(), []);
        let exchange = |path: &str, text: &str| {
            set_mode(old.join(path), 0o644);
            std::fs::write(old.join(path), text).unwrap();
            set_mode(old.join(path), 0o444);
        };
        exchange("readme", "TWO");
        set_mode(old.join("data"), 0o644);
        std::fs::remove_file(old.join("data")).unwrap();
        std::fs::write(old.join("more"), "").unwrap();
        if IS_UNIX {
            std::fs::remove_file(old.join("link")).unwrap();
        }
        symlink("readme", old.join("link"));
        set_mode(old.join("bin/run"), 0o444);
        let found: Vec<_> = between(&old, &new).unwrap().into_iter().map(|it| (it.path, it.fault)).collect();
        let expected = [
            ("bin/run", Fault::Program),
            ("data", Fault::Missing),
            ("link", Fault::Target),
            ("more", Fault::Added),
            ("readme", Fault::Content),
        ];
        let expected = expected
            .into_iter()
            .filter(|(_, fault)| IS_UNIX || !matches!(fault, Fault::Program | Fault::Target));
        let expected: Vec<_> = expected.map(|(path, fault)| (path.to_owned(), fault)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_tree_that_is_gone_writable_or_without_its_token_differs() {
        let folder = tempfile::tempdir().unwrap();
        let below = Utf8Path::from_path(folder.path()).unwrap();
        let (old, new) = (tree(below, "old"), tree(below, "new"));
        let faults = || between(&old, &new).unwrap().into_iter().map(|it| it.fault).collect::<Vec<_>>();
        set_mode(old.join("readme"), 0o644);
        assert_eq!(faults(), [Fault::Writable]);
        set_mode(old.join("readme"), 0o444);
        std::fs::remove_file(old.join(TOKEN)).unwrap();
        assert_eq!(faults(), [Fault::Missing]);
        let parent = crate::package::disk::open_folder(below).unwrap();
        crate::package::disk::remove(crate::host::os::AsFd::as_fd(&parent), c"old").unwrap();
        assert_eq!(faults(), [Fault::Missing]);
    }
}
