//! kei: brings photos from a cloud to this disk, as its users know it, and with mainstay as its loop.
//!
//! ```text
//! kei sync        one cycle: what is new in the cloud is downloaded
//! kei reconcile   finds what was removed from the disk, for the next cycle to bring it back
//! kei status      how it stands, as JSON
//! kei login CODE  answers the question for a code
//! kei stop        asks a cycle to end, where no signal can
//! ```
//!
//! `KEI_CLOUD` is the folder that stands for the cloud. Each entry is an asset, `.account` says how the account is:
//! `locked`, `refused` or `2fa`. `KEI_DATA` is where all goes. `KEI_PACE` is how many milliseconds 64 KiB take.

#![allow(clippy::disallowed_methods, reason = "a program of its own reads its environment itself")]

#[path = "../shared/stop.rs"]
mod stop;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use stop::Stop;

/// How a cycle ends, for whoever supervises it.
const FATAL: u8 = 1;
const PARTIAL: u8 = 2;
const REFUSED: u8 = 3;
const LOCKED: u8 = 4;

/// What is kept from cycle to cycle.
#[derive(Default, Serialize, Deserialize)]
struct State {
    /// How the account is.
    account: String,
    /// The code with which somebody has answered.
    code: Option<String>,
    /// How often it has run.
    cycles: u32,
    /// What became of each asset.
    assets: BTreeMap<String, Asset>,
}

#[derive(Serialize, Deserialize)]
struct Asset {
    size: u64,
    downloaded: bool,
}

struct Kei {
    cloud: PathBuf,
    data: PathBuf,
    pace: Duration,
    state: State,
}

fn say(level: &str, words: &str) {
    let _ = writeln!(io::stdout(), "{level} {words}");
}

fn variable(name: &str) -> Result<String, Box<dyn Error>> {
    std::env::var(name).map_err(|_| format!("{name} is not set").into())
}

impl Kei {
    fn open() -> Result<Self, Box<dyn Error>> {
        let data = PathBuf::from(variable("KEI_DATA")?);
        fs::create_dir_all(data.join("photos"))?;
        let state = match fs::read(data.join("state.json")) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::default(),
            Err(error) => return Err(error.into()),
        };
        let pace = variable("KEI_PACE").map_or(Ok(0), |text| text.parse())?;
        Ok(Self { cloud: variable("KEI_CLOUD")?.into(), data, pace: Duration::from_millis(pace), state })
    }

    fn photo(&self, name: &str) -> PathBuf {
        self.data.join("photos").join(name)
    }

    fn save(&self) -> io::Result<()> {
        let beside = self.data.join("state.json.new");
        fs::write(&beside, serde_json::to_vec_pretty(&self.state)?)?;
        fs::rename(beside, self.data.join("state.json"))
    }

    /// Whether the account lets it in; if not, the code to end with.
    fn sign_in(&mut self) -> io::Result<Result<(), u8>> {
        let account = fs::read_to_string(self.cloud.join(".account")).unwrap_or_default();
        let (word, end) = match account.trim() {
            "locked" => ("locked", Err(LOCKED)),
            "refused" => ("refused", Err(REFUSED)),
            "2fa" if self.state.code.is_none() => ("needs a code", Err(0)),
            _ => ("signed in", Ok(())),
        };
        word.clone_into(&mut self.state.account);
        match word {
            "locked" => say("ERROR", "the account is locked: unlock it in a browser"),
            "refused" => say("ERROR", "the cloud refused the password"),
            "needs a code" => say("WARN", "the cloud asks for a code: kei login CODE"),
            _ => {}
        }
        self.save()?;
        Ok(end)
    }

    /// One cycle. The code says how it went.
    fn sync(&mut self) -> Result<u8, Box<dyn Error>> {
        let stop = Stop::listen(self.data.join("stop"))?;
        self.state.cycles += 1;
        if let Err(code) = self.sign_in()? {
            return Ok(code);
        }
        let mut queue = Vec::new();
        for entry in fs::read_dir(&self.cloud)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let size = entry.metadata()?.len();
            let known = self.state.assets.get(&name).is_some_and(|it| it.downloaded && it.size == size);
            if !name.starts_with('.') && !known {
                queue.push((name, size));
            }
        }
        queue.sort();
        say("INFO", &format!("cycle {}: {} assets are new", self.state.cycles, queue.len()));
        let (mut done, mut failed, mut skipped) = (0, 0, 0);
        for (name, size) in queue {
            if stop.is_asked_for() {
                skipped += 1;
                continue;
            }
            let downloaded = match self.download(&name) {
                Ok(()) => true,
                Err(error) => {
                    say("WARN", &format!("{name}: {error}"));
                    false
                }
            };
            if downloaded {
                done += 1;
            } else {
                failed += 1;
            }
            self.state.assets.insert(name, Asset { size, downloaded });
            self.save()?;
        }
        self.save()?;
        if skipped > 0 {
            say("INFO", &format!("asked to end: {done} downloaded, {skipped} skipped"));
            return Ok(0);
        }
        say("INFO", &format!("{done} downloaded, {failed} failed"));
        Ok(match (done, failed) {
            (_, 0) => 0,
            (0, _) if !self.state.assets.values().any(|it| it.downloaded) => FATAL,
            _ => PARTIAL,
        })
    }

    /// By way of a file beside it, which a later cycle goes on with.
    fn download(&self, name: &str) -> io::Result<()> {
        let beside = self.photo(&format!("{name}.kei-tmp"));
        let mut source = File::open(self.cloud.join(name))?;
        let mut target = OpenOptions::new().create(true).append(true).open(&beside)?;
        let there = target.metadata()?.len();
        if there > 0 {
            say("INFO", &format!("{name}: goes on after {there} bytes"));
        }
        source.seek(SeekFrom::Start(there))?;
        let mut piece = vec![0; 1 << 16];
        loop {
            match source.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => target.write_all(&piece[..length])?,
                Err(error) => {
                    fs::remove_file(&beside)?;
                    return Err(error);
                }
            }
            std::thread::sleep(self.pace);
        }
        target.sync_all()?;
        fs::rename(beside, self.photo(name))
    }

    fn reconcile(&mut self) -> io::Result<()> {
        let photos = self.data.join("photos");
        let mut gone = 0;
        for (name, asset) in &mut self.state.assets {
            if asset.downloaded && !photos.join(name).exists() {
                say("INFO", &format!("{name} was removed from the disk"));
                asset.downloaded = false;
                gone += 1;
            }
        }
        say("INFO", &format!("reconciled: {gone} to download again"));
        self.save()
    }

    fn status(&self) -> serde_json::Value {
        let downloaded = self.state.assets.values().filter(|asset| asset.downloaded).count();
        serde_json::json!({
            "account": self.state.account, "cycles": self.state.cycles,
            "assets": { "downloaded": downloaded, "failed": self.state.assets.len() - downloaded },
        })
    }
}

fn run(words: &[String]) -> Result<u8, Box<dyn Error>> {
    let mut kei = Kei::open()?;
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["sync"] => return kei.sync(),
        ["reconcile"] => kei.reconcile()?,
        ["status"] => writeln!(io::stdout(), "{}", kei.status())?,
        ["login", code] => {
            kei.state.code = Some((*code).to_owned());
            kei.save()?;
        }
        ["stop"] => fs::write(Path::new(&kei.data).join("stop"), "")?,
        _ => return Err("usage: kei sync|reconcile|status|login CODE|stop".into()),
    }
    Ok(0)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    run(&words).map_or_else(
        |error| {
            say("ERROR", &error.to_string());
            ExitCode::from(FATAL)
        },
        ExitCode::from,
    )
}
