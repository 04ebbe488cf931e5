//! What was done for an instance, written down before it is done: not in its own folders, which a purge removes, so that
//! what is left to undo is known when nothing else of it is there.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::Done;
use crate::engine::failure::Failure;
use crate::host::files;
use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::model::name::InstanceName;

/// The steps that were done for an instance, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    /// The instance.
    pub(super) of: Marker,
    /// The steps.
    pub(super) steps: Vec<Done>,
}

impl Record {
    /// That of the instance of a launch, which may be empty.
    pub(super) fn of(layout: &Layout, spec: &LaunchSpec) -> Result<Self, Failure> {
        let of = Marker {
            name: spec.name.clone(),
            component: spec.component.clone(),
            platform: spec.platform,
            scope: spec.scope,
            folder: spec.deploy.clone(),
        };
        let steps = read(layout, &spec.name)?.map(|record| record.steps).unwrap_or_default();
        Ok(Self { of, steps })
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
        let text = serde_json::to_string_pretty(self).unwrap_or_default() + "\n";
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

fn path(layout: &Layout, name: &InstanceName) -> Utf8PathBuf {
    folder(layout, name).join("steps.json")
}

fn folder(layout: &Layout, name: &InstanceName) -> Utf8PathBuf {
    all(layout).join(name.as_str())
}

fn all(layout: &Layout) -> Utf8PathBuf {
    layout.states().join(".prepared")
}
