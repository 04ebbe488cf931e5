//! Putting a copy in the place of what it was made of.

use std::ffi::{CStr, CString};

use camino::Utf8Path;

use super::place::parent_of;
use super::{FOLDER, finish, replicate};
use crate::host::files::{FileError, failed, failed_io};
use crate::host::os;
use crate::host::os::Errno;
use crate::host::os::fs::{AtFlags, FileType, Mode, fsync, mkdirat, openat, renameat, statat, syncfs};
use crate::host::os::{AsFd, BorrowedFd, OwnedFd};
use crate::host::removal::{names, remove};

/// Where a copy is made in a folder whose content it takes the place of.
const COMING: &str = ".mainstay-return";
/// How what it takes the place of is called meanwhile.
const GOING: &str = ".mainstay-gone-";

/// Puts a copy in the place of what it was made of, durably, and puts that away under the other name, in the folder of
/// the copy. The copy is used up by that: where it is gone, nothing is left to do. So it may be done again after it was
/// interrupted anywhere, as long as nothing runs meanwhile that writes there. `whole` is the copy's path.
pub fn put_back(
    copies: BorrowedFd<'_>,
    whole: &Utf8Path,
    away: &str,
    to: &Utf8Path,
    owner: Option<u32>,
) -> Result<(), FileError> {
    let can = |action: &'static str| failed(action, to);
    let c_string = |text: &str| CString::new(text).map_err(|_| can("put back")(Errno::INVAL));
    let (entry, away) = (c_string(whole.file_name().unwrap_or_default())?, c_string(away)?);
    let copy = match statat(copies, &entry, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(()),
        found => found.map_err(failed("look at", whole))?,
    };
    // Whatever stands there by now is only moved: it matters whether a link is on the way to it, and not what it is.
    let (parent, name) = parent_of(to, owner).map_err(can("open the folder of"))?;
    let moved = match renameat(&parent, &name, copies, &away) {
        // It is put away already, or somebody has removed it.
        Ok(()) | Err(Errno::NOENT) => {
            fsync(&parent).and_then(|()| fsync(copies)).map_err(can("put away"))?;
            renameat(copies, &entry, &parent, &name)
        }
        Err(error) => Err(error),
    };
    match moved {
        Ok(()) => return fsync(&parent).and_then(|()| fsync(copies)).map_err(can("put back")),
        // It is on another file system than the copy, or one begins just there.
        Err(Errno::XDEV | Errno::BUSY) => {}
        Err(error) => return Err(can("put back")(error)),
    }
    if FileType::from_raw_mode(copy.st_mode) == FileType::Directory {
        fill(&parent, &name, whole, to)?;
    } else {
        let beside = format!("{COMING}-{}", to.file_name().unwrap_or_default());
        let coming = c_string(&beside)?;
        removed(parent.as_fd(), &coming).map_err(failed_io("put back", to))?;
        match replicate(whole, None, parent.as_fd(), &beside) {
            Err(error) if error.is_full() => {
                for name in [&coming, &name] {
                    removed(parent.as_fd(), name).map_err(failed_io("make room in", to))?;
                }
                replicate(whole, None, parent.as_fd(), &beside)?;
            }
            outcome => drop(outcome?),
        }
        // Not the copy by itself: its owner may not be allowed to read it.
        syncfs(&parent).map_err(can("sync"))?;
        renameat(&parent, &coming, &parent, &name).map_err(can("put back"))?;
        fsync(&parent).map_err(can("sync"))?;
    }
    renameat(copies, &entry, copies, &away).and_then(|()| fsync(copies)).map_err(failed("put away", whole))
}

/// Gives a folder the content of a copy on another file system.
fn fill(parent: &OwnedFd, name: &CStr, whole: &Utf8Path, to: &Utf8Path) -> Result<(), FileError> {
    let can = |action: &'static str| failed(action, to);
    match mkdirat(parent, name, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(can("create")(error)),
    }
    let folder = openat(parent, name, FOLDER, Mode::empty()).map_err(can("open"))?;
    let coming = CString::new(COMING).unwrap_or_default();
    removed(folder.as_fd(), &coming).map_err(failed_io("put back", to))?;
    let listed = || names(&folder).map_err(failed_io("list", to));
    match replicate(whole, None, folder.as_fd(), COMING) {
        // There is no room for both. The copy is whole, durable, and on another disk: what it takes the place of goes.
        Err(error) if error.is_full() => {
            for name in listed()? {
                remove(folder.as_fd(), &name).map_err(failed_io("make room in", to))?;
            }
            replicate(whole, None, folder.as_fd(), COMING)?;
        }
        copied => drop(copied?),
    }
    syncfs(&folder).map_err(can("sync"))?;
    let is_ours = |name: &CString| {
        let name = name.to_bytes();
        name == COMING.as_bytes() || name.starts_with(GOING.as_bytes())
    };
    // An earlier turn may have been interrupted: what it had put away is gone for good, and stays put away.
    let taken = listed()?.iter().filter(|name| is_ours(name)).count();
    let gone = CString::new(format!("{GOING}{taken}")).unwrap_or_default();
    mkdirat(&folder, &gone, Mode::RWXU).map_err(can("put away"))?;
    let going = openat(&folder, &gone, FOLDER, Mode::empty()).map_err(can("put away"))?;
    for name in listed()?.iter().filter(|name| !is_ours(name)) {
        renameat(&folder, name, &going, name).map_err(can("put away"))?;
    }
    let source = openat(&folder, &coming, FOLDER, Mode::empty()).map_err(can("put back"))?;
    for name in names(&source).map_err(failed_io("list", to))? {
        renameat(&source, &name, &folder, &name).map_err(can("put back"))?;
    }
    let stat = os::fs::fstat(&source).map_err(can("put back"))?;
    for name in listed()?.iter().filter(|name| is_ours(name)) {
        remove(folder.as_fd(), name).map_err(failed_io("remove what was put away in", to))?;
    }
    finish(&source, &folder, &stat).map_err(can("put back"))?;
    syncfs(&folder).map_err(can("sync"))
}

fn removed(folder: BorrowedFd<'_>, name: &CStr) -> std::io::Result<()> {
    match remove(folder, name) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
