//! `failure.v1`: what failed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::problem::Problem;

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
    /// The faults of the manifest or package description that was refused, each with its place.
    #[serde(default)]
    pub problems: Vec<Problem>,
}

impl FailureAnswer {
    /// A failure with its exit code.
    #[must_use]
    pub fn new(exit_code: u8, message: String, causes: Vec<String>, help: Vec<String>) -> Self {
        Self { schema: "failure.v1".to_owned(), exit_code, message, causes, help, problems: Vec::new() }
    }
}
