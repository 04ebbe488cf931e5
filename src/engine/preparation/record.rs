//! What was done for an instance, written down before it is done: not in its own folders, which a purge removes, so that
//! what is left to undo is known when nothing else of it is there.

use std::time::Duration;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::Done;
use crate::engine::failure::Failure;
use crate::host::files;
use crate::host::lock::{self, LockError};
use crate::model::json;
use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::platform::identity;

/// How long a command waits for another one that prepares the host: what that fetches may take a while.
const PATIENCE: Duration = Duration::from_secs(10);

/// The steps that were done for an instance, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    /// The instance.
    pub(super) of: Marker,
    /// The steps.
    pub(super) steps: Vec<Done>,
    /// The operation that prepares the host now, until it is done or undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) begun: Option<Begun>,
}

/// What an operation began with, and what it wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Begun {
    /// How many steps were done before it.
    pub(super) known: usize,
    /// The tree that it makes active.
    pub(super) tree: String,
}

impl Record {
    /// That of the instance of a launch, which may be empty.
    pub(super) fn of(layout: &Layout, spec: &LaunchSpec) -> Result<Self, Failure> {
        Self::of_marker(layout, &identity(spec))
    }

    /// That of an instance, which may be empty.
    pub(super) fn of_marker(layout: &Layout, of: &Marker) -> Result<Self, Failure> {
        let (steps, begun) =
            read(layout, &of.name)?.map(|record| (record.steps, record.begun)).unwrap_or_default();
        Ok(Self { of: of.clone(), steps, begun })
    }

    /// Takes over what was done for another instance, as if it had been done for this one first: it goes with this one.
    pub(super) fn inherit(&mut self, done: Done) {
        if self.steps.iter().any(|own| own.undo == done.undo) {
            return;
        }
        self.steps.insert(0, done);
        if let Some(begun) = &mut self.begun {
            begun.known += 1;
        }
    }

    /// Makes it durable; with nothing in it, there is none.
    pub(super) fn write(&self, layout: &Layout) -> Result<(), Failure> {
        let path = path(layout, &self.of.name);
        let (folder, all) = (folder(layout, &self.of.name), all(layout));
        if self.steps.is_empty() {
            // With what a killed command has left beside it.
            files::remove_tree(&folder)?;
            if files::facts(&all)?.is_some() {
                files::remove_empty_folder(&all)?;
            }
            return Ok(());
        }
        files::create_folder(&all, 0o700, None)?;
        files::create_folder(&folder, 0o700, None)?;
        let text = json::text(self);
        Ok(files::write(&path, &text, 0o600, None)?)
    }
}

/// The record of an instance, if anything was done for it.
pub(super) fn read(layout: &Layout, name: &InstanceName) -> Result<Option<Record>, Failure> {
    let path = path(layout, name);
    let Some(text) = files::read(&path)? else { return Ok(None) };
    let read = serde_json::from_str(&text);
    read.map(Some).map_err(|error| Failure::Damaged { path, reason: error.to_string() })
}

/// The instances for which an operation has prepared the host that is neither done nor undone.
pub(super) fn unfinished(layout: &Layout) -> Result<Vec<InstanceName>, Failure> {
    // Whoever may not look there has nothing unfinished there either.
    let names = files::list(&all(layout)).ok().flatten().unwrap_or_default();
    let mut found = Vec::new();
    for name in names.into_iter().filter_map(|name| InstanceName::new(name).ok()) {
        if read(layout, &name)?.is_some_and(|record| record.begun.is_some()) {
            found.push(name);
        }
    }
    Ok(found)
}

/// Does something to records while no other command can: an instance's own lock does not keep others from handing over
/// to it what they leave.
pub(super) fn exclusively<T>(
    layout: &Layout,
    name: &InstanceName,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    match lock::holding(&layout.preparation_lock(), PATIENCE, work) {
        Ok(outcome) => outcome,
        Err(LockError::Held(_)) => Err(Failure::Busy(name.clone())),
        Err(error) => Err(Failure::Lock(error)),
    }
}

fn path(layout: &Layout, name: &InstanceName) -> Utf8PathBuf {
    folder(layout, name).join("steps.json")
}

fn folder(layout: &Layout, name: &InstanceName) -> Utf8PathBuf {
    all(layout).join(name.as_str())
}

fn all(layout: &Layout) -> Utf8PathBuf {
    layout.states().join(".prepared")
}
