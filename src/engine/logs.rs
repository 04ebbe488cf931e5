//! The log of an instance, the same wherever it is kept: in the journal, or in files of our own. Levels and
//! patterns are judged here, on the text, so that a question has one answer on every platform.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use regex_lite::Regex;

use crate::engine::active;
use crate::engine::container;
use crate::engine::failure::{CallError, Failure};
use crate::host::follow::LogReader;
use crate::host::{account, clock, command, output};
use crate::model::answer::log::{LogAnswer, LogStream};
use crate::model::layout::Layout;
use crate::model::level::{self, Level, Levels};
use crate::model::log_line::{LogLine, Stream};
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::model::moment::Moment;
use crate::model::name::InstanceName;
use crate::platform::journal;
use crate::platform::query::{self, LogQuery};

pub(crate) mod tail;

/// The pause between two looks whether a file has grown.
const LOOK: Duration = Duration::from_millis(200);

/// Which lines are wanted.
#[derive(Clone, Debug, Default)]
pub struct LogRequest {
    /// Not those before this.
    pub since: Option<Moment>,
    /// Not those after this.
    pub until: Option<Moment>,
    /// This level and those above it.
    pub level: Option<Level>,
    /// Only those in which this is found.
    pub pattern: Option<Regex>,
    /// Only the last so many.
    pub lines: Option<usize>,
    /// Whether new lines are waited for.
    pub follow: bool,
}

impl LogRequest {
    fn wants(&self, line: &LogAnswer) -> bool {
        self.since.is_none_or(|since| line.at >= since)
            && self.until.is_none_or(|until| line.at <= until)
            && self.level.is_none_or(|level| line.level <= level)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(&line.text))
    }

    /// Whether all lines of the time that was asked for are wanted.
    fn sifts(&self) -> bool {
        self.level.is_some() || self.pattern.is_some()
    }
}

/// What a reader of a log is told.
#[derive(Debug)]
pub enum Told {
    /// A line.
    Line(LogAnswer),
    /// That was all that there is so far.
    All,
}

/// Reads the log of an instance, and tells each line that is wanted, until `tell` wants no more.
pub fn logs(
    layout: &Layout,
    of: &Marker,
    request: &LogRequest,
    tell: &mut dyn FnMut(Told) -> bool,
) -> Result<(), Failure> {
    match of.platform {
        PlatformKind::Systemd => from_journal(of, &levels(layout, of), request, tell),
        PlatformKind::Embedded | PlatformKind::Launchd | PlatformKind::Windows | PlatformKind::Task => {
            from_files(layout, &of.name, levels(layout, of), request, tell)
        }
        PlatformKind::Compose => from_container(layout, of, &levels(layout, of), request, tell),
    }
}

/// How the levels of the active version's lines are found. Lines of versions before it may have been others.
fn levels(layout: &Layout, of: &Marker) -> Levels {
    let launch = active::launch(layout, of);
    Levels::new(launch.as_ref().and_then(|launch| launch.logs.level.as_deref()))
}

/// Keeps the last lines, where only those are wanted, and passes all others on.
struct Last<'a> {
    most: Option<usize>,
    kept: VecDeque<LogAnswer>,
    tell: &'a mut dyn FnMut(Told) -> bool,
}

impl<'a> Last<'a> {
    fn new(most: Option<usize>, tell: &'a mut dyn FnMut(Told) -> bool) -> Self {
        Self { most, kept: VecDeque::new(), tell }
    }

    fn take(&mut self, line: LogAnswer) -> bool {
        match self.most {
            None => (self.tell)(Told::Line(line)),
            Some(0) => true,
            Some(most) => {
                if self.kept.len() >= most {
                    self.kept.pop_front();
                }
                self.kept.push_back(line);
                true
            }
        }
    }

    /// From now on each line is passed on as it comes.
    fn end(&mut self) -> bool {
        self.most = None;
        let kept = std::mem::take(&mut self.kept);
        kept.into_iter().all(|line| (self.tell)(Told::Line(line))) && (self.tell)(Told::All)
    }
}

fn from_files(
    layout: &Layout,
    name: &InstanceName,
    levels: Levels,
    request: &LogRequest,
    tell: &mut dyn FnMut(Told) -> bool,
) -> Result<(), Failure> {
    let log = output::log_file(&layout.logs(name), name.as_str());
    let since = request.since.map(|since| SystemTime::from(since.0));
    let mut reader = LogReader::open(&log, since)?;
    let mut joiner = Joiner { levels, ..Joiner::default() };
    let mut last = Last::new(request.lines, tell);
    loop {
        let mut wants_more = true;
        reader.read(&mut |line| {
            if let Some(line) = joiner.take(name, line)
                && request.wants(&line)
            {
                wants_more = last.take(line);
            }
            wants_more
        })?;
        if !wants_more || !last.end() || !request.follow {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
}

/// Makes one line of those that continue each other.
#[derive(Default)]
struct Joiner {
    levels: Levels,
    begun: [Option<(Moment, Vec<u8>)>; 3],
}

impl Joiner {
    fn take(&mut self, name: &InstanceName, line: &[u8]) -> Option<LogAnswer> {
        let line = LogLine::parse(line)?;
        let (begun, stream) = match line.stream {
            Stream::Output => (&mut self.begun[0], LogStream::Output),
            Stream::Error => (&mut self.begun[1], LogStream::Error),
            Stream::Own => (&mut self.begun[2], LogStream::Own),
        };
        if line.continues {
            begun.get_or_insert_with(|| (line.at, Vec::new())).1.extend_from_slice(line.text);
            return None;
        }
        let (at, text) = match begun.take() {
            Some((at, mut text)) => {
                text.extend_from_slice(line.text);
                (at, String::from_utf8_lossy(&text).into_owned())
            }
            None => (line.at, String::from_utf8_lossy(line.text).into_owned()),
        };
        // What journald would take off and remember.
        let (level, text) = match level::prefix(&text) {
            Some((level, rest)) => (Some(level), rest.to_owned()),
            None => (self.levels.in_text(&text), text),
        };
        Some(answer(name, at, level, Some(stream), text))
    }
}

fn answer(
    name: &InstanceName,
    at: Moment,
    level: Option<Level>,
    stream: Option<LogStream>,
    text: String,
) -> LogAnswer {
    let level = level.unwrap_or(Level::Info);
    LogAnswer { schema: "log.v1".to_owned(), name: name.clone(), at, level, stream, text }
}

fn from_container(
    layout: &Layout,
    of: &Marker,
    levels: &Levels,
    request: &LogRequest,
    tell: &mut dyn FnMut(Told) -> bool,
) -> Result<(), Failure> {
    let mut last = Last::new(request.lines, tell);
    let mut newest = request.since;
    let read = |since: Option<Moment>, follow: bool, each: &mut dyn FnMut(LogAnswer) -> bool| {
        let wanted = container::logs::Wanted {
            since,
            until: request.until,
            lines: request.lines.filter(|_| !request.sifts() && !follow),
            follow,
        };
        container::logs::read(layout, of, wanted, &mut |at, text| {
            let (level, text) = match level::prefix(text) {
                Some((level, rest)) => (Some(level), rest.to_owned()),
                None => (levels.in_text(text), text.to_owned()),
            };
            each(answer(&of.name, at, level, None, text))
        })
    };
    let mut wants_more = true;
    read(request.since, false, &mut |line| {
        newest = newest.max(Some(line.at));
        wants_more = !request.wants(&line) || last.take(line);
        wants_more
    })?;
    if !wants_more || !last.end() || !request.follow {
        return Ok(());
    }
    // From where the first answer ended; engines give the lines of that moment again.
    let told = newest;
    read(told.or_else(|| Some(clock::now())), true, &mut |line| {
        let is_new = told.is_none_or(|told| line.at > told);
        !is_new || !request.wants(&line) || (last.take(line) && last.end())
    })
}

fn from_journal(
    of: &Marker,
    levels: &Levels,
    request: &LogRequest,
    tell: &mut dyn FnMut(Told) -> bool,
) -> Result<(), Failure> {
    let began = clock::now();
    let mut cursor = None;
    let mut last = Last::new(request.lines, tell);
    let query = LogQuery {
        since: request.since,
        until: request.until,
        // The last lines of all are not the last of those that are wanted.
        lines: request.lines.filter(|_| !request.sifts()).and_then(|lines| u64::try_from(lines).ok()),
        json: true,
        ..LogQuery::default()
    };
    let mut wants_more = true;
    let mut turned = Vec::new();
    ask(of, levels, &query, &mut |entry| {
        if query.newest_first() {
            cursor.get_or_insert_with(|| entry.cursor.clone());
            turned.push(line(of, entry));
            return true;
        }
        cursor = Some(entry.cursor.clone());
        let line = line(of, entry);
        wants_more = !request.wants(&line) || last.take(line);
        wants_more
    })?;
    for line in turned.into_iter().rev() {
        wants_more = wants_more && last.take(line);
    }
    if !wants_more || !last.end() || !request.follow {
        return Ok(());
    }
    // From exactly where the first answer ended, however long it took.
    let query = LogQuery {
        since: if cursor.is_none() { Some(began) } else { None },
        after: cursor,
        follow: true,
        json: true,
        ..LogQuery::default()
    };
    ask(of, levels, &query, &mut |entry| {
        let line = line(of, entry);
        !request.wants(&line) || (last.take(line) && last.end())
    })
}

fn line(of: &Marker, entry: journal::Entry) -> LogAnswer {
    let stream = entry.own.then_some(LogStream::Own);
    answer(&of.name, entry.at, entry.level, stream, entry.text)
}

fn ask(
    of: &Marker,
    levels: &Levels,
    query: &LogQuery,
    each: &mut dyn FnMut(journal::Entry) -> bool,
) -> Result<(), Failure> {
    let argv = query::logs(of.scope, account::effective_uid(), &of.name, query);
    let unavailable = |reason: String| CallError::Unavailable { manager: "journalctl".to_owned(), reason };
    let mut wants_more = true;
    let code = command::stream(&argv, &mut |line| {
        if let Some(entry) = journal::entry(line, levels) {
            wants_more = each(entry);
        }
        wants_more
    })
    .map_err(|error| unavailable(error.to_string()))?;
    match code {
        Some(code) if code != 0 && wants_more => {
            Err(unavailable(format!("it ended with exit code {code}")).into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_joined_and_prefixes_taken_off() {
        let name: InstanceName = "web".parse().unwrap();
        let mut joiner = Joiner::default();
        let mut take = |line: &str| joiner.take(&name, line.as_bytes());
        assert_eq!(take("2026-05-08T14:32:07.250Z out+ ERROR a lo"), None);
        let other = take("2026-05-08T14:32:07.260Z err <4>x").unwrap();
        assert_eq!((other.level, other.text.as_str()), (Level::Warning, "x"));
        let whole = take("2026-05-08T14:32:07.270Z out ng line").unwrap();
        assert_eq!(whole.text, "ERROR a long line");
        assert_eq!((whole.level, whole.stream), (Level::Error, Some(LogStream::Output)));
        assert_eq!(whole.at.to_string(), "2026-05-08T14:32:07.25Z");
        assert_eq!(take("something else"), None);
    }

    #[test]
    fn an_expression_of_the_manifest_finds_levels_in_files() {
        let name: InstanceName = "web".parse().unwrap();
        let levels = Levels::new(Some(r"^\[(?<level>[a-z])\]"));
        let mut joiner = Joiner { levels, ..Joiner::default() };
        let mut level = |text: &str| {
            let line = format!("2026-05-08T14:32:07.250Z out {text}");
            joiner.take(&name, line.as_bytes()).unwrap().level
        };
        assert_eq!(level("[w] slow"), Level::Warning);
        assert_eq!(level("ERROR: no route"), Level::Error);
        assert_eq!(level("nothing"), Level::Info);
    }

    #[test]
    fn the_last_wanted_lines_are_kept() {
        let name: InstanceName = "web".parse().unwrap();
        let at = clock::now();
        let mut texts = Vec::new();
        let mut tell = |told| {
            if let Told::Line(line) = told {
                texts.push(line.text);
            }
            true
        };
        let mut last = Last::new(Some(2), &mut tell);
        for text in ["a", "b", "c"] {
            last.take(answer(&name, at, None, None, text.to_owned()));
        }
        last.end();
        last.take(answer(&name, at, None, None, "d".to_owned()));
        assert_eq!(texts, ["b", "c", "d"]);
    }
}
