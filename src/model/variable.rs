//! The names of environment variables.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where programs are looked for that are named without their folder, unless somebody says otherwise.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The name of an environment variable: letters, digits and `_`, no digit first. Service managers drop others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VariableName(String);

/// A text that can't name an environment variable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` can't name an environment variable: use letters, digits and `_`, and no digit first")]
pub struct VariableNameError(String);

impl VariableName {
    /// Takes a text that obeys the rule.
    pub fn new(text: impl Into<String>) -> Result<Self, VariableNameError> {
        let text = text.into();
        let mut bytes = text.bytes();
        let well_formed = bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if well_formed { Ok(Self(text)) } else { Err(VariableNameError(text)) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for VariableName {
    type Error = VariableNameError;
    fn try_from(text: String) -> Result<Self, VariableNameError> {
        Self::new(text)
    }
}

impl From<VariableName> for String {
    fn from(name: VariableName) -> Self {
        name.0
    }
}

impl std::fmt::Display for VariableName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(&self.0)
    }
}

impl JsonSchema for VariableName {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "VariableName".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })
    }
}
