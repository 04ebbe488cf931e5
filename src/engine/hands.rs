//! The hands: how each step is done, and undone.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::event::Event;
use crate::engine::failure::{CallError, StepError};
use crate::engine::ready::{Awaited, await_ready, step_error};
use crate::engine::{Context, log, report, switch};
use crate::host::command::{self, Manner};
use crate::host::{account, files};
use crate::model::marker::Marker;
use crate::model::status::ProcessIdentity;
use crate::package::tree::{self, Complete, Staging};
use crate::plan::apply::await_ready as awaiting;
use crate::plan::step::{Step, Undo};
use crate::platform::call::Call;
use crate::platform::calls;

/// How long a hook may take.
const HOOK_LIMIT: Duration = Duration::from_secs(600);

/// What carries out the steps of one operation.
pub(crate) struct Hands<'a> {
    context: &'a Context<'a>,
    of: Marker,
    staged: RefCell<Option<(Staging, Complete)>>,
    /// The supervisor before the last call, whose words count no more after it.
    before: Cell<Option<ProcessIdentity>>,
    called: Cell<Option<Instant>>,
    downtime: Cell<Option<Duration>>,
}

impl<'a> Hands<'a> {
    /// Hands for an operation on one instance, with the archive that was unpacked for it.
    pub(crate) fn new(context: &'a Context<'a>, of: Marker, staged: Option<(Staging, Complete)>) -> Self {
        Self {
            context,
            of,
            staged: RefCell::new(staged),
            before: Cell::new(None),
            called: Cell::new(None),
            downtime: Cell::new(None),
        }
    }

    /// From the last call to readiness: the time without an answer.
    pub(crate) fn downtime(&self) -> Option<Duration> {
        self.downtime.get()
    }

    /// Does a step. Doing it again after a crash does no harm.
    pub(crate) fn perform(&self, step: &Step) -> Result<(), StepError> {
        let layout = &self.context.layout;
        match step {
            Step::Folder { path, mode, owner } => {
                files::create_folder(path, *mode, owner.as_ref())?;
            }
            Step::Write { path, text, mode, rights } => {
                account::acting_as(rights.as_ref(), || files::write(path, text, *mode, None))??;
            }
            Step::Record { path, event } => {
                let mut event = event.clone();
                event.downtime_ms =
                    self.downtime.get().and_then(|downtime| u64::try_from(downtime.as_millis()).ok());
                // An event holds only strings and numbers.
                files::append(path, &serde_json::to_string(&event).unwrap_or_default(), 0o644)?;
            }
            Step::Remove { path } => {
                files::remove(path)?;
            }
            Step::RemoveFolder { path } => {
                files::remove_empty_folder(path)?;
            }
            Step::Link { path, target } => {
                switch::locked(layout, &self.of.name, || Ok(files::link(path, target)?))
                    .map_err(step_error)?;
            }
            Step::Move { from, to } => files::rename(from, to)?,
            Step::Runtime { program, folder } => {
                files::create_folder(folder, 0o755, None)?;
                files::copy_program(program, &folder.join("mainstay"))?;
            }
            Step::Publish { folder, tree, .. } => self.publish(folder, tree)?,
            Step::EmptyTrash { folder } => {
                tree::empty_trash(folder)?;
            }
            Step::Call { call } => self.call(call)?,
            Step::Hook { field, argv, environment, folder, rights } => {
                let environment: Vec<_> = environment.clone().into_iter().collect();
                let manner = Manner {
                    environment: Some(&environment),
                    folder: Some(folder),
                    rights: rights.as_ref(),
                    limit: Some(HOOK_LIMIT),
                };
                run_hook(field, argv, manner)?;
            }
            Step::Switch { switch } => switch::record(layout, switch).map_err(step_error)?,
            Step::AwaitReady { tree, launch, supervision, within } => {
                let within = within.duration();
                self.await_ready(Awaited {
                    launch,
                    tree,
                    supervision: *supervision,
                    within,
                    before: self.before.get(),
                })?;
            }
            Step::Settle => switch::forget(layout, &self.of.name).map_err(step_error)?,
        }
        Ok(())
    }

    /// Undoes a step. Undoing what was not done, or was undone, does no harm.
    pub(crate) fn undo(&self, undo: &Undo, reason: &str) -> Result<(), StepError> {
        match undo {
            Undo::Nothing => Ok(()),
            Undo::Steps(steps) => steps.iter().try_for_each(|step| match self.perform(step) {
                // A service manager that does not run has nothing to forget: it reads everything at its next
                // start, and must not keep the rest from being undone.
                Err(StepError::Call(CallError::Unavailable { .. })) => Ok(()),
                outcome => outcome,
            }),
            Undo::Start(calls) => {
                calls.iter().try_for_each(|call| self.call(call))?;
                let running = |seen: crate::engine::manager::Seen| seen.state.runs();
                match self.context.manager.seen(&self.of).map(running) {
                    Ok(true) | Err(_) => Ok(()),
                    Ok(false) => Err(StepError::Other(format!("{} did not start again", self.of.name))),
                }
            }
            Undo::TakeBack => self.take_back(reason),
        }
    }

    /// Brings the old launch back, and sees it run.
    fn take_back(&self, reason: &str) -> Result<(), StepError> {
        let layout = &self.context.layout;
        let name = &self.of.name;
        let Some(from) = switch::take_back(layout, name, reason).map_err(step_error)? else { return Ok(()) };
        let launch = from.identity();
        let runs_old = report::live(layout, name).is_some_and(|status| status.launch == launch);
        if !runs_old {
            self.context.tell(Event::Undoing(format!("restart {name} with {}", from.tree())));
            for call in calls::restart(&self.of) {
                self.call(&call)?;
            }
            if let Step::AwaitReady { tree, launch, supervision, within } =
                awaiting(&from, from.ready.timeout)
            {
                let within = within.duration();
                let before = self.before.get();
                self.await_ready(Awaited { launch: &launch, tree: &tree, supervision, within, before })?;
            }
        }
        switch::forget(layout, name).map_err(step_error)
    }

    fn publish(&self, folder: &Utf8Path, name: &str) -> Result<(), StepError> {
        let path = folder.join(name);
        let Some((staging, complete)) = self.staged.take() else {
            // A crash came after the renaming and before the journal's word of it.
            return if tree::is_whole(&path) {
                Ok(())
            } else {
                Err(StepError::Other(format!("`{path}` is not unpacked")))
            };
        };
        staging.publish(name, &complete)?;
        Ok(())
    }

    fn call(&self, call: &Call) -> Result<(), StepError> {
        self.before.set(report::read(&self.context.layout, &self.of.name).map(|status| status.supervisor));
        self.called.set(Some(Instant::now()));
        Ok(self.context.manager.call(call)?)
    }

    fn await_ready(&self, awaited: Awaited<'_>) -> Result<(), StepError> {
        let called = self.called.get();
        let since = crate::host::clock::now();
        match await_ready(self.context, &self.of, awaited) {
            Ok(()) => {
                self.downtime.set(called.map(|called| called.elapsed()));
                Ok(())
            }
            Err(StepError::NotReady { reason, exit, retrying, .. }) => {
                let log = log::tail(self.context, &self.of, since, 10);
                Err(StepError::NotReady { reason, exit, retrying, log })
            }
            Err(other) => Err(other),
        }
    }
}

fn run_hook(field: &str, argv: &[String], manner: Manner<'_>) -> Result<(), StepError> {
    let failed = |reason: String| StepError::Hook { field: field.to_owned(), reason };
    let output = command::output(argv, manner).map_err(|error| failed(error.to_string()))?;
    if output.code == Some(0) {
        return Ok(());
    }
    let ending = output
        .code
        .map_or_else(|| "it was ended by a signal".to_owned(), |code| format!("it exited with code {code}"));
    let last = output.stderr.lines().chain(output.stdout.lines()).next_back().unwrap_or_default().to_owned();
    Err(failed(if last.is_empty() { ending } else { format!("{ending}: {last}") }))
}

/// Where an undone tree is put, so that nothing of it is removed in a hurry.
#[must_use]
pub(crate) fn trash_folders(plan: &crate::plan::step::Plan) -> Vec<Utf8PathBuf> {
    let mut folders: Vec<Utf8PathBuf> = Vec::new();
    for planned in &plan.steps {
        let steps = match &planned.undo {
            Undo::Steps(steps) => steps.as_slice(),
            _ => &[],
        };
        for step in steps {
            if let Step::Move { to, .. } = step
                && let Some(folder) = to.parent()
                && !folders.iter().any(|known| known == folder)
            {
                folders.push(folder.to_owned());
            }
        }
    }
    folders
}
