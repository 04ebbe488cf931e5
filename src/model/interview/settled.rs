//! What an interview came to: each answer at the place where it goes.

use serde_json::Value;

use crate::model::interview::{Interview, Source};
use crate::model::package::{Question, QuestionKind};
use crate::model::variable::VariableName;

/// The answers by where they go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Lines of the environment file.
    pub variables: Vec<(VariableName, String)>,
    /// Files of secrets: the variable, the word of the question, and what is to stand in the file; nothing where the
    /// file is there already.
    pub secrets: Vec<(VariableName, String, Option<String>)>,
    /// Fields of the manifest.
    pub fields: Vec<(String, Value)>,
}

impl Settled {
    /// Takes the answers of an interview.
    #[must_use]
    pub fn of(interview: &Interview<'_>) -> Self {
        let mut settled = Self::default();
        for (question, given) in interview.answers() {
            let Some((given, value)) = given.and_then(|given| Some((given, given.value.clone()?))) else {
                continue;
            };
            let kept = given.source == Source::Kept;
            if let Some(name) = question.variable.as_ref().filter(|_| !kept) {
                settled.variables.push((name.clone(), value.clone()));
            }
            if let Some(name) = &question.secret {
                let text = Some(value.clone()).filter(|_| !kept);
                settled.secrets.push((name.clone(), question.id.clone(), text));
            }
            if let Some(field) = &question.field {
                settled.fields.push((field.clone(), field_value(question, &value)));
            }
        }
        settled
    }
}

/// What an answer is in a field of the manifest.
#[must_use]
pub fn field_value(question: &Question, answer: &str) -> Value {
    match question.kind {
        QuestionKind::Number => answer.parse::<i64>().map_or(Value::Null, Value::from),
        QuestionKind::YesNo => (answer == "true").into(),
        _ => answer.into(),
    }
}
