//! Storing once what two versions have in common: a file of a tree that is being filled becomes another name of the
//! same file of a tree that is there.
//!
//! A link is only made to bytes that were read just now and are equal, of a file that nobody may write, of the same
//! owner and mode, without further attributes, on the same file system. Whatever stands against it, the copy stays.
//!
//! A program with root's rights could write through such a name all the same, and so into the version before: its files
//! share their bytes only where the file system copies them once one is changed.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use camino::Utf8Path;

use crate::host::os;
use crate::host::os::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use crate::host::os::{AsFd as _, BorrowedFd, OwnedFd};
use crate::package::disk;

/// How much of two files is compared at a time, in bytes.
const PIECE: usize = 128 << 10;
/// So many files a thread takes at a time: neighbours mostly stand in one folder.
const BATCH: usize = 32;
/// More threads than this don't make links any faster.
const MOST_THREADS: usize = 4;
/// How many files of the same name and size are compared where that of the same path is another.
const MOST_NAMESAKES: usize = 2;
/// How the name begins under which a link is made before it takes the copy's place.
const BESIDE: &str = ".mainstay-link";

/// How files are shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Not at all: it is only found out what could be.
    Look,
    /// By a second name of the same file.
    Link,
    /// By the same bytes on the disk, until one of both is written (`FICLONE`); where that can't be, not at all.
    Clone,
}

/// What is stored once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// Files.
    pub files: u64,
    /// What they take of the disk, in bytes.
    pub bytes: u64,
}

/// A regular file of a tree.
struct Place {
    folder: String,
    name: String,
    size: u64,
}

impl Place {
    fn path(&self) -> String {
        if self.folder.is_empty() { self.name.clone() } else { format!("{}/{}", self.folder, self.name) }
    }
}

/// A tree whose files may be named again.
struct Old {
    root: OwnedFd,
    files: Vec<Place>,
    by_path: HashMap<String, usize>,
    by_name: HashMap<(String, u64), Vec<usize>>,
}

impl Old {
    fn open(tree: &Utf8Path) -> io::Result<Self> {
        let root = disk::open_folder(tree)?;
        let mut files = Vec::new();
        list(root.as_fd(), "", &mut files)?;
        let mut old = Self { root, files, by_path: HashMap::new(), by_name: HashMap::new() };
        for (number, place) in old.files.iter().enumerate() {
            old.by_path.insert(place.path(), number);
            old.by_name.entry((place.name.clone(), place.size)).or_default().push(number);
        }
        Ok(old)
    }

    /// The files that may be the same as one: that of its path, then its namesakes.
    fn like<'a>(&'a self, place: &'a Place) -> impl Iterator<Item = &'a Place> {
        let same = self.by_path.get(&place.path()).copied();
        let namesakes = self.by_name.get(&(place.name.clone(), place.size)).into_iter().flatten().copied();
        let others = namesakes.filter(move |number| Some(*number) != same).take(MOST_NAMESAKES);
        let all = same.into_iter().chain(others).filter_map(|number| self.files.get(number));
        all.filter(|other| other.size == place.size)
    }
}

/// Shares the files of a tree that is being filled with other trees; those named first are tried first. A tree that can't be read shares nothing.
pub(crate) fn share(root: BorrowedFd<'_>, others: &[&Utf8Path], manner: Manner) -> io::Result<Shared> {
    let olds: Vec<Old> = others.iter().filter_map(|tree| Old::open(tree).ok()).collect();
    if olds.is_empty() {
        return Ok(Shared::default());
    }
    let mut files = Vec::new();
    list(root, "", &mut files)?;
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|number| {
                let (files, olds, next) = (&files, &olds, &next);
                scope.spawn(move || Worker::new(root, olds, manner, number).run(files, next))
            })
            .collect();
        let mut shared = Shared::default();
        for worker in workers {
            let done =
                worker.join().map_err(|_| io::Error::other("a thread that shares files ended early"))??;
            shared.files += done.files;
            shared.bytes += done.bytes;
        }
        Ok(shared)
    })
}

/// Lists the regular files below a folder, in its order, which is mostly that of the disk.
fn list(folder: BorrowedFd<'_>, path: &str, files: &mut Vec<Place>) -> io::Result<()> {
    for name in disk::names(folder)? {
        let stat = os::fs::statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        let Ok(text) = name.to_str() else { continue };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let below = os::fs::openat(folder, &name, disk::FOLDER_FLAGS, Mode::empty())?;
                let path = if path.is_empty() { text.to_owned() } else { format!("{path}/{text}") };
                list(below.as_fd(), &path, files)?;
            }
            FileType::RegularFile => files.push(Place {
                folder: path.to_owned(),
                name: text.to_owned(),
                size: u64::try_from(stat.st_size).unwrap_or(0),
            }),
            _ => {}
        }
    }
    Ok(())
}

/// The folder of a tree that was opened last, which mostly is the next one too.
struct Last<'a> {
    root: BorrowedFd<'a>,
    path: String,
    folder: Option<OwnedFd>,
}

impl<'a> Last<'a> {
    fn new(root: BorrowedFd<'a>) -> Self {
        Self { root, path: String::new(), folder: None }
    }

    fn open(&mut self, path: &str) -> io::Result<BorrowedFd<'_>> {
        if self.path != path {
            let mut folder: Option<OwnedFd> = None;
            for part in path.split('/').filter(|part| !part.is_empty()) {
                let parent = folder.as_ref().map_or(self.root, |folder| folder.as_fd());
                folder = Some(disk::open_folder_at(parent, part)?);
            }
            self.folder = folder;
            path.clone_into(&mut self.path);
        }
        Ok(self.folder.as_ref().map_or(self.root, |folder| folder.as_fd()))
    }
}

struct Worker<'a> {
    olds: &'a [Old],
    last: Vec<Last<'a>>,
    root: Last<'a>,
    manner: Manner,
    /// Whether the file system can't do what is asked.
    cannot: bool,
    beside: String,
    ours: Vec<u8>,
    theirs: Vec<u8>,
}

impl<'a> Worker<'a> {
    fn new(root: BorrowedFd<'a>, olds: &'a [Old], manner: Manner, number: usize) -> Self {
        Self {
            olds,
            last: olds.iter().map(|old| Last::new(old.root.as_fd())).collect(),
            root: Last::new(root),
            manner,
            cannot: false,
            beside: format!("{BESIDE}{number}"),
            ours: vec![0; PIECE],
            theirs: vec![0; PIECE],
        }
    }

    fn run(mut self, files: &[Place], next: &AtomicUsize) -> io::Result<Shared> {
        let mut shared = Shared::default();
        loop {
            let from = next.fetch_add(BATCH, Ordering::Relaxed);
            if from >= files.len() || self.cannot {
                return Ok(shared);
            }
            for place in &files[from..files.len().min(from + BATCH)] {
                if let Some(bytes) = self.share(place)? {
                    shared.files += 1;
                    shared.bytes += bytes;
                }
            }
        }
    }

    /// Shares one file, if it can be, and gives what that saves.
    fn share(&mut self, place: &Place) -> io::Result<Option<u64>> {
        let folder = self.root.open(&place.folder)?;
        let mut own: Option<(File, Stat)> = None;
        for (old, last) in self.olds.iter().zip(&mut self.last) {
            for like in old.like(place) {
                // What can't be opened there is not shared; that of our own has to be there.
                let Ok(there) = last.open(&like.folder) else { continue };
                let Ok(theirs) = disk::open_file_at(there, &like.name) else { continue };
                let their_stat = os::fs::fstat(&theirs)?;
                if own.is_none() {
                    let file = disk::open_file_at(folder, &place.name)?;
                    let stat = os::fs::fstat(&file)?;
                    own = Some((file, stat));
                }
                let Some((file, stat)) = &mut own else { continue };
                if !may_be_one(stat, &their_stat, self.manner != Manner::Look)
                    || os::fs::has_attributes(&theirs)
                    || !equal(file, &theirs, &mut self.ours, &mut self.theirs)?
                {
                    continue;
                }
                // Where nobody takes the name of a file that is open, not even by this program.
                own = None;
                let saved = u64::try_from(their_stat.st_blocks).unwrap_or(0) * 512;
                let done = match self.manner {
                    Manner::Look => true,
                    Manner::Link => {
                        link((there, &like.name), &their_stat, folder, &place.name, &self.beside)?
                    }
                    Manner::Clone => {
                        self.cannot = !clone(folder, &place.name, &theirs);
                        !self.cannot
                    }
                };
                if done || self.cannot {
                    return Ok(done.then_some(saved));
                }
            }
        }
        Ok(None)
    }
}

/// Whether two files may be one: nobody may write them, and nothing but their content can tell them apart.
fn may_be_one(ours: &Stat, theirs: &Stat, same_disk: bool) -> bool {
    theirs.st_mode & 0o222 == 0
        && theirs.st_mode == ours.st_mode
        && theirs.st_size == ours.st_size
        && (theirs.st_uid, theirs.st_gid) == (ours.st_uid, ours.st_gid)
        && (theirs.st_dev == ours.st_dev || !same_disk)
        && (theirs.st_dev, theirs.st_ino) != (ours.st_dev, ours.st_ino)
}

fn equal(ours: &mut File, mut theirs: &File, one: &mut [u8], other: &mut [u8]) -> io::Result<bool> {
    io::Seek::seek(ours, io::SeekFrom::Start(0))?;
    loop {
        let count = fill(ours, one)?;
        // A damaged file is no reason to stop: ours stays.
        let Ok(their_count) = fill(&mut theirs, other) else { return Ok(false) };
        if count != their_count || one[..count] != other[..count] {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut impl io::Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Lets a file have its bytes in common with one that is equal, and says whether it has.
fn clone(folder: BorrowedFd<'_>, name: &str, theirs: &File) -> bool {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let ours = os::fs::openat(folder, name, flags, Mode::empty());
    ours.is_ok_and(|ours| os::fs::ioctl_ficlone(&ours, theirs).is_ok())
}

/// Puts a link to a file that was just read into the place of its copy, and says whether it did.
fn link(
    there: (BorrowedFd<'_>, &str),
    read: &Stat,
    folder: BorrowedFd<'_>,
    name: &str,
    beside: &str,
) -> io::Result<bool> {
    if os::fs::linkat(there.0, there.1, folder, beside, AtFlags::empty()).is_err() {
        // Another disk, too many links, or forbidden: the copy does as well.
        return Ok(false);
    }
    let made = os::fs::statat(folder, beside, AtFlags::SYMLINK_NOFOLLOW);
    let is_it = made.is_ok_and(|made| {
        (made.st_dev, made.st_ino, made.st_size) == (read.st_dev, read.st_ino, read.st_size)
            && (made.st_mtime, made.st_mtime_nsec, made.st_mode)
                == (read.st_mtime, read.st_mtime_nsec, read.st_mode)
    });
    if is_it && os::fs::renameat(folder, beside, folder, name).is_ok() {
        return Ok(true);
    }
    // It must not become a part of the tree.
    os::fs::unlinkat(folder, beside, AtFlags::empty())?;
    Ok(false)
}

#[cfg(test)]
mod tests;
