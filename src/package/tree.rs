//! The tree store: version trees beside each other in one folder, each published whole or not at all.
//!
//! A name says what a tree is: `.partial-…` is being filled, `.trash-…` is to be removed, any other name is
//! published. Recovery needs no more than the names.

use std::ffi::CString;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::host::os;
use crate::host::os::{AsFd as _, OwnedFd};
use crate::model::digest::Digest;
use crate::model::name::ComponentName;
use crate::model::version::Version;
use crate::package::disk;
use crate::package::share::{Manner, Shared, share};

/// The file at a tree's root that says that it is whole. It is written before the tree gets its name.
pub const TOKEN: &str = ".complete";
/// How the name of a tree begins that is being filled.
pub const PARTIAL: &str = ".partial-";
/// How the name of a tree begins that is to be removed.
pub const TRASH: &str = ".trash-";

/// The token's content: what was unpacked into the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Complete {
    /// The digest of the archive.
    pub digest: Digest,
    /// The number of entries in it.
    pub entries: u64,
    /// The size of its files, in bytes.
    pub bytes: u64,
}

/// A published tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Its version, from its name.
    pub version: Version,
    /// Where it is.
    pub path: Utf8PathBuf,
    /// Its token; without one it is not whole and must not be used.
    pub complete: Option<Complete>,
}

/// Why the tree store can't do something.
#[derive(Debug, Error)]
pub enum TreeError {
    /// Something that is not the name of a file.
    #[error("`{0}` can't be the name of a tree")]
    Name(String),
    /// The name is taken.
    #[error("`{0}` exists already")]
    Exists(Utf8PathBuf),
    /// There is nothing of that name.
    #[error("`{0}` does not exist")]
    Missing(Utf8PathBuf),
    /// A step fails.
    #[error("`{path}` can't be {step}")]
    Step {
        /// The tree or the folder that holds it.
        path: Utf8PathBuf,
        /// What was to be done to it.
        step: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

/// How a step's failure is told.
fn failed(path: &Utf8Path, step: &'static str) -> impl FnOnce(io::Error) -> TreeError {
    let path = path.to_owned();
    move |source| TreeError::Step { path, step, source }
}

/// A tree that is being filled. Dropped before it is published, it is removed.
///
/// It is locked (`flock`) for as long as this lives, so that a sweep can tell it from what a killed process
/// has left behind.
#[derive(Debug)]
pub struct Staging {
    parent: OwnedFd,
    parent_path: Utf8PathBuf,
    path: Utf8PathBuf,
    name: CString,
    root: OwnedFd,
    _hold: os::fs::Hold,
    published: bool,
}

/// How often a folder is made in which a tree is filled: whoever removes what is stale may come between.
const STAGING_TRIES: usize = 10;

/// Makes a hidden folder, which only its owner can enter, in which a tree is filled.
pub fn stage(parent: &Utf8Path, name: &str) -> Result<Staging, TreeError> {
    check_name(name)?;
    let folder = disk::open_folder(parent).map_err(failed(parent, "opened"))?;
    for _ in 0..STAGING_TRIES {
        let hidden = format!("{PARTIAL}{name}-{}", random());
        let path = parent.join(&hidden);
        match disk::create_private_folder(&folder, &hidden) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            made => made.map_err(failed(&path, "made"))?,
        }
        let root = match disk::open_folder_at(&folder, &hidden) {
            // A sweep took it for a stale one, between its making and its locking.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened.map_err(failed(&path, "opened"))?,
        };
        let hold = match os::fs::hold(&root) {
            Ok(hold) if disk::is_named(&folder, &hidden, &root) => hold,
            // The sweep again.
            Ok(_) => continue,
            Err(errno) => {
                // It is empty, and nobody's.
                let _ = os::fs::unlinkat(&folder, hidden.as_str(), os::fs::AtFlags::REMOVEDIR);
                if errno != os::Errno::WOULDBLOCK {
                    return Err(failed(&path, "held")(errno.into()));
                }
                continue;
            }
        };
        let name = CString::new(hidden).unwrap_or_default();
        let parent_path = parent.to_owned();
        return Ok(Staging { parent: folder, parent_path, path, name, root, _hold: hold, published: false });
    }
    Err(failed(parent, "held")(os::Errno::WOULDBLOCK.into()))
}

impl Staging {
    /// The folder to fill.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Shares the files with trees that are there, those named first being tried first.
    pub fn share(&self, others: &[&Utf8Path], manner: Manner) -> Result<Shared, TreeError> {
        share(self.root.as_fd(), others, manner).map_err(failed(&self.path, "compared with other versions"))
    }

    /// Publishes the tree under a name that is free, and gives its path: writes the token, takes away the
    /// right to write, forces all of it to the disk, renames, and forces the name to the disk. A crash
    /// leaves the tree whole under that name, or no such name.
    pub fn publish(mut self, name: &str, complete: &Complete) -> Result<Utf8PathBuf, TreeError> {
        let path = self.make_whole(name, complete)?;
        match disk::rename_to_free(&self.parent, &self.name, name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(TreeError::Exists(path));
            }
            renamed => renamed.map_err(failed(&path, "named"))?,
        }
        self.published = true;
        disk::sync_folder(self.parent.as_fd()).map_err(failed(&self.parent_path, "forced to the disk"))?;
        Ok(path)
    }

    /// Publishes the tree in the place of one of that name, which becomes trash, and gives its path. Whoever looks finds
    /// the one or the other, whole; what runs from the old one keeps what it has open.
    pub fn replace(mut self, name: &str, complete: &Complete) -> Result<Utf8PathBuf, TreeError> {
        let path = self.make_whole(name, complete)?;
        let replaced = disk::exchange(&self.parent, &self.name, name).map_err(failed(&path, "exchanged"))?;
        self.published = true;
        disk::sync_folder(self.parent.as_fd()).map_err(failed(&self.parent_path, "forced to the disk"))?;
        if replaced {
            // Under its present name the next sweep would find it as well.
            trash(&self.parent_path, &self.name.to_string_lossy())?;
        }
        Ok(path)
    }

    /// Whether [`replace`](Self::replace) can do its work on a tree beside this one. The folder of one that lies in a layer
    /// of a container's image can't get another name (overlayfs answers EXDEV).
    pub fn can_replace(&self, name: &str) -> Result<bool, TreeError> {
        if !os::fs::EXCHANGES {
            return Ok(false);
        }
        let is_empty = disk::is_empty(&self.root).map_err(failed(&self.path, "read"))?;
        Ok(is_empty || disk::can_be_renamed(&self.parent, name, &self.name))
    }

    /// Does to the tree all that comes before its name, and gives the path that it will have.
    fn make_whole(&self, name: &str, complete: &Complete) -> Result<Utf8PathBuf, TreeError> {
        check_name(name)?;
        self.write_token(complete).map_err(failed(&self.path, "marked as complete"))?;
        disk::seal(self.root.as_fd()).map_err(failed(&self.path, "made read-only"))?;
        disk::sync_tree(self.root.as_fd(), complete.entries)
            .map_err(failed(&self.path, "forced to the disk"))?;
        Ok(self.parent_path.join(name))
    }

    fn write_token(&self, complete: &Complete) -> io::Result<()> {
        let mut writer = disk::Writer::new(self.root.as_fd());
        let mut file = writer.create("", TOKEN, false)?;
        io::Write::write_all(&mut file, &serde_json::to_vec(complete)?)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.published {
            // What can't be removed now is found by the next sweep.
            let _ = disk::remove(self.parent.as_fd(), &self.name);
        }
    }
}

/// Publishes a tree that holds nothing: it marks a version of a program that stands elsewhere. One that is there stays.
pub fn mark(parent: &Utf8Path, name: &str, program: &Utf8Path) -> Result<(), TreeError> {
    if is_whole(&parent.join(name)) {
        return Ok(());
    }
    // No archive has brought it; the mark's own words stand for one.
    let digest = Digest::of(format!("{name}: {program}").as_bytes());
    stage(parent, name)?.publish(name, &Complete { digest, entries: 0, bytes: 0 })?;
    Ok(())
}

/// The token of a tree, if it is whole. A link to a tree is not a tree. That it can't be read is no sign that it is not
/// whole: a disk may be at fault for a moment.
pub fn look(tree: &Utf8Path) -> Result<Option<Complete>, TreeError> {
    use crate::host::os::Errno;
    let path = tree.join(TOKEN);
    let unreadable = || failed(&path, "read");
    let is_none = |error: &io::Error| {
        let code = error.raw_os_error();
        error.kind() == io::ErrorKind::NotFound
            || [Errno::NOTDIR, Errno::LOOP].iter().any(|errno| code == Some(errno.raw_os_error()))
    };
    let opened = disk::open_folder(tree).and_then(|folder| disk::open_file_at(folder, TOKEN));
    let file = match opened {
        Err(error) if is_none(&error) => return Ok(None),
        opened => opened.map_err(unreadable())?,
    };
    let mut text = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, 4096), &mut text).map_err(unreadable())?;
    Ok(serde_json::from_slice(&text).ok())
}

/// The token of a tree that can be used: one that is whole, and can be read.
#[must_use]
pub fn read_complete(tree: &Utf8Path) -> Option<Complete> {
    look(tree).ok().flatten()
}

/// Whether a tree is whole.
#[must_use]
pub fn is_whole(tree: &Utf8Path) -> bool {
    read_complete(tree).is_some()
}

/// The trees of a component in a folder, whole or not, by name. A missing folder has none.
pub fn versions(parent: &Utf8Path, component: &ComponentName) -> Result<Vec<Tree>, TreeError> {
    let unreadable = || failed(parent, "listed");
    let entries = match std::fs::read_dir(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable())?,
    };
    let prefix = format!("{component}-");
    let mut trees = Vec::new();
    for entry in entries {
        let entry = entry.map_err(unreadable())?;
        let name = entry.file_name();
        let version = name.to_str().and_then(|name| name.strip_prefix(&prefix)).map(Version::new);
        if let Some(Ok(version)) = version
            && entry.file_type().map_err(unreadable())?.is_dir()
        {
            let path = parent.join(format!("{prefix}{version}"));
            let complete = read_complete(&path);
            trees.push(Tree { version, path, complete });
        }
    }
    trees.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(trees)
}

/// Takes a tree's name away, durably: from then on it is trash. Gives its new path. To remove it takes
/// longer and can be done later ([`empty_trash`]).
pub fn trash(parent: &Utf8Path, name: &str) -> Result<Utf8PathBuf, TreeError> {
    check_name(name)?;
    let folder = disk::open_folder(parent).map_err(failed(parent, "opened"))?;
    let path = parent.join(name);
    let from = CString::new(name).map_err(|_| TreeError::Name(name.to_owned()))?;
    let trash = format!("{TRASH}{}-{}", name.trim_start_matches(PARTIAL), random());
    match disk::rename_to_free(&folder, &from, &trash) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(TreeError::Missing(path)),
        renamed => renamed.map_err(failed(&path, "renamed"))?,
    }
    disk::sync_folder(folder.as_fd()).map_err(failed(parent, "forced to the disk"))?;
    Ok(parent.join(trash))
}

/// Removes all trash in a folder, never following a link, and gives the number of trees removed. Trash that is
/// gone before it is reached was removed by another.
pub fn empty_trash(parent: &Utf8Path) -> Result<u64, TreeError> {
    remove_trash(parent, |_| true)
}

/// Removes what of the trash in a folder had one name before: others may need theirs again.
pub fn empty_trash_of(parent: &Utf8Path, entry: &str) -> Result<u64, TreeError> {
    // What follows the name is one number, or another name is meant that only begins with this one.
    remove_trash(parent, |rest| {
        let number = rest.strip_prefix(entry.as_bytes()).and_then(|rest| rest.strip_prefix(b"-"));
        number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_hexdigit))
    })
}

fn remove_trash(parent: &Utf8Path, is_meant: impl Fn(&[u8]) -> bool) -> Result<u64, TreeError> {
    let folder = disk::open_folder(parent).map_err(failed(parent, "opened"))?;
    let mut removed = 0;
    for name in disk::names(&folder).map_err(failed(parent, "listed"))? {
        let Some(rest) = name.to_bytes().strip_prefix(TRASH.as_bytes()) else { continue };
        if is_meant(rest) {
            let path = parent.join(String::from_utf8_lossy(name.to_bytes()).as_ref());
            match disk::remove(folder.as_fd(), &name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                done => done.map_err(failed(&path, "removed"))?,
            }
            removed += 1;
        }
    }
    Ok(removed)
}

/// Removes what killed processes have left half filled, and gives the number of trees removed. What a
/// living process fills is locked and stays.
pub fn sweep(parent: &Utf8Path) -> Result<u64, TreeError> {
    let folder = match disk::open_folder(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        folder => folder.map_err(failed(parent, "opened"))?,
    };
    let mut removed = 0;
    for name in disk::names(&folder).map_err(failed(parent, "listed"))? {
        let Some(text) = name.to_str().ok().filter(|text| text.starts_with(PARTIAL)) else { continue };
        let path = parent.join(text);
        let tree = match disk::open_folder_at(&folder, text) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            tree => tree.map_err(failed(&path, "opened"))?,
        };
        if let Ok(_hold) = os::fs::hold(&tree) {
            disk::remove(folder.as_fd(), &name).map_err(failed(&path, "removed"))?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn check_name(name: &str) -> Result<(), TreeError> {
    if matches!(name, "" | "." | "..") || name.contains(['/', '\0']) {
        Err(TreeError::Name(name.to_owned()))
    } else {
        Ok(())
    }
}

/// Sixteen digits that nobody has used: the standard library seeds its hash tables from the system.
fn random() -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    format!("{:016x}", std::hash::RandomState::new().build_hasher().finish())
}

#[cfg(test)]
mod tests;
