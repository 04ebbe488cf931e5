//! The last lines of a service's log, for messages about why it does not run.

use std::thread;
use std::time::Duration;

use crate::engine::{Context, container, report};
use crate::host::command::{self, Manner};
use crate::host::output::log_file;
use crate::host::{account, clock, notify};
use crate::model::layout::unit_name;
use crate::model::level;
use crate::model::log_line::{LogLine, Stream};
use crate::model::manifest::{PlatformKind, Scope};
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
            let supervisor = report::read(&context.layout, &of.name).map(|status| status.supervisor.pid);
            let own = |line: &str| said_by_systemd(line) || supervisor.is_some_and(|pid| is_of(pid, line));
            let mut found = ask();
            if found.iter().all(|line| own(line)) {
                // journald reads the manager's socket and the program's streams in no certain order.
                thread::sleep(JOURNAL_LAG);
                found = ask();
            }
            let of_program: Vec<String> = found.iter().filter(|line| !own(line)).cloned().collect();
            last(if of_program.is_empty() { found } else { of_program }, lines)
        }
        PlatformKind::Embedded | PlatformKind::Launchd | PlatformKind::Windows | PlatformKind::Task => {
            let path = context.layout.logs(&of.name).join(format!("{}.log", of.name));
            let text = crate::host::files::read_end(&path, 16 << 10).unwrap_or_default();
            let read = text.lines().filter_map(|line| LogLine::parse(line.as_bytes()));
            let (own, of_program): (Vec<_>, Vec<_>) =
                read.filter(|line| line.at >= whole(since)).partition(|line| line.stream == Stream::Own);
            let told = |line: &LogLine<'_>| {
                let text = String::from_utf8_lossy(line.text);
                let text = level::prefix(&text).map_or(&*text, |(_, rest)| rest);
                format!("{} {text}", clock::local_precise(line.at))
            };
            let wanted = if of_program.is_empty() { own } else { of_program };
            last(wanted.iter().map(told).collect(), lines)
        }
        PlatformKind::Compose => {
            let lines = usize::try_from(lines).unwrap_or(usize::MAX);
            container::logs::tail(&context.layout, of, since, lines)
        }
    }
}

/// Keeps a line that a command of the manifest wrote in the log of its service, whoever runs it. A log that can't be
/// written hinders nothing.
pub(crate) fn keep(context: &Context<'_>, of: &Marker, text: &str) {
    match of.platform {
        PlatformKind::Systemd => {
            let unit = unit_name(&of.name);
            // By these the journal finds it among the unit's own lines (journalctl(1), `--unit`).
            let field = match of.scope {
                Scope::System => "OBJECT_SYSTEMD_UNIT",
                Scope::User => "USER_UNIT",
            };
            let fields = [(field, unit.as_str()), ("SYSLOG_IDENTIFIER", of.name.as_str()), ("PRIORITY", "6")];
            let _ = notify::tell_journal(text, &fields);
        }
        PlatformKind::Embedded | PlatformKind::Launchd | PlatformKind::Windows | PlatformKind::Task => {
            let path = log_file(&context.layout.logs(&of.name), of.name.as_str());
            let mut line = Vec::new();
            LogLine { at: clock::now(), stream: Stream::Own, continues: false, text: text.as_bytes() }
                .append_to(&mut line);
            let _ = crate::host::files::append(
                &path,
                String::from_utf8_lossy(&line).trim_end_matches('\n'),
                0o640,
            );
        }
        // Its engine takes no lines but the container's own, and no command of a manifest is run.
        PlatformKind::Compose => {}
    }
}

/// Whether a line of the journal, in its short form (`TIME HOST IDENTIFIER[PID]: …`), is the manager's own.
fn said_by_systemd(line: &str) -> bool {
    line.split_ascii_whitespace().nth(2).is_some_and(|identifier| identifier.starts_with("systemd["))
}

/// The millisecond in which a moment lies: lines are no more exact.
fn whole(moment: Moment) -> Moment {
    jiff::Timestamp::from_millisecond(moment.0.as_millisecond()).map_or(moment, Moment)
}

/// Whether a line of that form is of a process: its identifier ends in `[PID]:`.
fn is_of(pid: u32, line: &str) -> bool {
    let identifier = line.split_ascii_whitespace().nth(2);
    identifier.is_some_and(|identifier| identifier.ends_with(&format!("[{pid}]:")))
}

fn last(mut found: Vec<String>, lines: u64) -> Vec<String> {
    let skipped = found.len().saturating_sub(usize::try_from(lines).unwrap_or(usize::MAX));
    found.split_off(skipped)
}
