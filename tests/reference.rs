//! `docs/manifest.md` and `docs/package.md` tell every field of the published schemas, and no other.
//!
//! `UPDATE_DOCS=1 cargo test --test reference` writes its tables anew.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::fmt::Write as _;
use std::path::Path;

use mainstay::model::contradiction::read_package_description;
use mainstay::model::effect::Effect;
use mainstay::model::schema::Published;
use serde_json::{Map, Value};

const BEGIN: &str = "<!-- From here on written by tests/reference.rs. -->\n";

/// The parts of the manifest in reading order: the heading, and the name in the schema's definitions.
const PARTS: [(&str, &str); 20] = [
    ("At the top", ""),
    ("`package`", "PackageReference"),
    ("`package.download`", "Download"),
    ("`service`", "Service"),
    ("`service.secrets.NAME`", "Secret"),
    ("`service.ready`", "Ready"),
    ("`service.health`", "Health"),
    ("`service.restart`", "Restart"),
    ("`service.stop`", "Stop"),
    ("`service.schedule`", "Schedule"),
    ("`service.schedule.reconcile`", "Reconcile"),
    ("`service.idle`", "Idle"),
    ("`service.sockets[]`", "Socket"),
    ("`service.limits`", "Limits"),
    ("`upgrade`", "Upgrade"),
    ("`upgrade.hooks`", "Hooks"),
    ("`logs`", "Logs"),
    ("`systemd`", "Systemd"),
    ("`compose`", "Compose"),
    ("`compose.volumes[]`", "Volume"),
];

fn schema(document: Published) -> Value {
    serde_json::from_str(&document.text()).unwrap()
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

/// The parts of a package description, likewise. What it shares with the manifest is told there.
const PACKAGE_PARTS: [(&str, &str); 15] = [
    ("At the top", ""),
    ("`rollback`", "RollbackBarrier"),
    ("`questions[]`", "Question"),
    ("`questions[].choices[]`", "Choice"),
    ("`environment.NAME`", "VariableMeaning"),
    ("`status`", "StatusView"),
    ("`status.fields[]`", "ViewField"),
    ("`host`", "Host"),
    ("`host.checks[]`", "Requirement"),
    ("`host.prepare[]`", "Preparation"),
    ("`when`", "Condition"),
    ("`image`", "PackageImage"),
    ("`development.NAME`", "DevelopmentService"),
    ("`development.NAME.port`", "DevelopmentPort"),
    ("`development.NAME.wait`", "DevelopmentWait"),
];

fn tables(schema: &Value, parts: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (heading, definition) in parts {
        let part = if definition.is_empty() { schema } else { &schema["definitions"][definition] };
        let description = if definition.is_empty() { "" } else { part["description"].as_str().unwrap() };
        section(&mut text, heading, description, part);
    }
    text
}

fn section(text: &mut String, heading: &str, description: &str, part: &Value) {
    let required: Vec<&str> =
        part["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap()).collect();
    write!(text, "\n## {heading}\n\n").unwrap();
    if !description.is_empty() {
        write!(text, "{description}\n\n").unwrap();
    }
    let place = place(heading);
    let (head, line) = if place.is_some() { (" a change takes |", "---|") } else { ("", "") };
    write!(text, "| field | what it says | form | default |{head} example |\n|---|---|---|---|{line}---|\n")
        .unwrap();
    let mut words = String::new();
    for (name, field) in object(&part["properties"]) {
        let default = match &field["default"] {
            _ if required.contains(&name.as_str()) => "required".to_owned(),
            Value::Null if field["description"].as_str().unwrap().contains("Default:") => {
                "as said".to_owned()
            }
            Value::Null => "none".to_owned(),
            default => code(default),
        };
        let example = code(&field["examples"][0]);
        let what = cell(field["description"].as_str().unwrap());
        let form = cell(&form(field));
        let takes = place.as_ref().map(|place| format!(" {} |", takes(place, name))).unwrap_or_default();
        writeln!(text, "| `{name}` | {what} | {form} | {default} |{takes} {example} |").unwrap();
        for (word, meaning) in choices(field) {
            writeln!(words, "- `{name}`: `{word}`: {meaning}").unwrap();
        }
    }
    if !words.is_empty() {
        write!(text, "\n{words}").unwrap();
    }
}

/// The place of a part in the manifest; nothing where it is of another document.
fn place(heading: &str) -> Option<String> {
    match heading {
        "At the top" => Some(String::new()),
        // A list is one field, whatever is in it.
        _ => heading
            .strip_prefix('`')
            .and_then(|rest| rest.strip_suffix('`'))
            .map(|path| path.replace("[]", "") + "."),
    }
}

/// What a change of a field takes; of one that holds others which differ, nothing.
fn takes(place: &str, name: &str) -> String {
    let whole = Effect::of_all_below(place.trim_end_matches('.'));
    let effect = Effect::of_all_below(&format!("{place}{name}").replace(".NAME.", ".*."));
    let is_list = effect.is_none() && whole.is_some();
    effect.or(whole.filter(|_| is_list)).map_or_else(|| "see there".to_owned(), |effect| effect.to_string())
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn code(value: &Value) -> String {
    format!("`{}`", cell(&value.to_string()))
}

/// What stands under each name of an object whose names are free.
fn named(field: &Value) -> &Value {
    let patterns = field.get("patternProperties").and_then(Value::as_object);
    patterns.and_then(|patterns| patterns.values().next()).unwrap_or(&field["additionalProperties"])
}

/// The words of a closed list, each with its meaning.
fn choices(field: &Value) -> Vec<(String, String)> {
    let lists = [field, &field["items"], named(field)];
    let Some(list) = lists.into_iter().find(|list| list.get("enumDescriptions").is_some()) else {
        return Vec::new();
    };
    let words = list["enum"].as_array().into_iter().flatten();
    words
        .zip(list["enumDescriptions"].as_array().into_iter().flatten())
        .filter_map(|(word, meaning)| Some((word.as_str()?.to_owned(), meaning.as_str()?.to_owned())))
        .collect()
}

fn form(field: &Value) -> String {
    if !choices(field).is_empty() {
        let form = match field["type"][0].as_str().or(field["type"].as_str()) {
            Some("array") => "list of the words below",
            Some("object") => "names, each with one of the words below",
            _ => "one of the words below",
        };
        return form.to_owned();
    }
    let types: Vec<&str> = match &field["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let pattern = field["pattern"].as_str().unwrap_or_default();
    match types.first().copied() {
        Some("string") if pattern.contains("(ms|s|m|h|d)") => "duration".to_owned(),
        Some("string") if pattern.contains("KiB") => "size".to_owned(),
        Some("string") => "text".to_owned(),
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("integer") => match (field["minimum"].as_i64(), field["maximum"].as_i64()) {
            (Some(minimum), Some(maximum)) => format!("whole number, {minimum} to {maximum}"),
            _ => "whole number".to_owned(),
        },
        Some("array") => match form(&field["items"]).as_str() {
            "duration" => "list of durations".to_owned(),
            "object" => "list of objects".to_owned(),
            _ => "list of texts".to_owned(),
        },
        Some("object") => match named(field)["type"].as_str() {
            Some("array") => "names, each with a list of texts".to_owned(),
            Some("string") => "names, each with a text".to_owned(),
            _ => "names, each with an object".to_owned(),
        },
        _ => "object".to_owned(),
    }
}

#[test]
fn the_reference_is_what_the_schemas_say() {
    for (file, document, parts) in [
        ("docs/manifest.md", Published::Manifest, &PARTS[..]),
        ("docs/package.md", Published::Package, &PACKAGE_PARTS[..]),
    ] {
        is_told(file, &tables(&schema(document), parts));
    }
}

#[expect(clippy::disallowed_methods, reason = "the wish to write comes from who runs the test")]
fn is_told(file: &str, tables: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let (head, stored) = text.split_once(BEGIN).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{head}{BEGIN}{tables}")).unwrap();
    } else {
        assert_eq!(stored, tables, "run `UPDATE_DOCS=1 cargo test --test reference`");
    }
}

#[test]
fn every_part_of_the_schemas_has_its_table() {
    let shared = |name: &str| PARTS.iter().any(|(_, definition)| *definition == name);
    for (document, parts) in [(Published::Manifest, &PARTS[..]), (Published::Package, &PACKAGE_PARTS[..])] {
        let schema = schema(document);
        let told: Vec<&str> = parts.iter().map(|(_, definition)| *definition).collect();
        let untold: Vec<&String> = object(&schema["definitions"])
            .keys()
            .filter(|name| {
                !told.contains(&name.as_str()) && (document == Published::Manifest || !shared(name))
            })
            .collect();
        assert!(untold.is_empty(), "{untold:?}");
        let tables = tables(&schema, parts);
        for (_, definition) in parts {
            let part = if definition.is_empty() { &schema } else { &schema["definitions"][definition] };
            for name in object(&part["properties"]).keys() {
                assert!(tables.contains(&format!("\n| `{name}` | ")), "{name}");
            }
        }
    }
    let tables = tables(&schema(Published::Manifest), &PARTS);
    for word in ["on-failure", "SIGUSR2", "strict", "embedded", "native", "open"] {
        assert!(tables.contains(&format!("`{word}`: ")), "{word}");
    }
}

/// The first block of JSON after a heading of a document.
fn block(text: &str, heading: &str) -> String {
    let after = text.split_once(heading).unwrap().1;
    let (_, from) = after.split_once("```json\n").unwrap();
    from.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_example_of_a_package_is_one() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/package.md")).unwrap();
    let example = block(&text, "## A whole one");
    let (description, _) = read_package_description("mainstay-package.json", &example).unwrap();
    assert!(description.status.is_some_and(|status| status.fields.len() > 3));
    assert!(description.host.checks.len() > 2 && description.host.prepare.len() > 2);
    assert!(!description.development.is_empty() && description.rollback.is_some());
    let schema = schema(Published::Package);
    let validator = jsonschema::draft7::new(&schema).unwrap();
    assert!(validator.is_valid(&serde_json::from_str(&example).unwrap()));
}
