//! Where the words are kept that are said while a switch is made.

use super::Means;
use crate::host::clock;
use crate::host::output::LogWriter;
use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::log_line::{LogLine, Stream};

/// The log of an instance, for what is said while nothing of it runs. On systemd the journal hears it from this very
/// process; elsewhere it is written here.
pub(super) struct Chronicle<'a> {
    means: &'a Means<'a>,
    log: Option<LogWriter>,
}

impl<'a> Chronicle<'a> {
    pub(super) fn open(layout: &Layout, spec: &LaunchSpec, means: &'a Means<'a>) -> Self {
        let keeps = spec.platform.keeps_logs();
        let open = || LogWriter::open(&layout.logs(&spec.name), spec.name.as_str(), spec.logs.clone()).ok();
        Self { means, log: keeps.then(open).flatten() }
    }

    /// Says something of mainstay's own. A log that can't be written hinders nothing.
    pub(super) fn note(&mut self, text: &str) {
        (self.means.say)(text);
        if let Some(log) = &mut self.log {
            let _ = log.note(text);
        }
    }

    /// Passes on a line that a command wrote.
    pub(super) fn pass_on(&mut self, text: &str) {
        (self.means.say)(text);
        if let Some(log) = &mut self.log {
            let mut line = Vec::new();
            let all =
                LogLine { at: clock::now(), stream: Stream::Output, continues: false, text: text.as_bytes() };
            all.append_to(&mut line);
            let _ = log.write(&line);
        }
    }
}
