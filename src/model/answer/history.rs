//! `history.v1`: what happened to an instance.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::event_line::EventLine;
use crate::model::history::Event;
use crate::model::moment::Moment;
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
    /// What was done to it, and what its supervisor saw.
    pub events: Vec<Happening>,
}

/// Something that happened to an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Happening {
    /// Somebody did it: it has an `action`.
    Done(Event),
    /// The supervisor saw it, and its own account wrote it down: it has an `event`.
    Seen(EventLine),
}

impl Happening {
    /// When.
    #[must_use]
    pub fn at(&self) -> Moment {
        match self {
            Self::Done(event) => event.at,
            Self::Seen(line) => line.at,
        }
    }
}
