//! `upgrade --pick`: a choice among the versions that are unpacked.

use dialoguer::Select;
use dialoguer::theme::SimpleTheme;

use super::upgrade::has_trees;
use crate::cli::report::Report;
use crate::engine::failure::Failure;
use crate::engine::target::Target;
use crate::engine::versions::{Unpacked, versions};
use crate::model::version::Version;

/// Asks which version is wanted; nothing where none was chosen.
pub(super) fn version(report: &Report, target: &Target) -> Result<Option<Version>, Failure> {
    if !report.can_ask() {
        return Err(Failure::Usage(
            "`--pick` asks at a terminal, and there is none: `--to VERSION` goes to a version that is unpacked, \
             `--rollback` to the one before"
                .to_owned(),
        ));
    }
    let of = target.installed()?;
    if !has_trees(target) {
        return Err(Failure::Usage(
            "`--pick` chooses among unpacked versions, and there are none".to_owned(),
        ));
    }
    let mut versions = versions(&target.layout, &target.name, &of.component)?;
    for active in versions.iter().filter(|version| version.is_active) {
        report.say(format!("  {active}"));
    }
    // What runs is shown, and is no choice.
    versions.retain(|version| !version.is_active);
    if versions.is_empty() {
        return Err(Failure::Usage(format!("no other version of `{}` is unpacked here", target.name)));
    }
    let chosen = Select::with_theme(&SimpleTheme)
        .with_prompt("Go to which version? (Esc: none)")
        .items(versions.iter().map(Unpacked::to_string))
        .default(0)
        .interact_opt()
        .map_err(|error| Failure::Usage(format!("nothing was chosen: {error}")))?;
    Ok(chosen.map(|place| versions.swap_remove(place).version))
}
