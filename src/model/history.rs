//! The history: what happened to an instance, a line an event.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::moment::Moment;
use crate::model::provenance::Provenance;
use crate::model::version::Version;

/// One event in an instance's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay history event")]
pub struct Event {
    /// When it ended.
    pub at: Moment,
    /// What was done.
    pub action: Action,
    /// The version before, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Version>,
    /// The version after, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Version>,
    /// For how long the program did not answer, in milliseconds, where that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime_ms: Option<u64>,
    /// The reason, where something did not go as wished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the version came from, if an archive was brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Provenance>,
    /// The account that asked; `supervisor` where nobody did, as at the end of a trial.
    pub user: String,
}

impl Event {
    /// Something that was done by an account's wish, of which no more is said.
    #[must_use]
    pub fn new(at: Moment, action: Action, user: impl Into<String>) -> Self {
        Self {
            at,
            action,
            from: None,
            to: None,
            downtime_ms: None,
            reason: None,
            source: None,
            user: user.into(),
        }
    }
}

/// What was done to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Action {
    /// Installed.
    Installed,
    /// Made mainstay's, where somebody else had defined it.
    Adopted,
    /// Changed settings applied.
    Applied,
    /// A newer or other version made active.
    Upgraded,
    /// The version before made active again, because the user asked.
    RolledBack,
    /// A version that did not prove itself taken back.
    TakenBack,
    /// A version that was ready for the whole of its trial: nobody takes it back any more.
    Proved,
    /// An operation that died undone.
    Undone,
    /// An operation that died finished.
    Finished,
    /// Old versions removed.
    CleanedUp,
    /// A version tree rebuilt from its archive.
    Repaired,
    /// Deregistered.
    Uninstalled,
}

impl std::fmt::Display for Action {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Installed => "installed",
            Self::Adopted => "adopted",
            Self::Applied => "applied",
            Self::Upgraded => "upgraded",
            Self::RolledBack => "rolled back",
            Self::TakenBack => "taken back",
            Self::Proved => "proved",
            Self::Undone => "undone",
            Self::Finished => "finished",
            Self::CleanedUp => "cleaned up",
            Self::Repaired => "repaired",
            Self::Uninstalled => "uninstalled",
        })
    }
}
