//! `repair`.

use super::typed::{proof, source};
use crate::cli::arguments::RepairArguments;
use crate::cli::report::{Report, style, styled};
use crate::cli::surroundings::{target_to_change, with_context};
use crate::cli::{confirm, interruption};
use crate::engine::failure::Failure;
use crate::engine::repair::{Repair, repair as rebuild};

/// The exit code of a dry run that has found something.
const CHANGES_PENDING: u8 = 9;

/// `repair`
pub(crate) fn repair(report: &Report, arguments: &RepairArguments) -> Result<u8, Failure> {
    let target = target_to_change(report, &arguments.target)?;
    let request = Repair {
        source: source(&arguments.source)?,
        proof: proof(&arguments.source)?,
        version: arguments.version.clone(),
        dry_run: arguments.dry_run,
    };
    let agree = |plan: &_| confirm::agree(report, plan, arguments.yes, "Rebuild it?");
    interruption::tell(&target.layout, &target.name);
    let (version, plan) =
        with_context(report, target.layout.clone(), |context| rebuild(context, &target, &request, &agree))?;
    let name = &target.name;
    if report.is_json() {
        report.document(&confirm::answer(&plan, arguments.dry_run, None));
    } else if plan.is_empty() {
        report.line(format!("nothing to do: {version} of {name} is as its archive"));
    } else if arguments.dry_run {
        confirm::show(report, &plan, false);
    } else {
        if arguments.yes {
            for notice in &plan.notices {
                report.notice(notice);
            }
        }
        report.line(format!("{} {version} of {name} is rebuilt", styled(style::GOOD, "done:")));
    }
    Ok(if arguments.dry_run && !plan.is_empty() { CHANGES_PENDING } else { 0 })
}
