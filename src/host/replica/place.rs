//! Finding what is to be copied, and how much that is.

use std::collections::HashSet;
use std::ffi::{CStr, CString};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::{FILE, FOLDER, allocated, other_file_system};
use crate::host::files::{FileError, failed, failed_io};
use crate::host::os;
use crate::host::os::Errno;
use crate::host::os::fs::{AtFlags, CWD, Dev, FileType, Mode, OFlags, Stat};
use crate::host::os::{AsFd, BorrowedFd, OwnedFd};
use crate::host::removal::{names, open_at};

/// What stands at a path, with the folder that holds it.
pub(super) struct Place {
    pub(super) parent: OwnedFd,
    pub(super) name: CString,
    pub(super) stat: Stat,
}

impl Place {
    /// The file system that it is of.
    pub(super) fn bounds(&self) -> Bounds {
        Bounds { device: self.stat.st_dev, mount: os::fs::mount_of(self.parent.as_fd(), &self.name) }
    }
}

/// The one file system that is copied.
pub(super) struct Bounds {
    device: Dev,
    mount: Option<u64>,
}

impl Bounds {
    /// Whether something in a folder is of it. The files of an overlay may be of several devices, and of one mount.
    pub(super) fn hold(&self, parent: BorrowedFd<'_>, name: &CStr, stat: &Stat) -> bool {
        stat.st_dev == self.device || (self.mount.is_some() && os::fs::mount_of(parent, name) == self.mount)
    }
}

/// Opens the folder that holds a path. For root at somebody else's no link on the way counts, and nothing that belongs
/// to a third account: either could lead anywhere.
pub(super) fn parent_of(path: &Utf8Path, owner: Option<u32>) -> os::io::Result<(OwnedFd, CString)> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Err(Errno::INVAL) };
    let name = CString::new(name).map_err(|_| Errno::INVAL)?;
    let Some(owner) = owner else {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        return Ok((os::fs::openat(CWD, parent.as_str(), flags, Mode::empty())?, name));
    };
    let is_root =
        |part: &Utf8Component<'_>| matches!(part, Utf8Component::Prefix(_) | Utf8Component::RootDir);
    let root: Utf8PathBuf = parent.components().take_while(is_root).collect();
    let root = os::fs::openat(CWD, root.as_str(), FOLDER, Mode::empty())?;
    let opened = parent.components().skip_while(is_root).try_fold(root, |folder, part| {
        let next = match os::fs::openat(&folder, part.as_str(), FOLDER, Mode::empty()) {
            // A link is no folder when it is not followed.
            Err(Errno::NOTDIR) if is_link(&folder, part.as_str()) => return Err(Errno::LOOP),
            next => next?,
        };
        let found = os::fs::fstat(&next)?.st_uid;
        if found == 0 || found == owner { Ok(next) } else { Err(Errno::PERM) }
    })?;
    Ok((opened, name))
}

fn is_link(folder: &OwnedFd, name: &str) -> bool {
    os::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
}

/// Finds what stands at a path; nothing where nothing does.
pub(super) fn find(path: &Utf8Path, owner: Option<u32>) -> Result<Option<Place>, FileError> {
    let (parent, name) = match parent_of(path, owner) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(Errno::LOOP) => return Err(refused(path, "a link stands on the way to it")),
        Err(Errno::PERM) => return Err(refused(path, "a folder of another account stands on the way to it")),
        opened => opened.map_err(failed("open the folder of", path))?,
    };
    let stat = match os::fs::statat(&parent, &name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(None),
        stat => stat.map_err(failed("look at", path))?,
    };
    if owner.is_some_and(|owner| owner != stat.st_uid) {
        return Err(refused(path, "it does not belong to the account that runs the service"));
    }
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory | FileType::RegularFile => Ok(Some(Place { parent, name, stat })),
        _ => Err(refused(path, "it is neither a folder nor a file")),
    }
}

pub(super) fn refused(path: &Utf8Path, reason: &'static str) -> FileError {
    failed_io("copy", path)(std::io::Error::other(reason))
}

/// How much stands at a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Files, folders and links.
    pub entries: u64,
    /// The room that they take, in bytes.
    pub bytes: u64,
    /// Whether a copy in the other folder shares the bytes.
    pub cloned: bool,
}

/// Measures what a copy of a path into a folder would hold; nothing where nothing stands there. An error says why there
/// can be no copy. Nothing is written that has a name.
pub fn measure(path: &Utf8Path, owner: Option<u32>, into: &Utf8Path) -> Result<Option<Measure>, FileError> {
    let Some(place) = find(path, owner)? else { return Ok(None) };
    let mut walk = Walk {
        path,
        bounds: place.bounds(),
        own: crate::host::account::effective_uid(),
        seen: HashSet::new(),
        sample: None,
        measure: Measure::default(),
    };
    walk.entry(place.parent.as_fd(), &place.name)?;
    walk.measure.cloned =
        walk.sample.as_ref().is_none_or(|sample| os::fs::can_clone(sample, into.as_std_path()));
    Ok(Some(walk.measure))
}

struct Walk<'a> {
    path: &'a Utf8Path,
    bounds: Bounds,
    own: u32,
    seen: HashSet<(Dev, u64)>,
    sample: Option<OwnedFd>,
    measure: Measure,
}

impl Walk<'_> {
    fn entry(&mut self, parent: BorrowedFd<'_>, name: &CStr) -> Result<(), FileError> {
        let path = self.path;
        let stat = os::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed("look at", path));
        let stat = match stat {
            // The program goes on meanwhile, and may have removed it.
            Err(error) if error.source.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            stat => stat?,
        };
        if !self.bounds.hold(parent, name, &stat) {
            return Err(other_file_system(&path.join(name.to_string_lossy().as_ref())));
        }
        if self.own != 0 && stat.st_uid != self.own {
            return Err(refused(path, "something in it belongs to another account, which a copy can't keep"));
        }
        self.measure.entries += 1;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let folder = match open_at(parent, name, FOLDER) {
                    Err(Errno::NOENT) => return Ok(()),
                    folder => folder.map_err(failed("open", path))?,
                };
                for name in names(&folder).map_err(failed_io("list", path))? {
                    self.entry(folder.as_fd(), &name)?;
                }
            }
            FileType::RegularFile if self.seen.insert((stat.st_dev, stat.st_ino)) => {
                self.measure.bytes += allocated(&stat);
                if self.sample.is_none() && stat.st_size > 0 {
                    self.sample = os::fs::openat(parent, name, FILE, Mode::empty()).ok();
                }
            }
            _ => {}
        }
        Ok(())
    }
}
