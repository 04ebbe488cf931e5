//! What becomes of an operation of which a step has failed: all before it is undone, and the person hears how the service
//! is now.

use crate::engine::execute::{mark_bad, noted, remember, sweep, unclosed, undo};
use crate::engine::failure::{Failure, StepError};
use crate::engine::hands::Hands;
use crate::engine::journal::Journal;
use crate::engine::{Context, report, reserve, space, switch};
use crate::host::files;
use crate::model::history;
use crate::model::status::Exit;
use crate::plan::apply::AFTER_START;
use crate::plan::step::{Earlier, Plan, Step};

/// Undoes what was done before a step that failed, writes down what that means, and says what became of the operation.
pub(super) fn give_up(
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
    let became = Undone { place, reason, switched, unready };
    became.told(context, plan, error)
}

/// An operation that was undone, with what there is to say of it.
struct Undone {
    /// The step that failed.
    place: usize,
    /// Why, as one sentence.
    reason: String,
    /// Whether another launch ran meanwhile.
    switched: bool,
    /// Why what runs again is not ready, if it is not.
    unready: Option<StepError>,
}

impl Undone {
    /// The failure by which a person hears of it: how the service is now decides, and then which step it was.
    fn told(self, context: &Context<'_>, plan: &Plan, error: StepError) -> Failure {
        let Self { place, reason, switched, unready } = self;
        let (operation, step) = (plan.operation, plan.steps[place].step.to_string());
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

fn told(error: &StepError) -> (Option<Exit>, Vec<String>) {
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
