//! The inverses of steps.

use serde::{Deserialize, Serialize};

use crate::model::compose::OldContainer;
use crate::plan::step::{Earlier, Step};
use crate::platform::call::Call;

/// The inverse of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Undo {
    /// There is nothing to undo.
    Nothing,
    /// Other steps, in order.
    Steps(Vec<Step>),
    /// Other steps, in order; then, if something has started the service meanwhile, away from a launch that is
    /// no more: to the one that the current link names, or to a stop.
    Return(Vec<Step>),
    /// Take the old launch back, and see it run if the service ran.
    TakeBack {
        /// What has to be undone before it runs: under the new definition it might fail just as the new launch
        /// did.
        first: Vec<Step>,
    },
    /// Take the old launch of a stopped service back, with its data, and start nothing.
    GiveBack,
    /// These steps, in order; then a restart of what the current link names, and see it ready.
    Restart {
        /// What has to be undone before it runs again.
        first: Vec<Step>,
        /// The variables from files that it gets.
        #[serde(default, skip_serializing_if = "Earlier::is_same")]
        values: Earlier,
    },
    /// These steps, in order; then what ran before mainstay is started again by these calls, and seen to run.
    Restore(Vec<Step>, Vec<Call>),
    /// Have the container that was there before mainstay again, under its name; and see it run, if it ran.
    Revive {
        /// The container.
        old: OldContainer,
        /// What makes it anew where it is gone.
        otherwise: Call,
    },
    /// Start the service again and see it ready.
    Start(Vec<Call>),
}

impl Undo {
    /// The inverse that is this step.
    #[must_use]
    pub fn step(step: Step) -> Self {
        Self::Steps(vec![step])
    }

    /// The inverse that makes these calls.
    #[must_use]
    pub fn calls(calls: impl IntoIterator<Item = Call>) -> Self {
        Self::Steps(calls.into_iter().map(|call| Step::Call { call }).collect())
    }

    /// The steps of this inverse that can be done before their turn too, because doing them twice does no harm.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        match self {
            Self::Steps(steps) => steps.clone(),
            _ => Vec::new(),
        }
    }

    /// This inverse, and then away from a launch that is no more.
    #[must_use]
    pub fn and_return(self) -> Self {
        match self {
            Self::Steps(steps) => Self::Return(steps),
            other => other,
        }
    }

    /// This inverse, and then those calls.
    #[must_use]
    pub fn and_calls(self, calls: impl IntoIterator<Item = Call>) -> Self {
        match self {
            Self::Steps(mut steps) => {
                steps.extend(calls.into_iter().map(|call| Step::Call { call }));
                Self::Steps(steps)
            }
            other => other,
        }
    }
}
