//! `change.v1`: what a command that changes something would do, or did.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::drift::{Drift, DropIn, FieldChange};
use crate::model::name::InstanceName;
use crate::model::version::Version;

/// What a command would do, or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay change")]
pub struct ChangeAnswer {
    /// The name of this document's schema: `change.v1`.
    pub schema: String,
    /// `install`, `apply`, `upgrade`, …
    pub operation: String,
    /// The instance.
    pub name: InstanceName,
    /// Whether there was anything to do.
    pub changed: bool,
    /// Whether it was only shown.
    pub dry_run: bool,
    /// The version that was active before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Version>,
    /// The version that is active after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Version>,
    /// What is not as it was applied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Drift>,
    /// The settings that change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// The manifest and the definitions that change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diffs: Vec<FileDiff>,
    /// The user's own files that change what a definition says. They stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop_ins: Vec<DropIn>,
    /// The files and commands, in order.
    pub steps: Vec<String>,
    /// What to know beside them.
    pub notices: Vec<String>,
    /// Whether the program is started anew in its course.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restarts: bool,
    /// For how long the program did not answer, in milliseconds, where it was restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downtime_ms: Option<u64>,
    /// What it takes of the disk, in bytes, where a version is unpacked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub takes_bytes: Option<u64>,
    /// What it frees of the disk, in bytes, where versions are removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frees_bytes: Option<u64>,
}

impl ChangeAnswer {
    /// An answer of which no more is known than what was done, and to which instance.
    #[must_use]
    pub fn of(operation: &str, name: InstanceName, changed: bool) -> Self {
        Self {
            schema: "change.v1".to_owned(),
            operation: operation.to_owned(),
            name,
            changed,
            dry_run: false,
            from: None,
            to: None,
            drift: Vec::new(),
            fields: Vec::new(),
            diffs: Vec::new(),
            drop_ins: Vec::new(),
            steps: Vec::new(),
            notices: Vec::new(),
            restarts: false,
            downtime_ms: None,
            takes_bytes: None,
            frees_bytes: None,
        }
    }
}

/// A manifest or a definition that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileDiff {
    /// Where it stands.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// How, as a unified diff. Secrets are left out.
    pub diff: String,
}
