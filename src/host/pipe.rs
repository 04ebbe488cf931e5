//! Pipes from which this process reads what another writes, without waiting.

use std::io;

#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use crate::host::os::pipe as system;

#[cfg(unix)]
mod unix;

pub use system::PipeReader;

/// Reads from the standard input, which another process may have read from without waiting before. Waits for what comes;
/// nothing is the end.
pub fn read_input(piece: &mut [u8]) -> io::Result<usize> {
    system::read_input(piece)
}
