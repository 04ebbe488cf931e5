//! `install`, `plan` and `apply`.

use std::cell::Cell;

use crate::host::signal::Signal;

use crate::cli::arguments::{
    ApplyArguments, InstallArguments, ManifestArguments, PlanArguments, SourceArguments, TargetArguments,
};
use crate::cli::report::Report;
use crate::cli::surroundings::{
    choice, layout, target_to_see_with_manifest, target_with_manifest, with_context,
};
use crate::cli::wizard::Wizard;
use crate::cli::{confirm, draft, interruption, password};
use crate::engine::asking::{Arrived, Asking};
use crate::engine::beside::VariablesFile;
use crate::engine::change::{Outcome, Request, change, change_asking};
use crate::engine::failure::Failure;
use crate::engine::source::{Proof, Source};
use crate::engine::target::{Declared, Target, TargetError, manifest_in};
use crate::host::environment;
use crate::model::answer::plan::ChangeAnswer;
use crate::model::version::Version;
use crate::plan::step::{Operation, Plan};
use crate::plan::wanted::Wishes;

/// The exit code of `plan` when something would change.
const CHANGES_PENDING: u8 = 9;

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

/// `plan`
pub(crate) fn plan(report: &Report, arguments: &PlanArguments) -> Result<u8, Failure> {
    let target = target_to_see_with_manifest(report, &arguments.target, &arguments.manifest)?;
    let request = apply_request(Wishes::default(), true);
    let outcome = with_context(report, target.layout.clone(), |context| {
        change(context, &target, &request, &|_| Ok(true))
    })?;
    told(report, &target, &request, &outcome, arguments.diff);
    Ok(if outcome.plan.is_empty() { 0 } else { CHANGES_PENDING })
}

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
    let request = apply_request(wishes, arguments.dry_run);
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

fn apply_request(wishes: Wishes, dry_run: bool) -> Request {
    Request::present(Operation::Apply, wishes, dry_run)
}

/// How the package was typed, for a command that asks it for its questions.
fn packaged(typed: &SourceArguments) -> String {
    match &typed.from {
        Some(from) if from != "-" => format!("--from {}", environment::quoted(from.as_str())),
        _ => "--from ARCHIVE".to_owned(),
    }
}

/// The source that was typed; else what the manifest says.
pub(super) fn source(typed: &SourceArguments) -> Result<Source, Failure> {
    Ok(match (&typed.from, &typed.url) {
        (Some(from), _) if from == "-" => Source::Input,
        (Some(from), _) if from.as_str().is_empty() => {
            return Err(Failure::Usage("`--from` names no archive: what was typed is empty".to_owned()));
        }
        (Some(from), _) => Source::File(environment::working_folder()?.join(from)),
        (None, Some(address)) => Source::Address(address.clone()),
        (None, None) => Source::Manifest,
    })
}

/// Refuses what would read standard input twice.
pub(super) fn guard_input(source: &SourceArguments, manifest: &ManifestArguments) -> Result<(), Failure> {
    let is_input = |path: &Option<camino::Utf8PathBuf>| path.as_ref().is_some_and(|path| path == "-");
    if is_input(&source.from) && is_input(&manifest.manifest) {
        let what = "standard input can be read once: name the file of the archive, or that of the manifest";
        return Err(Failure::Usage(what.to_owned()));
    }
    Ok(())
}

/// What was typed that the archive has to agree with.
pub(super) fn proof(typed: &SourceArguments) -> Result<Proof, Failure> {
    let signature = match &typed.signature {
        Some(path) => Some(environment::working_folder()?.join(path)),
        None => None,
    };
    Ok(Proof { sha256: typed.sha256, signature })
}

/// Tells what came of it.
pub(super) fn told(report: &Report, target: &Target, request: &Request, outcome: &Outcome, diff: bool) {
    let plan = &outcome.plan;
    if report.is_json() {
        report.document(&answer(request, outcome));
        return;
    }
    if request.dry_run {
        if plan.is_empty() {
            report.line(format!("nothing to do: {} is as its manifest says", target.name));
        }
        confirm::show(report, plan, diff);
        return;
    }
    for notice in &plan.notices {
        report.notice(notice);
    }
    let name = &target.name;
    let Some(done) = outcome.done else {
        report.line(format!("nothing to do: {name} is as its manifest says"));
        return;
    };
    let downtime = done
        .downtime
        .map(|downtime| format!(", restarted in {} ms", downtime.as_millis()))
        .unwrap_or_default();
    let trial =
        plan.switch().and_then(|(_, switch)| Some((switch.watch.as_ref()?.period, &switch.from.version)));
    let trial = trial
        .map(|(period, back)| format!("; on trial for {period}: a failure takes {back} back"))
        .unwrap_or_default();
    let good = |text: String| report.done(text);
    match (request.operation, &outcome.before) {
        (Operation::Install, None) => {
            let version = Some(&outcome.after).filter(|version| **version != Version::unknown());
            let version = version.map(|version| format!(" {version}")).unwrap_or_default();
            good(format!("{name}{version} is installed"));
            report.say(format!("  `mainstay status --name {name}` shows how it is, `mainstay uninstall --name {name}` removes it"));
        }
        (_, Some(before)) if *before != outcome.after => {
            good(format!("{name}: {before} -> {}{downtime}{trial}", outcome.after));
        }
        _ => good(format!("{name} is as its manifest says{downtime}")),
    }
}

fn answer(request: &Request, outcome: &Outcome) -> ChangeAnswer {
    let downtime = outcome.done.and_then(|done| done.downtime);
    ChangeAnswer {
        from: outcome.before.clone(),
        to: Some(outcome.after.clone()),
        operation: request.operation.to_string(),
        ..confirm::answer(&outcome.plan, request.dry_run, downtime)
    }
}
