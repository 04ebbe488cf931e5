//! What a supervisor saw happen to its program, a line an event (`report/events.jsonl`). It is written by the
//! service's own account, so readers take it as a claim: sizes limited, no links followed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::moment::Moment;
use crate::model::outcome::Outcome;
use crate::model::status::Exit;

/// Something that happened to a supervised program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay report event")]
pub struct EventLine {
    /// When.
    pub at: Moment,
    /// What.
    pub event: EventKind,
    /// What an ending meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// How the program ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// One sentence for people.
    pub message: String,
}

/// What can happen to a supervised program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum EventKind {
    /// It ended.
    Ended,
    /// It no longer worked, and was started again.
    Unhealthy,
    /// A watched file changed, and it was started again.
    Changed,
    /// Nobody needed it, and it was stopped.
    Idled,
    /// Somebody needed it, and it was started.
    Woken,
    /// Its supervisor was killed, and another one took over.
    Orphaned,
}

impl std::fmt::Display for EventKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Ended => "ended",
            Self::Unhealthy => "unhealthy",
            Self::Changed => "changed",
            Self::Idled => "idled",
            Self::Woken => "woken",
            Self::Orphaned => "supervisor killed",
        })
    }
}
