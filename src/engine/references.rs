//! Who may still need a version tree: asked before any of them is removed. What can't be found out is said, and
//! counts as all of them.

use std::collections::BTreeSet;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::failure::Failure;
use crate::engine::holders::{Role, holders};
use crate::engine::target::{Choice, TargetError, manifest_in};
use crate::engine::{Context, report, runtimes, switch};
use crate::host::files::{self, FileError, Kind};
use crate::host::{identity, tree, usage};
use crate::model::launch::tree_name;
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::package;
use crate::plan::observed::Observed;
use crate::plan::reference::{Fact, Reference, Referrer};

/// What was fetched in part is gone on with for so long; then it goes.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// Collects every reference to a tree of an instance, and what lies beside the trees and may go.
pub(crate) fn collect(context: &Context<'_>, of: &Marker, observed: &mut Observed) -> Result<(), Failure> {
    let layout = &context.layout;
    let install = layout.install(&of.name);
    let trees: Vec<String> = observed.trees.iter().map(|tree| tree.name.clone()).collect();
    let facts = [
        (Referrer::Disk, readable(layout, of, &trees)),
        (Referrer::Process, running(layout, of)),
        (Referrer::Supervisor, claim(context, of)),
        (Referrer::Manager, manager(context, of, observed)),
        (Referrer::Switch, switched(layout, of)),
        (Referrer::Operation, journalled(layout, of, &trees)),
        (Referrer::Link, linked(&install, &install, &current(layout, of))),
        (Referrer::Instance, others(layout, of)),
        (Referrer::Pins, pinned(of)),
    ];
    observed.references = facts.into_iter().map(|(by, trees)| Reference { by, trees }).collect();
    let names = files::list(&layout.snapshots(&of.name))?.unwrap_or_default();
    // What begins with a dot is being made or removed.
    observed.snapshots = names.into_iter().filter(|name| !name.starts_with('.')).collect();
    observed.stale_downloads = stale(&layout.downloads(&of.name))?;
    observed.unused_runtimes = runtimes::unused(context, &of.name)?;
    Ok(())
}

fn current(layout: &Layout, of: &Marker) -> Utf8PathBuf {
    layout.current(&of.name, &of.component)
}

/// A failure with what the system said, as one sentence.
fn told(error: &FileError) -> String {
    format!("{error}: {}", error.source)
}

/// Whether it can be told of each tree that it is whole.
fn readable(layout: &Layout, of: &Marker, trees: &[String]) -> Fact {
    let looked = trees.iter().find_map(|name| package::tree::look(&layout.tree(&of.name, name)).err());
    match looked {
        Some(error) => Fact::Unreadable(match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        }),
        None => Fact::None,
    }
}

/// What processes use. Of one that can't be looked at, its words count, and what the supervisor says that it started;
/// where it is the instance's and nobody answers for it, it may use anything.
fn running(layout: &Layout, of: &Marker) -> Fact {
    let usage = match usage::of_folder(&layout.install(&of.name)) {
        Ok(usage) => usage,
        Err(error) => return Fact::Unreadable(error.to_string()),
    };
    if !usage.hidden.is_empty() {
        let started = report::live(layout, &of.name).and_then(|status| status.program);
        let started = started.filter(|program| identity::runs(*program)).map(|program| program.pid);
        let below = started.map(|root| tree::below(root, &[], &tree::all())).unwrap_or_default();
        let known: BTreeSet<u32> = below.iter().map(|process| process.identity.pid).chain(started).collect();
        let unknown = holders(layout, of).into_iter().find(|holder| {
            let pid = holder.identity.pid;
            holder.role == Role::Program && usage.hidden.contains(&pid) && !known.contains(&pid)
        });
        if let Some(unknown) = unknown {
            return Fact::Unreadable(format!("{unknown}, and what it uses is hidden from this account"));
        }
    }
    Fact::of(usage.names)
}

/// What the supervisor runs, if one lives.
fn claim(context: &Context<'_>, of: &Marker) -> Fact {
    match report::look(&context.layout, &of.name) {
        Ok(Some(status)) if identity::runs(status.supervisor) => Fact::of([status.tree]),
        Ok(_) => Fact::None,
        Err(reason) => Fact::Unreadable(reason),
    }
}

fn manager(context: &Context<'_>, of: &Marker, observed: &Observed) -> Fact {
    match context.manager.seen(of) {
        Err(error) if observed.definition.is_some() => Fact::Unreadable(error.to_string()),
        _ => Fact::None,
    }
}

fn switched(layout: &Layout, of: &Marker) -> Fact {
    match switch::read(layout, &of.name) {
        Ok(Some(switch)) => {
            let trees = [switch.from.tree(), switch.to.tree()].into_iter();
            Fact::of(trees.chain(switch.data.restore))
        }
        Ok(None) => Fact::None,
        Err(error) => Fact::Unreadable(error.to_string()),
    }
}

/// The trees whose names stand in the journal, whatever for.
fn journalled(layout: &Layout, of: &Marker, trees: &[String]) -> Fact {
    match files::read(&layout.operation(&of.name)) {
        Ok(Some(text)) => Fact::of(trees.iter().filter(|tree| text.contains(*tree)).cloned()),
        Ok(None) => Fact::None,
        Err(error) => Fact::Unreadable(told(&error)),
    }
}

/// The trees of one folder to which the links of another one lead, less one of them.
fn linked(install: &Utf8Path, folder: &Utf8Path, less: &Utf8Path) -> Fact {
    let look = || -> Result<BTreeSet<String>, FileError> {
        let mut trees = BTreeSet::new();
        for name in files::list(folder)?.unwrap_or_default() {
            let path = folder.join(name);
            if path != less && files::facts(&path)?.is_some_and(|facts| facts.kind == Kind::Link) {
                let target = files::read_link(&path)?.unwrap_or_default();
                trees.extend(tree_at(install, folder, &target));
            }
        }
        Ok(trees)
    };
    match look() {
        Ok(trees) => Fact::of(trees),
        Err(error) => Fact::Unreadable(told(&error)),
    }
}

/// The entry of the install folder at or below which a link leads that stands in a folder.
fn tree_at(install: &Utf8Path, folder: &Utf8Path, target: &str) -> Option<String> {
    let mut path = Utf8PathBuf::new();
    for part in folder.join(target).components() {
        match part.as_str() {
            "." => {}
            ".." => {
                path.pop();
            }
            part => path.push(part),
        }
    }
    Some(path.strip_prefix(install).ok()?.components().next()?.to_string())
}

/// The trees that links and launches of other instances name.
fn others(layout: &Layout, of: &Marker) -> Fact {
    let install = layout.install(&of.name);
    let mut trees = BTreeSet::new();
    let folders = [install.parent(), Some(layout.states())];
    for folder in folders.into_iter().flatten() {
        let names = match files::list(folder) {
            Ok(names) => names.unwrap_or_default(),
            Err(error) => return Fact::Unreadable(told(&error)),
        };
        for name in names.iter().filter(|name| *name != of.name.as_str() && !name.starts_with('.')) {
            let of_it = folder.join(name);
            let is_folder =
                files::facts(&of_it).ok().flatten().is_some_and(|facts| facts.kind == Kind::Folder);
            if !is_folder {
                continue;
            }
            let links = linked(&install, &of_it, Utf8Path::new(""));
            for fact in [links, launched(&install, &of_it.join("launch"))] {
                match fact {
                    Fact::Known(found) => trees.extend(found),
                    Fact::None => {}
                    Fact::Unreadable(reason) => return Fact::Unreadable(reason),
                }
            }
        }
    }
    Fact::of(trees)
}

/// The trees that the launches in a folder name by their paths.
fn launched(install: &Utf8Path, folder: &Utf8Path) -> Fact {
    let look = || -> Result<BTreeSet<String>, FileError> {
        let mut trees = BTreeSet::new();
        for name in files::list(folder)?.unwrap_or_default() {
            let text = files::read(&folder.join(name))?.unwrap_or_default();
            usage::names_below(install, &text, &mut trees);
        }
        Ok(trees)
    };
    match look() {
        Ok(trees) => Fact::of(trees),
        Err(error) => Fact::Unreadable(told(&error)),
    }
}

/// The pins of the manifest as it is now: they count before they are applied.
fn pinned(of: &Marker) -> Fact {
    let choice =
        Choice { name: Some(of.name.clone()), component: Some(of.component.clone()), ..Choice::default() };
    match manifest_in(&of.folder, &choice) {
        Ok(declared) => {
            let pins = declared.manifest.upgrade.pins.iter();
            Fact::of(pins.map(|version| tree_name(&of.component, version)))
        }
        Err(Failure::Target(TargetError::NoManifest(_))) => Fact::None,
        Err(error) => Fact::Unreadable(format!("the manifest can't be read: {error}")),
    }
}

/// What was fetched in part, and left so for long.
fn stale(folder: &Utf8Path) -> Result<Vec<String>, Failure> {
    let names = files::list(folder)?.unwrap_or_default();
    let is_old = |name: &String| {
        let changed = files::changed(&folder.join(name));
        changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age > STALE)
    };
    Ok(names.into_iter().filter(is_old).collect())
}
