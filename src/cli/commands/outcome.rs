//! What came of an operation, in words or as a document.

use crate::cli::confirm;
use crate::cli::report::Report;
use crate::engine::change::{Outcome, Request};
use crate::engine::target::Target;
use crate::host::account;
use crate::model::answer::plan::ChangeAnswer;
use crate::model::version::Version;
use crate::plan::step::{Operation, Plan, Step};

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
    // It is only tried.
    if let Some(user) = lingering(plan).filter(|user| account::lingers(user) == Some(true)) {
        report.say(format!(
            "  lingering is switched on for {user}, so that its services run without a login; \
             `loginctl disable-linger {user}` takes that back"
        ));
    }
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

/// For whom a plan has switched lingering on.
fn lingering(plan: &Plan) -> Option<&str> {
    plan.steps.iter().find_map(|planned| match &planned.step {
        Step::Call { call } => call.lingers(),
        _ => None,
    })
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

/// Tells what came of a plan of which nothing but the plan is known.
pub(super) fn plan_told(report: &Report, plan: &Plan, dry_run: bool, outcome: &str) {
    if report.is_json() {
        report.document(&confirm::answer(plan, dry_run, None));
    } else if dry_run && !plan.is_empty() {
        confirm::show(report, plan, false);
    } else if plan.is_empty() {
        report.line(format!("nothing to do: {outcome}"));
    } else {
        report.done(outcome);
    }
}
