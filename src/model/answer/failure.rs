//! `failure.v1`: what failed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What failed, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay failure")]
pub struct FailureAnswer {
    /// The name of this document's schema: `failure.v1`.
    pub schema: String,
    /// The exit code of the command.
    pub exit_code: u8,
    /// What failed.
    pub message: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What to do, a line each.
    pub help: Vec<String>,
}

impl FailureAnswer {
    /// A failure with its exit code.
    #[must_use]
    pub fn new(exit_code: u8, message: String, causes: Vec<String>, help: Vec<String>) -> Self {
        Self { schema: "failure.v1".to_owned(), exit_code, message, causes, help }
    }
}
