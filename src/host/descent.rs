//! Folders and files that are made, filled and removed by descriptors: from the top down, so that nobody leads the work
//! elsewhere while it is done.

use std::io::{self, Read};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use sha2::Digest as _;

use crate::host::files::{self, FileError, failed, failed_io, furnishing};
use crate::host::os;
use crate::host::os::Errno;
use crate::host::os::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags};
use crate::host::os::{AsFd, OwnedFd};
use crate::model::digest::Digest;
use crate::model::owner::Owner;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// By which folders a path may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By all of them and by links: for work with the rights of whoever could have laid these.
    Any,
    /// By root's own folders alone, to which nobody else can write, and by no link: for work with root's rights.
    Roots,
}

/// What has become of a file that was to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It is gone, or was not there.
    Gone,
    /// It is another one than was meant, and stays.
    Changed,
}

/// Makes a folder with all that is missing above it. It has its mode and owner before it has its name; one that is there
/// keeps them.
pub fn create_folder(path: &Utf8Path, mode: u32, owner: Option<&Owner>, way: Way) -> Result<(), FileError> {
    let (folder, name) = made_above(path, way)?;
    if let Some(found) = stat(&folder, name, path)? {
        let is_folder = os::fs::FileType::from_raw_mode(found.st_mode) == os::fs::FileType::Directory;
        return if is_folder { Ok(()) } else { Err(refused("make", path, "there is something else")) };
    }
    let beside = beside(name);
    let make = || os::fs::mkdirat(&folder, &beside, os::fs::mode(mode));
    let outcome = match make() {
        // What a killed command left: it is empty, and has no name that means anything.
        Err(Errno::EXIST) => os::fs::unlinkat(&folder, &beside, AtFlags::REMOVEDIR).and_then(|()| make()),
        outcome => outcome,
    };
    outcome.map_err(failed("make", path))?;
    let opened = os::fs::openat(&folder, &beside, FOLDER | OFlags::NOFOLLOW, Mode::empty())
        .map_err(failed("open", path))?;
    furnish(&opened, path, mode, owner)?;
    os::fs::renameat_with(&folder, &beside, &folder, name, RenameFlags::NOREPLACE)
        .map_err(failed("make", path))?;
    os::fs::fsync(&folder).map_err(failed("sync", path))
}

/// Fills a file with what a reader gives, if that has this digest; else nothing is changed. A file that is there is
/// replaced if it is one of those that are known, and is otherwise somebody's own.
pub fn place(
    source: &mut (impl Read + ?Sized),
    path: &Utf8Path,
    wanted: Digest,
    (mode, owner): (u32, Option<&Owner>),
    known: &[Digest],
    way: Way,
) -> Result<(), FileError> {
    let (folder, name) = made_above(path, way)?;
    let foreign =
        digest_in(&folder, name, path)?.is_some_and(|found| found != wanted && !known.contains(&found));
    if foreign {
        return Err(refused("replace", path, "it is somebody's own: move it away first"));
    }
    let beside = beside(name);
    let outcome = fill(source, &folder, &beside, path, wanted, (mode, owner)).and_then(|()| {
        os::fs::renameat(&folder, &beside, &folder, name).map_err(failed("replace", path))?;
        os::fs::fsync(&folder).map_err(failed("sync", path))
    });
    if outcome.is_err() {
        // What is left of it would only be in the way.
        let _ = os::fs::unlinkat(&folder, &beside, AtFlags::empty());
    }
    outcome
}

/// Removes a file, if it is still the one with this digest.
pub fn remove(path: &Utf8Path, digest: Digest, way: Way) -> Result<Removed, FileError> {
    let Some((folder, name)) = above(path, way)? else { return Ok(Removed::Gone) };
    // What a killed command has begun; mostly there is nothing.
    let _ = os::fs::unlinkat(&folder, beside(name), AtFlags::empty());
    match digest_in(&folder, name, path) {
        Ok(None) => Ok(Removed::Gone),
        Ok(Some(found)) if found == digest => {
            os::fs::unlinkat(&folder, name, AtFlags::empty()).map_err(failed("remove", path))?;
            os::fs::fsync(&folder).map_err(failed("sync", path))?;
            Ok(Removed::Gone)
        }
        Ok(Some(_)) | Err(_) => Ok(Removed::Changed),
    }
}

/// Removes a folder, if nothing is in it.
pub fn remove_empty_folder(path: &Utf8Path, way: Way) -> Result<(), FileError> {
    let Some((folder, name)) = above(path, way)? else { return Ok(()) };
    let _ = os::fs::unlinkat(&folder, beside(name), AtFlags::REMOVEDIR);
    match os::fs::unlinkat(&folder, name, AtFlags::REMOVEDIR) {
        Ok(()) => os::fs::fsync(&folder).map_err(failed("sync", path)),
        // One in which something is, or that is no folder any more, is somebody's own by now.
        Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST | Errno::BUSY | Errno::NOTDIR) => Ok(()),
        Err(errno) => Err(failed("remove", path)(errno)),
    }
}

/// The digest of a regular file; links are not followed, and nothing keeps the reader waiting.
pub fn digest(path: &Utf8Path) -> Result<Option<Digest>, FileError> {
    let Some(mut file) = crate::host::untrusted::open(path)? else { return Ok(None) };
    copy(&mut file, &mut io::sink()).map(Some).map_err(failed_io("read", path))
}

fn digest_in(folder: &OwnedFd, name: &str, path: &Utf8Path) -> Result<Option<Digest>, FileError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = match os::fs::openat(folder, name, flags, Mode::empty()) {
        Ok(opened) => opened,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return Err(refused("open", path, "it is a link")),
        Err(errno) => return Err(failed("open", path)(errno)),
    };
    let found = os::fs::fstat(&opened).map_err(failed("look at", path))?;
    if os::fs::FileType::from_raw_mode(found.st_mode) != os::fs::FileType::RegularFile {
        return Err(refused("open", path, "it is no regular file"));
    }
    copy(&mut std::fs::File::from(opened), &mut io::sink()).map(Some).map_err(failed_io("read", path))
}

fn fill(
    source: &mut (impl Read + ?Sized),
    folder: &OwnedFd,
    beside: &str,
    path: &Utf8Path,
    wanted: Digest,
    (mode, owner): (u32, Option<&Owner>),
) -> Result<(), FileError> {
    match os::fs::unlinkat(folder, beside, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(failed("write beside", path)(errno)),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = os::fs::openat(folder, beside, flags, Mode::RUSR | Mode::WUSR)
        .map_err(failed("write beside", path))?;
    let mut file = std::fs::File::from(opened);
    let found = copy(source, &mut file).map_err(failed_io("write", path))?;
    if found != wanted {
        return Err(refused("fill", path, &format!("what came has the sha256 {found}, not {wanted}")));
    }
    furnish(&file, path, mode, owner)
}

/// Copies to the end, and gives the digest of all that came.
fn copy(source: &mut (impl Read + ?Sized), into: &mut impl io::Write) -> io::Result<Digest> {
    let mut hasher = sha2::Sha256::default();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = match source.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let piece = buffer.get(..count).unwrap_or_default();
        if piece.is_empty() {
            return Ok(Digest::finish(hasher));
        }
        hasher.update(piece);
        into.write_all(piece)?;
    }
}

/// Gives what was made its owner and mode, and has it survive a power cut.
fn furnish(opened: &impl AsFd, path: &Utf8Path, mode: u32, owner: Option<&Owner>) -> Result<(), FileError> {
    os::fs::furnish(opened, os::fs::mode(mode), owner).map_err(failed(furnishing(owner), path))?;
    os::fs::fsync(opened).map_err(failed("sync", path))
}

/// The folder above a path, open, and the last name. Nothing where that folder is missing.
fn above(path: &Utf8Path, way: Way) -> Result<Option<(OwnedFd, &str)>, FileError> {
    let (folder, name) = parts(path)?;
    Ok(opened(folder, way, false)?.map(|opened| (opened, name)))
}

/// The same, with all that is missing made.
fn made_above(path: &Utf8Path, way: Way) -> Result<(OwnedFd, &str), FileError> {
    let (folder, name) = parts(path)?;
    let opened = opened(folder, way, true)?;
    opened.map(|opened| (opened, name)).ok_or_else(|| failed("open", folder)(Errno::NOENT))
}

/// What something is called until it is whole.
fn beside(name: &str) -> String {
    format!(".mainstay-{name}")
}

fn parts(path: &Utf8Path) -> Result<(&Utf8Path, &str), FileError> {
    path.parent().zip(path.file_name()).ok_or_else(|| refused("use", path, "it names nothing in a folder"))
}

fn opened(path: &Utf8Path, way: Way, makes: bool) -> Result<Option<OwnedFd>, FileError> {
    if way == Way::Roots {
        return descend(path, makes);
    }
    if makes {
        files::create_folder(path, 0o755, None)?;
    }
    match os::fs::open(path.as_str(), FOLDER, Mode::empty()) {
        Ok(opened) => Ok(Some(opened)),
        Err(Errno::NOENT | Errno::NOTDIR) if !makes => Ok(None),
        Err(errno) => Err(failed("open", path)(errno)),
    }
}

/// Goes down from `/` name by name, by no link and by nobody's folders but root's.
fn descend(path: &Utf8Path, makes: bool) -> Result<Option<OwnedFd>, FileError> {
    let is_root =
        |part: &Utf8Component<'_>| matches!(part, Utf8Component::Prefix(_) | Utf8Component::RootDir);
    let mut here: Utf8PathBuf = path.components().take_while(is_root).collect();
    let mut folder =
        os::fs::openat(CWD, here.as_str(), FOLDER, Mode::empty()).map_err(failed("open", &here))?;
    for component in path.components().skip_while(is_root) {
        let name = match component {
            Utf8Component::Normal(name) => name,
            Utf8Component::CurDir => continue,
            _ => return Err(refused("use", path, "it leads up again")),
        };
        here.push(name);
        let made = makes && made(&folder, name, &here)?;
        folder = match os::fs::openat(&folder, name, FOLDER | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(opened) => opened,
            Err(Errno::NOENT) if !makes => return Ok(None),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                let why = "it is a link or no folder, and nothing is followed with root's rights: write the path without links";
                return Err(refused("use", &here, why));
            }
            Err(errno) => return Err(failed("open", &here)(errno)),
        };
        if made {
            furnish(&folder, &here, 0o755, None)?;
        }
        roots(&folder, &here)?;
    }
    Ok(Some(folder))
}

fn made(folder: &OwnedFd, name: &str, path: &Utf8Path) -> Result<bool, FileError> {
    match os::fs::mkdirat(folder, name, Mode::from_raw_mode(0o755)) {
        Ok(()) => os::fs::fsync(folder).map_err(failed("sync", path)).map(|()| true),
        Err(Errno::EXIST) => Ok(false),
        Err(errno) => Err(failed("make", path)(errno)),
    }
}

/// Refuses a folder in which somebody else than root could exchange what root is about to use. In one with the sticky
/// bit everybody may make names, and nobody take away another's (unlink(2)).
fn roots(folder: &OwnedFd, path: &Utf8Path) -> Result<(), FileError> {
    let found = os::fs::fstat(folder).map_err(failed("look at", path))?;
    if found.st_uid != 0 {
        let owner = crate::host::account::by_uid(found.st_uid);
        let owner = owner.map_or_else(|_| found.st_uid.to_string(), |owner| owner.name);
        let why = format!(
            "it belongs to {owner}, who could lead root elsewhere: let that be made with the account's rights"
        );
        return Err(refused("use", path, &why));
    }
    let open = found.st_mode & 0o002 != 0 || (found.st_mode & 0o020 != 0 && found.st_gid != 0);
    if open && found.st_mode & 0o1000 == 0 {
        return Err(refused("use", path, "others than root can write to it, and could lead root elsewhere"));
    }
    Ok(())
}

fn stat(folder: &OwnedFd, name: &str, path: &Utf8Path) -> Result<Option<os::fs::Stat>, FileError> {
    match os::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(failed("look at", path)(errno)),
    }
}

fn refused(action: &'static str, path: &Utf8Path, why: &str) -> FileError {
    failed_io(action, path)(io::Error::other(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::account;

    fn way() -> Way {
        if account::effective_uid() == 0 { Way::Roots } else { Way::Any }
    }

    fn folder() -> (tempfile::TempDir, camino::Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = camino::Utf8PathBuf::try_from(folder.path().canonicalize().unwrap()).unwrap();
        (folder, path)
    }

    #[test]
    fn what_is_made_is_removed_again_unless_it_was_changed() {
        let (_keep, top) = folder();
        let (deep, file) = (top.join("a/b"), top.join("a/b/file"));
        create_folder(&deep, 0o750, None, way()).unwrap();
        create_folder(&deep, 0o700, None, way()).unwrap();
        let mode = files::facts(&deep).unwrap().unwrap().mode;
        assert_eq!(mode, if os::testing::IS_UNIX { 0o750 } else { 0o700 });
        let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
        let put = |text: &str, wanted, known: &[Digest]| {
            place(&mut text.as_bytes(), &file, wanted, (0o644, None), known, way())
        };
        assert!(put("one", two, &[]).is_err());
        assert_eq!(files::list(&deep).unwrap().unwrap(), [""; 0]);
        put("one", one, &[]).unwrap();
        // Another file is somebody's own, unless it is known.
        assert!(put("two", two, &[]).is_err());
        put("two", two, &[one]).unwrap();
        assert_eq!(remove(&file, one, way()).unwrap(), Removed::Changed);
        remove_empty_folder(&deep, way()).unwrap();
        assert_eq!(remove(&file, two, way()).unwrap(), Removed::Gone);
        remove_empty_folder(&deep, way()).unwrap();
        assert!(!deep.exists());
        assert_eq!(remove(&file, two, way()).unwrap(), Removed::Gone);
    }

    #[cfg(unix)]
    #[test]
    fn roots_rights_follow_no_link_and_go_through_nobodys_folder() {
        if account::effective_uid() != 0 {
            return;
        }
        let (_keep, top) = folder();
        let (mine, theirs) = (top.join("mine"), top.join("theirs"));
        std::fs::create_dir(&mine).unwrap();
        std::fs::create_dir(&theirs).unwrap();
        let nobody = account::by_name("nobody").unwrap();
        std::os::unix::fs::chown(&theirs, Some(nobody.uid), Some(nobody.gid)).unwrap();
        std::os::unix::fs::symlink(&mine, top.join("link")).unwrap();
        let file = mine.join("kept");
        std::fs::write(&file, "kept").unwrap();
        for leads in [top.join("link/x"), theirs.join("x"), theirs.join("deep/x")] {
            let made = create_folder(&leads, 0o755, None, Way::Roots);
            assert!(made.is_err(), "{leads}");
            let put = place(&mut &b"x"[..], &leads, Digest::of(b"x"), (0o644, None), &[], Way::Roots);
            assert!(put.is_err(), "{leads}");
        }
        assert!(remove(&top.join("link/kept"), Digest::of(b"kept"), Way::Roots).is_err());
        assert!(remove_empty_folder(&theirs.join("x"), Way::Roots).is_err());
        // A name that is a link is neither filled nor removed.
        std::os::unix::fs::symlink(&file, mine.join("named")).unwrap();
        let known = [Digest::of(b"kept")];
        let put =
            place(&mut &b"x"[..], &mine.join("named"), Digest::of(b"x"), (0o644, None), &known, Way::Roots);
        assert!(put.is_err());
        assert_eq!(remove(&mine.join("named"), known[0], Way::Roots).unwrap(), Removed::Changed);
        // A folder to which others can write is as good as theirs, but for a sticky one.
        let open = top.join("open");
        std::fs::create_dir(&open).unwrap();
        let modes = [(0o777, false), (0o1777, true), (0o755, true)];
        for (number, (mode, good)) in modes.into_iter().enumerate() {
            std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
            let made = create_folder(&open.join(number.to_string()), 0o755, None, Way::Roots);
            assert_eq!(made.is_ok(), good, "{mode:o}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
    }
}
