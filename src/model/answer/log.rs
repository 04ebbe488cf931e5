//! `log.v1`: one line of a service's log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::level::Level;
use crate::model::moment::Moment;
use crate::model::name::InstanceName;

/// One line of a service's log; `logs --json` prints one such document a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay log line")]
pub struct LogAnswer {
    /// The name of this document's schema: `log.v1`.
    pub schema: String,
    /// The instance.
    pub name: InstanceName,
    /// When it was written, or read from the program.
    pub at: Moment,
    /// How bad it is: what the line says of itself, else `info`.
    pub level: Level,
    /// Who wrote it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<LogStream>,
    /// The text; what was no text in it is replaced.
    pub text: String,
}

/// Who wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum LogStream {
    /// The program, on its standard output.
    Output,
    /// The program, on its standard error.
    Error,
    /// mainstay, or the service manager.
    Own,
}
