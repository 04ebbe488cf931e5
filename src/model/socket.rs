//! Listening sockets that outlive a program: they are held for it, and handed over at each start.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A listening socket, held through crashes, restarts and upgrades, and handed to the program by `LISTEN_FDS`
/// (`sd_listen_fds(3)`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Socket {
    /// An IP address and port, as in `127.0.0.1:4000` and `[::]:80`, or the absolute path of a Unix socket.
    #[schemars(extend("examples" = ["127.0.0.1:4000"]))]
    pub listen: Listen,
    /// The name by which the program finds it (`LISTEN_FDNAMES`). Default: the instance's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = NAME_PATTERN), extend("examples" = ["http"]))]
    pub name: Option<String>,
}

/// What a schema says of the name of a socket (`FileDescriptorName=`, systemd.socket(5)).
pub const NAME_PATTERN: &str = "^[A-Za-z0-9_.-]{1,255}$";

/// Refuses what can't be a socket's name.
pub fn check_name(text: &str) -> Result<(), String> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if (1..=255).contains(&text.len()) && text.bytes().all(letter) {
        Ok(())
    } else {
        Err(format!("`{text}` can't name a socket: use up to 255 letters, digits, `_`, `.` and `-`"))
    }
}

const PATTERN: &str = "^(/[^\\s%]+|[0-9.]+:[0-9]{1,5}|\\[[0-9A-Fa-f:.]+\\]:[0-9]{1,5})$";
/// The longest path of a Unix socket, in bytes: 108 with the NUL at its end on Linux (unix(7)), 104 elsewhere.
const LONGEST_PATH: usize = 103;

/// Where a socket listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Listen {
    /// TCP.
    Tcp(std::net::SocketAddr),
    /// A Unix stream socket at a path.
    Unix(String),
}

/// A text that says nowhere to listen.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ListenError {
    /// It is neither an address nor a path.
    #[error(
        "`{0}` is nowhere to listen: write an IP address and a port from 1 to 65535, as in `127.0.0.1:4000` or `[::]:80`, or the absolute path of a Unix socket (at most 103 bytes)"
    )]
    Nowhere(String),
    /// A path below the old name of `/run`: systemd would listen below `/run`, and no socket of that name would be
    /// found among those it hands over.
    #[error("`{0}` lies below `/var/run`, the old name of `/run`: write `{new}`", new = renamed(.0))]
    OldName(String),
}

const OLD_NAME: &str = "/var/run/";

fn renamed(text: &str) -> String {
    format!("/run/{}", text.trim_start_matches(OLD_NAME))
}

impl TryFrom<String> for Listen {
    type Error = ListenError;
    fn try_from(text: String) -> Result<Self, ListenError> {
        if text.starts_with(OLD_NAME) {
            return Err(ListenError::OldName(text));
        }
        if text.starts_with('/') {
            let sound = text.len() <= LONGEST_PATH
                && text.len() > 1
                && !text.contains(|next: char| next.is_whitespace() || next.is_control() || next == '%');
            return if sound { Ok(Self::Unix(text)) } else { Err(ListenError::Nowhere(text)) };
        }
        // A zone (`%1`) names an interface by a number that the next boot may give to another.
        let usual = !text.contains('%') && text.rsplit(':').next().is_some_and(|port| port.len() <= 5);
        match text.parse::<std::net::SocketAddr>() {
            Ok(address) if usual && address.port() != 0 => Ok(Self::Tcp(address)),
            _ => Err(ListenError::Nowhere(text)),
        }
    }
}

impl From<Listen> for String {
    fn from(listen: Listen) -> Self {
        listen.to_string()
    }
}

impl std::fmt::Display for Listen {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix(path) => formatter.pad(path),
        }
    }
}

/// Whether one of the sockets answers at an address that a probe asks, such as `http://127.0.0.1:80/` or
/// `localhost:80`. An address with a variable in it, and a host that only a resolver knows, can't be known here.
#[must_use]
pub fn answered_by(address: &str, sockets: &[Socket]) -> bool {
    let (scheme, rest) = address.split_once("://").map_or((None, address), |(name, rest)| (Some(name), rest));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let colon = authority.rfind(':').filter(|at| authority.get(*at..).is_some_and(|end| !end.contains(']')));
    let (host, port) = colon.map_or((authority, None), |at| {
        let (host, port) = authority.split_at(at);
        (host, Some(port.trim_start_matches(':')))
    });
    let usual = scheme.map_or(0, |_| 80);
    let Ok(port) = port.map_or(Ok(usual), str::parse::<u16>) else { return false };
    let named = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    sockets.iter().any(|socket| {
        let Listen::Tcp(held) = &socket.listen else { return false };
        let reached = match named {
            Ok(ip) if ip.is_unspecified() => held.ip().is_unspecified() || held.ip().is_loopback(),
            Ok(ip) if held.ip().is_unspecified() => held.is_ipv6() || ip.is_ipv4(),
            Ok(ip) => ip.to_canonical() == held.ip().to_canonical(),
            Err(_) if host.eq_ignore_ascii_case("localhost") => {
                held.ip().is_unspecified() || held.ip().is_loopback()
            }
            Err(_) => false,
        };
        held.port() == port && reached
    })
}

impl JsonSchema for Listen {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Listen".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": PATTERN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_which_addresses_a_held_socket_answers() {
        for (listen, address, answers) in [
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "localhost:80", true),
            ("127.0.0.1:80", "http://127.0.0.1/ready", true),
            ("127.0.0.1:80", "http://127.0.0.1:80?x=1:2", true),
            ("127.0.0.1:80", "0.0.0.0:80", true),
            ("0.0.0.0:80", "10.0.0.1:80", true),
            ("[::]:80", "http://[::1]:80/", true),
            ("[::]:80", "http://[::1]/", true),
            ("[::]:80", "127.0.0.1:80", true),
            ("[::1]:80", "[::ffff:127.0.0.1]:80", false),
            ("127.0.0.1:80", "[::ffff:127.0.0.1]:80", true),
            // Elsewhere, or not to be known.
            ("127.0.0.1:80", "127.0.0.1:81", false),
            ("127.0.0.1:80", "127.0.0.2:80", false),
            ("0.0.0.0:80", "[::1]:80", false),
            ("127.0.0.1:80", "database:80", false),
            ("127.0.0.1:80", "127.0.0.1:{env.PORT}", false),
            ("127.0.0.1:80", "{env.HOST}:80", false),
            ("/run/web.sock", "127.0.0.1:80", false),
        ] {
            let sockets = [Socket { listen: listen.to_owned().try_into().unwrap(), name: None }];
            assert_eq!(answered_by(address, &sockets), answers, "{listen} {address}");
        }
    }

    #[test]
    fn addresses_and_paths_are_told_apart() {
        for text in ["127.0.0.1:4000", "[::1]:80", "/run/web.sock"] {
            assert_eq!(Listen::try_from(text.to_owned()).unwrap().to_string(), text);
        }
        for wrong in [
            "4000",
            "localhost:4000",
            "127.0.0.1:0",
            "127.0.0.1:70000",
            "::1:80",
            "run/web",
            "/a b",
            "/",
            "/var/run/web.sock",
            "[fe80::1%2]:80",
            "127.0.0.1:000080",
        ] {
            assert!(Listen::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
