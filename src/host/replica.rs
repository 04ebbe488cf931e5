//! Copies of whole folders, as they are: owners, modes, times, links as links, hard links, holes and extended
//! attributes. By descriptors, so that no link is followed wherever somebody lays one meanwhile. Where the file system
//! can share the bytes of two files until one is changed (`FICLONE`), it does.

mod content;
mod place;
mod put_back;

use std::collections::HashMap;
use std::ffi::{CStr, CString};

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::files::{FileError, failed, failed_io};
use crate::host::os;
use crate::host::os::Errno;
use crate::host::os::fs::{AtFlags, Dev, FileType, Mode, OFlags, Stat};
use crate::host::os::{AsFd, BorrowedFd, OwnedFd};
use crate::host::removal::{names, open_at, permissions};
use content::Content;
use place::Bounds;

pub use place::Measure;
pub use place::measure;
pub use put_back::put_back;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const NEW_FILE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// What a copy came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replica {
    /// How much it holds, in bytes; what is linked twice counts once.
    pub bytes: u64,
    /// Sockets, pipes and devices, which are not copied.
    pub left_out: Vec<Utf8PathBuf>,
}

/// Copies what stands at a path to a new name in a folder. Nothing stands there: nothing is copied. `owner` is whose it
/// has to be, and then no link is followed on the way either. It is not forced to the disk.
pub fn replicate(
    from: &Utf8Path,
    owner: Option<u32>,
    into: BorrowedFd<'_>,
    name: &str,
) -> Result<Option<Replica>, FileError> {
    let Some(place) = place::find(from, owner)? else { return Ok(None) };
    let name = CString::new(name).map_err(|_| failed("copy", from)(Errno::INVAL))?;
    let mut copier = Copier {
        root: from,
        into,
        bounds: place.bounds(),
        links: HashMap::new(),
        content: Content::default(),
        replica: Replica::default(),
    };
    let way = Way { parts: vec![name.clone()] };
    copier.entry(place.parent.as_fd(), &place.name, into, &way)?;
    Ok(Some(copier.replica))
}

/// Where a copy stands, below the folder of all.
#[derive(Clone)]
struct Way {
    parts: Vec<CString>,
}

impl Way {
    fn name(&self) -> &CStr {
        self.parts.last().map_or(c"", CString::as_c_str)
    }

    fn with(&self, name: &CStr) -> Self {
        let parts = self.parts.iter().cloned().chain([name.to_owned()]).collect();
        Self { parts }
    }

    fn joined(&self) -> CString {
        let bytes: Vec<&[u8]> = self.parts.iter().map(|part| part.to_bytes()).collect();
        CString::new(bytes.join(&b'/')).unwrap_or_default()
    }
}

struct Copier<'a> {
    /// What is copied, for messages.
    root: &'a Utf8Path,
    into: BorrowedFd<'a>,
    bounds: Bounds,
    /// The copies of files with several names, by device and inode.
    links: HashMap<(Dev, u64), CString>,
    content: Content,
    replica: Replica,
}

impl Copier<'_> {
    fn shown(&self, way: &Way) -> Utf8PathBuf {
        let below = way.parts.iter().skip(1).map(|part| part.to_string_lossy().into_owned());
        below.fold(self.root.to_owned(), |path, part| path.join(part))
    }

    fn entry(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &CStr,
        into: BorrowedFd<'_>,
        way: &Way,
    ) -> Result<(), FileError> {
        let shown = self.shown(way);
        let can = |action: &'static str| failed(action, &shown);
        let stat = os::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(can("look at"))?;
        if !self.bounds.hold(parent, name, &stat) {
            return Err(other_file_system(&shown));
        }
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let source = open_at(parent, name, FOLDER).map_err(can("open"))?;
                os::fs::mkdirat(into, way.name(), Mode::RWXU).map_err(can("copy"))?;
                let copy = os::fs::openat(into, way.name(), FOLDER, Mode::empty()).map_err(can("copy"))?;
                for name in names(&source).map_err(failed_io("list", &shown))? {
                    self.entry(source.as_fd(), &name, copy.as_fd(), &way.with(&name))?;
                }
                finish(&source, &copy, &stat).map_err(can("copy"))
            }
            FileType::RegularFile => self.file(parent, name, into, way, &stat).map_err(can("copy")),
            FileType::Symlink => {
                os::fs::copy_link(parent, name, into, way.name(), &stat).map_err(can("copy"))
            }
            _ => {
                self.replica.left_out.push(shown);
                Ok(())
            }
        }
    }

    fn file(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &CStr,
        into: BorrowedFd<'_>,
        way: &Way,
        stat: &Stat,
    ) -> os::io::Result<()> {
        if let Some(first) = self.links.get(&(stat.st_dev, stat.st_ino)) {
            return os::fs::linkat(self.into, first, into, way.name(), AtFlags::empty());
        }
        let source = open_at(parent, name, FILE)?;
        let copy = if os::fs::clone_to(&source, into, way.name())? {
            os::fs::openat(into, way.name(), FILE, Mode::empty())?
        } else {
            let copy = os::fs::openat(into, way.name(), NEW_FILE, Mode::RUSR | Mode::WUSR)?;
            let size = u64::try_from(stat.st_size).unwrap_or(0);
            self.content.copy(&source, &copy, size)?;
            copy
        };
        finish(&source, &copy, stat)?;
        self.replica.bytes += allocated(stat);
        if stat.st_nlink > 1 {
            self.links.insert((stat.st_dev, stat.st_ino), way.joined());
        }
        Ok(())
    }
}

/// Gives a copy what its original has beside its content. The mode follows the owner, whose change takes bits away, and
/// the time all that changes it.
fn finish(source: &OwnedFd, copy: &OwnedFd, stat: &Stat) -> os::io::Result<()> {
    os::fs::own_like(copy, stat)?;
    os::fs::copy_attributes(source, copy)?;
    os::fs::fchmod(copy, permissions(stat.st_mode))?;
    os::fs::futimens(copy, &os::fs::times_of(stat))
}

/// The room that a file takes, in bytes: of one with holes less than its length.
fn allocated(stat: &Stat) -> u64 {
    u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512)
}

fn other_file_system(path: &Utf8Path) -> FileError {
    let reason = "another file system begins there, which has to be named on its own";
    failed_io("copy", path)(std::io::Error::other(reason))
}
