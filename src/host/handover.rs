//! Listening sockets on their way from one process to another (`sd_listen_fds(3)`): the descriptors 3, 4 and so on,
//! with `LISTEN_FDS`, `LISTEN_FDNAMES` and `LISTEN_PID`, the number of the very process that is meant.
//!
//! A process can't be started with descriptors in chosen places, nor with its own number in its environment, without
//! code between fork and exec. So it is started through this program, which gets the descriptors over a socket in
//! the place of its standard input, puts them where they belong, and becomes the program. What hinders that goes back
//! over the same socket; if nothing does, the socket is closed by exec itself.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::{Errno, FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

/// The first words by which this program knows that it is to hand sockets over and to become another program. The
/// file of that program, its name and its arguments follow.
pub const WORDS: [&str; 2] = ["run", "--with-sockets"];
/// Where the first socket stands (`SD_LISTEN_FDS_START`, `sd_listen_fds(3)`).
const FIRST: i32 = 3;
/// The most descriptors of one message (`SCM_MAX_FD`, unix(7)), less the standard input.
pub const MOST: usize = 252;
/// The longest reason that is sent back.
const LONGEST_REASON: usize = 4096;

/// The two ends of a way for descriptors. Both are closed on exec.
pub(super) fn channel() -> io::Result<(OwnedFd, OwnedFd)> {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).map_err(Into::into)
}

/// Sends descriptors.
pub(super) fn send(channel: impl AsFd, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let message = SendAncillaryMessage::ScmRights(descriptors);
    let mut space = vec![MaybeUninit::uninit(); message.size()];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(message) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    sendmsg(channel, &[IoSlice::new(b"+")], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

fn receive(channel: impl AsFd, flags: RecvFlags) -> io::Result<Vec<OwnedFd>> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST + 1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0_u8; 1];
    recvmsg(channel, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, flags)?;
    let mut descriptors = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    Ok(descriptors)
}

/// Waits until the process at the other end has become its program, or says why it has not.
pub(super) fn outcome(channel: &OwnedFd) -> io::Result<()> {
    let mut reason = vec![0_u8; LONGEST_REASON];
    loop {
        match rustix::io::read(channel, &mut reason) {
            // The other end may be closed with what was sent to it unread: by a death before it began.
            Ok(0) | Err(Errno::CONNRESET) => return Ok(()),
            Ok(length) => {
                let reason = reason.get(..length).unwrap_or_default();
                return Err(io::Error::other(String::from_utf8_lossy(reason).into_owned()));
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Becomes another program, with the sockets that are sent over the standard input. Returns the exit code, if it
/// could not; nothing if the words do not ask for it.
#[must_use]
pub fn taken_over(words: &[String]) -> Option<u8> {
    let program = match words {
        [command, option, program @ ..] if [command, option] == WORDS => program,
        _ => return None,
    };
    super::process::close_inherited();
    let Ok(channel) =
        fcntl_dupfd_cloexec(rustix::stdio::stdin(), FIRST + i32::try_from(MOST).unwrap_or(0) + 1)
    else {
        return Some(1);
    };
    let reason = become_program(&channel, program);
    let _ = rustix::io::write(&channel, reason.to_string().as_bytes());
    Some(1)
}

fn become_program(channel: &OwnedFd, program: &[String]) -> io::Error {
    let descriptors = match receive(channel, RecvFlags::empty()) {
        Ok(descriptors) => descriptors,
        Err(error) => return error,
    };
    let Some((input, sockets)) = descriptors.split_last() else {
        return io::Error::other("nothing was handed over");
    };
    if sockets.iter().zip(FIRST..).any(|(socket, place)| socket.as_raw_fd() != place) {
        return io::Error::other("the places of the sockets are taken");
    }
    if let Err(error) = rustix::stdio::dup2_stdin(input)
        .and_then(|()| fcntl_setfd(input, FdFlags::CLOEXEC))
        .and_then(|()| sockets.iter().try_for_each(|socket| fcntl_setfd(socket, FdFlags::empty())))
    {
        return error.into();
    }
    let pid = std::process::id().to_string();
    super::process::become_program(program, ("LISTEN_PID", &pid))
}

/// The sockets that this process was started with, if it is the one that is meant. From here on they are closed on
/// exec; in their first places they stay until [`close_inherited`](super::process::close_inherited).
pub fn inherited() -> io::Result<Vec<OwnedFd>> {
    let count = super::environment::listening().unwrap_or(0).min(MOST);
    if count == 0 {
        return Ok(Vec::new());
    }
    // A number becomes a descriptor that is owned only by being received: so it is sent to ourselves.
    let (one, other) = channel()?;
    let numbers: Vec<i32> = (FIRST..).take(count).collect();
    let message = [nix::sys::socket::ControlMessage::ScmRights(&numbers)];
    let flags = nix::sys::socket::MsgFlags::empty();
    nix::sys::socket::sendmsg::<()>(one.as_raw_fd(), &[IoSlice::new(b"+")], &message, flags, None)?;
    receive(other, RecvFlags::CMSG_CLOEXEC)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn descriptors_go_from_one_end_to_the_other() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (one, other) = channel().unwrap();
        send(&one, &[listener.as_fd(), listener.as_fd()]).unwrap();
        let received = receive(&other, RecvFlags::CMSG_CLOEXEC).unwrap();
        let places: Vec<_> =
            received.into_iter().map(|one| TcpListener::from(one).local_addr().unwrap()).collect();
        assert_eq!(places, [listener.local_addr().unwrap(); 2]);
    }

    #[test]
    fn an_end_that_is_closed_without_a_word_is_success() {
        let (one, other) = channel().unwrap();
        drop(one);
        assert!(outcome(&other).is_ok());
        let (one, other) = channel().unwrap();
        rustix::io::write(&one, b"no such thing").unwrap();
        assert_eq!(outcome(&other).unwrap_err().to_string(), "no such thing");
    }

    #[test]
    fn other_words_are_left_alone() {
        for words in [&["run", "--name", "web"][..], &["--with-sockets"], &[]] {
            let words: Vec<String> = words.iter().copied().map(str::to_owned).collect();
            assert_eq!(taken_over(&words), None);
        }
    }
}
