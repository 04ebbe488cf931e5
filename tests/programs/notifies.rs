//! Says by the service manager's protocol that it is ready: `notifies MILLISECONDS [WORD] [COUNT]`. Then it says
//! COUNT times that it still works, as often as it is asked to (`sd_watchdog_enabled(3)`).

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
    let count = std::env::args().nth(3).map_or(Ok(0), |text| text.parse())?;
    for _ in 0..count {
        let period = Duration::from_micros(std::env::var("WATCHDOG_USEC")?.parse()?);
        std::thread::sleep(period / 2);
        manager.tell("WATCHDOG=1")?;
    }
    loop {
        std::thread::park();
    }
}
