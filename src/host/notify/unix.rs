//! Unix: datagrams.

use std::fmt::Write as _;
use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{AtFlags, CWD, Mode, chmodat};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};

use super::{Notices, parse};
pub use crate::host::os::net::Peer;
use crate::host::rest::{AsFd, BorrowedFd};
use crate::host::{environment, os};

/// The longest path that is used, in bytes: what an address holds everywhere.
const LONGEST_PATH: usize = 103;
/// The longest message that is read; a manager's own limit is a page as well.
const LONGEST_MESSAGE: usize = 4096;

/// The way to this process's own manager.
#[derive(Debug)]
pub struct Manager {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl Manager {
    /// The manager at an address as `$NOTIFY_SOCKET` has it: a path, or `@` and an abstract name.
    pub fn at(address: &str) -> io::Result<Self> {
        let address = match address.strip_prefix('@') {
            Some(name) => os::net::abstract_address(name).ok_or(io::ErrorKind::Unsupported)??,
            None => SocketAddr::from_pathname(address)?,
        };
        Ok(Self { socket: UnixDatagram::unbound()?, address })
    }

    /// Tells it. Line feeds inside a value are not allowed by the protocol; the caller has none.
    pub fn tell(&self, message: &str) -> io::Result<()> {
        self.socket.send_to_addr(message.as_bytes(), &self.address).map(|_| ())
    }
}

/// Where the journal listens for messages with fields (`systemd.journal-fields(7)`).
const JOURNAL: &str = "/run/systemd/journal/socket";

/// Writes a line to the journal, with fields. Neither they nor the line may hold a line feed.
pub fn tell_journal(message: &str, fields: &[(&str, &str)]) -> io::Result<()> {
    let mut text = format!("MESSAGE={}\n", message.replace('\n', " "));
    for (name, value) in fields {
        let _ = writeln!(text, "{name}={value}");
    }
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to(text.as_bytes(), JOURNAL).map(|_| ())
}

/// Sends a line into a socket, where this is one: the journal's, on systemd. One that takes no more for a moment must not
/// hold up whoever tells it. Says whether it is one.
#[must_use]
pub fn tell_at_once(socket: BorrowedFd<'_>, line: &str) -> bool {
    send(socket, line.as_bytes(), SendFlags::DONTWAIT | os::net::NO_SIGNAL) != Err(Errno::NOTSOCK)
}

/// The socket on which a program of ours says how it is.
#[derive(Debug)]
pub struct Listener {
    socket: UnixDatagram,
    address: String,
    path: Option<Utf8PathBuf>,
}

impl Listener {
    /// Listens at a path, or, where that is too long for a socket, at an abstract name, or, where there is no such thing,
    /// in the folder of what is temporary. Who sends is told with each message, for the reader to judge.
    pub fn bind(path: &Utf8Path) -> io::Result<Self> {
        let bound = if path.as_str().len() <= LONGEST_PATH {
            Self::at(path.to_owned())?
        } else {
            // A process may listen at several; an abstract name has its limit as well.
            let file: String = path.file_name().unwrap_or_default().chars().take(48).collect();
            let name = format!("mainstay/{}/{file}", crate::host::identity::own());
            match os::net::abstract_address(&name) {
                Some(address) => Self {
                    socket: UnixDatagram::bind_addr(&address?)?,
                    address: format!("@{name}"),
                    path: None,
                },
                None => Self::at(environment::temporary_folder().join(name.replace(['/', ':'], "-")))?,
            }
        };
        bound.socket.set_nonblocking(true)?;
        os::net::tell_senders(&bound.socket)?;
        Ok(bound)
    }

    fn at(path: Utf8PathBuf) -> io::Result<Self> {
        match fs_err::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = UnixDatagram::bind(&path)?;
        // For the program's account alone, whatever the mask of this process and the rights of the folder.
        chmodat(CWD, path.as_std_path(), Mode::RUSR | Mode::WUSR, AtFlags::empty())?;
        Ok(Self { socket, address: path.to_string(), path: Some(path) })
    }

    /// The value of `$NOTIFY_SOCKET` for the program.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What was said since the last call.
    #[must_use]
    pub fn take(&self) -> Vec<Notices> {
        let mut all = Vec::new();
        // A bound, so that a program that says things without end does not hold up everything else.
        for _ in 0..64 {
            let mut buffer = [0_u8; LONGEST_MESSAGE];
            let Ok((length, sender)) = os::net::receive_from(&self.socket, &mut buffer) else { break };
            let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
            all.push(Notices { sender, notices: parse(&text) });
        }
        all
    }
}

/// Readable when something was said.
impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // The next listener removes what is left.
            let _ = fs_err::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::host::notify::Notice;

    #[test]
    fn what_a_program_says_arrives_with_its_sender() {
        let folder = tempfile::tempdir().unwrap();
        let short = Utf8PathBuf::from_path_buf(folder.path().join("notify")).unwrap();
        let long = short.with_file_name("n".repeat(LONGEST_PATH));
        for path in [short, long] {
            let listener = Listener::bind(&path).unwrap();
            if let Ok(metadata) = std::fs::symlink_metadata(&path) {
                assert_eq!(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777, 0o600);
            }
            let manager = Manager::at(listener.address()).unwrap();
            manager
                .tell("READY=1\nSTATUS=all is well\nMAINPID=7\nEXTEND_TIMEOUT_USEC=2000000\nWATCHDOG=1\nWATCHDOG=trigger\nnonsense")
                .unwrap();
            let said = listener.take();
            assert_eq!(said.len(), 1);
            let told = cfg!(target_os = "linux").then(std::process::id);
            assert_eq!(said[0].sender.map(|sender| sender.pid), told);
            let status = Notice::Status("all is well".to_owned());
            assert_eq!(
                said[0].notices,
                [Notice::Ready, status, Notice::Extend(Duration::from_secs(2)), Notice::Alive]
            );
            assert!(listener.take().is_empty());
            drop(listener);
            assert!(!path.exists());
        }
    }

    #[test]
    fn several_listen_where_the_path_is_too_long() {
        let folder = Utf8PathBuf::from(format!("/{}", "n".repeat(LONGEST_PATH)));
        let first = Listener::bind(&folder.join("notify-1")).unwrap();
        let second = Listener::bind(&folder.join("notify-2")).unwrap();
        Manager::at(second.address()).unwrap().tell("READY=1").unwrap();
        assert_eq!((first.take().len(), second.take().len()), (0, 1));
    }
}
