//! Answers HTTP on the sockets that were handed over to it (`sd_listen_fds(3)`), each answer after a short while:
//!
//! ```text
//! holds TEXT [MILLISECONDS]
//! ```
//!
//! An answer is TEXT, the process's number and what it was handed. On SIGTERM it takes no more connections, finishes
//! those that it has, and ends: what still waits on the sockets is the next one's.

use std::error::Error;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mainstay::host::handover;
use mainstay::host::signal::SignalPipe;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::accept;
use rustix::process::Signal;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[expect(clippy::disallowed_methods, reason = "a test program reads its own environment")]
fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let text = arguments.next().unwrap_or_default();
    let pause = Duration::from_millis(arguments.next().map_or(Ok(5), |text| text.parse())?);
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let terminate = SignalPipe::new(&[Signal::TERM])?;
    let sockets = handover::inherited()?;
    if sockets.is_empty() {
        return Err("no socket was handed over".into());
    }
    let answer = format!("{text} {} {} {names}\n", std::process::id(), sockets.len());
    let busy = Arc::new(AtomicUsize::new(0));
    for socket in &sockets {
        // Another process may take a connection between poll and accept.
        rustix::io::ioctl_fionbio(socket, true)?;
    }
    loop {
        let descriptors = sockets.iter().map(AsFd::as_fd).chain([terminate.as_fd()]);
        let mut polled: Vec<_> =
            descriptors.map(|one| PollFd::from_borrowed_fd(one, PollFlags::IN)).collect();
        match poll(&mut polled, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        drop(polled);
        if terminate.take() > 0 {
            break;
        }
        for socket in &sockets {
            let Ok(connection) = accept(socket) else { continue };
            let (answer, busy) = (answer.clone(), Arc::clone(&busy));
            busy.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || {
                let _ = serve(connection, &answer, pause);
                busy.fetch_sub(1, Ordering::SeqCst);
            });
        }
    }
    while busy.load(Ordering::SeqCst) > 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn serve(connection: OwnedFd, answer: &str, pause: Duration) -> Result<()> {
    let mut connection = std::fs::File::from(connection);
    let mut question = Vec::new();
    let mut piece = [0_u8; 1024];
    while !question.ends_with(b"\r\n\r\n") {
        match connection.read(&mut piece)? {
            0 => return Ok(()),
            length => question.extend_from_slice(piece.get(..length).unwrap_or_default()),
        }
    }
    std::thread::sleep(pause);
    let length = answer.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    connection.write_all(format!("{head}{answer}").as_bytes())?;
    Ok(())
}
