//! Programs that are stopped while nobody needs them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::duration::Span;

/// When the program is stopped because nobody needs it. With `sockets`, the next connection starts it again; without,
/// the service ends, and `mainstay start` starts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Idle {
    /// How long nobody must have needed it. `0s`: it is never stopped.
    #[schemars(extend("examples" = ["10m"]))]
    pub after: Span,
    /// A command that exits with 0 while somebody needs the program. Default: connections to `sockets` are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = [["{package}/bin/orchestrator", "busy"]]))]
    pub busy: Option<Vec<String>>,
}
