//! The plan that removes old versions: everything that something still refers to stays, and where it can't be known
//! what refers to what, everything does.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::model::compose::ContainerSpec;
use crate::model::history::{Action, Event};
use crate::model::launch::{LaunchSpec, tree_name};
use crate::model::layout::Layout;
use crate::model::moment::Moment;
use crate::model::owner::Owner;
use crate::model::receipt::Receipt;
use crate::model::trial::Trial;
use crate::plan::observed::{Observed, Running, Tree};
use crate::plan::reference::{Fact, Referrer};
use crate::plan::refusal::Refusal;
use crate::plan::step::files::{put_away, removed};
use crate::plan::step::{Operation, Plan, Step, Undo};

/// Decides which version trees go. What stays is the union of
///
/// - `keep` versions: those that were active last, and where they are fewer, the newest others that are not bad,
/// - the current link, the pins, an open trial with its way back, what runs, and every other reference.
///
/// If one of the facts can't be known, nothing goes, and the refusal says which.
pub fn cleanup(
    spec: &LaunchSpec,
    layout: &Layout,
    observed: &Observed,
    caller: &Owner,
    now: Moment,
) -> Result<Plan, Refusal> {
    let reasons = unknown(observed);
    if !reasons.is_empty() {
        return Err(Refusal::Unclear { name: spec.name.clone(), reasons });
    }
    let mut plan = Plan::new(Operation::Cleanup, spec);
    let (kept, needed) = kept(spec, observed);
    let folder = layout.install(&spec.name);
    for tree in &observed.trees {
        if let Some(by) = needed.iter().find(|(name, _)| *name == tree.name).map(|(_, by)| by)
            && !kept.contains(&tree.name)
        {
            plan.notices.push(format!("{} stays: {by} needs it", tree.name));
        }
    }
    let stays = |name: &str| kept.contains(name) || needed.iter().any(|(needed, _)| needed == name);
    for tree in observed.trees.iter().filter(|tree| !stays(&tree.name)) {
        let (step, undo) = put_away(&folder, &tree.name, now);
        plan.push(step, undo);
    }
    // A launch of a tree that is no more, and a snapshot that it left, are of no use either.
    for (tree, old) in observed.specs.iter().filter(|(tree, _)| !stays(tree)) {
        let (step, undo) = removed(layout.launch(&spec.name, tree), &old.text());
        plan.push(step, undo);
    }
    plan.notices.extend(images(observed, stays));
    let snapshots = layout.snapshots(&spec.name);
    let old: Vec<&String> = observed.snapshots.iter().filter(|tree| !stays(tree)).collect();
    for tree in &old {
        let (step, undo) = put_away(&snapshots, tree, now);
        plan.push(step, undo);
    }
    for name in &observed.stale_downloads {
        plan.push(Step::Remove { path: layout.downloads(&spec.name).join(name) }, Undo::Nothing);
    }
    let runtimes = layout.runtimes();
    for build in &observed.unused_runtimes {
        let (step, undo) = put_away(&runtimes, build, now);
        plan.push(step, undo);
        plan.notices.push(format!("mainstay {build} goes: nothing is run by it any more"));
    }
    if plan.steps.is_empty() {
        return Ok(plan);
    }
    let event = Event {
        to: observed.receipt.as_ref().and_then(Receipt::active).map(|active| active.version.clone()),
        ..Event::new(now, Action::CleanedUp, &caller.name)
    };
    plan.push(Step::Record { path: layout.history(&spec.name), event }, Undo::Nothing);
    plan.after.push(Step::EmptyTrash { folder, entry: None });
    if !observed.unused_runtimes.is_empty() {
        plan.after.push(Step::EmptyTrash { folder: runtimes, entry: None });
    }
    if !old.is_empty() {
        plan.after.push(Step::EmptyTrash { folder: snapshots, entry: None });
    }
    Ok(plan)
}

/// The images of the versions that go, which only their engine knows whether others need.
fn images(observed: &Observed, stays: impl Fn(&str) -> bool) -> Vec<String> {
    let (kept, gone): (Vec<_>, Vec<_>) = observed.specs.iter().partition(|(tree, _)| stays(tree));
    let of = |(_, spec): &(&String, &LaunchSpec)| spec.container.clone();
    let kept: Vec<_> = kept.iter().filter_map(of).map(|container| container.pinned).collect();
    let gone = gone.iter().filter_map(of).filter(|container| !kept.contains(&container.pinned));
    let told = gone.map(|container| {
        let ContainerSpec { engine, pinned, .. } = container;
        format!(
            "the image `{pinned}` stays, since others may need it: `{engine} image rm {pinned}` removes it"
        )
    });
    told.collect()
}

/// Why it can't be known what is needed, a sentence for each fact; none where it can.
fn unknown(observed: &Observed) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    for reference in &observed.references {
        if let Fact::Unreadable(reason) = &reference.trees {
            reasons.push(format!("{} may need any of them: {reason}", reference.by));
        }
    }
    if observed.running == Running::Unknown && reasons.is_empty() {
        reasons.push("the service manager does not say what runs".to_owned());
    }
    reasons
}

/// How many whole versions there are beyond those that a clean-up would keep.
#[must_use]
pub fn beyond(spec: &LaunchSpec, trees: &[Tree]) -> usize {
    let whole =
        trees.iter().filter(|tree| tree.whole.is_some() && !spec.upgrade.pins.contains(&tree.version));
    whole.count().saturating_sub(usize::try_from(spec.keep).unwrap_or(usize::MAX))
}

fn newest_first(one: &Tree, other: &Tree) -> Ordering {
    let semantic = |tree: &Tree| tree.version.order(&tree.version).is_some();
    let by_version = other.version.order(&one.version).unwrap_or(Ordering::Equal);
    semantic(other).cmp(&semantic(one)).then(by_version).then_with(|| other.name.cmp(&one.name))
}

/// The trees of a trial: the new one, and the way back.
fn trees_of(trial: &Trial) -> impl Iterator<Item = String> {
    let back = trial.watch.as_ref().map(|watch| watch.from.tree());
    std::iter::once(trial.tree.clone()).chain(back)
}

/// The trees that are kept as a matter of course, and those that something needs beside.
fn kept(spec: &LaunchSpec, observed: &Observed) -> (BTreeSet<String>, Vec<(String, String)>) {
    let mut kept: BTreeSet<String> = observed.link.iter().cloned().collect();
    kept.insert(spec.tree());
    kept.extend(last_versions(spec, observed));

    let mut needed: Vec<(String, String)> = Vec::new();
    for reference in &observed.references {
        if let Fact::Known(trees) = &reference.trees {
            needed.extend(trees.iter().map(|tree| (tree.clone(), reference.by.to_string())));
        }
    }
    let processes = observed.in_use.iter().map(|tree| (tree.clone(), Referrer::Process.to_string()));
    needed.extend(processes);
    needed.extend(observed.running_tree().map(|tree| (tree.to_owned(), "the service".to_owned())));
    needed.extend(
        observed.trial.iter().flat_map(trees_of).map(|tree| (tree, "the trial of a version".to_owned())),
    );
    let pins = spec.upgrade.pins.iter().map(|version| tree_name(&spec.component, version));
    needed.extend(pins.map(|tree| (tree, Referrer::Pins.to_string())));
    (kept, needed)
}

/// As many versions as the manifest keeps. One that was rolled back is no activation any more, and may well be
/// wanted again; one that was taken back is not.
fn last_versions(spec: &LaunchSpec, observed: &Observed) -> Vec<String> {
    let limit = usize::try_from(spec.keep).unwrap_or(usize::MAX);
    let is_bad = |tree: &Tree| {
        let bad = observed.receipt.iter().flat_map(|receipt| &receipt.bad);
        bad.into_iter()
            .any(|bad| bad.version == tree.version && (bad.digest.is_none() || bad.digest == tree.whole))
    };
    let active = observed.receipt.iter().flat_map(|receipt| receipt.activations.iter().rev());
    let mut others: Vec<_> =
        observed.trees.iter().filter(|tree| tree.whole.is_some() && !is_bad(tree)).collect();
    // Between versions without an order their names decide, so that the choice is at least the same each time.
    others.sort_by(|one, other| newest_first(one, other));
    let mut versions: Vec<String> = Vec::new();
    let candidates = active.map(|activation| tree_name(&spec.component, &activation.version));
    for name in candidates.chain(others.into_iter().map(|tree| tree.name.clone())) {
        let usable = observed.whole_tree(&name).is_some_and(|tree| {
            // The active version is the last one, whatever was once said of it.
            !is_bad(tree) || observed.link.as_deref() == Some(tree.name.as_str())
        });
        if usable && !versions.contains(&name) {
            versions.push(name);
        }
    }
    versions.truncate(limit);
    versions
}

#[cfg(test)]
mod tests;
