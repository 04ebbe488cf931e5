//! The plan that removes an instance.

use camino::Utf8PathBuf;

use crate::model::adoption::Before;
use crate::model::history::{Action, Event};
use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::model::moment::Moment;
use crate::model::owner::Owner;
use crate::plan::apply::adopt::given_back;
use crate::plan::apply::close_trial;
use crate::plan::observed::{Observed, Running};
use crate::plan::step::files::{put_away, removed};
use crate::plan::step::{Operation, Plan, Step, Undo};
use crate::plan::undefined::boot_link;
use crate::platform::call::Call;
use crate::platform::calls::{self, Sockets};
use crate::platform::compose::{FILE_NAME, VARIABLES};
use crate::platform::identity;
use crate::platform::launchd::course::{Goal, Strange};

/// Decides how an instance is removed: stopped, deregistered, its versions put away. Configuration, data,
/// logs and history stay unless they are to be purged; the manifest always stays.
#[must_use]
pub fn uninstall(
    spec: &LaunchSpec,
    layout: &Layout,
    observed: &Observed,
    caller: &Owner,
    now: Moment,
    purge: bool,
    restore: Option<&Before>,
) -> Plan {
    let of = identity(spec);
    let undefined = observed.is_undefined(&spec.name);
    let plan = Plan::new(Operation::Uninstall, spec);
    let mut removal = Removal { plan, spec, layout, observed, of, undefined, now, purge };
    removal.stop();
    removal.sockets();
    removal.container();
    removal.definition();
    removal.records(caller);
    removal.folders();
    let Removal { mut plan, of, .. } = removal;
    if let Some(before) = restore {
        give_back(&mut plan, &of, observed, before);
    }
    if purge {
        // In user scope data and logs stand together in a folder of the instance's own.
        for folder in [layout.data(&spec.name), layout.logs(&spec.name)] {
            if let Some(parent) =
                folder.parent().filter(|parent| parent.file_name() == Some(spec.name.as_str()))
                && parent != layout.state(&spec.name)
            {
                plan.after.push(Step::RemoveFolder { path: parent.to_owned() });
            }
        }
    }
    plan.with_engine(spec)
}

/// A removal as it is being planned.
struct Removal<'a> {
    plan: Plan,
    spec: &'a LaunchSpec,
    layout: &'a Layout,
    observed: &'a Observed,
    of: Marker,
    /// Whether its definition is gone or says no longer whose it is.
    undefined: bool,
    now: Moment,
    purge: bool,
}

impl Removal<'_> {
    fn push(&mut self, (step, undo): (Step, Undo)) {
        self.plan.push(step, undo);
    }

    fn call(&mut self, call: Call, undo: Undo) {
        self.plan.push(Step::Call { call }, undo);
    }

    /// What starts with the host again, where it did.
    fn at_boot_again(&self, calls: impl IntoIterator<Item = Call>) -> Undo {
        if self.observed.enabled { Undo::calls(calls) } else { Undo::Nothing }
    }

    fn stop(&mut self) {
        let (spec, observed) = (self.spec, self.observed);
        // What runs of an instance does so also when its definition is gone. What has neither definition nor receipt may
        // be somebody else's, unless its guardian is ours.
        let is_ours = observed.definition.is_some() || self.undefined || spec.platform.is_guarded();
        if is_ours && observed.running != Running::No {
            let sockets = Sockets::if_any(observed.has_sockets(spec));
            for call in calls::stop(&self.of, spec.stop_limit(), sockets) {
                // Without its definition nobody could start it again.
                let again = observed.runs() && !self.undefined;
                let undo = if again { Undo::Start(calls::start(&self.of)) } else { Undo::Nothing };
                self.call(call, undo);
            }
        }
        if let Some(trial) = &observed.trial {
            // What is stopped does not count, and what is started again finds it again.
            close_trial(&mut self.plan, trial, &self.layout.trial(&spec.name));
        }
    }

    fn sockets(&mut self) {
        let Some(text) = &self.observed.socket else { return };
        let undo = self.at_boot_again([calls::sockets_at_boot(&self.of, true)]);
        self.call(calls::sockets_at_boot(&self.of, false), undo);
        let (step, undo) = removed(self.layout.socket_definition(&self.spec.name), text);
        self.push((step, undo.and_calls(calls::after_definition_written(&self.of))));
    }

    fn container(&mut self) {
        if self.observed.definition.is_some() {
            for call in calls::discard(&self.of, self.purge) {
                self.call(call, Undo::Nothing);
            }
        }
        if let Some(text) = &self.observed.compose {
            self.push(removed(self.spec.deploy.join(FILE_NAME), text));
            // What stands in it is put together again by the next start.
            let path = self.layout.state(&self.spec.name).join(VARIABLES);
            self.push((Step::Remove { path }, Undo::Nothing));
        }
    }

    fn definition(&mut self) {
        let (spec, layout, observed) = (self.spec, self.layout, self.observed);
        if observed.definition.is_none() && !self.undefined {
            return;
        }
        for call in calls::deregister(&self.of) {
            let undo = self.at_boot_again(calls::enable(&self.of));
            self.call(call, undo);
        }
        if let Some(text) = &observed.definition {
            let (step, undo) = removed(layout.definition(&spec.name, spec.platform), text);
            self.push((step, undo.and_calls(calls::after_definition_written(&self.of))));
        }
        if let Some(path) = boot_link(spec, layout).filter(|path| self.undefined && observed.has(path)) {
            self.push((Step::Remove { path }, Undo::Nothing));
        }
        for call in calls::after_definition_removed(&self.of) {
            self.call(call, Undo::Nothing);
        }
    }

    fn records(&mut self, caller: &Owner) {
        let (layout, name) = (self.layout, &self.spec.name);
        if let Some(receipt) = &self.observed.receipt {
            self.push(removed(layout.receipt(name), &receipt.text()));
            let event = Event {
                from: receipt.active().map(|active| active.version.clone()),
                ..Event::new(self.now, Action::Uninstalled, &caller.name)
            };
            self.push((Step::Record { path: layout.history(name), event }, Undo::Nothing));
        }
        let was_defined = self.observed.definition.is_some() || self.undefined;
        if self.spec.platform == PlatformKind::Systemd && !self.purge && was_defined {
            // The stop itself has written it.
            self.push((Step::Remove { path: layout.ended(name) }, Undo::Nothing));
        }
    }

    fn folders(&mut self) {
        for folder in put_away_folders(self.spec, self.layout, self.purge) {
            if self.observed.has(&folder)
                && let (Some(parent), Some(entry)) = (folder.parent(), folder.file_name())
            {
                self.push(put_away(parent, entry, self.now));
                let entry = Some(entry.to_owned());
                self.plan.after.push(Step::EmptyTrash { folder: parent.to_owned(), entry });
            }
        }
    }
}

/// The file of a container that was there before mainstay takes its place again, and its engine makes the container anew.
/// That is a step like others: if it can't be started, what was removed comes back.
fn give_container_back(plan: &mut Plan, observed: &Observed, before: &Before) {
    if let Some(file) = before.files.first() {
        let there = before.aside.as_ref().filter(|aside| observed.has(aside));
        match (there, &file.text) {
            (Some(aside), _) => plan.push(
                Step::Move { from: aside.clone(), to: file.path.clone() },
                Undo::step(Step::Move { from: file.path.clone(), to: aside.clone() }),
            ),
            // Somebody has removed it. What stands in it may be secret.
            (None, Some(text)) => plan.push(
                Step::Write {
                    path: file.path.clone(),
                    text: text.clone(),
                    mode: 0o600,
                    owner: file.owner.clone(),
                },
                Undo::step(Step::Remove { path: file.path.clone() }),
            ),
            (None, None) => {}
        }
    }
    for argv in &before.back {
        let call = calls::as_before(argv.clone());
        plan.push(Step::Call { call }, Undo::Nothing);
    }
}

/// What was there before mainstay comes back as it was found: its files, whether it starts with the host, and whether it
/// runs.
fn give_back(plan: &mut Plan, of: &Marker, observed: &Observed, before: &Before) {
    if of.platform == PlatformKind::Compose {
        return give_container_back(plan, observed, before);
    }
    for file in &before.files {
        if file.text.is_none() {
            plan.push(Step::Remove { path: file.path.clone() }, Undo::Nothing);
            continue;
        }
        plan.push(given_back(file), Undo::step(Step::Remove { path: file.path.clone() }));
    }
    if of.platform == PlatformKind::Launchd {
        let file = before.files.first().filter(|_| before.ran).map(|file| file.path.clone());
        let strange = file.map(|file| Strange { label: before.service.clone(), file });
        let starts = strange.iter().map(|strange| calls::of_strange(of, strange, Goal::Start));
        plan.after.splice(0..0, starts.map(|call| Step::Call { call }));
        return;
    }
    let again = if before.enabled { calls::enable(of) } else { Vec::new() };
    let starts = if before.ran { calls::start(of) } else { Vec::new() };
    // First of all, before what was put away is removed.
    let calls = calls::after_definition_written(of).into_iter().chain(again).chain(starts);
    plan.after.splice(0..0, calls.map(|call| Step::Call { call }));
}

/// The folders of an instance that an uninstall puts away: what only a running or installed service needs, or,
/// for a purge, all of them. None of them lies in another.
#[must_use]
pub fn put_away_folders(spec: &LaunchSpec, layout: &Layout, purge: bool) -> Vec<Utf8PathBuf> {
    let name = &spec.name;
    let state = layout.state(name);
    let (run, data, logs) = (layout.run(name, spec.platform), layout.data(name), layout.logs(name));
    let inner = [layout.launches(name), layout.report(name), run];
    let mut folders = vec![layout.install(name)];
    if purge {
        folders.extend([layout.config(name), state.clone()]);
        folders.extend(inner.into_iter().chain([data, logs]).filter(|folder| !folder.starts_with(&state)));
    } else {
        folders.extend(inner);
    }
    folders
}
