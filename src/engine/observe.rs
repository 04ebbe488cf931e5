//! Looking at an instance before deciding: files, links, trees, the service manager's word.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::failure::Failure;
use crate::engine::manager::State;
use crate::engine::{Context, drift, report, runtimes, target, trial};
use crate::host::files;
use crate::host::tree as processes;
use crate::model::launch::{self, LaunchSpec};
use crate::model::layout::Layout;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::model::receipt::Receipt;
use crate::model::status::Phase;
use crate::package::tree;
use crate::plan::observed::{Observed, Readiness, Running, Tree};
use crate::platform;

/// Looks at an instance, and at the given paths beside its own.
pub(crate) fn observe(
    context: &Context<'_>,
    of: &Marker,
    paths: &[Utf8PathBuf],
) -> Result<Observed, Failure> {
    let layout = &context.layout;
    let name = &of.name;
    let definition = files::read(&layout.definition(name, of.platform))?;
    let (socket, strange_socket) = socket(layout, of)?;
    let masked = is_masked(&layout.definition(name, of.platform), definition.as_deref())?;
    let taken = context.manager.taken(of).unwrap_or_default();
    let marker = definition.as_deref().and_then(|text| platform::marker(of.platform, text));
    let seen = context.manager.seen(of);
    let receipt = trial::receipt(layout, name)?;
    let running = match &seen {
        Ok(seen) if seen.state.runs() => Running::Yes(report::live(layout, name).map(|status| status.tree)),
        Ok(seen) if seen.remains => Running::Remains,
        Ok(_) => Running::No,
        // Where it was never installed there is nothing that a manager could run.
        Err(_) if definition.is_none() && receipt.is_none() => Running::No,
        Err(_) => Running::Unknown,
    };
    // A supervisor speaks also where its manager does not.
    let live = report::live(layout, name);
    let claimed = live.as_ref().map(|status| status.tree.clone());
    let asks_lingering = of.platform == PlatformKind::Systemd && of.scope == Scope::User;
    let mut present = BTreeSet::new();
    for path in paths {
        if files::facts(path)?.is_some() {
            present.insert(path.clone());
        }
    }
    let install = layout.install(name);
    let trees = trees(&install, of)?;
    let (compose, strange_compose) = compose(of)?;
    let outdated = live.as_ref().is_some_and(|status| {
        receipt.as_ref().is_some_and(|receipt| receipt.awaits_restart_of(status))
            || runs_another(status.supervisor.pid, &runtimes::program(layout, name))
    });
    let running_launch =
        live.as_ref().map(|status| status.launch.clone()).filter(|launch| !launch.is_empty());
    let (specs, spoiled) = look_at_specs(&layout.launches(name))?;
    let readiness = live.map_or(Readiness::Ready, |status| match status.phase {
        Phase::BackingOff => Readiness::Failing,
        Phase::Starting if status.failures > 0 => Readiness::Failing,
        Phase::Starting => Readiness::Coming,
        phase if phase.goes_down() => Readiness::Ending,
        _ => Readiness::Ready,
    });
    let told = report::read(layout, name).filter(|status| status.ever_ready == Some(false));
    let of_sockets = taken.sockets.as_ref().map(|sockets| sockets.drop_ins.clone());
    Ok(Observed {
        readiness,
        failed: seen.as_ref().is_ok_and(|seen| seen.state == State::Failed),
        outdated,
        anchored: marker.as_ref().is_some_and(target::anchored),
        other_platform: other_platform(layout, of)?,
        foreign: strange_compose.or(taken.definition),
        compose,
        container_launch: seen.as_ref().ok().and_then(|seen| seen.container.as_ref()?.launch.clone()),
        foreign_socket: strange_socket.or(taken.socket),
        masked,
        unmarked: marker.is_none() && !masked && receipt.is_some() && {
            // What is in the state folder is ours in any case.
            let program = layout.runtime_program(name);
            let starts_ours = |text: &str| text.contains(program.as_str());
            definition.as_deref().is_some_and(|text| of.platform.is_guarded() || starts_ours(text))
        },
        needs_reload: seen.as_ref().is_ok_and(|seen| seen.needs_reload),
        drop_ins: drift::drop_ins(
            seen.iter().flat_map(|seen| seen.drop_ins.clone()).chain(of_sockets.unwrap_or_default()),
        ),
        sockets: taken.sockets,
        enabled: seen.is_ok_and(|seen| seen.at_boot),
        receipt,
        lingering: asks_lingering.then(|| context.manager.lingering(&context.caller.name).ok()).flatten(),
        unproven: told.map(|status| status.launch),
        trial: trial::open(layout, name)?,
        link: files::read_pointer(&layout.current(name, &of.component))?,
        specs,
        spoiled,
        running_launch,
        runtime_gone: files::facts(&runtimes::program(layout, name))?.is_none(),
        runtime: files::read_link(&layout.runtime_link(name))?
            .and_then(|link| link.strip_prefix("../.runtime/").map(str::to_owned)),
        in_use: in_use(&install).into_iter().chain(claimed).collect(),
        definition,
        socket,
        marker,
        running,
        trees,
        present,
        // The rest is looked at by those who need it: drift, data, references, services for development.
        ..Observed::default()
    })
}

/// The versions that are unpacked or marked.
fn trees(install: &Utf8Path, of: &Marker) -> Result<Vec<Tree>, Failure> {
    let tree = |found: tree::Tree| Tree {
        name: crate::model::launch::tree_name(&of.component, &found.version),
        version: found.version,
        whole: found.complete.map(|complete| complete.digest),
    };
    Ok(tree::versions(install, &of.component)?.into_iter().map(tree).collect())
}

/// Whether a process runs another program than this, as far as that can be known.
fn runs_another(pid: u32, program: &Utf8Path) -> bool {
    processes::runs_file(pid, program) == Some(false)
}

/// What has systemd hold the sockets: its text if it is ours, else where it stands.
fn socket(layout: &Layout, of: &Marker) -> Result<(Option<String>, Option<String>), Failure> {
    if of.platform != PlatformKind::Systemd {
        return Ok((None, None));
    }
    let path = layout.socket_definition(&of.name);
    let Some(text) = files::read(&path)? else { return Ok((None, None)) };
    if is_masked(&path, Some(&text))? {
        return Ok((None, None));
    }
    let marker = platform::marker(of.platform, &text);
    let is_ours = marker.is_some_and(|marker| marker.name == of.name && marker.scope == of.scope);
    Ok(if is_ours { (Some(text), None) } else { (None, Some(path.into_string())) })
}

/// What Compose reads in the deploy folder: its text if it is ours, else where it stands.
fn compose(of: &Marker) -> Result<(Option<String>, Option<String>), Failure> {
    if of.platform != PlatformKind::Compose {
        return Ok((None, None));
    }
    let path = of.folder.join(platform::compose::FILE_NAME);
    let Some(text) = files::read(&path)? else { return Ok((None, None)) };
    let is_ours = platform::compose::text::is_of(&text, of.name.as_str(), &of.folder);
    Ok(if is_ours { (Some(text), None) } else { (None, Some(path.into_string())) })
}

/// The other platform on which a definition of ours has this name.
fn other_platform(layout: &Layout, of: &Marker) -> Result<Option<PlatformKind>, Failure> {
    for kind in PlatformKind::ALL.into_iter().filter(|kind| *kind != of.platform) {
        let text = files::read(&layout.definition(&of.name, kind))?;
        let marker = text.and_then(|text| platform::marker(kind, &text));
        if marker.is_some_and(|marker| marker.name == of.name && marker.scope == of.scope) {
            return Ok(Some(kind));
        }
    }
    Ok(None)
}

/// The receipt of an instance, if there is one.
pub(crate) fn read_receipt(path: &Utf8Path) -> Result<Option<Receipt>, Failure> {
    let Some(text) = files::read(path)? else { return Ok(None) };
    let damaged =
        |error: serde_json::Error| Failure::Damaged { path: path.to_owned(), reason: error.to_string() };
    serde_json::from_str(&text).map(Some).map_err(damaged)
}

/// Whether a unit was disabled for good (`systemctl mask`).
fn is_masked(path: &Utf8Path, text: Option<&str>) -> Result<bool, Failure> {
    Ok(text.is_some_and(|text| text.trim().is_empty())
        || files::read_link(path)?.as_deref() == Some("/dev/null"))
}

type Specs = BTreeMap<String, LaunchSpec>;
type Texts = BTreeMap<String, String>;

/// The launch specs that can be read, and the texts of those that can't, which nobody can start. One of a newer format
/// is not ours to judge.
fn look_at_specs(folder: &Utf8Path) -> Result<(Specs, Texts), Failure> {
    let (mut specs, mut spoiled) = (BTreeMap::new(), BTreeMap::new());
    for name in files::list(folder)?.unwrap_or_default() {
        let Some(tree) = name.strip_suffix(".json") else { continue };
        let path = folder.join(&name);
        let Some(text) = files::read(&path)? else { continue };
        match serde_json::from_str::<LaunchSpec>(&text) {
            Ok(spec) => {
                specs.insert(tree.to_owned(), spec);
            }
            Err(error) => {
                let format = serde_json::from_str::<serde_json::Value>(&text).ok();
                let format = format.and_then(|value| value.get("format")?.as_u64());
                if format.is_some_and(|format| format > u64::from(launch::FORMAT)) {
                    return Err(Failure::Damaged { path, reason: error.to_string() });
                }
                spoiled.insert(tree.to_owned(), text);
            }
        }
    }
    Ok((specs, spoiled))
}

/// The launch specs of an instance, by tree.
pub(crate) fn read_specs(folder: &Utf8Path) -> Result<BTreeMap<String, LaunchSpec>, Failure> {
    let mut specs = BTreeMap::new();
    for name in files::list(folder)?.unwrap_or_default() {
        let Some(tree) = name.strip_suffix(".json") else { continue };
        let path = folder.join(&name);
        if let Some(text) = files::read(&path)? {
            let damaged = |error: serde_json::Error| Failure::Damaged { path, reason: error.to_string() };
            specs.insert(tree.to_owned(), serde_json::from_str(&text).map_err(damaged)?);
        }
    }
    Ok(specs)
}

/// The trees that a process runs from, stands in or was given to run: a script is an argument of its
/// interpreter. Of another account's processes a plain user can't know;
/// they do not run a user's services. Of one's own, what can't be known counts as all.
fn in_use(install: &Utf8Path) -> BTreeSet<String> {
    let mut trees = BTreeSet::new();
    let prefix = format!("{install}/");
    for process in processes::all() {
        let pid = process.identity.pid;
        let places = [processes::program(pid), processes::folder(pid)].into_iter().flatten();
        let places = places.filter_map(|place| place.into_os_string().into_string().ok());
        for named in places.chain(processes::arguments(pid).unwrap_or_default()) {
            if let Some(rest) = named.strip_prefix(&prefix) {
                trees.extend(rest.split('/').next().map(str::to_owned));
            }
        }
    }
    trees
}
