//! A part of `status.v1`: what the running program says of itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::manifest::is_default;
use crate::model::package::{ValueForm, ViewField};

/// The longest text that is passed on, in characters.
const LONGEST: usize = 300;

/// What the running program says of itself, as its package says it is to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackageStatus {
    /// What stands above the lines.
    pub title: String,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The lines, as far as the answer has them.
    pub fields: Vec<PackageField>,
}

/// One line of what the running program says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackageField {
    /// The word before the value.
    pub label: String,
    /// The value as it came, long ones cut; of what is absent, the words that the package has for that.
    pub value: Value,
    /// Whether the answer has no such part.
    #[serde(default, skip_serializing_if = "is_default")]
    pub absent: bool,
    /// How it is shown.
    #[serde(default, rename = "as", skip_serializing_if = "is_default")]
    pub form: ValueForm,
    /// What it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Whether the package calls this value good or bad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<FieldVerdict>,
}

/// Whether a value is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum FieldVerdict {
    /// It is.
    Good,
    /// It is not.
    Bad,
}

impl PackageField {
    /// The line of an answer that a field describes; nothing where there is nothing to show.
    #[must_use]
    pub fn of(field: &ViewField, answer: &Value) -> Option<Self> {
        let found = answer.pointer(&field.pointer).filter(|value| !is_empty(value));
        let line = |value: Value, verdict| Self {
            label: field.label.clone(),
            absent: found.is_none(),
            form: field.form,
            unit: field.unit.clone(),
            value,
            verdict,
        };
        let Some(value) = found else {
            let text = field.absent.clone()?;
            return Some(line(Value::String(text), None));
        };
        let text = text(value);
        let verdict = if field.bad.contains(&text) {
            Some(FieldVerdict::Bad)
        } else if field.good.contains(&text) {
            Some(FieldVerdict::Good)
        } else {
            None
        };
        Some(line(limited(value), verdict))
    }
}

/// A value as a text: strings by their text, of a list what is in it, everything else as JSON writes it.
#[must_use]
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(elements)
            if elements.iter().all(|element| !element.is_array() && !element.is_object()) =>
        {
            elements.iter().map(text).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// What is long is passed on as a text without its end.
fn limited(value: &Value) -> Value {
    let text = text(value);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Value::String(format!("{}…", &text[..end])),
        None => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(field: Value, answer: &Value) -> Option<PackageField> {
        PackageField::of(&serde_json::from_value(field).unwrap(), answer)
    }

    #[test]
    fn what_is_there_is_shown_and_judged() {
        let answer =
            json!({ "database": "connected", "labels": ["a", 1], "none": [], "n": 3, "a/b": { "~": true } });
        let verdict = |field| line(field, &answer).and_then(|line| line.verdict);
        let database =
            json!({ "label": "Database", "pointer": "/database", "good": ["connected"], "bad": ["gone"] });
        assert_eq!(verdict(database), Some(FieldVerdict::Good));
        assert_eq!(verdict(json!({ "label": "N", "pointer": "/n", "bad": ["3"] })), Some(FieldVerdict::Bad));
        assert_eq!(
            verdict(json!({ "label": "B", "pointer": "/a~1b/~0", "good": ["true"] })),
            Some(FieldVerdict::Good)
        );
        assert_eq!(line(json!({ "label": "X", "pointer": "/none" }), &answer), None);
        let absent = line(json!({ "label": "X", "pointer": "/none", "absent": "nobody" }), &answer).unwrap();
        assert!(absent.absent && absent.value == "nobody");
        assert_eq!(
            text(&line(json!({ "label": "L", "pointer": "/labels" }), &answer).unwrap().value),
            "a, 1"
        );
    }

    #[test]
    fn what_is_long_is_cut() {
        let answer =
            json!({ "text": "ä".repeat(5_000), "list": vec![7; 5_000], "deep": { "a": "b".repeat(900) } });
        for name in ["text", "list", "deep"] {
            let line = line(json!({ "label": "X", "pointer": format!("/{name}") }), &answer).unwrap();
            assert_eq!(line.value.as_str().map(|text| text.chars().count()), Some(LONGEST + 1), "{name}");
        }
    }
}
