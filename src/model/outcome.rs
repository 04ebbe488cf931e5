//! What an ending of a program means: the word that its manifest has for the exit code.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::status::Exit;

/// What the ending of a program means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Outcome {
    /// All that was to be done is done.
    Success,
    /// Some of it is done: worth a warning, and no reason to start again.
    Partial,
    /// It failed. The restart policy decides what follows.
    Failure,
    /// The program wants to be started again. Where it had been ready that is at once, but at most once a second, and
    /// does not count as a restart; else it is a failure.
    Restart,
    /// It failed, and another start would fail too (a locked account, say): it is never started again.
    Fatal,
}

impl Outcome {
    /// The word that stands in a manifest.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Partial => "partial",
            Self::Failure => "failure",
            Self::Restart => "restart",
            Self::Fatal => "fatal",
        }
    }

    /// Whether somebody should hear of it.
    #[must_use]
    pub fn alarms(self) -> bool {
        matches!(self, Self::Partial | Self::Failure | Self::Fatal)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A program's exit code, from 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExitCode(u8);

/// A text that is no exit code.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no exit code: a whole number from 0 to 255 is needed, without zeros before it")]
pub struct ExitCodeError(String);

impl ExitCode {
    /// The code of a number.
    #[must_use]
    pub const fn new(code: u8) -> Self {
        Self(code)
    }
}

impl TryFrom<String> for ExitCode {
    type Error = ExitCodeError;
    fn try_from(text: String) -> Result<Self, ExitCodeError> {
        match text.parse::<u8>() {
            Ok(code) if code.to_string() == text => Ok(Self(code)),
            _ => Err(ExitCodeError(text)),
        }
    }
}

impl From<ExitCode> for String {
    fn from(code: ExitCode) -> Self {
        code.0.to_string()
    }
}

impl std::fmt::Display for ExitCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

impl JsonSchema for ExitCode {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ExitCode".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])$",
        })
    }
}

/// What the exit codes of one program mean, where it is not the usual.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct ExitCodes(BTreeMap<ExitCode, Outcome>);

impl ExitCodes {
    /// What an ending means: as the manifest says, else 0 is success and everything else a failure.
    #[must_use]
    pub fn outcome(&self, exit: Exit) -> Outcome {
        let declared = match exit {
            Exit::Code(code) => u8::try_from(code).ok().and_then(|code| self.0.get(&ExitCode(code)).copied()),
            _ => None,
        };
        declared.unwrap_or(if exit.success() { Outcome::Success } else { Outcome::Failure })
    }

    /// Whether nothing is declared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These over those of a package.
    #[must_use]
    pub fn over(&self, package: &Self) -> Self {
        let mut codes = package.0.clone();
        codes.extend(self.0.clone());
        Self(codes)
    }
}

impl FromIterator<(u8, Outcome)> for ExitCodes {
    fn from_iter<T: IntoIterator<Item = (u8, Outcome)>>(codes: T) -> Self {
        Self(codes.into_iter().map(|(code, outcome)| (ExitCode(code), outcome)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_what_the_manifest_says_and_else_the_usual() {
        let codes: ExitCodes =
            serde_json::from_str(r#"{"2": "partial", "42": "restart", "0": "failure"}"#).unwrap();
        assert_eq!(codes.outcome(Exit::Code(2)), Outcome::Partial);
        assert_eq!(codes.outcome(Exit::Code(42)), Outcome::Restart);
        assert_eq!(codes.outcome(Exit::Code(0)), Outcome::Failure);
        assert_eq!(codes.outcome(Exit::Code(3)), Outcome::Failure);
        assert_eq!(codes.outcome(Exit::Signal(2)), Outcome::Failure);
        assert_eq!(ExitCodes::default().outcome(Exit::Code(0)), Outcome::Success);
        for wrong in ["256", "-1", "01", "+1", "", "x", "1.0"] {
            let text = format!(r#"{{"{wrong}": "partial"}}"#);
            assert!(serde_json::from_str::<ExitCodes>(&text).is_err(), "{wrong}");
        }
    }
}
