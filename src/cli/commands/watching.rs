//! `--watch`: shown again at every change, in place where a person looks at a terminal, else one after the other.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cli::report::Report;
use crate::host::terminal;

/// The pause between two looks at the files that change with the state, and at the terminal's size.
const LOOK: Duration = Duration::from_millis(100);
/// After this long a screen is drawn again, because times are on it.
const TICK: Duration = Duration::from_secs(1);

/// Something that is watched.
pub(super) trait Watched {
    /// What is found out about it.
    type Answer: Serialize;
    /// What changes with it, and is looked at often because that is cheap.
    type Traces: PartialEq;

    /// Finds out how it is.
    fn look(&self) -> Self::Answer;
    /// What of an answer has to differ for it to be news.
    fn compared(&self, answer: &Self::Answer) -> Self::Answer;
    /// The screen of an answer that was found some time ago.
    fn screen(&self, answer: &Self::Answer, looked: Instant, columns: Option<usize>) -> Vec<String>;
    /// What changes with it.
    fn traces(&self) -> Self::Traces;
    /// How long it is believed without looking again.
    fn pause(&self) -> Duration;
    /// What the command ends with where nobody reads on.
    fn exit_code(&self, answer: &Self::Answer) -> u8;
}

/// Shows something at every change, until a signal ends this program or nobody looks any more.
pub(super) fn watch<W: Watched<Answer: PartialEq>>(report: &Report, watched: &W) -> u8 {
    let screen = report.screen();
    let mut shown = None;
    loop {
        let before = watched.traces();
        let (answer, looked) = (watched.look(), Instant::now());
        let compared = watched.compared(&answer);
        let changed = shown.as_ref() != Some(&compared);
        if report.is_json() && changed {
            report.document_line(&answer);
        } else if screen.is_none() && changed && !report.is_json() {
            for line in watched.screen(&answer, looked, report.columns()) {
                report.line(line);
            }
            report.line("");
        }
        if report.is_closed() {
            return watched.exit_code(&answer);
        }
        shown = Some(compared);
        let mut drawn: Option<(Instant, Option<terminal::Extent>)> = None;
        // Drawn once at least, also where it has changed again while it was found out.
        while drawn.is_none() || (looked.elapsed() < watched.pause() && watched.traces() == before) {
            if let Some(screen) = &screen {
                let extent = report.extent();
                let due = drawn.is_none_or(|(at, of)| of != extent || at.elapsed() >= TICK);
                if due && !screen.draw(watched.screen(&answer, looked, report.columns())) {
                    return watched.exit_code(&answer);
                }
                drawn = if due { Some((Instant::now(), extent)) } else { drawn };
            } else {
                drawn = Some((looked, None));
            }
            std::thread::sleep(LOOK);
        }
    }
}
