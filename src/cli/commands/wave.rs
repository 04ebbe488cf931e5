//! `upgrade --all`: the same for all instances of a component, one after the other.

use super::upgrade::{carried_out, has_trees, request};
use crate::cli::arguments::{TargetArguments, UpgradeArguments};
use crate::cli::report::{Report, style, styled};
use crate::cli::surroundings::{layout, target_to_change, with_context};
use crate::cli::{confirm, failure};
use crate::engine::change::Request;
use crate::engine::failure::Failure;
use crate::engine::remove::{Removal, remove};
use crate::engine::target::Target;
use crate::engine::wave::{await_trial, members};
use crate::engine::{lifecycle, operation};
use crate::model::answer::wave::{WaveAnswer, WaveInstance, WaveState};
use crate::model::name::InstanceName;
use crate::model::version::Version;
use crate::plan::step::{Operation, Plan};

/// The exit code of what was done as asked.
const DONE: u8 = 0;

/// `upgrade --all`
pub(crate) fn wave(report: &Report, arguments: &UpgradeArguments) -> Result<u8, Failure> {
    let Some(component) = arguments.target.component.clone() else {
        return Err(Failure::Usage("`--all` needs the component: `--component NAME`".to_owned()));
    };
    let layout = layout(arguments.target.scope)?;
    let (members, notices) = members(&layout, &component, arguments.canary.as_ref())?;
    for notice in &notices {
        report.notice(notice);
    }
    let names: Vec<InstanceName> = members.into_iter().map(|marker| marker.name).collect();
    if !arguments.dry_run {
        with_context(report, layout, operation::guard_rights)?;
    }
    let shown = arguments.dry_run || !arguments.yes;
    let mut instances: Vec<WaveInstance> = names.iter().map(untouched).collect();
    let mut code = DONE;
    if shown {
        code = each(report, arguments, &mut instances, true);
        if arguments.dry_run || code != DONE {
            let answer = WaveAnswer { schema: "wave.v1".to_owned(), component, dry_run: true, instances };
            finish(report, &answer);
            return Ok(code);
        }
        let question = format!("Do this to {} instances, one after the other?", instances.len());
        if !confirm::asked(report, "upgrade --all", arguments.yes, &question)? {
            return Err(Failure::Declined);
        }
        instances = names.iter().map(untouched).collect();
    }
    code = code.max(each(report, arguments, &mut instances, false));
    finish(report, &WaveAnswer { schema: "wave.v1".to_owned(), component, dry_run: false, instances });
    Ok(code)
}

fn untouched(name: &InstanceName) -> WaveInstance {
    WaveInstance {
        name: name.clone(),
        state: WaveState::Untouched,
        from: None,
        to: None,
        steps: Vec::new(),
        downtime_ms: None,
        failure: None,
    }
}

/// Does it to each, until one fails; gives that one's exit code.
fn each(report: &Report, arguments: &UpgradeArguments, instances: &mut [WaveInstance], dry_run: bool) -> u8 {
    let count = instances.len();
    for (place, instance) in instances.iter_mut().enumerate() {
        let name = instance.name.clone();
        report.forget_notes();
        report.say(format!("{} of {count}: {name}", place + 1));
        let outcome = one(report, arguments, instance, dry_run).and_then(|()| {
            let waits = arguments.wait_trial && place == 0 && !dry_run && count > 1;
            match instance.to.as_ref().filter(|_| waits) {
                Some(version) => trial(report, arguments, &name, version),
                None => Ok(()),
            }
        });
        if let Err(failed) = outcome {
            instance.state = WaveState::Failed;
            let answer = failure::said(report, &failed);
            let code = answer.exit_code;
            instance.failure = Some(answer);
            return code;
        }
    }
    DONE
}

fn target(report: &Report, arguments: &UpgradeArguments, name: &InstanceName) -> Result<Target, Failure> {
    let by_name = TargetArguments {
        name: Some(name.clone()),
        instance_dir: None,
        component: None,
        scope: arguments.target.scope,
    };
    target_to_change(report, &by_name)
}

fn one(
    report: &Report,
    arguments: &UpgradeArguments,
    instance: &mut WaveInstance,
    dry_run: bool,
) -> Result<(), Failure> {
    let target = target(report, arguments, &instance.name)?;
    let of = target.installed()?;
    let agree = |_: &Plan| Ok(true);
    let plan = if arguments.cleanup {
        with_context(report, target.layout.clone(), |context| {
            remove(context, of, Removal::OldVersions, dry_run, &agree)
        })?
    } else if arguments.restart_only && has_trees(&target) {
        let (plan, done) = with_context(report, target.layout.clone(), |context| {
            lifecycle::lifecycle(context, of, Operation::Restart, dry_run)
        })?;
        instance.downtime_ms = done.and_then(|done| done.downtime).map(confirm::milliseconds);
        plan
    } else {
        let request = Request { dry_run, ..request(arguments)? };
        let outcome = carried_out(report, &target, &request, &agree)?;
        instance.from = outcome.before;
        instance.to = Some(outcome.after);
        instance.downtime_ms = outcome.done.and_then(|done| done.downtime).map(confirm::milliseconds);
        outcome.plan
    };
    instance.steps = confirm::lines(&plan);
    if !dry_run || plan.is_empty() {
        // A plan that is shown brings them along.
        for notice in &plan.notices {
            report.notice(format!("{}: {notice}", instance.name));
        }
    }
    instance.state = if dry_run {
        if !plan.is_empty() {
            confirm::show(report, &plan, false);
        }
        WaveState::Untouched
    } else if plan.is_empty() {
        WaveState::Unchanged
    } else {
        WaveState::Done
    };
    Ok(())
}

fn trial(
    report: &Report,
    arguments: &UpgradeArguments,
    name: &InstanceName,
    version: &Version,
) -> Result<(), Failure> {
    let layout = layout(arguments.target.scope)?;
    report.say(format!("waiting until {name} has passed its trial"));
    with_context(report, layout, |context| {
        await_trial(context, name, version, &|standing| {
            if standing.ready_seconds.is_multiple_of(10) {
                let (ready, of) = (standing.ready_seconds, standing.of_seconds);
                report.say(format!("  {name} has been ready for {ready} of {of} s"));
            }
        })
    })
}

fn finish(report: &Report, answer: &WaveAnswer) {
    if report.is_json() {
        report.document(answer);
        return;
    }
    if answer.dry_run && answer.instances.iter().all(|instance| instance.failure.is_none()) {
        return;
    }
    for instance in &answer.instances {
        let versions = match (&instance.from, &instance.to) {
            (Some(from), Some(to)) if from != to && instance.state == WaveState::Done => {
                format!("  {from} -> {to}")
            }
            _ => String::new(),
        };
        let downtime =
            instance.downtime_ms.map(|downtime| format!(", restarted in {downtime} ms")).unwrap_or_default();
        let style = match instance.state {
            WaveState::Done => style::GOOD,
            WaveState::Failed => style::BAD,
            WaveState::Unchanged | WaveState::Untouched => style::FAINT,
        };
        let state = styled(style, format!("{:<10}", instance.state));
        report.line(format!("{state} {}{versions}{downtime}", instance.name));
    }
}
