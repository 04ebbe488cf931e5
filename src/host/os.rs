//! The ground: the calls of the operating system of which the rest is made. There is one for each system, and both have
//! the same names, those of POSIX. Files are reached relative to an open folder, so that nobody leads the work elsewhere.

#[cfg(test)]
pub(crate) mod testing;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;

/// What can't be packed, beside what a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// It is neither a file, a folder nor a link, but this.
    Kind(&'static str),
    /// It has bits that give rights to whoever executes it.
    Bits,
}
