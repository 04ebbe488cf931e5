//! How much room is left on a file system.

use camino::Utf8Path;

/// The room of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Tells it from others.
    pub device: u64,
    /// The bytes that a usual account can still write.
    pub available: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it takes no more files, however small. File systems without such a limit say that it has none.
    pub no_files: bool,
}

/// The room of the file system on which a path lies (statvfs(3)). `None`: this can't be known.
#[must_use]
pub fn room(path: &Utf8Path) -> Option<Room> {
    let device = rustix::fs::stat(path.as_str()).ok()?.st_dev;
    let found = rustix::fs::statvfs(path.as_str()).ok()?;
    Some(Room {
        device,
        available: found.f_bavail.saturating_mul(found.f_frsize),
        size: found.f_blocks.saturating_mul(found.f_frsize),
        no_files: found.f_files > 0 && found.f_favail == 0,
    })
}
