//! Does not end when it is asked to, and has descendants that do not either: a child, an orphan whose parent
//! has ended, and an orphan in a session of its own.

use std::error::Error;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[expect(clippy::disallowed_methods, reason = "a test program starts processes itself")]
fn again(role: &str) -> Result<Child, Box<dyn Error>> {
    Ok(Command::new(std::env::current_exe()?).arg(role).spawn()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    for signal in [1, 2, 15] {
        // A handler that only takes note.
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    match std::env::args().nth(1).as_deref() {
        None => {
            again("child")?;
            again("parent")?.wait()?;
            again("session-parent")?.wait()?;
        }
        Some("parent") => {
            again("child")?;
            return Ok(());
        }
        Some("session-parent") => {
            again("session")?;
            return Ok(());
        }
        Some("session") => {
            rustix::process::setsid()?;
        }
        Some(_) => {}
    }
    loop {
        std::thread::park();
    }
}
