//! The addresses that readiness probes ask, in which `{env.NAME}` may stand for a variable's value.

use thiserror::Error;

use crate::model::token::expand_variables;
use crate::model::variable::VariableName;

/// What a schema says of the address of an HTTP probe.
pub const HTTP_PATTERN: &str = "^http://[^\\s/?#]";
/// What a schema says of the address of a TCP probe.
pub const TCP_PATTERN: &str = "^[^\\s]+:([0-9]|\\{env\\.[A-Za-z_][A-Za-z0-9_]*\\})+$";
/// What a schema says of the HTTP address of a service for development, which may name its port by `{port}`.
pub const DEVELOPMENT_HTTP_PATTERN: &str = "^http://[^\\s/?#]+";

/// Why a text is no address that can be probed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// It does not begin as HTTP addresses do.
    #[error(
        "`{0}` can't be probed: an address that begins with `http://` is needed, as in `http://127.0.0.1:8080/health`"
    )]
    Scheme(String),
    /// Something in it can't stand in an address.
    #[error("`{0}` is not an address: white space and control characters can't stand in one")]
    Character(String),
    /// The host is missing or malformed.
    #[error("`{0}` names no host: write one, as in `127.0.0.1:8080`")]
    Host(String),
    /// A TCP address without a port.
    #[error("`{0}` has no port: write a host and a port, as in `127.0.0.1:5432`")]
    PortMissing(String),
    /// A port that is none.
    #[error("`{0}` has no usable port: a number from 1 to 65535 is needed")]
    Port(String),
}

impl AddressError {
    /// The same of the text as somebody wrote it.
    fn of(self, text: &str) -> Self {
        let text = text.to_owned();
        match self {
            Self::Scheme(_) => Self::Scheme(text),
            Self::Character(_) => Self::Character(text),
            Self::Host(_) => Self::Host(text),
            Self::PortMissing(_) => Self::PortMissing(text),
            Self::Port(_) => Self::Port(text),
        }
    }
}

/// Refuses what can't be the address of an HTTP probe.
pub fn check_http(text: &str) -> Result<(), AddressError> {
    let resolved = fill(text);
    let Some(rest) = resolved.strip_prefix("http://") else {
        return Err(AddressError::Scheme(text.to_owned()));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = split(text, authority)?;
    check_host(text, host)?;
    port.map_or(Ok(()), |port| check_port(text, port))
}

/// Refuses what can't be the address of a TCP probe.
pub fn check_tcp(text: &str) -> Result<(), AddressError> {
    let resolved = fill(text);
    let (host, port) = split(text, &resolved)?;
    let Some(port) = port else {
        return Err(AddressError::PortMissing(text.to_owned()));
    };
    check_host(text, host)?;
    check_port(text, port)
}

/// Refuses what can't be the HTTP address of a service for development.
pub fn check_development_http(text: &str) -> Result<(), AddressError> {
    check_http(&text.replace("{port}", "1")).map_err(|error| error.of(text))
}

/// The text with a digit in the place of each variable: what a variable holds is known only at start.
fn fill(text: &str) -> String {
    expand_variables(text, |name| VariableName::new(name).is_ok().then(|| "1".to_owned()))
}

/// Host and port. An IPv6 address stands in brackets, which its colons make necessary.
fn split<'a>(text: &str, authority: &'a str) -> Result<(&'a str, Option<&'a str>), AddressError> {
    if text.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Err(AddressError::Character(text.to_owned()));
    }
    if let Some(bracketed) = authority.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']').ok_or_else(|| AddressError::Host(text.to_owned()))?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| AddressError::Host(text.to_owned()))?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(AddressError::Host(text.to_owned())),
        };
    }
    match authority.rsplit_once(':') {
        Some((host, _)) if host.contains(':') => Err(AddressError::Host(text.to_owned())),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((authority, None)),
    }
}

fn check_host(text: &str, host: &str) -> Result<(), AddressError> {
    let misplaced = |letter: char| matches!(letter, '/' | '@' | '[' | ']' | '{' | '}' | '\\');
    if host.is_empty() || host.contains(misplaced) {
        Err(AddressError::Host(text.to_owned()))
    } else {
        Ok(())
    }
}

fn check_port(text: &str, port: &str) -> Result<(), AddressError> {
    // Five digits are enough for every port, and all that the schema's pattern takes.
    let digits = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(1..) if digits => Ok(()),
        _ => Err(AddressError::Port(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_probes_are_told_from_others() {
        for text in [
            "http://localhost",
            "http://127.0.0.1:8080/health?x={y}#z",
            "http://[::1]:80/",
            "http://[::1]/a:b@c",
            "http://{env.HOST}:{env.PORT}/",
            "http://127.0.0.1:80{env.LAST}",
        ] {
            assert_eq!(check_http(text), Ok(()), "{text}");
        }
        for text in ["localhost:80", "127.0.0.1:65535", "[::1]:5432", "{env.HOST}:{env.PORT}"] {
            assert_eq!(check_tcp(text), Ok(()), "{text}");
        }
        let owned = str::to_owned;
        for (text, error) in [
            ("https://x/", AddressError::Scheme as fn(String) -> AddressError),
            ("127.0.0.1:80", AddressError::Scheme),
            ("http://", AddressError::Host),
            ("http:///health", AddressError::Host),
            ("http://:80/", AddressError::Host),
            ("http://user@host/", AddressError::Host),
            ("http://::1/", AddressError::Host),
            ("http://[::1/", AddressError::Host),
            ("http://[localhost]/", AddressError::Host),
            ("http://{PORT}/", AddressError::Host),
            ("http://x:/", AddressError::Port),
            ("http://x:+80/", AddressError::Port),
            ("http://x:{PORT}/", AddressError::Port),
            ("http://x:{env.1}/", AddressError::Port),
            ("http://x y/", AddressError::Character),
        ] {
            assert_eq!(check_http(text), Err(error(owned(text))), "{text}");
        }
        for (text, error) in [
            ("localhost", AddressError::PortMissing as fn(String) -> AddressError),
            ("[::1]", AddressError::PortMissing),
            (":80", AddressError::Host),
            ("::1:80", AddressError::Host),
            ("a/b:80", AddressError::Host),
            ("localhost:0", AddressError::Port),
            ("localhost:65536", AddressError::Port),
            ("localhost:000001", AddressError::Port),
            ("localhost:http", AddressError::Port),
            ("local host:80", AddressError::Character),
        ] {
            assert_eq!(check_tcp(text), Err(error(owned(text))), "{text}");
        }
    }

    #[test]
    fn the_port_of_a_service_for_development_stands_for_itself() {
        assert_eq!(check_development_http("http://127.0.0.1:{port}/health"), Ok(()));
        let text = "http://127.0.0.1:{ports}/".to_owned();
        assert_eq!(check_development_http(&text), Err(AddressError::Port(text.clone())));
    }
}
