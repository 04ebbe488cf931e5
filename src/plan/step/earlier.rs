//! With which values of its files a launch is started again, where a restart is undone.

use serde::{Deserialize, Serialize};

use crate::plan::step::{Plan, Undo};

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
