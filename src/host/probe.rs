//! Asking a program whether it is ready, over the network. Each question has a thread of its own, so that
//! whoever waits for the answer can meanwhile attend to other things.

use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::host::http_status::status;

/// How long an answer may take.
pub const LIMIT: Duration = Duration::from_secs(3);
/// Enough for a question over HTTP, and less than the system's default of 8 MiB.
const STACK: usize = 512 << 10;
/// The longest reason that is passed on, in bytes.
const LONGEST: usize = 200;

/// A question to a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether an address answers with a status from 200 to 299.
    Http(String),
    /// Whether a host and port takes a connection.
    Tcp(String),
}

/// The answer, or why there was none.
pub type Answer = Result<(), String>;

/// Asks, and waits for the answer.
pub fn ask(question: &Question, limit: Duration) -> Answer {
    match question {
        Question::Http(address) => http(address, limit),
        Question::Tcp(address) => tcp(address, limit),
    }
}

fn http(address: &str, limit: Duration) -> Answer {
    match status(address, limit) {
        Ok(200..=299) => Ok(()),
        Ok(status) => Err(format!("{address} answered {status}")),
        Err(error) => Err(format!("{address}: {error}")),
    }
}

fn tcp(address: &str, limit: Duration) -> Answer {
    let addresses = address.to_socket_addrs().map_err(|error| format!("{address}: {error}"))?;
    let mut last = format!("{address}: no such host");
    for candidate in addresses {
        match TcpStream::connect_timeout(&candidate, limit) {
            Ok(_) => return Ok(()),
            Err(error) => last = format!("{candidate}: {error}"),
        }
    }
    Err(last)
}

/// Questions that are being asked, and their answers.
#[derive(Debug)]
pub struct Questions {
    answers: UnixDatagram,
    sender: UnixDatagram,
}

impl Questions {
    /// Nothing asked yet.
    pub fn new() -> std::io::Result<Self> {
        let (answers, sender) = UnixDatagram::pair()?;
        answers.set_nonblocking(true)?;
        Ok(Self { answers, sender })
    }

    /// Readable when there is an answer.
    #[must_use]
    pub fn descriptor(&self) -> &UnixDatagram {
        &self.answers
    }

    /// Asks. The number comes back with the answer, to tell a late one from the one that is waited for.
    pub fn ask(&self, number: u64, question: Question, limit: Duration) -> std::io::Result<()> {
        let sender = OwnedFd::from(self.sender.try_clone()?);
        std::thread::Builder::new().stack_size(STACK).spawn(move || {
            let answer = ask(&question, limit);
            let mut message = number.to_le_bytes().to_vec();
            if let Err(reason) = answer {
                message.push(1);
                message.extend(reason.bytes().take(LONGEST));
            } else {
                message.push(0);
            }
            // Nobody waits any more if this fails.
            let _ = UnixDatagram::from(sender).send(&message);
        })?;
        Ok(())
    }

    /// The answers that have come, each with its question's number.
    #[must_use]
    pub fn take(&self) -> Vec<(u64, Answer)> {
        let mut all = Vec::new();
        let mut buffer = [0_u8; LONGEST + 9];
        while let Ok(length) = self.answers.recv(&mut buffer) {
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
            let question = Question::Http(format!("http://{}/health", server(answer)));
            assert_eq!(ask(&question, LIMIT).is_ok(), good, "{answer}");
        }
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
