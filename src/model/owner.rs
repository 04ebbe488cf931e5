//! Accounts: whose files these are, and as whom something is done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An account of this host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Owner {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// The number of its primary group.
    pub gid: u32,
}

impl Owner {
    /// Whether this is the account that may do everything.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }
}
