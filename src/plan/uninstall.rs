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
use crate::model::receipt::Receipt;
use crate::plan::apply::adopt::given_back;
use crate::plan::apply::{close_trial, put_away};
use crate::plan::observed::{Observed, Running};
use crate::plan::step::{Operation, Plan, Step, Undo};
use crate::plan::undefined::boot_link;
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
    let mut plan = Plan::new(Operation::Uninstall, spec);
    let name = &spec.name;
    let of = identity(spec);
    // What runs of an instance does so also when its definition is gone. What has neither definition nor receipt may be
    // somebody else's, unless its guardian is ours.
    let undefined = observed.is_undefined(name);
    let is_ours = observed.definition.is_some() || undefined || spec.platform.is_guarded();
    if is_ours && observed.running != Running::No {
        let sockets = Sockets::if_any(observed.has_sockets(spec));
        for call in calls::stop(&of, spec.stop_limit(), sockets) {
            // Without its definition nobody could start it again.
            let again = observed.runs() && !undefined;
            let undo = if again { Undo::Start(calls::start(&of)) } else { Undo::Nothing };
            plan.push(Step::Call { call }, undo);
        }
    }
    if let Some(trial) = &observed.trial {
        // What is stopped does not count, and what is started again finds it again.
        close_trial(&mut plan, trial, &layout.trial(name));
    }
    if let Some(text) = &observed.socket {
        let undo =
            if observed.enabled { Undo::calls([calls::sockets_at_boot(&of, true)]) } else { Undo::Nothing };
        plan.push(Step::Call { call: calls::sockets_at_boot(&of, false) }, undo);
        let path = layout.socket_definition(name);
        let back = Step::Write { path: path.clone(), text: text.clone(), mode: 0o644, owner: None };
        plan.push(Step::Remove { path }, Undo::step(back).and_calls(calls::after_definition_written(&of)));
    }
    if observed.definition.is_some() {
        for call in calls::discard(&of, purge) {
            plan.push(Step::Call { call }, Undo::Nothing);
        }
    }
    if let Some(text) = &observed.compose {
        let path = spec.deploy.join(FILE_NAME);
        let back = Step::Write { path: path.clone(), text: text.clone(), mode: 0o644, owner: None };
        plan.push(Step::Remove { path }, Undo::step(back));
        // What stands in it is put together again by the next start.
        plan.push(Step::Remove { path: layout.state(name).join(VARIABLES) }, Undo::Nothing);
    }
    if observed.definition.is_some() || undefined {
        for call in calls::deregister(&of) {
            let undo = if observed.enabled { Undo::calls(calls::enable(&of)) } else { Undo::Nothing };
            plan.push(Step::Call { call }, undo);
        }
        let path = layout.definition(name, spec.platform);
        if let Some(text) = &observed.definition {
            let back = Step::Write { path: path.clone(), text: text.clone(), mode: 0o644, owner: None };
            let undo = Undo::step(back).and_calls(calls::after_definition_written(&of));
            plan.push(Step::Remove { path }, undo);
        }
        if let Some(path) = boot_link(spec, layout).filter(|path| undefined && observed.has(path)) {
            plan.push(Step::Remove { path }, Undo::Nothing);
        }
        for call in calls::after_definition_removed(&of) {
            plan.push(Step::Call { call }, Undo::Nothing);
        }
    }
    if let Some(receipt) = &observed.receipt {
        let path = layout.receipt(name);
        let undo = Step::Write { path: path.clone(), text: receipt.text(), mode: 0o644, owner: None };
        plan.push(Step::Remove { path }, Undo::step(undo));
        let event = Event {
            at: now,
            action: Action::Uninstalled,
            from: observed.receipt.as_ref().and_then(Receipt::active).map(|active| active.version.clone()),
            to: None,
            downtime_ms: None,
            reason: None,
            source: None,
            user: caller.name.clone(),
        };
        plan.push(Step::Record { path: layout.history(name), event }, Undo::Nothing);
    }
    if spec.platform == PlatformKind::Systemd && !purge && (observed.definition.is_some() || undefined) {
        // The stop itself has written it.
        plan.push(Step::Remove { path: layout.ended(name) }, Undo::Nothing);
    }
    for folder in put_away_folders(spec, layout, purge) {
        if observed.has(&folder)
            && let (Some(parent), Some(entry)) = (folder.parent(), folder.file_name())
        {
            let to = put_away(parent, entry, now.0);
            plan.push(
                Step::Move { from: folder.clone(), to: to.clone() },
                Undo::step(Step::Move { from: to, to: folder.clone() }),
            );
            plan.after.push(Step::EmptyTrash { folder: parent.to_owned(), entry: Some(entry.to_owned()) });
        }
    }
    if let Some(before) = restore {
        give_back(&mut plan, &of, observed, before);
    }
    if purge {
        // In user scope data and logs stand together in a folder of the instance's own.
        for folder in [layout.data(name), layout.logs(name)] {
            if let Some(parent) = folder.parent().filter(|parent| parent.file_name() == Some(name.as_str()))
                && parent != layout.state(name)
            {
                plan.after.push(Step::RemoveFolder { path: parent.to_owned() });
            }
        }
    }
    plan.with_engine(spec)
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
