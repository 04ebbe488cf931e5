//! `self-update`.

use super::typed::{proof, source};
use crate::cli::arguments::SelfUpdateArguments;
use crate::cli::confirm;
use crate::cli::report::{Report, style, styled};
use crate::cli::surroundings::{layout, with_context};
use crate::engine::failure::Failure;
use crate::engine::self_update::{Update, Updated, readable, update};
use crate::engine::source::Source;
use crate::model::answer::plan::ChangeAnswer;
use crate::model::name::InstanceName;

/// `self-update`
pub(crate) fn self_update(report: &Report, arguments: &SelfUpdateArguments) -> Result<u8, Failure> {
    let layout = layout(arguments.scope)?;
    if arguments.check {
        let count = readable(&layout)?;
        report.line(format!("the files of {count} instances can be read"));
        return Ok(0);
    }
    let source = if arguments.rollback { None } else { Some(source(&arguments.source)?) };
    if source == Some(Source::Manifest) {
        return Err(Failure::Usage(
            "say what to update to: `--from ARCHIVE`, `--url ADDRESS` or `--rollback`".to_owned(),
        ));
    }
    let asked = Update {
        source,
        proof: proof(&arguments.source)?,
        key: arguments.public_key.clone(),
        version: arguments.version.clone(),
        force: arguments.force,
        dry_run: arguments.dry_run,
    };
    let agree = |updated: &Updated| {
        report.say(step(updated));
        confirm::asked(report, "self-update", arguments.yes, "Replace it?")
    };
    let updated = with_context(report, layout, |context| update(context, &asked, &agree))?;
    told(report, arguments, &updated);
    Ok(0)
}

fn step(updated: &Updated) -> String {
    let Updated { program, from, to, .. } = updated;
    format!("  replace {program} ({from} -> {to}); the program before stays as {program}.before")
}

fn told(report: &Report, arguments: &SelfUpdateArguments, updated: &Updated) {
    if report.is_json() {
        let Ok(name) = InstanceName::new("mainstay".to_owned()) else { return };
        let steps = if updated.changed { vec![step(updated).trim().to_owned()] } else { Vec::new() };
        report.document(&ChangeAnswer {
            dry_run: arguments.dry_run,
            from: Some(updated.from.clone()),
            to: Some(updated.to.clone()),
            steps,
            ..ChangeAnswer::of("self-update", name, updated.changed)
        });
        return;
    }
    if !updated.changed {
        report.line(format!("nothing to do: {} is this very program", updated.program));
    } else if arguments.dry_run {
        report.line(step(updated));
    } else {
        let good = styled(style::GOOD, "done:");
        report.line(format!("{good} {} {} -> {}", updated.program, updated.from, updated.to));
        report.say("  what runs goes on by its own copy: `mainstay list` names the instances, `mainstay apply` moves one");
    }
}
