//! What is not as it was applied: the manifest, the files, the service manager and what runs, compared.

use crate::model::drift::{Drift, DriftKind};
use crate::model::launch::LaunchSpec;
use crate::model::layout::{label, socket_unit_name, unit_name};
use crate::model::manifest::{PlatformKind, Supervision};
use crate::model::receipt::Receipt;
use crate::plan::definition::{has_closed_sockets, lingering_is_missing};
use crate::plan::observed::{Observed, Running};
use crate::plan::wanted::Wanted;
use crate::platform;
use crate::platform::compose::text::is_untouched;

/// What is not as it was applied. Of an instance that is only about to be installed, nothing.
#[must_use]
pub(super) fn drift(wanted: &Wanted, observed: &Observed) -> Vec<Drift> {
    let mut found = Found(Vec::new());
    if observed.receipt.is_some() {
        definition(&mut found, wanted, observed);
        manager(&mut found, wanted, observed);
        sockets(&mut found, wanted, observed);
        launch(&mut found, wanted, observed);
        running(&mut found, wanted, observed);
    }
    found.0
}

struct Found(Vec<Drift>);

impl Found {
    fn add(&mut self, kind: DriftKind, object: impl Into<String>, mend: &str) {
        self.0.push(Drift { kind, object: object.into(), mend: mend.to_owned() });
    }
}

/// Whether what runs was started under a definition in which something else counts than in this one.
pub(super) fn runs_otherwise(definition: &str, wanted: &Wanted, observed: &Observed) -> bool {
    let before = observed.started.as_ref().and_then(|started| started.definition.as_ref());
    observed.runs()
        && before.is_some_and(|before| *before != platform::running_part(wanted.spec.platform, definition))
}

fn definition(found: &mut Found, wanted: &Wanted, observed: &Observed) {
    if let Some(compose) = &wanted.definition.compose {
        return of_container(found, wanted, observed, compose.path.as_str());
    }
    let path = wanted.definition.path.as_str();
    let anew = "writes it anew, and lets the service manager read it";
    match &observed.definition {
        _ if observed.masked => {
            found.add(DriftKind::Masked, path, "puts the definition in the place of the mask");
        }
        None => found.add(DriftKind::DefinitionMissing, path, anew),
        Some(_) if observed.unmarked => found.add(DriftKind::MarkerGone, path, anew),
        // What mainstay itself wrote, and would write otherwise now, is a change and no drift.
        Some(text) if !platform::untouched(wanted.spec.platform, text) => {
            found.add(DriftKind::DefinitionEdited, path, anew);
        }
        Some(_) => {}
    }
    if let Some(place) = &observed.foreign {
        found.add(
            DriftKind::Shadowed,
            place.as_str(),
            "writes the unit to where systemd looks first, and lets it be",
        );
    }
    if observed.runtime_gone && observed.runtime.is_some() {
        let path = wanted.layout.runtime_program(&wanted.spec.name);
        found.add(DriftKind::RuntimeMissing, path, "lays this one there");
    }
}

/// What Compose reads, and what its engine runs.
fn of_container(found: &mut Found, wanted: &Wanted, observed: &Observed, path: &str) {
    match &observed.compose {
        None => found.add(DriftKind::DefinitionMissing, path, "writes it anew"),
        Some(text) if !is_untouched(text) => {
            found.add(DriftKind::DefinitionEdited, path, "writes it anew, and has the container made by it");
        }
        Some(_) => {}
    }
    let other = |applied: &LaunchSpec| observed.container_launch.as_ref() != Some(&applied.identity());
    if observed.runs() && observed.applied.as_ref().is_some_and(other) {
        let name = wanted.spec.name.as_str();
        found.add(DriftKind::RunsOtherSettings, name, "has the container made anew");
    }
}

fn manager(found: &mut Found, wanted: &Wanted, observed: &Observed) {
    let spec = &wanted.spec;
    let unit = match spec.platform {
        PlatformKind::Systemd => unit_name(&spec.name),
        PlatformKind::Launchd => label(&spec.name),
        _ => return,
    };
    let defined = observed.definition.is_some() && !observed.masked;
    let of_sockets = observed.sockets.as_ref().is_some_and(|sockets| sockets.needs_reload);
    // launchd reads its own again at the next restart, which is no drift.
    if defined && spec.platform == PlatformKind::Systemd && (observed.needs_reload || of_sockets) {
        let unit = if observed.needs_reload { unit.clone() } else { socket_unit_name(&spec.name) };
        found.add(DriftKind::NotRead, unit, "lets systemd read its units again");
    }
    // Whether it starts at boot by what was applied: what the manifest changes is no drift.
    let boot = observed.applied.as_ref().map_or(spec.boot, |applied| applied.boot);
    if defined && observed.enabled != boot && observed.running != Running::Unknown {
        let (kind, mend) =
            if boot { (DriftKind::NotEnabled, "enables it") } else { (DriftKind::Enabled, "disables it") };
        found.add(kind, unit, mend);
    }
    if lingering_is_missing(wanted, observed) {
        found.add(DriftKind::LingerOff, wanted.caller.name.as_str(), "switches it on");
    }
}

fn sockets(found: &mut Found, wanted: &Wanted, observed: &Observed) {
    let spec = &wanted.spec;
    let applied = observed.applied.as_ref().is_some_and(|applied| applied.sockets == spec.sockets);
    if spec.platform != PlatformKind::Systemd || spec.sockets.is_empty() || !applied {
        return;
    }
    let (path, unit) = (wanted.layout.socket_definition(&spec.name), socket_unit_name(&spec.name));
    match &observed.socket {
        None => found.add(DriftKind::SocketMissing, path, "writes it anew, and opens the sockets"),
        Some(text) => {
            if !platform::untouched(spec.platform, text) {
                found.add(DriftKind::SocketEdited, path, "writes it anew, and opens the sockets");
            }
            if spec.boot && observed.sockets.as_ref().is_some_and(|seen| !seen.at_boot) {
                found.add(DriftKind::SocketNotEnabled, unit.clone(), "enables it");
            }
        }
    }
    if has_closed_sockets(wanted, observed) {
        found.add(DriftKind::SocketClosed, unit, "restarts the service with its sockets");
    }
}

fn launch(found: &mut Found, wanted: &Wanted, observed: &Observed) {
    let (layout, spec) = (&wanted.layout, &wanted.spec);
    let active = observed.receipt.as_ref().and_then(Receipt::active);
    // A program that stands where others put it has a new version whenever they say so.
    let Some(active) = active.filter(|_| wanted.standing.is_none()) else { return };
    let tree = LaunchSpec { version: active.version.clone(), ..spec.clone() }.tree();
    if observed.link.as_deref() != Some(tree.as_str()) {
        let link = layout.current(&spec.name, &spec.component);
        let object = match &observed.link {
            Some(target) => format!("{link} -> {target}"),
            None => link.to_string(),
        };
        found.add(DriftKind::LinkMoved, object, "points it at the active version again");
    }
    let path = layout.launch(&spec.name, &tree);
    // In a folder that was moved all settings that name it read otherwise, and nobody has changed them.
    let moved = observed.receipt.as_ref().is_some_and(|receipt| receipt.folder != spec.deploy);
    match (observed.specs.get(&tree), &observed.applied) {
        (None, _) => found.add(DriftKind::LaunchMissing, path, "writes them anew"),
        (Some(found_there), Some(applied)) if found_there != applied && !moved => {
            found.add(DriftKind::LaunchEdited, path, "writes them anew");
        }
        _ => {}
    }
}

fn running(found: &mut Found, wanted: &Wanted, observed: &Observed) {
    let spec = &wanted.spec;
    let active = observed.link.as_ref().and_then(|link| observed.specs.get(link));
    if !observed.runs() || spec.supervision != Supervision::Mainstay {
        return;
    }
    let restarts = "restarts the service";
    let (tree, name) = (spec.tree(), spec.name.as_str());
    let applied = observed.applied.as_ref();
    if let Some(running) = observed.running_tree().filter(|running| *running != tree && applied.is_some()) {
        found.add(DriftKind::RunsOtherVersion, running, restarts);
    } else if let (Some(running), Some(applied)) = (&observed.running_launch, applied)
        && *running != applied.identity()
    {
        found.add(DriftKind::RunsOtherSettings, name, restarts);
    }
    let is_change =
        |text: &str| platform::untouched(spec.platform, text) && !runs_otherwise(text, wanted, observed);
    if runs_otherwise(&wanted.definition.text, wanted, observed)
        && !observed.definition.as_deref().is_some_and(is_change)
    {
        found.add(DriftKind::RunsOtherDefinition, name, restarts);
    }
    let Some(started) = &observed.started else { return };
    let (Some(given), Some(active)) = (&observed.given, active) else { return };
    let mut names: Vec<&String> = started.variables.keys().chain(given.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for variable in names {
        if started.variables.get(variable) == given.get(variable) {
            continue;
        }
        let is_secret = active.secrets.keys().any(|secret| secret.as_str() == variable);
        let kind = if is_secret { DriftKind::SecretChanged } else { DriftKind::EnvironmentChanged };
        found.add(kind, variable.as_str(), restarts);
    }
}
