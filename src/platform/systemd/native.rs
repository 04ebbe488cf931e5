//! `"supervision": "native"`: the program has the main place in the unit, and systemd's own policy counts.

use serde::Serialize;

use crate::model::duration::Span;
use crate::model::launch::{LaunchSpec, Probe};
use crate::model::manifest::{Hardening, RestartWhen, Stdin};
use crate::model::token::Places;
use crate::platform::systemd::unit::span;
use crate::platform::{Facts, Inexpressible};

/// The version of systemd from which on the pauses between restarts can grow (systemd.service(5)).
const GROWING_DELAYS: u32 = 254;

/// What the template needs besides what every unit has.
#[derive(Serialize)]
pub(super) struct Native {
    r#type: &'static str,
    notify_access: &'static str,
    environment_file: Option<String>,
    working_directory: String,
    window: String,
    starts: u32,
    start_timeout: String,
    stop_timeout: String,
    signal: &'static str,
    restart: &'static str,
    delay: Option<String>,
    steps: Option<usize>,
    longest_delay: Option<String>,
}

/// The program's own settings, as far as systemd has words for them.
pub(super) fn settings(
    spec: &LaunchSpec,
    places: &Places<'_>,
    facts: &Facts,
) -> Result<Native, Inexpressible> {
    let r#type = match &spec.ready.probe {
        Probe::Notify => "notify",
        Probe::Delay(_) => "exec",
        probe => {
            let asked = match probe {
                Probe::Http(_) => "http",
                Probe::Tcp(_) => "tcp",
                Probe::Command(_) => "command",
                _ => "file",
            };
            return Err(refused(&format!("service.ready.{asked}"), "asks no program whether it is ready"));
        }
    };
    if spec.stdin == Stdin::Open {
        return Err(refused("service.stdin", "has no pipe that never ends"));
    }
    if !spec.secrets.is_empty() {
        return Err(refused("service.secrets", "makes no variables from files of single values"));
    }
    let delays = &spec.restart.delays;
    let first = delays.first().copied().unwrap_or(Span::milliseconds(100));
    let last = delays.last().copied().unwrap_or(first);
    // systemd makes the steps between the two itself, each longer by the same factor: from nothing there
    // is none, and downward it does not go.
    let grows = facts.systemd_version >= GROWING_DELAYS && first > Span::seconds(0) && last > first;
    let again = spec.restart.when != RestartWhen::Never;
    Ok(Native {
        r#type,
        // Many programs speak through a child; locked in, only the main process may.
        notify_access: if spec.hardening == Hardening::Strict { "exec" } else { "all" },
        environment_file: spec.environment_file.as_ref().map(ToString::to_string),
        working_directory: spec.start_folder(places).into_string(),
        window: span("service.restart.window", spec.restart.window)?,
        starts: spec.restart.limit.saturating_add(1),
        start_timeout: limit("service.ready.timeout", spec.ready.timeout)?,
        stop_timeout: limit("service.stop.timeout", spec.stop.timeout)?,
        signal: spec.stop.signal.as_str(),
        restart: match spec.restart.when {
            RestartWhen::Never => "no",
            RestartWhen::OnFailure => "on-failure",
            RestartWhen::Always => "always",
        },
        delay: if again { Some(span("service.restart.delays", first)?) } else { None },
        steps: (again && grows).then_some(delays.len() - 1),
        longest_delay: if again && grows { Some(span("service.restart.delays", last)?) } else { None },
    })
}

/// A time limit. To systemd a limit of zero is none at all.
fn limit(setting: &str, length: Span) -> Result<String, Inexpressible> {
    span(setting, length.max(Span::milliseconds(1)))
}

fn refused(setting: &str, what: &str) -> Inexpressible {
    Inexpressible::new(
        setting,
        format!("under `native` supervision systemd {what}: use mainstay's own supervision"),
    )
}
