//! Sockets and pipes: closed on exec, all of them.

use std::io;
use std::os::fd::OwnedFd;

pub use super::system::net::{
    LONGEST_ADDRESS, NO_SIGNAL, Short, abstract_address, bind_early, close_on_exec,
    descriptors_closed_on_exec, is_listening, pair, peer, receive_from, short, socket, tell_senders,
};

/// Who is at the other end of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its process, where the system tells.
    pub pid: u32,
    /// Its account.
    pub uid: u32,
}

/// A pipe: the end that is read, and the end that is written. Nobody waits who reads from it.
pub fn pipe_without_waiting() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    rustix::io::ioctl_fionbio(&reader, true)?;
    rustix::io::ioctl_fionbio(&writer, true)?;
    Ok((reader.into(), writer.into()))
}
