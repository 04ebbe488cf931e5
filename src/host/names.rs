//! The addresses of names on the network.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};

use crate::host::name_service::{ask, is_ours_in_part};

/// The addresses of a host with a port, as `localhost:8000`, `10.0.0.1:8000` or `[::1]:8000`.
pub(crate) fn of_place(place: &str) -> io::Result<Vec<SocketAddr>> {
    match place.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?))) {
        Some((host, port)) => of_host(host.trim_start_matches('[').trim_end_matches(']'), port),
        // That it is none is said in the library's words.
        None => Ok(place.to_socket_addrs()?.collect()),
    }
}

/// The addresses of a host, each with this port.
pub(crate) fn of_host(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if is_own(host) {
        let own: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        return Ok(own.into_iter().map(|address| SocketAddr::new(address, port)).collect());
    }
    // An address needs nobody, and who has no module to ask takes many seconds to find that nobody knows a name.
    if host.parse::<IpAddr>().is_err()
        && is_ours_in_part(&["hosts"], &["files", "dns"])
        && let Some(answer) = ask(&["getent", "ahosts", host])
    {
        let found = read(&answer, port);
        let nobody = || io::Error::new(io::ErrorKind::NotFound, "nobody knows this name");
        return if found.is_empty() { Err(nobody()) } else { Ok(found) };
    }
    Ok((host, port).to_socket_addrs()?.collect())
}

/// Whether a name means this host wherever it is said (RFC 6761, 6.3).
fn is_own(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// The first word of each line is an address; each stands there once for each kind of socket.
fn read(text: &str, port: u16) -> Vec<SocketAddr> {
    let mut found: Vec<SocketAddr> = Vec::new();
    for address in
        text.lines().filter_map(|line| line.split_ascii_whitespace().next()?.parse::<IpAddr>().ok())
    {
        let address = SocketAddr::new(address, port);
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_the_host_is_read_once_for_each_address() {
        let text =
            "10.0.0.7  STREAM web.example\n10.0.0.7  DGRAM\n10.0.0.7  RAW\nfd00::7  STREAM\nfd00::7  DGRAM\n";
        assert_eq!(read(text, 80), ["10.0.0.7:80".parse().unwrap(), "[fd00::7]:80".parse().unwrap()]);
        assert!(read("", 80).is_empty());
    }

    #[test]
    fn places_have_addresses() {
        assert_eq!(of_place("127.0.0.1:80").unwrap(), ["127.0.0.1:80".parse().unwrap()]);
        assert_eq!(of_place("[::1]:80").unwrap(), ["[::1]:80".parse().unwrap()]);
        assert_eq!(of_place("Web.Localhost:80").unwrap()[0], "127.0.0.1:80".parse().unwrap());
        assert!(of_place("127.0.0.1").is_err());
    }
}
