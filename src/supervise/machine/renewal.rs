//! Restarts because of changed files, slowed down where they follow each other: a program that writes its own
//! configuration when it starts would otherwise be started again for ever.

use std::time::Duration;

use crate::model::moment::BootMoment;

/// A change so soon after a start that a change made may be the program's own. It is also the first pause, which
/// doubles each time.
const SOON: Duration = Duration::from_secs(30);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(3_600);

#[derive(Clone, Debug, Default)]
pub(super) struct Renewal {
    /// When the program was started, if a change was why.
    began: Option<BootMoment>,
    /// How many such starts in a row were soon followed by another change.
    repeats: u32,
    due: Option<BootMoment>,
    /// What has changed, while a start waits.
    what: String,
}

impl Renewal {
    /// The program is started because of a change.
    pub(super) fn begin(&mut self, now: BootMoment) {
        self.began = Some(now);
        self.due = None;
    }

    /// It is started for another reason.
    pub(super) fn forget(&mut self) {
        self.began = None;
        self.due = None;
    }

    /// Files have changed. How long after the last start the next one is made, if it waits.
    pub(super) fn changed(&mut self, what: &str, now: BootMoment) -> Option<Duration> {
        let began = self.began?;
        if self.due.is_none() && now.since(began) < SOON {
            self.due = Some(began.later(self.pause()));
            what.clone_into(&mut self.what);
            self.repeats = self.repeats.saturating_add(1);
        }
        let due = self.due;
        if due.is_none() {
            self.repeats = 0;
        }
        due.map(|due| due.since(began))
    }

    fn pause(&self) -> Duration {
        SOON.saturating_mul(2_u32.saturating_pow(self.repeats)).min(LONGEST)
    }

    /// What has changed, at the start that waited.
    pub(super) fn what(&mut self) -> String {
        std::mem::take(&mut self.what)
    }

    /// When the start that waits is made.
    pub(super) fn due(&self) -> Option<BootMoment> {
        self.due
    }
}
