//! Unix: sockets by the system's own calls, so that nothing is lost of what is asked of them.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixListener;

use camino::Utf8Path;
use rustix::fs::{Mode, chmodat};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, connect, getsockname, sockopt};

use crate::host::os;
use crate::host::process::{Credentials, as_account};
use crate::model::socket::Listen;

/// How many connections may wait for the program: more than a restart lets come, and what systemd asks for as well.
/// The system's own limit, `net.core.somaxconn`, holds beside it.
const BACKLOG: i32 = 4096;

/// Listens somewhere. A Unix socket that nobody answers any more is replaced; what else stands in its place stays.
pub(super) fn bind(listen: &Listen, account: Option<&Credentials>) -> io::Result<OwnedFd> {
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

pub(super) fn file_of(listen: &Listen) -> Option<(u64, u64)> {
    let Listen::Unix(path) = listen else { return None };
    let found = std::fs::symlink_metadata(path).ok().filter(|found| found.file_type().is_socket())?;
    Some((found.dev(), found.ino()))
}

/// Whether a descriptor is a socket that listens there.
pub(super) fn is_at(descriptor: &OwnedFd, listen: &Listen) -> bool {
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::host::listening::HeldSockets;
    use crate::model::socket::Socket;

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
