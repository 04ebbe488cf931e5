//! Windows: what is asked over such a socket, a second start beside the first, takes listening sockets that both hold. They
//! can't be handed over here, so nobody ever asks.

use std::convert::Infallible;
use std::io;
use std::os::windows::io::{AsHandle, BorrowedHandle};
use std::time::Duration;

use camino::Utf8Path;

/// The socket on which this process is asked.
#[derive(Debug)]
pub struct Control(Infallible);

impl Control {
    /// There is none.
    pub fn bind(_folder: &Utf8Path, _name: &str) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The next who asks.
    #[must_use]
    pub fn accept(&self) -> Option<Connection> {
        match self.0 {}
    }
}

impl AsHandle for Control {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        match self.0 {}
    }
}

/// One end of a conversation.
#[derive(Debug)]
pub struct Connection(Infallible);

impl Connection {
    /// There is none.
    pub fn open(_folder: &Utf8Path, _name: &str) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The process that listens at the other end.
    #[must_use]
    pub fn listener(&self) -> Option<u32> {
        match self.0 {}
    }

    /// Says a line, which has its end.
    pub fn say(&mut self, _line: &str) -> io::Result<()> {
        match self.0 {}
    }

    /// The next line that has come, if one has.
    #[must_use]
    pub fn line(&mut self) -> Option<String> {
        match self.0 {}
    }

    /// Waits for the next line.
    #[must_use]
    pub fn next_line(&mut self, _limit: Duration) -> Option<String> {
        match self.0 {}
    }

    /// Whether the other end is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        match self.0 {}
    }
}

impl AsHandle for Connection {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        match self.0 {}
    }
}
