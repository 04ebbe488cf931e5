//! A document against its schema: every fault at once, each with its place.
//!
//! The published schema is the rule, so what an editor marks and what mainstay refuses are the same. It
//! is read here in the small part of Draft-07 that our types give rise to.

use std::ops::Range;

use serde_json::Value as Json;

use crate::model::leaf;
use crate::model::nearest::nearest;
use crate::model::position::{Lines, Path, Segment};
use crate::model::problem::Problem;
use crate::model::tree::{Member, Node, Value};

/// How deep fields of the same name are looked for elsewhere in the schema.
const SEARCH_DEPTH: usize = 6;

/// All the faults of a tree.
pub(crate) fn validate(text: &str, root: &Node, schema: &Json) -> Vec<Problem> {
    let mut validator =
        Validator { text, lines: Lines::of(text), schema, path: Vec::new(), problems: Vec::new() };
    validator.value(root, schema, None);
    validator.problems
}

struct Validator<'a> {
    text: &'a str,
    lines: Lines,
    schema: &'a Json,
    path: Vec<Segment>,
    problems: Vec<Problem>,
}

impl<'a> Validator<'a> {
    /// `example` is what the nearest schema around this one shows of a right value.
    fn value(&mut self, node: &Node, schema: &'a Json, example: Option<&'a Json>) {
        let example = schema.pointer("/examples/0").or(example);
        if let Some(target) = self.resolve(schema) {
            return self.value(node, target, example);
        }
        for part in list(schema, "allOf") {
            self.value(node, part, example);
        }
        if let Some(words) = self.words(schema) {
            return self.word(node, &words, accepts_null(schema));
        }
        for choice in ["anyOf", "oneOf"] {
            let branches = list(schema, choice);
            if !branches.is_empty() {
                self.best_of(node, branches, example);
            }
        }
        if self.has_type(node, schema, example) {
            match &node.value {
                Value::Text(text) => self.text(node, text, schema),
                Value::Number(number) => self.number(node, number, schema),
                Value::List(elements) => self.list(node, elements, schema),
                Value::Object(members) => self.object(node, members, schema),
                Value::Null | Value::Boolean(_) => {}
            }
        }
    }

    /// The first branch that takes the value, else the faults of the one that it fits best.
    fn best_of(&mut self, node: &Node, branches: &'a [Json], example: Option<&'a Json>) {
        let before = self.problems.len();
        let mut best: Option<Vec<Problem>> = None;
        for branch in branches {
            let is_null = branch.get("type").and_then(Json::as_str) == Some("null");
            if is_null != matches!(node.value, Value::Null) {
                continue;
            }
            self.value(node, branch, example);
            let problems = self.problems.split_off(before);
            if best.as_ref().is_none_or(|best| problems.len() < best.len()) {
                best = Some(problems);
            }
        }
        match best {
            Some(problems) => self.problems.extend(problems),
            None => self.problem(node.range.clone(), "`null` can't stand here".to_owned()),
        }
    }

    /// The closed list of words that a schema allows, if it is one.
    fn words(&self, schema: &'a Json) -> Option<Vec<&'a Json>> {
        if let Some(target) = self.resolve(schema) {
            return self.words(target);
        }
        if let Some(word) = schema.get("const") {
            return Some(vec![word]);
        }
        let mut branches = list(schema, "enum").iter().collect::<Vec<_>>();
        if !branches.is_empty() {
            branches.retain(|word| !word.is_null());
            return Some(branches);
        }
        let branches =
            ["oneOf", "anyOf"].into_iter().map(|choice| list(schema, choice)).find(|it| !it.is_empty())?;
        let mut words = Vec::new();
        for branch in
            branches.iter().filter(|branch| branch.get("type").and_then(Json::as_str) != Some("null"))
        {
            words.extend(self.words(branch)?);
        }
        Some(words)
    }

    fn word(&mut self, node: &Node, words: &[&Json], may_be_null: bool) {
        let value = node.to_json();
        if words.contains(&&value) || may_be_null && value.is_null() {
            return;
        }
        let allowed = words.iter().map(|word| plain(word)).collect();
        let typed = plain(&value);
        let problem = if let Value::Text(_) = node.value {
            Problem::among(
                &self.path,
                (self.text, &self.lines),
                node.range.clone(),
                format!("`{typed}` can't stand here"),
            )
            .instead_of(&typed, allowed)
        } else {
            let message = format!("a word is expected, not {}", kind(node));
            Problem {
                allowed: Some(allowed),
                ..Problem::among(&self.path, (self.text, &self.lines), node.range.clone(), message)
            }
        };
        self.problems.push(problem);
    }

    fn has_type(&mut self, node: &Node, schema: &Json, example: Option<&Json>) -> bool {
        let Some(expected) = schema.get("type") else { return true };
        let expected: Vec<&str> = match expected {
            Json::Array(several) => several.iter().filter_map(Json::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        };
        let literal = &self.text[node.range.clone()];
        let is = |expected: &str| match &node.value {
            Value::Null => expected == "null",
            Value::Boolean(_) => expected == "boolean",
            Value::Text(_) => expected == "string",
            Value::List(_) => expected == "array",
            Value::Object(_) => expected == "object",
            Value::Number(_) if expected == "integer" => !literal.contains(['.', 'e', 'E']),
            Value::Number(_) => expected == "number",
        };
        if expected.iter().any(|expected| is(expected)) {
            return true;
        }
        let wanted: Vec<&str> =
            expected.iter().filter(|name| **name != "null").map(|name| article(name)).collect();
        let example = match (&node.value, example) {
            _ if expected.contains(&"boolean") => None,
            (_, Some(example)) => Some(example.to_string()),
            (Value::Number(_) | Value::Boolean(_), None) if expected.contains(&"string") => {
                Some(format!("\"{literal}\""))
            }
            (Value::Text(_), None) if expected.contains(&"array") => Some(format!("[{literal}]")),
            _ => None,
        };
        let example = example.map_or_else(String::new, |example| format!(", as in `{example}`"));
        let message = format!("{} is expected, not {}{example}", wanted.join(" or "), kind(node));
        self.problem(node.range.clone(), message);
        false
    }

    fn text(&mut self, node: &Node, text: &str, schema: &Json) {
        let shortest = schema.get("minLength").and_then(Json::as_u64).unwrap_or(0);
        if (text.chars().count() as u64) < shortest {
            let message = if shortest == 1 {
                "this text is empty".to_owned()
            } else {
                format!("at least {shortest} characters are needed")
            };
            return self.problem(node.range.clone(), message);
        }
        if let Some(pattern) = schema.get("pattern").and_then(Json::as_str)
            && let Err(message) = leaf::check(pattern, text)
        {
            self.problem(node.range.clone(), message);
        }
    }

    fn number(&mut self, node: &Node, number: &serde_json::Number, schema: &Json) {
        let bound = |name: &str| schema.get(name).filter(|bound| bound.is_number());
        let value = number.as_f64().unwrap_or(f64::INFINITY);
        let literal = &self.text[node.range.clone()];
        if let Some(least) =
            bound("minimum").filter(|least| least.as_f64().is_some_and(|least| value < least))
        {
            self.problem(node.range.clone(), format!("{literal} is too small: at least {least}"));
        }
        if let Some(most) = bound("maximum").filter(|most| most.as_f64().is_some_and(|most| value > most)) {
            self.problem(node.range.clone(), format!("{literal} is too large: at most {most}"));
        }
    }

    fn list(&mut self, node: &Node, elements: &[Node], schema: &'a Json) {
        let fewest = schema.get("minItems").and_then(Json::as_u64).unwrap_or(0);
        if (elements.len() as u64) < fewest {
            let message = if fewest == 1 {
                "this list is empty".to_owned()
            } else {
                format!("at least {fewest} elements are needed")
            };
            self.problem(node.range.clone(), message);
        }
        let Some(items) = schema.get("items") else { return };
        for (index, element) in elements.iter().enumerate() {
            self.path.push(index.into());
            self.value(element, items, None);
            self.path.pop();
        }
    }

    fn object(&mut self, node: &Node, members: &[Member], schema: &'a Json) {
        for member in members {
            self.path.push(Segment::Key(member.key.clone()));
            self.member(member, schema);
            self.path.pop();
        }
        for key in list(schema, "required").iter().filter_map(Json::as_str) {
            if node.member(key).is_none() && !is_meant(key, members, schema) {
                let example = schema.get("properties").and_then(|all| all.get(key)?.pointer("/examples/0"));
                let example =
                    example.map_or_else(String::new, |example| format!(", as in `\"{key}\": {example}`"));
                self.path.push(key.into());
                // The brace that opens the object, not all of it.
                let brace = node.range.start..node.range.start + 1;
                self.problem(brace, format!("this field is missing{example}"));
                self.path.pop();
            }
        }
    }

    fn member(&mut self, member: &Member, schema: &'a Json) {
        if let Some(property) = schema.get("properties").and_then(|all| all.get(&member.key)) {
            return self.value(&member.node, property, None);
        }
        if let Some(pattern) = schema.pointer("/propertyNames/pattern").and_then(Json::as_str)
            && let Err(message) = leaf::check(pattern, &member.key)
        {
            return self.problem(member.key_range.clone(), message);
        }
        let mut refusal = None;
        for (pattern, property) in
            schema.get("patternProperties").and_then(Json::as_object).into_iter().flatten()
        {
            match leaf::check(pattern, &member.key) {
                Ok(()) => return self.value(&member.node, property, None),
                Err(message) => refusal = Some(message),
            }
        }
        match (schema.get("additionalProperties"), refusal) {
            (Some(Json::Bool(false)), Some(refusal)) => self.problem(member.key_range.clone(), refusal),
            (Some(Json::Bool(false)), None) => self.unknown(member, schema),
            (Some(further), _) => self.value(&member.node, further, None),
            (None, _) => {}
        }
    }

    fn unknown(&mut self, member: &Member, schema: &Json) {
        let properties = schema.get("properties").and_then(Json::as_object);
        let known = properties
            .into_iter()
            .flatten()
            .map(|(key, _)| key.clone())
            .filter(|key| !key.starts_with('$'))
            .collect();
        let problem = self.fault(member, "unknown field".to_owned()).instead_of(&member.key, known);
        let elsewhere = match problem.nearest {
            None => self.elsewhere(self.schema, &member.key, &mut Vec::new()),
            Some(_) => None,
        };
        let home = match elsewhere {
            None => return self.problems.push(problem),
            Some(place) if place.is_empty() => "the top of the document".to_owned(),
            Some(place) => format!("`{}`", Path(&place)),
        };
        let problem = self.fault(member, format!("unknown field: `{}` belongs to {home}", member.key));
        self.problems.push(problem);
    }

    /// The object in which a field of that name is at home, if there is one.
    fn elsewhere(&self, schema: &'a Json, key: &str, place: &mut Vec<Segment>) -> Option<Vec<Segment>> {
        let target = self.resolve(schema).or_else(|| {
            let wrapped = list(schema, "anyOf").first().or_else(|| list(schema, "allOf").first());
            wrapped.map(|inner| self.resolve(inner).unwrap_or(inner))
        });
        let own = schema.get("properties").or_else(|| target?.get("properties"));
        let properties = own?.as_object()?;
        if properties.contains_key(key) {
            return Some(place.clone());
        }
        if place.len() == SEARCH_DEPTH {
            return None;
        }
        properties.iter().find_map(|(name, property)| {
            place.push(name.as_str().into());
            let found = self.elsewhere(property, key, place);
            place.pop();
            found
        })
    }

    fn resolve(&self, schema: &'a Json) -> Option<&'a Json> {
        let reference = schema.get("$ref")?.as_str()?;
        self.schema.pointer(reference.strip_prefix('#')?)
    }

    fn fault(&self, member: &Member, message: String) -> Problem {
        Problem::among(&self.path, (self.text, &self.lines), member.key_range.clone(), message)
    }

    fn problem(&mut self, range: Range<usize>, message: String) {
        self.problems.push(Problem::among(&self.path, (self.text, &self.lines), range, message));
    }
}

fn list<'a>(schema: &'a Json, keyword: &str) -> &'a [Json] {
    schema.get(keyword).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// Whether one of the members is that field, misspelled: then one fault is enough.
fn is_meant(key: &str, members: &[Member], schema: &Json) -> bool {
    let Some(known) = schema.get("properties").and_then(Json::as_object) else { return false };
    let unknown = members.iter().filter(|member| !known.contains_key(&member.key));
    unknown
        .map(|member| nearest(&member.key, known.keys().map(String::as_str)))
        .any(|meant| meant == Some(key))
}

fn accepts_null(schema: &Json) -> bool {
    let is_null = |branch: &Json| branch.get("type").and_then(Json::as_str) == Some("null");
    list(schema, "anyOf").iter().any(is_null) || list(schema, "enum").iter().any(Json::is_null)
}

/// A word as it is typed in a sentence: texts without their quotes.
fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn kind(node: &Node) -> String {
    match &node.value {
        Value::Null => "`null`".to_owned(),
        Value::Boolean(value) => format!("`{value}`"),
        Value::Number(number) => format!("`{number}`"),
        Value::Text(_) => article("string").to_owned(),
        Value::List(_) => article("array").to_owned(),
        Value::Object(_) => article("object").to_owned(),
    }
}

fn article(name: &str) -> &str {
    match name {
        "object" => "an object",
        "array" => "a list",
        "string" => "a text in quotes",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        other => other,
    }
}
