//! Where an installed version came from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;
use crate::model::public_key::PublicKey;

/// Where a version came from, and who vouched for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// The archive's path, or its address without account, password and query.
    pub archive: String,
    /// The digest of its bytes.
    pub sha256: Digest,
    /// The key whose signature it bore, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<PublicKey>,
}
