//! Fails after some time: `crashes MILLISECONDS`.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let pause = std::env::args().nth(1).ok_or("the milliseconds are missing")?.parse()?;
    std::thread::sleep(Duration::from_millis(pause));
    Ok(ExitCode::from(1))
}
