//! Removing: old versions of an instance, or all of it.

use camino::Utf8Path;

use crate::engine::Context;
use crate::engine::execute::execute;
use crate::engine::failure::Failure;
use crate::engine::observe::read_receipt;
use crate::engine::operation::{carried_out, is_done};
use crate::engine::resolve::marker_of;
use crate::engine::target::Target;
use crate::engine::{active, adoption, development, preparation, references};
use crate::host::{clock, files};
use crate::model::layout::Layout;
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::package::measure;
use crate::plan::cleanup::cleanup;
use crate::plan::refusal::Refusal;
use crate::plan::step::{Plan, Step, Undo};
use crate::plan::undefined;
use crate::plan::uninstall::uninstall;

/// What to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Versions that nothing refers to any more.
    OldVersions,
    /// The instance; its configuration, data and logs stay.
    Instance,
    /// The same, and what was adopted is as it was before.
    AndRestore,
    /// The instance with all that mainstay made for it.
    Everything,
}

/// Decides, shows, and removes.
pub fn remove(
    context: &Context<'_>,
    of: &Marker,
    removal: Removal,
    dry_run: bool,
    agree: &dyn Fn(&Plan) -> Result<bool, Failure>,
) -> Result<Plan, Failure> {
    let now = clock::now();
    let decide = || -> Result<Plan, Failure> {
        let (spec, mut observed) = active::observed(context, of)?;
        if let Some(marker) = observed.marker.as_ref().filter(|marker| marker.folder != of.folder)
            && observed.anchored
        {
            return Err(Refusal::NameTaken { name: of.name.clone(), folder: marker.folder.clone() }.into());
        }
        let layout = &context.layout;
        undefined::guard(&spec, layout, &observed, removal == Removal::AndRestore)?;
        let mut plan = match removal {
            Removal::OldVersions => {
                references::collect(context, of, &mut observed)?;
                let mut plan = cleanup(&spec, layout, &observed, &context.caller, now)?;
                plan.room.frees = freed(&plan);
                plan
            }
            Removal::Instance => uninstall(&spec, layout, &observed, &context.caller, now, false, None),
            Removal::AndRestore => {
                let before = adoption::before(layout, &of.name)?.ok_or_else(|| {
                    Failure::Usage(format!("`{}` was not adopted: there is nothing to bring back", of.name))
                })?;
                if let Some(aside) = before.aside.clone().filter(|aside| aside.exists()) {
                    observed.present.insert(aside);
                }
                let mut plan =
                    uninstall(&spec, layout, &observed, &context.caller, now, false, Some(&before));
                plan.push(Step::Remove { path: layout.before(&of.name) }, Undo::Nothing);
                plan
            }
            Removal::Everything => uninstall(&spec, layout, &observed, &context.caller, now, true, None),
        };
        if removal == Removal::Everything {
            plan.preparation = preparation::prepared(layout, &of.name)?;
            plan.preparation.extend(development::removal::doomed(layout, of)?);
            if let Some((edit, back)) = development::removal::lines(layout, of)? {
                plan.push(edit, Undo::step(back));
            }
        }
        Ok(plan)
    };
    let plan = decide()?;
    if dry_run || is_done(context, &of.name, &plan)? {
        return Ok(plan);
    }
    carried_out(context, of, &plan, agree, decide, |under_lock| {
        execute(context, under_lock, of, None)?;
        if removal == Removal::Everything {
            for left in preparation::undo(&context.layout, &of.name)? {
                context.notice(left);
            }
            for left in development::removal::remove(&context.layout, of)? {
                context.notice(left);
            }
        }
        Ok(())
    })?;
    Ok(plan)
}

/// The room that a clean-up frees, in bytes, where it can be told.
fn freed(plan: &Plan) -> Option<u64> {
    let gone: Vec<&Utf8Path> = plan
        .steps
        .iter()
        .filter_map(|planned| match &planned.step {
            Step::Move { from: path, .. } | Step::Remove { path } => Some(path.as_path()),
            _ => None,
        })
        .collect();
    if gone.is_empty() { None } else { measure::frees(gone).ok() }
}

/// What there is to remove of a name that nothing is installed by: what was done on the host for it, by a purge that did
/// not come to its end or an installation that did not.
pub fn left_of_name(layout: &Layout, name: &InstanceName, purge: bool) -> Result<Option<Marker>, Failure> {
    if !purge {
        return Ok(None);
    }
    Ok(preparation::prepared_for(layout, name)?.or(development::removal::left_of(layout, name)?))
}

/// What there is to remove of a target: the instance; or, of one whose definition is gone, what it left, if that
/// is this folder's. What belongs to an instance of another folder is never offered.
pub fn left_of(target: &Target, purge: bool) -> Result<Option<Marker>, Failure> {
    if let Some(marker) = &target.marker {
        return Ok(Some(marker.clone()));
    }
    let Some(declared) = &target.manifest else { return Ok(None) };
    let (layout, name) = (&target.layout, &target.name);
    for kind in PlatformKind::ALL {
        if files::facts(&layout.definition(name, kind))?.is_some() {
            return Ok(None);
        }
    }
    let receipt = read_receipt(&layout.receipt(name))?;
    if receipt.as_ref().is_some_and(|receipt| receipt.folder != declared.deploy.folder) {
        return Ok(None);
    }
    let mut left = vec![layout.receipt(name), layout.install(name)];
    if purge {
        left.extend([layout.state(name), layout.data(name), layout.config(name), layout.logs(name)]);
    }
    for path in left {
        if files::facts(&path)?.is_some() {
            return Ok(Some(marker_of(declared, layout.scope)));
        }
    }
    let left = left_of_name(layout, name, purge)?;
    Ok(left.filter(|left| left.folder == declared.deploy.folder))
}
