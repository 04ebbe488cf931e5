//! The surroundings of a command: layouts, the service managers, who asks.

use camino::Utf8PathBuf;

use crate::cli::arguments::{ManifestArguments, ScopeArguments, TargetArguments};
use crate::cli::report::Report;
use crate::engine::Context;
use crate::engine::event::Event;
use crate::engine::failure::Failure;
use crate::engine::given;
use crate::engine::manager::{HostManager, systemd_version};
use crate::engine::obstacle::Clear;
use crate::engine::target::{Choice, Target, find};
use crate::host::{account, environment, service};
use crate::model::layout::Layout;
use crate::model::manifest::Scope;
use crate::platform::Facts;

/// The systemd that units are written for where none can be asked.
const USUAL_SYSTEMD: u32 = 252;

/// Does something with a context for one layout.
pub(crate) fn with_context<T>(
    report: &Report,
    layout: Layout,
    work: impl FnOnce(&Context<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let manager = HostManager::new(layout.clone());
    let caller = account::by_uid(account::effective_uid())?;
    let facts = facts(None);
    let events = |event: Event| report.event(event);
    let program = environment::own_program()?;
    work(&Context { layout, facts, caller, program, manager: &manager, events: &events, obstacle: &Clear })
}

/// What decides a definition's text: of the systemd that was typed, else of this host's, else of a usual one.
pub(crate) fn facts(systemd: Option<u32>) -> Facts {
    let ask = || if environment::systemd_booted() { systemd_version() } else { None };
    Facts {
        systemd_version: systemd.or_else(ask).unwrap_or(USUAL_SYSTEMD),
        home: environment::home(account::effective_uid()),
        account: service::own_account(),
    }
}

/// The instance whose definition is shown: of either scope, whoever asks.
pub(crate) fn target_to_render(report: &Report, target: &TargetArguments) -> Result<Target, Failure> {
    let mut layouts = layouts(target.scope)?;
    if target.scope.typed().is_none() && environment::callers_scope() == Scope::System {
        layouts.push(environment::layout(Scope::User)?);
    }
    found(report, target, &layouts)
}

/// The layout in which a command changes things: of the scope that was typed, else the caller's.
pub(crate) fn layout(scope: ScopeArguments) -> Result<Layout, Failure> {
    Ok(environment::layout(scope.typed().unwrap_or_else(environment::callers_scope))?)
}

/// The layouts in which a command looks: of the scope that was typed, else the caller's and then the host's.
pub(crate) fn layouts(scope: ScopeArguments) -> Result<Vec<Layout>, Failure> {
    if let Some(scope) = scope.typed() {
        return Ok(vec![environment::layout(scope)?]);
    }
    let scopes: &[Scope] = match environment::callers_scope() {
        Scope::System => &[Scope::System],
        Scope::User => &[Scope::User, Scope::System],
    };
    scopes.iter().map(|scope| Ok(environment::layout(*scope)?)).collect()
}

/// The layouts that a list shows: of the scope that was typed, else all that the caller may read.
pub(crate) fn layouts_to_list(scope: ScopeArguments) -> Result<Vec<Layout>, Failure> {
    match scope.typed() {
        Some(scope) => Ok(vec![environment::layout(scope)?]),
        None => [Scope::System, Scope::User].iter().map(|scope| Ok(environment::layout(*scope)?)).collect(),
    }
}

/// The instance that a command changes.
pub(crate) fn target_to_change(report: &Report, target: &TargetArguments) -> Result<Target, Failure> {
    found_to_work_on(report, target, &[layout(target.scope)?])
}

/// The same, where whoever needs the manifest fails by the words of a notice.
fn found_to_work_on(
    report: &Report,
    target: &TargetArguments,
    layouts: &[Layout],
) -> Result<Target, Failure> {
    let (target, notices) = looked_for(target, layouts)?;
    for notice in notices {
        report.later(notice);
    }
    Ok(target)
}

/// The instance that a command changes to what a manifest says that may be brought as a file of its own.
pub(crate) fn target_with_manifest(
    report: &Report,
    target: &TargetArguments,
    manifest: &ManifestArguments,
) -> Result<Target, Failure> {
    declared(report, target, manifest, &[layout(target.scope)?])
}

/// Likewise, of a command that only looks.
pub(crate) fn target_to_see_with_manifest(
    report: &Report,
    target: &TargetArguments,
    manifest: &ManifestArguments,
) -> Result<Target, Failure> {
    declared(report, target, manifest, &layouts(target.scope)?)
}

fn declared(
    report: &Report,
    target: &TargetArguments,
    manifest: &ManifestArguments,
    layouts: &[Layout],
) -> Result<Target, Failure> {
    let Some(file) = &manifest.manifest else {
        return found_to_work_on(report, target, layouts);
    };
    let folder = environment::working_folder()?;
    let (target, notices) = given::find(file, &choice(target), &folder, layouts)?;
    for notice in notices {
        report.notice(notice);
    }
    Ok(target)
}

/// The instance that a command looks at.
pub(crate) fn target_to_see(report: &Report, target: &TargetArguments) -> Result<Target, Failure> {
    found(report, target, &layouts(target.scope)?)
}

fn found(report: &Report, target: &TargetArguments, layouts: &[Layout]) -> Result<Target, Failure> {
    let (target, notices) = looked_for(target, layouts)?;
    for notice in notices {
        report.notice(notice);
    }
    Ok(target)
}

fn looked_for(target: &TargetArguments, layouts: &[Layout]) -> Result<(Target, Vec<String>), Failure> {
    let folder: Utf8PathBuf = environment::working_folder()?;
    find(&choice(target), &folder, layouts)
}

/// What was typed to name an instance.
pub(crate) fn choice(target: &TargetArguments) -> Choice {
    Choice {
        folder: target.instance_dir.clone(),
        name: target.name.clone(),
        component: target.component.clone(),
    }
}
