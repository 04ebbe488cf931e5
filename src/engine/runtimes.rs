//! The copies of this tool by which instances are run: which of them is another than this one, and which nobody needs
//! any more.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::failure::Failure;
use crate::engine::{Context, recover};
use crate::host::files::FileError;
use crate::host::{environment, files, identity, lock, tree, usage};
use crate::model::layout::Layout;
use crate::model::manifest::Scope;
use crate::model::name::InstanceName;
use crate::model::operating_system::OperatingSystem;

/// What the program of a copy is called.
const PROGRAM: &str = "mainstay";
/// The same on Windows.
const PROGRAM_OF_WINDOWS: &str = "mainstay.exe";

/// The name under which copies are kept, by version and digest.
pub(crate) fn build_of(program: &Utf8Path) -> Result<String, FileError> {
    Ok(format!("{}-{}", env!("CARGO_PKG_VERSION"), files::digest(program)?.short()))
}

/// The copy that an instance's definition starts, as its link names it.
pub(crate) fn linked(layout: &Layout, name: &InstanceName) -> Option<String> {
    let link = files::read_link(&layout.runtime_link(name)).ok()??;
    let build = link.strip_prefix("../.runtime/")?;
    // On Windows the account of the service may replace it.
    files::is_plain_name(build).then(|| build.to_owned())
}

/// The program by which an instance is run, as it can be started: Windows starts nothing through a link of ours.
pub(crate) fn program(layout: &Layout, name: &InstanceName) -> Utf8PathBuf {
    let build = match environment::operating_system() {
        OperatingSystem::Windows => linked(layout, name),
        _ => None,
    };
    build.map_or_else(|| layout.runtime_program(name), |build| layout.runtime_file(&build))
}

/// This program, as far as it takes no reading of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    size: Option<u64>,
}

impl Own {
    pub(crate) fn look() -> Self {
        let program = environment::own_program().ok();
        Self { size: program.and_then(|program| size(&program)) }
    }

    /// The copy by which an instance is run, where that is another than this program: of another version, or of this
    /// one and another size.
    pub(crate) fn other(self, layout: &Layout, name: &InstanceName) -> Option<String> {
        let build = linked(layout, name)?;
        let same_version =
            build.rsplit_once('-').map(|(version, _)| version) == Some(env!("CARGO_PKG_VERSION"));
        let there = size(&program(layout, name));
        let same = same_version && (there.is_none() || self.size.is_none() || there == self.size);
        (!same).then_some(build)
    }
}

fn size(program: &Utf8Path) -> Option<u64> {
    fs_err::metadata(program).ok().map(|found| found.len())
}

/// The copies that no link and no process names, and the reason why none is given where that can't be known. While
/// another command is at work in this scope, it may be about to point a link at any of them.
pub(crate) fn unused(context: &Context<'_>, by: &InstanceName) -> Result<Vec<String>, Failure> {
    let layout = &context.layout;
    let folder = layout.runtimes();
    let mut names = files::list(&folder)?.unwrap_or_default();
    names.retain(|name| !name.starts_with('.'));
    let mut used: BTreeSet<String> = std::iter::once(build_of(&context.program)?).collect();
    for instance in installed(layout)? {
        if instance != *by && lock::is_held(&layout.operation_lock(&instance)) != Some(false) {
            return Ok(Vec::new());
        }
        if let Some(link) = files::read_link(&layout.runtime_link(&instance))? {
            used.extend(link.rsplit('/').next().map(str::to_owned));
        }
    }
    let others_at_work = recover::unfinished(layout)?.iter().any(|name| name != by);
    let Ok(running) = usage::of_folder(&folder) else { return Ok(Vec::new()) };
    if others_at_work {
        return Ok(Vec::new());
    }
    names.retain(|name| !used.contains(name) && !running.names.contains(name));
    let unknown = running.hidden.into_iter().find(|pid| may_be_of(context, *pid));
    if let Some(pid) = unknown.filter(|_| !names.is_empty()) {
        context.notice(format!(
            "no copy of mainstay goes: the process {pid} may be run by one, and what it uses is hidden from this account"
        ));
        return Ok(Vec::new());
    }
    Ok(names)
}

/// Whether a process that can't be looked at may be run by a copy of this scope.
fn may_be_of(context: &Context<'_>, pid: u32) -> bool {
    let is_copy = identity::process(pid)
        .is_some_and(|process| [PROGRAM, PROGRAM_OF_WINDOWS].contains(&process.name.as_str()));
    let in_scope = || match context.layout.scope {
        Scope::System => true,
        // One that is gone by now might have been.
        Scope::User => tree::owner(pid).is_none_or(|owner| owner == context.caller.uid),
    };
    is_copy && in_scope()
}

/// Every folder of an instance in this scope, whether it is still registered or not.
fn installed(layout: &Layout) -> Result<Vec<InstanceName>, Failure> {
    let runtimes = layout.runtimes();
    let Some(root) = runtimes.parent() else { return Ok(Vec::new()) };
    let names = files::list(root)?.unwrap_or_default();
    Ok(names.into_iter().filter_map(|name| InstanceName::new(name).ok()).collect())
}
