//! Whether somebody needs the program, and since when nobody has.

use std::time::Duration;

use crate::model::moment::BootMoment;

/// The shortest and the longest pause between two looks. In between, a pause is a tenth of the time after which a
/// program is stopped.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// The looks at whether somebody needs the program, while it is ready.
#[derive(Clone, Debug)]
pub(super) struct Need {
    after: Duration,
    /// When somebody was last seen to need it.
    since: BootMoment,
    /// The next look. `None`: an answer is awaited.
    next: Option<BootMoment>,
}

impl Need {
    /// The program has become ready, for somebody's sake.
    pub(super) fn begin(after: Duration, now: BootMoment) -> Self {
        let mut need = Self { after, since: now, next: None };
        need.plan(now);
        need
    }

    pub(super) fn deadline(&self) -> Option<BootMoment> {
        self.next
    }

    /// Whether an answer is still of interest.
    pub(super) fn awaits(&self) -> bool {
        self.next.is_none()
    }

    /// Whether it is time for a look, of which the answer is then awaited.
    pub(super) fn due(&mut self, now: BootMoment) -> bool {
        let due = self.next.is_some_and(|next| now >= next);
        if due {
            self.next = None;
        }
        due
    }

    pub(super) fn needed(&mut self, now: BootMoment) {
        self.since = now;
        self.plan(now);
    }

    /// Nobody needs it. Says whether that has been so for long enough.
    pub(super) fn not_needed(&mut self, now: BootMoment) -> bool {
        self.plan(now);
        now.since(self.since) >= self.after
    }

    fn plan(&mut self, now: BootMoment) {
        let pause = (self.after / 10).clamp(PAUSES.0, PAUSES.1);
        let end = self.since.later(self.after);
        let next = now.later(pause);
        // The last look is due exactly when the time is over.
        self.next = Some(if now < end { next.min(end) } else { next });
    }
}
