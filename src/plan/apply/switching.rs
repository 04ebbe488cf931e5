//! How a new launch takes the place of the old one: directly, by a restart through its gate, or beside it.

use super::data::data_move;
use super::hooks::Between;
use super::in_place::active_now;
use super::values::before_switch;
use super::watch::{end_trial, watch};
use super::{AFTER_START, await_ready, patience, relink, write};
use crate::model::launch::LaunchSpec;
use crate::model::overlap::may_overlap;
use crate::model::receipt::Receipt;
use crate::model::trial::{DataMove, Stage, Switch};
use crate::plan::definition::Defined;
use crate::plan::observed::{Observed, Readiness, Running};
use crate::plan::refusal::Refusal;
use crate::plan::step::files::written;
use crate::plan::step::{Operation, Plan, Step, Undo};
use crate::plan::wanted::Wanted;
use crate::platform::calls::{self, Sockets};
use crate::platform::identity;

/// The new launch: through a switch with its gate while the service runs, else directly. Says whether there is
/// a switch to settle.
pub(super) fn launch(
    plan: &mut Plan,
    operation: Operation,
    wanted: &Wanted,
    observed: &Observed,
    defined: &Defined,
) -> Result<bool, Refusal> {
    let (layout, spec) = (&wanted.layout, &wanted.spec);
    let tree = spec.tree();
    let active = observed.link.as_ref().and_then(|link| observed.specs.get(link));
    let is_active = observed.link.as_deref() == Some(tree.as_str());
    if is_active && active == Some(spec) {
        return Ok(false);
    }
    if is_active && active.is_some_and(|active| active.identity() == spec.identity()) {
        // What only decides about upgrades is written down, and runs as before.
        let before = active.map(LaunchSpec::text);
        write(plan, &layout.launch(&spec.name, &tree), &spec.text(), 0o644, before.as_deref());
        return Ok(false);
    }
    if operation == Operation::Apply && runs_already(wanted, observed) {
        // Only what is on disk was changed, by hand.
        if observed.specs.get(&tree) != Some(spec) {
            let (step, undo) = launch_written(wanted, observed);
            plan.push(step, undo);
        }
        lead_to(plan, wanted, observed);
        return Ok(false);
    }
    let data = match active {
        Some(from) => data_move(plan, operation, wanted, observed, from)?,
        None => DataMove::default(),
    };
    // Where a program was replaced since, the way back is to the old settings with the new program.
    let now = active_now(wanted, observed);
    let gated = now.as_ref().filter(|_| observed.runs() && !wanted.wishes.no_restart);
    // First, so that it is undone last, when what was on trial runs again.
    let back_on_trial = end_trial(plan, operation, wanted, observed);
    if let Some(from) = gated {
        Gate { operation, wanted, observed, from, defined }.pass(plan, data, back_on_trial);
        return Ok(true);
    }
    if let Some(from) = active.filter(|_| !data.is_nothing()) {
        return standing(plan, wanted, observed, from, data);
    }
    let (step, undo) = launch_written(wanted, observed);
    plan.push(step, undo.and_return());
    lead_to(plan, wanted, observed);
    Ok(false)
}

/// Has the current link name the tree that is wanted.
fn lead_to(plan: &mut Plan, wanted: &Wanted, observed: &Observed) {
    let (spec, tree) = (&wanted.spec, wanted.spec.tree());
    if observed.link.as_deref() != Some(tree.as_str()) {
        let path = wanted.layout.current(&spec.name, &spec.component);
        relink(plan, &path, &tree, observed.link.as_deref());
    }
}

/// A switch by a new start, which has to prove itself.
struct Gate<'a> {
    operation: Operation,
    wanted: &'a Wanted,
    observed: &'a Observed,
    /// What runs.
    from: &'a LaunchSpec,
    defined: &'a Defined,
}

impl Gate<'_> {
    /// The steps, with those that bring a trial back that ends with this.
    fn pass(self, plan: &mut Plan, data: DataMove, back_on_trial: Vec<Step>) {
        let Self { operation, wanted, observed, from, defined } = self;
        let (spec, tree) = (&wanted.spec, wanted.spec.tree());
        let (path, before) = (wanted.layout.launch(&spec.name, &tree), observed.specs.get(&tree));
        if from.tree() != tree && before != Some(spec) {
            write(plan, &path, &spec.text(), 0o644, before.map(LaunchSpec::text).as_deref());
        }
        if let Some(hook) = self.hook("upgrade.hooks.beforeStop", spec.hooks.before_stop.as_ref()) {
            plan.push(hook, Undo::Nothing);
        }
        let watch = watch(plan, operation, wanted, observed, (from, defined), &data);
        let switch = Switch {
            format: Switch::format_for(&data, watch.as_ref()),
            from: from.clone(),
            to: spec.clone(),
            stage: Stage::Pending,
            data,
            watch,
        };
        let one_way = switch.is_one_way();
        let first = defined.undo.iter().cloned().chain(back_on_trial).collect();
        before_switch(plan, from, wanted, observed);
        plan.push(Step::Switch { switch: Box::new(switch) }, Undo::TakeBack { first });
        self.start(plan);
        plan.push(await_ready(spec, spec.gate), Undo::Nothing);
        let hook = self.hook(AFTER_START, spec.hooks.after_start.as_ref());
        if one_way {
            // It stays whatever the hook says: its data are closed to what ran before.
            plan.after.extend(hook);
        } else if let Some(hook) = hook {
            plan.push(hook, Undo::Nothing);
        }
    }

    /// A hook, where another version comes. A way back is asked for because something is wrong, and waits for none.
    fn hook(&self, field: &str, argv: Option<&Vec<String>>) -> Option<Step> {
        let changes = self.from.tree() != self.wanted.spec.tree();
        let asked = changes && self.operation != Operation::Rollback;
        if asked { hook(field, argv, self.wanted, self.from) } else { None }
    }

    /// The new start: beside the old one where that is wanted and can be, else in its place.
    fn start(&self, plan: &mut Plan) {
        let spec = &self.wanted.spec;
        let restart = calls::restart(&identity(spec), self.defined.sockets);
        let hindrance = self.hinders_overlap(plan);
        if spec.overlap && hindrance.is_none() {
            // What ran before may still drain from the last time.
            let within = patience(spec.gate.and(spec.stop_limit()));
            plan.push(Step::Overlap { within, otherwise: restart }, Undo::Nothing);
            return;
        }
        plan.notices.extend(hindrance.filter(|_| spec.overlap).map(|what| {
            format!("the new start does not overlap the old one, because {what}: the service is restarted")
        }));
        for call in restart {
            plan.push(Step::Call { call }, Undo::Nothing);
        }
    }

    /// Why a new start can't become ready beside the old one, where it is meant to.
    fn hinders_overlap(&self, plan: &Plan) -> Option<&'static str> {
        let Self { wanted, observed, from, defined, .. } = self;
        let runtime = wanted.layout.runtime_link(&wanted.spec.name);
        let is_runtime = |step: &Step| matches!(step, Step::Link { path, .. } if *path == runtime);
        if !may_overlap(from, &wanted.spec) {
            return Some("what changes can't change while it runs");
        }
        if plan.switch().is_some_and(|(_, switch)| !switch.data.is_nothing()) {
            return Some("its data are moved meanwhile");
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
}

/// Whether the launch that is wanted is the one that runs, and the one that was active last.
fn runs_already(wanted: &Wanted, observed: &Observed) -> bool {
    let spec = &wanted.spec;
    let recorded = observed.receipt.as_ref().and_then(Receipt::active);
    observed.runs()
        && wanted.standing.is_none()
        && recorded.is_some_and(|active| active.version == spec.version)
        && observed.running_tree() == Some(spec.tree().as_str())
        && observed.running_launch.as_deref() == Some(spec.identity().as_str())
}

/// Writes the launch spec, over one that can't be read as well.
fn launch_written(wanted: &Wanted, observed: &Observed) -> (Step, Undo) {
    let (spec, tree) = (&wanted.spec, wanted.spec.tree());
    let path = wanted.layout.launch(&spec.name, &tree);
    let before = observed.specs.get(&tree).map(LaunchSpec::text);
    let before = before.or_else(|| observed.spoiled.get(&tree).cloned());
    written(&path, &spec.text(), 0o644, before.as_deref())
}

/// The new launch of a service that is stopped, whose data have to be moved first: the switch is made at once.
fn standing(
    plan: &mut Plan,
    wanted: &Wanted,
    observed: &Observed,
    from: &LaunchSpec,
    data: DataMove,
) -> Result<bool, Refusal> {
    let spec = &wanted.spec;
    if observed.running != Running::No {
        return Err(Refusal::DataNeedsRestart { name: spec.name.clone(), to: spec.version.clone() });
    }
    let path = wanted.layout.launch(&spec.name, &spec.tree());
    let before = observed.specs.get(&spec.tree()).map(LaunchSpec::text);
    write(plan, &path, &spec.text(), 0o644, before.as_deref());
    let switch = Switch {
        format: Switch::format_for(&data, None),
        from: from.clone(),
        to: spec.clone(),
        stage: Stage::Pending,
        data,
        watch: None,
    };
    plan.push(Step::Switch { switch: Box::new(switch) }, Undo::GiveBack);
    plan.push(Step::MakeSwitch, Undo::Nothing);
    Ok(true)
}

pub(super) fn hook(
    field: &str,
    argv: Option<&Vec<String>>,
    wanted: &Wanted,
    from: &LaunchSpec,
) -> Option<Step> {
    let between = Between { wanted, from, to: &wanted.spec };
    between.call(field, argv, &wanted.spec).map(Step::Hook)
}
