//! What the host lacks of what the package needs.

use super::{Judged, doubtful, sound, wrong};
use crate::engine::doctor::facts::Facts;
use crate::model::answer::doctor::Check;
use crate::model::package::Severity;

/// Nothing where the package asks for nothing.
pub(super) fn needs(facts: &Facts) -> Option<Judged> {
    let lacks = facts.lacks.as_ref()?;
    if lacks.is_empty() {
        return Some(sound(Check::Host, "the host has all that the package needs"));
    }
    let message = lacks.iter().map(|lack| lack.what.as_str()).collect::<Vec<_>>().join("; ");
    let mends: Vec<&str> = lacks.iter().filter_map(|lack| lack.mend.as_deref()).collect();
    let hint = if mends.is_empty() {
        "`mainstay plan` shows what the package wants".to_owned()
    } else {
        mends.join("; ")
    };
    let refused = lacks.iter().any(|lack| lack.severity == Severity::Refuse);
    Some(if refused { wrong(Check::Host, message, hint) } else { doubtful(Check::Host, message, hint) })
}
