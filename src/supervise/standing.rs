//! Where a supervised program stands, before clocks and process numbers make a status of it.

use crate::model::moment::BootMoment;
use crate::model::outcome::Outcome;
use crate::model::status::{Exit, HealthStanding, Phase, ScheduleStanding, TrialStanding};
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
    /// How far the trial of its version is.
    pub trial: Option<TrialStanding>,
    /// Since when nothing of it answers, while that is so.
    pub silent_since: Option<BootMoment>,
    /// For how long nothing did before it was up first, in milliseconds.
    pub downtime_ms: Option<u64>,
    /// Why the last question whether it is ready failed, while that is awaited or where it was in vain.
    pub refusal: Option<String>,
    /// One sentence for people.
    pub message: String,
}

impl Standing {
    /// Whether the program has just ended in a way that somebody should hear of.
    #[must_use]
    pub fn is_after_an_alarm(&self) -> bool {
        let ended =
            matches!(self.phase, Phase::BackingOff | Phase::Failed | Phase::Completed | Phase::Sleeping);
        ended && self.last_outcome.is_some_and(Outcome::alarms)
    }
}
