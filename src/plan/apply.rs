//! The plan that brings an instance to what is wanted: a new installation, changed settings, another version.
//! They differ in their guards and in what they are called afterwards, not in how they are done.

use std::cmp::Ordering;

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::duration::Span;
use crate::model::history::{Action, Event};
use crate::model::launch;
use crate::model::manifest::PlatformKind;
use crate::model::overlap::may_overlap;
use crate::model::owner::Owner;
use crate::model::receipt::{self, Activation, Receipt};
use crate::model::trial::{Stage, Switch};
use crate::plan::definition::{Defined, definition, lingering_is_missing};
use crate::plan::lifecycle::stopped_and_started;
use crate::plan::observed::{Observed, Readiness};
use crate::plan::refusal::Refusal;
use crate::plan::step::{Operation, Plan, Step, Undo};
use crate::plan::wanted::Wanted;
use crate::platform::calls::{self, Sockets};
use crate::platform::identity;

/// Decides how to bring an instance to what is wanted.
pub fn apply(operation: Operation, wanted: &Wanted, observed: &Observed) -> Result<Plan, Refusal> {
    guard_name(wanted, observed)?;
    guard_account(wanted, observed)?;
    guard_version(operation, wanted, observed)?;
    guard_sockets(wanted, observed)?;
    let mut plan = Plan::new(operation, &wanted.spec);
    folders(&mut plan, wanted, observed);
    runtime(&mut plan, wanted, observed);
    tree(&mut plan, wanted, observed)?;
    let defined = definition(&mut plan, wanted, observed);
    let switched = launch(&mut plan, operation, wanted, observed, &defined);
    records(&mut plan, operation, wanted, observed);
    if switched {
        // The last: as long as the switch is written down, a failure can still take it back.
        plan.push(Step::Settle, Undo::Nothing);
    }
    start(&mut plan, operation, wanted, observed);
    Ok(plan)
}

fn guard_name(wanted: &Wanted, observed: &Observed) -> Result<(), Refusal> {
    let spec = &wanted.spec;
    if let Some(installed) = observed.other_platform {
        return Err(Refusal::OtherPlatform { name: spec.name.clone(), installed, wanted: spec.platform });
    }
    if let Some(definition) = &observed.foreign {
        return Err(Refusal::NotOurs { name: spec.name.clone(), definition: definition.clone() });
    }
    if let Some(definition) = &observed.foreign_socket {
        return Err(Refusal::NotOurs { name: spec.name.clone(), definition: definition.clone() });
    }
    let Some(marker) = &observed.marker else {
        return match &observed.definition {
            Some(_) => {
                let definition = wanted.definition.path.to_string();
                Err(Refusal::NotOurs { name: spec.name.clone(), definition })
            }
            None => Ok(()),
        };
    };
    if marker.folder != spec.deploy && observed.anchored && !wanted.wishes.take_over {
        return Err(Refusal::NameTaken { name: spec.name.clone(), folder: marker.folder.clone() });
    }
    if marker.component != spec.component && !wanted.wishes.take_over {
        return Err(Refusal::OtherComponent {
            name: spec.name.clone(),
            installed: marker.component.clone(),
            wanted: spec.component.clone(),
        });
    }
    Ok(())
}

/// systemd holds sockets where they were opened, and a service that is not restarted goes on with them: its next start
/// would find its own elsewhere.
fn guard_sockets(wanted: &Wanted, observed: &Observed) -> Result<(), Refusal> {
    let spec = &wanted.spec;
    let active = observed.link.as_ref().and_then(|link| observed.specs.get(link));
    let moves = active.is_some_and(|active| active.sockets != spec.sockets);
    if moves && wanted.wishes.no_restart && observed.runs() && spec.platform == PlatformKind::Systemd {
        return Err(Refusal::SocketsMove(spec.name.clone()));
    }
    Ok(())
}

/// Folders that hold data can't be given to another account by a step that can be undone: what is in them is
/// that account's too, and may be much.
fn guard_account(wanted: &Wanted, observed: &Observed) -> Result<(), Refusal> {
    let spec = &wanted.spec;
    let active = observed.link.as_ref().and_then(|link| observed.specs.get(link));
    // Whoever is named as the caller is nobody else.
    let account = |user: &Option<String>| user.clone().filter(|user| *user != wanted.caller.name);
    match active {
        Some(active) if account(&active.user) != account(&spec.user) => Err(Refusal::OtherAccount {
            name: spec.name.clone(),
            installed: active.user.clone(),
            wanted: spec.user.clone(),
            data: wanted.layout.data(&spec.name),
        }),
        _ => Ok(()),
    }
}

fn guard_version(operation: Operation, wanted: &Wanted, observed: &Observed) -> Result<(), Refusal> {
    let active =
        observed.receipt.as_ref().and_then(Receipt::active).map(|activation| activation.version.clone());
    let (Some(from), Operation::Upgrade | Operation::Install, false) =
        (active, operation, wanted.wishes.force)
    else {
        return Ok(());
    };
    let to = wanted.spec.version.clone();
    if from == to {
        return Ok(());
    }
    match from.order(&to) {
        Some(Ordering::Less | Ordering::Equal) => Ok(()),
        Some(Ordering::Greater) => Err(Refusal::Downgrade { from, to }),
        None => Err(Refusal::NoOrder { from, to }),
    }
}

fn folders(plan: &mut Plan, wanted: &Wanted, observed: &Observed) {
    for (path, mode, owner) in instance_folders(wanted) {
        if !observed.has(&path) {
            plan.push(
                Step::Folder { path: path.clone(), mode, owner },
                Undo::step(Step::RemoveFolder { path }),
            );
        }
    }
}

/// The folders of an instance, parents first, with their modes and owners. What the program's account writes
/// is its own; all else is the caller's.
#[must_use]
pub fn instance_folders(wanted: &Wanted) -> Vec<(Utf8PathBuf, u32, Option<Owner>)> {
    let (layout, spec) = (&wanted.layout, &wanted.spec);
    let name = &spec.name;
    let account = &wanted.account;
    // Whoever supervises writes the report and the logs. Where that is the caller, who may be root, the
    // program's account must not be able to lay a link there.
    let reporter = account.clone().filter(|_| spec.platform == PlatformKind::Systemd);
    let mut folders = vec![
        (layout.config(name), 0o755, None),
        (layout.state(name), 0o711, None),
        (layout.launches(name), 0o755, None),
        (layout.report(name), 0o755, reporter),
        (layout.data(name), 0o750, account.clone()),
        (layout.install(name), 0o755, None),
    ];
    if spec.platform == PlatformKind::Embedded {
        folders.push((layout.logs(name), 0o755, None));
    }
    if spec.platform == PlatformKind::Embedded || !layout.run_by_systemd() {
        // What lies there is found by name, by monitors of other accounts too (the health file).
        folders.push((layout.run(name, spec.platform), 0o711, account.clone()));
    }
    if spec.platform == PlatformKind::Systemd
        && let Some(units) = wanted.definition.path.parent()
    {
        folders.push((units.to_owned(), 0o755, None));
    }
    folders
}

fn runtime(plan: &mut Plan, wanted: &Wanted, observed: &Observed) {
    let (layout, name) = (&wanted.layout, &wanted.spec.name);
    let build = &wanted.runtime.build;
    let kept =
        observed.runtime.as_ref().is_some_and(|installed| installed == build || is_newer(installed, build));
    if kept {
        return;
    }
    let folder = layout.runtime(build);
    if !observed.has(&folder.join("mainstay")) {
        // Copies are shared between instances and never overwritten, so there is nothing to undo.
        plan.push(Step::Runtime { program: wanted.runtime.program.clone(), folder }, Undo::Nothing);
    }
    relink(
        plan,
        &layout.runtime_link(name),
        &format!("../.runtime/{build}"),
        observed.runtime.as_ref().map(|old| format!("../.runtime/{old}")).as_deref(),
    );
}

/// Whether the build that is installed is of a newer version than ours: then it stays.
fn is_newer(installed: &str, ours: &str) -> bool {
    let version =
        |build: &str| build.rsplit_once('-').and_then(|(version, _)| semver::Version::parse(version).ok());
    matches!((version(installed), version(ours)), (Some(installed), Some(ours)) if installed > ours)
}

fn relink(plan: &mut Plan, path: &Utf8Path, target: &str, before: Option<&str>) {
    let undo = match before {
        Some(before) => Step::Link { path: path.to_owned(), target: before.into() },
        None => Step::Remove { path: path.to_owned() },
    };
    plan.push(Step::Link { path: path.to_owned(), target: target.into() }, Undo::step(undo));
}

fn tree(plan: &mut Plan, wanted: &Wanted, observed: &Observed) -> Result<(), Refusal> {
    let (layout, spec) = (&wanted.layout, &wanted.spec);
    let name = spec.tree();
    let installed = observed.whole_tree(&name);
    let Some(archive) = &wanted.archive else {
        return match installed {
            Some(_) => Ok(()),
            None => Err(Refusal::NoTree { component: spec.component.clone(), version: spec.version.clone() }),
        };
    };
    let folder = layout.install(&spec.name);
    let (component, version) = (spec.component.clone(), spec.version.clone());
    if installed.is_some_and(|tree| tree.whole == Some(archive.digest)) {
        return Ok(());
    }
    if installed.is_some() && !wanted.wishes.force {
        return Err(Refusal::OtherTree { component, version });
    }
    if observed.trees.iter().any(|tree| tree.name == name) {
        if observed.uses(&name) {
            return Err(Refusal::LiveTree { component, version });
        }
        let (from, to) = (folder.join(&name), put_away(&folder, &name, wanted.now.0));
        plan.push(
            Step::Move { from: from.clone(), to: to.clone() },
            Undo::step(Step::Move { from: to, to: from }),
        );
        plan.after.push(Step::EmptyTrash { folder: folder.clone(), entry: None });
    }
    let undo = Step::Move {
        from: folder.join(&name),
        to: put_away(&folder, &format!("undone-{name}"), wanted.now.0),
    };
    let step = Step::Publish {
        archive: archive.path.clone(),
        digest: archive.digest,
        staging: archive.staging.clone(),
        folder,
        tree: name,
    };
    plan.push(step, Undo::step(undo));
    Ok(())
}

/// The name under which something is put away until it is removed for good.
#[must_use]
pub fn put_away(folder: &Utf8Path, name: &str, now: jiff::Timestamp) -> Utf8PathBuf {
    folder.join(format!(".trash-{name}-{}", now.as_microsecond()))
}

fn write(plan: &mut Plan, path: &Utf8Path, text: &str, mode: u32, before: Option<&str>) {
    let (step, undo) = written(path, text, mode, before);
    plan.push(step, undo);
}

pub(super) fn written(path: &Utf8Path, text: &str, mode: u32, before: Option<&str>) -> (Step, Undo) {
    let step = |text: &str| Step::Write { path: path.to_owned(), text: text.to_owned(), mode };
    let undo = before.map_or_else(|| Step::Remove { path: path.to_owned() }, step);
    (step(text), Undo::step(undo))
}

/// The new launch: through a switch with its gate while the service runs, else directly. Says whether there is
/// a switch to settle.
fn launch(
    plan: &mut Plan,
    operation: Operation,
    wanted: &Wanted,
    observed: &Observed,
    defined: &Defined,
) -> bool {
    let (layout, spec) = (&wanted.layout, &wanted.spec);
    let tree = spec.tree();
    let active = observed.link.as_ref().and_then(|link| observed.specs.get(link));
    if observed.link.as_deref() == Some(tree.as_str()) && active == Some(spec) {
        return false;
    }
    let path = layout.launch(&spec.name, &tree);
    let text = spec.text();
    let before = observed.specs.get(&tree).map(launch::LaunchSpec::text);
    let gated = active.filter(|_| observed.runs() && !wanted.wishes.no_restart);
    let Some(from) = gated else {
        let (step, undo) = written(&path, &text, 0o644, before.as_deref());
        plan.push(step, undo.and_return());
        if observed.link.as_deref() != Some(tree.as_str()) {
            relink(plan, &layout.current(&spec.name, &spec.component), &tree, observed.link.as_deref());
        }
        return false;
    };
    if from.tree() != tree && before.as_deref() != Some(text.as_str()) {
        write(plan, &path, &text, 0o644, before.as_deref());
    }
    let versions_change = from.tree() != tree;
    if versions_change && operation != Operation::Rollback {
        hook(plan, "upgrade.hooks.beforeStop", spec.hooks.before_stop.as_ref(), wanted);
    }
    let switch =
        Switch { format: launch::FORMAT, from: from.clone(), to: spec.clone(), stage: Stage::Pending };
    plan.push(Step::Switch { switch: Box::new(switch) }, Undo::TakeBack { first: defined.undo.clone() });
    let restart = calls::restart(&identity(spec), defined.sockets);
    match hinders_overlap(plan, wanted, observed, from, defined) {
        None if spec.overlap => {
            // What ran before may still drain from the last time.
            let within = patience(spec.gate.and(spec.stop_limit()));
            plan.push(Step::Overlap { within, otherwise: restart }, Undo::Nothing);
        }
        hindrance => {
            plan.notices.extend(hindrance.filter(|_| spec.overlap).map(|what| {
                format!(
                    "the new start does not overlap the old one, because {what}: the service is restarted"
                )
            }));
            for call in restart {
                plan.push(Step::Call { call }, Undo::Nothing);
            }
        }
    }
    plan.push(await_ready(spec, spec.gate), Undo::Nothing);
    if versions_change && operation != Operation::Rollback {
        hook(plan, "upgrade.hooks.afterStart", spec.hooks.after_start.as_ref(), wanted);
    }
    true
}

/// Why a new start can't become ready beside the old one, where it is meant to.
fn hinders_overlap(
    plan: &Plan,
    wanted: &Wanted,
    observed: &Observed,
    from: &launch::LaunchSpec,
    defined: &Defined,
) -> Option<&'static str> {
    let runtime = wanted.layout.runtime_link(&wanted.spec.name);
    let is_runtime = |step: &Step| matches!(step, Step::Link { path, .. } if *path == runtime);
    if !may_overlap(from, &wanted.spec) {
        return Some("what changes can't change while it runs");
    }
    if defined.is_new || defined.sockets == Sockets::Along {
        return Some("its definition changes");
    }
    if plan.steps.iter().any(|planned| is_runtime(&planned.step)) {
        return Some("mainstay itself changes");
    }
    if observed.outdated {
        return Some("its supervisor is from before the last changes");
    }
    (observed.readiness != Readiness::Ready).then_some("what runs is not ready")
}

/// The step that waits for a launch to be ready.
#[must_use]
pub fn await_ready(spec: &launch::LaunchSpec, limit: Span) -> Step {
    Step::AwaitReady {
        tree: spec.tree(),
        launch: spec.identity(),
        supervision: spec.supervision,
        within: patience(limit),
    }
}

/// How long a command waits for what the supervisor decides within `limit`: a little longer, so that the
/// supervisor's own verdict, and the old version's return, come first.
#[must_use]
pub fn patience(limit: Span) -> Span {
    let milliseconds = u64::try_from(limit.duration().as_millis()).unwrap_or(u64::MAX);
    Span::milliseconds(milliseconds.saturating_add(10_000))
}

fn hook(plan: &mut Plan, field: &str, argv: Option<&Vec<String>>, wanted: &Wanted) {
    let Some(argv) = argv else { return };
    let (layout, spec) = (&wanted.layout, &wanted.spec);
    let name = &spec.name;
    let package = layout.tree(name, &spec.tree());
    let (config, data, logs, run) =
        (layout.config(name), layout.data(name), layout.logs(name), layout.run(name, spec.platform));
    let places = crate::model::token::Places {
        package: &package,
        config: &config,
        data: &data,
        logs: &logs,
        run: &run,
        deploy: &spec.deploy,
    };
    let environment = [
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
        ("MAINSTAY_NAME", name.to_string()),
        ("MAINSTAY_VERSION", spec.version.to_string()),
    ];
    plan.push(
        Step::Hook {
            field: field.to_owned(),
            argv: argv.iter().map(|argument| crate::model::token::expand(argument, &places)).collect(),
            environment: environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            folder: spec.deploy.clone(),
            rights: wanted.owner.clone(),
        },
        Undo::Nothing,
    );
}

/// The manifest, the receipt and the history: written when all else stands, and only if something changed.
fn records(plan: &mut Plan, operation: Operation, wanted: &Wanted, observed: &Observed) {
    let (layout, spec) = (&wanted.layout, &wanted.spec);
    let manifest = &wanted.manifest;
    if manifest.on_disk.as_deref() != Some(manifest.text.as_str()) {
        let (before, after) = (manifest.on_disk.clone(), Some(manifest.text.clone()));
        let edit = |before: Option<String>, after: Option<String>| Step::Edit {
            path: manifest.path.clone(),
            before,
            after,
            mode: 0o644,
            rights: wanted.owner.clone(),
        };
        plan.push(edit(before.clone(), after.clone()), Undo::step(edit(after, before)));
    }
    let before = observed.receipt.as_ref();
    let from = before.and_then(Receipt::active).map(|activation| activation.version.clone());
    let receipt = Receipt {
        format: receipt::FORMAT,
        name: spec.name.clone(),
        component: spec.component.clone(),
        platform: spec.platform,
        scope: spec.scope,
        folder: spec.deploy.clone(),
        activations: activations(operation, wanted, observed),
        manifest: manifest.text.clone(),
        lingering_by_us: before.is_some_and(|receipt| receipt.lingering_by_us)
            || lingering_is_missing(wanted, observed),
        pending_restart: pending_restart(plan, wanted, observed),
        changed: before.map_or(wanted.now, |receipt| receipt.changed),
    };
    if plan.steps.is_empty() && before == Some(&receipt) {
        return;
    }
    let receipt = Receipt { changed: wanted.now, ..receipt };
    let old_text = before.map(Receipt::text);
    write(plan, &layout.receipt(&spec.name), &receipt.text(), 0o644, old_text.as_deref());
    let action = match operation {
        _ if before.is_none() => Action::Installed,
        Operation::Rollback => Action::RolledBack,
        _ if from.as_ref() != Some(&spec.version) => Action::Upgraded,
        _ => Action::Applied,
    };
    let event = Event {
        at: wanted.now,
        action,
        from,
        to: Some(spec.version.clone()),
        downtime_ms: None,
        reason: None,
        user: wanted.caller.name.clone(),
    };
    plan.push(Step::Record { path: layout.history(&spec.name), event }, Undo::Nothing);
}

fn activations(operation: Operation, wanted: &Wanted, observed: &Observed) -> Vec<Activation> {
    let mut activations =
        observed.receipt.as_ref().map(|receipt| receipt.activations.clone()).unwrap_or_default();
    let version = &wanted.spec.version;
    if activations.last().is_some_and(|last| last.version == *version) {
        return activations;
    }
    if operation == Operation::Rollback
        && let Some(place) = activations.iter().rposition(|activation| activation.version == *version)
    {
        activations.truncate(place + 1);
        return activations;
    }
    let installed = observed.whole_tree(&wanted.spec.tree()).and_then(|tree| tree.whole);
    let digest = wanted.archive.as_ref().map(|archive| archive.digest).or(installed);
    activations.push(Activation { version: version.clone(), digest, at: wanted.now });
    activations
}

fn pending_restart(plan: &Plan, wanted: &Wanted, observed: &Observed) -> bool {
    if plan.switch().is_some() || !observed.runs() {
        return false;
    }
    let (layout, name) = (&wanted.layout, &wanted.spec.name);
    let (launch, socket) = (layout.launch(name, &wanted.spec.tree()), layout.socket_definition(name));
    let touched = |planned: &crate::plan::step::Planned| matches!(&planned.step, Step::Write { path, .. } | Step::Remove { path } if *path == launch || *path == wanted.definition.path || *path == socket);
    plan.steps.iter().any(touched) || observed.receipt.as_ref().is_some_and(|receipt| receipt.pending_restart)
}

fn start(plan: &mut Plan, operation: Operation, wanted: &Wanted, observed: &Observed) {
    let spec = &wanted.spec;
    // An installation is done when the service is ready; one that runs and is not is waited for, and one that is on
    // its way down started again.
    if operation == Operation::Install && observed.runs() && observed.readiness != Readiness::Ready {
        if plan.switch().is_none() {
            let goes = observed.readiness == Readiness::Ending && !wanted.wishes.no_start;
            let calls = if goes { stopped_and_started(spec) } else { Vec::new() };
            let calls = calls.into_iter().map(|call| Step::Call { call });
            plan.after.splice(0..0, calls.chain([await_ready(spec, spec.ready.timeout)]));
        }
        return;
    }
    if operation != Operation::Install || wanted.wishes.no_start || observed.runs() {
        if operation == Operation::Upgrade && !plan.steps.is_empty() && !observed.runs() {
            plan.notices.push(
                "the service is stopped and stays so; `mainstay start` starts the new version".to_owned(),
            );
        }
        return;
    }
    let calls = calls::start(&identity(spec)).into_iter().map(|call| Step::Call { call });
    plan.after.splice(0..0, calls.chain([await_ready(spec, spec.ready.timeout)]));
}
