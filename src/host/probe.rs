//! Asking a program something over the network: whether it is ready, whether it still works, whether it would
//! end. Each question has a thread of its own, so that whoever waits for the answer can meanwhile attend to other
//! things.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::host::http_client;
pub use crate::host::http_client::{Method, OwnEnds};
use crate::host::mailbox::Mailbox;
use crate::host::names;
use crate::host::rest::{AsFd, BorrowedFd};

/// How long an answer may take, where nobody says otherwise.
pub const LIMIT: Duration = Duration::from_secs(3);
/// How long a connection has to stay open to count as kept.
const KEPT: Duration = Duration::from_millis(300);
/// Enough for a question over HTTP, and less than the system's default of 8 MiB.
const STACK: usize = 512 << 10;
/// The longest reason that is passed on, in bytes.
const LONGEST: usize = 300;
/// How much of a field that is not what it should be is shown, in characters.
const LONGEST_FIELD: usize = 60;

/// A question to a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether an address answers as it should.
    Http(Request),
    /// Whether a host and port takes a connection.
    Tcp(String),
}

/// What an address is asked, and what it should answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked of it.
    pub method: Method,
    /// The address, `http://` only.
    pub address: String,
    /// The status that it should answer with. `None`: any from 200 to 299.
    pub status: Option<u16>,
    /// The texts that fields of its JSON answer should have, by JSON pointer (RFC 6901). None: the body is not
    /// looked at.
    pub body: BTreeMap<String, String>,
}

impl Request {
    /// A request that any status from 200 to 299 answers well.
    #[must_use]
    pub fn new(method: Method, address: String) -> Self {
        Self { method, address, status: None, body: BTreeMap::new() }
    }

    fn takes(&self, status: u16) -> bool {
        self.status.map_or((200..=299).contains(&status), |wanted| status == wanted)
    }
}

/// The answer, or why there was none.
pub type Answer = Result<(), String>;

/// Asks, and waits for the answer.
pub fn ask(question: &Question, limit: Duration) -> Answer {
    ask_with(question, limit, &OwnEnds::default())
}

fn ask_with(question: &Question, limit: Duration, ends: &OwnEnds) -> Answer {
    match question {
        Question::Http(request) => http(request, limit, ends),
        Question::Tcp(address) => tcp(address, limit),
    }
}

fn http(request: &Request, limit: Duration, ends: &OwnEnds) -> Answer {
    let Request { method, address, body, .. } = request;
    let wants_body = |status| request.takes(status) && !body.is_empty();
    let answer = http_client::ask(*method, address, limit, ends, wants_body)
        .map_err(|error| format!("{address}: {error}"))?;
    if !request.takes(answer.status) {
        return Err(format!("{address} answered {}", answer.status));
    }
    if body.is_empty() {
        return Ok(());
    }
    let document = serde_json::from_slice(&answer.body)
        .map_err(|_| format!("{address} answered {} with a body that is not JSON", answer.status))?;
    match body.iter().find_map(|(pointer, wanted)| differs(&document, pointer, wanted)) {
        Some(difference) => Err(format!("{address} answered {}, and {difference}", answer.status)),
        None => Ok(()),
    }
}

/// The JSON that an address answers with, whatever its status: a service that is not well says so in words, too.
pub fn document(address: &str, limit: Duration) -> Result<serde_json::Value, String> {
    let answer = http_client::ask(Method::Get, address, limit, &OwnEnds::default(), |_| true)
        .map_err(|error| format!("{address}: {error}"))?;
    serde_json::from_slice(&answer.body)
        .map_err(|_| format!("{address} answered {} with a body that is not JSON", answer.status))
}

/// What a field of a document is instead of what it should be: strings are compared by their text, everything
/// else by its JSON text.
fn differs(document: &serde_json::Value, pointer: &str, wanted: &str) -> Option<String> {
    let held = match document.pointer(pointer) {
        None => return Some(format!("there is no `{pointer}`")),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    (held != wanted).then(|| {
        let mut shown: String = held.chars().take(LONGEST_FIELD).collect();
        if shown.len() < held.len() {
            shown.push('…');
        }
        format!("`{pointer}` is `{shown}` instead of `{wanted}`")
    })
}

fn tcp(address: &str, limit: Duration) -> Answer {
    connected(address, limit).map(drop)
}

/// A connection to the first of its addresses that takes one.
fn connected(address: &str, limit: Duration) -> Result<TcpStream, String> {
    let until = Instant::now() + limit;
    let addresses = names::of_place(address).map_err(|error| format!("{address}: {error}"))?;
    let mut last = format!("{address}: no such host");
    for candidate in addresses {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(&candidate, left) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = format!("{candidate}: {error}"),
        }
    }
    Err(last)
}

/// Whether an address takes a connection and keeps it: what only hands connections on closes those of nobody.
pub fn keeps(address: &str, limit: Duration) -> Answer {
    use std::io::{ErrorKind, Read as _};

    let failed = |error: std::io::Error| format!("{address}: {error}");
    let mut stream = connected(address, limit)?;
    stream.set_read_timeout(Some(KEPT)).map_err(failed)?;
    match stream.read(&mut [0]) {
        Ok(0) => Err(format!("{address}: it takes a connection and closes it")),
        Ok(_) => Ok(()),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// Questions that are being asked, and their answers.
#[derive(Debug)]
pub struct Questions {
    answers: Mailbox,
    ends: OwnEnds,
}

impl Questions {
    /// Nothing asked yet.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { answers: Mailbox::new()?, ends: OwnEnds::default() })
    }

    /// Readable when there is an answer.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.answers.as_fd()
    }

    /// The ends of the connections with which it is asked now.
    #[must_use]
    pub fn own_ends(&self) -> Vec<SocketAddr> {
        self.ends.now()
    }

    /// Asks. The number comes back with the answer, to tell a late one from the one that is waited for.
    pub fn ask(&self, number: u64, question: Question, limit: Duration) -> std::io::Result<()> {
        let sender = self.answers.sender()?;
        let ends = self.ends.clone();
        std::thread::Builder::new().stack_size(STACK).spawn(move || {
            let answer = ask_with(&question, limit, &ends);
            let mut message = number.to_le_bytes().to_vec();
            if let Err(reason) = answer {
                message.push(1);
                message.extend(reason.bytes().take(LONGEST));
            } else {
                message.push(0);
            }
            sender.send(&message);
        })?;
        Ok(())
    }

    /// The answers that have come, each with its question's number.
    #[must_use]
    pub fn take(&self) -> Vec<(u64, Answer)> {
        let mut all = Vec::new();
        let mut buffer = [0_u8; LONGEST + 9];
        while let Some(length) = self.answers.take(&mut buffer) {
            let message = buffer.get(..length).unwrap_or_default();
            let Some((number, [failed, reason @ ..])) = message.split_first_chunk::<8>() else { continue };
            let reason = String::from_utf8_lossy(reason).into_owned();
            all.push((u64::from_le_bytes(*number), if *failed == 0 { Ok(()) } else { Err(reason) }));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    fn server(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            while let Ok((mut connection, _)) = listener.accept() {
                let _ = connection.read(&mut [0; 1024]);
                let _ = connection.write_all(answer.as_bytes());
            }
        });
        address
    }

    fn get(address: String) -> Question {
        Question::Http(Request::new(Method::Get, address))
    }

    #[test]
    fn a_good_status_is_an_answer_and_others_are_not() {
        for (answer, good) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", true),
            ("HTTP/1.1 204 No Content\r\n\r\n", true),
            ("HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n", false),
            ("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", false),
            ("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", true),
            ("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 500 Broken\r\n\r\n", false),
            ("HTTP/1.1 2000 OK\r\n\r\n", false),
            ("HTTP/1.1 200", false),
            ("nonsense\r\n\r\n", false),
            ("", false),
        ] {
            let question = get(format!("http://{}/health", server(answer)));
            assert_eq!(ask(&question, LIMIT).is_ok(), good, "{answer}");
        }
    }

    #[test]
    fn fields_of_the_answer_count_where_they_are_named() {
        let address = format!(
            "http://{}/health",
            server("HTTP/1.1 503 Busy\r\n\r\n{\"status\":\"ok\",\"a/b\":{\"n\":[1,true,null]}}")
        );
        let asked = |status, fields: &[(&str, &str)]| {
            let fields = fields.iter().map(|(pointer, text)| ((*pointer).to_owned(), (*text).to_owned()));
            let address = address.clone();
            let request = Request { method: Method::Get, address, status, body: fields.collect() };
            ask(&Question::Http(request), LIMIT)
        };
        let fields =
            [("/status", "ok"), ("/a~1b/n/0", "1"), ("/a~1b/n/1", "true"), ("/a~1b/n", "[1,true,null]")];
        assert_eq!(asked(Some(503), &fields), Ok(()));
        for (status, fields, reason) in [
            (None, ("/status", "ok"), "answered 503"),
            (Some(503), ("/status", "up"), "`/status` is `ok` instead of `up`"),
            (Some(503), ("/state", "ok"), "there is no `/state`"),
        ] {
            let refused = asked(status, &[fields]).unwrap_err();
            assert!(refused.ends_with(reason), "{refused}");
        }
        let address = format!("http://{}/", server("HTTP/1.1 200 OK\r\n\r\nok"));
        let body = BTreeMap::from([("/status".to_owned(), "ok".to_owned())]);
        let request = Request { body, ..Request::new(Method::Get, address) };
        assert!(ask(&Question::Http(request), LIMIT).unwrap_err().ends_with("not JSON"));
    }

    #[test]
    fn a_port_that_takes_connections_is_an_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let question = Question::Tcp(listener.local_addr().unwrap().to_string());
        assert_eq!(ask(&question, LIMIT), Ok(()));
        drop(listener);
        assert!(ask(&question, LIMIT).unwrap_err().contains("refused"));
        assert!(ask(&Question::Tcp("nonsense".to_owned()), LIMIT).is_err());
    }

    #[test]
    fn answers_come_back_with_their_numbers() {
        let questions = Questions::new().unwrap();
        questions.ask(7, Question::Tcp("127.0.0.1:1".to_owned()), LIMIT).unwrap();
        let answers = loop {
            let answers = questions.take();
            if !answers.is_empty() {
                break answers;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        assert!(matches!(&answers[..], [(7, Err(reason))] if reason.contains("127.0.0.1:1")), "{answers:?}");
    }
}
