//! Ends at once: `exits CODE`.

use std::error::Error;
use std::process::ExitCode;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    Ok(ExitCode::from(std::env::args().nth(1).ok_or("the code is missing")?.parse::<u8>()?))
}
