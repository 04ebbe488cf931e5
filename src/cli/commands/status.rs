//! `status`: one screen, and the exit code by state.

use std::time::{Duration, Instant};

use anstyle::Style;

use crate::cli::arguments::StatusArguments;
use crate::cli::report::{Report, style, styled};
use crate::cli::surroundings::target_to_see;
use crate::cli::words;
use crate::engine::failure::Failure;
use crate::engine::manager::HostManager;
use crate::engine::status as assemble;
use crate::engine::target::Target;
use crate::host::{clock, files};
use crate::model::answer::status::{InstanceState, OperationState, StatusAnswer};
use crate::model::manifest::{Hardening, PlatformKind};
use crate::model::marker::Marker;

/// The pause between two looks at the files that change with the state.
const LOOK: Duration = Duration::from_millis(250);
/// After this long the service manager is asked again, whatever the files say.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// Where the values of the screen begin.
const MARGIN: usize = 11;

/// `status`
pub(crate) fn status(report: &Report, arguments: &StatusArguments) -> Result<u8, Failure> {
    let target = target_to_see(report, &arguments.target)?;
    let of = target.installed()?;
    let manager = HostManager::new(target.layout.clone());
    if arguments.watch {
        return watch(report, &manager, &target, of);
    }
    let status = assemble::status(&manager, &target.layout, of);
    if report.is_json() {
        report.document(&status);
    } else {
        for line in screen(&status) {
            report.line(line);
        }
    }
    Ok(status.exit_code)
}

/// Shows the status at every change, until a signal ends this program.
fn watch(report: &Report, manager: &HostManager, target: &Target, of: &Marker) -> Result<u8, Failure> {
    let mut shown = None;
    loop {
        let status = assemble::status(manager, &target.layout, of);
        // The clock alone is no change.
        let mut compared = status.clone();
        (compared.uptime_seconds, compared.memory) = (None, None);
        let changed = shown.as_ref() != Some(&compared);
        if report.is_json() {
            if changed {
                report.document_line(&status);
            }
        } else if report.is_watched() {
            // Home, then each line to its end, then what is below: nothing flickers.
            report.redraw(&(screen(&status).join("\x1b[K\n") + "\x1b[K\n"));
        } else if changed {
            for line in screen(&status) {
                report.line(line);
            }
            report.line("");
        }
        if report.is_closed() {
            return Ok(status.exit_code);
        }
        shown = Some(compared);
        await_change(target, of);
    }
}

fn await_change(target: &Target, of: &Marker) {
    let layout = &target.layout;
    let paths = [layout.status(&of.name), layout.receipt(&of.name), layout.journal(&of.name)];
    let look = || paths.each_ref().map(|path| files::changed(path));
    let (before, deadline) = (look(), Instant::now() + ASK_AGAIN);
    while Instant::now() < deadline && look() == before {
        std::thread::sleep(LOOK);
    }
}

/// The style of a state.
pub(crate) fn style_of(state: InstanceState) -> Style {
    match state {
        InstanceState::Ready | InstanceState::Sleeping | InstanceState::Idle => style::GOOD,
        InstanceState::Failed => style::BAD,
        InstanceState::Stopped => style::FAINT,
        InstanceState::Starting
        | InstanceState::BackingOff
        | InstanceState::Stopping
        | InstanceState::Unknown => style::DOUBTFUL,
    }
}

/// The screen, line by line.
fn screen(status: &StatusAnswer) -> Vec<String> {
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
    field("state", styled(style_of(status.state), state(status)));
    if let Some(message) = status.message.as_deref().filter(|_| !is_told_by_state(status.state)) {
        field("because", message.to_owned());
    }
    if let Some(version) = &status.version {
        let previous = status.previous_version.as_ref();
        let before = previous.map(|version| format!(" (before: {version})")).unwrap_or_default();
        field("version", format!("{version}{before}"));
    }
    if let Some(running) = &status.running_version {
        field("running", styled(style::DOUBTFUL, format!("{running}, until the next start")));
    }
    if let Some(pid) = status.pid {
        let supervisor = status.supervisor_pid.map(|pid| format!(" (supervisor {pid})")).unwrap_or_default();
        field("process", format!("{pid}{supervisor}"));
    }
    if let Some(started) = status.started {
        let uptime = status.uptime_seconds.map(Duration::from_secs).unwrap_or_default();
        field("started", format!("{}, {} ago", clock::local(started), words::duration(uptime)));
    }
    if let (Some(started), Some(ready)) = (status.started, status.ready) {
        let took = Duration::try_from(ready.0.duration_since(started.0)).unwrap_or_default();
        field("ready", format!("after {}", words::duration(took)));
    }
    if let Some(memory) = status.memory {
        field("memory", words::size(memory));
    }
    if let Some(restarts) = restarts(status) {
        field("restarts", restarts);
    }
    if let Some(exit) = status.last_exit {
        field("last exit", format!("it {exit}"));
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

/// Whether the state says all that the message would.
fn is_told_by_state(state: InstanceState) -> bool {
    matches!(state, InstanceState::Ready | InstanceState::Unknown)
}

fn state(status: &StatusAnswer) -> String {
    match status.state {
        InstanceState::BackingOff => {
            let Restarted { counted, limit } = Restarted::of(status);
            let next = status.restarts.next_start;
            let next = next.map(|at| format!(", next start {}", words::until(at))).unwrap_or_default();
            format!("backing off (restart {counted}{limit}{next})")
        }
        InstanceState::Unknown => {
            let reason = status.message.as_deref().unwrap_or("the service manager does not answer");
            format!("unknown, because {reason}")
        }
        state => state.to_string(),
    }
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
    if status.restarts.failures == 0 {
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

/// What somebody should do something about.
fn warnings(status: &StatusAnswer) -> Vec<String> {
    let mut warnings = Vec::new();
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
    let definition = &status.definition;
    if definition.edited {
        warnings.push("the definition was edited by hand: `mainstay apply` writes it anew".to_owned());
    }
    if definition.needs_reload {
        warnings.push(format!(
            "systemd has not read the definition as it is now: `systemctl {}daemon-reload`",
            if status.scope == crate::model::manifest::Scope::User { "--user " } else { "" }
        ));
    }
    for path in &definition.drop_ins {
        warnings.push(format!("`{path}` changes what the definition says"));
    }
    warnings
}
