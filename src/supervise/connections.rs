//! Whether somebody needs a program whose sockets are held for it: the connections to them, as the kernel lists them
//! (proc(5): `/proc/net/tcp`, `tcp6`, `unix`).
//!
//! A connection counts in every state but that of a socket which listens. So one that was closed counts for the
//! minute that the kernel remembers it (`TIME_WAIT`), on the server's side, or on the client's where that is this host:
//! without it, a program that is asked often and answers at once would look idle. Of a client on another host that
//! closes first, and of a Unix socket, the kernel remembers nothing; such a client is seen only while it is connected,
//! or waits. If it is missed the program is stopped, and its next connection starts it again.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::host::rest::{self, BorrowedFd};
use crate::model::socket::Listen;

/// The state of a TCP socket that listens, and of one that is closed and remembered (`tcp_states.h`).
const LISTENS: u8 = 0x0A;
const REMEMBERED: u8 = 0x06;
/// The states of a Unix socket that waits to be taken, and of one that is connected (`net.h`).
const CONNECTIONS: [&str; 2] = ["02", "03"];

/// The connections to sockets: for each its other end, which over a Unix socket has no address. An error says that it
/// can't be known; then somebody may be there.
pub(crate) fn others(sockets: &[Listen]) -> io::Result<Vec<Option<SocketAddr>>> {
    let tcp = sockets.iter().any(|socket| matches!(socket, Listen::Tcp(_)));
    let unix = sockets.iter().any(|socket| matches!(socket, Listen::Unix(_)));
    let mut found = Vec::new();
    if tcp {
        let client = |line: &str| tcp_client(line, sockets).map(Some);
        found.extend(listed("/proc/self/net/tcp", client)?);
        match listed("/proc/self/net/tcp6", client) {
            // A host without IPv6 has no such file.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => found.extend(other?),
        }
    }
    if unix {
        found
            .extend(listed("/proc/self/net/unix", |line| is_unix_connection(line, sockets).then_some(None))?);
    }
    Ok(found)
}

/// Whether a connection waits to be taken from a socket that listens. It says so at once.
pub(crate) fn waits(socket: BorrowedFd<'_>) -> bool {
    rest::any(&[socket], Some(Duration::ZERO)).unwrap_or(false)
}

fn listed<T>(path: &str, of: impl Fn(&str) -> Option<T>) -> io::Result<Vec<T>> {
    let mut reader = BufReader::new(File::open(path)?);
    let (mut line, mut found) = (Vec::new(), Vec::new());
    // A path of a Unix socket need not be text.
    while reader.read_until(b'\n', &mut line)? > 0 {
        found.extend(of(String::from_utf8_lossy(&line).trim_end_matches('\n')));
        line.clear();
    }
    Ok(found)
}

/// The client of a connection, from a line such as `0: 0100007F:0FA0 0100007F:D431 01 …`: number, local address, remote
/// address, state.
fn tcp_client(line: &str, sockets: &[Listen]) -> Option<SocketAddr> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let local = fields.next().and_then(address)?;
    let remote = fields.next().and_then(address)?;
    let state = u8::from_str_radix(fields.next()?, 16).unwrap_or(LISTENS);
    let to = |end| sockets.iter().any(|socket| is_at(socket, end));
    if state != LISTENS && to(local) {
        return Some(remote);
    }
    // The other end of a connection counts only where it is on this host, and this end is no longer listed.
    let here = remote.ip().is_loopback() || remote.ip() == local.ip();
    (state == REMEMBERED && here && to(remote)).then_some(local)
}

/// Whether a connection to this address is one to the socket.
fn is_at(socket: &Listen, end: SocketAddr) -> bool {
    let Listen::Tcp(listens) = socket else { return false };
    let all = listens.ip().is_unspecified() && (listens.is_ipv6() || end.is_ipv4());
    listens.port() == end.port() && (all || listens.ip().to_canonical() == end.ip())
}

/// An address as the kernel writes it: words of four bytes in the order of this machine, and the port. An IPv4
/// address in IPv6's clothes is taken out of them.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |from: usize| {
        let word = u32::from_str_radix(ip.get(from..from + 8)?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    let ip = match ip.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let bytes: [u8; 16] = words.concat().try_into().ok()?;
            IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// A line such as `0000000000000000: 00000003 00000000 00000000 0001 03 4242 /run/web.sock`: address, references,
/// protocol, flags, type, state, inode, path.
fn is_unix_connection(line: &str, sockets: &[Listen]) -> bool {
    let mut fields = line.split_ascii_whitespace();
    let state = fields.nth(5);
    let path = fields.nth(1);
    state.is_some_and(|state| CONNECTIONS.contains(&state))
        && sockets.iter().any(|socket| matches!(socket, Listen::Unix(own) if Some(own.as_str()) == path))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::Read as _;
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;
    use crate::host::rest::AsFd as _;

    fn number(sockets: &[Listen]) -> io::Result<usize> {
        others(sockets).map(|found| found.len())
    }

    fn listen(text: &str) -> Listen {
        Listen::try_from(text.to_owned()).unwrap()
    }

    /// A listener at an address, and the socket as a manifest writes it.
    fn bound(address: &str) -> Option<(TcpListener, Listen, u16)> {
        let listener = TcpListener::bind(address).ok()?;
        let address = listener.local_addr().unwrap();
        Some((listener, listen(&address.to_string()), address.port()))
    }

    #[test]
    fn connections_over_tcp_are_counted_and_others_are_not() {
        let mut tried = 0;
        for (own, clients) in [
            ("127.0.0.1:0", &["127.0.0.1"][..]),
            ("0.0.0.0:0", &["127.0.0.1"]),
            ("[::1]:0", &["::1"]),
            // Without `IPV6_V6ONLY` it takes both.
            ("[::]:0", &["::1", "127.0.0.1"]),
        ] {
            // A host may have no IPv6.
            let Some((listener, socket, port)) = bound(own) else { continue };
            let sockets = [socket];
            for client in clients {
                assert_eq!(number(&sockets).unwrap(), 0, "{own}");
                assert!(!waits(listener.as_fd()));
                let ip: IpAddr = client.parse().unwrap();
                let client = TcpStream::connect((ip, port)).unwrap();
                assert!(waits(listener.as_fd()));
                assert_eq!(number(&sockets).unwrap(), 1, "{own}");
                let (taken, _) = listener.accept().unwrap();
                assert!(!waits(listener.as_fd()));
                assert_eq!(number(&sockets).unwrap(), 1, "{own}");
                // A reset leaves nothing that is remembered.
                rustix::net::sockopt::set_socket_linger(&client, Some(std::time::Duration::ZERO)).unwrap();
                drop(client);
                assert!(taken.take(1).read_to_end(&mut Vec::new()).is_err());
                tried += 1;
            }
            let elsewhere = listen(&format!("127.0.0.9:{port}"));
            let _client = TcpStream::connect((clients[0].parse::<IpAddr>().unwrap(), port)).unwrap();
            assert_eq!(number(&[elsewhere]).unwrap(), 0);
        }
        assert!(tried >= 2);
    }

    #[test]
    fn connections_that_were_closed_count_for_a_while_whoever_closed_first() {
        for client_first in [true, false] {
            let (listener, socket, port) = bound("127.0.0.1:0").unwrap();
            let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (taken, _) = listener.accept().unwrap();
            if client_first {
                drop(client);
                drop(taken);
            } else {
                drop(taken);
                drop(client);
            }
            assert_eq!(number(&[socket]).unwrap(), 1, "{client_first}");
        }
    }

    #[test]
    fn connections_to_unix_sockets_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let sockets = [listen(path.to_str().unwrap()), listen("127.0.0.1:9")];
        assert_eq!(number(&sockets).unwrap(), 0);
        let client = UnixStream::connect(&path).unwrap();
        assert!(waits(listener.as_fd()));
        assert_eq!(number(&sockets).unwrap(), 1);
        let (taken, _) = listener.accept().unwrap();
        assert!(!waits(listener.as_fd()));
        assert_eq!(number(&sockets).unwrap(), 1);
        drop((client, taken));
        assert_eq!(number(&sockets).unwrap(), 0);
    }

    #[test]
    fn what_is_no_connection_is_passed_over() {
        let sockets = [listen("0.0.0.0:80")];
        for (line, counts) in [
            ("  sl  local_address rem_address   st tx_queue rx_queue", false),
            ("0: 00000000:0050 00000000:0000 0A 0", false),
            ("1: 00000000:0050 00000000:0000 01 0", true),
            ("1: zz:0050 00000000:0000 01 0", false),
            ("", false),
        ] {
            assert_eq!(tcp_client(line, &sockets).is_some(), counts, "{line}");
        }
        // One to port 80 of another host.
        let remote = |ip: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(ip));
        let line = |ip| format!("1: {}:D431 {}:0050 06 0", remote([10, 0, 0, 1]), remote(ip));
        assert!(tcp_client(&line([10, 0, 0, 2]), &sockets).is_none());
        assert!(tcp_client(&line([10, 0, 0, 1]), &sockets).is_some());
        // An IPv6 client does not reach a socket of IPv4.
        let six = format!("1: {}:0050 {}:D431 01 0", "0".repeat(24) + "01000000", "0".repeat(32));
        assert!(tcp_client(&six, &sockets).is_none());
    }
}
