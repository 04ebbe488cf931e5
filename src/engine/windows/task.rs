//! An instance that is a task of Windows.

use std::time::Duration;

use super::program;
use crate::engine::guard;
use crate::engine::manager::{Seen, State};
use crate::host::scheduler;
use crate::model::layout::Layout;
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::platform;
use crate::platform::task::command::Outcome;
use crate::platform::task::{self, Meaning};

/// The task that the definition wants, with the program where it really stands.
fn wanted(layout: &Layout, of: &Marker, definition: &str) -> Result<String, String> {
    let damaged = || "the definition is damaged: `mainstay apply` makes it anew".to_owned();
    task::with_program(definition, &program(layout, of)).ok_or_else(damaged)
}

/// Whether the scheduler keeps what is wanted.
fn is_kept(wanted: &str, kept: &str) -> bool {
    match (Meaning::of(wanted), Meaning::of(kept)) {
        (Ok(wanted), Ok(kept)) => wanted.differences(&kept).is_empty(),
        _ => false,
    }
}

pub(super) fn register(layout: &Layout, of: &Marker, definition: &str) -> Result<(), String> {
    let wanted = wanted(layout, of, definition)?;
    if kept(of)?.is_some_and(|kept| is_kept(&wanted, &kept)) {
        return Ok(());
    }
    let registered = scheduler::register(&scheduler::name_of(&of.name), &wanted);
    done("registered", &registered.map_err(|error| error.to_string())?)?;
    remove_before(of)
}

/// Removes the task of an instance whose name was the host's still, without the person's number.
fn remove_before(of: &Marker) -> Result<(), String> {
    let before = task::task_name(&of.name, None);
    if before == scheduler::name_of(&of.name) {
        return Ok(());
    }
    // Another person's can't be read, and is not ours.
    let kept = scheduler::kept(&before).ok().flatten();
    let is_same = |text: &String| platform::marker(PlatformKind::Task, text).as_ref() == Some(of);
    match kept.filter(is_same) {
        Some(_) => removed(&before),
        None => Ok(()),
    }
}

fn removed(task: &str) -> Result<(), String> {
    match scheduler::delete(task).map_err(|error| error.to_string())? {
        Outcome::Absent => Ok(()),
        outcome => done("removed", &outcome),
    }
}

/// Removes what is ours of this name; what is somebody else's stays.
pub(super) fn unregister(of: &Marker) -> Result<(), String> {
    remove_before(of)?;
    if !kept(of)?.is_some_and(|text| is_ours(&text, of)) {
        return Ok(());
    }
    removed(&scheduler::name_of(&of.name))
}

pub(super) fn start(of: &Marker) -> Result<(), String> {
    match scheduler::run(&scheduler::name_of(&of.name)).map_err(|error| error.to_string())? {
        Outcome::Runs => Ok(()),
        outcome => done("started", &outcome),
    }
}

/// Stops it by asking its guardian: the scheduler only knows to kill. One that does not obey is ended by the scheduler.
pub(super) fn stop(layout: &Layout, of: &Marker, limit: Duration) -> Result<(), String> {
    let asked = guard::stop_guardian(layout, &of.name, limit);
    if let Err(error) = asked {
        let _ = scheduler::end(&scheduler::name_of(&of.name));
        guard::stop_guardian(layout, &of.name, super::PATIENCE).map_err(|_| error.to_string())?;
    }
    Ok(())
}

pub(super) fn seen(layout: &Layout, of: &Marker, definition: Option<&str>) -> Result<Seen, String> {
    let kept = kept(of)?.filter(|text| is_ours(text, of));
    let needs_reload = match definition {
        Some(text) => {
            let wanted = wanted(layout, of, text)?;
            kept.as_ref().is_none_or(|kept| !is_kept(&wanted, kept))
        }
        None => kept.is_some(),
    };
    let at_boot = kept.as_deref().is_some_and(task::starts_at_logon);
    // Whether it runs says its guardian: the scheduler's word is in the language of the host.
    Ok(Seen { state: State::Inactive, at_boot, needs_reload, ..Seen::default() })
}

/// A task of this name that is not ours, as a person finds it.
pub(super) fn taken(of: &Marker) -> Result<Option<String>, String> {
    let strange = kept(of)?.filter(|text| !is_ours(text, of));
    Ok(strange.map(|_| format!("the task `{}`", scheduler::name_of(&of.name))))
}

fn kept(of: &Marker) -> Result<Option<String>, String> {
    scheduler::kept(&scheduler::name_of(&of.name)).map_err(|error| error.to_string())
}

fn is_ours(text: &str, of: &Marker) -> bool {
    let marker = platform::marker(PlatformKind::Task, text);
    marker.is_some_and(|marker| marker.name == of.name && marker.scope == of.scope)
}

fn done(what: &str, outcome: &Outcome) -> Result<(), String> {
    let reason = match outcome {
        Outcome::Done => return Ok(()),
        Outcome::Denied => format!("the task can't be {what}: access is denied"),
        Outcome::Absent => format!("the task can't be {what}: the scheduler has none of this name"),
        Outcome::Runs => format!("the task can't be {what}: it runs"),
        Outcome::NoScheduler => format!("the task can't be {what}: the Task Scheduler does not run"),
        Outcome::Failed(said) => format!("the task can't be {what}: {said}"),
    };
    Err(outcome.help().map_or_else(|| reason.clone(), |help| format!("{reason}: {help}")))
}
