//! Files whose change starts a program anew.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is watched for a change of content, size or place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Watched {
    /// The program's own file.
    Program,
    /// The files of the configuration folder, and those of the deploy folder that the command names.
    Config,
    /// The environment file and the files of the secrets.
    Environment,
}
