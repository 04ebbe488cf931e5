//! The addresses of names on the network.
//!
//! A program that is linked statically asks `/etc/hosts` and the servers of `/etc/resolv.conf` alone. Where these know no
//! answer, the host's own programs ask everybody else who may (nsswitch.conf(5)): systemd, Avahi, a directory.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use crate::host::command::{self, Manner};

/// How long the host may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most that is read of an answer, in bytes.
const LARGEST: usize = 64 << 10;

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
    match (host, port).to_socket_addrs() {
        Ok(found) => Ok(found.collect()),
        Err(error) => asked(host, port).filter(|found| !found.is_empty()).ok_or(error),
    }
}

/// Whether a name means this host wherever it is said (RFC 6761, 6.3); what `localhost` itself is, the host may say.
fn is_own(host: &str) -> bool {
    host.trim_end_matches('.').to_ascii_lowercase().ends_with(".localhost")
}

fn asked(host: &str, port: u16) -> Option<Vec<SocketAddr>> {
    if !cfg!(target_os = "linux") || host.is_empty() || host.starts_with('-') {
        return None;
    }
    let argv = ["getent", "ahosts", host].map(str::to_owned);
    let manner = Manner { limit: Some(PATIENCE), largest: Some(LARGEST), ..Manner::default() };
    let output = command::output(&argv, manner).ok()?;
    (output.code == Some(0)).then(|| read(&output.stdout, port))
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
