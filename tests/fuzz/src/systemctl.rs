//! What the tools of service managers answer, and what a program says to its manager.

use mainstay::host::notify;
use mainstay::model::level::Levels;
use mainstay::platform::journal;
use mainstay::platform::observed::{self, Answer};

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (stdout, stderr) = text.split_once('\u{0}').unwrap_or((&text, ""));
    for code in [Some(0), Some(1), None] {
        let answer = Answer { code, stdout, stderr };
        if let Ok(seen) = observed::service(answer) {
            let _ = (seen.starts_at_boot(), seen.last_exit());
            assert_ne!(seen.main_pid, Some(0), "no process has this number");
        }
        if let Ok(files) = observed::unit_files(answer) {
            let _ = files.map(|file| file.exists());
        }
        let _ = observed::services(answer);
        let _ = observed::linger(answer);
        let _ = observed::version(answer);
    }
    let levels = Levels::default();
    for line in text.lines() {
        let _ = journal::entry(line, &levels);
    }
    let _ = notify::parse(&text);
}
