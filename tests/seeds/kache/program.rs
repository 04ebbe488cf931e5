//! kache: a daemon that uploads what builds have made, and the client that builds call.
//!
//! ```text
//! kache daemon      serves; a second one says so and ends with 0
//! kache put NAME    what a build calls: it never fails, whatever the daemon does
//! kache stats       how the daemon is, as JSON
//! kache stop        asks it to end, where no signal can
//! ```
//!
//! `KACHE_SOCKET` is where they meet, `KACHE_HOME` where the queue is, `KACHE_REMOTE` the folder that stands for the
//! store elsewhere, and `KACHE_UPLOAD_MS` how long an upload takes. `KACHE_LOG=kache=info` says more.

#![allow(clippy::disallowed_methods, reason = "a program of its own reads its environment itself")]

mod door;
#[path = "../shared/stop.rs"]
mod stop;

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use stop::Stop;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A client is newer than the daemon: it asks whoever supervises it for the newer program.
const NEWER: u8 = 75;
/// How long an upload may still take when the daemon ends.
const DRAIN: Duration = Duration::from_secs(30);

#[derive(Serialize, Deserialize)]
struct Question {
    /// When the client's program was built.
    epoch: u64,
    /// What to upload. `None`: only how it is.
    put: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
struct Stats {
    daemon: String,
    version: String,
    epoch: u64,
    queued: usize,
    uploaded: usize,
    process: u32,
}

struct Kache {
    socket: String,
    home: PathBuf,
    remote: PathBuf,
    upload: Duration,
    is_talkative: bool,
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).map_err(|_| format!("{name} is not set").into())
}

/// When this program was built, as its file says.
fn epoch() -> Result<u64> {
    Ok(fs::metadata(std::env::current_exe()?)?.modified()?.duration_since(UNIX_EPOCH)?.as_secs())
}

impl Kache {
    fn open() -> Result<Self> {
        let home = PathBuf::from(variable("KACHE_HOME")?);
        fs::create_dir_all(home.join("queue"))?;
        Ok(Self {
            socket: variable("KACHE_SOCKET")?,
            remote: variable("KACHE_REMOTE")?.into(),
            upload: Duration::from_millis(variable("KACHE_UPLOAD_MS").map_or(Ok(0), |text| text.parse())?),
            is_talkative: variable("KACHE_LOG").is_ok_and(|level| level.ends_with("info")),
            home,
        })
    }

    fn say(&self, level: &str, words: &str) {
        if level != "INFO" || self.is_talkative {
            let _ = writeln!(io::stdout(), "{level} {words}");
        }
    }

    fn queue(&self) -> io::Result<Vec<PathBuf>> {
        let mut waiting = Vec::new();
        for entry in fs::read_dir(self.home.join("queue"))? {
            let path = entry?.path();
            if path.extension().is_none() {
                waiting.push(path);
            }
        }
        waiting.sort();
        Ok(waiting)
    }

    fn daemon(self) -> Result<u8> {
        let lock = File::create(self.home.join("run.lock"))?;
        if lock.try_lock().is_err() {
            self.say("WARN", "another daemon runs already");
            return Ok(0);
        }
        let Some(listener) = door::open(&self.socket)? else {
            self.say("WARN", "another daemon listens already");
            return Ok(0);
        };
        listener.set_nonblocking(true)?;
        let stop = Stop::listen(self.home.join("stop"))?;
        let began = epoch()?;
        let kache = Arc::new(self);
        let (closed, newer) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let uploaded = Arc::new(AtomicUsize::new(0));
        let waiting = kache.queue()?.len();
        kache.say("INFO", &format!("epoch {began}; {waiting} uploads are waiting from before"));
        fs::write(kache.home.join("ready"), std::process::id().to_string())?;
        let worker = {
            let (kache, closed, uploaded) = (Arc::clone(&kache), Arc::clone(&closed), Arc::clone(&uploaded));
            std::thread::spawn(move || {
                while !closed.load(Ordering::SeqCst) {
                    match kache.next_upload() {
                        Ok(true) => {
                            uploaded.fetch_add(1, Ordering::SeqCst);
                        }
                        Ok(false) => std::thread::sleep(Duration::from_millis(20)),
                        Err(error) => {
                            kache.say("ERROR", &format!("the upload failed: {error}"));
                            std::thread::sleep(Duration::from_secs(1));
                        }
                    }
                }
            })
        };
        while !stop.is_asked_for() && !newer.load(Ordering::SeqCst) {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
                    match kache.serve(&stream, began, uploaded.load(Ordering::SeqCst)) {
                        Ok(is_newer) => newer.store(is_newer, Ordering::SeqCst),
                        Err(error) => kache.say("WARN", &format!("a client left: {error}")),
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(error) => return Err(error.into()),
            }
        }
        let code = if newer.load(Ordering::SeqCst) { NEWER } else { 0 };
        kache.say("INFO", if code == NEWER { "a client is newer: draining" } else { "draining" });
        closed.store(true, Ordering::SeqCst);
        let end = Instant::now() + DRAIN;
        while !worker.is_finished() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        kache.say("INFO", &format!("drained; {} uploads wait for the next", kache.queue()?.len()));
        Ok(code)
    }

    /// Whether there was something to upload.
    fn next_upload(&self) -> io::Result<bool> {
        let Some(next) = self.queue()?.into_iter().next() else { return Ok(false) };
        let name = next.file_name().unwrap_or_default();
        self.say("INFO", &format!("uploading {}", name.display()));
        std::thread::sleep(self.upload);
        fs::copy(&next, self.remote.join(name))?;
        fs::remove_file(&next)?;
        Ok(true)
    }

    /// Whether the client is newer than this program.
    fn serve(&self, stream: &door::Stream, began: u64, uploaded: usize) -> Result<bool> {
        let mut line = String::new();
        BufReader::new(stream.try_clone()?).read_line(&mut line)?;
        let question: Question = serde_json::from_str(&line)?;
        if let Some(name) = &question.put {
            // On the disk before it is promised.
            let beside = self.home.join("queue").join(format!("{name}.part"));
            let mut file = File::create(&beside)?;
            writeln!(file, "made by a build: {name}")?;
            file.sync_all()?;
            fs::rename(&beside, self.home.join("queue").join(name))?;
        }
        let stats = Stats {
            daemon: "running".to_owned(),
            version: variable("MAINSTAY_VERSION").unwrap_or_default(),
            epoch: began,
            queued: self.queue()?.len(),
            uploaded,
            process: std::process::id(),
        };
        let mut answer = stream;
        writeln!(answer, "{}", serde_json::to_string(&stats)?)?;
        Ok(question.epoch > began)
    }

    fn ask(&self, put: Option<&str>) -> Result<Stats> {
        let stream = door::knock(&self.socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let question = Question { epoch: epoch()?, put: put.map(str::to_owned) };
        writeln!(&stream, "{}", serde_json::to_string(&question)?)?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

fn main() -> Result<ExitCode> {
    let kache = Kache::open()?;
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["daemon"] => return Ok(ExitCode::from(kache.daemon()?)),
        ["put", name] => match kache.ask(Some(name)) {
            Ok(_) => writeln!(io::stdout(), "{name}: handed over")?,
            // A build goes on without.
            Err(error) => writeln!(io::stdout(), "{name}: no daemon, not uploaded: {error}")?,
        },
        ["stats"] => {
            let offline = |_| Stats { daemon: "offline".to_owned(), ..Stats::default() };
            let stats = kache.ask(None).unwrap_or_else(offline);
            writeln!(io::stdout(), "{}", serde_json::to_string(&stats)?)?;
        }
        // Whether somebody needs the daemon: what is to be uploaded.
        ["busy"] => return Ok(ExitCode::from(u8::from(kache.queue()?.is_empty()))),
        ["stop"] => fs::write(kache.home.join("stop"), "")?,
        _ => return Err("usage: kache daemon|put NAME|stats|busy|stop".into()),
    }
    Ok(ExitCode::SUCCESS)
}
