//! sygen: a bot that is spoken to. Here its messages are files of an inbox; what it answers stands in its logs.
//!
//! ```text
//! sygen run
//! ```
//!
//! `restart` has it start anew: with `SYGEN_SUPERVISOR` it ends with 42 and is started, without it does so itself.
//! `crash` ends it with 1, `quit` with 0. `work` has helpers do it, a child and one that has left its family; every other
//! text is answered. `SYGEN_HOME` is where all of it is, `SYGEN_TOKEN` what it signs in with.

#![allow(clippy::disallowed_methods, reason = "a program of its own reads its environment itself")]

#[path = "../shared/stop.rs"]
mod stop;

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use stop::Stop;

/// The code that asks whoever supervises it for a start anew.
const RESTART: u8 = 42;
/// The token was refused: a new start would change nothing before somebody brings another.
const REFUSED: u8 = 78;

struct Bot {
    home: PathBuf,
    is_supervised: bool,
    stop: Stop,
}

impl Bot {
    fn open() -> Result<Self, Box<dyn Error>> {
        let home = PathBuf::from(std::env::var("SYGEN_HOME").map_err(|_| "SYGEN_HOME is not set")?);
        for folder in ["inbox", "logs"] {
            fs::create_dir_all(home.join(folder))?;
        }
        let is_supervised = std::env::var("SYGEN_SUPERVISOR").is_ok_and(|word| !word.is_empty());
        let stop = Stop::listen(home.join("stop"))?;
        Ok(Self { home, is_supervised, stop })
    }

    /// To standard output for whoever captures it, and to its own log as it always did.
    fn say(&self, words: &str) -> io::Result<()> {
        let line = format!("INFO {words}");
        writeln!(io::stdout(), "{line}")?;
        let log = self.home.join("logs/agent.log");
        writeln!(OpenOptions::new().create(true).append(true).open(log)?, "{line}")
    }

    fn run(&self) -> Result<u8, Box<dyn Error>> {
        if std::env::var("SYGEN_TOKEN").unwrap_or_default().starts_with("wrong") {
            self.say("the token is refused")?;
            return Ok(REFUSED);
        }
        let whose = if self.is_supervised { "a supervisor's" } else { "its own master" };
        self.say(&format!("up as process {}, {whose}", std::process::id()))?;
        fs::write(self.home.join("ready"), std::process::id().to_string())?;
        while !self.stop.is_asked_for() {
            let mut letters: Vec<PathBuf> = Vec::new();
            for entry in fs::read_dir(self.home.join("inbox"))? {
                letters.push(entry?.path());
            }
            letters.sort();
            for letter in letters {
                let text = fs::read_to_string(&letter)?;
                fs::remove_file(&letter)?;
                if let Some(code) = self.answer(text.trim())? {
                    return Ok(code);
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.say("good night")?;
        Ok(0)
    }

    /// What it does at a message; with a code, it ends.
    fn answer(&self, text: &str) -> Result<Option<u8>, Box<dyn Error>> {
        match text {
            "restart" if self.is_supervised => {
                self.say("starting anew: whoever supervises sees to it")?;
                return Ok(Some(RESTART));
            }
            "restart" => {
                self.say("starting anew by itself")?;
                return Ok(Some(again()?));
            }
            "crash" => return Err("a message that it could not bear".into()),
            "quit" => {
                self.say("as you wish")?;
                return Ok(Some(0));
            }
            "work" => {
                Command::new(std::env::current_exe()?).arg("help").arg(&self.home).spawn()?;
                self.say("helpers are at work")?;
            }
            text => self.say(&format!("you said: {text}"))?,
        }
        Ok(None)
    }
}

/// The same program in the place of this one.
#[cfg(unix)]
fn again() -> Result<u8, Box<dyn Error>> {
    use std::os::unix::process::CommandExt as _;
    Err(Command::new(std::env::current_exe()?).arg("run").exec().into())
}

#[cfg(not(unix))]
fn again() -> Result<u8, Box<dyn Error>> {
    Command::new(std::env::current_exe()?).arg("run").spawn()?;
    Ok(0)
}

/// A helper notes its number and works for an hour. The first one leaves another behind, in a group of its own and
/// without a parent.
fn help(home: &Path, role: &str) -> Result<u8, Box<dyn Error>> {
    if role == "first" {
        let mut parent = Command::new(std::env::current_exe()?);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut parent, 0);
        parent.arg("help").arg(home).arg("parent").spawn()?.wait()?;
    }
    if role == "parent" {
        Command::new(std::env::current_exe()?).arg("help").arg(home).arg("orphan").spawn()?;
        return Ok(0);
    }
    let mut notes = OpenOptions::new().create(true).append(true).open(home.join("helpers"))?;
    writeln!(notes, "{}", std::process::id())?;
    drop(notes);
    std::thread::sleep(Duration::from_secs(3600));
    Ok(0)
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let code = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["run"] => Bot::open()?.run()?,
        ["help", home] => help(Path::new(home), "first")?,
        ["help", home, role] => help(Path::new(home), role)?,
        ["stop"] => {
            let home = std::env::var("SYGEN_HOME")?;
            fs::write(Path::new(&home).join("stop"), "")?;
            0
        }
        _ => return Err("usage: sygen run|stop".into()),
    };
    Ok(ExitCode::from(code))
}
