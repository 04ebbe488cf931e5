//! What fields of a manifest exclude each other, and what one of them needs: said once, for mainstay and for editors.
//!
//! Each rule is a value. `broken` asks them of a document; `Below` writes them into the published schemas, so that an
//! editor marks the same field with the same words. What no schema can say, such as that one duration is longer than
//! another, stands in `contradiction.rs`.

use std::sync::LazyLock;

use schemars::Schema;
use schemars::transform::Transform;
use serde_json::{Value, json};

use crate::model::document::Document;
use crate::model::position::Segment;
use crate::model::problem::Problem;

/// How a field has to be given for a rule to count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// In any way, `null` excepted.
    Something,
    /// As this word.
    Is(&'static str),
    /// As `true`.
    Yes,
    /// As `false`.
    No,
    /// As a duration that is longer than nothing.
    Lasting,
    /// As a list or an object that holds something.
    Filled,
    /// As a list of more than one.
    Several,
    /// As a list of nothing.
    Empty,
}

/// A field, by its path, and how it has to be given.
type Place = (&'static str, Given);

/// Fields that can't be given together, or not without one of others.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// All of these are given,
    given: Vec<Place>,
    /// and none of these:
    lacking: Vec<Place>,
    /// then this one is refused,
    refused: &'static str,
    /// for this reason.
    message: String,
    /// What is refused instead where it stands later in the document: none of two is worse than the other.
    or_later: Option<(&'static str, String)>,
}

mod compose;
mod list;

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(list::all);

/// The rules that a document breaks.
///
/// `value` is what it says, with what was decided since. With `in_part`, members of it are missing because they are at
/// fault themselves, so that nothing is said to be lacking.
pub(crate) fn broken(document: &Document, value: &Value, in_part: bool) -> Vec<Problem> {
    let mut found: Vec<Problem> = Vec::new();
    for rule in RULES.iter().filter(|rule| !in_part || rule.lacking.is_empty()) {
        let given = |(path, given): &Place| given.holds(at(value, path));
        if !rule.given.iter().all(given) || rule.lacking.iter().any(given) {
            continue;
        }
        let place = |path: &str| document.key_range(&segments(path)).map(|range| range.start);
        let (refused, message) = match &rule.or_later {
            Some((other, message)) if place(other) > place(rule.refused) => (*other, message),
            _ => (rule.refused, &rule.message),
        };
        // Of three ways where one is possible, each but the first is told once.
        if rule.or_later.is_some() && found.iter().any(|problem| problem.path == refused) {
            continue;
        }
        let problem = document.key_problem(&segments(refused), message.clone());
        let others = rule.given.iter().filter(|(path, _)| *path != refused);
        found.push(others.fold(problem, |problem, (path, _)| document.beside(problem, &segments(path))));
    }
    found
}

impl Given {
    fn holds(self, value: Option<&Value>) -> bool {
        let Some(value) = value.filter(|value| !value.is_null()) else { return false };
        match self {
            Self::Something => true,
            Self::Is(word) => value == word,
            Self::Yes => value == true,
            Self::No => value == false,
            Self::Lasting => {
                value.as_str().is_some_and(|text| text.contains(|letter| matches!(letter, '1'..='9')))
            }
            Self::Filled => match value {
                Value::Array(elements) => !elements.is_empty(),
                Value::Object(members) => members.values().any(|member| !member.is_null()),
                _ => false,
            },
            Self::Several => value.as_array().is_some_and(|elements| elements.len() > 1),
            Self::Empty => value.as_array().is_some_and(Vec::is_empty),
        }
    }

    fn schema(self) -> Value {
        match self {
            Self::Something => json!({ "not": { "type": "null" } }),
            Self::Is(word) => json!({ "const": word }),
            Self::Yes => json!({ "const": true }),
            Self::No => json!({ "const": false }),
            Self::Lasting => json!({ "type": "string", "pattern": "[1-9]" }),
            Self::Filled => json!({ "anyOf": [
                { "type": "array", "minItems": 1 },
                { "type": "object", "not": { "additionalProperties": { "type": "null" } } },
            ] }),
            Self::Several => json!({ "type": "array", "minItems": 2 }),
            Self::Empty => json!({ "type": "array", "maxItems": 0 }),
        }
    }
}

impl Rule {
    fn paths(&self) -> impl Iterator<Item = &'static str> {
        let given = self.given.iter().chain(&self.lacking).map(|(path, _)| *path);
        given.chain([self.refused])
    }

    /// The narrowest object that holds all of its fields.
    fn home(&self) -> Vec<&'static str> {
        let mut home: Option<Vec<&str>> = None;
        for path in self.paths() {
            let mut names: Vec<&str> = path.split('.').collect();
            names.pop();
            home = Some(match home {
                None => names,
                Some(home) => home
                    .into_iter()
                    .zip(names)
                    .take_while(|(ours, theirs)| ours == theirs)
                    .map(|(it, _)| it)
                    .collect(),
            });
        }
        home.unwrap_or_default()
    }

    fn schema(&self) -> Value {
        let depth = self.home().len();
        let inside = |path: &'static str| path.split('.').skip(depth).collect::<Vec<_>>();
        let mut conditions: Vec<Value> =
            self.given.iter().map(|(path, given)| asked(&inside(path), given.schema())).collect();
        if !self.lacking.is_empty() {
            let any: Vec<Value> =
                self.lacking.iter().map(|(path, given)| asked(&inside(path), given.schema())).collect();
            conditions.push(json!({ "not": { "anyOf": any } }));
        }
        json!({ "if": { "allOf": conditions }, "then": refused(&inside(self.refused), &self.message) })
    }
}

/// That a field is there and is of a form. Editors are not to offer it because a condition asks for it.
fn asked(path: &[&str], form: Value) -> Value {
    let Some((first, rest)) = path.split_first() else { return form };
    let mut inner = asked(rest, form);
    if let Some(members) = inner.as_object_mut() {
        members.insert("doNotSuggest".to_owned(), true.into());
    }
    json!({ "type": "object", "required": [first], "properties": { *first: inner } })
}

/// That a field may not be there. `errorMessage` is what editors that know it say instead of their own.
fn refused(path: &[&str], message: &str) -> Value {
    match path {
        [] => json!(false),
        [only] => json!({ "properties": { *only: false }, "errorMessage": message }),
        [first, rest @ ..] => json!({ "properties": { *first: refused(rest, message) } }),
    }
}

/// Writes the rules of an object into its schema: those whose fields all lie below that path, and below no narrower one.
#[derive(Clone, Debug)]
pub(crate) struct Below(pub(crate) &'static str);

impl Transform for Below {
    fn transform(&mut self, schema: &mut Schema) {
        let home: Vec<&str> = self.0.split('.').filter(|name| !name.is_empty()).collect();
        let rules: Vec<Value> = RULES.iter().filter(|rule| rule.home() == home).map(Rule::schema).collect();
        let all = schema.ensure_object().entry("allOf").or_insert_with(|| json!([]));
        if let Some(all) = all.as_array_mut() {
            all.extend(rules);
        }
    }
}

fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, name| value.get(name))
}

fn segments(path: &str) -> Vec<Segment> {
    path.split('.').map(Segment::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schema::Published;

    fn messages(schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Array(elements) => elements.iter().for_each(|it| messages(it, found)),
            Value::Object(members) => {
                if members.contains_key("properties") {
                    found.extend(members.get("errorMessage").and_then(Value::as_str).map(str::to_owned));
                }
                members.values().for_each(|it| messages(it, found));
            }
            _ => {}
        }
    }

    #[test]
    fn every_rule_stands_in_the_published_schema() {
        let mut found = Vec::new();
        messages(&serde_json::from_str(&Published::Manifest.text()).unwrap(), &mut found);
        for rule in RULES.iter() {
            let stands = found.iter().filter(|message| **message == rule.message).count();
            assert!(stands > 0, "nobody writes the rules of {:?}: {}", rule.home(), rule.message);
        }
        assert_eq!(found.len(), RULES.len());
    }
}
