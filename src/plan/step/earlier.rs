//! With which values of its files a launch is started again, where a restart is undone.

use serde::{Deserialize, Serialize};

use crate::plan::step::{Plan, Step, Undo};

/// With which values of its files a launch is started again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Earlier {
    /// With those in the files, which it was started with before.
    #[default]
    Same,
    /// With those that were kept: the files hold others.
    Kept,
    /// With what is in the files, since what it was started with is kept nowhere; and why.
    Lost(String),
}

impl Earlier {
    pub(super) fn is_same(&self) -> bool {
        *self == Self::Same
    }
}

impl Plan {
    /// Whether the program is started anew in its course, beside what runs or in its place.
    #[must_use]
    pub fn starts_anew(&self) -> bool {
        let ends = |step: &Step| matches!(step, Step::Call { call } if call.ends_what_runs());
        let waits = |step: &Step| matches!(step, Step::AwaitReady { .. });
        self.is_gated() || self.overlaps() || (self.after.iter().any(ends) && self.after.iter().any(waits))
    }

    /// With which values of its files a launch is started again, where a step up to a place has failed.
    #[must_use]
    pub fn earlier_values(&self, place: usize) -> Earlier {
        let restarts = self.steps.iter().take(place + 1).find_map(|planned| match &planned.undo {
            Undo::Restart { values, .. } => Some(values.clone()),
            _ => None,
        });
        restarts.unwrap_or_default()
    }
}
