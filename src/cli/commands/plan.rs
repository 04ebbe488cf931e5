//! `plan`.

use super::outcome::told;
use crate::cli::arguments::PlanArguments;
use crate::cli::report::Report;
use crate::cli::surroundings::{target_to_see_with_manifest, with_context};
use crate::engine::change::{Request, change};
use crate::engine::failure::Failure;
use crate::plan::step::Operation;
use crate::plan::wanted::Wishes;

/// The exit code of `plan` when something would change.
const CHANGES_PENDING: u8 = 9;

/// `plan`
pub(crate) fn plan(report: &Report, arguments: &PlanArguments) -> Result<u8, Failure> {
    let target = target_to_see_with_manifest(report, &arguments.target, &arguments.manifest)?;
    let request = Request::present(Operation::Apply, Wishes::default(), true);
    let outcome = with_context(report, target.layout.clone(), |context| {
        change(context, &target, &request, &|_| Ok(true))
    })?;
    told(report, &target, &request, &outcome, arguments.diff);
    Ok(if outcome.plan.is_empty() { 0 } else { CHANGES_PENDING })
}
