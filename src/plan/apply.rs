//! The plan that brings an instance to what is wanted: a new installation, changed settings, another version.
//! They differ in their guards and in what they are called afterwards, not in how they are done.

use camino::{Utf8Path, Utf8PathBuf};

use self::guards::guard;
use self::runtime::{gate, runtime};
use self::switching::launch;
use crate::model::drift::Difference;
use crate::model::duration::Span;
use crate::model::launch::LaunchSpec;
use crate::model::manifest::PlatformKind;
use crate::model::owner::Owner;
use crate::plan::definition::{Defined, definition};
use crate::plan::difference::difference;
use crate::plan::drift::drift;
use crate::plan::lifecycle::{guard_restart, stopped_and_started};
use crate::plan::observed::{Observed, Readiness};
use crate::plan::refusal::Refusal;
use crate::plan::step::files::{put_away, unpublished, written};
use crate::plan::step::{Operation, Plan, Planned, Step, Undo};
use crate::plan::wanted::Wanted;
use crate::platform::calls::{self, Sockets};
use crate::platform::identity;

/// The field of the command that is run when a new version is ready.
pub const AFTER_START: &str = "upgrade.hooks.afterStart";

pub mod adopt;
pub mod container;
mod data;
pub mod development;
mod first;
mod guards;
pub mod hooks;
mod in_place;
mod mending;
mod records;
mod runtime;
mod switching;
mod values;
mod watch;

pub(super) use watch::close as close_trial;

pub use data::{data_folders, data_owner, size};

/// Decides how to bring an instance to what is wanted.
pub fn apply(operation: Operation, wanted: &Wanted, observed: &Observed) -> Result<Plan, Refusal> {
    guard(operation, wanted, observed)?;
    development::guard(wanted, observed)?;
    let difference = Difference { drift: drift(wanted, observed), ..difference(wanted, observed) };
    let plan = decided(operation, wanted, observed, difference)?;
    if plan.starts_anew() {
        guard_restart(&wanted.spec, observed)?;
    }
    Ok(plan)
}

fn decided(
    operation: Operation,
    wanted: &Wanted,
    observed: &Observed,
    difference: Difference,
) -> Result<Plan, Refusal> {
    if wanted.spec.platform == PlatformKind::Compose {
        let mut plan = container::apply(operation, wanted, observed).with_engine(&wanted.spec);
        plan.steps.splice(0..0, deploy_folder(wanted));
        return Ok(Plan { difference, ..plan });
    }
    let mut plan = Plan { difference, ..Plan::new(operation, &wanted.spec) };
    plan.steps.extend(deploy_folder(wanted));
    folders(&mut plan, wanted, observed);
    beside(&mut plan, wanted);
    development::steps(&mut plan, wanted, observed);
    let in_place = wanted.standing.as_ref().filter(|_| in_place::is_all_that_changes(wanted, observed));
    let restarts_in_place = in_place.is_some_and(|found| in_place::restarts(wanted, found, observed));
    // One thing at a time: what is not ready then would leave open which of the two it was.
    let moved = if restarts_in_place { None } else { runtime(&mut plan, wanted, observed) };
    match &wanted.standing {
        Some(found) => {
            plan.notices.extend(found.notices.iter().cloned());
            in_place::marks(&mut plan, wanted, found, observed);
        }
        None => tree(&mut plan, wanted, observed)?,
    }
    powers(&mut plan, wanted, observed);
    let defined = definition(&mut plan, wanted, observed);
    let back = moved.map(|step| std::iter::once(step).chain(defined.undo.iter().cloned()).collect());
    if let Some(found) = in_place {
        if let Some(back) = back {
            gate(&mut plan, wanted, observed, back, Sockets::Left);
        } else if !restarts_in_place {
            mending::restart(&mut plan, operation, wanted, observed, &defined);
        }
        in_place::restart_in_place(&mut plan, operation, wanted, found, observed);
        return Ok(plan);
    }
    let defined = Defined { undo: back.clone().unwrap_or(defined.undo), ..defined };
    let switched = launch(&mut plan, operation, wanted, observed, &defined)?;
    match back.filter(|_| !switched) {
        Some(back) => gate(&mut plan, wanted, observed, back, defined.sockets),
        None if !switched => mending::restart(&mut plan, operation, wanted, observed, &defined),
        None => {}
    }
    records::manifest(&mut plan, wanted);
    let started = !switched && first::start(&mut plan, operation, wanted, observed);
    records::receipt(&mut plan, operation, wanted, observed);
    if switched {
        // The last: as long as the switch is written down, a failure can still take it back.
        plan.push(Step::Settle, Undo::Nothing);
    }
    if !started {
        start(&mut plan, operation, wanted, observed);
    }
    development::restart(&mut plan, wanted, observed);
    if plan.switch().is_some_and(|(_, switch)| !switch.data.snapshot.is_empty()) {
        plan.after.push(Step::TidySnapshots { folder: wanted.layout.snapshots(&wanted.spec.name) });
    }
    Ok(plan)
}

/// Says whose rights a new service has, where nobody has chosen: all of the host's.
fn powers(plan: &mut Plan, wanted: &Wanted, observed: &Observed) {
    let account = wanted.spec.account(&wanted.layout).filter(|_| wanted.spec.user.is_none());
    if let Some(account) = account.filter(|_| observed.receipt.is_none()) {
        plan.notices.push(format!(
            "it runs as {account}: `service.user` in the manifest, or `--user-name` where `install` writes it, names another account"
        ));
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

/// The folder of a manifest that is brought to where there is none yet. It belongs to whoever owns the folder above.
fn deploy_folder(wanted: &Wanted) -> Option<Planned> {
    let path = wanted.spec.deploy.clone();
    let (step, undo) = if wanted.owner.is_none() {
        let step = Step::Folder { path: path.clone(), mode: 0o755, owner: None };
        (step, Undo::step(Step::RemoveFolder { path }))
    } else {
        let own = |there| Step::OwnFolder { path: path.clone(), there, rights: wanted.owner.clone() };
        (own(true), Undo::step(own(false)))
    };
    wanted.makes_deploy.then_some(Planned { step, undo })
}

/// The files that come with the operation, before anything that needs them.
fn beside(plan: &mut Plan, wanted: &Wanted) {
    let rights = &wanted.owner;
    for file in wanted.beside.iter().filter(|file| file.before.as_ref() != Some(&file.text)) {
        if let Some(folder) = &file.folder {
            let own = |there| Step::OwnFolder { path: folder.clone(), there, rights: rights.clone() };
            plan.push(own(true), Undo::step(own(false)));
        }
        let edit = |before: Option<&String>, after: Option<&String>| Step::Edit {
            path: file.path.clone(),
            before: before.cloned(),
            after: after.cloned(),
            mode: 0o600,
            rights: rights.clone(),
            needed: false,
        };
        let (before, after) = (file.before.as_ref(), Some(&file.text));
        plan.push(edit(before, after), Undo::step(edit(after, before)));
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
    if spec.platform.keeps_logs() {
        folders.push((layout.logs(name), 0o755, None));
    }
    if spec.platform.keeps_logs() || !layout.run_by_systemd() {
        // What lies there is found by name, by monitors of other accounts too (the health file).
        folders.push((layout.run(name, spec.platform), 0o711, account.clone()));
    }
    if matches!(spec.platform, PlatformKind::Systemd | PlatformKind::Launchd)
        && let Some(units) = wanted.definition.path.parent()
    {
        folders.push((units.to_owned(), 0o755, None));
    }
    folders
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
            None => Err(Refusal::NoTree {
                installed: observed.receipt.is_some(),
                component: spec.component.clone(),
                version: spec.version.clone(),
            }),
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
        let (step, undo) = put_away(&folder, &name, wanted.now);
        plan.push(step, undo);
        plan.after.push(Step::EmptyTrash { folder: folder.clone(), entry: None });
    }
    let undo = unpublished(&folder, &name, wanted.now);
    let step = Step::Publish {
        archive: archive.path.clone(),
        digest: archive.digest,
        staging: archive.staging.clone(),
        folder,
        tree: name,
        over: false,
    };
    plan.push(step, undo);
    Ok(())
}

fn write(plan: &mut Plan, path: &Utf8Path, text: &str, mode: u32, before: Option<&str>) {
    let (step, undo) = written(path, text, mode, before);
    plan.push(step, undo);
}

/// The step that waits for a launch to be ready.
#[must_use]
pub fn await_ready(spec: &LaunchSpec, limit: Span) -> Step {
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
    // What failed by what was changed by hand comes back with it: nobody has stopped it.
    let failed = observed.failed && !plan.difference.drift.is_empty() && !wanted.wishes.no_restart;
    let revives = operation == Operation::Apply && failed && plan.switch().is_none();
    if !revives && (operation != Operation::Install || wanted.wishes.no_start || observed.runs()) {
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
