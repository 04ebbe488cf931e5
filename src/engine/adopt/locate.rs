//! Finding what is to be adopted, with all the files that make it what it is.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::{AdoptError, AdoptRequest, Found, Kind};
use crate::engine::Context;
use crate::engine::container::adoption;
use crate::engine::failure::Failure;
use crate::engine::manager::Seen;
use crate::host::files::{self, Kind as FileKind};
use crate::host::{account, environment};
use crate::model::adoption::{Before, FORMAT};
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::model::name::{ComponentName, InstanceName};
use crate::model::owner::Owner;
use crate::model::trial::DefinitionBefore;
use crate::plan::apply::adopt::Adopting;
use crate::plan::refusal::Refusal;
use crate::platform;
use crate::platform::adoption::Draft;
use crate::platform::calls;
use crate::platform::systemd::reader::{self, UnitFacts, UnitSource, UnitText};

mod list;

/// How the file is called that says how the old service is stopped, as long as the adoption lasts.
const WAY_OUT: &str = "99-mainstay-adoption.conf";
/// What stands in the place of a file beside a unit that belongs to somebody else.
const MASK: &str = "# What this file's namesake says stands in the manifest of mainstay now.\n";

/// Finds and reads it.
pub(super) fn find(context: &Context<'_>, request: &AdoptRequest) -> Result<Found, Failure> {
    match &request.kind {
        Kind::Unit(unit) => unit_of(context, request, unit),
        Kind::Plist(path) => list::read(context, request, &environment::working_folder()?.join(path)),
        Kind::Container { file, service } => {
            let file = environment::working_folder()?.join(file);
            if request.no_start {
                return Err(Failure::Usage(
                    "a container can't go on while its file is put away: leave `--no-start` out".to_owned(),
                ));
            }
            let (service, draft, container) = adoption::read(&file, service.as_deref())?;
            Ok(Found {
                name: named(&service),
                service: format!("{}, service {service}", container.take.file),
                draft,
                definition: Some((container.take.file.clone(), container.text.clone())),
                adopting: None,
                container: Some(container),
            })
        }
    }
}

fn named(stem: &str) -> Result<InstanceName, AdoptError> {
    let refused = |reason: String| AdoptError::Name { stem: stem.to_owned(), reason };
    InstanceName::new(stem).map_err(|error| refused(error.to_string()))
}

fn unit_of(context: &Context<'_>, request: &AdoptRequest, typed: &str) -> Result<Found, Failure> {
    if !typed.contains('/') {
        let unit = if typed.contains('.') { typed.to_owned() } else { format!("{typed}.service") };
        let unit = if unit.ends_with(".service") { unit } else { format!("{unit}.service") };
        return known(context, request, &unit);
    }
    let path = environment::working_folder()?.join(typed);
    let unit = path.file_name().unwrap_or_default().to_owned();
    let canonical = files::canonical(&path).unwrap_or_else(|_| path.clone());
    if let Ok(Some(seen)) = seen(context, &unit)
        && seen.fragment.and_then(|fragment| files::canonical(&fragment).ok()) == Some(canonical)
    {
        return known(context, request, &unit);
    }
    if !unit.ends_with(".service") || files::facts(&path)?.is_none() {
        return Err(AdoptError::NoUnit { unit: path.into_string() }.into());
    }
    let mut texts = vec![text(&path, false)?];
    for beside in drop_ins_in(&path.with_file_name(format!("{unit}.d")))? {
        texts.push(text(&beside, true)?);
    }
    let source = source(context, &unit, texts)?;
    let stem = unit.trim_end_matches(".service").to_owned();
    Ok(Found {
        service: path.into_string(),
        name: named(&stem),
        draft: read(&source)?,
        definition: source.files.first().map(|file| (file.path.clone(), file.text.clone())),
        adopting: None,
        container: None,
    })
}

/// A unit that its manager knows.
fn known(context: &Context<'_>, request: &AdoptRequest, unit: &str) -> Result<Found, Failure> {
    let none = || AdoptError::NoUnit { unit: unit.to_owned() };
    let name = named(unit.trim_end_matches(".service"))?;
    if let Some(other) = request.name.as_ref().filter(|other| **other != name) {
        return Err(Failure::Usage(format!(
            "a unit that runs is adopted under its own name, `{name}`, and not as `{other}`: so nothing that names it is \
             left without it"
        )));
    }
    let seen = seen(context, unit)?.ok_or_else(none)?;
    let fragment = seen.fragment.clone().ok_or_else(none)?;
    let own = context.layout.definition(&name, PlatformKind::Systemd);
    let marker_of = |text: String| platform::marker(PlatformKind::Systemd, &text);
    if let Some(ours) = files::read(&fragment)?.and_then(marker_of) {
        return Err(Refusal::AlreadyOurs { name, folder: ours.folder }.into());
    }
    let mut texts = vec![text(&fragment, false)?];
    let mut notices = Vec::new();
    for path in &seen.drop_ins {
        if path.parent().and_then(Utf8Path::file_name) == Some(&format!("{unit}.d")) {
            texts.push(text(path, true)?);
        } else {
            notices.push(format!("`{path}` is of more services than this one, and goes on counting for it"));
        }
    }
    let source = source(context, unit, texts)?;
    let mut draft = read(&source)?;
    draft.notices.extend(notices);
    // What stands in no list of what starts with the host was started by hand or by another unit.
    draft.service.boot = (!seen.at_boot).then_some(false);
    let is_own = fragment == own;
    if is_own && files::facts(&own)?.is_some_and(|facts| facts.kind != FileKind::File) {
        return Err(AdoptError::Link { path: own }.into());
    }
    if !is_own {
        draft.notices.push(format!(
            "`{fragment}` stays as it is: `{own}` takes its place, and `mainstay uninstall` gives it back"
        ));
    }
    let old = if is_own { files::read(&own)? } else { None };
    let mut before = vec![as_it_is(context, &own, old)?];
    let mut moved = Vec::new();
    for file in source.files.iter().filter(|file| file.is_drop_in && file.moves()) {
        let is_ours = [context.layout.units().as_str(), "/run/"]
            .iter()
            .any(|folder| file.path.as_str().starts_with(folder));
        if is_ours {
            before.push(as_it_is(context, &file.path, Some(file.text.clone()))?);
            moved.push((file.path.clone(), None));
        } else {
            let called = file.path.file_name().unwrap_or_default();
            let path = context.layout.units().join(format!("{unit}.d")).join(called);
            before.push(DefinitionBefore::plain(path.clone(), None));
            moved.push((path, Some(MASK.to_owned())));
        }
    }
    let of = marker(context, &name)?;
    let (reread, back) = calls::way_back(&of);
    let before = Before {
        format: FORMAT,
        service: unit.to_owned(),
        files: before,
        reread,
        back,
        enabled: seen.at_boot,
        ran: seen.state.runs(),
        aside: None,
    };
    let way_out = reader::way_out(&source).map(|text| {
        let manager = if context.layout.scope == Scope::System { "system" } else { "user" };
        let folder = source.facts.runtime_folder();
        (Utf8PathBuf::from(format!("{folder}/systemd/{manager}/{unit}.d/{WAY_OUT}")), text)
    });
    Ok(Found {
        service: unit.to_owned(),
        name: Ok(name),
        draft,
        definition: source.files.first().map(|file| (file.path.clone(), file.text.clone())),
        adopting: Some(Adopting { before, moved, way_out, strange: None }),
        container: None,
    })
}

/// Reads a unit. What stands in a file that not everybody may read stays so.
fn read(source: &UnitSource) -> Result<Draft, Failure> {
    let mut draft = reader::read(source);
    for file in source.files.iter().filter(|file| file.moves()) {
        if files::facts(&file.path)?.is_some_and(|facts| facts.mode & 0o004 == 0) {
            draft.private = draft.service.environment.keys().cloned().collect();
            draft.notices.push(format!(
                "not everybody may read `{}`: its variables go into a file of their own, but all else of it stands in the                  manifest, which others can read",
                file.path
            ));
        }
    }
    Ok(draft)
}

/// A file with its rights, to bring it back with them.
fn as_it_is(
    context: &Context<'_>,
    path: &Utf8Path,
    text: Option<String>,
) -> Result<DefinitionBefore, Failure> {
    let facts = files::facts(path)?.filter(|facts| facts.kind == FileKind::File && text.is_some());
    let caller = &context.caller;
    // Nobody but root can give a file away.
    let owner = facts.filter(|facts| caller.is_root() && (facts.uid, facts.gid) != (caller.uid, caller.gid));
    let owner = owner.map(|facts| Owner { name: String::new(), uid: facts.uid, gid: facts.gid });
    Ok(DefinitionBefore { path: path.to_owned(), text, mode: facts.map(|facts| facts.mode), owner })
}

fn source(context: &Context<'_>, unit: &str, texts: Vec<UnitText>) -> Result<UnitSource, Failure> {
    let caller = &context.caller;
    let stem = unit.trim_end_matches(".service");
    let name = InstanceName::new(stem).or_else(|_| InstanceName::new("unit"));
    let run = name.map(|name| context.layout.run(&name, PlatformKind::Systemd)).unwrap_or_default();
    let mut source = UnitSource {
        facts: UnitFacts {
            unit: unit.to_owned(),
            scope: context.layout.scope,
            account: caller.name.clone(),
            uid: caller.uid,
            home: account::home(caller.uid).unwrap_or_else(|| "/".into()),
        },
        files: texts,
        environment_files: BTreeMap::new(),
        run,
    };
    for path in source.environment_files() {
        let text = files::read(&path)?;
        source.environment_files.insert(path, text);
    }
    Ok(source)
}

/// How its manager sees a unit; nothing where there is none of that name.
fn seen(context: &Context<'_>, unit: &str) -> Result<Option<Seen>, Failure> {
    let Ok(name) = named(unit.trim_end_matches(".service")) else { return Ok(None) };
    let seen = context.manager.seen(&marker(context, &name)?).map_err(Failure::Call)?;
    Ok(Some(seen).filter(|seen| seen.fragment.is_some()))
}

/// Who the instance will be, as far as its manager has to know.
fn marker(context: &Context<'_>, name: &InstanceName) -> Result<Marker, Failure> {
    Ok(Marker {
        name: name.clone(),
        component: ComponentName::new(name.as_str()).map_err(|error| Failure::Usage(error.to_string()))?,
        platform: PlatformKind::Systemd,
        scope: context.layout.scope,
        folder: Utf8PathBuf::new(),
    })
}

fn text(path: &Utf8Path, is_drop_in: bool) -> Result<UnitText, Failure> {
    let unreadable =
        |reason: &str| AdoptError::Unreadable { path: path.to_owned(), reason: reason.to_owned() };
    let text = files::read(path)?.ok_or_else(|| unreadable("it is not there"))?;
    Ok(UnitText { path: path.to_owned(), text, is_drop_in })
}

fn drop_ins_in(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Failure> {
    let mut names = files::list(folder)?.unwrap_or_default();
    names.retain(|name| Utf8Path::new(name).extension() == Some("conf"));
    names.sort();
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}
