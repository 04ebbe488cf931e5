//! Just enough of HTTP/1.1 (RFC 9112) for the sample of `demo`: one question and one answer a connection.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::host::rest::{self, AsFd};
use crate::host::signal::SignalPipe;

/// The longest head and the longest answer that are read, in bytes.
const LONGEST: u64 = 64 << 10;
/// How long the other side may keep a connection waiting.
const PATIENCE: Duration = Duration::from_secs(2);

/// A port of this host's loopback address on which nobody listens at this moment.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The status and the body that this host's own server answers to a GET.
pub fn get(port: u16, path: &str) -> io::Result<(u16, String)> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = patient(TcpStream::connect_timeout(&address, PATIENCE)?)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer)?;
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(malformed)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(malformed)?;
    Ok((status, body.to_owned()))
}

/// Answers GETs on a port of the loopback address, one after the other, until a signal comes. `answer` gives
/// the body for a path, or nothing where there is none; `ready` is called when connections are taken.
pub fn serve(
    port: u16,
    stop: &SignalPipe,
    ready: impl FnOnce(),
    mut answer: impl FnMut(&str) -> Option<String>,
) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    ready();
    let stopped = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // A socket is not waited for together with a signal on every system; a connection ends the wait for one.
        scope.spawn(|| {
            while stop.take() == 0 && rest::any(&[stop.as_fd()], None).is_ok() {}
            stopped.store(true, Ordering::SeqCst);
            let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
        });
        while !stopped.load(Ordering::SeqCst) {
            let accepted = listener.accept();
            if stopped.load(Ordering::SeqCst) {
                break;
            }
            // Who hangs up in the middle harms nobody but himself.
            let _ = accepted.and_then(|(stream, _)| respond(stream, &mut answer));
        }
    });
    Ok(())
}

fn respond(stream: TcpStream, answer: &mut impl FnMut(&str) -> Option<String>) -> io::Result<()> {
    let mut stream = patient(stream)?;
    let mut lines = BufReader::new(stream.try_clone()?.take(LONGEST)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // The head is read to its end, so that closing does not reset what is still under way.
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.strip_prefix("GET ").and_then(|rest| rest.split(' ').next());
    let (status, body) = match path.and_then(answer) {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", "not found\n".to_owned()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn patient(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::signal::Signal;

    #[test]
    fn what_is_served_is_got_until_a_signal_comes() {
        let stop = SignalPipe::new(&[Signal::USR2]).unwrap();
        let port = free_port().unwrap();
        std::thread::scope(|scope| {
            let (sender, ready) = std::sync::mpsc::channel();
            let server = scope.spawn(move || {
                let answer = |path: &str| (path == "/version").then(|| "1.0.0\n".to_owned());
                serve(port, &stop, move || sender.send(()).unwrap(), answer)
            });
            ready.recv().unwrap();
            assert_eq!(get(port, "/version").unwrap(), (200, "1.0.0\n".to_owned()));
            assert_eq!(get(port, "/other").unwrap().0, 404);
            crate::host::identity::signal(crate::host::identity::own(), Signal::USR2).unwrap();
            server.join().unwrap().unwrap();
        });
        assert_eq!(get(port, "/version").unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
