//! The plan that removes old versions: everything that something still refers to stays.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::model::history::{Action, Event};
use crate::model::launch::{LaunchSpec, tree_name};
use crate::model::layout::Layout;
use crate::model::moment::Moment;
use crate::model::owner::Owner;
use crate::model::receipt::Receipt;
use crate::plan::apply::put_away;
use crate::plan::observed::{Observed, Tree};
use crate::plan::step::{Operation, Plan, Step, Undo};

/// Decides which version trees go. What stays is the union of the current link, every tree that a process runs
/// from, and `keep` versions: those that were active last, and where they are fewer, the newest others.
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
            let undo = Step::Write { path: path.clone(), text: old.text(), mode: 0o644 };
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
        source: None,
        user: caller.name.clone(),
    };
    plan.push(Step::Record { path: layout.history(&spec.name), event }, Undo::Nothing);
    plan.after.push(Step::EmptyTrash { folder, entry: None });
    plan
}

fn newest_first(one: &Tree, other: &Tree) -> Ordering {
    let semantic = |tree: &Tree| tree.version.order(&tree.version).is_some();
    let by_version = other.version.order(&one.version).unwrap_or(Ordering::Equal);
    semantic(other).cmp(&semantic(one)).then(by_version).then_with(|| other.name.cmp(&one.name))
}

fn kept(spec: &LaunchSpec, observed: &Observed) -> BTreeSet<String> {
    let mut kept: BTreeSet<String> = observed.in_use.iter().cloned().chain(observed.link.clone()).collect();
    kept.insert(spec.tree());
    kept.extend(observed.running_tree().map(str::to_owned));
    let limit = usize::try_from(spec.keep).unwrap_or(usize::MAX);
    let active = observed.receipt.iter().flat_map(|receipt| receipt.activations.iter().rev());
    let mut others: Vec<_> = observed.trees.iter().filter(|tree| tree.whole.is_some()).collect();
    // A version that was rolled back is no activation any more, and may well be wanted again. Between
    // versions without an order their names decide, so that the choice is at least the same each time.
    others.sort_by(|one, other| newest_first(one, other));
    let mut versions: Vec<String> = Vec::new();
    let candidates = active.map(|activation| tree_name(&spec.component, &activation.version));
    for name in candidates.chain(others.into_iter().map(|tree| tree.name.clone())) {
        if !versions.contains(&name) && observed.whole_tree(&name).is_some() {
            versions.push(name);
        }
    }
    kept.extend(versions.into_iter().take(limit));
    kept
}
