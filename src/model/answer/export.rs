//! `export.v1`: what was written out for another tool.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::version::Version;

/// What was, or would be, written out for another tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay export")]
pub struct ExportAnswer {
    /// The name of this document's schema: `export.v1`.
    pub schema: String,
    /// For which tool: `ansible`.
    pub of: String,
    /// Where it is.
    #[schemars(with = "String")]
    pub folder: Utf8PathBuf,
    /// Its version, which is that of mainstay.
    pub version: Version,
    /// Whether the folder was not so already.
    pub changed: bool,
    /// Whether it was only shown.
    pub dry_run: bool,
    /// The files, by their paths below the folder.
    pub files: Vec<String>,
    /// Where that is now which was in the folder's place, where that was nothing of this command's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub put_aside: Option<Utf8PathBuf>,
}
