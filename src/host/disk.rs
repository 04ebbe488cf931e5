//! How much room is left on a file system.

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::host::os;
use crate::model::size::Size;

/// The least that is left to others on a file system, in bytes.
const LEAST_RESERVE: u64 = 1 << 20;
/// The most, in bytes: a hundredth of a large one is more than anybody writes in the meantime.
const LARGEST_RESERVE: u64 = 64 << 20;
/// How many files are left to others.
const RESERVED_FILES: u64 = 64;

/// The room of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Tells it from others.
    pub device: os::fs::Dev,
    /// The bytes that a usual account can still write.
    pub available: u64,
    /// Its size in bytes.
    pub size: u64,
    /// How many more files it takes, however small; nothing where it has no such limit.
    pub files: Option<u64>,
}

impl Room {
    /// What is left to others, in bytes: the log lines and the data of whatever runs.
    fn reserve(&self) -> u64 {
        (self.size / 100).clamp(LEAST_RESERVE, LARGEST_RESERVE)
    }
}

/// What an operation needs in a folder, which may not be there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The folder.
    pub folder: Utf8PathBuf,
    /// Bytes.
    pub bytes: u64,
    /// Files and folders.
    pub files: u64,
}

/// There is too little room for an operation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Shortage {
    /// Too few bytes.
    #[error("the file system of `{folder}` has {} left, and {} are needed, a reserve of {} included", available.about(), needed.about(), reserve.about())]
    Bytes {
        /// A folder on the file system.
        folder: Utf8PathBuf,
        /// What is needed.
        needed: Size,
        /// What of that is to be left over.
        reserve: Size,
        /// What is free.
        available: Size,
    },
    /// Too few files.
    #[error(
        "the file system of `{folder}` takes {available} more files, whatever their size, and {needed} are needed"
    )]
    Files {
        /// A folder on the file system.
        folder: Utf8PathBuf,
        /// How many are needed.
        needed: u64,
        /// How many more it takes.
        available: u64,
    },
}

/// Whether there is room for all of these together, with a reserve on each file system. One that does not say how much
/// room it has is found out by writing.
pub fn require(needs: &[Need]) -> Result<(), Shortage> {
    let mut asked: Vec<(Room, Need)> = Vec::new();
    for need in needs {
        let there = need.folder.ancestors().find_map(room);
        let Some(room) = there else { continue };
        match asked.iter_mut().find(|(known, _)| known.device == room.device) {
            Some((_, all)) => {
                all.bytes = all.bytes.saturating_add(need.bytes);
                all.files = all.files.saturating_add(need.files);
            }
            None => asked.push((room, need.clone())),
        }
    }
    for (room, need) in asked {
        let folder = need.folder;
        let needed = need.bytes.saturating_add(room.reserve());
        if room.available < needed {
            let (needed, available) = (Size::new(needed), Size::new(room.available));
            return Err(Shortage::Bytes { folder, needed, reserve: Size::new(room.reserve()), available });
        }
        let needed = need.files.saturating_add(RESERVED_FILES);
        if let Some(available) = room.files.filter(|available| *available < needed) {
            return Err(Shortage::Files { folder, needed, available });
        }
    }
    Ok(())
}

/// Makes a file that takes so many bytes of its file system, with nothing in it.
pub fn occupy(path: &Utf8Path, bytes: u64) -> std::io::Result<()> {
    let file = fs_err::File::create(path)?.into_file();
    Ok(os::fs::fallocate(&file, os::fs::FallocateFlags::empty(), 0, bytes)?)
}

/// The room of the file system on which a path lies (statvfs(3)). `None`: this can't be known.
#[must_use]
pub fn room(path: &Utf8Path) -> Option<Room> {
    let device = os::fs::stat(path.as_str()).ok()?.st_dev;
    let found = os::fs::statvfs(path.as_str()).ok()?;
    Some(Room {
        device,
        available: found.f_bavail.saturating_mul(found.f_frsize),
        size: found.f_blocks.saturating_mul(found.f_frsize),
        files: (found.f_files > 0).then_some(found.f_favail),
    })
}
