//! Whether a new version is watched once it is ready, so that it is taken back if it fails then; and the end of a trial
//! that is open while something else is made active.

use crate::model::duration::Span;
use crate::model::launch::LaunchSpec;
use crate::model::manifest::PlatformKind;
use crate::model::service::Supervision;
use crate::model::trial::{DataMove, DefinitionBefore, Watch};
use crate::plan::definition::Defined;
use crate::plan::observed::Observed;
use crate::plan::step::{Operation, Plan, Step, Undo};
use crate::plan::wanted::Wanted;

/// Decides whether the version that takes the place of `from` is watched, and tells why not where that was wished for.
pub(super) fn watch(
    plan: &mut Plan,
    operation: Operation,
    wanted: &Wanted,
    observed: &Observed,
    (from, defined): (&LaunchSpec, &Defined),
    data: &DataMove,
) -> Option<Watch> {
    let spec = &wanted.spec;
    let period = spec.upgrade.trial;
    if from.tree() == spec.tree() || operation == Operation::Rollback || period == Span::seconds(0) {
        return None;
    }
    let ours = [from, spec].iter().all(|launch| launch.supervision == Supervision::Mainstay);
    if !ours || !spec.source.has_trees() {
        return None;
    }
    let unproven = observed.unproven.as_ref().filter(|launch| **launch == from.identity()).map(|_| {
        // What crashed at once would come back and crash.
        format!("{} has not been ready since it was made active", from.version)
    });
    if let Some(why) = unproven.or_else(|| hindrance(from, spec, data)) {
        plan.notices.push(format!(
            "{} is not on trial once it is ready, because {why}: a failure then takes nothing back",
            spec.version
        ));
        return None;
    }
    let definitions = if defined.is_new {
        vec![DefinitionBefore::plain(wanted.definition.path.clone(), observed.definition.clone())]
    } else {
        Vec::new()
    };
    let installed = observed.whole_tree(&spec.tree()).and_then(|tree| tree.whole);
    Some(Watch {
        period,
        from: Box::new(from.clone()),
        definitions,
        digest: wanted.archive.as_ref().map(|archive| archive.digest).or(installed),
        // The switch decides it once, for either direction.
        migrate_back: data.back.clone(),
    })
}

/// Why there is no way back from a launch that has been ready, if there is none.
fn hindrance(from: &LaunchSpec, to: &LaunchSpec, data: &DataMove) -> Option<String> {
    if to.platform == PlatformKind::Systemd && to.sockets != from.sockets {
        return Some("its sockets change, which takes more than its own start".to_owned());
    }
    if !data.is_one_way(from, to) {
        return None;
    }
    if data.restore.is_some() {
        return Some(format!("{} can't go on with the older data that are put back", from.version));
    }
    let Some(barrier) = to.upgrade.barrier.as_ref().filter(|barrier| !barrier.lets(&from.version)) else {
        return Some(
            "its migration has no way back (`upgrade.hooks.migrateBack`, `upgrade.migrateCompatible`)"
                .to_owned(),
        );
    };
    let reason = barrier.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    Some(format!("{} can't work with the data that it leaves{reason}", from.version))
}

/// Ends a trial that is open, since something else is made active. Gives the inverse, which what ran before needs before
/// it can go on with its trial.
pub(super) fn end_trial(
    plan: &mut Plan,
    operation: Operation,
    wanted: &Wanted,
    observed: &Observed,
) -> Vec<Step> {
    let Some(trial) = &observed.trial else { return Vec::new() };
    let version = trial.version(&wanted.spec.component).map(|version| version.to_string());
    if operation != Operation::Rollback {
        plan.notices.push(format!(
            "the trial of {} ends with this: it is not taken back any more",
            version.as_deref().unwrap_or(&trial.tree)
        ));
    }
    close(plan, trial, &wanted.layout.trial(&wanted.spec.name))
}

/// The step that ends an open trial, and its inverse.
pub(in crate::plan) fn close(
    plan: &mut Plan,
    trial: &crate::model::trial::Trial,
    path: &camino::Utf8Path,
) -> Vec<Step> {
    let undo = vec![Step::Write { path: path.to_owned(), text: trial.text(), mode: 0o644, owner: None }];
    plan.push(Step::EndTrial { trial: Box::new(trial.clone()) }, Undo::Steps(undo.clone()));
    undo
}
