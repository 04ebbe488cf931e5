//! Leaves a child in a session of its own behind and fails: `leaves_children MILLISECONDS`.

use std::error::Error;
use std::process::{Command, ExitCode};
use std::time::Duration;

#[expect(clippy::disallowed_methods, reason = "a test program starts processes itself")]
fn main() -> Result<ExitCode, Box<dyn Error>> {
    let argument = std::env::args().nth(1).ok_or("the milliseconds are missing")?;
    if argument == "child" {
        rustix::process::setsid()?;
        loop {
            std::thread::park();
        }
    }
    Command::new(std::env::current_exe()?).arg("child").spawn()?;
    std::thread::sleep(Duration::from_millis(argument.parse()?));
    Ok(ExitCode::from(1))
}
