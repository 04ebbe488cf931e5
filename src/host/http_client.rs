//! One request over HTTP (RFC 9112): its status counts, and its body where that is wanted.
//!
//! A client library would do far more than that, and stay in the memory of every supervisor that has asked
//! once: 440 KiB of code and heap, a tenth of what a supervisor may have.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Take, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::host::names;

/// The most that is read of an answer's head, in bytes.
const LARGEST_HEAD: u64 = 64 << 10;
/// The largest body that is read, in bytes.
const LARGEST_BODY: usize = 1 << 20;
/// The most that is read of an answer's body with all that stands around its chunks, in bytes.
const LARGEST_CODED_BODY: u64 = 2 << 20;

/// How long the rest of an answer is waited for of which nothing more is wanted.
const PARTING: Duration = Duration::from_millis(50);

/// The ends of the connections with which this process is asking, so that they can be told from those of others.
#[derive(Clone, Debug, Default)]
pub struct OwnEnds(Arc<Mutex<Vec<SocketAddr>>>);

/// One of them, until it is closed.
struct OwnEnd<'a> {
    ends: &'a OwnEnds,
    end: Option<SocketAddr>,
}

impl OwnEnds {
    /// Those of now.
    #[must_use]
    pub fn now(&self) -> Vec<SocketAddr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn begin(&self, connection: &TcpStream) -> OwnEnd<'_> {
        let end = connection.local_addr().ok();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(end);
        OwnEnd { ends: self, end }
    }
}

impl Drop for OwnEnd<'_> {
    fn drop(&mut self) {
        let mut ends = self.ends.0.lock().unwrap_or_else(PoisonError::into_inner);
        ends.retain(|end| Some(*end) != self.end);
    }
}

/// What is asked of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// To tell something.
    Get,
    /// To do something. Nothing is sent with it.
    Post,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Empty where it was not wanted.
    pub(super) body: Vec<u8>,
}

/// What an `http://` address answers. Its body is read only if that is wanted of an answer with this status. No
/// proxy is asked and no redirection followed.
pub(super) fn ask(
    method: Method,
    address: &str,
    limit: Duration,
    ends: &OwnEnds,
    wants_body: impl FnOnce(u16) -> bool,
) -> io::Result<Answer> {
    let (host, target) = split(address).ok_or_else(|| {
        io::Error::new(ErrorKind::InvalidInput, "not an address of the form `http://host:port/path`")
    })?;
    let deadline = Instant::now() + limit;
    let mut connection = connect(host, deadline)?;
    let own = ends.begin(&connection);
    connection.set_write_timeout(Some(left(deadline)?))?;
    let (method, length) = match method {
        Method::Get => ("GET", ""),
        Method::Post => ("POST", "Content-Length: 0\r\n"),
    };
    // In one piece: a hasty server that answers the first line and closes would reset what comes after it, and
    // take its own answer back with it.
    let question = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\n{length}Connection: close\r\nAccept: */*\r\nUser-Agent: mainstay\r\n\r\n"
    );
    connection.write_all(question.as_bytes())?;
    let mut answer = BufReader::new(Until { connection, deadline }.take(LARGEST_HEAD));
    loop {
        let status = status_of(&line(&mut answer)?)?;
        if status >= 200 {
            let body = if wants_body(status) { body(&mut answer, status)? } else { Vec::new() };
            close(answer);
            drop(own);
            return Ok(Answer { status, body });
        }
        // An interim answer: its fields are passed over, and the next answer follows.
        while !line(&mut answer)?.is_empty() {}
    }
}

/// Closes a connection whose answer was read, and leaves nothing that the system would remember for a minute
/// (`TIME_WAIT`), since whoever counts connections would count that. A server that closes as it was asked to does not
/// notice; what it still says is heard first.
fn close(mut answer: BufReader<Take<Until>>) {
    answer.get_mut().set_limit(LARGEST_HEAD);
    let until = answer.get_mut().get_mut();
    until.deadline = until.deadline.min(Instant::now() + PARTING);
    // Whether it comes to its end or not.
    let _ = io::copy(&mut answer, &mut io::sink());
    forget(&answer.get_ref().get_ref().connection);
}

#[cfg(unix)]
fn forget(connection: &TcpStream) {
    let _ = rustix::net::sockopt::set_socket_linger(connection, Some(Duration::ZERO));
}

/// Nobody counts connections here.
#[cfg(windows)]
fn forget(_connection: &TcpStream) {}

/// The body of an answer whose status line was read: so many bytes, in chunks, or all until the end (RFC 9112,
/// section 6.3).
fn body(answer: &mut BufReader<Take<Until>>, status: u16) -> io::Result<Vec<u8>> {
    let (mut length, mut chunked) = (None, false);
    loop {
        let line = line(answer)?;
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.parse::<usize>().map_err(|_| malformed())?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            let last = value.rsplit(',').next().unwrap_or_default().trim();
            chunked = last.eq_ignore_ascii_case("chunked");
        }
    }
    let mut body = Vec::new();
    if matches!(status, 204 | 304) {
        return Ok(body);
    }
    answer.get_mut().set_limit(LARGEST_CODED_BODY);
    if chunked {
        loop {
            let line = line(answer)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| malformed())?;
            if size == 0 {
                return Ok(body);
            }
            piece(answer, size, &mut body)?;
            if !self::line(answer)?.is_empty() {
                return Err(malformed());
            }
        }
    }
    if let Some(length) = length {
        piece(answer, length, &mut body)?;
        return Ok(body);
    }
    let most = u64::try_from(LARGEST_BODY).unwrap_or(u64::MAX) + 1;
    answer.take(most).read_to_end(&mut body)?;
    if body.len() > LARGEST_BODY { Err(too_large()) } else { Ok(body) }
}

/// Adds exactly so many bytes to a body.
fn piece(answer: &mut impl Read, length: usize, body: &mut Vec<u8>) -> io::Result<()> {
    let begin = body.len();
    let end = begin.checked_add(length).filter(|end| *end <= LARGEST_BODY).ok_or_else(too_large)?;
    body.resize(end, 0);
    answer.read_exact(body.get_mut(begin..).unwrap_or_default()).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => broken_off(),
        _ => error,
    })
}

fn malformed() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "the answer is not HTTP")
}

fn too_large() -> io::Error {
    io::Error::new(ErrorKind::FileTooLarge, "the answer is larger than 1 MiB")
}

fn broken_off() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the answer breaks off")
}

/// The host with its port, and what to ask for there.
fn split(address: &str) -> Option<(&str, String)> {
    let rest = address.strip_prefix("http://")?;
    let rest = rest.split('#').next()?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, target) = rest.split_at(end);
    let sound = !host.is_empty() && !host.contains('@');
    let visible = rest.bytes().all(|byte| byte.is_ascii_graphic());
    let slash = if target.starts_with('/') { "" } else { "/" };
    (sound && visible).then(|| (host, format!("{slash}{target}")))
}

fn connect(host: &str, deadline: Instant) -> io::Result<TcpStream> {
    let has_port =
        host.rsplit_once(':').is_some_and(|(name, _)| !name.starts_with('[') || name.ends_with(']'));
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let candidates = if has_port { names::of_place(host)? } else { names::of_host(bare, 80)? };
    let mut last = io::Error::new(ErrorKind::NotFound, "no such host");
    for candidate in candidates {
        match TcpStream::connect_timeout(&candidate, left(deadline)?) {
            Ok(connection) => return Ok(connection),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::Error::new(ErrorKind::TimedOut, "no answer in time")) } else { Ok(left) }
}

fn line(answer: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    answer.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(broken_off());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

fn status_of(line: &str) -> io::Result<u16> {
    let mut words = line.split(' ');
    let version = words.next().filter(|version| version.starts_with("HTTP/1."));
    let status = words.next().filter(|status| status.len() == 3).and_then(|status| status.parse().ok());
    version.and(status).ok_or_else(malformed)
}

/// A connection whose reads end at one point in time, however slowly the bytes come.
struct Until {
    connection: TcpStream,
    deadline: Instant,
}

impl Read for Until {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.connection.set_read_timeout(Some(left(self.deadline)?))?;
        match self.connection.read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                Err(io::Error::new(ErrorKind::TimedOut, "no answer in time"))
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn status(address: &str, limit: Duration) -> io::Result<u16> {
        ask(Method::Get, address, limit, &OwnEnds::default(), |_| false).map(|answer| answer.status)
    }

    #[test]
    fn addresses_are_split() {
        let target = |address| split(address).map(|(host, target)| (host.to_owned(), target));
        let expect = |host: &str, target: &str| Some((host.to_owned(), target.to_owned()));
        assert_eq!(target("http://h:1/a?b#c"), expect("h:1", "/a?b"));
        assert_eq!(target("http://h"), expect("h", "/"));
        assert_eq!(target("http://[::1]:80?x=/y"), expect("[::1]:80", "/?x=/y"));
        for refused in [
            "https://h/",
            "h:80",
            "http:///x",
            "http://u:p@h/",
            "http://h/a b",
            "http://h/\r\nx",
            "http://h/é",
        ] {
            assert_eq!(target(refused), None, "{refused}");
        }
    }

    #[test]
    fn the_question_is_well_formed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            let length = connection.read(&mut asked).unwrap();
            connection.write_all(b"HTTP/1.0 204 \r\n\r\n").unwrap();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        assert_eq!(status(&format!("http://{host}/health?full=1"), Duration::from_secs(5)).unwrap(), 204);
        let asked = asked.join().unwrap();
        assert!(asked.starts_with(&format!("GET /health?full=1 HTTP/1.1\r\nHost: {host}\r\n")), "{asked}");
        assert!(asked.ends_with("\r\n\r\n"), "{asked}");
    }

    #[test]
    fn an_answer_that_comes_byte_by_byte_does_not_take_longer_than_the_limit() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            while connection.write_all(b"H").is_ok() {
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let began = Instant::now();
        let error = status(&address, Duration::from_millis(200)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(began.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn nobody_there_is_an_error() {
        assert_eq!(
            status("http://127.0.0.1:1/", Duration::from_secs(1)).unwrap_err().kind(),
            ErrorKind::ConnectionRefused
        );
        assert!(status("http://[::1]/", Duration::from_secs(1)).is_err());
    }

    fn body_of(answer: &'static str) -> io::Result<Vec<u8>> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let _ = connection.read(&mut [0; 1024]);
            connection.write_all(answer.as_bytes()).unwrap();
        });
        let answer =
            ask(Method::Get, &address, Duration::from_secs(5), &OwnEnds::default(), |status| status < 300);
        server.join().unwrap();
        answer.map(|answer| answer.body)
    }

    #[test]
    fn bodies_come_with_a_length_in_chunks_or_until_the_end() {
        for (answer, body) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd", Some("abc")),
            ("HTTP/1.0 200 OK\r\n\r\nabc", Some("abc")),
            ("HTTP/1.1 103 Early\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabc", Some("abc")),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;x=1\r\nab\r\n001\r\nc\r\n0\r\n\r\n",
                Some("abc"),
            ),
            ("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", Some("")),
            ("HTTP/1.1 500 Broken\r\n\r\nabc", Some("")),
            ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", None),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", None),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", None),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", None),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", None),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", None),
        ] {
            let read = body_of(answer).ok();
            assert_eq!(read.as_deref(), body.map(str::as_bytes), "{answer}");
        }
    }

    #[test]
    fn a_body_without_an_end_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            while connection.write_all(&[b'x'; 8 << 10]).is_ok() {}
        });
        let error =
            ask(Method::Get, &address, Duration::from_secs(5), &OwnEnds::default(), |_| true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
    }
}
