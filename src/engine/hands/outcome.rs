//! What a new start came to: whether it stays, and for how long nothing answered.

use std::time::Duration;

use camino::Utf8Path;

use super::Hands;
use crate::engine::container::revival;
use crate::engine::failure::{CallError, StepError};
use crate::engine::logs::tail;
use crate::engine::manager::State;
use crate::engine::ready::step_error;
use crate::engine::{adoption, report, switch};
use crate::host::clock;
use crate::host::files::{self, Facts, FileError, Kind};
use crate::host::relocation;
use crate::model::compose::OldContainer;
use crate::model::owner::Owner;
use crate::plan::step::Step;
use crate::platform::call::Call;
use crate::platform::calls;

/// Whether what was to be renamed still has its name: then it never was, or has it back.
pub(super) fn is_unmoved(step: &Step) -> Result<bool, FileError> {
    match step {
        Step::Move { from, to } => Ok(relocation::is_untouched(from, to)?),
        _ => Ok(false),
    }
}

/// Sees to it that a file is as it is to be. What stands there already needs no room: on a full disk an undo must not
/// fail for that.
pub(super) fn written(
    path: &Utf8Path,
    text: &str,
    mode: u32,
    owner: Option<&Owner>,
) -> Result<(), FileError> {
    let is_owners =
        |facts: &Facts| owner.is_none_or(|owner| (owner.uid, owner.gid) == (facts.uid, facts.gid));
    let is_so = |facts: Facts| facts.kind == Kind::File && facts.mode == mode && is_owners(&facts);
    if files::facts(path)?.is_some_and(is_so) && files::read(path).ok().flatten().as_deref() == Some(text) {
        return Ok(());
    }
    files::write(path, text, mode, owner)
}

impl Hands<'_> {
    /// Brings back what ran before mainstay. Where its guard was faster, it runs already.
    pub(super) fn restore(&self, first: &[Step], calls: &[Call]) -> Result<(), StepError> {
        let is_back = adoption::taken_back(&self.context.layout, &self.of.name).is_some();
        self.perform_inverses(first)?;
        let runs = || self.context.manager.seen(&self.of).is_ok_and(|seen| seen.state == State::Active);
        if is_back && runs() {
            return Ok(());
        }
        let started = calls.iter().try_for_each(|call| self.call(call));
        self.as_far_as_it_runs(started.and_then(|()| self.see_it_start()))
    }

    /// Brings back the container that was there before mainstay. That it does not start is for its owner to know, and
    /// keeps nothing else from being undone.
    pub(super) fn revive(&self, old: &OldContainer, otherwise: &Call) -> Result<(), StepError> {
        let ours = calls::discard(&self.of, false).into_iter().map(|call| Step::Call { call });
        self.perform_inverses(&ours.collect::<Vec<_>>())?;
        match revival::revive(old, otherwise) {
            Err(CallError::Failed { call, reason }) => {
                self.unready.replace(Some(StepError::NotRevived { call, reason }));
                Ok(())
            }
            outcome => Ok(outcome?),
        }
    }

    /// Takes the time without an answer from the supervisor of a launch that was ready before this looked.
    pub(crate) fn measure(&self, launch: &str) {
        let measured = self.measured(launch);
        self.downtime.set(self.downtime.get().or(measured));
    }

    /// The time without an answer as the supervisors have seen it: from the request to end, or the death, of what was
    /// up before, to the readiness of this launch.
    pub(super) fn measured(&self, launch: &str) -> Option<Duration> {
        let status =
            report::read(&self.context.layout, &self.of.name).filter(|status| status.launch == launch);
        status?.downtime_ms.map(Duration::from_millis)
    }

    /// Closes the switch, unless the guard has taken the new version back in the last moment.
    pub(super) fn settle(&self) -> Result<(), StepError> {
        match switch::settle(&self.context.layout, &self.of.name).map_err(step_error)? {
            None => Ok(()),
            Some(reason) => {
                let since = self.called.get().map_or_else(clock::now, |(_, moment)| moment);
                let log = tail::tail(self.context, &self.of, since, 10);
                Err(StepError::NotReady { reason, exit: None, retrying: true, log })
            }
        }
    }
}
