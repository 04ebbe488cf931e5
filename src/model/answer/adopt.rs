//! `adopt.v1`: what an adoption comes to.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::adoption::AdoptedLine;
use crate::model::name::InstanceName;

/// What an adoption would come to, or has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay adoption")]
pub struct AdoptAnswer {
    /// The name of this document's schema: `adopt.v1`.
    pub schema: String,
    /// The instance.
    pub name: InstanceName,
    /// What was adopted, as its own manager calls it.
    pub service: String,
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Where the manifest stands.
    #[schemars(with = "String")]
    pub manifest_path: Utf8PathBuf,
    /// The text of the manifest.
    pub manifest: String,
    /// What became of each line.
    pub lines: Vec<AdoptedLine>,
    /// The definitions that change, as a unified diff.
    pub diff: String,
    /// The files and commands, a line each.
    pub steps: Vec<String>,
    /// What the person should know beside the steps.
    pub notices: Vec<String>,
    /// For how long nothing answered, in milliseconds, where it was restarted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime_ms: Option<u64>,
}
