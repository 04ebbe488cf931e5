//! A socket on which a process of ours is asked things, by root or by its own account, a line each.

use std::io::{self, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use rustix::fs::{AtFlags, CWD, Mode, chmodat};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketType};

use crate::host::rest::{self, AsFd, BorrowedFd};
use crate::host::{account, os};

/// The longest line that is read, in bytes: a launch spec has a few thousand.
const LONGEST_LINE: usize = 1 << 20;
/// How long an answer may take to be taken by the other end. One that reads nothing is not waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// Nobody else may even speak to it, whatever the mask of this process and the rights of the folder.
const OWN_ALONE: Mode = Mode::RUSR.union(Mode::WUSR);

/// The socket on which this process is asked.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
}

impl Control {
    /// Listens in a folder. What stands there is an earlier one of ours, or nobody's: whoever listens here holds the
    /// lock that says so.
    pub fn bind(folder: &Utf8Path, name: &str) -> io::Result<Self> {
        let (_folder, path) = os::net::short(folder, name)?;
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        chmodat(CWD, &path, OWN_ALONE, AtFlags::empty())?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener })
    }

    /// The next who asks, if there is one and may.
    #[must_use]
    pub fn accept(&self) -> Option<Connection> {
        let (stream, _) = self.listener.accept().ok()?;
        let peer = os::net::peer(&stream).ok()?;
        if ![0, account::effective_uid()].contains(&peer.uid) {
            return None;
        }
        stream.set_nonblocking(true).ok()?;
        Some(Connection { stream, read: Vec::new(), closed: false })
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

/// One end of a conversation.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    read: Vec<u8>,
    closed: bool,
}

impl Connection {
    /// Speaks to the process that listens in a folder.
    pub fn open(folder: &Utf8Path, name: &str) -> io::Result<Self> {
        let (_folder, path) = os::net::short(folder, name)?;
        // Who takes no connections must not hold who asks: without room for another this fails at once (connect(2)).
        let stream = os::net::socket(AddressFamily::UNIX, SocketType::STREAM, false)?;
        net::connect(&stream, &SocketAddrUnix::new(path)?)?;
        Ok(Self { stream: stream.into(), read: Vec::new(), closed: false })
    }

    /// The process that listens at the other end.
    #[must_use]
    pub fn listener(&self) -> Option<u32> {
        os::net::peer(&self.stream).ok().map(|peer| peer.pid)
    }

    /// Says a line, which has its end.
    pub fn say(&mut self, line: &str) -> io::Result<()> {
        let until = Instant::now() + PATIENCE;
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < until => {
                    rest::writable(self.stream.as_fd(), PATIENCE)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The next line that has come, if one has.
    #[must_use]
    pub fn line(&mut self) -> Option<String> {
        self.take();
        let end = self.read.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.read.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// Waits for the next line. Nothing: the other end is gone, or the time is over.
    #[must_use]
    pub fn next_line(&mut self, limit: Duration) -> Option<String> {
        let until = Instant::now() + limit;
        loop {
            if let Some(line) = self.line() {
                return Some(line);
            }
            let left = until.saturating_duration_since(Instant::now());
            if self.closed || left.is_zero() {
                return None;
            }
            rest::any(&[self.stream.as_fd()], Some(left)).ok()?;
        }
    }

    /// Whether the other end is gone. What it said before is still there.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn take(&mut self) {
        let mut piece = [0_u8; 4096];
        while !self.closed {
            match rustix::io::read(&self.stream, &mut piece) {
                Ok(0) => self.closed = true,
                Ok(length) => {
                    self.read.extend_from_slice(piece.get(..length).unwrap_or_default());
                    self.closed = self.read.len() > LONGEST_LINE;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => self.closed = true,
            }
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_both_ways_whatever_the_length_of_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let deep = camino::Utf8PathBuf::try_from(folder.path().join("x".repeat(150))).unwrap();
        std::fs::create_dir(&deep).unwrap();
        drop(Control::bind(&deep, "control").unwrap());
        // What an earlier one left is replaced.
        let control = Control::bind(&deep, "control").unwrap();
        assert!(control.accept().is_none());
        let mode = std::fs::symlink_metadata(deep.join("control")).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
        let mut ours = Connection::open(&deep, "control").unwrap();
        assert_eq!(ours.listener(), Some(std::process::id()));
        let mut theirs = control.accept().unwrap();
        assert_eq!(theirs.line(), None);
        ours.say("one\ntwo\nthr").unwrap();
        ours.say("ee\n").unwrap();
        assert_eq!(
            [theirs.line(), theirs.line(), theirs.line()].map(Option::unwrap),
            ["one", "two", "three"]
        );
        theirs.say("answer\n").unwrap();
        drop(theirs);
        assert_eq!(ours.next_line(PATIENCE).as_deref(), Some("answer"));
        assert_eq!(ours.next_line(PATIENCE), None);
        assert!(ours.is_closed());
    }

    #[test]
    fn who_takes_no_connections_holds_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let folder = camino::Utf8Path::from_path(folder.path()).unwrap();
        let control = Control::bind(folder, "control").unwrap();
        rustix::net::listen(&control, 1).unwrap();
        let opened: Vec<_> = (0..4).map(|_| Connection::open(folder, "control")).collect();
        assert!(opened[0].is_ok() && opened[3].is_err(), "{opened:?}");
    }
}
