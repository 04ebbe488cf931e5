//! The plans of start, stop and restart: calls to the service manager, and the waiting for readiness.

use crate::model::launch::LaunchSpec;
use crate::plan::apply::patience;
use crate::plan::observed::{Observed, Running};
use crate::plan::step::{Operation, Plan, Step};
use crate::platform::call;

/// Decides how to start a service, if it does not run.
#[must_use]
pub fn start(spec: &LaunchSpec, observed: &Observed) -> Plan {
    let mut plan = Plan::new(Operation::Start, spec.name.clone());
    if !observed.runs() {
        plan.after.extend(call::start(spec).into_iter().map(|call| Step::Call { call }));
        plan.after.push(Step::AwaitReady { tree: spec.tree(), within: patience(spec.ready.timeout) });
    }
    plan
}

/// Decides how to stop a service, if it may run.
#[must_use]
pub fn stop(spec: &LaunchSpec, observed: &Observed) -> Plan {
    let mut plan = Plan::new(Operation::Stop, spec.name.clone());
    if observed.running != Running::No {
        plan.after.extend(call::stop(spec).into_iter().map(|call| Step::Call { call }));
    }
    plan
}

/// Decides how to stop and start a service: in one call, so that nothing is ever stopped with nobody left to
/// start it.
#[must_use]
pub fn restart(spec: &LaunchSpec) -> Plan {
    let mut plan = Plan::new(Operation::Restart, spec.name.clone());
    plan.after.extend(call::restart(spec).into_iter().map(|call| Step::Call { call }));
    plan.after.push(Step::AwaitReady { tree: spec.tree(), within: patience(spec.ready.timeout) });
    plan
}
