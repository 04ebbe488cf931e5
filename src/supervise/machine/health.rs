//! The questions whether a program that is ready still works, and the count of those that failed.

use std::time::Duration;

use crate::model::health::{HealthPolicy, HealthProbe};
use crate::model::moment::{BootMoment, Present};
use crate::model::status::HealthStanding;

/// How old the point of the last good answer may become in the report: a report for each would be a file written
/// for each.
const STALE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug)]
pub(super) struct Health {
    policy: HealthPolicy,
    /// When it is asked next, or when its silence is too long. `None`: an answer is awaited, or it is not ready.
    next: Option<BootMoment>,
    awaited: bool,
    standing: HealthStanding,
    told: Option<BootMoment>,
}

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ask,
    /// The program should have spoken.
    Silence(String),
}

impl Health {
    pub(super) fn new(policy: HealthPolicy) -> Self {
        Self { policy, next: None, awaited: false, standing: HealthStanding::default(), told: None }
    }

    pub(super) fn standing(&self) -> &HealthStanding {
        &self.standing
    }

    pub(super) fn deadline(&self) -> Option<BootMoment> {
        self.next
    }

    /// Whether an answer is still of interest.
    pub(super) fn awaits(&self) -> bool {
        self.awaited
    }

    /// The program has become ready: what was before does not count.
    pub(super) fn begin(&mut self, now: Present) {
        self.forget();
        self.plan(now);
    }

    /// It is another life of the program: what the one before answered says nothing of it.
    pub(super) fn forget(&mut self) {
        self.standing = HealthStanding::default();
        self.told = None;
    }

    /// It is ready no longer.
    pub(super) fn end(&mut self) {
        self.next = None;
        self.awaited = false;
    }

    pub(super) fn due(&mut self, now: Present) -> Due {
        if self.next.is_none_or(|next| now.boot < next) {
            return Due::Nothing;
        }
        if self.policy.probe == HealthProbe::Notify {
            return Due::Silence(format!("it has not said `WATCHDOG=1` for {}", self.policy.every));
        }
        self.next = None;
        self.awaited = true;
        Due::Ask
    }

    /// A good answer. Says whether it is worth a report.
    pub(super) fn good(&mut self, now: Present) -> bool {
        let stale = self.told.is_none_or(|told| now.boot.since(told) >= STALE);
        let news = self.standing.failures > 0 || stale;
        self.standing = HealthStanding { failures: 0, last_success: Some(now.wall), last_error: None };
        if news {
            self.told = Some(now.boot);
        }
        self.plan(now);
        news
    }

    /// A bad answer. Says whether it was one too many.
    pub(super) fn bad(&mut self, reason: String, now: Present) -> bool {
        self.standing.failures = self.standing.failures.saturating_add(1);
        self.standing.last_error = Some(reason);
        self.plan(now);
        self.standing.failures >= self.policy.failures
    }

    fn plan(&mut self, now: Present) {
        self.awaited = false;
        self.next = Some(now.boot.later(self.policy.every.duration()));
    }
}
