//! A server that does what a test wants, and remembers what it was asked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// What stands in the place of the path: behind a proxy, a whole address.
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    /// How often this path was asked for before.
    pub(crate) turn: usize,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Whether it was an archive, not what lies beside one.
    pub(crate) fn is_archive(&self) -> bool {
        self.path.split('?').next().is_some_and(|path| path.ends_with(".tar.gz"))
    }

    /// From which byte on something was asked for.
    pub(crate) fn from(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// What it answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    length: Option<usize>,
    cut: Option<usize>,
    stall: bool,
    pause: Duration,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(crate) fn file(bytes: &[u8]) -> Self {
        Self { body: bytes.to_vec(), ..Self::new(200) }
    }

    /// A file, or the rest of it that was asked for, as a good server gives it.
    pub(crate) fn good(asked: &Asked, bytes: &[u8], tag: &str) -> Self {
        let same = asked.header("if-range").is_none_or(|sent| sent == tag);
        let reply = match asked.from().filter(|_| same) {
            Some(from) if from >= bytes.len() => {
                Self::new(416).header("Content-Range", &format!("bytes */{}", bytes.len()))
            }
            Some(from) => {
                let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
                Self { body: bytes[from..].to_vec(), ..Self::new(206).header("Content-Range", &range) }
            }
            None => Self::file(bytes),
        };
        reply.header("ETag", tag)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Ends the connection after so many bytes.
    pub(crate) fn cut(self, at: usize) -> Self {
        Self { cut: Some(at), ..self }
    }

    /// Says nothing more after so many bytes.
    pub(crate) fn stall(self, at: usize) -> Self {
        Self { cut: Some(at), stall: true, ..self }
    }

    /// Announces another length than it has.
    pub(crate) fn announce(self, length: usize) -> Self {
        Self { length: Some(length), ..self }
    }

    /// Waits between any two pieces.
    pub(crate) fn slow(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    fn send(&self, stream: &mut impl Write) -> std::io::Result<()> {
        let length = self.length.unwrap_or(self.body.len());
        let mut head = format!("HTTP/1.1 {} Of course\r\nConnection: close\r\n", self.status);
        if length != usize::MAX {
            write!(head, "Content-Length: {length}\r\n").unwrap();
        }
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        let end = self.cut.unwrap_or(self.body.len()).min(self.body.len());
        for piece in self.body[..end].chunks(16 << 10) {
            stream.write_all(piece)?;
            stream.flush()?;
            std::thread::sleep(self.pause);
        }
        stream.flush()
    }
}

type Answer = dyn Fn(&Asked) -> Reply + Send + Sync;

/// A server on loopback, for as long as the test lasts.
pub(crate) struct Server {
    scheme: &'static str,
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) fn new(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(None, Arc::new(answer))
    }

    pub(crate) fn encrypted(
        config: rustls::ServerConfig,
        answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start(Some(Arc::new(config)), Arc::new(answer))
    }

    /// A file under whatever name ends as its own, as a good server gives it; nothing else is there.
    pub(crate) fn of(files: Vec<(String, Vec<u8>)>) -> Self {
        Self::new(move |asked| found(&files, asked))
    }

    fn start(config: Option<Arc<rustls::ServerConfig>>, answer: Arc<Answer>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (log, scheme) = (asked.clone(), if config.is_some() { "https" } else { "http" });
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, answer, log) = (config.clone(), answer.clone(), log.clone());
                std::thread::spawn(move || serve(stream, config, &answer, &log));
            }
        });
        Self { scheme, port, asked }
    }

    pub(crate) fn address(&self, name: &str) -> String {
        format!("{}://127.0.0.1:{}/files/{name}", self.scheme, self.port)
    }

    /// What was asked for under a name, in order.
    pub(crate) fn asked(&self, name: &str) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.path.split('?').next().unwrap().ends_with(name)).cloned().collect()
    }
}

/// One of several files, or the answer that there is none.
pub(crate) fn found(files: &[(String, Vec<u8>)], asked: &Asked) -> Reply {
    let path = asked.path.split('?').next().unwrap();
    let found = files.iter().find(|(name, _)| path.ends_with(&format!("/{name}")));
    found.map_or(Reply::new(404), |(_, bytes)| Reply::good(asked, bytes, "\"one\""))
}

fn serve(
    stream: TcpStream,
    config: Option<Arc<rustls::ServerConfig>>,
    answer: &Arc<Answer>,
    log: &Mutex<Vec<Asked>>,
) {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    match config {
        Some(config) => {
            let connection = rustls::ServerConnection::new(config).unwrap();
            talk(rustls::StreamOwned::new(connection, stream), answer, log);
        }
        None => talk(stream, answer, log),
    }
}

fn talk(mut stream: impl Read + Write, answer: &Arc<Answer>, log: &Mutex<Vec<Asked>>) {
    let Some(asked) = read(&mut stream, log) else { return };
    log.lock().unwrap().push(asked.clone());
    let reply = answer(&asked);
    // Whoever asks may be gone.
    let sent = reply.send(&mut stream);
    if reply.stall && sent.is_ok() {
        let _ = stream.read(&mut [0]);
    }
}

fn read(stream: &mut (impl Read + Write), log: &Mutex<Vec<Asked>>) -> Option<Asked> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let headers = lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())))
        .collect();
    let turn = log.lock().unwrap().iter().filter(|asked| asked.path == path).count();
    Some(Asked { path, headers, turn })
}
