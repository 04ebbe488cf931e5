//! What a schema says beyond what its type does, so that an editor helps whoever writes the document: words with their
//! meanings, examples where the cursor is, beginnings to choose from, and faults in this tool's own words.
//!
//! `markdownDescription`, `enumDescriptions`, `defaultSnippets`, `patternErrorMessage`, `errorMessage`, `doNotSuggest`
//! and `suggestSortText` are understood by VS Code and what shares its language service, and ignored by others.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{refinement, snippet};
use crate::model::leaf;

/// Where the reference is read.
const REFERENCE: &str = "https://github.com/mainstay-dev/mainstay/blob/main/docs/";
/// What `null` means wherever it may stand.
const OF_NULL: &str = "As if it were not written.";

/// Gives closed lists of words the form that says what each means.
pub(super) fn with_words(schema: &mut Value) {
    match schema {
        Value::Array(elements) => elements.iter_mut().for_each(with_words),
        Value::Object(members) => {
            members.values_mut().for_each(with_words);
            one_list(members);
            list_or_null(members);
        }
        _ => {}
    }
}

/// `oneOf` of single words becomes `enum`.
fn one_list(schema: &mut Map<String, Value>) {
    let Some(branches) = schema.get("oneOf").and_then(Value::as_array) else { return };
    let words: Option<Vec<Value>> = branches.iter().map(|branch| branch.get("const").cloned()).collect();
    let meanings: Option<Vec<Value>> =
        branches.iter().map(|branch| branch.get("description").cloned()).collect();
    let (Some(words), Some(meanings)) = (words, meanings) else { return };
    schema.remove("oneOf");
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), words.into());
    schema.insert("markdownEnumDescriptions".to_owned(), meanings.clone().into());
    schema.insert("enumDescriptions".to_owned(), meanings.into());
}

/// A list of words or `null` becomes one list.
fn list_or_null(schema: &mut Map<String, Value>) {
    let Some([words, null]) = schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice) else {
        return;
    };
    if *null != json!({ "type": "null" }) {
        return;
    }
    let Some(Value::Object(mut words)) = words.get("enumDescriptions").map(|_| words.clone()) else { return };
    for (name, further) in [
        ("enum", Value::Null),
        ("enumDescriptions", OF_NULL.into()),
        ("markdownEnumDescriptions", OF_NULL.into()),
    ] {
        if let Some(list) = words.get_mut(name).and_then(Value::as_array_mut) {
            list.push(further);
        }
    }
    words.insert("type".to_owned(), json!(["string", "null"]));
    schema.remove("anyOf");
    for (name, value) in words {
        schema.entry(name).or_insert(value);
    }
}

/// Takes the rules out of a schema that nobody writes by: there they would only be in the way.
pub(super) fn without_rules(schema: &mut Value) {
    match schema {
        Value::Array(elements) => elements.iter_mut().for_each(without_rules),
        Value::Object(members) => {
            members.values_mut().for_each(without_rules);
            if let Some(all) = members.get_mut("allOf").and_then(Value::as_array_mut) {
                all.retain(|part| part.get("if").is_none());
                if all.is_empty() {
                    members.remove("allOf");
                }
            }
        }
        _ => {}
    }
}

/// Adds what helps whoever writes the document.
pub(super) fn for_writers(schema: &mut Value) {
    let definitions = schema.get("definitions").cloned().unwrap_or_default();
    let title = schema.get("title").and_then(Value::as_str).unwrap_or_default();
    let (name, page) = match title {
        title if title.contains("package") => ("Package", PACKAGE_PAGE),
        title if title.contains("answers") => ("Answers", PACKAGE_PAGE),
        _ => ("Manifest", MANIFEST_PAGE),
    };
    patterns(schema);
    object(schema, name, &format!("{page}#at-the-top"));
    let mut places = Vec::new();
    headings(schema, ("", None), &definitions, &mut places);
    for Place { definition, path, reached_by } in places {
        let heading = heading(page, &definition, &path);
        let Some(part) = schema.pointer_mut(&format!("/definitions/{definition}")) else { continue };
        object(part, &definition, &heading);
        // Editors show this one, and not what the field says through which it is reached.
        let own = part.get("description").and_then(Value::as_str).unwrap_or_default();
        let markdown = match &reached_by {
            Some((field, property)) => {
                let description = property.get("description").and_then(Value::as_str).unwrap_or_default();
                let both =
                    if own == description { own.to_owned() } else { format!("{description}\n\n{own}") };
                markdown(field, &both, property, &heading)
            }
            None => format!("{own}\n\n[Reference]({REFERENCE}{heading})"),
        };
        part["markdownDescription"] = markdown.into();
    }
}

const MANIFEST_PAGE: &str = "manifest.md";
const PACKAGE_PAGE: &str = "package.md";

/// The heading that tells what is reached by a path, with its page: the path's letters. What a package shares with a
/// manifest is told of the manifest.
fn heading(page: &str, definition: &str, path: &str) -> String {
    match definition {
        "Condition" => format!("{PACKAGE_PAGE}#when"),
        _ if path.starts_with("service") => format!("{MANIFEST_PAGE}#{}", path.to_lowercase()),
        _ => format!("{page}#{}", path.to_lowercase()),
    }
}

/// Where a definition is used first.
struct Place {
    definition: String,
    /// The path by which it is reached, without the dots.
    path: String,
    /// The field by which it is reached, with its schema; none for what stands in a list or under a name.
    reached_by: Option<(String, Value)>,
}

fn headings(schema: &Value, at: (&str, Option<(&str, &Value)>), definitions: &Value, found: &mut Vec<Place>) {
    let (path, reached_by) = at;
    let reference =
        schema.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix("#/definitions/"));
    if let Some(name) = reference {
        if found.iter().all(|place| place.definition != name) {
            let reached_by = reached_by.map(|(field, property)| (field.to_owned(), property.clone()));
            found.push(Place { definition: name.to_owned(), path: path.to_owned(), reached_by });
            headings(&definitions[name], (path, None), definitions, found);
        }
        return;
    }
    for inner in ["allOf", "anyOf"].into_iter().filter_map(|choice| schema.get(choice)?.as_array()).flatten()
    {
        headings(inner, at, definitions, found);
    }
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        headings(property, (&format!("{path}{name}"), Some((name, property))), definitions, found);
    }
    let named = schema.get("patternProperties").and_then(Value::as_object).into_iter().flat_map(Map::values);
    for under_a_name in named.chain(schema.get("additionalProperties")) {
        headings(under_a_name, (&format!("{path}NAME"), None), definitions, found);
    }
    if let Some(items) = schema.get("items") {
        headings(items, (path, None), definitions, found);
    }
}

/// What helps with the fields of one object.
fn object(schema: &mut Value, name: &str, heading: &str) {
    if let Some(beginnings) = snippet::of(name, "") {
        schema["defaultSnippets"] = beginnings;
    }
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (field, property) in properties {
        let Some(description) = property.get("description").and_then(Value::as_str) else { continue };
        let markdown = markdown(field, description, property, heading);
        property["markdownDescription"] = markdown.into();
        if let Some(beginnings) = snippet::of(name, field) {
            property["defaultSnippets"] = beginnings;
        }
        if let Some(place) = snippet::order(name, field) {
            property["suggestSortText"] = format!("{place:02}").into();
        }
        refinement::refine(name, field, property);
        if let Some(names) = snippet::names(name, field) {
            let rule =
                property.as_object_mut().map(|it| it.entry("propertyNames").or_insert_with(|| json!({})));
            if let Some(rule) = rule {
                rule["examples"] = names;
            }
        }
    }
}

/// What an editor shows of a field: what it says, what each word means, an example, and where more is told.
// Writing to a text can't fail.
fn markdown(field: &str, description: &str, property: &Value, heading: &str) -> String {
    let mut text = description.to_owned();
    let list = [property, &property["items"], &property["additionalProperties"]]
        .into_iter()
        .chain(property["patternProperties"].as_object().into_iter().flat_map(Map::values))
        .find(|list| list.get("enumDescriptions").is_some());
    if let Some(list) = list {
        text.push('\n');
        let words = list["enum"].as_array().into_iter().flatten();
        for (word, meaning) in words.zip(list["enumDescriptions"].as_array().into_iter().flatten()) {
            if let (Some(word), Some(meaning)) = (word.as_str(), meaning.as_str()) {
                let _ = write!(text, "\n- `{word}`: {meaning}");
            }
        }
    }
    if !description.contains("efault")
        && let Some(default) = property.get("default").filter(|default| **default != json!({}))
    {
        let _ = write!(text, "\n\nDefault: `{default}`.");
    }
    if let Some(example) = property.pointer("/examples/0") {
        let _ = write!(text, "\n\n```json\n\"{field}\": {example:#}\n```");
    }
    let _ = write!(text, "\n\n[Reference]({REFERENCE}{heading})");
    text
}

/// Says with each pattern what its owner says of a text that it refuses, and of words only once that they are none.
fn patterns(schema: &mut Value) {
    match schema {
        Value::Array(elements) => elements.iter_mut().for_each(patterns),
        Value::Object(members) => {
            if let Some(told) = members.get("pattern").and_then(Value::as_str).and_then(leaf::wanted) {
                members.insert("patternErrorMessage".to_owned(), told.into());
            }
            // A number where a word belongs is one fault, and not two.
            if members.contains_key("enum") {
                members.remove("type");
            }
            members.values_mut().for_each(patterns);
        }
        _ => {}
    }
}
