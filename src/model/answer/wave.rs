//! `wave.v1`: what was done to the instances of one component, one after the other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::answer::failure::FailureAnswer;
use crate::model::name::{ComponentName, InstanceName};
use crate::model::version::Version;

/// What was done to the instances of one component, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay wave")]
pub struct WaveAnswer {
    /// The name of this document's schema: `wave.v1`.
    pub schema: String,
    /// The component.
    pub component: ComponentName,
    /// Whether it was only shown.
    pub dry_run: bool,
    /// Its instances, in the order in which they come: the canary first.
    pub instances: Vec<WaveInstance>,
}

/// What became of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaveInstance {
    /// The instance.
    pub name: InstanceName,
    /// What became of it.
    pub state: WaveState,
    /// The version that was active before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Version>,
    /// The version that is active after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Version>,
    /// The files and commands, in order.
    pub steps: Vec<String>,
    /// For how long the program did not answer, in milliseconds, where it was restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downtime_ms: Option<u64>,
    /// Why it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureAnswer>,
}

/// What became of an instance in a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum WaveState {
    /// It has what was asked for.
    Done,
    /// There was nothing to do.
    Unchanged,
    /// It failed; those after it are untouched.
    Failed,
    /// Nothing was done to it.
    Untouched,
}

impl std::fmt::Display for WaveState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Done => "done",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Untouched => "untouched",
        })
    }
}
