//! The terminal's other screen, on which a watch is drawn in place.

use std::sync::{Arc, Mutex, PoisonError};

use crate::cli::report::{coloured, rows, terminal_write};
use crate::host::signal;

/// The terminal's other screen, on which is drawn in place. When it is left, by whatever way, the terminal is as it was,
/// and what was shown last stands there.
pub(crate) struct Screen {
    shown: Arc<Mutex<Shown>>,
}

#[derive(Default)]
struct Shown {
    lines: Vec<String>,
    left: bool,
}

impl Screen {
    /// The other screen, without a cursor, and without lines that run on in the next.
    const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J";
    const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

    /// Opens it, where signals can be caught that would leave it open.
    pub(super) fn open() -> Option<Self> {
        let shown = Arc::new(Mutex::new(Shown::default()));
        let at_end = Arc::clone(&shown);
        signal::on_end(move || leave(&at_end)).ok()?;
        let at_stop = Arc::clone(&shown);
        signal::on_stop(move |stop| stand_aside(&at_stop, stop)).ok()?;
        terminal_write(Self::ENTER).ok()?;
        Some(Self { shown })
    }

    /// Draws these lines in place of those before: what does not fit below is left out. Says whether somebody looks.
    pub(crate) fn draw(&self, lines: Vec<String>) -> bool {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.left {
            return false;
        }
        let drawn = terminal_write(&frame(&lines)).is_ok();
        shown.lines = lines;
        drawn
    }
}

/// As many lines as fit, in one piece and each over the one before, so that nothing flickers.
fn frame(lines: &[String]) -> String {
    let rows = rows();
    let mut fitting: Vec<String> = lines.iter().take(rows).map(|line| coloured(line)).collect();
    if let Some(last) = fitting.last_mut().filter(|_| lines.len() > rows) {
        *last = format!("… {} more lines", lines.len() + 1 - rows);
    }
    // A line is emptied before it is written: to empty the rest of one that is full takes its last letter.
    let below = if fitting.len() < rows { "\r\n\x1b[J" } else { "" };
    format!("\x1b[?2026h\x1b[H\x1b[K{}{below}\x1b[?2026l", fitting.join("\r\n\x1b[K"))
}

/// While this program is stopped (Ctrl-Z) the terminal is the shell's, and as it was; then it is drawn on again. Nothing
/// else is drawn in between.
fn stand_aside(shown: &Mutex<Shown>, stop: &dyn Fn()) {
    let shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
    if shown.left {
        return stop();
    }
    // Whoever closed the terminal does not miss it.
    let _ = terminal_write(Screen::LEAVE);
    stop();
    let _ = terminal_write(&format!("{}{}", Screen::ENTER, frame(&shown.lines)));
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave(&self.shown);
    }
}

/// The first who leaves the screen restores the terminal.
fn leave(shown: &Mutex<Shown>) {
    let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
    if !std::mem::replace(&mut shown.left, true) {
        let last: Vec<String> = shown.lines.iter().map(|line| coloured(line) + "\r\n").collect();
        // Whoever closed the terminal does not miss it.
        let _ = terminal_write(&format!("{}{}", Screen::LEAVE, last.concat()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_emptied_after_a_line_that_may_be_full() {
        let drawn = frame(&["full".to_owned(), "to the brim".to_owned()]);
        assert!(!drawn.contains("full\x1b[") && !drawn.contains("brim\x1b["), "{drawn:?}");
        assert_eq!(drawn.matches("\x1b[K").count(), 2);
    }
}
