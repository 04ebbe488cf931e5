//! The trial of the active version: one that nobody counts never ends, and is no safety.

use super::{Judged, doubtful, sound};
use crate::engine::doctor::facts::Facts;
use crate::model::answer::doctor::Check;

/// The judgement of an active version that is whole.
pub(super) fn of_whole(facts: &Facts, tree: &str) -> Judged {
    let status = &facts.status;
    match status.trial.as_ref().filter(|trial| !trial.counted && status.state.runs()) {
        Some(trial) => {
            let message = format!(
                "the active version `{tree}` is on trial, and nobody counts: a failure would not take {} back",
                trial.goes_back_to
            );
            let hint = format!("`mainstay restart --name {}` starts a supervisor that does", status.name);
            doubtful(Check::Version, message, hint)
        }
        None => sound(Check::Version, format!("the active version `{tree}` is whole")),
    }
}
