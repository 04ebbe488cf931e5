//! An adoption that has still to prove itself, as the service's own starts and ends see it: if the new definition does
//! not become ready, the old one comes back, whether the command that asked for it is still there or not. Every part of
//! that can be done twice.

use std::time::SystemTime;

use camino::Utf8PathBuf;

use crate::engine::failure::Failure;
use crate::engine::manager::Manager;
use crate::engine::switch::{self, AtStart, Means, last_end, was_ever_ready};
use crate::host::{files, lock};
use crate::model::adoption::{Attempt, AttemptStage, Before};
use crate::model::ended::Ended;
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::model::trial::END_OF_TRIAL;
use crate::platform::call::Call;

/// The adoption under way, if there is one.
pub(crate) fn read(layout: &Layout, name: &InstanceName) -> Result<Option<Attempt>, Failure> {
    let path = layout.adoption(name);
    let Some(text) = files::read(&path)? else { return Ok(None) };
    let damaged = |error: serde_json::Error| Failure::Damaged { path, reason: error.to_string() };
    serde_json::from_str(&text).map(Some).map_err(damaged)
}

/// What an adopted service was before, if that is known.
pub(crate) fn before(layout: &Layout, name: &InstanceName) -> Result<Option<Before>, Failure> {
    let path = layout.before(name);
    let Some(text) = files::read(&path)? else { return Ok(None) };
    let damaged = |error: serde_json::Error| Failure::Damaged { path, reason: error.to_string() };
    serde_json::from_str(&text).map(Some).map_err(damaged)
}

/// Where the file of a container was put that was adopted.
pub(crate) fn put_aside(layout: &Layout, name: &InstanceName) -> Option<Utf8PathBuf> {
    before(layout, name).ok().flatten()?.aside
}

/// Why the adoption under way was taken back, if it was.
pub(crate) fn taken_back(layout: &Layout, name: &InstanceName) -> Option<String> {
    match read(layout, name).ok()??.stage {
        AttemptStage::TakenBack { reason } => Some(reason),
        _ => None,
    }
}

/// Whether the adoption under way has brought its program to be ready.
pub(crate) fn has_proved(layout: &Layout, name: &InstanceName) -> bool {
    let attempt = read(layout, name).ok().flatten();
    attempt.is_some_and(|attempt| {
        attempt.stage == AttemptStage::Tried && was_ever_ready(layout, name, &attempt.launch)
    })
}

/// What a start does while an adoption is under way; nothing where none is.
pub(super) fn at_start(
    layout: &Layout,
    name: &InstanceName,
    means: &Means<'_>,
) -> Result<Option<AtStart>, Failure> {
    let Some(mut attempt) = read(layout, name)? else { return Ok(None) };
    match attempt.stage.clone() {
        AttemptStage::Pending => {
            attempt.stage = AttemptStage::Tried;
            store(layout, name, &attempt)?;
            Ok(Some(AtStart::Unchanged))
        }
        AttemptStage::Tried => {
            if has_proved(layout, name) || !gave_up(layout, name) {
                return Ok(Some(AtStart::Unchanged));
            }
            let reason = format!("{name} did not become ready under mainstay");
            take_back(layout, name, attempt, reason, means.manager).map(Some)
        }
        AttemptStage::TakenBack { reason } => {
            take_back(layout, name, attempt, reason, means.manager).map(Some)
        }
    }
}

/// What an end does while an adoption is under way whose command has died: where nothing would start the service again,
/// the old one comes back. Says why, if so.
pub(crate) fn at_stop(
    layout: &Layout,
    name: &InstanceName,
    ended: &Ended,
    manager: &dyn Manager,
) -> Result<Option<String>, Failure> {
    let is_over = |attempt: &Attempt| {
        attempt.stage == AttemptStage::Tried
            && ended.failed()
            && ended.status != END_OF_TRIAL.to_string()
            && ended.result != "signal"
            && lock::is_held(&layout.operation_lock(name)) == Some(false)
    };
    let Some(attempt) = read(layout, name)?.filter(is_over) else { return Ok(None) };
    if has_proved(layout, name) {
        return Ok(None);
    }
    switch::locked(layout, name, || {
        let reason = format!("{name} could not be started under mainstay");
        take_back(layout, name, attempt, reason.clone(), manager)?;
        Ok(Some(reason))
    })
}

/// Whether the supervisor has given the launch on trial up since its first start.
fn gave_up(layout: &Layout, name: &InstanceName) -> bool {
    let Some(begun) = files::changed(&layout.adoption(name)) else { return false };
    last_end(layout, name).is_some_and(|ended| {
        SystemTime::from(ended.at.0) >= begun && ended.status == END_OF_TRIAL.to_string()
    })
}

/// Brings back what ran before. It is decided first, whoever has to carry it out.
fn take_back(
    layout: &Layout,
    name: &InstanceName,
    mut attempt: Attempt,
    reason: String,
    manager: &dyn Manager,
) -> Result<AtStart, Failure> {
    let before = attempt.before.clone();
    attempt.stage = AttemptStage::TakenBack { reason: reason.clone() };
    store(layout, name, &attempt)?;
    files::remove(&layout.trial(name))?;
    for file in &before.files {
        match &file.text {
            Some(text) => files::write(&file.path, text, file.mode(), file.owner.as_ref())?,
            None => {
                files::remove(&file.path)?;
            }
        }
    }
    for argv in before.reread.iter().chain(&before.back) {
        // The last of them ends this very process, where the service's own start does it.
        let _ = manager.call(&Call::attempt("brings back what ran before", argv.clone()));
    }
    Ok(AtStart::TakenBack { tree: before.service, reason })
}

fn store(layout: &Layout, name: &InstanceName, attempt: &Attempt) -> Result<(), Failure> {
    Ok(files::write(&layout.adoption(name), &attempt.text(), 0o600, None)?)
}
