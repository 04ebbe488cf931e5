//! Carrying out a plan: each step journalled before and after, and all undone if one fails.

use std::time::Duration;

use crate::engine::event::Event;
use crate::engine::failure::{Failure, StepError};
use crate::engine::hands::Hands;
use crate::engine::journal::Journal;
use crate::engine::obstacle::{Fate, Point};
use crate::engine::{Context, leftovers, report, reserve, space, switch, trial};
use crate::host::files::FileError;
use crate::host::{clock, files};
use crate::model::history;
use crate::model::launch::tree_name;
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::package::tree::{Complete, Staging, read_complete};
use crate::plan::apply::AFTER_START;
use crate::plan::step::{Earlier, Operation, Plan, Step, Undo};

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

fn give_up(
    context: &Context<'_>,
    hands: &Hands<'_>,
    plan: &Plan,
    mut journal: Journal,
    place: usize,
    error: StepError,
) -> Failure {
    let step = plan.steps[place].step.to_string();
    let operation = plan.operation;
    let full = space::full(&context.layout, &plan.of.name);
    let reason = error.whole() + &full;
    // Whatever is to be written on the way back must find room.
    reserve::free_if_scarce(&context.layout);
    if is_closed(context, plan, place, &error) {
        let undo = "its data are closed to the version before, so the new one stays".to_owned();
        return Failure::Stuck { operation, step, undo, source: Box::new(error) };
    }
    if let Err(undoing) = undo(context, hands, plan, &mut journal, place + 1, &reason) {
        return match undoing {
            StepError::Killed => Failure::Killed,
            _ if (plan.switch().is_some() || plan.revives(place)) && !runs(context, plan) => {
                let (exit, log) = told(&error);
                let reason = format!(
                    "{reason}, and going back failed, which `mainstay recover` tries again: {undoing}"
                );
                Failure::Down { reason, exit, log }
            }
            _ => Failure::Stuck { operation, step, undo: undoing.to_string(), source: Box::new(error) },
        };
    }
    // On a full disk nothing is anybody's own fault.
    if is_its_own_fault(&plan.steps[place].step, &error) && !hands.is_unready() && full.is_empty() {
        mark_bad(context, plan, &reason);
    }
    let unready = hands.unready();
    let switched = plan.restarts_before(place)
        || (plan.is_gated()
            && plan.switch().is_some_and(|(at, _)| {
                // Where there was no room to write the switch down, there was none.
                at < place || (at == place && !error.is_full()) || unready.is_some()
            }));
    if switched {
        // Before the journal is closed: whoever finds neither would never hear of it.
        let downtime = hands.downtime().filter(|_| unready.is_none());
        remember(context, plan, history::Action::TakenBack, &reason, downtime);
    }
    if let Err(closing) = noted(context, || journal.close()) {
        return unclosed(plan, format!("failed at `{step}` ({reason}) and was undone"), closing);
    }
    sweep(context, &plan.of.name);
    if let Some(StepError::NotRevived { call, reason: why }) = unready {
        return Failure::NotRevived { reason, call, why, log: told(&error).1 };
    }
    let values = plan.earlier_values(place);
    if let Earlier::Lost(why) = values {
        let name = plan.of.name.clone();
        return match unready.as_ref().unwrap_or(&error) {
            unready @ StepError::NotReady { .. } => {
                let (exit, log) = told(unready);
                Failure::ValuesLost { name, reason, why, exit, log }
            }
            _ => Failure::Step { operation, step, source: Box::new(error) },
        };
    }
    if let Some(unready) = unready {
        let why = format!("{reason}; what ran before is back, and not ready: {unready}");
        let (exit, log) = told(&unready);
        let given_up = matches!(unready, StepError::NotReady { retrying: false, .. });
        return if given_up || !runs(context, plan) {
            Failure::Down { reason: why, exit, log }
        } else {
            Failure::NotReady { reason: why, exit, log, beside: false }
        };
    }
    if switched {
        let (_, log) = told(&error);
        return match values {
            Earlier::Kept => Failure::ValuesTakenBack { reason, log },
            _ if plan.versions().is_some_and(|(from, to)| from == to) => {
                Failure::SettingsTakenBack { reason, log }
            }
            _ => Failure::TakenBack { reason, log },
        };
    }
    match error {
        StepError::NotReady { reason, log, .. } if plan.starts_first(place) => {
            let name = plan.of.name.clone();
            let written = context.layout.logs(&name);
            let written = files::facts(&written).is_ok_and(|facts| facts.is_some()).then_some(written);
            Failure::NeverReady { name, reason, log, written }
        }
        error => Failure::Step { operation, step, source: Box::new(error) },
    }
}

/// Whether the way back of a switch is closed: the new launch has been ready, and its data can't go back with the old
/// one. What is left to do is done by `recover`.
fn is_closed(context: &Context<'_>, plan: &Plan, place: usize, error: &StepError) -> bool {
    let Some((_, planned)) = plan.switch() else { return false };
    if !planned.data.is_nothing() && matches!(plan.steps[place].step, Step::Settle) {
        // What it takes to go back may be gone with the record of it; where the guard has taken the launch back in the
        // meantime, there is nothing left to go back from.
        return !matches!(error, StepError::NotReady { .. });
    }
    let before = plan.steps.iter().take(place);
    let awaited = before.into_iter().any(|planned| matches!(planned.step, Step::AwaitReady { .. }));
    planned.is_one_way() && (awaited || switch::is_closed(&context.layout, &plan.of.name))
}

/// Whether a step has failed because of the new version, and would fail again.
fn is_its_own_fault(step: &Step, error: &StepError) -> bool {
    match step {
        Step::AwaitReady { .. } | Step::Overlap { .. } | Step::Settle => {
            matches!(error, StepError::NotReady { .. })
        }
        Step::Hook(hook) => hook.field == AFTER_START && matches!(error, StepError::Hook { .. }),
        _ => false,
    }
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

fn told(error: &StepError) -> (Option<crate::model::status::Exit>, Vec<String>) {
    match error {
        StepError::NotReady { exit, log, .. } => (*exit, log.clone()),
        _ => (None, Vec::new()),
    }
}

/// Whether anything of it runs. Of a native program nobody but the service manager knows.
fn runs(context: &Context<'_>, plan: &Plan) -> bool {
    match context.manager.seen(&plan.of) {
        Ok(seen) => seen.state.runs(),
        Err(_) => report::live(&context.layout, &plan.of.name).is_some(),
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
