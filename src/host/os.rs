//! The ground: the calls of the operating system of which the rest is made. There is one for each system, and both have
//! the same names, those of POSIX. Files are reached relative to an open folder, so that nobody leads the work elsewhere.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;
