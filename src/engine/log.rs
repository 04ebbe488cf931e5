//! The last lines of a service's log, for messages about why it does not run.

use std::time::Duration;

use crate::engine::Context;
use crate::host::command::{self, Manner};
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::model::moment::Moment;
use crate::platform::query::{self, LogQuery};

/// How long the journal may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The last lines that a service has written since a moment; none where they can't be read.
pub(crate) fn tail(context: &Context<'_>, of: &Marker, since: Moment, lines: u64) -> Vec<String> {
    match of.platform {
        PlatformKind::Systemd => {
            let wanted = LogQuery { since: Some(since), lines: Some(lines), ..LogQuery::default() };
            let argv = query::logs(of.scope, &of.name, &wanted);
            let manner = Manner { limit: Some(PATIENCE), ..Manner::default() };
            let text = command::output(&argv, manner).map(|output| output.stdout).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        }
        PlatformKind::Embedded => {
            let path = context.layout.logs(&of.name).join(format!("{}.log", of.name));
            let text = crate::host::files::read_end(&path, 16 << 10).unwrap_or_default();
            let count = usize::try_from(lines).unwrap_or(usize::MAX);
            let all: Vec<&str> = text.lines().collect();
            all[all.len().saturating_sub(count)..].iter().copied().map(str::to_owned).collect()
        }
    }
}
