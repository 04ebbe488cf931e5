//! Two versions of a schema, compared by what they mean and not by how they are written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// Which of the two has to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The new version takes documents of the old one.
    Taken,
    /// Readers of the old version's documents understand those of the new one.
    Given,
}

/// What of the old schema does not hold in the new one, a line each.
pub(crate) fn breaks(role: Role, old: &Value, new: &Value) -> Vec<String> {
    let mut comparison = Comparison { role, old, new, seen: BTreeSet::new(), found: Vec::new() };
    comparison.value("", old, new);
    comparison.found
}

struct Comparison<'a> {
    role: Role,
    old: &'a Value,
    new: &'a Value,
    /// Definitions that were compared already, since they may hold each other.
    seen: BTreeSet<(String, String)>,
    found: Vec<String>,
}

/// The forms that a value can have, by the name of its type.
#[derive(Default)]
struct Forms<'a> {
    /// The words of a closed list, if it is one.
    words: Option<BTreeSet<String>>,
    /// The schemas of each type.
    types: BTreeMap<String, Vec<&'a Map<String, Value>>>,
    /// Conditions that say more than a form: `not`, `if`, and what else stands in `allOf`.
    conditions: BTreeSet<String>,
}

impl<'a> Comparison<'a> {
    fn tell(&mut self, place: &str, what: &str) {
        let place = if place.is_empty() { "the document" } else { place };
        self.found.push(format!("{place}: {what}"));
    }

    fn value(&mut self, place: &str, old: &'a Value, new: &'a Value) {
        if let (Some(one), Some(other)) = (old["$ref"].as_str(), new["$ref"].as_str())
            && !self.seen.insert((one.to_owned(), other.to_owned()))
        {
            return;
        }
        let (mut before, mut after) = (Forms::default(), Forms::default());
        forms(self.old, old, &mut before);
        forms(self.new, new, &mut after);
        self.words(place, &before, &after);
        self.types(place, &before, &after);
        if self.role == Role::Taken {
            let new = after.conditions.difference(&before.conditions);
            let new: Vec<&String> =
                new.filter(|condition| !self.is_of_a_new_word(condition, &before)).collect();
            for condition in new {
                self.tell(place, &format!("a new condition: {condition}"));
            }
        }
        for (name, olds) in &before.types {
            let news = after.types.get(name).map_or(&[][..], Vec::as_slice);
            self.one_type(place, olds, news);
        }
    }

    /// Whether a condition holds only for a word that was not taken before, so that it says nothing of old documents.
    fn is_of_a_new_word(&self, condition: &str, before: &Forms<'a>) -> bool {
        let Ok(condition) = serde_json::from_str::<Value>(condition) else { return false };
        let all = condition["if"]["allOf"].as_array().cloned();
        let all = all.unwrap_or_else(|| vec![condition["if"].clone()]);
        let members = all.iter().filter(|part| part["required"].is_array());
        members.filter_map(|part| part["properties"].as_object()).flatten().any(|(name, wanted)| {
            let Some(word) = wanted.get("const").filter(|word| word.is_string()) else { return false };
            let olds = before.types.get("object").into_iter().flatten();
            olds.filter_map(|old| old.get("properties")?.get(name)).any(|old| {
                let mut known = Forms::default();
                forms(self.old, old, &mut known);
                known.words.is_some_and(|words| !words.contains(&word.to_string()))
            })
        })
    }

    fn words(&mut self, place: &str, before: &Forms<'a>, after: &Forms<'a>) {
        match (&before.words, &after.words) {
            (Some(olds), Some(news)) if self.role == Role::Taken => {
                for word in olds.difference(news) {
                    self.tell(place, &format!("the word {word} is taken no more"));
                }
            }
            (None, Some(_)) if self.role == Role::Taken => self.tell(place, "only some words are taken now"),
            _ => {}
        }
    }

    fn types(&mut self, place: &str, before: &Forms<'a>, after: &Forms<'a>) {
        let names = |forms: &Forms<'a>| forms.types.keys().cloned().collect::<BTreeSet<_>>();
        let (before, after) = (names(before), names(after));
        let (missing, what) = match self.role {
            Role::Taken => (before.difference(&after).cloned().collect::<Vec<_>>(), "is taken no more"),
            Role::Given => (after.difference(&before).cloned().collect(), "may stand there now"),
        };
        if !missing.is_empty() && !before.is_empty() {
            self.tell(place, &format!("{} {what}", missing.join(", ")));
        }
    }

    /// Where a type has several schemas, each of the one side has to have its like on the other.
    fn one_type(&mut self, place: &str, olds: &[&'a Map<String, Value>], news: &[&'a Map<String, Value>]) {
        if let ([old], [new]) = (olds, news) {
            return self.schema(place, old, new);
        }
        let (ours, theirs) = match self.role {
            Role::Taken => (olds, news),
            Role::Given => (news, olds),
        };
        for one in ours {
            let mut best: Option<Vec<String>> = None;
            for other in theirs {
                let (old, new) = if self.role == Role::Taken { (one, other) } else { (other, one) };
                let (before, seen) = (self.found.len(), self.seen.clone());
                self.schema(place, old, new);
                let found = self.found.split_off(before);
                self.seen = seen;
                if best.as_ref().is_none_or(|best| found.len() < best.len()) {
                    best = Some(found);
                }
            }
            self.found.extend(best.unwrap_or_default());
        }
    }

    fn schema(&mut self, place: &str, old: &'a Map<String, Value>, new: &'a Map<String, Value>) {
        self.members(place, old, new);
        if let (Some(before), Some(after)) = (old.get("items"), new.get("items")) {
            self.value(&format!("{place}[]"), before, after);
        }
        if self.role == Role::Taken {
            self.bounds(place, old, new);
        }
    }

    fn members(&mut self, place: &str, old: &'a Map<String, Value>, new: &'a Map<String, Value>) {
        let required = |schema: &Map<String, Value>| -> BTreeSet<String> {
            let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            names.filter_map(|name| Some(name.as_str()?.to_owned())).collect()
        };
        let (before, after) = (required(old), required(new));
        match self.role {
            Role::Taken => {
                for name in after.difference(&before) {
                    self.tell(&format!("{place}.{name}"), "is required now");
                }
            }
            Role::Given => {
                for name in before.difference(&after) {
                    self.tell(&format!("{place}.{name}"), "may be missing now");
                }
            }
        }
        for group in ["properties", "patternProperties"] {
            let olds = old.get(group).and_then(Value::as_object).into_iter().flatten();
            for (name, before) in olds {
                let place = format!("{place}.{name}");
                match new.get(group).and_then(|all| all.get(name)) {
                    Some(after) => self.value(&place, before, after),
                    None => self.tell(&place, "is gone"),
                }
            }
        }
        match (old.get("additionalProperties"), new.get("additionalProperties")) {
            (Some(before), Some(after)) if before.is_object() && after.is_object() => {
                self.value(&format!("{place}.*"), before, after);
            }
            (before, Some(Value::Bool(false)))
                if before != Some(&Value::Bool(false)) && self.role == Role::Taken =>
            {
                self.tell(place, "other names are taken no more");
            }
            _ => {}
        }
        let names = |schema: &Map<String, Value>| {
            let mut rule = schema.get("propertyNames").cloned().unwrap_or_default();
            for only_told in ["patternErrorMessage", "errorMessage", "examples"] {
                rule.as_object_mut().and_then(|rule| rule.remove(only_told));
            }
            if rule.as_object().is_some_and(Map::is_empty) { Value::Null } else { rule }
        };
        if self.role == Role::Taken && !names(new).is_null() && names(old) != names(new) {
            self.tell(place, "another rule for names");
        }
    }

    fn bounds(&mut self, place: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        for (name, grows) in [
            ("minimum", true),
            ("minLength", true),
            ("minItems", true),
            ("maximum", false),
            ("maxLength", false),
            ("maxItems", false),
        ] {
            let bound = |schema: &Map<String, Value>| schema.get(name).and_then(Value::as_f64);
            let narrower = match (bound(old), bound(new)) {
                (None, Some(_)) => true,
                (Some(before), Some(after)) => {
                    if grows {
                        after > before
                    } else {
                        after < before
                    }
                }
                _ => false,
            };
            if narrower {
                self.tell(place, &format!("a narrower `{name}`"));
            }
        }
        for name in ["pattern", "format", "multipleOf", "uniqueItems"] {
            if new.contains_key(name) && old.get(name) != new.get(name) {
                self.tell(place, &format!("another `{name}`"));
            }
        }
    }
}

/// Collects the forms of a schema: references, alternatives and lists of types are only ways to write them.
fn forms<'a>(root: &'a Value, schema: &'a Value, found: &mut Forms<'a>) {
    let Some(members) = schema.as_object() else { return };
    if let Some(target) = members.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#')) {
        return forms(root, root.pointer(target).unwrap_or(&Value::Null), found);
    }
    for part in members.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        let is_form =
            part.get("$ref").is_some() || part.get("properties").is_some() && part.get("if").is_none();
        if is_form {
            forms(root, part, found);
        } else {
            found.conditions.insert(without_words(part).to_string());
        }
    }
    if let Some(not) = members.get("not") {
        found.conditions.insert(format!("not {}", without_words(not)));
    }
    let branches: Vec<&Value> =
        ["anyOf", "oneOf"].into_iter().filter_map(|name| members.get(name)?.as_array()).flatten().collect();
    for branch in &branches {
        forms(root, branch, found);
    }
    if !branches.is_empty() {
        return;
    }
    let words: Option<Vec<&Value>> = match (members.get("enum"), members.get("const")) {
        (Some(words), _) => words.as_array().map(|words| words.iter().collect()),
        (None, Some(word)) => Some(vec![word]),
        _ => None,
    };
    if let Some(words) = words {
        let list = found.words.get_or_insert_with(BTreeSet::new);
        list.extend(words.iter().map(ToString::to_string));
        for word in words {
            let name = match word {
                Value::Null => "null",
                Value::String(_) => "string",
                Value::Bool(_) => "boolean",
                _ => "number",
            };
            found.types.entry(name.to_owned()).or_default();
        }
        return;
    }
    let names = match members.get("type") {
        Some(Value::String(name)) => vec![name.clone()],
        Some(Value::Array(names)) => {
            names.iter().filter_map(|name| Some(name.as_str()?.to_owned())).collect()
        }
        _ => Vec::new(),
    };
    for name in names {
        if name == "null" {
            // A `null` in a list of words is one of them.
            if let Some(words) = &mut found.words {
                words.insert("null".to_owned());
            }
            found.types.entry(name).or_default();
        } else {
            found.types.entry(name).or_default().push(members);
        }
    }
}

/// A condition without what is only told to whoever writes.
fn without_words(condition: &Value) -> Value {
    match condition {
        Value::Array(elements) => elements.iter().map(without_words).collect(),
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| {
                !matches!(name.as_str(), "errorMessage" | "patternErrorMessage" | "doNotSuggest" | "examples")
            })
            .map(|(name, value)| (name.clone(), without_words(value)))
            .collect(),
        other => other.clone(),
    }
}
