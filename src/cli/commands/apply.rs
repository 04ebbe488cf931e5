//! `apply`.

use super::outcome::told;
use crate::cli::arguments::ApplyArguments;
use crate::cli::report::Report;
use crate::cli::surroundings::{target_with_manifest, with_context};
use crate::cli::{confirm, interruption, password};
use crate::engine::change::{Request, change};
use crate::engine::failure::Failure;
use crate::plan::step::{Operation, Plan};
use crate::plan::wanted::Wishes;

/// `apply`
pub(crate) fn apply(report: &Report, arguments: &ApplyArguments) -> Result<u8, Failure> {
    password::ask(report, arguments.user_password)?;
    let target = target_with_manifest(report, &arguments.target, &arguments.manifest)?;
    let wishes = Wishes {
        take_over: arguments.take_over,
        no_restart: arguments.no_restart,
        unchecked: arguments.without_checks,
        ..Wishes::default()
    };
    let request = Request::present(Operation::Apply, wishes, arguments.dry_run);
    let agree = |plan: &Plan| {
        if arguments.yes && arguments.diff {
            confirm::tell(report, plan, true);
        }
        confirm::agree_on(report, plan, arguments.yes, "Apply this?", arguments.diff)
    };
    interruption::tell(&target.layout, &target.name);
    let outcome =
        with_context(report, target.layout.clone(), |context| change(context, &target, &request, &agree))?;
    told(report, &target, &request, &outcome, arguments.diff);
    Ok(0)
}
