//! Plans, shown; and the one question, before anything changes.

use std::io::BufRead as _;
use std::time::Duration;

use camino::Utf8Path;

use crate::cli::difference;
use crate::cli::report::{Report, style, styled};
use crate::cli::words;
use crate::engine::failure::Failure;
use crate::model::answer::plan::ChangeAnswer;
use crate::model::shown;
use crate::plan::step::{Plan, Step};

/// Shows the files and commands of a plan.
pub(crate) fn show(report: &Report, plan: &Plan, diff: bool) {
    for line in difference::lines(&plan.difference, diff) {
        if diff { report.verbatim(line) } else { report.line(line) }
    }
    if plan.is_empty() {
        for notice in &plan.notices {
            report.notice(notice);
        }
        return;
    }
    report.line(styled(style::STRONG, format!("{} {}:", plan.operation, plan.of.name)));
    for step in &plan.preparation {
        report.line(format!("  {}", words::visible(step)));
    }
    for step in plan.steps.iter().map(|planned| &planned.step).chain(&plan.after) {
        report.line(format!("  {step}"));
        // What only its owner may read is shown to nobody.
        if let Step::Write { text, mode, .. } | Step::Edit { after: Some(text), mode, .. } = step
            && report.is_verbose()
            && mode & 0o044 != 0
        {
            for line in text.lines() {
                report.verbatim(styled(style::FAINT, format!("    | {}", shown::line(line))));
            }
        }
    }
    for line in room(plan) {
        report.line(format!("  {line}"));
    }
    for notice in &plan.notices {
        report.notice(notice);
    }
}

/// Shows a file as a plan writes it.
pub(crate) fn show_text(report: &Report, plan: &Plan, path: &Utf8Path) {
    let written = plan.steps.iter().find_map(|planned| match &planned.step {
        Step::Write { path: written, text, .. } if written == path => Some(text),
        Step::Edit { path: written, after: Some(text), .. } if written == path => Some(text),
        _ => None,
    });
    let Some(text) = written else { return };
    report.say(format!("  {path}:"));
    for line in text.lines() {
        report.say(styled(style::FAINT, format!("    {}", shown::line(line))));
    }
}

/// What a plan takes of the disk and frees, in words.
fn room(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(takes) = plan.room.takes {
        let shared = plan.room.shared.filter(|shared| *shared > 0);
        let shared =
            shared.map(|shared| format!(", and shares {} with another version", words::size(shared)));
        lines.push(format!("takes {} of the disk{}", words::size(takes), shared.unwrap_or_default()));
    }
    if let Some(frees) = plan.room.frees {
        lines.push(format!("frees {} of the disk", words::size(frees)));
    }
    lines
}

/// What a plan means for whoever uses the service: how long it is down, and what is the way back.
fn summary(plan: &Plan) -> Option<String> {
    let steps = || plan.steps.iter().map(|planned| &planned.step).chain(&plan.after);
    let within = steps().find_map(|step| match step {
        Step::AwaitReady { within, .. } => Some(within),
        _ => None,
    });
    let mut said = Vec::new();
    match within {
        _ if plan.overlaps() => said.push("the new version takes over without a pause".to_owned()),
        Some(within) if plan.switch().is_some() => {
            said.push(format!("the service is down until it is ready again, at most {within}"));
        }
        _ if plan.starts_anew() => said.push("the service is down until it is ready again".to_owned()),
        _ => {}
    }
    let back =
        plan.switch().filter(|(_, switch)| switch.watch.is_some() && switch.from.tree() != switch.to.tree());
    if let Some((_, switch)) = back {
        said.push(format!("{} stays as the way back", switch.from.version));
    }
    (!said.is_empty()).then(|| format!("In short: {}.", said.join("; ")))
}

/// The files and commands of a plan, a line each.
pub(crate) fn lines(plan: &Plan) -> Vec<String> {
    let steps = plan.steps.iter().map(|planned| &planned.step).chain(&plan.after).map(ToString::to_string);
    plan.preparation.iter().cloned().chain(steps).collect()
}

/// A time, as documents have it.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A plan that would be carried out, or was, as the document that tells of it.
pub(crate) fn answer(plan: &Plan, dry_run: bool, downtime: Option<Duration>) -> ChangeAnswer {
    ChangeAnswer {
        dry_run,
        drift: plan.difference.drift.clone(),
        fields: plan.difference.fields.clone(),
        diffs: difference::diffs(&plan.difference),
        drop_ins: plan.difference.drop_ins.clone(),
        steps: lines(plan),
        notices: plan.notices.clone(),
        restarts: plan.starts_anew(),
        downtime_ms: downtime.and_then(|downtime| u64::try_from(downtime.as_millis()).ok()),
        takes_bytes: plan.room.takes,
        frees_bytes: plan.room.frees,
        ..ChangeAnswer::of(&plan.operation.to_string(), plan.of.name.clone(), !plan.is_empty())
    }
}

/// Asks whether a plan is to be carried out. Without a person to ask, `--yes` has to be typed.
pub(crate) fn agree(report: &Report, plan: &Plan, yes: bool, question: &str) -> Result<bool, Failure> {
    agree_on(report, plan, yes, question, false)
}

/// What a plan changes and why, told beside what the command answers.
pub(crate) fn tell(report: &Report, plan: &Plan, diff: bool) {
    for line in difference::lines(&plan.difference, diff) {
        report.say(format!("  {line}"));
    }
}

/// Likewise, with the definitions line by line where that is wanted.
pub(crate) fn agree_on(
    report: &Report,
    plan: &Plan,
    yes: bool,
    question: &str,
    diff: bool,
) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    guard(report, plan.operation)?;
    tell(report, plan, diff);
    for step in &plan.preparation {
        report.say(format!("  {}", words::visible(step)));
    }
    for step in plan.steps.iter().map(|planned| &planned.step).chain(&plan.after) {
        report.say(format!("  {step}"));
    }
    for line in room(plan) {
        report.say(format!("  {line}"));
    }
    for notice in &plan.notices {
        report.notice(notice);
    }
    if let Some(summary) = summary(plan) {
        report.say(styled(style::STRONG, summary));
    }
    Ok(answered(report, question))
}

/// Asks about what was shown already.
pub(crate) fn asked(report: &Report, command: &str, yes: bool, question: &str) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    guard(report, command)?;
    Ok(answered(report, question))
}

/// Whether anybody is there to be asked.
fn guard(report: &Report, command: impl std::fmt::Display) -> Result<(), Failure> {
    if report.can_ask() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "`{command}` asks before it changes anything, and nobody is there to ask: add `--yes`"
    )))
}

fn answered(report: &Report, question: &str) -> bool {
    report.ask(&format!("{question} [y/N]"));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer).unwrap_or(0);
    read > 0 && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
