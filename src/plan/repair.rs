//! The plan that puts a version tree that was just unpacked in the place of a damaged one.

use crate::model::history::{Action, Event};
use crate::model::launch::{LaunchSpec, tree_name};
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::model::moment::Moment;
use crate::model::owner::Owner;
use crate::model::version::Version;
use crate::plan::step::{Operation, Plan, Step, Undo};
use crate::plan::wanted::Archive;

/// So many faults are named one by one.
const NAMED: usize = 20;

/// A version tree, and what was found to be wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Its version.
    pub version: Version,
    /// What is wrong, a sentence each; none: it is as its archive.
    pub faults: Vec<String>,
    /// The other trees that hold one of the damaged files as their own.
    pub shared_with: Vec<String>,
    /// Whether something runs from it.
    pub runs: bool,
}

/// Decides how a version tree becomes what its archive makes: in one exchange of names. Where nothing is wrong with it
/// the plan is empty.
#[must_use]
pub fn repair(
    of: &Marker,
    damage: &Damage,
    archive: &Archive,
    layout: &Layout,
    caller: &Owner,
    now: Moment,
) -> Plan {
    let mut plan = Plan::new(Operation::Repair, &LaunchSpec::bare(of));
    if damage.faults.is_empty() {
        return plan;
    }
    let (folder, tree) = (layout.install(&of.name), tree_name(&of.component, &damage.version));
    plan.notices.extend(damage.faults.iter().take(NAMED).map(|fault| format!("{tree}: {fault}")));
    if damage.faults.len() > NAMED {
        plan.notices.push(format!("{tree}: {} more", damage.faults.len() - NAMED));
    }
    for other in &damage.shared_with {
        plan.notices.push(format!("{other} holds a damaged file of {tree} as its own: repair it as well"));
    }
    if damage.runs {
        plan.notices.push(format!(
            "what runs keeps what it has loaded: `mainstay restart --name {}` brings in the rebuilt files",
            of.name
        ));
    }
    let step = Step::Publish {
        archive: archive.path.clone(),
        digest: archive.digest,
        staging: archive.staging.clone(),
        folder: folder.clone(),
        tree,
        over: true,
    };
    // The exchange is one call: it is done, or was never begun.
    plan.push(step, Undo::Nothing);
    let count = damage.faults.len();
    let event = Event {
        at: now,
        action: Action::Repaired,
        from: None,
        to: Some(damage.version.clone()),
        downtime_ms: None,
        reason: Some(match count {
            1 => format!("one fault in its files: {}", damage.faults.join("")),
            _ => format!("{count} faults in its files"),
        }),
        source: None,
        user: caller.name.clone(),
    };
    plan.push(Step::Record { path: layout.history(&of.name), event }, Undo::Nothing);
    plan.after.push(Step::EmptyTrash { folder, entry: None });
    plan
}
