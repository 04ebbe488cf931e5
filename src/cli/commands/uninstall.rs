//! `uninstall`.

use super::outcome::plan_told;
use crate::cli::arguments::UninstallArguments;
use crate::cli::commands::absent::{guard_other_scope, nothing_to};
use crate::cli::report::Report;
use crate::cli::surroundings::{layout, target_to_change, with_context};
use crate::cli::{confirm, interruption, words};
use crate::engine::adopt;
use crate::engine::development::kept as kept_of_development;
use crate::engine::failure::Failure;
use crate::engine::remove::{Removal, left_of, left_of_name, remove};
use crate::engine::target::TargetError;
use crate::host::{account, files};
use crate::model::manifest::{PlatformKind, Scope};
use crate::plan::step::Operation;
use camino::Utf8PathBuf;

/// `uninstall`
pub(crate) fn uninstall(report: &Report, arguments: &UninstallArguments) -> Result<u8, Failure> {
    let (layout, name, manifest, of) = match target_to_change(report, &arguments.target) {
        Err(Failure::Target(TargetError::Unknown { name, .. })) => {
            let layout = layout(arguments.target.scope)?;
            let of = left_of_name(&layout, &name, arguments.purge)?;
            (layout, name, None, of)
        }
        found => {
            let target = found?;
            let of = left_of(&target, arguments.purge)?;
            (target.layout, target.name, target.manifest, of)
        }
    };
    let Some(of) = of else {
        guard_other_scope(&arguments.target, &name)?;
        nothing_to(report, Operation::Uninstall, &name, &arguments.target)?;
        return Ok(0);
    };
    let removal = match (arguments.purge, arguments.restore) {
        (true, _) => Removal::Everything,
        (_, true) => Removal::AndRestore,
        _ => Removal::Instance,
    };
    let question = if arguments.purge {
        "Remove it with its configuration, data and logs? Only the manifest stays."
    } else {
        "Remove it? Its configuration, data, logs and manifest stay."
    };
    let agree = |plan: &_| confirm::agree(report, plan, arguments.yes, question);
    interruption::tell(&layout, &name);
    // A purge removes what is known of it.
    let aside = adopt::put_aside(&layout, &name);
    let plan = with_context(report, layout.clone(), |context| {
        remove(context, &of, removal, arguments.dry_run, &agree)
    })?;
    if plan.is_empty() {
        // What an interrupted command had left of it was undone just now, and told.
        nothing_to(report, Operation::Uninstall, &name, &arguments.target)?;
        return Ok(0);
    }
    plan_told(report, &plan, arguments.dry_run, &format!("{name} is removed"));
    if !arguments.dry_run {
        if !arguments.purge {
            let kept = [layout.config(&name), layout.data(&name), layout.history(&name), layout.logs(&name)];
            let there = |path: &&Utf8PathBuf| files::facts(path).is_ok_and(|facts| facts.is_some());
            let kept: Vec<&str> = kept.iter().filter(there).map(|path| path.as_str()).collect();
            report.say(format!("  kept: {}; `mainstay uninstall --purge` removes them", kept.join(", ")));
            for left in kept_of_development(&layout, &name) {
                report.say(format!("  kept: {left}, with what they hold; `--purge` removes them too"));
            }
        }
        let own = account::by_uid(account::effective_uid())?;
        let lingers = of.platform == PlatformKind::Systemd && layout.scope == Scope::User;
        if arguments.purge && lingers && account::lingers(&own.name) == Some(true) {
            report.say(format!(
                "  lingering stays on for {0}; `loginctl disable-linger {0}` switches it off, where nothing else needs it",
                own.name
            ));
        }
        let folder = manifest.as_ref().map_or(&of.folder, |declared| &declared.deploy.folder);
        let beside = files::list(folder).ok().flatten().unwrap_or_default();
        let beside = beside.iter().filter(|entry| entry.contains(".before-mainstay"));
        // That of a container is kept where it stood, which may be elsewhere.
        let mut originals: Vec<Utf8PathBuf> = beside.map(|entry| folder.join(entry)).collect();
        originals.extend(aside.filter(|aside| aside.exists()));
        originals.dedup();
        for path in originals {
            report.say(format!("  what was there before it was adopted: {}", words::visible(path.as_str())));
        }
        if let Some(declared) = &manifest {
            report.say(format!("  kept: {}", declared.path));
        }
    }
    Ok(0)
}
