//! Where a supervised program stands, before clocks and process numbers make a status of it.

use crate::model::level::Level;
use crate::model::moment::BootMoment;
use crate::model::outcome::Outcome;
use crate::model::status::{Exit, HealthStanding, Phase, ScheduleStanding};
use crate::supervise::restarts::Restarts;

/// Where the program stands, as the machine knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub phase: Phase,
    /// How often it failed.
    pub failures: u32,
    /// The restarts that count.
    pub restarts: Restarts,
    /// When it is started again.
    pub next_start: Option<BootMoment>,
    /// Until when the present phase lasts at most, where that is known: what a manager has to wait.
    pub at_most_until: Option<BootMoment>,
    /// How it last ended.
    pub last_exit: Option<Exit>,
    /// What that ending meant; an ending that was asked for means nothing.
    pub last_outcome: Option<Outcome>,
    /// How it answered when it was asked whether it still works.
    pub health: Option<HealthStanding>,
    /// Its runs, on a schedule.
    pub schedule: Option<ScheduleStanding>,
    /// One sentence for people.
    pub message: String,
}

impl Standing {
    /// How bad a log line with the message is.
    #[must_use]
    pub fn level(&self) -> Level {
        let refused = self.health.as_ref().is_some_and(|health| health.failures > 0);
        match self.phase {
            Phase::Failed => Level::Error,
            Phase::BackingOff => Level::Warning,
            Phase::Sleeping if self.last_outcome.is_some_and(Outcome::alarms) => Level::Warning,
            Phase::Starting | Phase::Ready if refused => Level::Warning,
            _ => Level::Info,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_about_a_failure_is_no_mere_news() {
        let standing = |phase, last_outcome, failures| Standing {
            phase,
            failures: 0,
            restarts: Restarts::default(),
            next_start: None,
            at_most_until: None,
            last_exit: None,
            last_outcome,
            health: Some(HealthStanding { failures, ..Default::default() }),
            schedule: None,
            message: String::new(),
        };
        for (phase, outcome, failures, level) in [
            (Phase::Failed, Some(Outcome::Fatal), 0, Level::Error),
            (Phase::BackingOff, Some(Outcome::Failure), 0, Level::Warning),
            (Phase::Sleeping, Some(Outcome::Partial), 0, Level::Warning),
            (Phase::Starting, None, 2, Level::Warning),
            (Phase::Sleeping, Some(Outcome::Success), 0, Level::Info),
            (Phase::Ready, Some(Outcome::Failure), 0, Level::Info),
        ] {
            assert_eq!(standing(phase, outcome, failures).level(), level, "{phase:?} {outcome:?}");
        }
    }
}
