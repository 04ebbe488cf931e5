//! Where daemon and clients meet: a Unix socket, or a port of this host where there are none.

use std::error::Error;
use std::io;

#[cfg(unix)]
pub(crate) use std::os::unix::net::{UnixListener as Listener, UnixStream as Stream};

#[cfg(not(unix))]
pub(crate) use std::net::{TcpListener as Listener, TcpStream as Stream};

/// The socket that was handed over, or one of its own. `None`: somebody listens there already.
#[cfg(unix)]
pub(crate) fn open(address: &str) -> Result<Option<Listener>, Box<dyn Error>> {
    if let Some(given) = mainstay::host::handover::inherited()?.into_iter().next() {
        return Ok(Some(Listener::from(given)));
    }
    match Listener::bind(address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if Stream::connect(address).is_ok() {
                return Ok(None);
            }
            // Of one that was killed.
            std::fs::remove_file(address)?;
            Ok(Some(Listener::bind(address)?))
        }
        bound => Ok(Some(bound?)),
    }
}

#[cfg(not(unix))]
pub(crate) fn open(address: &str) -> Result<Option<Listener>, Box<dyn Error>> {
    match Listener::bind(address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(None),
        bound => Ok(Some(bound?)),
    }
}

/// A connection to the daemon.
pub(crate) fn knock(address: &str) -> io::Result<Stream> {
    Stream::connect(address)
}
