//! The last lines of a service's log, for messages about why it does not run.

use std::thread;
use std::time::Duration;

use crate::engine::{Context, container};
use crate::host::command::{self, Manner};
use crate::host::output::log_file;
use crate::host::{account, clock, notify};
use crate::model::layout::unit_name;
use crate::model::level::{self, Levels};
use crate::model::log_line::{LogLine, Stream};
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::model::moment::Moment;
use crate::platform::journal;
use crate::platform::query::{self, LogQuery};

/// How long the journal may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many lines are looked at: among them are the manager's own, and those of the version before.
const LOOKED_AT: u64 = 400;
/// What is said where a switch is made, where a program is started and stopped, and where a switch was taken back.
const SWITCHED: &str = "switched to ";
const STARTING: &str = "starting";
const STOPPED: &str = "stopped";
const BACK: &str = " is back";
/// How long a line that was written may take to be found in the journal.
const JOURNAL_LAG: Duration = Duration::from_millis(300);

/// The last lines that a service has written since a moment; none where they can't be read.
pub(crate) fn tail(context: &Context<'_>, of: &Marker, since: Moment, lines: u64) -> Vec<String> {
    match of.platform {
        PlatformKind::Systemd => {
            let wanted =
                LogQuery { since: Some(since), lines: Some(LOOKED_AT), json: true, ..LogQuery::default() };
            let argv = query::logs(of.scope, account::effective_uid(), &of.name, &wanted);
            let ask = || {
                let manner = Manner { limit: Some(PATIENCE), ..Manner::default() };
                let text = command::output(&argv, manner).map(|output| output.stdout).unwrap_or_default();
                let entries = text.lines().filter_map(|line| journal::entry(line, &Levels::default()));
                let mut found: Vec<Line> = entries.map(Line::from).collect();
                if wanted.newest_first() {
                    found.reverse();
                }
                found
            };
            let mut found = ask();
            if of_the_try(&found).iter().all(|line| line.own) {
                // journald reads the manager's socket and the program's streams in no certain order.
                thread::sleep(JOURNAL_LAG);
                found = ask();
            }
            told(&found, lines)
        }
        PlatformKind::Embedded | PlatformKind::Launchd | PlatformKind::Windows | PlatformKind::Task => {
            let path = context.layout.logs(&of.name).join(format!("{}.log", of.name));
            let text = crate::host::files::read_end(&path, 16 << 10).unwrap_or_default();
            let read = text.lines().filter_map(|line| LogLine::parse(line.as_bytes()));
            let found: Vec<Line> = read.filter(|line| line.at >= whole(since)).map(Line::from).collect();
            told(&found, lines)
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

/// The millisecond in which a moment lies: lines are no more exact.
fn whole(moment: Moment) -> Moment {
    jiff::Timestamp::from_millisecond(moment.0.as_millisecond()).map_or(moment, Moment)
}

/// A line of a log.
#[derive(Debug)]
struct Line {
    at: Moment,
    /// Whether it is mainstay's or the manager's own.
    own: bool,
    /// Whether it is the manager's own, which says only what is told anyway.
    manager: bool,
    text: String,
}

impl From<journal::Entry> for Line {
    fn from(entry: journal::Entry) -> Self {
        Self { at: entry.at, own: entry.own, manager: entry.manager, text: entry.text }
    }
}

impl From<LogLine<'_>> for Line {
    fn from(line: LogLine<'_>) -> Self {
        let text = String::from_utf8_lossy(line.text);
        let text = level::prefix(&text).map_or(&*text, |(_, rest)| rest);
        Self { at: line.at, own: line.stream == Stream::Own, manager: false, text: text.to_owned() }
    }
}

/// The lines of the try that failed: what the version before says at its end, and when it is back, says nothing of why
/// the other one does not run. Where the beginning is not among the lines, all of them.
fn of_the_try(found: &[Line]) -> &[Line] {
    let own = |line: &Line, is: &dyn Fn(&str) -> bool| line.own && is(&line.text);
    let switched = found.iter().position(|line| own(line, &|text| text.starts_with(SWITCHED)));
    let Some(switched) = switched else {
        // What comes after the version before is back is that one's.
        let back = found.iter().position(|line| own(line, &|text| text.ends_with(BACK)));
        let found = &found[..back.unwrap_or(found.len())];
        let at = |word: &str| found.iter().position(|line| own(line, &|text| text == word));
        // What moves the data speaks between the end of the one and the beginning of the other.
        return &found[at(STARTING).or_else(|| at(STOPPED)).unwrap_or(0)..];
    };
    let found = &found[switched + 1..];
    let over = |text: &str| text.starts_with(SWITCHED) || text.ends_with(BACK);
    let end = found.iter().position(|line| own(line, &over));
    &found[..end.unwrap_or(found.len())]
}

/// The last lines of the program in that try, in the words of `logs`; where it wrote none, what was said of it.
fn told(found: &[Line], lines: u64) -> Vec<String> {
    let found = of_the_try(found);
    let silent = found.iter().all(|line| line.own);
    let wanted: Vec<&Line> = found.iter().filter(|line| !line.own || silent && !line.manager).collect();
    let skipped = wanted.len().saturating_sub(usize::try_from(lines).unwrap_or(usize::MAX));
    let told = |line: &&Line| {
        let own = if line.own { "[mainstay] " } else { "" };
        format!("{} {own}{}", clock::local_precise(line.at), line.text)
    };
    wanted[skipped..].iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines, of which those with a star are no program's.
    fn lines(texts: &[&str]) -> Vec<Line> {
        let at = |index: usize| Moment(jiff::Timestamp::from_second(i64::try_from(index).unwrap()).unwrap());
        let line = |(index, text): (usize, &&str)| {
            let plain = text.strip_prefix('*');
            let manager = text.starts_with("*systemd");
            Line { at: at(index), own: plain.is_some(), manager, text: plain.unwrap_or(text).to_owned() }
        };
        texts.iter().enumerate().map(line).collect()
    }

    fn quoted(texts: &[&str]) -> Vec<String> {
        let of = |line: String| {
            line.split_once(' ').and_then(|(_, rest)| rest.split_once(' ')).unwrap().1.to_owned()
        };
        told(&lines(texts), 3).into_iter().map(of).collect()
    }

    #[test]
    fn only_the_try_that_failed_is_quoted() {
        let upgrade = [
            "*stopping",
            "bye of the old one",
            "*stopped",
            "*switched to web-2",
            "*starting",
            "no luck",
            "*the program exited with code 3",
            "*it exited with code 3: web-1 is back",
            "*starting",
            "hello of the old one",
        ];
        assert_eq!(quoted(&upgrade), ["no luck"]);
        // A program that said nothing: what is said of it.
        let silent =
            ["bye", "*switched to web-2", "*systemd speaks", "*starting", "*the program exited with code 3"];
        assert_eq!(quoted(&silent), ["[mainstay] starting", "[mainstay] the program exited with code 3"]);
        let migration = ["bye", "*stopped", "*no column `id`"];
        assert_eq!(quoted(&migration), ["[mainstay] stopped", "[mainstay] no column `id`"]);
        // Without a switch, from the start on; and no more than are wanted.
        assert_eq!(quoted(&["bye", "*starting", "one", "two", "three", "four"]), ["two", "three", "four"]);
        assert_eq!(quoted(&["one", "two"]), ["one", "two"]);
        assert!(quoted(&[]).is_empty());
    }
}
