//! Which instances a scope has: read from the markers in their definitions, and kept in the index only to
//! be quick and to remember what a failed scan could not show.

use std::time::Duration;

use camino::Utf8Path;

use crate::host::{files, lock, untrusted};
use crate::model::index::{Index, Scan};
use crate::model::layout::Layout;
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::platform;

/// How long a command waits to write the index; it is a cache, so not for long.
const PATIENCE: Duration = Duration::from_secs(2);
/// The largest definition that is read, in bytes. A unit of ours has a few kilobytes.
const LARGEST: usize = 1 << 20;

/// The instances of a scope, and what went wrong in finding them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instances {
    /// The instances, in order of name.
    pub markers: Vec<Marker>,
    /// Sentences for people.
    pub notices: Vec<String>,
}

/// Finds the instances of a scope, and brings the index up to date where that is possible.
#[must_use]
pub fn instances(layout: &Layout) -> Instances {
    let mut notices = Vec::new();
    let known = read_index(layout, &mut notices);
    let scans = PlatformKind::ALL.map(|kind| (kind, scan(layout, kind)));
    for (kind, scan) in &scans {
        if let Scan::Failed(reason) = scan {
            notices.push(format!(
                "the {kind} instances can't be read, and the index is left as it is for them: {reason}"
            ));
        }
    }
    // Below one `MAINSTAY_ROOT` both scopes have the same index, and each leaves the other's part as it is.
    let (own, others): (Vec<Marker>, Vec<Marker>) = known
        .iter()
        .flat_map(|known| known.instances.iter().cloned())
        .partition(|marker| marker.scope == layout.scope);
    let found = Index { instances: own, ..Index::default() }.reconcile(&scans);
    let mut index = found.clone();
    index.instances.extend(others);
    index.instances.sort();
    // Nothing is written for a scope that mainstay has never been used in.
    if known.as_ref() != Some(&index)
        && !(known.is_none() && index.instances.is_empty())
        && let Err(error) = write_index(layout, &index)
    {
        notices.push(format!("the index could not be brought up to date: {error}"));
    }
    Instances { markers: found.instances, notices }
}

/// Finds one instance by its name, or gives all that there are. If the index says the same as the instance's
/// definition, nothing else has to be read; any doubt, and all definitions are.
pub fn find(layout: &Layout, name: &InstanceName) -> Result<(Marker, Vec<String>), Instances> {
    let direct = PlatformKind::ALL
        .into_iter()
        .find_map(|kind| definition(&layout.definition(name, kind), kind).ok().flatten())
        .filter(|marker| marker.name == *name && marker.scope == layout.scope);
    if let Some(marker) = direct
        && read_index(layout, &mut Vec::new()).is_some_and(|index| index.instances.contains(&marker))
    {
        return Ok((marker, Vec::new()));
    }
    let all = instances(layout);
    let found = all.markers.iter().find(|marker| marker.name == *name).cloned();
    found.map(|marker| (marker, all.notices.clone())).ok_or(all)
}

/// The markers in the definitions of one platform.
#[must_use]
pub fn scan(layout: &Layout, kind: PlatformKind) -> Scan {
    let found = match kind {
        PlatformKind::Systemd => units(layout),
        PlatformKind::Embedded => entries(layout),
    };
    match found {
        Ok(markers) => {
            Scan::Found(markers.into_iter().filter(|marker| marker.scope == layout.scope).collect())
        }
        Err(error) => {
            let source =
                std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
            Scan::Failed(format!("{error}{source}"))
        }
    }
}

fn units(layout: &Layout) -> Result<Vec<Marker>, files::FileError> {
    let mut markers = Vec::new();
    untrusted::each_text(layout.units(), ".service", LARGEST, |text| {
        markers.extend(platform::marker(PlatformKind::Systemd, text));
    })?;
    Ok(markers)
}

fn entries(layout: &Layout) -> Result<Vec<Marker>, files::FileError> {
    let names = files::list(layout.states())?.unwrap_or_default();
    let mut markers = Vec::new();
    for name in names.iter().filter(|name| !name.starts_with('.')) {
        markers
            .extend(definition(&layout.states().join(name).join("definition.json"), PlatformKind::Embedded)?);
    }
    Ok(markers)
}

/// The marker of a definition. A link (an alias, a masked unit) is no definition of its own, and a definition
/// that is not text is not ours.
fn definition(path: &Utf8Path, kind: PlatformKind) -> Result<Option<Marker>, files::FileError> {
    match untrusted::read(path, LARGEST as u64) {
        Ok(text) => Ok(text.and_then(|text| platform::marker(kind, &text))),
        Err(error) if error.source.kind() == std::io::ErrorKind::PermissionDenied => Err(error),
        Err(_) => Ok(None),
    }
}

fn read_index(layout: &Layout, notices: &mut Vec<String>) -> Option<Index> {
    let path = layout.index();
    match files::read(&path) {
        Ok(Some(text)) => match serde_json::from_str(&text) {
            Ok(index) => Some(index),
            Err(error) => {
                notices.push(format!("the index `{path}` was damaged and is made anew ({error})"));
                None
            }
        },
        Ok(None) => None,
        Err(error) => {
            notices.push(format!("the index can't be read: {error}"));
            None
        }
    }
}

fn write_index(layout: &Layout, index: &Index) -> Result<(), Box<dyn std::error::Error>> {
    let text = serde_json::to_string_pretty(index)? + "\n";
    lock::holding(&layout.index_lock(), PATIENCE, || -> Result<(), files::FileError> {
        if let Some(folder) = layout.index().parent() {
            files::create_folder(folder, 0o755, None)?;
        }
        files::write(&layout.index(), &text, 0o644, None)
    })??;
    Ok(())
}
