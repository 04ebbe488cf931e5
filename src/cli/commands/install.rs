//! `install`.

use super::outcome::told;
use super::typed::{guard_input, proof, source};
use crate::cli::arguments::{InstallArguments, SourceArguments, TargetArguments};
use crate::cli::report::Report;
use crate::cli::surroundings::{choice, layout, target_with_manifest, with_context};
use crate::cli::wizard::Wizard;
use crate::cli::{confirm, draft, interruption, password};
use crate::engine::asking::{Arrived, Asking};
use crate::engine::beside::VariablesFile;
use crate::engine::change::{Request, change_asking};
use crate::engine::failure::Failure;
use crate::engine::target::{Declared, Target, TargetError, manifest_in};
use crate::host::environment;
use crate::host::signal::Signal;
use crate::plan::step::{Operation, Plan};
use crate::plan::wanted::Wishes;
use std::cell::Cell;

/// `install`
pub(crate) fn install(report: &Report, arguments: &InstallArguments) -> Result<u8, Failure> {
    password::ask(report, arguments.user_password)?;
    guard_input(&arguments.source, &arguments.manifest)?;
    let folder =
        environment::working_folder()?.join(arguments.target.instance_dir.as_deref().unwrap_or("".into()));
    let is_given = arguments.manifest.manifest.is_some();
    let drafted = match manifest_in(&folder, &choice(&arguments.target)) {
        _ if is_given => None,
        Err(Failure::Target(TargetError::NoManifest(_))) => Some(draft::manifest(&folder, arguments)?),
        Err(other) => return Err(other),
        Ok(declared) => {
            draft::refuse_beside(&declared, arguments)?;
            None
        }
    };
    let target = if let Some(declared) = drafted {
        let layout = layout(arguments.target.scope)?;
        Target { name: declared.manifest.name.clone(), layout, marker: None, manifest: Some(declared) }
    } else {
        let here = TargetArguments { instance_dir: Some(folder), ..arguments.target.clone() };
        let target = target_with_manifest(report, &here, &arguments.manifest)?;
        if let Some(declared) = target.manifest.as_ref().filter(|_| is_given) {
            draft::refuse_beside(declared, arguments)?;
        }
        target
    };
    let variables = arguments.env_file.as_deref().map(VariablesFile::read).transpose()?;
    let made = target.manifest.as_ref().filter(|declared| !declared.on_disk && !is_given);
    // Where an archive comes with a new manifest, the file's lines are answers to its questions.
    let asks = made.is_some_and(|made| made.manifest.compose.is_none()) && arguments.source.is_typed();
    let request = Request {
        operation: Operation::Install,
        source: source(&arguments.source)?,
        proof: proof(&arguments.source)?,
        variables: variables.clone().filter(|_| !asks),
        version: arguments.version.clone(),
        wishes: Wishes {
            force: arguments.force,
            try_again: arguments.force,
            take_over: arguments.take_over,
            no_start: arguments.no_start,
            no_restart: false,
            restore_data: false,
            any_data: arguments.force,
            unchecked: arguments.without_checks,
            prepare: arguments.prepare,
            development: arguments.dev,
        },
        unpacked: false,
        restart_only: false,
        dry_run: arguments.dry_run,
    };
    let wizard = Wizard {
        report,
        typed: &arguments.answers,
        variables: variables.as_ref(),
        settings: draft::settings(arguments)?.1,
        yes: arguments.yes,
        development: arguments.dev,
        package: packaged(&arguments.source),
        // What interrupts is told of beside.
        ending: &[Signal::TERM, Signal::HUP, Signal::QUIT],
        finish: |_| {},
        agreed: Cell::new(false),
    };
    interruption::tell(&target.layout, &target.name);
    // Installing is what was typed; there is nothing to lose that would have to be asked for.
    let agree = |plan: &Plan| {
        if let Some(made) = made {
            confirm::show_text(report, plan, &made.path);
        }
        if plan.preparation.is_empty() {
            return Ok(true);
        }
        confirm::agree(report, plan, arguments.yes, "Prepare this host, and install it?")
    };
    let outcome = with_context(report, target.layout.clone(), |context| {
        let declare = |declared: &Declared, arrived: Arrived<'_>| wizard.declare(declared, arrived.tree);
        change_asking(context, &target, &request, &Asking { agree: &agree, declare: &declare })
    })?;
    told(report, &target, &request, &outcome, false);
    if let Some(made) = made.filter(|_| arguments.dry_run) {
        confirm::show_text(report, &outcome.plan, &made.path);
    }
    Ok(0)
}

/// How the package was typed, for a command that asks it for its questions.
fn packaged(typed: &SourceArguments) -> String {
    match &typed.from {
        Some(from) if from != "-" => format!("--from {}", environment::quoted(from.as_str())),
        _ => "--from ARCHIVE".to_owned(),
    }
}
