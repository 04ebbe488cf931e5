//! The plan for a container. Its definition names its image, and nobody supervises it: so the way to another one, and
//! the way back, are the command's own. All that says what runs is written first, then Compose exchanges the container
//! in one call, then it is waited for; if it does not get ready, the same files and the same call lead back.

use camino::Utf8PathBuf;

use super::records::records;
use super::{await_ready, beside, folders, put_away, relink, start, write, written};
use crate::model::adoption::Before;
use crate::model::compose::OldContainer;
use crate::model::launch::LaunchSpec;
use crate::model::version::Version;
use crate::plan::observed::Observed;
use crate::plan::refusal::Refusal;
use crate::plan::step::{Earlier, Operation, Plan, Replaced, Step, Undo};
use crate::plan::wanted::Wanted;
use crate::platform::call::Call;
use crate::platform::calls;
use crate::platform::calls::Sockets;
use crate::platform::identity;

/// Decides how to bring a container to what is wanted.
pub(super) fn apply(operation: Operation, wanted: &Wanted, observed: &Observed) -> Plan {
    let mut plan = Plan::new(operation, &wanted.spec);
    folders(&mut plan, wanted, observed);
    beside(&mut plan, wanted);
    mark(&mut plan, wanted, observed);
    let begins = plan.steps.len();
    launch(&mut plan, wanted, observed);
    let definition = &wanted.definition;
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

/// Writes which launch counts, and the entry by which it is found.
fn launch(plan: &mut Plan, wanted: &Wanted, observed: &Observed) {
    let (layout, spec) = (&wanted.layout, &wanted.spec);
    let tree = spec.tree();
    let before = observed.specs.get(&tree).map(LaunchSpec::text);
    if before.as_deref() != Some(spec.text().as_str()) {
        let (step, undo) = written(&layout.launch(&spec.name, &tree), &spec.text(), 0o644, before.as_deref());
        plan.push(step, undo);
    }
    if observed.link.as_deref() != Some(tree.as_str()) {
        relink(plan, &layout.current(&spec.name, &spec.component), &tree, observed.link.as_deref());
    }
    let definition = &wanted.definition;
    if observed.definition.as_deref() != Some(definition.text.as_str()) {
        let before = observed.definition.as_deref();
        let (step, undo) = written(&definition.path, &definition.text, definition.mode, before);
        plan.push(step, undo);
    }
}

/// A container that somebody else has made, and that becomes mainstay's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeOver {
    /// The file that defines it.
    pub file: Utf8PathBuf,
    /// Where that file is kept.
    pub aside: Utf8PathBuf,
    /// The container, where there is one.
    pub old: Option<OldContainer>,
    /// What makes it anew by that file, where it is gone.
    pub otherwise: Call,
    /// What brings it back one day.
    pub before: Before,
}

/// Decides how a container that somebody else has made becomes mainstay's: its file is put away, it is stopped and has
/// another name, and ours takes its place. If ours does not get ready, it is started again as it was; else it goes.
pub fn adopt(wanted: &Wanted, observed: &Observed, take: &TakeOver) -> Result<Plan, Refusal> {
    let (spec, layout) = (&wanted.spec, &wanted.layout);
    if let Some(marker) = &observed.marker {
        return Err(Refusal::AlreadyOurs { name: spec.name.clone(), folder: marker.folder.clone() });
    }
    if let Some(installed) = observed.other_platform {
        return Err(Refusal::OtherPlatform { name: spec.name.clone(), installed, wanted: spec.platform });
    }
    if let Some(other) = observed.foreign.as_ref().filter(|other| take.file.as_str() != other.as_str()) {
        return Err(Refusal::NotOurs { name: spec.name.clone(), definition: other.clone() });
    }
    let mut plan = Plan::new(Operation::Adopt, spec);
    folders(&mut plan, wanted, observed);
    beside(&mut plan, wanted);
    mark(&mut plan, wanted, observed);
    launch(&mut plan, wanted, observed);
    write(&mut plan, &layout.before(&spec.name), &take.before.text(), 0o600, None);
    let (from, to) = (take.file.clone(), take.aside.clone());
    let back = Undo::step(Step::Move { from: to.clone(), to: from.clone() });
    plan.push(Step::Move { from, to }, back);
    if let Some(compose) = &wanted.definition.compose {
        write(&mut plan, &compose.path, &compose.text, wanted.definition.mode, None);
    }
    if let Some(old) = &take.old {
        let mut undo = Undo::Revive { old: old.clone(), otherwise: take.otherwise.clone() };
        for call in calls::put_aside(old) {
            plan.push(Step::Call { call }, std::mem::replace(&mut undo, Undo::Nothing));
        }
    }
    if take.old.as_ref().is_some_and(|old| old.ran) {
        for call in calls::start(&identity(spec)) {
            plan.push(Step::Call { call }, Undo::Nothing);
        }
        plan.push(await_ready(spec, spec.gate), Undo::Nothing);
    } else {
        plan.notices.push("it is stopped and stays so: `mainstay start` starts it".to_owned());
    }
    records(&mut plan, Operation::Adopt, wanted, observed);
    if let Some(old) = &take.old {
        // The last: as long as it is there, the way back is the very container that ran.
        plan.push(Step::Call { call: calls::remove_old(old) }, Undo::Nothing);
    }
    Ok(plan.with_engine(spec))
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
    let mut undo = Undo::Restart { first, values: Earlier::Same };
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
