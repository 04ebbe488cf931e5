//! Says by the service manager's protocol that it is ready: `notifies MILLISECONDS [WORD]`.

use std::error::Error;
use std::time::Duration;

use mainstay::host::notify::Manager;

#[expect(clippy::disallowed_methods, reason = "a test program reads its own environment")]
fn main() -> Result<(), Box<dyn Error>> {
    let pause = std::env::args().nth(1).ok_or("the milliseconds are missing")?.parse()?;
    let word = std::env::args().nth(2).unwrap_or_else(|| "all is well".to_owned());
    let manager = Manager::at(&std::env::var("NOTIFY_SOCKET")?)?;
    std::thread::sleep(Duration::from_millis(pause));
    manager.tell(&format!("READY=1\nSTATUS={word}"))?;
    loop {
        std::thread::park();
    }
}
