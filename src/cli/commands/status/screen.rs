//! The screen of `status`, line by line.

use std::time::Duration;

use anstyle::Style;

use crate::cli::commands::status::fields::fields;
use crate::cli::commands::status::{notes, style_of};
use crate::cli::report::{style, styled};
use crate::cli::words;
use crate::cli::wrap::{width, wrap};
use crate::host::clock;
use crate::model::answer::status::{InstanceState, StatusAnswer};
use crate::model::manifest::{Hardening, PlatformKind};
use crate::model::moment::Moment;
use crate::model::status::{HealthStanding, ScheduleStanding};
use crate::model::version::Version;

/// Where the values of the screen begin, at the least.
const MARGIN: usize = 11;
/// The longest word that still widens the column before its value.
const LONGEST_WORD: usize = 22;
/// What stands before a word.
const INDENT: &str = "  ";
/// The least that a value has of a line, however narrow the terminal is.
const LEAST: usize = 12;

/// A line: a word, and its value.
pub(super) struct Told {
    name: String,
    style: Style,
    value: String,
}

/// The word of a remark, which is a sign: the remark goes over the whole width.
pub(super) const REMARK: &str = "!";

impl Told {
    fn blank() -> Self {
        Self::plain("", "")
    }

    pub(super) fn plain(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self::styled(name, Style::new(), value)
    }

    pub(super) fn styled(name: impl Into<String>, style: Style, value: impl Into<String>) -> Self {
        Self { name: name.into(), style, value: value.into() }
    }
}

/// The screen as it is at a moment, on so many columns: what is long goes on below itself.
pub(super) fn screen(status: &StatusAnswer, now: Moment, columns: Option<usize>) -> Vec<String> {
    let columns = columns.unwrap_or(usize::MAX);
    let head = format!("{} ({}, {}, {} scope)", status.name, status.component, status.platform, status.scope);
    let mut lines: Vec<String> =
        wrap(&head, columns.saturating_sub(2)).iter().map(|line| format!("{INDENT}{line}")).collect();
    if let Some(first) = lines.first_mut() {
        let name = styled(style::STRONG, &status.name);
        let rest = first.get(INDENT.len() + status.name.as_str().len()..).unwrap_or_default();
        *first = format!("{} {name}{rest}", styled(style_of(status.state), "●"));
    }
    let mut state = vec![Told::styled("state", style_of(status.state), self::state(status, now))];
    if let Some(message) = status.message.as_deref().filter(|_| !is_told_by_state(status.state)) {
        // It is the service's own account that writes it.
        state.push(Told::plain("because", words::visible(message)));
    }
    let (first, last) = (notes::first(status), notes::last(status));
    let usual = usual(status, now);
    let mut tell = |told: &[Told], margin| {
        lines.extend(told.iter().flat_map(|told| laid(told, margin, columns)));
    };
    let common = margin(&[], columns);
    for group in [&state, &first, &usual] {
        tell(group, common);
    }
    if let Some(package) = &status.package {
        let (title, told) = (words::visible(&package.title), fields(package, now));
        tell(&[Told::blank(), Told::styled("", style::STRONG, title)], common);
        tell(&told, margin(&told, columns));
        if !last.is_empty() {
            tell(&[Told::blank()], common);
        }
    }
    tell(&last, common);
    lines
}

/// What is told of every instance, as far as there is something to tell.
fn usual(status: &StatusAnswer, now: Moment) -> Vec<Told> {
    let mut told = Vec::new();
    let mut field = |name: &str, value: String| told.push(Told::plain(name, value));
    if let Some(started) = status.started {
        let uptime = status.uptime_seconds.map(|seconds| words::uptime(Duration::from_secs(seconds)));
        field("uptime", format!("{}, since {}", uptime.unwrap_or_default(), clock::local(started)));
    }
    if let Some(version) = &status.version {
        let previous = status.previous_version.as_ref();
        let before = previous.map(|version| format!(" (before: {version})")).unwrap_or_default();
        // Of a program that no archive brought, nobody may have said it.
        let unknown = if *version == Version::unknown() {
            "; `mainstay upgrade --restart-only` takes up another program"
        } else {
            ""
        };
        field("version", format!("{version}{before}{unknown}"));
    }
    if let Some(pid) = status.pid {
        let supervisor = status.supervisor_pid.map(|pid| format!(" (supervisor {pid})")).unwrap_or_default();
        field("process", format!("{pid}{supervisor}"));
    }
    if let (Some(started), Some(ready)) = (status.started, status.ready) {
        let took = Duration::try_from(ready.0.duration_since(started.0)).unwrap_or_default();
        field("ready", format!("after {}", words::duration(took)));
    }
    // What another life of the program answered says nothing of this one.
    if let Some(health) = status.health.as_ref().filter(|_| status.pid.is_some()) {
        told.push(self::health(health, now));
    }
    if let Some(schedule) = &status.schedule {
        told.extend(self::schedule(schedule, now));
    }
    let mut field = |name: &str, value: String| told.push(Told::plain(name, value));
    if let Some(memory) = status.memory {
        field("memory", words::size(memory));
    }
    if let Some(restarts) = restarts(status) {
        field("restarts", restarts);
    }
    if let Some(exit) = status.last_exit {
        let meaning = status.last_outcome.map(|outcome| format!(" ({outcome})")).unwrap_or_default();
        field("last exit", format!("it {exit}{meaning}"));
    }
    let boot = match status.boot.starts {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    field("boot", format!("starts at boot: {boot}, because {}", status.boot.reason));
    if let Some(container) = container(status) {
        field("host", container);
    }
    if let Some(account) = &status.account {
        field("account", words::visible(account).into_owned());
    }
    if let Some(hardening) = status.hardening.filter(|_| status.platform == PlatformKind::Systemd) {
        field("hardening", hardening_word(hardening).to_owned());
    }
    for service in &status.development {
        field("for dev", notes::development(service));
    }
    field("folder", words::visible(status.folder.as_str()).into_owned());
    field("definition", words::visible(status.definition.path.as_str()).into_owned());
    told
}

/// Where values begin: behind the longest word, but for those that would leave no room.
fn margin(told: &[Told], columns: usize) -> usize {
    let words = told.iter().map(|told| width(&told.name)).filter(|width| *width <= LONGEST_WORD);
    let wanted = words.max().map_or(MARGIN, |longest| (longest + 2).max(MARGIN));
    wanted.min(columns.saturating_sub(INDENT.len() + LEAST)).max(1)
}

/// The lines of a value, below each other behind its word. A word without room has a line of its own.
fn laid(told: &Told, margin: usize, columns: usize) -> Vec<String> {
    let Told { name, style, value } = told;
    if name.is_empty() {
        let pieces = wrap(value, columns.saturating_sub(INDENT.len()));
        let line = |piece: &String| format!("{INDENT}{}", styled(*style, piece)).trim_end().to_owned();
        return pieces.iter().map(line).collect();
    }
    let (margin, sign) = match name.as_str() {
        REMARK => (REMARK.len() + 1, style::DOUBTFUL),
        _ => (margin, style::FAINT),
    };
    let room = columns.saturating_sub(INDENT.len() + margin);
    let mut lines = Vec::new();
    let mut before = String::new();
    if width(name) < margin {
        let padding = " ".repeat(margin - width(name));
        before = format!("{INDENT}{}{padding}", styled(sign, name));
    } else {
        lines.push(format!("{INDENT}{}", styled(sign, name)));
    }
    let indent = " ".repeat(INDENT.len() + margin);
    for piece in wrap(value, room) {
        let before = if before.is_empty() { indent.clone() } else { std::mem::take(&mut before) };
        lines.push(format!("{before}{}", styled(*style, piece)));
    }
    lines
}

/// Whether the screen says without the message all that it would.
fn is_told_by_state(state: InstanceState) -> bool {
    use InstanceState::{Idle, Ready, Sleeping, Unknown};
    matches!(state, Ready | Sleeping | Idle | Unknown)
}

fn state(status: &StatusAnswer, now: Moment) -> String {
    match status.state {
        InstanceState::BackingOff => {
            let Restarted { counted, limit } = Restarted::of(status);
            let next = status.restarts.next_start;
            let next = next.map(|at| format!(", next start {}", words::until(at, now))).unwrap_or_default();
            format!("backing off (restart {counted}{limit}{next})")
        }
        InstanceState::Idle => "idle: nobody needs it, the next connection starts it".to_owned(),
        InstanceState::Unknown => {
            let reason = status.message.as_deref().unwrap_or("the service manager does not answer");
            format!("unknown, because {reason}")
        }
        state => state.to_string(),
    }
}

/// What starts the service again where that is a container's manager, not this host's.
fn container(status: &StatusAnswer) -> Option<String> {
    let container = status.container?;
    Some(match status.platform {
        PlatformKind::Embedded => format!("running in container (process supervisor: {container})"),
        PlatformKind::Systemd => format!("running in container ({container}), with a systemd of its own"),
        PlatformKind::Compose => format!("running in container ({container}), with an engine of its own"),
        PlatformKind::Launchd | PlatformKind::Windows | PlatformKind::Task => {
            format!("running in container ({container})")
        }
    })
}

fn health(health: &HealthStanding, now: Moment) -> Told {
    let worked = health.last_success.map(|at| words::since(at, now));
    match (health.failures, worked) {
        (0, None) => Told::plain("health", "not asked yet"),
        // The time would be that of the last news: answers that change nothing are not written down.
        (0, Some(_)) => Told::styled("health", style::GOOD, "it works"),
        (failures, worked) => {
            let times = if failures == 1 { "once".to_owned() } else { format!("{failures} times in a row") };
            let why = health.last_error.as_deref().map(words::visible);
            let why = why.map(|error| format!(": {error}")).unwrap_or_default();
            let worked = worked.map(|worked| format!("; it worked {worked}")).unwrap_or_default();
            Told::styled("health", style::DOUBTFUL, format!("it failed {times}{why}{worked}"))
        }
    }
}

fn schedule(schedule: &ScheduleStanding, now: Moment) -> Vec<Told> {
    let mut fields = Vec::new();
    if let Some(next) = schedule.next {
        fields.push(Told::plain("next run", format!("{}, {}", clock::local(next), words::until(next, now))));
    }
    let ended = schedule.last_end.filter(|end| schedule.last_start.is_none_or(|start| *end >= start));
    match (schedule.last_start, ended, schedule.last_outcome) {
        (Some(start), None, _) => {
            let since = format!("since {}, {}", clock::local(start), words::since(start, now));
            fields.push(Told::plain("this run", since));
        }
        (Some(start), Some(end), Some(outcome)) => {
            let took = Duration::try_from(end.0.duration_since(start.0)).unwrap_or_default();
            let style = if outcome.alarms() { style::DOUBTFUL } else { style::GOOD };
            let (when, took) = (words::since(end, now), words::duration(took));
            fields.push(Told::styled("last run", style, format!("{outcome}, ended {when} after {took}")));
        }
        _ => {}
    }
    let counts =
        [(schedule.successes, "complete"), (schedule.partials, "partial"), (schedule.failures, "failed")];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let counts: Vec<String> = counts.collect();
    let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    let skipped = match schedule.skipped {
        0 => String::new(),
        1 => "; one turn was skipped because a run still ran".to_owned(),
        skipped => format!("; {skipped} turns were skipped because a run still ran"),
    };
    fields.push(Told::plain("runs", format!("{} since its start{counts}{skipped}", schedule.cycles)));
    fields
}

struct Restarted {
    counted: u32,
    limit: String,
}

impl Restarted {
    fn of(status: &StatusAnswer) -> Self {
        let limit = status.restarts.limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
        Self { counted: status.restarts.counted, limit }
    }
}

fn restarts(status: &StatusAnswer) -> Option<String> {
    // The failures of runs are told with the runs.
    if status.restarts.failures == 0 || status.schedule.is_some() && status.restarts.counted == 0 {
        return None;
    }
    let Restarted { counted, limit } = Restarted::of(status);
    Some(format!(
        "{} since its start; {counted}{limit} count against the limit now",
        status.restarts.failures
    ))
}

fn hardening_word(hardening: Hardening) -> &'static str {
    match hardening {
        Hardening::Off => "off",
        Hardening::Standard => "standard",
        Hardening::Strict => "strict",
    }
}

#[cfg(test)]
mod tests;
