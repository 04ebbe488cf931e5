//! The plan that removes old versions: everything that something still refers to stays.

use std::collections::BTreeSet;

use crate::model::history::{Action, Event};
use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::moment::Moment;
use crate::model::owner::Owner;
use crate::model::receipt::Receipt;
use crate::plan::apply::put_away;
use crate::plan::observed::Observed;
use crate::plan::step::{Operation, Plan, Step, Undo};

/// Decides which version trees go. What stays is the union of the current link, the last `keep` versions
/// that were active, and every tree that a process runs from.
#[must_use]
pub fn cleanup(spec: &LaunchSpec, layout: &Layout, observed: &Observed, caller: &Owner, now: Moment) -> Plan {
    let mut plan = Plan::new(Operation::Cleanup, spec);
    let kept = kept(spec, observed);
    let folder = layout.install(&spec.name);
    for tree in observed.trees.iter().filter(|tree| !kept.contains(&tree.name)) {
        let (from, to) = (folder.join(&tree.name), put_away(&folder, &tree.name, now.0));
        plan.push(
            Step::Move { from: from.clone(), to: to.clone() },
            Undo::step(Step::Move { from: to, to: from }),
        );
        if let Some(old) = observed.specs.get(&tree.name) {
            let path = layout.launch(&spec.name, &tree.name);
            let undo = Step::Write { path: path.clone(), text: old.text(), mode: 0o644, rights: None };
            plan.push(Step::Remove { path }, Undo::step(undo));
        }
    }
    if plan.steps.is_empty() {
        return plan;
    }
    let event = Event {
        at: now,
        action: Action::CleanedUp,
        from: None,
        to: observed.receipt.as_ref().and_then(Receipt::active).map(|active| active.version.clone()),
        downtime_ms: None,
        reason: None,
        user: caller.name.clone(),
    };
    plan.push(Step::Record { path: layout.history(&spec.name), event }, Undo::Nothing);
    plan.after.push(Step::EmptyTrash { folder });
    plan
}

fn kept(spec: &LaunchSpec, observed: &Observed) -> BTreeSet<String> {
    let mut kept: BTreeSet<String> = observed.in_use.iter().cloned().chain(observed.link.clone()).collect();
    kept.insert(spec.tree());
    let limit = usize::try_from(spec.keep).unwrap_or(usize::MAX);
    let mut versions = Vec::new();
    for activation in observed.receipt.iter().flat_map(|receipt| receipt.activations.iter().rev()) {
        if !versions.contains(&&activation.version) {
            versions.push(&activation.version);
        }
    }
    kept.extend(
        versions
            .into_iter()
            .take(limit)
            .map(|version| crate::model::launch::tree_name(&spec.component, version)),
    );
    kept
}
