//! What of a service may be secret: what does not stand in its file for everybody to read.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Said, single};
use crate::model::shown::is_secret;
use crate::model::token::literal;
use crate::model::variable::VariableName;

/// The settings whose words a manifest takes over, and in which a secret may stand.
const WORDS: [&str; 3] = ["command", "entrypoint", "healthcheck"];

/// Whether a secret has come into the words of a setting by a variable. `plain`: the setting as it stands in the file.
pub(super) fn are_in(key: &str, plain: &Value, said: &Said<'_>) -> bool {
    let text = plain.to_string();
    let names = variables(&text);
    WORDS.contains(&key)
        && !names.is_empty()
        && (!said.are_variables_open || names.iter().any(|name| is_secret(name)))
}

/// The variables whose values do not stand in the file itself, or in one that not everybody may read.
pub(super) fn private(
    environment: &BTreeMap<VariableName, String>,
    plain: &Value,
    said: &Said<'_>,
) -> BTreeSet<VariableName> {
    let stands = |name: &VariableName, value: &String| {
        let written = written(plain, name.as_str());
        written.is_some_and(|text| variables(&text).is_empty() && literal(&single(&text)) == *value)
    };
    let hidden = environment.iter().filter(|(name, value)| !said.is_open || !stands(name, value));
    hidden.map(|(name, _)| name.clone()).collect()
}

/// The value of a variable as it stands in the file: in a map, or in a list of `NAME=value`.
fn written(plain: &Value, name: &str) -> Option<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match plain {
        Value::Object(members) => members.get(name).map(text),
        Value::Array(lines) => {
            let mut values = lines.iter().rev().filter_map(|line| line.as_str()?.split_once('='));
            values.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
        }
        _ => None,
    }
}

/// The variables that a text names: `$NAME`, `${NAME:-…}`. Two `$` stand for one.
fn variables(text: &str) -> Vec<String> {
    let text = text.replace("$$", "");
    let rest = text.split('$').skip(1).map(|rest| rest.trim_start_matches('{'));
    rest.map(|rest| rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect())
        .collect()
}
