//! Windows: no manager there speaks this protocol, and a program can't be heard by it.

use std::convert::Infallible;
use std::io;
use std::os::windows::io::{AsHandle, BorrowedHandle};

use camino::Utf8Path;

use super::Notices;

/// Who sent something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The process.
    pub pid: u32,
    /// Its account.
    pub uid: u32,
}

/// The way to this process's own manager.
#[derive(Debug)]
pub struct Manager(Infallible);

impl Manager {
    /// There is none.
    pub fn at(_address: &str) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Tells it.
    pub fn tell(&self, _message: &str) -> io::Result<()> {
        match self.0 {}
    }
}

/// There is no journal.
pub fn tell_journal(_message: &str, _fields: &[(&str, &str)]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// No stream here is a socket.
#[must_use]
pub fn tell_at_once(_socket: BorrowedHandle<'_>, _line: &str) -> bool {
    false
}

/// The socket on which a program of ours says how it is.
#[derive(Debug)]
pub struct Listener(Infallible);

impl Listener {
    /// There is none.
    pub fn bind(_path: &Utf8Path) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The value of `$NOTIFY_SOCKET` for the program.
    #[must_use]
    pub fn address(&self) -> &str {
        match self.0 {}
    }

    /// What was said since the last call.
    #[must_use]
    pub fn take(&self) -> Vec<Notices> {
        match self.0 {}
    }
}

impl AsHandle for Listener {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        match self.0 {}
    }
}
