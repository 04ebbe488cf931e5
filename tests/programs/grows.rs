//! Holds memory in a child process: `grows MEBIBYTES`.

use std::error::Error;
use std::process::Command;

#[expect(clippy::disallowed_methods, reason = "a test program starts processes itself")]
fn main() -> Result<(), Box<dyn Error>> {
    let argument = std::env::args().nth(1).ok_or("the mebibytes are missing")?;
    let held = match argument.strip_prefix("child:") {
        // Written to, or the system would not give it.
        Some(mebibytes) => vec![1_u8; mebibytes.parse::<usize>()? << 20],
        None => {
            Command::new(std::env::current_exe()?).arg(format!("child:{argument}")).spawn()?;
            Vec::new()
        }
    };
    loop {
        std::hint::black_box(&held);
        std::thread::park();
    }
}
