//! One question over HTTP, of which only the status counts (RFC 9112).
//!
//! A client library would answer far more than that, and stay in the memory of every supervisor that has asked
//! once: 440 KiB of code and heap, a tenth of what a supervisor may have.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// The most that is read of an answer's head, in bytes.
const LARGEST_HEAD: u64 = 64 << 10;

/// The status with which an `http://` address answers a GET. No proxy is asked and no redirection followed.
pub(super) fn status(address: &str, limit: Duration) -> io::Result<u16> {
    let (host, target) = split(address).ok_or_else(|| {
        io::Error::new(ErrorKind::InvalidInput, "not an address of the form `http://host:port/path`")
    })?;
    let deadline = Instant::now() + limit;
    let mut connection = connect(host, deadline)?;
    connection.set_write_timeout(Some(left(deadline)?))?;
    // In one piece: a hasty server that answers the first line and closes would reset what comes after it, and
    // take its own answer back with it.
    let question = format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAccept: */*\r\nUser-Agent: mainstay\r\n\r\n"
    );
    connection.write_all(question.as_bytes())?;
    let mut answer = BufReader::new(Until { connection, deadline }.take(LARGEST_HEAD));
    loop {
        let status = status_of(&line(&mut answer)?)?;
        if status >= 200 {
            return Ok(status);
        }
        // An interim answer: its fields are passed over, and the next answer follows.
        while !line(&mut answer)?.is_empty() {}
    }
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
    let candidates: Vec<_> =
        if has_port { host.to_socket_addrs()?.collect() } else { (bare, 80).to_socket_addrs()?.collect() };
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
        return Err(io::Error::new(ErrorKind::UnexpectedEof, "the answer breaks off"));
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
    version.and(status).ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the answer is not HTTP"))
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
}
