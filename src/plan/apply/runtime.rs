//! The copy of this tool by which an instance is run. It moves through a gate of its own: a service that is not ready
//! under the new copy is started again under the one before.

use super::values::tried;
use super::{await_ready, relink};
use crate::model::service::Supervision;
use crate::plan::observed::Observed;
use crate::plan::step::{Plan, Step, Undo};
use crate::plan::wanted::Wanted;
use crate::platform::calls::{self, Sockets};
use crate::platform::identity;

/// Points the instance at this tool's copy, never at an older one. Gives the step that leads back to the copy by which
/// it is run now; nothing where it stays.
pub(super) fn runtime(plan: &mut Plan, wanted: &Wanted, observed: &Observed) -> Option<Step> {
    let (layout, name) = (&wanted.layout, &wanted.spec.name);
    let build = &wanted.runtime.build;
    let kept =
        observed.runtime.as_ref().is_some_and(|installed| installed == build || is_newer(installed, build));
    if kept && !observed.runtime_gone {
        return None;
    }
    let folder = layout.runtime(build);
    if !observed.has(&layout.runtime_file(build)) {
        // Copies are shared between instances and never overwritten, so there is nothing to undo.
        plan.push(Step::Runtime { program: wanted.runtime.program.clone(), folder }, Undo::Nothing);
    }
    let path = layout.runtime_link(name);
    let before = observed.runtime.as_ref().map(|old| format!("../.runtime/{old}"));
    if observed.runtime.as_ref() == Some(build) {
        return None;
    }
    relink(plan, &path, &format!("../.runtime/{build}"), before.as_deref());
    before.filter(|_| !observed.runtime_gone).map(|before| Step::Link { path, target: before.into() })
}

/// Restarts what runs under the copy before, unless its service manager does without one.
pub(super) fn gate(plan: &mut Plan, wanted: &Wanted, observed: &Observed, back: Vec<Step>, sockets: Sockets) {
    let spec = &wanted.spec;
    let is_ours = spec.supervision == Supervision::Mainstay;
    if is_ours {
        restart_gated(plan, wanted, observed, back, sockets);
    }
}

/// Restarts what runs and sees it ready; where it is not, these steps lead back to what ran before.
pub(super) fn restart_gated(
    plan: &mut Plan,
    wanted: &Wanted,
    observed: &Observed,
    back: Vec<Step>,
    sockets: Sockets,
) {
    let spec = &wanted.spec;
    if !observed.runs() || wanted.wishes.no_restart {
        return;
    }
    let (kept, values) = tried(plan, wanted, observed);
    let mut undo = Undo::Restart { first: back.into_iter().chain(kept).collect(), values };
    for call in calls::restart(&identity(spec), sockets) {
        plan.push(Step::Call { call }, std::mem::replace(&mut undo, Undo::Nothing));
    }
    plan.push(await_ready(spec, spec.gate), Undo::Nothing);
}

/// Whether the build that is installed is of a newer version than ours: then it stays.
fn is_newer(installed: &str, ours: &str) -> bool {
    let version =
        |build: &str| build.rsplit_once('-').and_then(|(version, _)| semver::Version::parse(version).ok());
    matches!((version(installed), version(ours)), (Some(installed), Some(ours)) if installed > ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_tool_does_not_take_over_from_a_newer_one() {
        assert!(is_newer("0.10.0-aa", "0.9.0-bb") && is_newer("1.0.0-aa", "1.0.0-rc.1-bb"));
        assert!(!is_newer("0.9.0-aa", "0.10.0-bb") && !is_newer("0.9.0-aa", "0.9.0-bb"));
        assert!(!is_newer("unknown", "0.9.0-bb"));
    }
}
