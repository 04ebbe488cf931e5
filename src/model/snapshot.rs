//! A snapshot of an instance's data: what lies beside the copies and says what they are.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::model::moment::Moment;

/// The format that this build writes.
pub const FORMAT: u32 = 1;
/// The name of the file that says what a snapshot holds.
pub const INDEX: &str = "snapshot.json";

/// What a snapshot holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Snapshot {
    /// The format of this file.
    pub format: u32,
    /// The tree that wrote the data.
    pub tree: String,
    /// When it was taken, the service having stopped.
    pub at: Moment,
    /// The copies.
    pub copies: Vec<SnapshotCopy>,
    /// How much they hold, in bytes.
    pub bytes: u64,
}

/// The copy of one folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SnapshotCopy {
    /// Of what, absolute.
    pub path: Utf8PathBuf,
    /// Its name beside this file.
    pub entry: String,
}
