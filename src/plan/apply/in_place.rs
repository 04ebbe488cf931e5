//! A program that stands where somebody else has put it: its version has no tree of ours, only a mark. Where nothing
//! but the program's own file has changed there is no old launch to go back to, so there is no switch: the service is
//! restarted, and what was found is recorded when it is ready.

use camino::Utf8PathBuf;

use super::records::records;
use super::relink;
use super::switching::hook;
use crate::model::launch::LaunchSpec;
use crate::model::receipt::Receipt;
use crate::plan::lifecycle::restart;
use crate::plan::observed::{Observed, Readiness};
use crate::plan::step::files::{unpublished, written};
use crate::plan::step::{Operation, Plan, Step, Undo};
use crate::plan::wanted::{Standing, Wanted};

/// Marks the versions that the launch, and the one before it, are of.
pub(super) fn marks(plan: &mut Plan, wanted: &Wanted, standing: &Standing, observed: &Observed) {
    let folder = wanted.layout.install(&wanted.spec.name);
    let before = active_now(wanted, observed).filter(|before| !before.source.has_trees());
    let mut trees: Vec<String> = before.iter().map(LaunchSpec::tree).collect();
    trees.push(wanted.spec.tree());
    trees.dedup();
    for tree in trees {
        if observed.whole_tree(&tree).is_none() {
            let undo = unpublished(&folder, &tree, wanted.now);
            let program: Utf8PathBuf = standing.program.clone();
            plan.push(Step::Mark { folder: folder.clone(), tree, program }, undo);
        }
    }
}

/// The active launch, as it would start now: a program that was replaced is another version, whatever was recorded.
pub(super) fn active_now(wanted: &Wanted, observed: &Observed) -> Option<LaunchSpec> {
    let active = observed.link.as_ref().and_then(|link| observed.specs.get(link))?;
    let before = wanted.standing.as_ref().and_then(|standing| standing.before.as_ref());
    Some(match before.filter(|_| !active.source.has_trees()) {
        Some(version) => LaunchSpec { version: version.clone(), ..active.clone() },
        None => active.clone(),
    })
}

/// Whether the running service starts the very same again, so that there is nothing to go back to.
pub(super) fn is_all_that_changes(wanted: &Wanted, observed: &Observed) -> bool {
    wanted.standing.is_some()
        && observed.runs()
        && !wanted.wishes.no_restart
        && active_now(wanted, observed).is_some_and(|active| active.identity() == wanted.spec.identity())
}

/// Whether it takes a restart: another version runs, or one is asked for.
pub(super) fn restarts(wanted: &Wanted, standing: &Standing, observed: &Observed) -> bool {
    let tree = wanted.spec.tree();
    let runs_it = match observed.running_tree() {
        // What was taken up by an earlier command and is not ready has never been shown to be good.
        Some(running) => {
            let is_shown = observed.readiness == Readiness::Ready || !version_changes(wanted, observed);
            running == tree && is_shown
        }
        None => observed.link.as_deref() == Some(tree.as_str()) && !version_changes(wanted, observed),
    };
    standing.restart || !runs_it
}

fn version_changes(wanted: &Wanted, observed: &Observed) -> bool {
    let recorded = observed.receipt.as_ref().and_then(Receipt::active);
    recorded.is_none_or(|active| active.version != wanted.spec.version)
}

/// One restart, and what was found is recorded when it is ready.
pub(super) fn restart_in_place(
    plan: &mut Plan,
    operation: Operation,
    wanted: &Wanted,
    standing: &Standing,
    observed: &Observed,
) {
    let (layout, spec) = (&wanted.layout, &wanted.spec);
    let (tree, name) = (spec.tree(), &spec.name);
    let version_changes = version_changes(wanted, observed);
    let restarts = restarts(wanted, standing, observed);
    if restarts && version_changes {
        let from = active_now(wanted, observed).unwrap_or_else(|| spec.clone());
        let hook = hook("upgrade.hooks.beforeStop", spec.hooks.before_stop.as_ref(), wanted, &from);
        if let Some(hook) = hook {
            plan.push(hook, Undo::Nothing);
        }
    }
    let before = observed.specs.get(&tree).map(LaunchSpec::text);
    if before.as_deref() != Some(spec.text().as_str()) {
        let (step, undo) = written(&layout.launch(name, &tree), &spec.text(), 0o644, before.as_deref());
        plan.push(step, undo);
    }
    if observed.link.as_deref() != Some(tree.as_str()) {
        relink(plan, &layout.current(name, &spec.component), &tree, observed.link.as_deref());
    }
    if !restarts {
        records(plan, operation, wanted, observed);
        return;
    }
    plan.after.extend(restart(spec, observed).after);
    // Only what has become ready is recorded.
    let mut recording = Plan { steps: Vec::new(), after: Vec::new(), notices: Vec::new(), ..plan.clone() };
    if version_changes {
        let from = active_now(wanted, observed).unwrap_or_else(|| spec.clone());
        let hook = hook(super::AFTER_START, spec.hooks.after_start.as_ref(), wanted, &from);
        if let Some(hook) = hook {
            recording.push(hook, Undo::Nothing);
        }
    }
    records(&mut recording, operation, wanted, observed);
    plan.after.extend(recording.steps.into_iter().map(|planned| planned.step));
}
