//! `history.v1`: what happened to an instance.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::history::Event;
use crate::model::name::InstanceName;

/// What happened to an instance, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay history")]
pub struct HistoryAnswer {
    /// The name of this document's schema: `history.v1`.
    pub schema: String,
    /// The instance.
    pub name: InstanceName,
    /// The events.
    pub events: Vec<Event>,
}
