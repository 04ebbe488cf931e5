//! The turns of a schedule: when the next one is, how many were missed, and how their runs ended.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::calendar::Calendar;
use crate::model::digest::Digest;
use crate::model::moment::{BootMoment, Moment, Present};
use crate::model::outcome::Outcome;
use crate::model::schedule::Schedule;
use crate::model::status::ScheduleStanding;

/// How long a sleep may be until the calendar is looked at again: the clock for people may be set at any time, and
/// on hosts without a clock of their own it is set soon after the boot.
const LOOK: Duration = Duration::from_secs(60);
/// By how much the two clocks may go apart without one of them having been set.
const INACCURACY: Duration = Duration::from_secs(1);
/// A clock that was set back by less than this does not make turns come again (as cron(8) has it).
const SET_BACK: SignedDuration = SignedDuration::from_hours(3);
/// How many missed turns of a calendar are counted at once: after a jump of the clock there may be millions.
const MOST_MISSED: u64 = 1_000;

#[derive(Clone, Debug)]
pub(super) struct Turns {
    schedule: Schedule,
    /// What makes the jitter of this launch on this host its own.
    seed: String,
    zone: String,
    /// The first turn of a grid.
    origin: BootMoment,
    /// The last turn of the grid that is over or under way.
    last: u64,
    /// Likewise of the calendar.
    passed: Option<Timestamp>,
    /// When the clock for people was looked at last.
    seen: Option<Present>,
    next: Next,
    /// How many turns have begun.
    begun: u64,
    /// Whether the reconcile command runs before the turn that has begun.
    reconciles: bool,
    standing: ScheduleStanding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// There is none, or one is under way.
    Nothing,
    Grid {
        index: u64,
        at: BootMoment,
    },
    Calendar {
        turn: Timestamp,
        at: Timestamp,
        look: BootMoment,
        planned: BootMoment,
    },
}

impl Turns {
    pub(super) fn new(schedule: Schedule, seed: String, zone: String) -> Self {
        Self {
            schedule,
            seed,
            zone,
            origin: BootMoment(0),
            last: 0,
            passed: None,
            seen: None,
            next: Next::Nothing,
            begun: 0,
            reconciles: false,
            standing: ScheduleStanding::default(),
        }
    }

    pub(super) fn standing(&self) -> &ScheduleStanding {
        &self.standing
    }

    /// The number of the run that is under way, or was the last.
    pub(super) fn run(&self) -> u64 {
        self.standing.cycles
    }

    /// The first turn: at once on a grid, at its time on a calendar. Says whether it is due.
    pub(super) fn start(&mut self, now: Present) -> bool {
        self.origin = now.boot;
        self.last = 0;
        if self.schedule.calendar.is_some() {
            self.aim(now);
            self.show(now);
            return false;
        }
        self.next = Next::Grid { index: 0, at: now.boot };
        true
    }

    /// Another schedule from now on, at the beginning of a turn: its grid begins with this turn.
    pub(super) fn adopt(&mut self, schedule: Schedule, now: Present) {
        if self.schedule.every != schedule.every {
            self.origin = now.boot;
            self.last = 0;
        }
        if self.schedule.calendar != schedule.calendar {
            self.passed = Some(now.wall.0);
        }
        self.schedule = schedule;
    }

    /// Plans the next turn after a run. Says how many passed meanwhile, and are skipped.
    pub(super) fn plan(&mut self, now: Present) -> u64 {
        let skipped = if self.schedule.calendar.is_some() {
            self.aim(now)
        } else {
            let mut index = self.index_at(now.boot);
            if self.begin_of(index) < now.boot {
                index += 1;
            }
            let index = index.max(self.last + 1);
            let skipped = index - self.last - 1;
            self.last = index - 1;
            self.next = Next::Grid { index, at: self.begin_of(index) };
            skipped
        };
        self.skip(skipped);
        self.show(now);
        skipped
    }

    pub(super) fn deadline(&self) -> Option<BootMoment> {
        match self.next {
            Next::Nothing => None,
            Next::Grid { at, .. } => Some(at),
            Next::Calendar { look, .. } => Some(look),
        }
    }

    /// Whether the next turn has come. A calendar's may not have, though the time has passed: then it is planned
    /// again.
    pub(super) fn due(&mut self, now: Present) -> bool {
        match self.next {
            Next::Nothing => false,
            Next::Grid { at, .. } => now.boot >= at,
            Next::Calendar { at, planned, .. } if now.wall.0 >= at => {
                let late = Duration::try_from(now.wall.0.duration_since(at)).unwrap_or_default();
                if late <= now.boot.since(planned).saturating_add(INACCURACY) {
                    return true;
                }
                // The clock was set since: the turn lies in a time in which this did not run.
                self.passed = Some(now.wall.0);
                self.seen = Some(now);
                self.aim(now);
                self.show(now);
                false
            }
            Next::Calendar { look, .. } => {
                if now.boot >= look {
                    self.aim(now);
                    self.show(now);
                }
                false
            }
        }
    }

    /// The turn begins. One that the host slept through is made up for once, and the others are skipped.
    pub(super) fn begin(&mut self, now: Present) {
        match self.next {
            Next::Nothing => {}
            Next::Grid { index, .. } => {
                self.last = self.index_at(now.boot).max(index);
                self.skip(self.last - index);
            }
            Next::Calendar { turn, .. } => {
                self.passed = Some(turn);
                self.seen = Some(now);
                let missed = self.miss(now, |at| at <= now.wall.0);
                self.skip(missed);
            }
        }
        self.next = Next::Nothing;
        self.standing.next = None;
        self.begun += 1;
        let every =
            self.schedule.reconcile.as_ref().map(|reconcile| u64::from(reconcile.every_cycles.max(1)));
        self.reconciles = every.is_some_and(|every| self.begun.is_multiple_of(every));
    }

    /// Whether the reconcile command runs before the turn that has begun.
    pub(super) fn reconciles(&self) -> bool {
        self.reconciles
    }

    /// Whether this is the first turn: for that, the launch has just been read.
    pub(super) fn is_first(&self) -> bool {
        self.begun <= 1
    }

    /// The program is started for a turn, or once more for it.
    pub(super) fn run_begins(&mut self, now: Present) {
        self.standing.cycles += 1;
        self.standing.last_start = Some(now.wall);
    }

    /// The program has ended.
    pub(super) fn run_ended(&mut self, outcome: Outcome, now: Present) {
        self.standing.last_end = Some(now.wall);
        self.standing.last_outcome = Some(outcome);
        match outcome {
            Outcome::Success => self.standing.successes += 1,
            Outcome::Partial => self.standing.partials += 1,
            Outcome::Failure | Outcome::Fatal => self.standing.failures += 1,
            Outcome::Restart => {}
        }
    }

    /// Whether the last run did what it had to, or some of it.
    pub(super) fn works(&self) -> bool {
        matches!(self.standing.last_outcome, Some(Outcome::Success | Outcome::Partial))
    }

    fn skip(&mut self, count: u64) {
        self.standing.skipped = self.standing.skipped.saturating_add(count);
    }

    fn show(&mut self, now: Present) {
        self.standing.next = match self.next {
            Next::Nothing => None,
            Next::Grid { at, .. } => Some(now.shown(at)),
            Next::Calendar { at, .. } => Some(Moment(at)),
        };
    }

    fn every(&self) -> u64 {
        let every = self.schedule.every.map_or(0, |every| milliseconds(every.duration()));
        every.max(1)
    }

    /// When a turn of the grid begins. The jitter is shorter than a turn, so turns stay in their order.
    fn begin_of(&self, index: u64) -> BootMoment {
        let jitter = if index == 0 { 0 } else { self.jitter(index.into(), self.every()) };
        let offset = index.saturating_mul(self.every()).saturating_add(jitter);
        self.origin.later(Duration::from_millis(offset))
    }

    /// The last turn of the grid that has begun by then.
    fn index_at(&self, now: BootMoment) -> u64 {
        let index = milliseconds(now.since(self.origin)) / self.every();
        if self.begin_of(index) <= now { index } else { index.saturating_sub(1) }
    }

    /// So many milliseconds later a turn begins: the same for the same turn of the same launch on this host, so
    /// that nothing here is a matter of luck.
    fn jitter(&self, turn: i128, most: u64) -> u64 {
        let most = self.schedule.jitter.map_or(0, |jitter| milliseconds(jitter.duration())).min(most);
        if most == 0 {
            return 0;
        }
        let digits = Digest::of(format!("{}:{turn}", self.seed).as_bytes()).short();
        u64::from_str_radix(&digits, 16).unwrap_or(0) % most
    }

    fn following(&self, after: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let turn = self
            .schedule
            .calendar
            .as_ref()
            .and_then(|calendar: &Calendar| calendar.next(after, &self.zone))?;
        let jitter = self.jitter(turn.as_millisecond().into(), u64::MAX);
        let jitter = SignedDuration::from_millis(i64::try_from(jitter).unwrap_or(0));
        Some((turn, turn.saturating_add(jitter).unwrap_or(turn)))
    }

    /// Passes over the turns whose time has come, and says how many they are.
    fn miss(&mut self, now: Present, is_missed: impl Fn(Timestamp) -> bool) -> u64 {
        let mut missed = 0;
        while let Some(after) = self.passed
            && let Some((turn, at)) = self.following(after)
            && is_missed(at)
        {
            missed += 1;
            if missed >= MOST_MISSED {
                self.passed = Some(now.wall.0);
                return missed;
            }
            self.passed = Some(turn);
        }
        missed
    }

    /// Where the clock was set ahead since it was looked at last, no turn of the time between has been missed.
    fn step_over(&mut self, now: Present) {
        let Some(seen) = self.seen.replace(now) else { return };
        let elapsed = SignedDuration::try_from(now.boot.since(seen.boot)).unwrap_or(SignedDuration::MAX);
        let set_ahead = now.wall.0.duration_since(seen.wall.0).saturating_sub(elapsed);
        if set_ahead > SignedDuration::try_from(INACCURACY).unwrap_or_default() {
            self.passed = self
                .passed
                .map(|passed| passed.saturating_add(set_ahead).unwrap_or(now.wall.0).min(now.wall.0));
        }
    }

    /// Plans the next turn of the calendar. Says how many have passed.
    fn aim(&mut self, now: Present) -> u64 {
        let wall = now.wall.0;
        self.step_over(now);
        // Turns of a day to come would otherwise wait for it.
        self.passed = self.passed.filter(|passed| passed.duration_since(wall) < SET_BACK);
        let missed = self.miss(now, |at| at < wall);
        self.next = match self.following(self.passed.unwrap_or(wall)) {
            Some((turn, at)) => {
                let left = Duration::try_from(at.duration_since(wall)).unwrap_or_default();
                // The boot clock counts whole milliseconds; not to look just before it.
                let left = left.saturating_add(Duration::from_millis(1));
                let planned = match self.next {
                    Next::Calendar { turn: before, planned, .. } if before == turn => planned,
                    _ => now.boot,
                };
                Next::Calendar { turn, at, look: now.boot.later(left.min(LOOK)), planned }
            }
            None => Next::Nothing,
        };
        missed
    }
}

fn milliseconds(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
