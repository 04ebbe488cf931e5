//! What a person types to mend the rights of a file, in the words of this system.

use camino::Utf8Path;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// The command that takes the right to change it from others.
#[must_use]
pub fn close_to_writers(path: &Utf8Path) -> String {
    system::close_to_writers(path)
}

/// The command that takes the right to read it from others.
#[must_use]
pub fn close_to_readers(path: &Utf8Path) -> String {
    system::close_to_readers(path)
}

/// The command that gives it to an account.
#[must_use]
pub fn give(path: &Utf8Path, owner: &str) -> String {
    system::give(path, owner)
}

/// The command that gives it, and what is in it, to the administrators of the host.
#[must_use]
pub fn own(path: &Utf8Path) -> String {
    system::own(path)
}
