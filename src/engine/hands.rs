//! The hands: how each step is done, and undone.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use camino::Utf8Path;

use crate::engine::event::Event as Told;
use crate::engine::failure::{CallError, StepError};
use crate::engine::logs::tail;
use crate::engine::ready::{Awaited, await_ready, step_error};
use crate::engine::supervisor::active_launch;
use crate::engine::{Context, development, report, snapshot, switch, trial};
use crate::host::files;
use crate::host::{account, clock, identity, relocation};
use crate::model::history::Event;
use crate::model::launch::LaunchSpec;
use crate::model::marker::Marker;
use crate::model::moment::Moment;
use crate::model::status::{Phase, ProcessIdentity, Status};
use crate::package::tree::{self, Complete, Staging};
use crate::plan::apply::patience;
use crate::plan::step::{Earlier, Planned, Step, Undo};
use crate::platform::call::Call;
use crate::platform::calls::{self, Sockets};

mod data;
mod edited;
mod outcome;
mod sockets;

/// How long a service manager may take to begin a start that it was asked for.
const START_LIMIT: Duration = Duration::from_secs(2);
/// How often it is asked whether it has.
const GLANCE: Duration = Duration::from_millis(50);
/// More than one event of the history has, in bytes.
const LARGEST_EVENT: u64 = 64 << 10;

/// What carries out the steps of one operation.
pub(crate) struct Hands<'a> {
    context: &'a Context<'a>,
    of: Marker,
    staged: RefCell<Option<(Staging, Complete)>>,
    /// The supervisor before the last call, whose words count no more after it.
    before: Cell<Option<ProcessIdentity>>,
    /// Whether it ran before the last call.
    ran: Cell<bool>,
    called: Cell<Option<(Instant, Moment)>>,
    downtime: Cell<Option<Duration>>,
    unready: RefCell<Option<StepError>>,
}

impl<'a> Hands<'a> {
    /// Hands for an operation on one instance, with the archive that was unpacked for it.
    pub(crate) fn new(context: &'a Context<'a>, of: Marker, staged: Option<(Staging, Complete)>) -> Self {
        Self {
            context,
            of,
            staged: RefCell::new(staged),
            before: Cell::new(None),
            ran: Cell::new(false),
            called: Cell::new(None),
            downtime: Cell::new(None),
            unready: RefCell::new(None),
        }
    }

    /// Why what was gone back to is not ready, if it is not. It is back all the same.
    pub(crate) fn unready(&self) -> Option<StepError> {
        self.unready.take()
    }

    /// Whether there is such a reason.
    pub(crate) fn is_unready(&self) -> bool {
        self.unready.borrow().is_some()
    }

    /// The time without an answer.
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
            Step::Write { path, text, mode, owner } => outcome::written(path, text, *mode, owner.as_ref())?,
            Step::Edit { path, before, after, mode, rights, needed } => {
                let texts = (before.as_deref(), after.as_deref());
                let edited = account::acting_as(rights.as_ref(), || edited::edit(path, texts, *mode))??;
                if let Some(reason) = edited.as_ref().filter(|_| *needed) {
                    return Err(StepError::Other(format!("`{path}` is left as it is: {reason}")));
                }
                if let Some(reason) = edited {
                    self.context.notice(format!("`{path}` is left as it is: {reason}"));
                }
            }
            Step::OwnFolder { path, there, rights } => {
                account::acting_as(rights.as_ref(), || match there {
                    true => files::create_folder(path, 0o700, None),
                    false => files::remove_empty_folder(path),
                })??;
            }
            Step::Record { path, event } => self.record(path, event)?,
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
            Step::Move { from, to } => relocation::rename(from, to)?,
            Step::Runtime { program, folder } => {
                files::create_folder(folder, 0o755, None)?;
                let file = folder.file_name().map(|build| layout.runtime_file(build));
                files::copy_program(program, &file.unwrap_or_else(|| folder.join("mainstay")))?;
            }
            Step::Publish { folder, tree, over, .. } => self.publish(folder, tree, *over)?,
            Step::Mark { folder, tree, program } => tree::mark(folder, tree, program)?,
            Step::EmptyTrash { folder, entry } => {
                if files::facts(folder)?.is_some() {
                    match entry {
                        Some(entry) => tree::empty_trash_of(folder, entry)?,
                        None => tree::empty_trash(folder)?,
                    };
                }
            }
            Step::Call { call } => self.call(call)?,
            Step::Hook(hook) => self.hook(hook)?,
            Step::MakeSwitch => self.make_switch()?,
            Step::TidySnapshots { .. } => {
                switch::locked(layout, &self.of.name, || snapshot::tidy(layout, &self.of.name))
                    .map_err(step_error)?;
            }
            Step::Overlap { within, otherwise } => self.overlap(within.duration(), otherwise)?,
            Step::Switch { switch } => switch::record(layout, switch).map_err(step_error)?,
            Step::EndTrial { trial } => {
                if !trial::close(layout, &self.of.name, trial).map_err(step_error)? {
                    let reason = format!("{} was taken back meanwhile", trial.tree);
                    return Err(StepError::Other(reason));
                }
            }
            Step::AwaitReady { tree, launch, supervision, within } => {
                let within = within.duration();
                self.await_ready(Awaited {
                    launch,
                    tree,
                    supervision: *supervision,
                    within,
                    before: self.before.get(),
                    since: None,
                })?;
            }
            Step::Settle => self.settle()?,
            Step::Development { container, verb } => {
                development::hands::perform(&self.of, container, verb)?;
            }
        }
        Ok(())
    }

    /// Undoes a step. Undoing what was not done, or was undone, does no harm.
    pub(crate) fn undo(&self, planned: &Planned, reason: &str) -> Result<(), StepError> {
        match &planned.undo {
            Undo::Nothing => Ok(()),
            Undo::Steps(_) if outcome::is_unmoved(&planned.step)? => Ok(()),
            Undo::Steps(steps) => self.perform_inverses(steps),
            Undo::Return(steps) => {
                self.perform_inverses(steps)?;
                self.leave_what_is_no_more()
            }
            // There is nothing else to try: the supervisor goes on with what there is.
            Undo::Restart { first, values: Earlier::Lost(_) } if first.is_empty() => Ok(()),
            Undo::Restart { first, .. } => {
                self.perform_inverses(first)?;
                match active_launch(&self.context.layout, &self.of.name) {
                    Ok(spec) => self.run_from(&spec, true, Sockets::Left),
                    Err(error) => Err(StepError::Other(error.to_string())),
                }
            }
            Undo::Restore(first, calls) => self.restore(first, calls),
            Undo::Revive { old, otherwise } => self.revive(old, otherwise),
            Undo::Start(calls) => self.as_far_as_it_runs(
                calls.iter().try_for_each(|call| self.call(call)).and_then(|()| self.see_it_start()),
            ),
            Undo::GiveBack => match &planned.step {
                Step::Switch { switch } => self.give_back(switch, reason),
                _ => Ok(()),
            },
            Undo::TakeBack { first } => match &planned.step {
                Step::Switch { switch } => self.take_back(switch, first, reason),
                _ => Ok(()),
            },
        }
    }

    fn perform_inverses<'b>(&self, steps: impl IntoIterator<Item = &'b Step>) -> Result<(), StepError> {
        steps.into_iter().try_for_each(|step| match self.perform(step) {
            // A service manager that does not run has nothing to forget: it reads everything at its next
            // start, and must not keep the rest from being undone. An engine forgets no container.
            Err(StepError::Call(CallError::Unavailable { .. })) if !is_of_engine(step) => Ok(()),
            // Nor must one that says no, which it would say each time.
            Err(error @ StepError::Call(CallError::Failed { .. })) if !is_of_engine(step) => {
                self.context.notice(format!("while going back, {error}"));
                Ok(())
            }
            outcome => outcome,
        })
    }

    /// That the program does not become ready is for its owner to know, and no reason to keep the instance from
    /// every other operation: what could be undone is.
    fn as_far_as_it_runs(&self, outcome: Result<(), StepError>) -> Result<(), StepError> {
        match outcome {
            Err(
                error @ (StepError::NotReady { .. }
                | StepError::Other(_)
                | StepError::Call(CallError::Failed { .. })),
            ) => {
                self.context.notice(format!("{} is as it was before, and not ready: {error}", self.of.name));
                self.unready.replace(Some(error));
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Where the host was started again after a crash, the service may run a launch that is being undone, from
    /// a tree that goes next.
    fn leave_what_is_no_more(&self) -> Result<(), StepError> {
        let (layout, name) = (&self.context.layout, &self.of.name);
        if !self.context.manager.seen(&self.of).is_ok_and(|seen| seen.state.runs()) {
            return Ok(());
        }
        if let Ok(spec) = active_launch(layout, name) {
            return self.run_from(&spec, false, Sockets::Left);
        }
        let limit = LaunchSpec::bare(&self.of).stop_limit();
        calls::stop(&self.of, limit, self.sockets()).iter().try_for_each(|call| self.call(call))
    }

    /// A start is asked for and not waited for: for a moment the manager may still see what was before it.
    fn see_it_start(&self) -> Result<(), StepError> {
        let began = Instant::now();
        loop {
            match self.context.manager.seen(&self.of) {
                Ok(seen) if !seen.state.runs() => {}
                // What does not answer can't say that it failed.
                Ok(_) | Err(_) => return Ok(()),
            }
            if began.elapsed() > START_LIMIT {
                return Err(StepError::Other(format!("{} did not start again", self.of.name)));
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// Sees a launch run, and restarts the service if it is another that runs, or if it is to run anew.
    pub(crate) fn run_from(&self, spec: &LaunchSpec, anew: bool, sockets: Sockets) -> Result<(), StepError> {
        self.as_far_as_it_runs(self.restarted_from(spec, anew, sockets))
    }

    fn restarted_from(&self, spec: &LaunchSpec, anew: bool, sockets: Sockets) -> Result<(), StepError> {
        let name = &self.of.name;
        let launch = spec.identity();
        let runs = report::live(&self.context.layout, name).filter(|status| status.launch == launch);
        let (tree, supervision) = (spec.tree(), spec.supervision);
        let within = patience(spec.ready.timeout).duration();
        let awaited =
            Awaited { launch: &launch, tree: &tree, supervision, within, before: None, since: None };
        if let Some(status) = runs.filter(|_| !anew) {
            // The guard may have been first, and the program still have to get ready. What is asked to end already
            // says nothing of the launch: another start of it follows.
            let ends = status.phase == Phase::Stopping || self.before.get() == Some(status.supervisor);
            return self.await_ready(Awaited { before: ends.then_some(status.supervisor), ..awaited });
        }
        self.context.tell(Told::Undoing(format!("restart {name} with {}", spec.tree())));
        // Those that the launch before had none of are closed by what undoes its definition.
        let sockets = if spec.sockets.is_empty() { Sockets::Left } else { sockets };
        for call in calls::replace(&self.of, sockets) {
            self.call(&call)?;
        }
        self.await_ready(Awaited { before: self.before.get(), ..awaited })
    }

    fn publish(&self, folder: &Utf8Path, name: &str, over: bool) -> Result<(), StepError> {
        let path = folder.join(name);
        let Some((staging, complete)) = self.staged.take() else {
            // A crash came after the renaming and before the journal's word of it.
            return if tree::is_whole(&path) {
                Ok(())
            } else {
                Err(StepError::Other(format!("`{path}` is not unpacked")))
            };
        };
        if over {
            staging.replace(name, &complete)?
        } else {
            staging.publish(name, &complete)?
        };
        Ok(())
    }

    /// Adds an event to the history, unless a crash came between the adding and the journal's word of it.
    fn record(&self, path: &Utf8Path, event: &Event) -> Result<(), StepError> {
        let mut event = event.clone();
        event.downtime_ms = self.downtime.get().and_then(|downtime| u64::try_from(downtime.as_millis()).ok());
        if files::facts(path)?.is_some() {
            let end = files::read_end(path, LARGEST_EVENT)?;
            let last = end.lines().next_back().and_then(|line| serde_json::from_str::<Event>(line).ok());
            // What was planned before it was written down may stand there already.
            let is_it = |last: &Event| {
                last.at >= event.at
                    && (last.action, &last.from, &last.to) == (event.action, &event.from, &event.to)
            };
            if last.as_ref().is_some_and(is_it) {
                return Ok(());
            }
        }
        // It is planned at the beginning, and counts from its end.
        event.at = event.at.max(clock::now());
        // An event holds only strings and numbers.
        files::append(path, &serde_json::to_string(&event).unwrap_or_default(), 0o644)?;
        Ok(())
    }

    fn call(&self, call: &Call) -> Result<(), StepError> {
        let status = report::read(&self.context.layout, &self.of.name);
        self.ran.set(status.as_ref().is_some_and(|status| !status.phase.is_final()));
        self.called.set(Some((Instant::now(), clock::now())));
        self.before.set(None);
        self.context.manager.call(call)?;
        // What goes on running goes on having a say.
        let over = |status: &Status| call.ends_what_runs() || !identity::runs(status.supervisor);
        self.before.set(status.filter(over).map(|status| status.supervisor));
        Ok(())
    }

    fn await_ready(&self, awaited: Awaited<'_>) -> Result<(), StepError> {
        let called = self.called.get();
        let since = called.map_or_else(clock::now, |(_, moment)| moment);
        let awaited = Awaited { since: called.map(|(_, moment)| moment), ..awaited };
        match await_ready(self.context, &self.of, awaited) {
            Ok(()) => {
                // What was down before it was called for says nothing of this start.
                let measured = self.measured(awaited.launch).filter(|_| self.ran.get());
                let waited = called.map(|(instant, _)| instant.elapsed());
                self.downtime.set(waited.map(|waited| measured.unwrap_or(waited)));
                Ok(())
            }
            Err(StepError::NotReady { reason, exit, retrying, .. }) => {
                let log = tail::tail(self.context, &self.of, since, 10);
                Err(StepError::NotReady { reason, exit, retrying, log })
            }
            Err(other) => Err(other),
        }
    }
}

/// Whether what a step makes stays with an engine of containers, also while that does not answer.
fn is_of_engine(step: &Step) -> bool {
    matches!(step, Step::Development { .. })
}
