//! `upgrade`.

use super::change::{source, told};
use crate::cli::arguments::UpgradeArguments;
use crate::cli::report::Report;
use crate::cli::surroundings::{target_to_change, with_context};
use crate::cli::{confirm, interruption};
use crate::engine::change::{Request, change};
use crate::engine::failure::Failure;
use crate::engine::source::Proof;
use crate::plan::step::Operation;
use crate::plan::wanted::Wishes;

/// `upgrade`, with an archive, to the version before, or to one that is there.
pub(crate) fn upgrade(report: &Report, arguments: &UpgradeArguments) -> Result<u8, Failure> {
    let target = target_to_change(report, &arguments.target)?;
    target.installed()?;
    if arguments.from.is_none() && !arguments.rollback && arguments.to.is_none() {
        let hint = "say what to upgrade to: `--from ARCHIVE`, `--to VERSION` or `--rollback`";
        return Err(Failure::Usage(hint.to_owned()));
    }
    if arguments.restore_data && !arguments.rollback && arguments.to.is_none() {
        let hint = "`--restore-data` goes with `--rollback` or `--to VERSION`";
        return Err(Failure::Usage(hint.to_owned()));
    }
    let request = Request {
        operation: if arguments.rollback { Operation::Rollback } else { Operation::Upgrade },
        source: source(arguments.from.as_ref())?,
        proof: Proof::default(),
        version: arguments.to.clone().or_else(|| arguments.version.clone()),
        wishes: Wishes {
            force: arguments.force || arguments.to.is_some(),
            restore_data: arguments.restore_data,
            any_data: arguments.force,
            ..Wishes::default()
        },
        dry_run: arguments.dry_run,
    };
    let question = if arguments.rollback { "Go back?" } else { "Upgrade?" };
    let agree = |plan: &_| confirm::agree(report, plan, arguments.yes, question);
    interruption::tell(&target.layout, &target.name);
    let outcome =
        with_context(report, target.layout.clone(), |context| change(context, &target, &request, &agree))?;
    told(report, &target, &request, &outcome);
    Ok(0)
}
