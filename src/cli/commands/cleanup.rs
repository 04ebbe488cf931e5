//! `upgrade --cleanup`.

use super::outcome::plan_told;
use crate::cli::arguments::UpgradeArguments;
use crate::cli::report::Report;
use crate::cli::surroundings::{target_to_change, with_context};
use crate::cli::{confirm, interruption, words};
use crate::engine::failure::Failure;
use crate::engine::remove::{Removal, remove};
use crate::plan::step::Step;

/// `upgrade --cleanup`
pub(crate) fn cleanup(report: &Report, arguments: &UpgradeArguments) -> Result<u8, Failure> {
    let target = target_to_change(report, &arguments.target)?;
    let of = target.installed()?;
    let agree = |plan: &_| confirm::agree(report, plan, arguments.yes, "Remove these versions?");
    interruption::tell(&target.layout, &target.name);
    let plan = with_context(report, target.layout.clone(), |context| {
        remove(context, of, Removal::OldVersions, arguments.dry_run, &agree)
    })?;
    let install = target.layout.install(&target.name);
    let is_tree = |step: &Step| matches!(step, Step::Move { from, .. } if from.parent() == Some(&install));
    let removed = plan.steps.iter().filter(|planned| is_tree(&planned.step)).count();
    let freed = plan.room.frees.filter(|freed| *freed > 0);
    let freed = freed.map(|freed| format!(", {} freed", words::size(freed))).unwrap_or_default();
    let outcome = match removed {
        0 if plan.steps.is_empty() => {
            "there is no version that could go; those that `upgrade.keep` says stay".to_owned()
        }
        0 => format!("what was left of old versions is removed{freed}"),
        1 => format!("one old version removed{freed}"),
        count => format!("{count} old versions removed{freed}"),
    };
    if !report.is_json() && (plan.is_empty() || (arguments.yes && !arguments.dry_run)) {
        for notice in &plan.notices {
            report.notice(notice);
        }
    }
    plan_told(report, &plan, arguments.dry_run, &outcome);
    Ok(0)
}
