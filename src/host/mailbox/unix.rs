//! Unix: a pair of sockets for datagrams, so that poll(2) waits for them as for everything else.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;

/// Where messages arrive.
#[derive(Debug)]
pub(in crate::host) struct Mailbox {
    arrived: UnixDatagram,
    sender: UnixDatagram,
}

impl Mailbox {
    pub(in crate::host) fn new() -> io::Result<Self> {
        let (arrived, sender) = UnixDatagram::pair()?;
        arrived.set_nonblocking(true)?;
        Ok(Self { arrived, sender })
    }

    /// Who sends, on another thread.
    pub(in crate::host) fn sender(&self) -> io::Result<Sender> {
        Ok(Sender(self.sender.try_clone()?))
    }

    /// The next message, which is not longer than the room for it.
    pub(in crate::host) fn take(&self, room: &mut [u8]) -> Option<usize> {
        self.arrived.recv(room).ok()
    }
}

impl AsFd for Mailbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.arrived.as_fd()
    }
}

#[derive(Debug)]
pub(in crate::host) struct Sender(UnixDatagram);

impl Sender {
    /// Sends a message. Nobody waits any more if this fails.
    pub(in crate::host) fn send(&self, message: &[u8]) {
        let _ = self.0.send(message);
    }
}
