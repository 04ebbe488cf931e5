//! `upgrade`.

use super::outcome::told;
use super::pick;
use super::typed::{guard_input, proof, source};
use crate::cli::arguments::{LifecycleArguments, UpgradeArguments};
use crate::cli::commands::lifecycle;
use crate::cli::report::Report;
use crate::cli::surroundings::{target_with_manifest, with_context};
use crate::cli::{confirm, interruption};
use crate::engine::change::{Outcome, Request, change};
use crate::engine::failure::Failure;
use crate::engine::source::Source;
use crate::engine::target::Target;
use crate::plan::step::{Operation, Plan};
use crate::plan::wanted::Wishes;

/// `upgrade`, with an archive, to the version before, to one that is there, or to what a package manager has brought.
pub(crate) fn upgrade(report: &Report, arguments: &UpgradeArguments) -> Result<u8, Failure> {
    guard_input(&arguments.source, &arguments.manifest)?;
    let target = target_with_manifest(report, &arguments.target, &arguments.manifest)?;
    target.installed()?;
    if arguments.restart_only && has_trees(&target) {
        let (target, dry_run) = (arguments.target.clone(), arguments.dry_run);
        return lifecycle::lifecycle(report, Operation::Restart, &LifecycleArguments { target, dry_run });
    }
    let mut request = request(arguments)?;
    if arguments.pick {
        let Some(version) = pick::version(report, &target)? else {
            return Err(Failure::Declined);
        };
        request.version = Some(version);
    }
    let question = if arguments.rollback { "Go back?" } else { "Upgrade?" };
    let agree = |plan: &_| confirm::agree(report, plan, arguments.yes, question);
    let outcome = carried_out(report, &target, &request, &agree)?;
    told(report, &target, &request, &outcome, false);
    Ok(0)
}

/// What was asked of an instance.
pub(super) fn request(arguments: &UpgradeArguments) -> Result<Request, Failure> {
    let unpacked = arguments.to.is_some() || arguments.pick;
    let stays = arguments.rollback || unpacked || arguments.restart_only;
    let source = if stays { Source::Present } else { source(&arguments.source)? };
    if arguments.all && source == Source::Input {
        let what = "standard input can be read once, and `--all` needs it for each instance: name the file";
        return Err(Failure::Usage(what.to_owned()));
    }
    if arguments.restore_data && !arguments.rollback && arguments.to.is_none() {
        let hint = "`--restore-data` goes with `--rollback` or `--to VERSION`";
        return Err(Failure::Usage(hint.to_owned()));
    }
    Ok(Request {
        operation: if arguments.rollback { Operation::Rollback } else { Operation::Upgrade },
        source,
        proof: proof(&arguments.source)?,
        variables: None,
        version: arguments.to.clone().or_else(|| arguments.version.clone()),
        wishes: Wishes {
            force: arguments.force || unpacked,
            try_again: arguments.force,
            restore_data: arguments.restore_data,
            any_data: arguments.force,
            unchecked: arguments.without_checks,
            prepare: arguments.prepare,
            ..Wishes::default()
        },
        unpacked,
        restart_only: arguments.restart_only,
        dry_run: arguments.dry_run,
    })
}

/// Whether archives bring the program of an instance. Of one whose manifest can't be read that is taken for granted;
/// whoever needs the manifest reads it again and fails then.
pub(super) fn has_trees(target: &Target) -> bool {
    target.manifest.as_ref().is_none_or(|declared| declared.manifest.has_trees())
}

/// Does what was asked of one instance.
pub(super) fn carried_out(
    report: &Report,
    target: &Target,
    request: &Request,
    agree: &dyn Fn(&Plan) -> Result<bool, Failure>,
) -> Result<Outcome, Failure> {
    interruption::tell(&target.layout, &target.name);
    with_context(report, target.layout.clone(), |context| change(context, target, request, agree))
}
