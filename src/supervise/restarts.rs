//! The restarts that count: how long the next one waits, and when there are no more.

use crate::model::duration::Span;
use crate::model::launch::RestartPolicy;
use crate::model::moment::BootMoment;

/// The restarts within a sliding window, on the boot clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restarts(Vec<BootMoment>);

impl Restarts {
    /// What an earlier supervisor of the same boot had counted.
    #[must_use]
    pub fn counted(mut earlier: Vec<BootMoment>, now: BootMoment) -> Self {
        // A point that is still to come was not written by a supervisor of this boot.
        earlier.retain(|restart| *restart <= now);
        earlier.sort_unstable();
        Self(earlier)
    }

    /// Decides about one more restart: the pause before it, or `None` if those within the window are used up.
    pub fn next(&mut self, policy: &RestartPolicy, now: BootMoment) -> Option<Span> {
        self.0.retain(|restart| now.since(*restart) < policy.window.duration());
        let made = self.0.len();
        if made >= usize::try_from(policy.limit).unwrap_or(usize::MAX) {
            return None;
        }
        self.0.push(now);
        policy.delays.get(made).or(policy.delays.last()).copied().or(Some(Span::seconds(1)))
    }

    /// How many there were within the window when the last one was decided.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The points in time, for the report.
    #[must_use]
    pub fn moments(&self) -> &[BootMoment] {
        &self.0
    }
}
