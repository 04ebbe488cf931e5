//! What the variables of a package's program mean.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::manifest::is_default;

/// What one variable of the program means, and whether it can do without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VariableMeaning {
    /// What it is for.
    #[schemars(length(min = 1), extend("examples" = ["The port on which agents connect."]))]
    pub describe: String,
    /// What the program takes where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["4000"]))]
    pub default: Option<String>,
    /// Whether the program can't start without it: then neither an installation nor an upgrade begins without it.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = false, "examples" = [true]))]
    pub required: bool,
    /// Whether its value is for nobody's eyes: then it belongs into a file of `service.secrets`.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = false, "examples" = [true]))]
    pub secret: bool,
    /// A value as it might be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["postgresql://user@localhost/orchestrator"]))]
    pub example: Option<String>,
}
