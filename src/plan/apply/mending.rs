//! The restart that mends what only a new start can: a program that was started with something else than it would be
//! now.

use super::runtime::restart_gated;
use crate::model::drift::DriftKind;
use crate::plan::definition::Defined;
use crate::plan::drift::runs_otherwise;
use crate::plan::observed::Observed;
use crate::plan::step::{Operation, Plan};
use crate::plan::wanted::Wanted;
use crate::platform::{running_part, untouched};

/// Restarts what runs, where that mends anything. Where the definition counts otherwise than it did when the service
/// was started, the way back is to that one; else there is none but another try.
pub(super) fn restart(
    plan: &mut Plan,
    operation: Operation,
    wanted: &Wanted,
    observed: &Observed,
    defined: &Defined,
) {
    let drifts = plan.difference.drift.iter().map(|drift| drift.kind);
    let needed =
        drifts.filter(|kind| kind.needs_restart()).any(|kind| kind != DriftKind::RunsOtherDefinition)
            || listens_elsewhere(wanted, observed);
    let redefined = runs_otherwise(&wanted.definition.text, wanted, observed);
    if operation == Operation::Apply && (needed || redefined) {
        let back = if redefined { defined.undo.clone() } else { Vec::new() };
        restart_gated(plan, wanted, observed, back, defined.sockets);
    }
}

/// Whether the definition of the sockets was one under which systemd may listen elsewhere.
fn listens_elsewhere(wanted: &Wanted, observed: &Observed) -> bool {
    let counts = |text: &str| running_part(wanted.spec.platform, text);
    let (before, after) = (&observed.socket, &wanted.definition.socket);
    let edited = before.as_deref().filter(|text| !untouched(wanted.spec.platform, text));
    edited.is_some_and(|text| after.as_ref().is_some_and(|after| counts(text) != counts(&after.text)))
}
