//! Windows has no such protocol, and no process becomes another.

use std::io;

use crate::host::rest::OwnedFd;

/// Nobody asks for this here.
#[must_use]
pub fn taken_over(_words: &[String]) -> Option<u8> {
    None
}

/// Nobody hands sockets over here.
pub fn inherited() -> io::Result<Vec<OwnedFd>> {
    Ok(Vec::new())
}
