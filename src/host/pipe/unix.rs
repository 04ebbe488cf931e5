//! A pipe is a descriptor from which is read without waiting.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{Errno, ioctl_fionbio};

/// The end of a pipe that is read.
#[derive(Debug)]
pub struct PipeReader(OwnedFd);

impl PipeReader {
    /// From here on nobody waits who reads from it.
    pub(in crate::host) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        ioctl_fionbio(&descriptor, true)?;
        Ok(Self(descriptor))
    }

    /// Reads what is there: nothing is the end, and where there is nothing yet that is an error
    /// ([`io::ErrorKind::WouldBlock`]).
    pub fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(&self.0, piece)?)
    }
}

impl AsFd for PipeReader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

pub(super) fn read_input(piece: &mut [u8]) -> io::Result<usize> {
    let input = rustix::stdio::stdin();
    loop {
        match rustix::io::read(input, &mut *piece) {
            Err(Errno::AGAIN) => ioctl_fionbio(input, false)?,
            Err(Errno::INTR) => {}
            other => return Ok(other?),
        }
    }
}
