//! What a package asks the person who installs it.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::model::manifest::is_default;
use crate::model::package::preparation::IDENTIFIER_PATTERN;
use crate::model::variable::VariableName;

/// The longest answer, in bytes: a variable of the environment may not be much longer.
const LONGEST: usize = 32 << 10;

/// One question of a package, with the place where its answer goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Question {
    /// A word for it, in `--set` and in files of answers.
    #[schemars(regex(pattern = IDENTIFIER_PATTERN), extend("examples" = ["database-url"]))]
    pub id: String,
    /// What is asked for.
    #[schemars(extend("examples" = ["url"]))]
    pub kind: QuestionKind,
    /// The question, as one line.
    #[schemars(length(min = 1), extend("examples" = ["Where is the database?"]))]
    pub ask: String,
    /// What the person should know to answer it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["A PostgreSQL 15 or newer, with a database of its own."]))]
    pub explain: Option<String>,
    /// The answer that is taken where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [4000]))]
    pub default: Option<AnswerValue>,
    /// `choice`: what can be chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = [], "examples" = [[{ "value": "platform", "label": "With the platform" }]]))]
    pub choices: Vec<Choice>,
    /// `number`: the least; `text`, `secret`: the fewest characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [1]))]
    pub minimum: Option<i64>,
    /// `number`: the greatest; `text`, `secret`: the most characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [65535]))]
    pub maximum: Option<i64>,
    /// `url`: the schemes that may stand before `://`. Default: `http` and `https`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["postgres", "postgresql"]]))]
    pub schemes: Vec<String>,
    /// `text`, `secret`: a regular expression that the whole answer has to match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["[a-z]+-[0-9]+"]))]
    pub pattern: Option<String>,
    /// `secret`: how one is made where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["hex32"]))]
    pub generate: Option<Generate>,
    /// Whether it may stay without an answer; then nothing is written for it.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = false, "examples" = [true]))]
    pub optional: bool,
    /// The answers to earlier questions with which it is asked at all. Default: always.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("default" = {}, "examples" = [{ "mode": ["platform", "hybrid"] }]))]
    pub when: BTreeMap<String, Vec<AnswerValue>>,
    /// The variable that the answer becomes, as a line of the environment file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["DATABASE_URL"]))]
    pub variable: Option<VariableName>,
    /// The variable whose file of `service.secrets` holds the answer, readable to the service's account alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["SECRETS_KEY"]))]
    pub secret: Option<VariableName>,
    /// The field of the manifest that the answer becomes, as a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["service.limits.memory"]))]
    pub field: Option<String>,
}

/// What a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum QuestionKind {
    /// A line of text.
    Text,
    /// One of a list.
    Choice,
    /// A whole number.
    Number,
    /// Yes or no; written as `true` and `false`.
    YesNo,
    /// What nobody else may read: typed without being shown.
    Secret,
    /// An address with a scheme.
    Url,
    /// The path of a file that is there.
    File,
}

/// How a secret is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Generate {
    /// 32 random bytes, as 64 hexadecimal digits.
    Hex32,
}

/// What can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Choice {
    /// The answer.
    #[schemars(length(min = 1), extend("examples" = ["hybrid"]))]
    pub value: String,
    /// What a person reads. Default: the answer itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["Hybrid"]))]
    pub label: Option<String>,
    /// What it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["Jobs run here, accounts are kept by the platform."]))]
    pub explain: Option<String>,
}

/// An answer as it stands in a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AnswerValue {
    /// `true` or `false`.
    YesNo(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

impl std::fmt::Display for AnswerValue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::YesNo(value) => value.fmt(formatter),
            Self::Number(value) => value.fmt(formatter),
            Self::Text(value) => formatter.write_str(value),
        }
    }
}

impl JsonSchema for AnswerValue {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AnswerValue".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer", "boolean"] })
    }
}

impl Question {
    /// Whether the answer is for nobody's eyes.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.kind == QuestionKind::Secret || self.secret.is_some()
    }

    /// The answer in the form in which it is written, or why it is none. What is secret is not repeated.
    pub fn accept(&self, typed: &str) -> Result<String, String> {
        let shown = if self.is_secret() { "this".to_owned() } else { format!("`{typed}`") };
        if typed.len() > LONGEST {
            return Err(format!("an answer has at most {LONGEST} bytes"));
        }
        if typed.contains(char::is_control) {
            return Err("an answer is one line, without control characters".to_owned());
        }
        if typed.is_empty() && self.kind != QuestionKind::Choice {
            return Err("an answer is needed".to_owned());
        }
        match self.kind {
            QuestionKind::Text | QuestionKind::Secret => self.text(typed, &shown),
            QuestionKind::Choice => self.choice(typed, &shown),
            QuestionKind::Number => self.number(typed, &shown),
            QuestionKind::YesNo => match typed.to_lowercase().as_str() {
                "y" | "yes" | "true" => Ok("true".to_owned()),
                "n" | "no" | "false" => Ok("false".to_owned()),
                _ => Err(format!("{shown} is neither yes nor no")),
            },
            QuestionKind::Url => self.address(typed, &shown),
            QuestionKind::File => Ok(typed.to_owned()),
        }
    }

    fn text(&self, typed: &str, shown: &str) -> Result<String, String> {
        let length = i64::try_from(typed.chars().count()).unwrap_or(i64::MAX);
        if let Some(fewest) = self.minimum.filter(|fewest| length < *fewest) {
            return Err(format!("at least {fewest} characters are needed"));
        }
        if let Some(most) = self.maximum.filter(|most| length > *most) {
            return Err(format!("at most {most} characters are possible"));
        }
        if let Some(pattern) = &self.pattern
            && !expression(pattern).is_ok_and(|expression| expression.is_match(typed))
        {
            return Err(format!("{shown} does not match `{pattern}`"));
        }
        Ok(typed.to_owned())
    }

    fn choice(&self, typed: &str, shown: &str) -> Result<String, String> {
        if let Some(choice) = self.choices.iter().find(|choice| choice.value == typed) {
            return Ok(choice.value.clone());
        }
        let values: Vec<&str> = self.choices.iter().map(|choice| choice.value.as_str()).collect();
        Err(format!("{shown} is none of `{}`", values.join("`, `")))
    }

    fn number(&self, typed: &str, shown: &str) -> Result<String, String> {
        let Ok(number) = typed.parse::<i64>() else { return Err(format!("{shown} is no whole number")) };
        if let Some(least) = self.minimum.filter(|least| number < *least) {
            return Err(format!("{number} is too small: at least {least}"));
        }
        if let Some(most) = self.maximum.filter(|most| number > *most) {
            return Err(format!("{number} is too large: at most {most}"));
        }
        Ok(number.to_string())
    }

    fn address(&self, typed: &str, shown: &str) -> Result<String, String> {
        let usual = ["http".to_owned(), "https".to_owned()];
        let schemes = if self.schemes.is_empty() { &usual[..] } else { &self.schemes };
        let example = format!("{}://…", schemes.join("://… or "));
        let Some((scheme, rest)) = typed.split_once("://") else {
            return Err(format!("{shown} is no address: it begins with {example}"));
        };
        if !schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
            return Err(format!("an address begins with {example}, not with `{scheme}://`"));
        }
        if rest.contains(char::is_whitespace) {
            return Err("an address holds no blanks".to_owned());
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        // Between brackets stands an IPv6 address, with colons of its own.
        let (host, port) = match host.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
            Some((host, port)) => (host, Some(port)),
            None => (host, None),
        };
        // A database may be reached by a socket, which has no host.
        if host.is_empty() && schemes == usual {
            return Err(format!("{shown} names no host"));
        }
        if port.is_some_and(|port| port.parse::<u16>().map_or(true, |port| port == 0)) {
            return Err("the port of an address is a number from 1 to 65535".to_owned());
        }
        Ok(typed.to_owned())
    }
}

/// A pattern as an expression for the whole answer.
pub(crate) fn expression(pattern: &str) -> Result<regex_lite::Regex, regex_lite::Error> {
    regex_lite::Regex::new(&format!("^(?:{pattern})$"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(text: &str) -> Question {
        let text = format!(r#"{{ "id": "x", "ask": "What?", {text} }}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn each_kind_has_its_rule() {
        for (kind, typed, expected) in [
            (r#""kind": "text""#, "", "an answer is needed"),
            (r#""kind": "text""#, "a\u{1b}[A", "an answer is one line, without control characters"),
            (r#""kind": "text", "pattern": "[a-z]+""#, "a1", "`a1` does not match `[a-z]+`"),
            (r#""kind": "text", "pattern": "a|b""#, "ab", "`ab` does not match `a|b`"),
            (r#""kind": "text", "minimum": 3"#, "ab", "at least 3 characters are needed"),
            (r#""kind": "secret", "pattern": "[a-z]+""#, "A1", "this does not match `[a-z]+`"),
            (r#""kind": "secret", "maximum": 1"#, "ab", "at most 1 characters are possible"),
            (r#""kind": "number""#, "4k", "`4k` is no whole number"),
            (r#""kind": "number", "minimum": 1"#, "0", "0 is too small: at least 1"),
            (r#""kind": "number", "maximum": 65535"#, "65536", "65536 is too large: at most 65535"),
            (r#""kind": "yesNo""#, "maybe", "`maybe` is neither yes nor no"),
            (
                r#""kind": "choice", "choices": [{ "value": "a" }, { "value": "b" }]"#,
                "c",
                "`c` is none of `a`, `b`",
            ),
            (
                r#""kind": "url""#,
                "example.com",
                "`example.com` is no address: it begins with http://… or https://…",
            ),
            (r#""kind": "url""#, "https://", "`https://` names no host"),
            (r#""kind": "url""#, "https://a b", "an address holds no blanks"),
            (
                r#""kind": "url""#,
                "https://u:p@[::1]:0/x",
                "the port of an address is a number from 1 to 65535",
            ),
            (
                r#""kind": "url", "schemes": ["postgres"], "secret": "URL""#,
                "mysql://u:hunter2@h/d",
                "an address begins with postgres://…, not with `mysql://`",
            ),
        ] {
            assert_eq!(question(kind).accept(typed), Err(expected.to_owned()), "{kind} {typed}");
        }
        for (kind, typed, expected) in [
            (r#""kind": "yesNo""#, "Y", "true"),
            (r#""kind": "number""#, "-7", "-7"),
            (r#""kind": "number""#, "004", "4"),
            (r#""kind": "url", "schemes": ["postgres"]"#, "postgres:///jobs", "postgres:///jobs"),
            (r#""kind": "url""#, "http://[::1]:80/x?y=:z", "http://[::1]:80/x?y=:z"),
            (r#""kind": "text", "pattern": "[a-z]+-[0-9]+""#, "ab-12", "ab-12"),
        ] {
            assert_eq!(question(kind).accept(typed), Ok(expected.to_owned()), "{kind} {typed}");
        }
    }
}
