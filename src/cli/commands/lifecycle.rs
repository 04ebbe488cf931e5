//! `start`, `stop` and `restart`.

use crate::cli::arguments::LifecycleArguments;
use crate::cli::commands::absent::{guard_other_scope, nothing_to};
use crate::cli::report::Report;
use crate::cli::surroundings::{target_to_change, with_context};
use crate::cli::{confirm, interruption};
use crate::engine::failure::Failure;
use crate::engine::lifecycle;
use crate::engine::target::TargetError;
use crate::plan::step::Operation;

/// `start`, `stop` and `restart`
pub(crate) fn lifecycle(
    report: &Report,
    operation: Operation,
    arguments: &LifecycleArguments,
) -> Result<u8, Failure> {
    let target = match target_to_change(report, &arguments.target) {
        Err(Failure::Target(TargetError::Unknown { name, .. })) if operation == Operation::Stop => {
            // What is not there is stopped.
            guard_other_scope(&arguments.target, &name)?;
            nothing_to(report, operation, &name, &arguments.target)?;
            return Ok(0);
        }
        found => found?,
    };
    if target.marker.is_none() {
        guard_other_scope(&arguments.target, &target.name)?;
        if operation == Operation::Stop {
            nothing_to(report, operation, &target.name, &arguments.target)?;
            return Ok(0);
        }
    }
    let of = target.installed()?;
    interruption::tell(&target.layout, &target.name);
    let (plan, done) = with_context(report, target.layout.clone(), |context| {
        lifecycle::lifecycle(context, of, operation, arguments.dry_run)
    })?;
    if report.is_json() {
        report.document(&confirm::answer(&plan, arguments.dry_run, done.and_then(|done| done.downtime)));
    } else if arguments.dry_run && !plan.is_empty() {
        confirm::show(report, &plan, false);
    } else {
        let name = &target.name;
        let outcome = match (operation, plan.is_empty()) {
            (Operation::Start, true) => format!("{name} runs already"),
            (Operation::Start, false) => format!("{name} runs and is ready"),
            (Operation::Stop, true) => format!("{name} is stopped already"),
            (Operation::Stop, false) => format!("{name} is stopped"),
            _ => format!("{name} was restarted and is ready"),
        };
        if plan.is_empty() {
            report.line(format!("nothing to do: {outcome}"));
        } else {
            report.done(outcome);
        }
        for notice in &plan.notices {
            report.notice(notice);
        }
    }
    Ok(0)
}
