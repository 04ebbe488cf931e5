//! `boot`: the guardians of all embedded instances of a scope.

use super::guardian::tell;
use crate::cli::arguments::BootArguments;
use crate::cli::report::Report;
use crate::cli::surroundings::layout;
use crate::engine::failure::Failure;
use crate::engine::supervisor::guard_all;

/// `boot`
pub(crate) fn boot(report: &Report, arguments: &BootArguments) -> Result<u8, Failure> {
    let layout = layout(arguments.scope)?;
    let outcomes = guard_all(&layout, &mut |event| tell(report, event))?;
    if outcomes.is_empty() {
        report.say("no embedded instance of this scope starts at boot");
    }
    Ok(outcomes.iter().map(|(_, outcome)| outcome.exit_code()).max().unwrap_or(0))
}
