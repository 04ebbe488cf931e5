//! `upgrade --cleanup` and `uninstall`.

use crate::cli::arguments::{UninstallArguments, UpgradeArguments};
use crate::cli::confirm;
use crate::cli::report::{Report, style, styled};
use crate::cli::surroundings::{target_to_change, with_context};
use crate::engine::failure::Failure;
use crate::engine::remove::{Removal, remove};
use crate::engine::target::{Target, TargetError};
use crate::model::answer::plan::ChangeAnswer;
use crate::plan::step::{Plan, Step};

/// `upgrade --cleanup`
pub(crate) fn cleanup(report: &Report, arguments: &UpgradeArguments) -> Result<u8, Failure> {
    let target = target_to_change(report, &arguments.target)?;
    let of = target.installed()?;
    let agree = |plan: &_| confirm::agree(report, plan, arguments.yes, "Remove these versions?");
    let plan = with_context(report, target.layout.clone(), |context| {
        remove(context, of, Removal::OldVersions, arguments.dry_run, &agree)
    })?;
    let removed = plan.steps.iter().filter(|planned| matches!(planned.step, Step::Move { .. })).count();
    let outcome = match removed {
        0 => "there is no version that could go".to_owned(),
        1 => "one old version removed".to_owned(),
        count => format!("{count} old versions removed"),
    };
    told(report, &plan, arguments.dry_run, &outcome);
    Ok(0)
}

/// `uninstall`
pub(crate) fn uninstall(report: &Report, arguments: &UninstallArguments) -> Result<u8, Failure> {
    let target = match target_to_change(report, &arguments.target) {
        Err(Failure::Target(TargetError::Unknown { name, .. })) => {
            report.say(format!("{name} is not installed: there is nothing to remove"));
            return Ok(0);
        }
        found => found?,
    };
    let Some(of) = of_what_is_left(&target) else {
        report.say(format!("{} is not installed: there is nothing to remove", target.name));
        return Ok(0);
    };
    let removal = if arguments.purge { Removal::Everything } else { Removal::Instance };
    let question =
        if arguments.purge { "Remove it with its configuration, data and logs?" } else { "Remove it?" };
    let agree = |plan: &_| confirm::agree(report, plan, arguments.yes, question);
    let plan = with_context(report, target.layout.clone(), |context| {
        remove(context, &of, removal, arguments.dry_run, &agree)
    })?;
    let name = &target.name;
    let outcome = if plan.is_empty() {
        format!("{name} is not installed: there is nothing to remove")
    } else {
        format!("{name} is removed")
    };
    told(report, &plan, arguments.dry_run, &outcome);
    if !plan.is_empty() && !arguments.dry_run {
        if !arguments.purge {
            let layout = &target.layout;
            report.say(format!("  kept: {} and {}", layout.config(name), layout.data(name)));
        }
        if let Some(declared) = &target.manifest {
            report.say(format!("  kept: {}", declared.path));
        }
    }
    Ok(0)
}

/// What there is to remove: the instance, or, of one whose definition was deleted by hand, the rest.
fn of_what_is_left(target: &Target) -> Option<crate::model::marker::Marker> {
    target.marker.clone().or_else(|| {
        let declared = target.manifest.as_ref()?;
        let left = [target.layout.receipt(&target.name), target.layout.install(&target.name)];
        let is_there =
            |path: &camino::Utf8PathBuf| crate::host::files::facts(path).is_ok_and(|facts| facts.is_some());
        left.iter().any(is_there).then(|| crate::model::marker::Marker {
            name: target.name.clone(),
            component: declared.manifest.package.name.clone(),
            platform: crate::engine::prepare::platform_of(declared),
            scope: target.layout.scope,
            folder: declared.deploy.folder.clone(),
        })
    })
}

fn told(report: &Report, plan: &Plan, dry_run: bool, outcome: &str) {
    if report.is_json() {
        report.document(&ChangeAnswer {
            schema: "change.v1".to_owned(),
            operation: plan.operation.to_string(),
            name: plan.of.name.clone(),
            changed: !plan.is_empty(),
            dry_run,
            from: None,
            to: None,
            steps: confirm::lines(plan),
            notices: plan.notices.clone(),
            downtime_ms: None,
        });
    } else if dry_run && !plan.is_empty() {
        confirm::show(report, plan);
    } else {
        report.line(format!("{} {outcome}", styled(style::GOOD, "done:")));
    }
}
