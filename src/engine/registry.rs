//! Which instances a scope has: read from the markers in their definitions, and kept in the index only to
//! be quick and to remember what a failed scan could not show.

use std::time::Duration;

use camino::Utf8Path;

use crate::host::{environment, files, lock, service, untrusted};
use crate::model::index::{self, Index, Scan};
use crate::model::json;
use crate::model::layout::Layout;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::model::operating_system::OperatingSystem;
use crate::model::receipt::Receipt;
use crate::platform;
use crate::platform::windows::description;

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
    let found = look(layout);
    if !found.is_news() {
        return found.of_scope(layout);
    }
    let updated = lock::holding(&layout.index_lock(), PATIENCE, || {
        // Where another command has written meanwhile, what it has installed must not be lost.
        let unchanged = files::read(&layout.index()).is_ok_and(|text| text == found.text);
        let found = if unchanged { found } else { look(layout) };
        let written = if found.is_news() { write_index(layout, &found.index) } else { Ok(()) };
        (found, written)
    });
    let (mut found, written) = match updated {
        Ok((found, written)) => (found, written.map_err(|error| describe(&error))),
        Err(error) => (look(layout), Err(describe(&error))),
    };
    if let Err(reason) = written {
        found.notices.push(format!("the index could not be brought up to date: {reason}"));
    }
    found.of_scope(layout)
}

/// What the markers and the index say together.
struct Found {
    text: Option<String>,
    known: Option<Index>,
    index: Index,
    notices: Vec<String>,
}

impl Found {
    /// Whether the index is to be written. Nothing is for a scope that mainstay has never been used in.
    fn is_news(&self) -> bool {
        self.known.as_ref() != Some(&self.index) && !(self.known.is_none() && self.index.instances.is_empty())
    }

    /// The instances of a scope, those too of which only the receipt tells. They never stand in the index, which is
    /// of markers alone.
    fn of_scope(mut self, layout: &Layout) -> Instances {
        self.index.instances.retain(|marker| marker.scope == layout.scope);
        let undefined = undefined(layout, &self.index.instances);
        self.index.instances.extend(undefined);
        self.index.instances.sort();
        Instances { markers: self.index.instances, notices: self.notices }
    }
}

fn look(layout: &Layout) -> Found {
    let mut notices = Vec::new();
    let (text, known) = read_index(layout, &mut notices);
    let entries = entries(layout);
    let scans = PlatformKind::ALL.map(|kind| (kind, scan_with(layout, kind, &entries)));
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
    let mut index = Index { instances: own, ..Index::default() }.reconcile(&scans);
    index.instances.extend(others);
    index.instances.sort();
    Found { text, known, index, notices }
}

/// An error with its cause, in one line.
fn describe(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    format!("{error}{cause}")
}

/// Finds one instance by its name, or gives all that there are. If the index says the same as the instance's
/// definition, nothing else has to be read; any doubt, and all definitions are.
pub fn find(layout: &Layout, name: &InstanceName) -> Result<(Marker, Vec<String>), Instances> {
    let direct = PlatformKind::ALL
        .into_iter()
        .find_map(|kind| definition(&layout.definition(name, kind), &[kind]).ok().flatten())
        .filter(|marker| marker.name == *name && marker.scope == layout.scope);
    if let Some(marker) = direct
        && is_indexed(layout, &marker)
    {
        return Ok((marker, Vec::new()));
    }
    let all = instances(layout);
    let found = all.markers.iter().find(|marker| marker.name == *name).cloned();
    found.map(|marker| (marker, all.notices.clone())).ok_or(all)
}

/// Whether an instance has a definition that says that it is its own.
#[must_use]
pub fn is_defined(layout: &Layout, of: &Marker) -> bool {
    let marker = definition(&layout.definition(&of.name, of.platform), &[of.platform]).ok().flatten();
    marker.is_some_and(|marker| marker.name == of.name && marker.scope == of.scope)
}

/// The instances that are installed by their receipts, and by no definition: it is gone, or says no longer whose it is.
fn undefined(layout: &Layout, defined: &[Marker]) -> Vec<Marker> {
    let names = files::list(layout.states()).ok().flatten().unwrap_or_default();
    let of_receipt = |name: &String| {
        let name: InstanceName = name.parse().ok()?;
        if defined.iter().any(|marker| marker.name == name) {
            return None;
        }
        let text = untrusted::read(&layout.receipt(&name), LARGEST as u64).ok()??;
        let receipt: Receipt = serde_json::from_str(&text).ok()?;
        (receipt.name == name && receipt.scope == layout.scope).then(|| receipt.marker())
    };
    names.iter().filter_map(of_receipt).collect()
}

/// Whether the index knows an instance: it holds a marker to the letter, as it is written there. To look for its text is quicker than
/// to read a thousand others, and what is wrong elsewhere in the index is found by whoever needs it.
#[must_use]
pub fn is_indexed(layout: &Layout, marker: &Marker) -> bool {
    let one = Index { format: index::FORMAT, instances: vec![marker.clone()] };
    let (Ok(Some(text)), Ok(like)) = (files::read(&layout.index()), serde_json::to_string_pretty(&one))
    else {
        return false;
    };
    let (Some(from), Some(to)) = (like.find("    {"), like.rfind("    }")) else { return false };
    text.ends_with("]\n}\n") && text.contains(&like[from..to])
}

/// The markers in the definitions of one platform.
#[must_use]
pub fn scan(layout: &Layout, kind: PlatformKind) -> Scan {
    match kind {
        PlatformKind::Systemd | PlatformKind::Launchd => scan_with(layout, kind, &Ok(Vec::new())),
        _ => scan_with(layout, kind, &entries(layout)),
    }
}

/// The same, where the entries that several platforms keep at one place have been read.
fn scan_with(layout: &Layout, kind: PlatformKind, entries: &Result<Vec<Marker>, files::FileError>) -> Scan {
    let found = match kind {
        PlatformKind::Systemd => units(layout),
        PlatformKind::Launchd => lists(layout),
        _ => {
            return match entries {
                Ok(markers) => {
                    let ours = |marker: &&Marker| marker.platform == kind && marker.scope == layout.scope;
                    Scan::Found(markers.iter().filter(ours).cloned().collect())
                }
                Err(error) => Scan::Failed(describe(error)),
            };
        }
    };
    match found {
        Ok(markers) => {
            Scan::Found(markers.into_iter().filter(|marker| marker.scope == layout.scope).collect())
        }
        Err(error) => Scan::Failed(describe(&error)),
    }
}

fn units(layout: &Layout) -> Result<Vec<Marker>, files::FileError> {
    let mut markers = Vec::new();
    untrusted::each_text(layout.units(), ".service", LARGEST, |text| {
        markers.extend(platform::marker(PlatformKind::Systemd, text));
    })?;
    Ok(markers)
}

fn lists(layout: &Layout) -> Result<Vec<Marker>, files::FileError> {
    let mut markers = Vec::new();
    untrusted::each_text(layout.property_lists(), ".plist", LARGEST, |text| {
        markers.extend(platform::marker(PlatformKind::Launchd, text));
    })?;
    Ok(markers)
}

/// The platforms whose entries stand in the state folder, under one name.
const OF_ENTRIES: [PlatformKind; 3] = [PlatformKind::Embedded, PlatformKind::Compose, PlatformKind::Windows];

/// The markers of all entries in the state folders: each is read once, whichever platform's it is.
fn entries(layout: &Layout) -> Result<Vec<Marker>, files::FileError> {
    let names = files::list(layout.states())?.unwrap_or_default();
    let has_tasks = environment::operating_system() == OperatingSystem::Windows;
    let mut markers = Vec::new();
    for name in names.iter().filter(|name| !name.starts_with('.')) {
        let folder = layout.states().join(name);
        markers.extend(definition(&folder.join("definition.json"), &OF_ENTRIES)?);
        if has_tasks {
            markers.extend(definition(&folder.join("task.xml"), &[PlatformKind::Task])?);
        }
    }
    if has_tasks {
        let lost = services(layout).filter(|found| markers.iter().all(|marker| marker.name != found.name));
        markers.extend(lost.collect::<Vec<_>>());
    }
    Ok(markers)
}

/// The markers in the descriptions of the services that Windows keeps: they tell of an instance whose files are lost. What
/// can't be asked adds nothing to what the files say.
fn services(layout: &Layout) -> impl Iterator<Item = Marker> {
    let described = match layout.scope {
        Scope::System => service::descriptions().unwrap_or_default(),
        Scope::User => Vec::new(),
    };
    described.into_iter().filter_map(|(name, description)| {
        let marker = description::read(&description).filter(|marker| marker.name.as_str() == name)?;
        let line = service::registration(&name).ok()??.command_line;
        is_of_root(&line, layout.root.as_deref()).then_some(marker)
    })
}

/// Whether a service is of a layout: where that was moved, its command line says to where.
fn is_of_root(line: &str, root: Option<&Utf8Path>) -> bool {
    match root {
        Some(root) => line.contains(" --root ") && line.contains(root.as_str()),
        None => !line.contains(" --root "),
    }
}

/// The marker of a definition. A link (an alias, a masked unit) is no definition of its own, and a definition
/// that is not text is not ours.
fn definition(path: &Utf8Path, kinds: &[PlatformKind]) -> Result<Option<Marker>, files::FileError> {
    match untrusted::read(path, LARGEST as u64) {
        Ok(text) => Ok(text.and_then(|text| kinds.iter().find_map(|kind| platform::marker(*kind, &text)))),
        Err(error) if error.source.kind() == std::io::ErrorKind::PermissionDenied => Err(error),
        Err(_) => Ok(None),
    }
}

/// The index as a text, and as what it says.
fn read_index(layout: &Layout, notices: &mut Vec<String>) -> (Option<String>, Option<Index>) {
    let path = layout.index();
    let text = match files::read(&path) {
        Ok(text) => text,
        Err(error) => {
            notices.push(format!("the index can't be read: {}", describe(&error)));
            None
        }
    };
    let index = text.as_deref().map(serde_json::from_str).transpose().unwrap_or_else(|error| {
        notices.push(format!("the index `{path}` was damaged and is made anew ({error})"));
        None
    });
    (text, index)
}

fn write_index(layout: &Layout, index: &Index) -> Result<(), files::FileError> {
    // An index holds only strings and numbers, which JSON can always express.
    let text = json::text(index);
    if let Some(folder) = layout.index().parent() {
        files::create_folder(folder, 0o755, None)?;
    }
    files::write(&layout.index(), &text, 0o644, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_of_the_layout_that_its_command_line_names() {
        let line = |rest: &str| {
            format!(r#""C:\Program Files\Mainstay\.runtime\a\mainstay.exe" run --name web --system{rest}"#)
        };
        let moved = Utf8Path::new(r"C:\elsewhere");
        assert!(is_of_root(&line(""), None) && !is_of_root(&line(""), Some(moved)));
        let there = line(r" --root C:\elsewhere");
        assert!(is_of_root(&there, Some(moved)) && !is_of_root(&there, None));
    }
}
