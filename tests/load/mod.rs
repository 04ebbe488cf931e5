//! A constant load of HTTP requests on one address, and what became of them.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longer than an answer takes, whatever is restarted meanwhile.
const PATIENCE: Duration = Duration::from_secs(20);
/// The pause of each client between an answer and its next question.
const PAUSE: Duration = Duration::from_millis(1);

/// What became of the requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Answered.
    pub(crate) answered: usize,
    /// The connection was refused.
    pub(crate) refused: usize,
    /// Connected, and not answered.
    pub(crate) failed: Vec<String>,
    /// The longest time that an answer took.
    pub(crate) longest: Duration,
}

/// Clients that ask without end.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Count>>,
}

/// Asks once, at an address or at the path of a Unix socket.
pub(crate) fn ask(place: &str) -> std::io::Result<String> {
    const QUESTION: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut answer = String::new();
    if place.starts_with('/') {
        let mut connection = UnixStream::connect(place)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.write_all(QUESTION)?;
        connection.read_to_string(&mut answer)?;
    } else {
        let address: SocketAddr = place.parse().map_err(std::io::Error::other)?;
        let mut connection = TcpStream::connect_timeout(&address, PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.write_all(QUESTION)?;
        connection.read_to_string(&mut answer)?;
    }
    match answer.split_once("\r\n\r\n") {
        Some((_, body)) if !body.is_empty() => Ok(body.to_owned()),
        _ => Err(std::io::Error::new(ErrorKind::UnexpectedEof, "no whole answer")),
    }
}

impl Load {
    /// So many clients, each with one request after the other.
    pub(crate) fn on(place: &str, clients: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let client = || {
            let (place, stop) = (place.to_owned(), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut count = Count::default();
                while !stop.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    match ask(&place) {
                        Ok(_) => count.answered += 1,
                        Err(error)
                            if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound) =>
                        {
                            count.refused += 1;
                        }
                        Err(error) => count.failed.push(error.to_string()),
                    }
                    count.longest = count.longest.max(began.elapsed());
                    std::thread::sleep(PAUSE);
                }
                count
            })
        };
        let clients = (0..clients).map(|_| client()).collect();
        Self { stop, clients }
    }

    /// Lets each client finish what it has begun, and gives the counts.
    pub(crate) fn end(self) -> Count {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Count::default();
        for client in self.clients {
            if let Ok(count) = client.join() {
                all.answered += count.answered;
                all.refused += count.refused;
                all.failed.extend(count.failed);
                all.longest = all.longest.max(count.longest);
            }
        }
        all
    }
}
