//! Sockets: macOS.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::SocketAddr;

use camino::Utf8Path;
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::{LocalPeerCred, LocalPeerPid};
use rustix::io::{Errno, FdFlags, IoSliceMut, Result, fcntl_setfd, ioctl_fionbio};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvFlags, SendFlags, SocketFlags, SocketType, getpeername, recvmsg,
    socketpair, sockopt,
};

use crate::host::os::net::Peer;

/// The longest path that an address holds, in bytes (unix(4)), less the NUL.
pub const LONGEST_ADDRESS: usize = 103;
/// Sending to who is gone is an error: this process ignores the signal, as every Rust program does, and each of its
/// sockets asks for none.
pub const NO_SIGNAL: SendFlags = SendFlags::empty();

/// A socket. It can't be born closed on exec here, so a process that another thread starts in this very moment has it.
pub fn socket(family: AddressFamily, kind: SocketType, waits: bool) -> Result<OwnedFd> {
    let socket = rustix::net::socket(family, kind, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    sockopt::set_socket_nosigpipe(&socket, true)?;
    ioctl_fionbio(&socket, !waits)?;
    Ok(socket)
}

/// The two ends of a way for messages and descriptors. There are no sockets here that keep messages apart and tell when
/// the other end is closed; what is sent over these waits for an answer each time, so that no two messages meet.
pub fn pair() -> Result<(OwnedFd, OwnedFd)> {
    let (one, other) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::empty(), None)?;
    for end in [&one, &other] {
        fcntl_setfd(end, FdFlags::CLOEXEC)?;
        sockopt::set_socket_nosigpipe(end, true)?;
    }
    Ok((one, other))
}

/// How descriptors are received that are to be closed on exec.
#[must_use]
pub fn descriptors_closed_on_exec() -> RecvFlags {
    RecvFlags::empty()
}

/// Has descriptors closed on exec that were received so.
pub fn close_on_exec(descriptors: &[OwnedFd]) -> Result<()> {
    descriptors.iter().try_for_each(|descriptor| fcntl_setfd(descriptor, FdFlags::CLOEXEC))
}

/// Lets a socket be bound to an address that this host has not got yet: there is no such thing here.
pub fn bind_early(_: impl AsFd, _: bool) -> Result<()> {
    Ok(())
}

/// Whether a descriptor is a socket that listens: the system does not tell, but one of a stream that has no other end
/// is either that or of no use.
pub fn is_listening(socket: impl AsFd) -> bool {
    sockopt::socket_type(&socket) == Ok(SocketType::STREAM)
        && getpeername(socket).err() == Some(Errno::NOTCONN)
}

/// An address that is no file. `None`: there are none.
#[must_use]
pub fn abstract_address(_: &str) -> Option<io::Result<SocketAddr>> {
    None
}

/// Who is at the other end (`LOCAL_PEERCRED` and `LOCAL_PEERPID`, unix(4)).
pub fn peer(socket: impl AsFd) -> io::Result<Peer> {
    let uid = getsockopt(&socket, LocalPeerCred)?.uid();
    let pid = getsockopt(&socket, LocalPeerPid)?;
    Ok(Peer { pid: pid.unsigned_abs(), uid })
}

/// What a short path needs to go on leading somewhere: a folder with a link in it.
pub type Short = tempfile::TempDir;

/// The path of a socket, however long that of its folder is. It leads there as long as what comes with it is kept.
pub fn short(folder: &Utf8Path, name: &str) -> io::Result<(Short, String)> {
    let kept = tempfile::Builder::new().prefix("ms").rand_bytes(6).tempdir()?;
    let link = kept.path().join("d");
    std::os::unix::fs::symlink(folder, &link)?;
    let path = link.join(name).into_os_string().into_string();
    let path = path.map_err(|_| io::Error::from(io::ErrorKind::InvalidFilename))?;
    Ok((kept, path))
}

/// Has each message come with who sent it: a system that does not tell has the rights of the socket's file alone.
pub fn tell_senders(_: impl AsFd) -> Result<()> {
    Ok(())
}

/// The next message: its length, and who sent it, which is not told here.
pub fn receive_from(socket: impl AsFd, buffer: &mut [u8]) -> Result<(usize, Option<Peer>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(socket, &mut [IoSliceMut::new(buffer)], &mut ancillary, RecvFlags::empty())?;
    // Descriptors that came along are closed as they are dropped.
    ancillary.drain().for_each(drop);
    Ok((received.bytes, None))
}
