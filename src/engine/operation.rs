//! The frame of every operation: the instance's lock, and whatever was left unfinished brought to an end
//! before anything new is decided.

use std::time::Duration;

use crate::engine::failure::Failure;
use crate::engine::{Context, recover, registry, trust};
use crate::host::lock::{self, LockError};
use crate::host::{account, files};
use crate::model::manifest::Scope;
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::plan::step::Plan;

/// How long a command waits for another one on the same instance: long enough for one that is just ending.
const PATIENCE: Duration = Duration::from_millis(500);

/// Does something to an instance while no other command can, after recovery.
pub(crate) fn exclusively<T>(
    context: &Context<'_>,
    of: &Marker,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    guard_rights(context)?;
    locked(context, &of.name, || {
        recover::recover(context, &of.name)?;
        work()
    })
}

/// Whether a plan leaves nothing to do, and no operation before it has left anything.
pub(crate) fn is_done(context: &Context<'_>, name: &InstanceName, plan: &Plan) -> Result<bool, Failure> {
    Ok(plan.is_empty() && !recover::is_unfinished(context, name)?)
}

/// Carries out a plan that was shown, if it is agreed to. Under the lock it is decided again; where another plan comes of
/// that, it has to be agreed to as well. Of a plan that changes nothing nobody is asked.
pub(crate) fn carried_out<T>(
    context: &Context<'_>,
    of: &Marker,
    shown: &Plan,
    agree: &dyn Fn(&Plan) -> Result<bool, Failure>,
    decide: impl FnOnce() -> Result<Plan, Failure>,
    work: impl FnOnce(&Plan) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if !shown.is_empty() && !agree(shown)? {
        return Err(Failure::Declined);
    }
    let outcome = exclusively(context, of, || {
        let under_lock = decide()?;
        if under_lock.steps != shown.steps && !agree(&under_lock)? {
            return Err(Failure::Changed(of.name.clone()));
        }
        work(&under_lock)
    });
    for notice in registry::instances(&context.layout).notices {
        context.notice(notice);
    }
    outcome
}

/// Does something to an instance while no other command can.
pub(crate) fn locked<T>(
    context: &Context<'_>,
    name: &InstanceName,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let layout = &context.layout;
    let tidied = || {
        let outcome = work();
        // What an instance leaves that has gone for good are its locks, and nothing else.
        if matches!(files::facts(&layout.state(name)), Ok(None)) {
            let _ = files::remove_empty_folder(&layout.journal(name));
        }
        outcome
    };
    match lock::holding(&layout.operation_lock(name), PATIENCE, tidied) {
        Ok(outcome) => outcome,
        Err(LockError::Held(_)) => Err(Failure::Busy(name.clone())),
        Err(error) => Err(Failure::Lock(error)),
    }
}

/// Whether the caller may change anything in this scope.
pub fn guard_rights(context: &Context<'_>) -> Result<(), Failure> {
    let moved = context.layout.root.is_some();
    if context.layout.scope == Scope::System && account::effective_uid() != 0 && !moved {
        return Err(Failure::Rights("changing an instance of the system scope needs root".to_owned()));
    }
    trust::guard_layout(&context.layout)
}
