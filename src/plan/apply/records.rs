//! What is written down of an operation: the manifest, the receipt, the history.

use super::write;
use crate::model::history::{Action, Event};
use crate::model::provenance::Provenance;
use crate::model::public_key::PublicKey;
use crate::model::receipt::{self, Activation, Receipt};
use crate::plan::definition::lingering_is_missing;
use crate::plan::observed::Observed;
use crate::plan::step::{Operation, Plan, Planned, Step, Undo};
use crate::plan::wanted::Wanted;
use crate::platform::running_part;

/// The manifest, the receipt and the history: written when all else stands, and only if something changed.
pub(super) fn records(plan: &mut Plan, operation: Operation, wanted: &Wanted, observed: &Observed) {
    manifest(plan, wanted);
    receipt(plan, operation, wanted, observed);
}

/// The manifest, if it is to say something else.
pub(super) fn manifest(plan: &mut Plan, wanted: &Wanted) {
    let manifest = &wanted.manifest;
    if manifest.on_disk.as_deref() != Some(manifest.text.as_str()) {
        let (before, after) = (manifest.on_disk.clone(), Some(manifest.text.clone()));
        let edit = |before: Option<String>, after: Option<String>| Step::Edit {
            path: manifest.path.clone(),
            before,
            after,
            mode: 0o644,
            rights: wanted.owner.clone(),
            needed: false,
        };
        let mut step = edit(before.clone(), after.clone());
        if let Step::Edit { needed, .. } = &mut step {
            *needed = manifest.brought;
        }
        plan.push(step, Undo::step(edit(after, before)));
    }
}

/// The receipt and the history.
pub(super) fn receipt(plan: &mut Plan, operation: Operation, wanted: &Wanted, observed: &Observed) {
    let (layout, spec) = (&wanted.layout, &wanted.spec);
    let manifest = &wanted.manifest;
    let before = observed.receipt.as_ref();
    let from = before.and_then(Receipt::active).map(|activation| activation.version.clone());
    let receipt = Receipt {
        format: receipt::FORMAT,
        name: spec.name.clone(),
        component: spec.component.clone(),
        platform: spec.platform,
        scope: spec.scope,
        folder: spec.deploy.clone(),
        activations: activations(operation, wanted, observed),
        manifest: manifest.text.clone(),
        lingering_by_us: before.is_some_and(|receipt| receipt.lingering_by_us)
            || lingering_is_missing(wanted, observed),
        pending_restart: pending_restart(plan, wanted, observed),
        bad: before.map(|receipt| receipt.bad.clone()).unwrap_or_default(),
        public_key: key(operation, wanted, before),
        changed: before.map_or(wanted.now, |receipt| receipt.changed),
    };
    if plan.steps.is_empty() && before == Some(&receipt) {
        return;
    }
    let receipt = Receipt { changed: wanted.now, ..receipt };
    let old_text = before.map(Receipt::text);
    write(plan, &layout.receipt(&spec.name), &receipt.text(), 0o644, old_text.as_deref());
    let action = match operation {
        Operation::Adopt => Action::Adopted,
        _ if before.is_none() => Action::Installed,
        Operation::Rollback => Action::RolledBack,
        _ if from.as_ref() != Some(&spec.version) => Action::Upgraded,
        _ => Action::Applied,
    };
    let event = Event {
        from,
        to: Some(spec.version.clone()),
        source: provenance(wanted),
        ..Event::new(wanted.now, action, &wanted.caller.name)
    };
    plan.push(Step::Record { path: layout.history(&spec.name), event }, Undo::Nothing);
}

/// The key to ask for from now on. A way back is asked for because something is wrong, and changes no trust.
fn key(operation: Operation, wanted: &Wanted, before: Option<&Receipt>) -> Option<PublicKey> {
    let remembered = before.and_then(|receipt| receipt.public_key.clone());
    if operation == Operation::Rollback { remembered } else { wanted.public_key.clone() }
}

fn provenance(wanted: &Wanted) -> Option<Provenance> {
    let archive = wanted.archive.as_ref()?;
    Some(Provenance {
        archive: archive.path.to_string(),
        sha256: archive.digest,
        signed_by: archive.signed_by.clone(),
    })
}

fn activations(operation: Operation, wanted: &Wanted, observed: &Observed) -> Vec<Activation> {
    let mut activations =
        observed.receipt.as_ref().map(|receipt| receipt.activations.clone()).unwrap_or_default();
    let version = &wanted.spec.version;
    if activations.last().is_some_and(|last| last.version == *version) {
        return activations;
    }
    if operation == Operation::Rollback
        && let Some(place) = activations.iter().rposition(|activation| activation.version == *version)
    {
        activations.truncate(place + 1);
        return activations;
    }
    let installed = observed.whole_tree(&wanted.spec.tree()).and_then(|tree| tree.whole);
    let installed = installed.filter(|_| wanted.spec.source.has_trees());
    let digest = wanted.archive.as_ref().map(|archive| archive.digest).or(installed);
    activations.push(Activation {
        version: version.clone(),
        digest,
        source: provenance(wanted),
        at: wanted.now,
    });
    activations
}

fn pending_restart(plan: &Plan, wanted: &Wanted, observed: &Observed) -> bool {
    let waits = |planned: &Planned| matches!(planned.step, Step::AwaitReady { .. });
    if plan.switch().is_some() || plan.steps.iter().any(waits) || !observed.runs() {
        return false;
    }
    let (layout, name) = (&wanted.layout, &wanted.spec.name);
    let active = observed.link.as_ref().and_then(|link| observed.specs.get(link));
    let runs_on = active.is_some_and(|active| active.identity() == wanted.spec.identity());
    let (launch, socket) = (layout.launch(name, &wanted.spec.tree()), layout.socket_definition(name));
    // Of a definition only that counts by which a process runs; the rest counts as soon as it is read.
    let counts = |text: &str| running_part(wanted.spec.platform, text);
    let otherwise =
        |before: &Option<String>, after: Option<&str>| before.as_deref().map(counts) != after.map(counts);
    let redefined = match observed.started.as_ref().and_then(|started| started.definition.as_ref()) {
        Some(before) => *before != counts(&wanted.definition.text),
        None => otherwise(&observed.definition, Some(&wanted.definition.text)),
    };
    let listens = wanted.definition.socket.as_ref().map(|socket| socket.text.as_str());
    let resocketed = otherwise(&observed.socket, listens);
    let touched = |planned: &Planned| {
        let (Step::Write { path, .. } | Step::Remove { path }) = &planned.step else { return false };
        (*path == launch && !runs_on)
            || (*path == wanted.definition.path && redefined)
            || (*path == socket && resocketed)
    };
    plan.steps.iter().any(touched) || observed.receipt.as_ref().is_some_and(|receipt| receipt.pending_restart)
}
