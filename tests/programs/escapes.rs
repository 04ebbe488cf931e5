//! Ends when it is asked to, and has descendants that mean to outlive it: `escapes WORD WAY…`. A way is one or
//! more of these, joined by `+`, and each way is one descendant:
//!
//! - `fork`: its parent ends at once, so that it is an orphan
//! - `session`: it opens a session of its own
//! - `ignore`: it does not end at SIGTERM, SIGINT or SIGHUP
//! - `forget`: nothing is left in its environment
//!
//! WORD is an argument of all of them, by which a test finds them.

use std::error::Error;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[expect(clippy::disallowed_methods, reason = "a test program starts processes itself")]
fn again(word: &str, role: &str, way: &str) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([word, role, way]);
    if way.contains("forget") {
        command.env_clear();
    }
    Ok(command.spawn()?)
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [word, "between", way] => {
            again(word, "descendant", way)?;
            return Ok(());
        }
        [_, "descendant", way] => {
            if way.contains("session") {
                rustix::process::setsid()?;
            }
            if way.contains("ignore") {
                for signal in [1, 2, 15] {
                    // A handler that only takes note.
                    signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
                }
            }
        }
        [word, ways @ ..] => {
            for way in ways {
                if way.contains("fork") {
                    again(word, "between", way)?.wait()?;
                } else {
                    again(word, "descendant", way)?;
                }
            }
        }
        [] => return Err("the word is missing".into()),
    }
    loop {
        std::thread::park();
    }
}
