//! The plans of start, stop and restart: calls to the service manager, and the waiting for readiness.

use crate::model::launch::LaunchSpec;
use crate::plan::apply::development::ahead;
use crate::plan::apply::{await_ready, patience};
use crate::plan::observed::{Observed, Readiness, Running};
use crate::plan::refusal::Refusal;
use crate::plan::step::{Operation, Plan, Step};
use crate::platform::call::Call;
use crate::platform::calls::{self, Sockets};
use crate::platform::identity;

/// Decides how to start a service: not at all if it is ready, and anew if it fails and waits for its next try or is
/// on its way down.
#[must_use]
pub fn start(spec: &LaunchSpec, observed: &Observed) -> Plan {
    let mut plan = Plan::new(Operation::Start, spec);
    plan.after.extend(ahead(observed));
    let of = identity(spec);
    let calls = match (observed.runs(), observed.readiness) {
        (false, _) => calls::start(&of),
        (true, Readiness::Failing) => calls::restart(&of, Sockets::Left),
        (true, Readiness::Coming) => Vec::new(),
        // A guard whose supervisor ends just now would not hear of a restart, so its end is brought about first.
        (true, Readiness::Ending) => stopped_and_started(spec),
        (true, Readiness::Ready) => return plan,
    };
    plan.after.extend(calls.into_iter().map(|call| Step::Call { call }));
    plan.after.push(await_ready(spec, spec.ready.timeout));
    plan.with_engine(spec)
}

/// Decides how to stop a service, if it may run.
#[must_use]
pub fn stop(spec: &LaunchSpec, observed: &Observed) -> Plan {
    let mut plan = Plan::new(Operation::Stop, spec);
    let sockets = Sockets::if_any(observed.has_sockets(spec));
    if observed.running != Running::No || sockets == Sockets::Along {
        let calls = calls::stop(&identity(spec), spec.stop_limit(), sockets);
        plan.after.extend(calls.into_iter().map(|call| Step::Call { call }));
    }
    let seen =
        observed.development.iter().filter_map(|seen| seen.record.as_ref().map(|record| (seen, record)));
    for (seen, record) in seen {
        for container in record.containers.iter().filter(|container| seen.runs(container)) {
            let (engine, name) = (container.engine, &container.container);
            plan.notices
                .push(format!("{name} runs on, for whoever develops: `{engine} stop {name}` stops it"));
        }
    }
    plan.with_engine(spec)
}

/// Decides how to stop a service and start it afresh, where its manager does not restart it. Its sockets stay.
#[must_use]
pub fn afresh(spec: &LaunchSpec) -> Plan {
    let mut plan = Plan::new(Operation::Restart, spec);
    plan.after.extend(stopped_and_started(spec).into_iter().map(|call| Step::Call { call }));
    plan.after.push(await_ready(spec, spec.ready.timeout));
    plan.with_engine(spec)
}

/// The calls of a stop and a fresh start.
pub(super) fn stopped_and_started(spec: &LaunchSpec) -> Vec<Call> {
    let of = identity(spec);
    calls::stop(&of, spec.stop_limit(), Sockets::Left).into_iter().chain(calls::start(&of)).collect()
}

/// Refuses to start what runs anew, where the new start could not read its files.
pub fn guard_restart(spec: &LaunchSpec, observed: &Observed) -> Result<(), Refusal> {
    match observed.unreadable.as_ref().filter(|_| observed.runs()) {
        Some(reason) => Err(Refusal::StartsNoMore { name: spec.name.clone(), reason: reason.clone() }),
        None => Ok(()),
    }
}

/// Decides how to stop and start a service: in one call, so that nothing is ever stopped with nobody left to
/// start it.
#[must_use]
pub fn restart(spec: &LaunchSpec, observed: &Observed) -> Plan {
    let mut plan = Plan::new(Operation::Restart, spec);
    plan.after.extend(ahead(observed));
    let calls = calls::restart(&identity(spec), Sockets::Left);
    let is_beside = spec.overlap && !spec.sockets.is_empty();
    // A start beside the old one leaves the supervisor as it is, with the definition under which it runs.
    if is_beside && observed.runs() && observed.readiness == Readiness::Ready && !observed.outdated {
        let within = patience(spec.ready.timeout.and(spec.stop_limit()));
        plan.after.push(Step::Overlap { within, otherwise: calls });
    } else {
        plan.after.extend(calls.into_iter().map(|call| Step::Call { call }));
    }
    // The old program may take its time to drain first.
    plan.after.push(await_ready(spec, spec.ready.timeout.and(spec.stop_limit())));
    plan.with_engine(spec)
}
