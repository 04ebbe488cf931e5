//! Sockets: Linux.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::SocketAddr;

use camino::Utf8Path;
use rustix::fs::{Mode, OFlags};
use rustix::io::{IoSliceMut, Result};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketFlags, SocketType,
    recvmsg, socket_with, socketpair, sockopt,
};

use crate::host::os::net::Peer;

/// The longest path that an address holds, in bytes (unix(7)), less the NUL.
pub const LONGEST_ADDRESS: usize = 107;
/// Sending to who is gone is an error, and no signal.
pub const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;

/// A socket.
pub fn socket(family: AddressFamily, kind: SocketType, waits: bool) -> Result<OwnedFd> {
    let flags = if waits { SocketFlags::CLOEXEC } else { SocketFlags::CLOEXEC | SocketFlags::NONBLOCK };
    socket_with(family, kind, flags, None)
}

/// The two ends of a way for messages and descriptors.
pub fn pair() -> Result<(OwnedFd, OwnedFd)> {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
}

/// How descriptors are received that are to be closed on exec.
#[must_use]
pub fn descriptors_closed_on_exec() -> RecvFlags {
    RecvFlags::CMSG_CLOEXEC
}

/// Has descriptors closed on exec that were received so: they are already.
pub fn close_on_exec(_: &[OwnedFd]) -> Result<()> {
    Ok(())
}

/// Lets a socket be bound to an address that this host has not got yet (`IP_FREEBIND`, ip(7)).
pub fn bind_early(socket: impl AsFd, is_version_4: bool) -> Result<()> {
    if is_version_4 {
        sockopt::set_ip_freebind(socket, true)
    } else {
        sockopt::set_ipv6_freebind(socket, true)
    }
}

/// Whether a descriptor is a socket that listens.
pub fn is_listening(socket: impl AsFd) -> bool {
    sockopt::socket_acceptconn(socket) == Ok(true)
}

/// An address that is no file. `None`: there are none.
#[must_use]
pub fn abstract_address(name: &str) -> Option<io::Result<SocketAddr>> {
    Some(SocketAddr::from_abstract_name(name))
}

/// Who is at the other end (`SO_PEERCRED`, unix(7)).
pub fn peer(socket: impl AsFd) -> Result<Peer> {
    let found = sockopt::socket_peercred(socket)?;
    Ok(Peer { pid: found.pid.as_raw_nonzero().get().unsigned_abs(), uid: found.uid.as_raw() })
}

/// What a short path needs to go on leading somewhere.
pub type Short = OwnedFd;

/// The path of a socket, however long that of its folder is. It leads there as long as the descriptor is open.
pub fn short(folder: &Utf8Path, name: &str) -> io::Result<(Short, String)> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(folder.as_std_path(), flags, Mode::empty())?;
    let path = format!("/proc/self/fd/{}/{name}", folder.as_raw_fd());
    Ok((folder, path))
}

/// Has each message come with who sent it.
pub fn tell_senders(socket: impl AsFd) -> Result<()> {
    sockopt::set_socket_passcred(socket, true)
}

/// The next message: its length, and who sent it. A message of nobody is none.
pub fn receive_from(socket: impl AsFd, buffer: &mut [u8]) -> Result<(usize, Option<Peer>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1), ScmRights(8))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(socket, &mut [IoSliceMut::new(buffer)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    // Descriptors that came along are closed as they are dropped.
    let sender = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmCredentials(sender) => Some(sender),
        _ => None,
    });
    let peer = |sender: rustix::net::UCred| Peer {
        pid: sender.pid.as_raw_nonzero().get().unsigned_abs(),
        uid: sender.uid.as_raw(),
    };
    let length = if sender.is_some() { received.bytes } else { 0 };
    Ok((length, sender.map(peer)))
}
