//! Recovery: bringing an operation that died to an end, by what it left behind. Finished if the new launch
//! has been ready, else undone. Recovering twice changes nothing the second time.

use std::time::{Duration, Instant};

use crate::engine::event::Event;
use crate::engine::execute::{advance, mark_bad, remember, unclosed, undo};
use crate::engine::failure::{Failure, StepError};
use crate::engine::hands::Hands;
use crate::engine::journal::{self, Journal, Unfinished};
use crate::engine::preparation::{self, Settled};
use crate::engine::ready::{Awaited, await_ready};
use crate::engine::{Context, adoption, leftovers, operation, registry, report, reserve, switch, trial};
use crate::host::files;
use crate::model::history::Action;
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::model::trial::{Stage, Switch};
use crate::plan::step::{Operation, Plan, Step};
use crate::platform::calls::Sockets;
use crate::platform::identity;

/// How long a supervisor that has lost the command may take to let the new launch take over, which the link names.
const TAKE_OVER: Duration = Duration::from_secs(3);
/// How often its report is looked at meanwhile.
const GLANCE: Duration = Duration::from_millis(20);

/// What recovery found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// Nothing unfinished.
    Nothing,
    /// The operation was brought to its end.
    Finished,
    /// The operation was undone.
    Undone,
}

/// Whether an operation was left unfinished. Takes no lock, so it may be one that is just under way.
pub fn is_unfinished(context: &Context<'_>, name: &InstanceName) -> Result<bool, Failure> {
    Ok(is_journalled(context, name)? || preparation::is_unfinished(&context.layout, name)?)
}

/// Whether an operation has begun to change the instance, and has come to no end.
pub(crate) fn is_journalled(context: &Context<'_>, name: &InstanceName) -> Result<bool, Failure> {
    let (operation, switch) = (context.layout.operation(name), context.layout.switch(name));
    Ok(files::facts(&operation)?.is_some() || files::facts(&switch)?.is_some())
}

/// Brings an unfinished operation to an end, under the instance's lock, and removes what is left over.
pub(crate) fn recover(context: &Context<'_>, name: &InstanceName) -> Result<Recovered, Failure> {
    let mut outcome = end(context, name)?;
    if let Some((settled, left)) = preparation::settle(&context.layout, name)? {
        for left in left {
            context.notice(left);
        }
        if outcome == Recovered::Nothing {
            outcome = match settled {
                Settled::Kept => Recovered::Finished,
                Settled::Undone => Recovered::Undone,
            };
        }
    }
    if let Some(from) = trial::left_to_a_start(&context.layout, name)? {
        // Its start could not take it back, on a full disk say; another may.
        context.notice("what runs has failed in its trial: the service is restarted with the version before");
        let hands = Hands::new(context, identity(&from), None);
        if let Err(error) = hands.run_from(&from, true, Sockets::Left) {
            context.notice(format!("{} could not be restarted: {error}", from.name));
        }
    }
    trial::account(&context.layout, name, &context.means())?;
    leftovers::sweep(context, name);
    // It was made before the plan, for the archive to be unpacked in.
    files::remove_empty_folder(&context.layout.install(name))?;
    Ok(outcome)
}

fn end(context: &Context<'_>, name: &InstanceName) -> Result<Recovered, Failure> {
    let path = context.layout.operation(name);
    let Some(unfinished) = journal::read(&path)? else {
        return loose_switch(context, name);
    };
    reserve::free_if_scarce(&context.layout);
    let journal = Journal::reopen(&path)?;
    // As the instance was when the operation began: the manifest may say something else by now.
    let of = &unfinished.plan.of;
    let hands = Hands::new(context, of.clone(), None);
    let operation = unfinished.plan.operation;
    let next = unfinished.ended.iter().position(|ended| !ended);
    let next = next.into_iter().chain(unfinished.undone_from).min();
    let outcome = match decide(context, of, &unfinished)? {
        Verdict::Forward => {
            hands
                .renew_sockets(&unfinished.plan, true)
                .map_err(|error| stuck(&unfinished.plan, next, &error))?;
            if let Some((_, switch)) = unfinished.plan.switch() {
                hands.measure(&switch.to.identity());
            }
            let from = next.map_or(unfinished.plan.steps.len(), |next| past_the_wait(&unfinished.plan, next));
            advance(context, &hands, &unfinished.plan, journal, from)?;
            let mut steps = unfinished.plan.steps.iter();
            if !steps.any(|planned| matches!(planned.step, Step::Record { .. })) {
                let reason = "the command that began it had died";
                remember(context, &unfinished.plan, Action::Finished, reason, hands.downtime());
            }
            Recovered::Finished
        }
        Verdict::Back { reason, failed } => {
            let before = unfinished.undone_from.unwrap_or(unfinished.begun);
            go_back(context, &hands, &unfinished.plan, journal, before, &reason, failed)?;
            Recovered::Undone
        }
    };
    let finished = outcome == Recovered::Finished;
    context.tell(Event::Recovered { name: name.clone(), operation, finished });
    Ok(outcome)
}

enum Verdict {
    Forward,
    Back {
        reason: String,
        /// Whether the new launch has failed, and not only who brought it.
        failed: bool,
    },
}

fn decide(context: &Context<'_>, of: &Marker, unfinished: &Unfinished) -> Result<Verdict, Failure> {
    let died = || Verdict::Back {
        reason: format!("the {} was interrupted", unfinished.plan.operation),
        failed: false,
    };
    if unfinished.undone_from.is_some() {
        // It may have become ready at the very last.
        let closed = switch::is_closed(&context.layout, &of.name);
        return Ok(if closed { Verdict::Forward } else { died() });
    }
    if unfinished.ended.iter().all(|ended| *ended) {
        return Ok(Verdict::Forward);
    }
    let Some((place, _)) = unfinished.plan.switch() else {
        // What was restarted and has become ready has passed its gate; only the records are left.
        let mut steps = unfinished.plan.steps.iter().zip(&unfinished.ended);
        let mut proved =
            steps.any(|(planned, ended)| *ended && matches!(planned.step, Step::AwaitReady { .. }));
        if let Some(reason) = adoption::taken_back(&context.layout, &of.name) {
            return Ok(Verdict::Back { reason, failed: false });
        }
        let awaited = unfinished.plan.steps.iter().take(unfinished.begun);
        if awaited.into_iter().any(|planned| matches!(planned.step, Step::AwaitReady { .. })) {
            proved |= adoption::has_proved(&context.layout, &of.name);
        }
        return Ok(if proved || was_first_ready(context, of, unfinished) {
            Verdict::Forward
        } else {
            died()
        });
    };
    let settled = unfinished
        .plan
        .steps
        .iter()
        .zip(&unfinished.ended)
        .any(|(planned, ended)| matches!(planned.step, Step::Settle) && *ended);
    if settled {
        return Ok(Verdict::Forward);
    }
    if unfinished.begun <= place {
        return Ok(died());
    }
    await_move(context, &of.name);
    let Some(switch) = switch::read(&context.layout, &of.name)? else {
        // Settling removes the switch as its last act; before it is recorded there is none either.
        return Ok(if settling(unfinished) { Verdict::Forward } else { died() });
    };
    if !unfinished.plan.is_gated() {
        // It was to stay stopped, so nothing proves it, unless somebody has started it.
        let proved = switch::has_passed(&context.layout, &switch);
        return Ok(if proved { Verdict::Forward } else { died() });
    }
    Ok(match on_trial(context, of, &switch) {
        Ok(()) => Verdict::Forward,
        Err(reason) => {
            // The guard may have taken it back while it was waited for.
            let now = switch::read(&context.layout, &of.name)?.unwrap_or(switch);
            let failed = match now.stage {
                Stage::TakenBack { .. } => true,
                // That nobody runs it, after a stop or a power cut, says nothing against it.
                Stage::Trial { .. } => switch::has_failed(&context.layout, &now),
                _ => false,
            };
            Verdict::Back { reason, failed }
        }
    })
}

/// Whether a service that was started for the first time is ready, though nobody was left to see it.
fn was_first_ready(context: &Context<'_>, of: &Marker, unfinished: &Unfinished) -> bool {
    let plan = &unfinished.plan;
    let waited = (0..unfinished.begun).find(|place| plan.starts_first(*place));
    let Some(Step::AwaitReady { launch, .. }) = waited.map(|place| &plan.steps[place].step) else {
        return false;
    };
    report::live(&context.layout, &of.name)
        .is_some_and(|status| status.launch == *launch && status.phase.is_up())
}

fn settling(unfinished: &Unfinished) -> bool {
    let mut begun = unfinished.plan.steps.iter().take(unfinished.begun);
    begun.any(|planned| matches!(planned.step, Step::Settle))
}

/// Waits while a start moves data, which goes on without whoever asked for it.
fn await_move(context: &Context<'_>, name: &InstanceName) {
    if switch::is_moving(&context.layout, name) {
        context.notice(format!("the data of {name} are being moved: that is waited for"));
    }
    while switch::is_moving(&context.layout, name) {
        std::thread::sleep(GLANCE);
    }
}

/// Whether the new launch of a switch is good: it was ready, or becomes so now.
fn on_trial(context: &Context<'_>, of: &Marker, switch: &Switch) -> Result<(), String> {
    match &switch.stage {
        Stage::Passed => took_over(context, switch),
        Stage::TakenBack { reason } | Stage::Returning { reason } => Err(reason.clone()),
        Stage::Trial { .. } if switch::was_ready(&context.layout, switch) => Ok(()),
        Stage::Moving => Err("the switch was interrupted while its data were moved".to_owned()),
        Stage::Pending => Err("the command that asked for the switch died before the restart".to_owned()),
        Stage::Trial { .. } => {
            let launch = switch.to.identity();
            let awaited = Awaited {
                launch: &launch,
                tree: &switch.to.tree(),
                supervision: switch.to.supervision,
                within: switch.to.gate.duration(),
                before: None,
                since: None,
            };
            await_ready(context, of, awaited).map_err(|error| error.to_string())
        }
    }
}

/// Whether the new launch of a switch that has passed is what runs, or will be. The link moves just before the new
/// start takes over from the one beside it, which may be lost in this moment: then what ran before goes on.
fn took_over(context: &Context<'_>, switch: &Switch) -> Result<(), String> {
    let old = switch.from.identity();
    if old == switch.to.identity() {
        return Ok(());
    }
    let until = Instant::now() + TAKE_OVER;
    while report::live(&context.layout, &switch.to.name).is_some_and(|status| status.launch == old) {
        if Instant::now() > until {
            return Err(format!("{} was lost before it took over from what runs", switch.to.tree()));
        }
        std::thread::sleep(GLANCE);
    }
    Ok(())
}

/// The step after the one at which an operation whose launch has been ready stood: neither the restart nor
/// the waiting is done again.
fn past_the_wait(plan: &Plan, next: usize) -> usize {
    let wait = plan
        .steps
        .iter()
        .position(|planned| matches!(planned.step, Step::AwaitReady { .. } | Step::MakeSwitch));
    wait.map_or(next, |wait| next.max(wait + 1))
}

fn go_back(
    context: &Context<'_>,
    hands: &Hands<'_>,
    plan: &Plan,
    mut journal: Journal,
    before: usize,
    reason: &str,
    failed: bool,
) -> Result<(), Failure> {
    match undo(context, hands, plan, &mut journal, before, reason) {
        Ok(()) => {
            if failed && !hands.is_unready() {
                mark_bad(context, plan, reason);
            }
            hands.renew_sockets(plan, false).map_err(|error| stuck(plan, Some(before), &error))?;
            // Before the journal is closed: whoever finds neither would never hear of it.
            let downtime = hands.downtime().filter(|_| !hands.is_unready());
            remember(context, plan, Action::Undone, reason, downtime);
            let closed = journal.close().map_err(StepError::from);
            closed.map_err(|error| unclosed(plan, "was undone".to_owned(), error))?;
            match hands.unready() {
                Some(StepError::NotRevived { call, reason: why }) => {
                    Err(Failure::NotRevived { reason: reason.to_owned(), call, why, log: Vec::new() })
                }
                _ => Ok(()),
            }
        }
        Err(StepError::Killed) => Err(Failure::Killed),
        Err(error) => {
            let last = plan.steps.get(before.saturating_sub(1));
            Err(Failure::Stuck {
                operation: plan.operation,
                step: last.map(|planned| planned.step.to_string()).unwrap_or_default(),
                undo: error.to_string(),
                source: Box::new(StepError::Other(reason.to_owned())),
            })
        }
    }
}

fn stuck(plan: &Plan, place: Option<usize>, error: &StepError) -> Failure {
    let step = place.and_then(|place| plan.steps.get(place)).or(plan.steps.last());
    Failure::Stuck {
        operation: plan.operation,
        step: step.map(|planned| planned.step.to_string()).unwrap_or_default(),
        undo: error.to_string(),
        source: Box::new(StepError::Other("its sockets have to be opened anew".to_owned())),
    }
}

/// A switch without an operation: the journal of the command that wrote it was lost.
fn loose_switch(context: &Context<'_>, name: &InstanceName) -> Result<Recovered, Failure> {
    await_move(context, name);
    let Some(found) = switch::read(&context.layout, name)? else { return Ok(Recovered::Nothing) };
    let of = identity(&found.to);
    if on_trial(context, &of, &found).is_ok() {
        switch::settle(&context.layout, name)?;
        return Ok(Recovered::Finished);
    }
    let hands = Hands::new(context, of, None);
    let lost = "the operation that asked for it was lost";
    hands.take_back(&found, &[], lost).map_err(|error| Failure::Stuck {
        operation: Operation::Upgrade,
        step: format!("switch to {}", found.to.tree()),
        undo: error.to_string(),
        source: Box::new(StepError::Other(lost.to_owned())),
    })?;
    Ok(Recovered::Undone)
}

/// The instances of a scope in which something was left unfinished.
pub fn unfinished(layout: &Layout) -> Result<Vec<InstanceName>, Failure> {
    let names = files::list(&layout.journals())?.unwrap_or_default();
    let mut found = Vec::new();
    for name in names.into_iter().filter_map(|name| InstanceName::new(name).ok()) {
        if files::list(&layout.journal(&name))?.is_some_and(|entries| !entries.is_empty()) {
            found.push(name);
        }
    }
    for name in preparation::unfinished(layout)? {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    Ok(found)
}

/// Brings what was left unfinished of one instance to an end.
pub fn recover_instance(context: &Context<'_>, name: &InstanceName) -> Result<Recovered, Failure> {
    let layout = &context.layout;
    let mut is_known = false;
    // The lock is never deleted: there was an operation on it once, which may have left something.
    for path in [layout.operation_lock(name), layout.journal(name), layout.state(name)] {
        is_known |= files::facts(&path)?.is_some();
    }
    if !is_known {
        return Ok(Recovered::Nothing);
    }
    operation::guard_rights(context)?;
    let outcome = operation::locked(context, name, || recover(context, name))?;
    for notice in registry::instances(layout).notices {
        context.notice(notice);
    }
    Ok(outcome)
}
