//! What a program was started with, as far as neither its launch nor its version tells: `report/started.json`.
//!
//! Only digests of values stand in it, each with the salt of this start, and only the program's account and root can
//! read it: who could guess at a secret by it has the secret already.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;
use crate::model::status::ProcessIdentity;

/// The format that this build writes.
pub const FORMAT: u32 = 1;

/// What a program was started with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay start")]
pub struct Started {
    /// The format of this file.
    pub format: u32,
    /// The supervisor that started it.
    pub supervisor: ProcessIdentity,
    /// What counts of the definition under which that supervisor was started, as a digest; nothing where it could not
    /// be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
    /// What each value was mixed with.
    pub salt: String,
    /// The variables of the environment file and the secrets, each as a digest of its value.
    pub variables: BTreeMap<String, Digest>,
}

impl Started {
    /// The digest of a variable's value.
    #[must_use]
    pub fn digest(salt: &str, name: &str, value: &[u8]) -> Digest {
        let mut bytes = format!("{salt}\0{name}\0").into_bytes();
        bytes.extend_from_slice(value);
        Digest::of(&bytes)
    }
}
