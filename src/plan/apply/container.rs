//! The plan for a container. Its definition names its image, and nobody supervises it: so the way to another one, and
//! the way back, are the command's own. All that says what runs is written first, then Compose exchanges the container
//! in one call, then it is waited for; if it does not get ready, the same files and the same call lead back.

use super::records::records;
use super::{await_ready, folders, put_away, relink, start, written};
use crate::model::launch::LaunchSpec;
use crate::model::version::Version;
use crate::plan::observed::Observed;
use crate::plan::step::{Operation, Plan, Replaced, Step, Undo};
use crate::plan::wanted::Wanted;
use crate::platform::calls;
use crate::platform::calls::Sockets;
use crate::platform::identity;

/// Decides how to bring a container to what is wanted.
pub(super) fn apply(operation: Operation, wanted: &Wanted, observed: &Observed) -> Plan {
    let (layout, spec) = (&wanted.layout, &wanted.spec);
    let mut plan = Plan::new(operation, spec);
    folders(&mut plan, wanted, observed);
    mark(&mut plan, wanted, observed);
    let begins = plan.steps.len();
    let tree = spec.tree();
    let before = observed.specs.get(&tree).map(LaunchSpec::text);
    if before.as_deref() != Some(spec.text().as_str()) {
        let (step, undo) = written(&layout.launch(&spec.name, &tree), &spec.text(), 0o644, before.as_deref());
        plan.push(step, undo);
    }
    if observed.link.as_deref() != Some(tree.as_str()) {
        relink(&mut plan, &layout.current(&spec.name, &spec.component), &tree, observed.link.as_deref());
    }
    let definition = &wanted.definition;
    if observed.definition.as_deref() != Some(definition.text.as_str()) {
        let before = observed.definition.as_deref();
        let (step, undo) = written(&definition.path, &definition.text, definition.mode, before);
        plan.push(step, undo);
    }
    if let Some(compose) = &definition.compose
        && observed.compose.as_deref() != Some(compose.text.as_str())
    {
        let (step, undo) =
            written(&compose.path, &compose.text, definition.mode, observed.compose.as_deref());
        plan.push(step, undo);
    }
    exchange(&mut plan, wanted, observed, begins);
    records(&mut plan, operation, wanted, observed);
    start(&mut plan, operation, wanted, observed);
    plan
}

/// Marks the version: its files are its engine's.
fn mark(plan: &mut Plan, wanted: &Wanted, observed: &Observed) {
    let spec = &wanted.spec;
    let (folder, tree) = (wanted.layout.install(&spec.name), spec.tree());
    let Some(container) = spec.container.as_ref().filter(|_| observed.whole_tree(&tree).is_none()) else {
        return;
    };
    let away = put_away(&folder, &format!("undone-{tree}"), wanted.now.0);
    let undo = Step::Move { from: folder.join(&tree), to: away };
    let program = container.pinned.clone().into();
    plan.push(Step::Mark { folder, tree, program }, Undo::step(undo));
}

/// Has the container exchanged where it runs, and goes by what was written before. `begins`: the first of those steps.
fn exchange(plan: &mut Plan, wanted: &Wanted, observed: &Observed, begins: usize) {
    let spec = &wanted.spec;
    let launch = spec.identity();
    let compose = wanted.definition.compose.as_ref();
    // What only decides about upgrades is written down, and runs as before.
    let is_it = observed.container_launch.as_deref() == Some(launch.as_str())
        && observed.compose.as_deref() == compose.map(|compose| compose.text.as_str());
    if !observed.runs() || wanted.wishes.no_restart || is_it {
        return;
    }
    let active = observed.link.as_ref().and_then(|link| observed.specs.get(link));
    let first: Vec<Step> =
        plan.steps.iter().skip(begins).rev().flat_map(|planned| planned.undo.steps()).collect();
    plan.replaces = active.map(|from| Replaced { from: from.version.clone(), to: spec.version.clone() });
    let mut undo = Undo::Restart { first };
    for call in calls::replace(&identity(spec), Sockets::Left) {
        plan.push(Step::Call { call }, std::mem::replace(&mut undo, Undo::Nothing));
    }
    plan.push(await_ready(spec, spec.gate), Undo::Nothing);
}

impl Plan {
    /// The versions between which the plan goes.
    #[must_use]
    pub fn versions(&self) -> Option<(&Version, &Version)> {
        let switched = self.switch().map(|(_, switch)| (&switch.from.version, &switch.to.version));
        switched.or(self.replaces.as_ref().map(|replaced| (&replaced.from, &replaced.to)))
    }
}
