//! Waiting until a container is ready: nobody stands beside it, so the command itself asks.

use std::time::{Duration, Instant};

use crate::engine::Context;
use crate::engine::container::{self, variables};
use crate::engine::failure::StepError;
use crate::engine::ready::{Awaited, ended_early, not_ready};
use crate::host::command::{self, Manner};
use crate::host::files;
use crate::host::probe::{self, Method, Question, Request};
use crate::model::launch::{Folders, LaunchSpec, Probe};
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::model::status::Exit;
use crate::model::token::{expand, expand_variables};
use crate::platform::compose::entry::Entry;
use crate::platform::compose::query;
use crate::platform::compose::seen::ContainerSeen;

/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a container that does not run is given: an engine takes a moment to start one.
const GRACE: Duration = Duration::from_secs(2);

/// Waits until the container of a launch is ready.
pub(crate) fn await_ready(context: &Context<'_>, of: &Marker, awaited: Awaited<'_>) -> Result<(), StepError> {
    let layout = &context.layout;
    let other = |reason: String| StepError::Other(reason);
    let entry = container::entry(layout, of).ok_or_else(|| other(format!("{} is not defined", of.name)))?;
    let path = layout.launch(&of.name, awaited.tree);
    let text = files::read(&path)?.ok_or_else(|| other(format!("`{path}` is gone")))?;
    let spec: LaunchSpec =
        serde_json::from_str(&text).map_err(|error| other(format!("`{path}` is damaged: {error}")))?;
    let began = Instant::now();
    let mut first: Option<ContainerSeen> = None;
    let mut lost_since: Option<Instant> = None;
    let mut last = String::new();
    loop {
        match container::look(&entry) {
            Ok(Some(seen)) if seen.launch.as_deref() == Some(awaited.launch) => {
                let earlier = first.get_or_insert_with(|| seen.clone());
                let again = seen.restarts > earlier.restarts
                    || (seen.pid.is_some() && earlier.pid.is_some() && seen.pid != earlier.pid);
                if again || seen.state == "restarting" {
                    let exit = seen.exit_code.map(Exit::Code);
                    return Err(not_ready(ended_early(awaited.tree, exit, None), exit, true));
                }
                if seen.state == "running" {
                    lost_since = None;
                    match is_ready(&spec, &entry, &seen, (context, began)) {
                        Ok(()) => return Ok(()),
                        Err(reason) => last = reason,
                    }
                } else if lost_since.get_or_insert_with(Instant::now).elapsed() > GRACE {
                    let exit = seen.exit_code.map(Exit::Code);
                    let reason = if seen.error.is_empty() {
                        ended_early(awaited.tree, exit, None)
                    } else {
                        format!("{} can't be started: {}", awaited.tree, seen.error)
                    };
                    return Err(not_ready(reason, exit, false));
                }
            }
            Ok(_) if lost_since.get_or_insert_with(Instant::now).elapsed() > GRACE => {
                let reason =
                    format!("{} has no container `{}` of this launch", entry.engine, entry.container);
                return Err(not_ready(reason, None, false));
            }
            Err(error) if began.elapsed() > awaited.within => return Err(StepError::Call(error)),
            // An engine that is busy is asked again.
            Ok(_) | Err(_) => {}
        }
        if began.elapsed() > awaited.within {
            let why = if last.is_empty() { last } else { format!(": {last}") };
            let reason = format!("{} was not ready within {} s{why}", awaited.tree, awaited.within.as_secs());
            return Err(not_ready(reason, None, true));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Whether something answers where the program of a launch will: a stranger, while its container does not run.
pub(crate) fn answers(layout: &Layout, spec: &LaunchSpec) -> bool {
    matches!(&spec.ready.probe, Probe::Http(text) | Probe::Tcp(text) if question(layout, spec, text).is_ok_and(|question| probe::ask(&question, probe::LIMIT).is_ok()))
}

/// What a program is asked over the network.
fn question(layout: &Layout, spec: &LaunchSpec, text: &str) -> Result<Question, String> {
    let variables = variables(layout, spec)?;
    let address = expand_variables(text, |name| variables.get(name).cloned());
    Ok(match spec.ready.probe {
        Probe::Http(_) => Question::Http(Request::new(Method::Get, address)),
        _ => Question::Tcp(address),
    })
}

/// Asks the program in a container whether it is ready. An error says why not.
fn is_ready(
    spec: &LaunchSpec,
    entry: &Entry,
    seen: &ContainerSeen,
    (context, began): (&Context<'_>, Instant),
) -> Result<(), String> {
    match &spec.ready.probe {
        Probe::Http(text) | Probe::Tcp(text) => {
            probe::ask(&question(&context.layout, spec, text)?, probe::LIMIT)
        }
        Probe::Command(words) => {
            let folders = Folders::of(spec, &context.layout);
            let words: Vec<String> = words.iter().map(|word| expand(word, &folders.places())).collect();
            let argv = query::run_in(entry.engine, &entry.container, &words);
            let manner = Manner { limit: Some(probe::LIMIT), ..Manner::default() };
            match command::output(&argv, manner) {
                Ok(output) if output.code == Some(0) => Ok(()),
                Ok(output) => Err(format!("`{}` ended with {:?}", words.join(" "), output.code)),
                Err(error) => Err(error.to_string()),
            }
        }
        Probe::Delay(delay) => {
            let alive = seen.started.map_or_else(
                || began.elapsed(),
                |started| {
                    let lived = crate::host::clock::now().0.duration_since(started.0);
                    Duration::try_from(lived).unwrap_or_default()
                },
            );
            if alive >= delay.duration() { Ok(()) } else { Err(format!("it has not been alive for {delay}")) }
        }
        // No manifest of this platform has these.
        Probe::File(_) | Probe::Notify => Ok(()),
    }
}
