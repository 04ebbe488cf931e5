//! How a new launch takes the place of the old one: directly, by a restart through its gate, or beside it.

use super::standing::active_now;
use super::watch::{end_trial, watch};
use super::{AFTER_START, await_ready, patience, relink, write, written};
use crate::model::hook::{self, HookCall};
use crate::model::launch;
use crate::model::overlap::may_overlap;
use crate::model::trial::{DataMove, Stage, Switch};
use crate::plan::definition::Defined;
use crate::plan::observed::{Observed, Readiness};
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
    if observed.link.as_deref() == Some(tree.as_str())
        && active.is_some_and(|active| active.identity() == spec.identity())
    {
        // What only decides about upgrades is written down, and runs as before.
        let (step, undo) = written(&path, &text, 0o644, before.as_deref());
        plan.push(step, undo);
        return false;
    }
    // Where a program was replaced since, the way back is to the old settings with the new program.
    let now = active_now(wanted, observed);
    let gated = now.as_ref().filter(|_| observed.runs() && !wanted.wishes.no_restart);
    // First, so that it is undone last, when what was on trial runs again.
    let back_on_trial = end_trial(plan, operation, wanted, observed);
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
    let watch = watch(plan, operation, wanted, observed, (from, defined));
    let switch = Switch {
        format: launch::FORMAT,
        from: from.clone(),
        to: spec.clone(),
        stage: Stage::Pending,
        data: DataMove::default(),
        watch,
    };
    let first = defined.undo.iter().cloned().chain(back_on_trial).collect();
    plan.push(Step::Switch { switch: Box::new(switch) }, Undo::TakeBack { first });
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
        hook(plan, AFTER_START, spec.hooks.after_start.as_ref(), wanted);
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

pub(super) fn hook(plan: &mut Plan, field: &str, argv: Option<&Vec<String>>, wanted: &Wanted) {
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
        Step::Hook(HookCall {
            field: field.to_owned(),
            argv: argv.iter().map(|argument| crate::model::token::expand(argument, &places)).collect(),
            environment: environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            folder: spec.deploy.clone(),
            rights: wanted.owner.clone(),
            limit: spec.hooks.timeout.unwrap_or(hook::USUAL_LIMIT),
        }),
        Undo::Nothing,
    );
}
