//! `pack.v1`: an archive that was made, or could be.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;
use crate::model::name::ComponentName;
use crate::model::version::Version;

/// An archive that was made, or could be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay pack")]
pub struct PackAnswer {
    /// The name of this document's schema: `pack.v1`.
    pub schema: String,
    /// The archive; nothing where it was only checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub archive: Option<Utf8PathBuf>,
    /// The digest of its bytes.
    pub sha256: Digest,
    /// Its size, in bytes.
    pub size: u64,
    /// The number of entries in it.
    pub entries: u64,
    /// The component, if the folder has a package description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<ComponentName>,
    /// Its version, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// What a good package would have, as sentences with their places; told by `--check`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}
