//! Who hears of a switch while it is made, and where its words are kept.

use crate::engine::failure::Failure;
use crate::engine::obstacle::{Clear, Fate, Obstacle, Point};
use crate::host::clock;
use crate::host::output::LogWriter;
use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::log_line::{LogLine, Stream};
use crate::model::manifest::PlatformKind;

/// Who hears of a switch, and what stands in its way.
#[derive(Clone, Copy)]
pub struct Attendance<'a> {
    /// Hears each line.
    pub say: &'a dyn Fn(&str),
    /// What stands in the way: nothing, but in tests.
    pub obstacle: &'a dyn Obstacle,
}

impl Attendance<'static> {
    /// Nobody hears, and nothing is in the way.
    #[must_use]
    pub fn none() -> Self {
        Self { say: &|_| {}, obstacle: &Clear }
    }
}

impl Attendance<'_> {
    /// Passes a point of the switch.
    pub(super) fn pass(&self, what: &'static str) -> Result<(), Failure> {
        match self.obstacle.at(Point::Moving(what)) {
            Fate::Nothing => Ok(()),
            Fate::Failure => Err(Failure::Usage(format!("a failure was asked for at: {what}"))),
            Fate::Death => Err(Failure::Killed),
        }
    }
}

/// The log of an instance, for what is said while nothing of it runs. On systemd the journal hears it from this very
/// process; elsewhere it is written here.
pub(super) struct Chronicle<'a> {
    attendance: &'a Attendance<'a>,
    log: Option<LogWriter>,
}

impl<'a> Chronicle<'a> {
    pub(super) fn open(layout: &Layout, spec: &LaunchSpec, attendance: &'a Attendance<'a>) -> Self {
        let keeps = spec.platform == PlatformKind::Embedded;
        let open = || LogWriter::open(&layout.logs(&spec.name), spec.name.as_str(), spec.logs.clone()).ok();
        Self { attendance, log: keeps.then(open).flatten() }
    }

    /// Says something of mainstay's own. A log that can't be written hinders nothing.
    pub(super) fn note(&mut self, text: &str) {
        (self.attendance.say)(text);
        if let Some(log) = &mut self.log {
            let _ = log.note(text);
        }
    }

    /// Passes on a line that a command wrote.
    pub(super) fn pass_on(&mut self, text: &str) {
        (self.attendance.say)(text);
        if let Some(log) = &mut self.log {
            let mut line = Vec::new();
            let all =
                LogLine { at: clock::now(), stream: Stream::Output, continues: false, text: text.as_bytes() };
            all.append_to(&mut line);
            let _ = log.write(&line);
        }
    }
}
