//! An ending that an earlier supervisor had decided.

use crate::model::status::{Phase, Status};
use crate::supervise::ending::Ending;

#[derive(Clone, Debug)]
pub(super) struct Decided {
    pub(super) ending: Ending,
    pub(super) phase: Phase,
    pub(super) message: String,
}

impl Decided {
    pub(super) fn of(status: &Status) -> Option<Self> {
        let ending = match (status.phase, status.last_exit) {
            (Phase::Completed, _) => Ending::Completed,
            (Phase::Failed, Some(exit)) => Ending::Failed(exit),
            _ => return None,
        };
        Some(Self { ending, phase: status.phase, message: status.message.clone() })
    }
}
