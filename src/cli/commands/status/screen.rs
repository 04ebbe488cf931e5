//! The screen of `status`, line by line.

use std::time::Duration;

use crate::cli::commands::status::style_of;
use crate::cli::report::{style, styled};
use crate::cli::words;
use crate::host::clock;
use crate::model::answer::status::{InstanceState, OperationState, StatusAnswer, TrialState};
use crate::model::manifest::{Hardening, PlatformKind, Scope};
use crate::model::moment::Moment;
use crate::model::status::{HealthStanding, ScheduleStanding};

/// Where the values of the screen begin.
const MARGIN: usize = 11;

/// The screen as it is at a moment.
pub(super) fn screen(status: &StatusAnswer, now: Moment) -> Vec<String> {
    let mut lines = vec![format!(
        "{} {} ({}, {}, {} scope)",
        styled(style_of(status.state), "●"),
        styled(style::STRONG, &status.name),
        status.component,
        status.platform,
        status.scope
    )];
    let mut field = |name: &str, value: String| {
        lines.push(format!("  {}{value}", styled(style::FAINT, format!("{name:<MARGIN$}"))));
    };
    field("state", styled(style_of(status.state), state(status, now)));
    if let Some(message) = status.message.as_deref().filter(|_| !is_told_by_state(status.state)) {
        // It is the service's own account that writes it.
        field("because", words::visible(message).into_owned());
    }
    if let Some(container) = container(status) {
        field("host", container);
    }
    if let Some(version) = &status.version {
        let previous = status.previous_version.as_ref();
        let before = previous.map(|version| format!(" (before: {version})")).unwrap_or_default();
        field("version", format!("{version}{before}"));
    }
    if let Some(trial) = &status.trial {
        field("trial", self::trial(trial));
    }
    if let Some(bad) = &status.taken_back {
        let (version, when) = (&bad.version, clock::local(bad.at));
        let why = words::visible(&bad.reason);
        field("taken back", styled(style::BAD, format!("{version} was taken back at {when}: {why}")));
    }
    if let Some(running) = &status.running_version {
        field("running", styled(style::DOUBTFUL, format!("{running}, until the next start")));
    }
    if let Some(pid) = status.pid {
        let supervisor = status.supervisor_pid.map(|pid| format!(" (supervisor {pid})")).unwrap_or_default();
        field("process", format!("{pid}{supervisor}"));
    }
    if let Some(started) = status.started {
        let uptime = status.uptime_seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs);
        let since =
            uptime.map_or_else(|| "just now".to_owned(), |uptime| format!("{} ago", words::duration(uptime)));
        field("started", format!("{}, {since}", clock::local(started)));
    }
    if let (Some(started), Some(ready)) = (status.started, status.ready) {
        let took = Duration::try_from(ready.0.duration_since(started.0)).unwrap_or_default();
        field("ready", format!("after {}", words::duration(took)));
    }
    // What another life of the program answered says nothing of this one.
    if let Some(health) = status.health.as_ref().filter(|_| status.pid.is_some()) {
        field("health", self::health(health, now));
    }
    if let Some(schedule) = &status.schedule {
        for (name, value) in self::schedule(schedule, now) {
            field(name, value);
        }
    }
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
    if let Some(hardening) = status.hardening.filter(|_| status.platform == PlatformKind::Systemd) {
        field("hardening", hardening_word(hardening).to_owned());
    }
    field("folder", status.folder.to_string());
    field("definition", status.definition.path.to_string());
    lines.extend(
        warnings(status).into_iter().map(|text| format!("  {} {text}", styled(style::DOUBTFUL, "!"))),
    );
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
    })
}

fn health(health: &HealthStanding, now: Moment) -> String {
    let worked = health.last_success.map(|at| words::since(at, now));
    match (health.failures, worked) {
        (0, None) => "not asked yet".to_owned(),
        // The time would be that of the last news: answers that change nothing are not written down.
        (0, Some(_)) => "it works".to_owned(),
        (failures, worked) => {
            let times = if failures == 1 { "once".to_owned() } else { format!("{failures} times in a row") };
            let why = health.last_error.as_deref().map(words::visible);
            let why = why.map(|error| format!(": {error}")).unwrap_or_default();
            let worked = worked.map(|worked| format!("; it worked {worked}")).unwrap_or_default();
            styled(style::DOUBTFUL, format!("it failed {times}{why}{worked}"))
        }
    }
}

fn schedule(schedule: &ScheduleStanding, now: Moment) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    if let Some(next) = schedule.next {
        fields.push(("next run", format!("{}, {}", clock::local(next), words::until(next, now))));
    }
    let ended = schedule.last_end.filter(|end| schedule.last_start.is_none_or(|start| *end >= start));
    match (schedule.last_start, ended, schedule.last_outcome) {
        (Some(start), None, _) => {
            fields.push(("this run", format!("since {}, {}", clock::local(start), words::since(start, now))));
        }
        (Some(start), Some(end), Some(outcome)) => {
            let took = Duration::try_from(end.0.duration_since(start.0)).unwrap_or_default();
            let style = if outcome.alarms() { style::DOUBTFUL } else { style::GOOD };
            let outcome = styled(style, outcome);
            let (when, took) = (words::since(end, now), words::duration(took));
            fields.push(("last run", format!("{outcome}, ended {when} after {took}")));
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
    fields.push(("runs", format!("{} since its start{counts}{skipped}", schedule.cycles)));
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

fn trial(trial: &TrialState) -> String {
    let left = Duration::from_secs(trial.of_seconds.saturating_sub(trial.ready_seconds));
    let (left, back) = (words::duration(left), &trial.goes_back_to);
    let told = format!("for another {left} in which it is ready; a failure takes {back} back");
    if trial.counted { told } else { styled(style::DOUBTFUL, format!("{told}; nobody counts now")) }
}

fn hardening_word(hardening: Hardening) -> &'static str {
    match hardening {
        Hardening::Off => "off",
        Hardening::Standard => "standard",
        Hardening::Strict => "strict",
    }
}

/// What somebody should do something about.
fn warnings(status: &StatusAnswer) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(reason) = &status.fallback {
        warnings.push(format!("{reason}; this is what {} and the files say", status.platform));
    }
    match status.operation {
        Some(OperationState::UnderWay) => warnings.push("a command is at work on it".to_owned()),
        Some(OperationState::Unfinished) => {
            warnings.push("unfinished operation: run mainstay recover".to_owned());
        }
        None => {}
    }
    if status.pending_restart {
        warnings.push(
            "pending restart: the program has not seen the last applied settings; `mainstay restart`"
                .to_owned(),
        );
    }
    if let Some(build) = &status.other_runtime {
        let version = build.rsplit_once('-').map_or(build.as_str(), |(version, _)| version);
        let own = env!("CARGO_PKG_VERSION");
        let which = if version == own {
            format!("another build of mainstay {own}")
        } else {
            format!("mainstay {version}")
        };
        warnings.push(format!(
            "it is run by {which}, and this is {own}: `mainstay apply` moves it, never to an older one"
        ));
    }
    let definition = &status.definition;
    if definition.edited {
        warnings.push("the definition was edited by hand: `mainstay apply` writes it anew".to_owned());
    }
    if definition.needs_reload {
        warnings.push(format!(
            "systemd has not read the definition as it is now: `systemctl {}daemon-reload`",
            if status.scope == Scope::User { "--user " } else { "" }
        ));
    }
    for path in &definition.drop_ins {
        warnings.push(format!("`{path}` changes what the definition says"));
    }
    warnings
}

#[cfg(test)]
mod tests;
