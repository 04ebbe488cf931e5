//! The file for monitors (`healthFile` of a manifest): how a program has been doing, replaced whole at every change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::moment::Moment;
use crate::model::status::Phase;

/// The name of this document's schema.
pub const SCHEMA: &str = "health.v1";

/// How a program has been doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay health file")]
pub struct HealthFile {
    /// The name of this document's schema: `health.v1`.
    pub schema: String,
    /// Where the program stands.
    pub phase: Phase,
    /// When it was last started.
    pub last_start: Option<Moment>,
    /// When it last showed that it works: it became ready, gave a good answer, or ended a run with success.
    pub last_success: Option<Moment>,
    /// How often it failed since then: endings that nobody asked for, and bad answers.
    pub consecutive_failures: u32,
    /// The last failure since then; none if there was none.
    pub last_error: Option<String>,
}
