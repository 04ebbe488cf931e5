//! Listening sockets that are held for a program, whoever bound them.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use camino::Utf8Path;
use rustix::fs::{Mode, chmodat};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, connect, getsockname, sockopt};
use thiserror::Error;

use crate::host::os;
use crate::host::process::{Credentials, as_account};
use crate::model::socket::{Listen, Socket};

/// How many connections may wait for the program: more than a restart lets come, and what systemd asks for as well.
/// The system's own limit, `net.core.somaxconn`, holds beside it.
const BACKLOG: i32 = 4096;

/// Why a socket can't be held.
#[derive(Debug, Error)]
#[error("can't listen on {listen}: {source}")]
pub struct ListenError {
    /// Where.
    pub listen: Listen,
    /// Why.
    pub source: io::Error,
}

/// The sockets of one program, in the order of its manifest.
#[derive(Clone, Debug, Default)]
pub struct HeldSockets(Arc<Vec<Held>>);

#[derive(Debug)]
struct Held {
    name: String,
    listen: Listen,
    descriptor: OwnedFd,
    /// The device and the number of a Unix socket's file, as it was when it was bound or handed over.
    file: Option<(u64, u64)>,
    /// With whose rights its file is made and removed.
    account: Option<Credentials>,
}

impl HeldSockets {
    /// The sockets that are wanted: those that are there already, and the others bound now, with the rights of the
    /// account. With them, what could not be bound. What is there and not wanted is closed.
    #[must_use]
    pub fn gather(
        wanted: &[Socket],
        usual_name: &str,
        there: Vec<OwnedFd>,
        account: Option<&Credentials>,
    ) -> (Self, Vec<ListenError>) {
        let mut refused = Vec::new();
        let held = Self::choose(wanted, usual_name, there, account, |listen| {
            let refusal = |source| ListenError { listen: listen.clone(), source };
            bind(listen, account).map_err(|source| refused.push(refusal(source))).ok()
        });
        (held, refused)
    }

    /// Those of the wanted sockets that are there already.
    #[must_use]
    pub fn taken(wanted: &[Socket], usual_name: &str, there: Vec<OwnedFd>) -> Self {
        Self::choose(wanted, usual_name, there, None, |_| None)
    }

    fn choose(
        wanted: &[Socket],
        usual_name: &str,
        there: Vec<OwnedFd>,
        account: Option<&Credentials>,
        mut missing: impl FnMut(&Listen) -> Option<OwnedFd>,
    ) -> Self {
        let mut there: Vec<Option<OwnedFd>> = there.into_iter().map(Some).collect();
        let held = wanted.iter().filter_map(|socket| {
            let listen = &socket.listen;
            let found = there
                .iter_mut()
                .find(|one| one.as_ref().is_some_and(|descriptor| is_at(descriptor, listen)))
                .and_then(Option::take);
            let descriptor = found.or_else(|| missing(listen))?;
            let name = socket.name.clone().unwrap_or_else(|| usual_name.to_owned());
            let (file, account) = (file_of(listen), account.cloned());
            Some(Held { name, listen: listen.clone(), descriptor, file, account })
        });
        Self(Arc::new(held.collect()))
    }

    /// Copies of the descriptors, to gather others from.
    pub fn copies(&self) -> io::Result<Vec<OwnedFd>> {
        self.descriptors().map(OwnedFd::try_clone).collect()
    }

    /// The descriptors. One is readable while a connection waits.
    pub fn descriptors(&self) -> impl Iterator<Item = &OwnedFd> {
        self.0.iter().map(|held| &held.descriptor)
    }

    /// Where they listen.
    pub fn listens(&self) -> impl Iterator<Item = &Listen> {
        self.0.iter().map(|held| &held.listen)
    }

    /// Their names, as `LISTEN_FDNAMES` has them.
    #[must_use]
    pub fn names(&self) -> String {
        self.0.iter().map(|held| held.name.as_str()).collect::<Vec<_>>().join(":")
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes the files of Unix sockets that the others do not hold, where they are still those that were held:
    /// nobody answers there any more. The folder may be the account's, who may lay anything else there meanwhile: what
    /// it could not remove itself is not removed.
    pub fn remove_files_but(&self, others: &Self) {
        for held in self.0.iter().filter(|held| held.file.is_some()) {
            if let Listen::Unix(path) = &held.listen
                && others.listens().all(|other| *other != held.listen)
                && file_of(&held.listen) == held.file
            {
                // One that stays is recognised by the next who listens there.
                let _ = as_account(held.account.as_ref(), || std::fs::remove_file(path));
            }
        }
    }
}

/// Listens somewhere. A Unix socket that nobody answers any more is replaced; what else stands in its place stays.
fn bind(listen: &Listen, account: Option<&Credentials>) -> io::Result<OwnedFd> {
    let descriptor: OwnedFd = match listen {
        // What may be privileged is bound with the rights of this process.
        Listen::Tcp(address) => bind_address(address)?,
        Listen::Unix(path) => as_account(account, || bind_path(Utf8Path::new(path)))?.into(),
    };
    rustix::net::listen(&descriptor, BACKLOG)?;
    Ok(descriptor)
}

/// The address may come later than the socket (DHCP), as with `FreeBind=` in the unit that does the same.
fn bind_address(address: &SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let descriptor = os::net::socket(family, SocketType::STREAM, true)?;
    // Connections of the one before that linger do not keep the next from listening (tcp(7), socket(7)).
    sockopt::set_socket_reuseaddr(&descriptor, true)?;
    os::net::bind_early(&descriptor, address.is_ipv4())?;
    rustix::net::bind(&descriptor, address)?;
    Ok(descriptor)
}

fn bind_path(path: &Utf8Path) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_stale(path)? => {
            std::fs::remove_file(path)?;
            UnixListener::bind(path)?
        }
        other => other?,
    };
    // As systemd's `SocketMode=` in the unit that does the same: for the account and its group.
    chmodat(rustix::fs::CWD, path.as_std_path(), Mode::from_raw_mode(0o660), rustix::fs::AtFlags::empty())?;
    Ok(listener)
}

/// Whether the file is a socket on which nobody listens. It never waits: where all places of a listener's queue are
/// taken, somebody listens (`EAGAIN`, connect(2)).
fn is_stale(path: &Utf8Path) -> io::Result<bool> {
    if !std::fs::symlink_metadata(path)?.file_type().is_socket() {
        return Ok(false);
    }
    let asking = os::net::socket(AddressFamily::UNIX, SocketType::STREAM, false)?;
    let address = SocketAddrUnix::new(path.as_std_path())?;
    Ok(connect(&asking, &address) == Err(Errno::CONNREFUSED))
}

fn file_of(listen: &Listen) -> Option<(u64, u64)> {
    let Listen::Unix(path) = listen else { return None };
    let found = std::fs::symlink_metadata(path).ok().filter(|found| found.file_type().is_socket())?;
    Some((found.dev(), found.ino()))
}

/// Whether a descriptor is a socket that listens there.
fn is_at(descriptor: &OwnedFd, listen: &Listen) -> bool {
    if !os::net::is_listening(descriptor) {
        return false;
    }
    let Ok(address) = getsockname(descriptor) else { return false };
    match listen {
        Listen::Tcp(wanted) => SocketAddr::try_from(address)
            .is_ok_and(|address| address.ip() == wanted.ip() && address.port() == wanted.port()),
        Listen::Unix(wanted) => SocketAddrUnix::try_from(address)
            .is_ok_and(|address| address.path_bytes() == Some(wanted.as_bytes())),
    }
}

/// Whether somebody listens at an address of this host, so that nobody else can.
#[must_use]
pub fn is_taken(address: std::net::SocketAddr) -> bool {
    matches!(std::net::TcpListener::bind(address), Err(error) if error.kind() == io::ErrorKind::AddrInUse)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn socket(listen: &str) -> Socket {
        Socket { listen: listen.to_owned().try_into().unwrap(), name: None }
    }

    fn free_port() -> u16 {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }

    #[test]
    fn what_is_there_is_kept_and_the_rest_is_bound() {
        let (one, other) = (format!("127.0.0.1:{}", free_port()), format!("[::1]:{}", free_port()));
        let (first, refused) = HeldSockets::gather(&[socket(&one)], "web", Vec::new(), None);
        assert!(refused.is_empty(), "{refused:?}");
        let (second, refused) =
            HeldSockets::gather(&[socket(&other), socket(&one)], "web", first.copies().unwrap(), None);
        assert!(refused.is_empty(), "{refused:?}");
        assert_eq!((second.len(), second.names().as_str()), (2, "web:web"));
        // Taken by another, the address can't be bound again.
        let (none, refused) = HeldSockets::gather(&[socket(&one)], "web", Vec::new(), None);
        assert!(none.is_empty());
        assert!(refused[0].to_string().starts_with(&format!("can't listen on {one}: ")), "{}", refused[0]);
    }

    #[test]
    fn an_address_that_is_not_there_yet_can_be_listened_at() {
        // Addresses for documentation (RFC 5737, RFC 3849), which no host has.
        for listen in ["192.0.2.1:4711", "[2001:db8::1]:4711"] {
            let (held, refused) = HeldSockets::gather(&[socket(listen)], "web", Vec::new(), None);
            assert!(refused.is_empty(), "{refused:?}");
            assert_eq!(held.len(), 1);
        }
    }

    #[test]
    fn only_a_unix_socket_that_nobody_answers_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/web.sock");
        let wanted = [socket(path.to_str().unwrap())];
        let gather = |there| HeldSockets::gather(&wanted, "web", there, None);
        let (first, refused) = gather(Vec::new());
        assert!(refused.is_empty(), "{refused:?}");
        assert!(gather(Vec::new()).0.is_empty(), "somebody listens there");
        assert_eq!(gather(first.copies().unwrap()).0.len(), 1);
        drop(first);
        assert!(path.exists());
        let (again, _) = gather(Vec::new());
        assert_eq!(again.len(), 1, "left by a dead process");
        again.remove_files_but(&HeldSockets::default());
        assert!(!path.exists());
        std::fs::write(&path, "precious").unwrap();
        again.remove_files_but(&HeldSockets::default());
        assert!(gather(Vec::new()).0.is_empty());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_file_that_its_account_could_not_remove_stays() {
        use std::os::unix::fs::PermissionsExt;
        // Taking another account's rights is root's alone.
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let allow = |mode| std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(mode)).unwrap();
        let path = folder.path().join("web.sock");
        let account = Credentials { uid: 65534, gid: 65534, groups: vec![65534] };
        allow(0o777);
        let (held, refused) =
            HeldSockets::gather(&[socket(path.to_str().unwrap())], "web", Vec::new(), Some(&account));
        assert!(refused.is_empty(), "{refused:?}");
        allow(0o755);
        held.remove_files_but(&HeldSockets::default());
        assert!(path.exists());
        allow(0o777);
        held.remove_files_but(&HeldSockets::default());
        assert!(!path.exists());
    }

    #[test]
    fn a_listener_whose_queue_is_full_is_still_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.sock");
        let listener = UnixListener::bind(&path).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let address = SocketAddrUnix::new(&path).unwrap();
        let mut waiting = Vec::new();
        loop {
            let client = os::net::socket(AddressFamily::UNIX, SocketType::STREAM, false).unwrap();
            if let Err(error) = connect(&client, &address) {
                assert_eq!(error, Errno::AGAIN);
                break;
            }
            waiting.push(client);
            assert!(waiting.len() < 100);
        }
        let (said, answer) = std::sync::mpsc::channel();
        let wanted = [socket(path.to_str().unwrap())];
        std::thread::spawn(move || said.send(HeldSockets::gather(&wanted, "web", Vec::new(), None)));
        let (held, refused) = answer.recv_timeout(std::time::Duration::from_secs(10)).expect("it waits");
        assert!(held.is_empty());
        assert_eq!(refused[0].source.kind(), io::ErrorKind::AddrInUse);
        assert!(path.exists());
    }
}
