//! Carrying out a plan: each step journalled before and after, and all undone if one fails.

use std::time::Duration;

use self::undone::give_up;
use crate::engine::event::Event;
use crate::engine::failure::{Failure, StepError};
use crate::engine::hands::Hands;
use crate::engine::journal::Journal;
use crate::engine::obstacle::{Fate, Point};
use crate::engine::{Context, leftovers, reserve, trial};
use crate::host::files::FileError;
use crate::host::{clock, files};
use crate::model::history;
use crate::model::launch::tree_name;
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::package::tree::{Complete, Staging, read_complete};
use crate::plan::step::{Operation, Plan, Step, Undo};

mod undone;

/// What an operation came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// For how long the program did not answer, where it was restarted.
    pub downtime: Option<Duration>,
}

/// Carries out a plan under the instance's lock.
pub(crate) fn execute(
    context: &Context<'_>,
    plan: &Plan,
    of: &Marker,
    staged: Option<(Staging, Complete)>,
) -> Result<Done, Failure> {
    let hands = Hands::new(context, of.clone(), staged);
    if !plan.steps.is_empty() {
        if context.obstacle.at(Point::Opening) != Fate::Nothing {
            return Err(Failure::Killed);
        }
        if plan.operation != Operation::Cleanup {
            // A clean-up does without, and makes room for others.
            reserve::free_if_scarce(&context.layout);
        }
        match Journal::open(&context.layout.operation(&plan.of.name), plan) {
            Err(error) if plan.operation == Operation::Cleanup && error.is_full() => {
                return without_journal(context, &hands, plan);
            }
            opened => advance(context, &hands, plan, opened?, 0)?,
        }
    }
    finish(context, &hands, plan)?;
    if !plan.steps.is_empty() {
        reserve::keep(&context.layout, plan.operation);
    }
    Ok(Done { downtime: hands.downtime() })
}

/// Cleans up on a disk that has no room for a journal: that is when it is needed. Nothing of it has to be undone, since
/// each step stands for itself, and the names tell what is left to do.
fn without_journal(context: &Context<'_>, hands: &Hands<'_>, plan: &Plan) -> Result<Done, Failure> {
    context.notice("there is no room for a journal, so old versions are removed without one");
    let _ = files::remove(&context.layout.operation(&plan.of.name).with_extension("new"));
    let failed = |step: &Step| {
        let step = step.to_string();
        move |error| Failure::Step { operation: plan.operation, step, source: Box::new(error) }
    };
    // What is written comes when there is room again.
    let (records, removals): (Vec<&Step>, Vec<&Step>) =
        plan.steps.iter().map(|planned| &planned.step).partition(|step| matches!(step, Step::Record { .. }));
    for step in removals.into_iter().chain(&plan.after).chain(records) {
        context.tell(Event::Step(step.clone()));
        hands.perform(step).map_err(failed(step))?;
    }
    Ok(Done::default())
}

/// Does the steps from a place on, and closes the journal; undoes them all if one fails.
pub(crate) fn advance(
    context: &Context<'_>,
    hands: &Hands<'_>,
    plan: &Plan,
    mut journal: Journal,
    from: usize,
) -> Result<(), Failure> {
    for (place, planned) in plan.steps.iter().enumerate().skip(from) {
        let outcome = noted(context, || journal.begin(place)).and_then(|()| {
            context.tell(Event::Step(planned.step.clone()));
            match context.obstacle.at(Point::Begun(place)) {
                Fate::Nothing => hands.perform(&planned.step),
                Fate::Failure => Err(StepError::Asked),
                Fate::Death => Err(StepError::Killed),
            }
        });
        let outcome = outcome.and_then(|()| match context.obstacle.at(Point::Done(place)) {
            Fate::Nothing => Ok(()),
            Fate::Failure => Err(StepError::Asked),
            Fate::Death => Err(StepError::Killed),
        });
        // A step that can't be written down is a step that failed: with half of it done and no word of it, the
        // operation must not end here.
        match outcome.and_then(|()| noted(context, || journal.end(place))) {
            Ok(()) => {}
            Err(StepError::Killed) => return Err(Failure::Killed),
            Err(error) => return Err(give_up(context, hands, plan, journal, place, error)),
        }
    }
    if context.obstacle.at(Point::Closing) == Fate::Death {
        return Err(Failure::Killed);
    }
    noted(context, || journal.close()).map_err(|error| unclosed(plan, "is done".to_owned(), error))
}

/// Writes to the journal, if it can be written.
fn noted(context: &Context<'_>, write: impl FnOnce() -> Result<(), FileError>) -> Result<(), StepError> {
    if context.obstacle.fills_journal() {
        return Err(StepError::Asked);
    }
    Ok(write()?)
}

/// What has become of an operation whose journal can't be closed.
pub(crate) fn unclosed(plan: &Plan, outcome: String, error: StepError) -> Failure {
    Failure::Unclosed { operation: plan.operation, outcome, source: Box::new(error) }
}

/// Remembers the version that a plan has not brought: it is not tried again unless somebody asks.
pub(crate) fn mark_bad(context: &Context<'_>, plan: &Plan, reason: &str) {
    let Some((_, to)) = plan.versions().filter(|(from, to)| from != to) else { return };
    if plan.operation == Operation::Rollback {
        return;
    }
    let (layout, name, tree) = (&context.layout, &plan.of.name, tree_name(&plan.of.component, to));
    let published = plan.steps.iter().find_map(|planned| match &planned.step {
        Step::Publish { digest, .. } => Some(*digest),
        _ => None,
    });
    let digest = published.or_else(|| read_complete(&layout.tree(name, &tree)).map(|whole| whole.digest));
    let marked = trial::mark_bad(layout, name, (to, digest), (reason, clock::now()));
    if let Err(failure) = marked {
        context.notice(format!("that {to} failed could not be remembered: {failure}"));
    }
}

/// Undoes the steps before a place, last first.
pub(crate) fn undo(
    context: &Context<'_>,
    hands: &Hands<'_>,
    plan: &Plan,
    journal: &mut Journal,
    before: usize,
    reason: &str,
) -> Result<(), StepError> {
    for (place, planned) in plan.steps.iter().enumerate().take(before).rev() {
        match context.obstacle.at(Point::Undoing(place)) {
            Fate::Nothing => {}
            Fate::Failure => return Err(StepError::Asked),
            Fate::Death => return Err(StepError::Killed),
        }
        if planned.undo != Undo::Nothing {
            context.tell(Event::Undoing(planned.step.to_string()));
            hands.undo(planned, reason)?;
        }
        // Undoing twice does no harm, and it is not left halfway because it can't be written down.
        let _ = noted(context, || journal.undone(place));
    }
    Ok(())
}

/// What follows when the steps stand.
fn finish(context: &Context<'_>, hands: &Hands<'_>, plan: &Plan) -> Result<(), Failure> {
    for (place, step) in plan.after.iter().enumerate() {
        if context.obstacle.at(Point::After(place)) != Fate::Nothing {
            return Err(Failure::Killed);
        }
        context.tell(Event::Step(step.clone()));
        match (hands.perform(step), step) {
            (Ok(()), _) => {}
            (Err(error), Step::EmptyTrash { .. }) => {
                context.notice(format!("what was put away stays for now: {error}"));
            }
            (Err(StepError::NotReady { reason, exit, retrying: true, log }), step) => {
                let beside = matches!(step, Step::Overlap { .. });
                return Err(Failure::NotReady { reason, exit, log, beside });
            }
            (Err(StepError::NotReady { reason, exit, retrying: false, log }), _) => {
                return Err(Failure::Down { reason, exit, log });
            }
            (Err(StepError::Call(error)), _) => return Err(Failure::Call(error)),
            (Err(error), step @ Step::Hook(_)) => {
                let step = step.to_string();
                return Err(Failure::Afterwards { operation: plan.operation, step, source: Box::new(error) });
            }
            (Err(error), Step::TidySnapshots { .. }) => {
                context.notice(format!("superseded snapshots stay for now: {error}"));
            }
            (Err(error), step) => {
                let step = step.to_string();
                return Err(Failure::Step { operation: plan.operation, step, source: Box::new(error) });
            }
        }
    }
    Ok(())
}

/// Removes what an undone operation has put away. Failing to is no failure: the next operation does it.
pub(crate) fn sweep(context: &Context<'_>, name: &InstanceName) {
    leftovers::sweep(context, name);
    // The folder was made before the plan, for the archive to be unpacked in.
    let _ = files::remove_empty_folder(&context.layout.install(name));
}

/// Adds what became of an operation to the history, if the instance has one.
pub(crate) fn remember(
    context: &Context<'_>,
    plan: &Plan,
    action: history::Action,
    reason: &str,
    downtime: Option<Duration>,
) {
    let path = context.layout.history(&plan.of.name);
    let versions = plan.versions().map(|(from, to)| (from.clone(), to.clone()));
    let (from, to) = match versions {
        Some((old, new)) if action == history::Action::Finished => (Some(old), Some(new)),
        // Taken back: from the new one to the old one.
        Some((old, new)) => (Some(new), Some(old)),
        None => (None, None),
    };
    let event = history::Event {
        at: clock::now(),
        action,
        from,
        to,
        downtime_ms: downtime.and_then(|downtime| u64::try_from(downtime.as_millis()).ok()),
        reason: Some(reason.to_owned()),
        source: None,
        user: context.caller.name.clone(),
    };
    if files::facts(&path).is_ok_and(|facts| facts.is_some()) {
        let line = serde_json::to_string(&event).unwrap_or_default();
        if let Err(error) = files::append(&path, &line, 0o644) {
            context.notice(format!("the history could not be written: {error}"));
        }
    }
}
