//! Renaming, also of folders that can't be renamed: in a container, those that lie in a layer of its image (overlayfs
//! answers EXDEV; the kernel's documentation of overlayfs, "renaming directories"). Such a folder is copied, and then
//! what it was copied from is removed.

use std::ffi::CString;

use camino::{Utf8Path, Utf8PathBuf};

use super::files::{self, FileError, failed, failed_io, parent};
use super::os::fs::{CWD, Mode, OFlags, RenameFlags};
use super::os::{self, AsFd as _, Errno, OwnedFd};
use super::{removal, replica};

/// A copy under way, beside the new name. It counts for nothing.
const COMING: &str = ".coming-";
/// A copy that is whole, beside the new name. From then on the original is what is left to remove.
const MOVED: &str = ".moved-";
const COPY: &str = "copy";
const ORIGINAL: &str = "original";

/// Renames durably. Nothing to rename, because it was renamed already, is no error. After it was interrupted anywhere, it
/// may be done again, or the other way round.
pub fn rename(from: &Utf8Path, to: &Utf8Path) -> Result<(), FileError> {
    finish(from, to)?;
    finish(to, from)?;
    if files::facts(from)?.is_none() {
        return Ok(());
    }
    match os::fs::renameat_with(CWD, from.as_str(), CWD, to.as_str(), RenameFlags::NOREPLACE) {
        Ok(()) => {
            files::sync_folder(parent(from))?;
            files::sync_folder(parent(to))
        }
        Err(Errno::XDEV) if files::facts(to)?.is_none() => {
            copy(from, to)?;
            finish(to, from)
        }
        Err(errno) => Err(failed("rename", from)(errno)),
    }
}

/// Whether what is to be renamed is there, whole: nothing of the renaming has to be undone.
pub fn is_untouched(from: &Utf8Path, to: &Utf8Path) -> Result<bool, FileError> {
    Ok(files::facts(from)?.is_some() && files::facts(&beside(to, MOVED))?.is_none())
}

fn copy(from: &Utf8Path, to: &Utf8Path) -> Result<(), FileError> {
    let coming = beside(to, COMING);
    remove(&coming)?;
    files::create_folder(&coming, 0o700, None)?;
    let copied = files::link(&coming.join(ORIGINAL), from).and_then(|()| {
        let folder = open(&coming)?;
        replica::replicate(from, None, folder.as_fd(), COPY)?;
        os::fs::syncfs(&folder).map_err(failed("sync", &coming))
    });
    if let Err(error) = copied {
        // A full disk is not to stay so for a copy that nobody wants.
        let _ = remove(&coming);
        return Err(error);
    }
    let moved = beside(to, MOVED);
    os::fs::rename(coming.as_str(), moved.as_str()).map_err(failed("rename", &coming))?;
    files::sync_folder(parent(to))
}

/// Brings to its end what was interrupted once the copy for that name was whole. What is left to remove is what this very
/// move is about: whatever else somebody has laid there is not followed.
fn finish(name: &Utf8Path, original: &Utf8Path) -> Result<(), FileError> {
    let moved = beside(name, MOVED);
    match files::read_link(&moved.join(ORIGINAL))? {
        None => return Ok(()),
        Some(left) if left == original.as_str() => {}
        Some(left) => {
            let reason = format!("it is left of moving `{left}`: see what is in it, and move it away");
            return Err(failed_io("go on with", &moved)(std::io::Error::other(reason)));
        }
    }
    let copy = moved.join(COPY);
    if files::facts(&copy)?.is_some() {
        remove(original)?;
        os::fs::rename(copy.as_str(), name.as_str()).map_err(failed("rename", &copy))?;
        files::sync_folder(parent(name))?;
    }
    remove(&moved)
}

fn beside(path: &Utf8Path, prefix: &str) -> Utf8PathBuf {
    parent(path).join(format!("{prefix}{}", path.file_name().unwrap_or_default()))
}

fn open(folder: &Utf8Path) -> Result<OwnedFd, FileError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    os::fs::open(folder.as_str(), flags, Mode::empty()).map_err(failed("open", folder))
}

/// Removes whatever has that name, durably; nothing is no error.
fn remove(path: &Utf8Path) -> Result<(), FileError> {
    if files::facts(path)?.is_none() {
        return Ok(());
    }
    let name = CString::new(path.file_name().unwrap_or_default());
    let name = name.map_err(|_| failed("remove", path)(Errno::INVAL))?;
    let folder = open(parent(path))?;
    removal::remove(folder.as_fd(), &name).map_err(failed_io("remove", path))?;
    os::fs::fsync(&folder).map_err(failed("sync", parent(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder to move, with a file in it, and its new name.
    fn folder() -> (tempfile::TempDir, Utf8PathBuf, Utf8PathBuf) {
        let all = tempfile::tempdir().unwrap();
        let top = Utf8PathBuf::try_from(all.path().to_owned()).unwrap();
        let (from, to) = (top.join("old"), top.join("new"));
        std::fs::create_dir(&from).unwrap();
        std::fs::write(from.join("words"), "words").unwrap();
        (all, from, to)
    }

    fn stands_alone(at: &Utf8Path) {
        assert_eq!(std::fs::read_to_string(at.join("words")).unwrap(), "words");
        let names = files::list(parent(at)).unwrap().unwrap();
        assert_eq!(names, [at.file_name().unwrap()]);
    }

    #[test]
    fn a_copy_that_was_interrupted_is_made_anew() {
        let (_all, from, to) = folder();
        std::fs::create_dir(beside(&to, COMING)).unwrap();
        std::fs::write(beside(&to, COMING).join("half"), "").unwrap();
        copy(&from, &to).unwrap();
        assert!(files::facts(&to).unwrap().is_none(), "it has its name too early");
        rename(&from, &to).unwrap();
        stands_alone(&to);
    }

    #[test]
    fn a_removal_that_was_interrupted_is_ended_before_anything_goes_back() {
        let (_all, from, to) = folder();
        assert!(is_untouched(&from, &to).unwrap());
        copy(&from, &to).unwrap();
        assert!(!is_untouched(&from, &to).unwrap(), "what is being removed counts as whole");
        std::fs::remove_file(from.join("words")).unwrap();
        rename(&to, &from).unwrap();
        stands_alone(&from);
        copy(&from, &to).unwrap();
        std::fs::remove_dir_all(&from).unwrap();
        rename(&from, &to).unwrap();
        stands_alone(&to);
    }

    #[test]
    fn what_was_moved_whole_is_not_removed_by_what_it_left_behind() {
        let (_all, from, to) = folder();
        copy(&from, &to).unwrap();
        remove(&from).unwrap();
        std::fs::rename(beside(&to, MOVED).join(COPY), &to).unwrap();
        rename(&to, &from).unwrap();
        stands_alone(&from);
    }

    #[test]
    fn what_somebody_has_laid_there_removes_nothing() {
        let (_all, from, to) = folder();
        let other = from.with_file_name("other");
        std::fs::create_dir(&other).unwrap();
        std::fs::create_dir_all(beside(&to, MOVED).join(COPY)).unwrap();
        files::link(&beside(&to, MOVED).join(ORIGINAL), &other).unwrap();
        let refused = rename(&from, &to).unwrap_err();
        assert!(refused.source.to_string().contains("other"), "{refused:?}");
        assert!(other.is_dir() && from.join("words").is_file());
    }
}
