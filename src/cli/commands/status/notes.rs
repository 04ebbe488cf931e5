//! What somebody should know, or do something about: first what concerns the service now, last what can wait.

use std::time::Duration;

use crate::cli::commands::status::screen::{REMARK, Told};
use crate::cli::report::style;
use crate::cli::words;
use crate::host::clock;
use crate::model::answer::status::{DevelopmentStatus, OperationState, StatusAnswer, TrialState};

/// What matters before all else.
pub(super) fn first(status: &StatusAnswer) -> Vec<Told> {
    let mut told = Vec::new();
    match status.operation {
        Some(OperationState::UnderWay) => told.push(note("a command is at work on it")),
        Some(OperationState::Unfinished) => {
            let name = &status.name;
            told.push(note(&format!("unfinished operation: run mainstay recover --name {name}")));
        }
        None => {}
    }
    if let Some(reason) = &status.fallback {
        told.push(note(&format!("{reason}; this is what {} and the files say", status.platform)));
    }
    if let Some(bad) = &status.taken_back {
        let (version, when) = (&bad.version, clock::local(bad.at));
        let why = words::visible(&bad.reason);
        told.push(Told::styled(
            "taken back",
            style::BAD,
            format!("{version} was taken back at {when}: {why}"),
        ));
    }
    if let Some(trial) = &status.trial {
        told.push(self::trial(trial));
    }
    if let Some(running) = &status.running_version {
        told.push(Told::styled("running", style::DOUBTFUL, format!("{running}, until the next start")));
    }
    if status.pending_restart {
        told.push(note(
            "pending restart: the program has not seen the last applied settings; `mainstay restart`",
        ));
    }
    told
}

/// What can wait.
pub(super) fn last(status: &StatusAnswer) -> Vec<Told> {
    let mut told = Vec::new();
    if let Some(build) = &status.other_runtime {
        let version = build.rsplit_once('-').map_or(build.as_str(), |(version, _)| version);
        let own = env!("CARGO_PKG_VERSION");
        let which = if version == own {
            format!("another build of mainstay {own}")
        } else {
            format!("mainstay {version}")
        };
        told.push(note(&format!(
            "it is run by {which}, and this is {own}: `mainstay apply` moves it, never to an older one"
        )));
    }
    if !status.drift.is_empty() && status.operation.is_none() {
        let kinds: Vec<String> = status.drift.iter().map(ToString::to_string).collect();
        told.push(note(&format!(
            "drift: {}; `mainstay plan --diff` shows it, `mainstay apply` mends it",
            kinds.join(", ")
        )));
    }
    for path in &status.definition.drop_ins {
        told.push(note(&format!("`{path}` changes what the definition says")));
    }
    told
}

fn note(text: &str) -> Told {
    Told::plain(REMARK, text)
}

fn trial(trial: &TrialState) -> Told {
    let left = Duration::from_secs(trial.of_seconds.saturating_sub(trial.ready_seconds));
    let (left, back) = (words::duration(left), &trial.goes_back_to);
    let told = format!("for another {left} in which it is ready; a failure takes {back} back");
    if trial.counted {
        Told::plain("trial", told)
    } else {
        Told::styled("trial", style::DOUBTFUL, format!("{told}; nobody counts now"))
    }
}

/// A service for development: where it stands, where it is reached, and whether it comes back with the host.
pub(super) fn development(service: &DevelopmentStatus) -> String {
    let DevelopmentStatus { name, engine, container, state, address, message, boot, .. } = service;
    let address = address.as_ref().map(|address| format!(" at {address}")).unwrap_or_default();
    let because =
        message.as_ref().map(|message| format!(": {}", words::visible(message))).unwrap_or_default();
    let boot = match boot.starts {
        Some(false) => format!("; starts at boot: no, because {}", boot.reason),
        Some(true) | None => String::new(),
    };
    format!("{name} is {state}{address} ({engine} container {container}){because}{boot}")
}
