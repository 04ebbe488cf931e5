//! Holds memory in a child process: `grows MEBIBYTES`.

use std::error::Error;
use std::process::Command;

#[expect(clippy::disallowed_methods, reason = "a test program starts processes itself")]
fn main() -> Result<(), Box<dyn Error>> {
    let argument = std::env::args().nth(1).ok_or("the mebibytes are missing")?;
    let mut held = Vec::new();
    if let Some(mebibytes) = argument.strip_prefix("child:") {
        // Written to, or the system would not give it.
        held = vec![1_u8; mebibytes.parse::<usize>()? << 20];
    } else {
        Command::new(std::env::current_exe()?).arg(format!("child:{argument}")).spawn()?;
    }
    loop {
        std::hint::black_box(&held);
        std::thread::park();
    }
}
