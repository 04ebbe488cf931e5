//! The snapshots of an instance's data: `snapshots/<tree>/<number>` in its state folder, named by the tree that wrote
//! the data. What has such a name is whole.

use crate::host::os;
use crate::host::os::{AsFd, OwnedFd};

use crate::host::os::fs::{CWD, Mode, OFlags};
use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::failure::Failure;
use crate::host::clock;
use crate::host::files::{self, FileError};
use crate::host::relocation;
use crate::host::replica::{put_back, replicate};
use crate::model::json;
use crate::model::layout::Layout;
use crate::model::layout::hidden::{self, PARTIAL};
use crate::model::name::InstanceName;
use crate::model::snapshot::{FORMAT, INDEX, Snapshot, SnapshotCopy};
use crate::model::trial::DataMove;
use crate::package::tree;
use crate::plan::observed::SnapshotSeen;

/// How the name of a snapshot ends that is being given back.
const USED: &str = "-used";

/// The snapshots that are there, those of each tree in order. What can't be read is none.
pub(crate) fn list(layout: &Layout, name: &InstanceName) -> Result<Vec<SnapshotSeen>, FileError> {
    let folder = layout.snapshots(name);
    let mut found = Vec::new();
    for tree in files::list(&folder)?.unwrap_or_default() {
        if tree.starts_with('.') {
            continue;
        }
        for number in numbers(&folder.join(&tree))? {
            if let Some(snapshot) = read(&folder.join(&tree).join(number.to_string()))? {
                found.push(SnapshotSeen {
                    tree: tree.clone(),
                    number,
                    at: snapshot.at,
                    bytes: snapshot.bytes,
                });
            }
        }
    }
    Ok(found)
}

fn numbers(folder: &Utf8Path) -> Result<Vec<u64>, FileError> {
    let names = files::list(folder)?.unwrap_or_default();
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn read(folder: &Utf8Path) -> Result<Option<Snapshot>, FileError> {
    let text = files::read(&folder.join(INDEX))?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Takes a snapshot of what a tree has left, and gives its number, with what was left out of it.
pub(crate) fn take(
    layout: &Layout,
    name: &InstanceName,
    tree: &str,
    data: &DataMove,
) -> Result<(u64, Vec<Utf8PathBuf>), Failure> {
    let all = layout.snapshots(name);
    let of_tree = all.join(tree);
    for folder in [&all, &of_tree] {
        files::create_folder(folder, 0o700, None)?;
    }
    put_used_away(&all, tree)?;
    sweep(&all)?;
    let number = numbers(&of_tree)?.last().map_or(1, |last| last + 1);
    let partial = all.join(format!("{PARTIAL}{tree}-{number}"));
    files::create_folder(&partial, 0o700, None)?;
    let taken = fill(&partial, tree, data);
    let left_out = match taken {
        Ok(left_out) => left_out,
        Err(error) => {
            // A full disk is in nobody's interest; what can't be removed now is found by the next sweep.
            let _ = sweep(&all);
            return Err(error.into());
        }
    };
    relocation::rename(&partial, &of_tree.join(number.to_string()))?;
    Ok((number, left_out))
}

fn fill(folder: &Utf8Path, tree: &str, data: &DataMove) -> Result<Vec<Utf8PathBuf>, FileError> {
    let opened = open(folder)?;
    let mut left_out = Vec::new();
    let mut snapshot =
        Snapshot { format: FORMAT, tree: tree.to_owned(), at: clock::now(), copies: Vec::new(), bytes: 0 };
    for (place, path) in data.snapshot.iter().enumerate() {
        let entry = format!("data-{place}");
        let Some(replica) =
            replicate(path, data.owner.as_ref().map(|owner| owner.uid), opened.as_fd(), &entry)?
        else {
            continue;
        };
        snapshot.bytes += replica.bytes;
        snapshot.copies.push(SnapshotCopy { path: path.clone(), entry });
        left_out.extend(replica.left_out);
    }
    let text = json::text(&snapshot);
    files::write(&folder.join(INDEX), &text, 0o600, None)?;
    sync(folder, &opened)?;
    Ok(left_out)
}

/// Gives data back from a snapshot, which is used up by that. Doing so again does no harm. Its name says from the
/// beginning that it is used: that takes no room, and whoever finds it knows that the data are on their way.
pub(crate) fn give_back(
    layout: &Layout,
    name: &InstanceName,
    (tree, number): (&str, u64),
    owner: Option<u32>,
) -> Result<(), Failure> {
    let of_tree = layout.snapshots(name).join(tree);
    let (folder, used) = (of_tree.join(number.to_string()), of_tree.join(format!("{number}{USED}")));
    if files::facts(&folder)?.is_some() {
        relocation::rename(&folder, &used)?;
    }
    use_up(&used, owner)
}

/// Whether a snapshot is being given back, or was.
pub(crate) fn is_used(
    layout: &Layout,
    name: &InstanceName,
    (tree, number): (&str, u64),
) -> Result<bool, FileError> {
    let of_tree = layout.snapshots(name).join(tree);
    Ok(files::facts(&of_tree.join(format!("{number}{USED}")))?.is_some())
}

/// Puts away what is left of a snapshot that was given back.
pub(crate) fn put_away(
    layout: &Layout,
    name: &InstanceName,
    (tree, number): (&str, u64),
) -> Result<(), FileError> {
    let all = layout.snapshots(name);
    let used = all.join(tree).join(format!("{number}{USED}"));
    if files::facts(&used)?.is_some() {
        relocation::rename(&used, &all.join(hidden::put_away(tree, number)))?;
    }
    Ok(())
}

/// Puts away what is left of the snapshots of a tree that were given back, where whoever did that was killed.
fn put_used_away(all: &Utf8Path, tree: &str) -> Result<(), FileError> {
    for entry in files::list(&all.join(tree))?.unwrap_or_default() {
        if let Some(number) = entry.strip_suffix(USED) {
            relocation::rename(&all.join(tree).join(&entry), &all.join(hidden::put_away(tree, number)))?;
        }
    }
    Ok(())
}

fn use_up(folder: &Utf8Path, owner: Option<u32>) -> Result<(), Failure> {
    if files::facts(folder)?.is_none() {
        return Ok(());
    }
    let missing = || Failure::Damaged { path: folder.join(INDEX), reason: "it can't be read".to_owned() };
    let snapshot = read(folder)?.ok_or_else(missing)?;
    let opened = open(folder)?;
    for copy in &snapshot.copies {
        let away = format!("gone-{}", copy.entry);
        put_back(opened.as_fd(), &folder.join(&copy.entry), &away, &copy.path, owner)?;
    }
    Ok(())
}

/// Puts the data back that a tree left, from a copy of its newest snapshot, which stays.
pub(crate) fn restore(
    layout: &Layout,
    name: &InstanceName,
    tree: &str,
    owner: Option<u32>,
) -> Result<(), Failure> {
    let all = layout.snapshots(name);
    let gone = || Failure::Usage(format!("there is no snapshot of the data of {tree} any more"));
    let number = numbers(&all.join(tree))?.pop().ok_or_else(gone)?;
    let from = all.join(tree).join(number.to_string());
    let again = format!("{PARTIAL}again-{tree}");
    let copy = all.join(&again);
    let opened = open(&all)?;
    sweep(&all)?;
    replicate(&from, None, opened.as_fd(), &again)?;
    sync(&all, &opened)?;
    use_up(&copy, owner)?;
    Ok(())
}

/// Removes what a newer snapshot of the same tree has taken the place of, and what is left of those that were used.
pub(crate) fn tidy(layout: &Layout, name: &InstanceName) -> Result<(), Failure> {
    let all = layout.snapshots(name);
    for tree in files::list(&all)?.unwrap_or_default() {
        if tree.starts_with('.') {
            continue;
        }
        let folder = all.join(&tree);
        put_used_away(&all, &tree)?;
        let mut numbers = numbers(&folder)?;
        numbers.pop();
        for number in numbers {
            relocation::rename(&folder.join(number.to_string()), &all.join(hidden::put_away(&tree, number)))?;
        }
        files::remove_empty_folder(&folder)?;
    }
    sweep(&all)
}

/// Removes what is no snapshot: half taken, used up, put away. Only while none is being taken.
pub(crate) fn sweep(all: &Utf8Path) -> Result<(), Failure> {
    if files::facts(all)?.is_some() {
        tree::sweep(all)?;
        tree::empty_trash(all)?;
    }
    Ok(())
}

fn open(folder: &Utf8Path) -> Result<OwnedFd, FileError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = os::fs::openat(CWD, folder.as_str(), flags, Mode::empty());
    opened.map_err(|errno| FileError { action: "open", path: folder.to_owned(), source: errno.into() })
}

fn sync(folder: &Utf8Path, opened: &OwnedFd) -> Result<(), FileError> {
    let synced = os::fs::syncfs(opened);
    synced.map_err(|errno| FileError { action: "sync", path: folder.to_owned(), source: errno.into() })
}
