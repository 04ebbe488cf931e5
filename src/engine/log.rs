//! The last lines of a service's log, for messages about why it does not run.

use std::thread;
use std::time::Duration;

use crate::engine::Context;
use crate::host::account;
use crate::host::command::{self, Manner};
use crate::model::level;
use crate::model::log_line::{LogLine, Stream};
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::model::moment::Moment;
use crate::platform::query::{self, LogQuery};

/// How long the journal may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a line that was written may take to be found in the journal.
const JOURNAL_LAG: Duration = Duration::from_millis(300);

/// The last lines that a service has written since a moment; none where they can't be read.
pub(crate) fn tail(context: &Context<'_>, of: &Marker, since: Moment, lines: u64) -> Vec<String> {
    match of.platform {
        PlatformKind::Systemd => {
            // Among them are systemd's own lines, of which a restart alone makes five.
            let wanted =
                LogQuery { since: Some(since), lines: Some(lines.saturating_mul(4)), ..LogQuery::default() };
            let argv = query::logs(of.scope, account::effective_uid(), &of.name, &wanted);
            let ask = || {
                let manner = Manner { limit: Some(PATIENCE), ..Manner::default() };
                let text = command::output(&argv, manner).map(|output| output.stdout).unwrap_or_default();
                let mut found: Vec<String> = text.lines().map(str::to_owned).collect();
                if wanted.newest_first() {
                    found.reverse();
                }
                found
            };
            let mut found = ask();
            if found.iter().all(|line| said_by_systemd(line)) {
                // journald reads the manager's socket and the program's streams in no certain order.
                thread::sleep(JOURNAL_LAG);
                found = ask();
            }
            let of_program: Vec<String> =
                found.iter().filter(|line| !said_by_systemd(line)).cloned().collect();
            last(if of_program.is_empty() { found } else { of_program }, lines)
        }
        PlatformKind::Embedded => {
            let path = context.layout.logs(&of.name).join(format!("{}.log", of.name));
            let text = crate::host::files::read_end(&path, 16 << 10).unwrap_or_default();
            last(text.lines().filter_map(|line| told(line, since)).collect(), lines)
        }
    }
}

/// A line of a log file as people read it, unless it is older than the moment.
fn told(line: &str, since: Moment) -> Option<String> {
    let line = LogLine::parse(line.as_bytes()).filter(|line| line.at >= since)?;
    let text = String::from_utf8_lossy(line.text);
    let text = level::prefix(&text).map_or(text.as_ref(), |(_, rest)| rest);
    let own = if line.stream == Stream::Own { "[mainstay] " } else { "" };
    Some(format!("{:.3} {own}{text}", line.at.0))
}

/// Whether a line of the journal, in its short form (`TIME HOST IDENTIFIER[PID]: …`), is the manager's own.
fn said_by_systemd(line: &str) -> bool {
    line.split_ascii_whitespace().nth(2).is_some_and(|identifier| identifier.starts_with("systemd["))
}

fn last(mut found: Vec<String>, lines: u64) -> Vec<String> {
    let skipped = found.len().saturating_sub(usize::try_from(lines).unwrap_or(usize::MAX));
    found.split_off(skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_log_file_are_told_as_people_read_them() {
        let since = Moment("2026-05-08T14:32:00Z".parse().unwrap());
        let all = "2026-05-08T14:31:59.999Z out of an earlier start\n\
            2026-05-08T14:32:00.000Z err <3>no such table\n\
            2026-05-08T14:32:00.001Z own <4>the program exited with code 1\n\
            torn off";
        let found: Vec<String> = all.lines().filter_map(|line| told(line, since)).collect();
        assert_eq!(
            found,
            [
                "2026-05-08T14:32:00.000Z no such table",
                "2026-05-08T14:32:00.001Z [mainstay] the program exited with code 1"
            ]
        );
    }
}
