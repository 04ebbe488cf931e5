//! Listening sockets on their way from one process to another (`sd_listen_fds(3)`): the descriptors 3, 4 and so on,
//! with `LISTEN_FDS`, `LISTEN_FDNAMES` and `LISTEN_PID`, the number of the very process that is meant.
//!
//! A process can't be started with descriptors in chosen places, nor with its own number in its environment, without
//! code between fork and exec. So it is started through this program, which gets the descriptors over a socket in
//! the place of its standard input, puts them where they belong, says so, waits for the word to go on, and becomes the
//! program. What hinders that goes back over the same socket; if nothing does, the socket is closed by exec itself.
//!
//! While it waits it can be given what has to come after all its descriptors are open: a limit to their number.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::{Errno, FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, recvmsg,
    sendmsg,
};

use crate::host::os;

use super::{MOST, WORDS};

/// Where the first socket stands (`SD_LISTEN_FDS_START`, `sd_listen_fds(3)`).
const FIRST: i32 = 3;
/// What both ends say when they are ready for the next step.
const GO: &[u8] = b"+";
/// The longest reason that is sent back.
const LONGEST_REASON: usize = 4096;

/// The two ends of a way for descriptors. Both are closed on exec.
pub(in crate::host) fn channel() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(os::net::pair()?)
}

/// Sends descriptors.
fn send(channel: impl AsFd, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let message = SendAncillaryMessage::ScmRights(descriptors);
    let mut space = vec![MaybeUninit::uninit(); message.size()];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(message) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    sendmsg(channel, &[IoSlice::new(GO)], &mut ancillary, os::net::NO_SIGNAL)?;
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

/// Hands descriptors over to the process at the other end, and waits until it has become its program, or says why it
/// has not. In between, when everything has its place, something is done to it.
pub(in crate::host) fn hand_over(
    channel: &OwnedFd,
    descriptors: &[BorrowedFd<'_>],
    between: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    send(channel, descriptors)?;
    match hear(channel)?.as_deref() {
        // It died: its exit says of what.
        None => return Ok(()),
        Some(GO) => {}
        Some(reason) => return Err(failure(reason)),
    }
    between()?;
    match rustix::net::send(channel, GO, os::net::NO_SIGNAL) {
        Ok(_) | Err(Errno::PIPE | Errno::CONNRESET) => {}
        Err(error) => return Err(error.into()),
    }
    hear(channel)?.map_or(Ok(()), |reason| Err(failure(&reason)))
}

fn failure(reason: &[u8]) -> io::Error {
    io::Error::other(String::from_utf8_lossy(reason).into_owned())
}

/// What the other end says. `None`: it is closed.
fn hear(channel: &OwnedFd) -> io::Result<Option<Vec<u8>>> {
    let mut word = vec![0_u8; LONGEST_REASON];
    loop {
        match rustix::io::read(channel, &mut word) {
            // The other end may be closed with what was sent to it unread: by a death before it began.
            Ok(0) | Err(Errno::CONNRESET) => return Ok(None),
            Ok(length) => {
                word.truncate(length);
                return Ok(Some(word));
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
    let (count, program) = match words {
        [command, option, count, program @ ..] if [command, option] == WORDS => {
            (count.parse().ok()?, program)
        }
        _ => return None,
    };
    crate::host::process::close_inherited();
    let mut channel = None;
    let error = match take_places(count, &mut channel) {
        Ok(_held) => {
            let pid = std::process::id().to_string();
            crate::host::process::become_program(program, (count > 0).then_some(("LISTEN_PID", &pid)))
        }
        Err(error) => error,
    };
    // The standard input is the way back until that has another place.
    let back = channel.as_ref().map_or(rustix::stdio::stdin(), AsFd::as_fd);
    let _ = rustix::io::write(back, error.to_string().as_bytes());
    Some(1)
}

/// Puts the sockets that are sent, and the standard input after them, where they belong. They stay there as long as
/// what is returned is kept.
fn take_places(count: usize, channel: &mut Option<OwnedFd>) -> io::Result<Vec<OwnedFd>> {
    // Above the places of the sockets, and of the standard input on its way to its own.
    let above = FIRST + i32::try_from(count.min(MOST)).unwrap_or(0) + 1;
    let channel = channel.insert(match fcntl_dupfd_cloexec(rustix::stdio::stdin(), above) {
        Err(error @ (Errno::INVAL | Errno::MFILE)) => {
            let error = io::Error::from(error);
            return Err(io::Error::other(format!(
                "the limit of open files leaves no room for its {count} sockets: {error}"
            )));
        }
        other => other?,
    });
    let descriptors = receive(&*channel, RecvFlags::empty())?;
    let Some((input, sockets)) = descriptors.split_last().filter(|(_, sockets)| sockets.len() == count)
    else {
        return Err(io::Error::other("not everything was handed over"));
    };
    if sockets.iter().zip(FIRST..).any(|(socket, place)| socket.as_raw_fd() != place) {
        return Err(io::Error::other("the places of the sockets are taken"));
    }
    rustix::stdio::dup2_stdin(input)?;
    fcntl_setfd(input, FdFlags::CLOEXEC)?;
    for socket in sockets {
        fcntl_setfd(socket, FdFlags::empty())?;
    }
    rustix::io::write(&*channel, GO)?;
    match hear(channel)?.as_deref() {
        Some(GO) => Ok(descriptors),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// The sockets that this process was started with, if it is the one that is meant. From here on they are closed on
/// exec; in their first places they stay until [`close_inherited`](crate::host::process::close_inherited).
pub fn inherited() -> io::Result<Vec<OwnedFd>> {
    let count = crate::host::environment::listening().unwrap_or(0).min(MOST);
    if count == 0 {
        return Ok(Vec::new());
    }
    // A number becomes a descriptor that is owned only by being received: so it is sent to ourselves.
    let (one, other) = channel()?;
    let numbers: Vec<i32> = (FIRST..).take(count).collect();
    let message = [nix::sys::socket::ControlMessage::ScmRights(&numbers)];
    let flags = nix::sys::socket::MsgFlags::empty();
    nix::sys::socket::sendmsg::<()>(one.as_raw_fd(), &[IoSlice::new(GO)], &message, flags, None)?;
    let received = receive(other, os::net::descriptors_closed_on_exec())?;
    os::net::close_on_exec(&received)?;
    Ok(received)
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
        let received = receive(&other, os::net::descriptors_closed_on_exec()).unwrap();
        let places: Vec<_> =
            received.into_iter().map(|one| TcpListener::from(one).local_addr().unwrap()).collect();
        assert_eq!(places, [listener.local_addr().unwrap(); 2]);
    }

    #[test]
    fn an_end_that_is_closed_without_a_word_is_success() {
        let (one, other) = channel().unwrap();
        drop(one);
        let between = || panic!("nobody is there");
        assert_eq!(hear(&other).unwrap(), None);
        let (one, other) = channel().unwrap();
        rustix::io::write(&one, b"no such thing").unwrap();
        assert_eq!(hand_over(&other, &[other.as_fd()], between).unwrap_err().to_string(), "no such thing");
    }

    #[test]
    fn other_words_are_left_alone() {
        for words in [&["run", "--name", "web"][..], &["--with-sockets"], &[]] {
            let words: Vec<String> = words.iter().copied().map(str::to_owned).collect();
            assert_eq!(taken_over(&words), None);
        }
    }
}
