//! The trial of a version beyond its gate: the time in which it is up is counted, and its first failure is its last.

use std::time::Duration;

use crate::model::moment::{BootMoment, Moment, Present};
use crate::model::status::TrialStanding;
use crate::model::trial::Watch;

/// How old the count in the report may become: what was counted since is lost with a supervisor that is killed.
const STALE: Duration = Duration::from_secs(15);

#[derive(Clone, Debug)]
pub(super) struct Probation {
    period: Duration,
    /// For how long it was up, until `since`.
    counted: Duration,
    /// Since when it is up, as far as that is not counted yet.
    since: Option<BootMoment>,
    /// When the count was last reported.
    told: BootMoment,
    was_ready: bool,
    failed: Option<String>,
    ended: Option<Moment>,
}

impl Probation {
    /// A trial from where an earlier supervisor of the same launch has left it.
    pub(super) fn new(watch: &Watch, earlier: Option<&TrialStanding>) -> Self {
        let period = watch.period.duration();
        // One that has failed before is not here again, unless it was given another trial.
        let earlier = earlier.filter(|earlier| earlier.failed.is_none());
        Self {
            period,
            counted: earlier.map_or(Duration::ZERO, |earlier| Duration::from_secs(earlier.ready_seconds)),
            since: None,
            told: BootMoment(0),
            was_ready: earlier.is_some_and(|earlier| earlier.was_ready),
            failed: None,
            ended: earlier.filter(|earlier| earlier.passed()).and_then(|earlier| earlier.ended),
        }
    }

    /// Whether its end is still to come.
    pub(super) fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    pub(super) fn standing(&self) -> TrialStanding {
        let of_seconds = self.period.as_secs() + u64::from(self.period.subsec_nanos() > 0);
        let passed = self.ended.is_some() && self.failed.is_none();
        TrialStanding {
            ready_seconds: if passed { of_seconds } else { self.counted.as_secs() },
            of_seconds,
            was_ready: self.was_ready,
            failed: self.failed.clone(),
            ended: self.ended,
        }
    }

    /// When the count is full, or is to be written down.
    pub(super) fn deadline(&self) -> Option<BootMoment> {
        let since = self.since.filter(|_| self.is_open())?;
        let full = since.later(self.period.saturating_sub(self.counted));
        Some(full.min(self.told.later(STALE)))
    }

    /// Counts the time until now. Says whether that was the last of it.
    pub(super) fn count(&mut self, now: Present) -> bool {
        let Some(since) = self.since.filter(|_| self.is_open()) else { return false };
        self.counted = self.counted.saturating_add(now.boot.since(since));
        self.since = Some(now.boot);
        let full = self.counted >= self.period;
        if full {
            self.ended = Some(now.wall);
        }
        full
    }

    /// How it goes on: whether the program is up now, and whether it has done something that it could have failed at.
    /// Says whether that is worth a report.
    pub(super) fn go_on(&mut self, is_up: bool, has_worked: bool, now: Present) -> bool {
        if !self.is_open() {
            self.since = None;
            return false;
        }
        let news = has_worked && !self.was_ready;
        self.was_ready |= has_worked;
        let counts = is_up && self.was_ready;
        let stale = counts && now.boot >= self.told.later(STALE);
        let begins = counts && self.since.is_none();
        self.since = counts.then_some(now.boot);
        if news || stale || begins {
            self.told = now.boot;
        }
        news || stale
    }

    pub(super) fn fail(&mut self, reason: &str, now: Present) {
        if self.is_open() {
            self.failed = Some(reason.to_owned());
            self.ended = Some(now.wall);
        }
    }
}
