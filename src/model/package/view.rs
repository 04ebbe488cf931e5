//! The package's own lines of `status`: what is asked of the running program, and how its answer is shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::address::HTTP_PATTERN;
use crate::model::duration::Span;
use crate::model::manifest::is_default;

/// How long an answer may take, where the package does not say.
pub const USUAL_TIMEOUT: Span = Span::seconds(1);
/// The longest that a package may ask for.
pub const LONGEST_TIMEOUT: Span = Span::seconds(10);
/// The most fields that are shown.
pub const MOST_FIELDS: usize = 50;

/// What `status` asks of the running program, and how it shows the JSON that comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatusView {
    /// What stands above the lines. Default: the component's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["KiCI orchestrator"]))]
    pub title: Option<String>,
    /// The address that answers with JSON, whatever its status. `{env.NAME}` stands for a variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = HTTP_PATTERN), extend("examples" = ["http://127.0.0.1:{env.PORT}/health"]))]
    pub http: Option<String>,
    /// The command that prints JSON, run with the program's account and variables. Tokens as in `service.command`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = [["{package}/bin/orchestrator", "status", "--json"]]))]
    pub command: Option<Vec<String>>,
    /// How long the answer may take: at most 10s. Default: 1s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "1s", "examples" = ["2s"]))]
    pub timeout: Option<Span>,
    /// The lines, in order: at most 50.
    #[schemars(length(min = 1), extend("examples" = [[{ "label": "Agents", "pointer": "/agents/connected", "as": "number" }]]))]
    pub fields: Vec<ViewField>,
}

/// One line of the package's own: a part of the answer, shown where it is present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ViewField {
    /// The word before the value.
    #[schemars(length(min = 1), extend("examples" = ["Agents"]))]
    pub label: String,
    /// Where it stands in the answer: a JSON pointer (RFC 6901).
    #[schemars(extend("examples" = ["/agents/connected"]))]
    pub pointer: String,
    /// How it is shown. Default: `text`.
    #[serde(default, rename = "as", skip_serializing_if = "is_default")]
    #[schemars(extend("default" = "text", "examples" = ["number"]))]
    pub form: ValueForm,
    /// What is said after a `number`; what a `duration` (`ms`, `s`, `m`, `h`) or `percent` (`ratio`: 1 is the whole) counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["agents"]))]
    pub unit: Option<String>,
    /// Values that are well, shown green: texts, or numbers and the like as JSON writes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = [], "examples" = [["connected"]]))]
    pub good: Vec<String>,
    /// Values that are not, shown red.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = [], "examples" = [["disconnected"]]))]
    pub bad: Vec<String>,
    /// What is shown where the answer has no such part, or nothing in it. Default: the line is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["idle"]))]
    pub absent: Option<String>,
}

/// How a part of the answer is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum ValueForm {
    /// As it is; of a list, what is in it.
    #[default]
    Text,
    /// A number, with its unit.
    Number,
    /// A number of bytes, as in `12.3 MiB`.
    Bytes,
    /// A length of time, as in `2h 5m`; in seconds, unless `unit` says otherwise.
    Duration,
    /// A point in time: RFC 3339, or seconds (or milliseconds) since 1970.
    Time,
    /// A number of a hundred, as in `42.5 %`.
    Percent,
    /// `true` or `false`, as yes or no.
    YesNo,
}

/// What `unit` may say of a `duration`.
pub const DURATION_UNITS: [&str; 4] = ["ms", "s", "m", "h"];
/// What `unit` may say of a `percent`.
pub const RATIO: &str = "ratio";

impl ViewField {
    /// Why the unit has no meaning for this form, if it has none.
    #[must_use]
    pub fn wrong_unit(&self) -> Option<String> {
        let unit = self.unit.as_deref()?;
        match self.form {
            ValueForm::Number => None,
            ValueForm::Duration if DURATION_UNITS.contains(&unit) => None,
            ValueForm::Duration => {
                Some(format!("a duration counts `{}`, not `{unit}`", DURATION_UNITS.join("`, `")))
            }
            ValueForm::Percent if unit == RATIO => None,
            ValueForm::Percent => {
                Some(format!("the unit of a percentage is `{RATIO}` or left out, not `{unit}`"))
            }
            ValueForm::Text | ValueForm::Bytes | ValueForm::Time | ValueForm::YesNo => {
                Some("`unit` has a meaning for `number`, `duration` and `percent` only".to_owned())
            }
        }
    }
}

/// Whether a text is a JSON pointer (RFC 6901, 3).
#[must_use]
pub fn is_pointer(text: &str) -> bool {
    let escapes = text.match_indices('~').all(|(at, _)| {
        let after = text.as_bytes().get(at + 1);
        matches!(after, Some(b'0' | b'1'))
    });
    (text.is_empty() || text.starts_with('/')) && escapes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_told_from_paths() {
        for good in ["", "/a", "/a~1b/0", "/~0", "/"] {
            assert!(is_pointer(good), "{good}");
        }
        for bad in ["a", "a/b", "/~", "/~2", "$.a"] {
            assert!(!is_pointer(bad), "{bad}");
        }
    }
}
