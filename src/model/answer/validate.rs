//! `validate.v1`: what is wrong with some manifests.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::problem::Problem;

/// What is wrong with the manifests that were looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay validate")]
pub struct ValidateAnswer {
    /// The name of this document's schema: `validate.v1`.
    pub schema: String,
    /// Whether all of them are sound.
    pub valid: bool,
    /// The files.
    pub files: Vec<Validated>,
}

/// One file that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Validated {
    /// The file, or the folder in which there is none.
    #[schemars(with = "String")]
    pub file: Utf8PathBuf,
    /// Its text, for showing what is around a fault.
    #[serde(skip)]
    pub text: String,
    /// Its faults, in the order of its lines.
    pub problems: Vec<Problem>,
    /// What it says and probably does not mean, and what this host lacks of what it names, in the order of its lines: no
    /// fault.
    pub warnings: Vec<Problem>,
}
