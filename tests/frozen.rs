//! What a released version promised of its documents still holds: the schemas in `tests/frozen` are those of the last
//! release, and only additions to them pass.
//!
//! `FREEZE_SCHEMA=1 cargo test --test frozen` writes them anew; that is a step of a release, and of nothing else.
//!
//! What people write, and what older versions stored, must still be taken: no field goes, none becomes required, no word
//! and no form is refused that was taken. What programs read must still be there: no field goes or may be missing, and
//! none has another form than it had.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::{Path, PathBuf};

use mainstay::model::schema::Published;
use serde_json::{Value, json};

mod frozen {
    pub(crate) mod compare;
}
use frozen::compare::{Role, breaks};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frozen")
}

/// What becomes of a document: what is read again must be taken, what is printed must be understood.
fn role(document: Published) -> Role {
    match document {
        Published::Manifest
        | Published::Package
        | Published::Event
        | Published::Index
        | Published::Launch
        | Published::Receipt
        | Published::Report
        | Published::ReportEvent => Role::Taken,
        _ => Role::Given,
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the wish to write comes from who makes a release")]
fn only_additions_follow_a_release() {
    let mut compared = 0;
    for document in Published::ALL {
        let path = folder().join(format!("{}.json", document.name()));
        if std::env::var_os("FREEZE_SCHEMA").is_some() {
            std::fs::write(&path, document.text()).unwrap();
        }
        // A document that the last release did not have promises nothing yet.
        let Ok(frozen) = std::fs::read_to_string(&path) else { continue };
        compared += 1;
        let (frozen, now) =
            (serde_json::from_str(&frozen).unwrap(), serde_json::from_str(&document.text()).unwrap());
        let found = breaks(role(*document), &frozen, &now);
        assert!(found.is_empty(), "{} breaks what was released:\n{}", document.name(), found.join("\n"));
    }
    let frozen = std::fs::read_dir(folder()).unwrap().filter(|entry| {
        entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "json")
    });
    assert_eq!(frozen.count(), compared, "a document that was released is published no more");
    assert!(compared >= 20);
}

/// A schema of an object with some of everything.
fn sample() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["name"],
        "definitions": {
            "Part": { "type": "object", "properties": { "size": { "type": ["string", "null"], "pattern": "^[0-9]+$" } } }
        },
        "properties": {
            "name": { "type": "string", "minLength": 1 },
            "word": { "enum": ["one", "two", null] },
            "count": { "type": "integer", "minimum": 1, "maximum": 9 },
            "part": { "anyOf": [{ "$ref": "#/definitions/Part" }, { "type": "null" }] },
            "list": { "type": "array", "items": { "type": "string" } },
            "map": { "type": "object", "additionalProperties": { "type": "string" } }
        }
    })
}

/// The sample, changed at one place.
fn changed(pointer: &str, value: Value) -> Value {
    let mut schema = sample();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = schema.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value == json!("gone") {
        parent.remove(name).unwrap();
    } else {
        parent.insert(name.to_owned(), value);
    }
    schema
}

#[test]
fn what_breaks_a_document_that_is_taken_is_caught() {
    for (pointer, value) in [
        ("/properties/list", json!("gone")),
        ("/required", json!(["name", "count"])),
        ("/properties/word/enum", json!(["one", null])),
        ("/properties/word/enum", json!(["one", "two"])),
        ("/properties/count/type", json!("string")),
        ("/properties/count/maximum", json!(8)),
        ("/properties/count/minimum", json!(2)),
        ("/properties/name/minLength", json!(2)),
        ("/properties/name/pattern", json!("^a")),
        ("/properties/list/minItems", json!(1)),
        ("/properties/list/items/type", json!("integer")),
        ("/properties/map/additionalProperties", json!(false)),
        ("/properties/map/additionalProperties/type", json!("integer")),
        ("/properties/map/propertyNames", json!({ "pattern": "^a" })),
        ("/properties/part/anyOf", json!([{ "$ref": "#/definitions/Part" }])),
        ("/definitions/Part/properties/size/type", json!("string")),
        ("/definitions/Part/properties/size/pattern", json!("^[0-9]$")),
        ("/definitions/Part/properties/size", json!("gone")),
        ("/definitions/Part/required", json!(["size"])),
        ("/allOf", json!([{ "if": {}, "then": false }])),
        ("/not", json!({ "required": ["word"] })),
    ] {
        let found = breaks(Role::Taken, &sample(), &changed(pointer, value.clone()));
        assert!(!found.is_empty(), "{pointer} {value} passes");
    }
}

#[test]
fn what_breaks_a_document_that_is_given_is_caught() {
    for (pointer, value) in [
        ("/properties/list", json!("gone")),
        ("/required", json!([])),
        ("/properties/name/type", json!(["string", "null"])),
        ("/properties/count/type", json!("string")),
        ("/properties/list/items/type", json!("integer")),
        ("/properties/map/additionalProperties/type", json!(["string", "null"])),
        ("/definitions/Part/properties/size", json!("gone")),
        ("/definitions/Part/properties/size/type", json!(["integer", "null"])),
    ] {
        let found = breaks(Role::Given, &sample(), &changed(pointer, value.clone()));
        assert!(!found.is_empty(), "{pointer} {value} passes");
    }
}

#[test]
fn additions_pass() {
    for (pointer, value) in [
        ("/properties/more", json!({ "type": "string" })),
        ("/properties/word/enum", json!(["one", "two", "three", null])),
        ("/properties/name/description", json!("another")),
        ("/properties/name/markdownDescription", json!("another")),
        ("/properties/name/default", json!("x")),
        ("/definitions/Part/properties/colour", json!({ "type": "string" })),
        ("/definitions/Other", json!({ "type": "string" })),
    ] {
        for role in [Role::Taken, Role::Given] {
            let found = breaks(role, &sample(), &changed(pointer, value.clone()));
            assert!(found.is_empty(), "{pointer} {value}: {found:?}");
        }
    }
    // What is taken may become wider, and what is given may promise more.
    for (pointer, value) in [
        ("/required", json!([])),
        ("/properties/count/maximum", json!(10)),
        ("/properties/count/minimum", json!("gone")),
        ("/properties/name/minLength", json!("gone")),
        ("/properties/name/type", json!(["string", "null"])),
        ("/definitions/Part/properties/size/pattern", json!("gone")),
    ] {
        let found = breaks(Role::Taken, &sample(), &changed(pointer, value.clone()));
        assert!(found.is_empty(), "{pointer} {value}: {found:?}");
    }
    for (pointer, value) in [
        ("/required", json!(["name", "count"])),
        ("/properties/part/anyOf", json!([{ "$ref": "#/definitions/Part" }])),
        ("/properties/count/maximum", json!(8)),
    ] {
        let found = breaks(Role::Given, &sample(), &changed(pointer, value.clone()));
        assert!(found.is_empty(), "{pointer} {value}: {found:?}");
    }
}

#[test]
fn a_condition_of_a_new_word_passes() {
    let condition = |word: &str| {
        let given = json!({ "properties": { "word": { "const": word } }, "required": ["word"] });
        let also = json!({ "properties": { "list": {} }, "required": ["list"] });
        json!([{ "if": { "allOf": [given, also] }, "then": { "properties": { "list": false } } }])
    };
    let found = |word: &str| breaks(Role::Taken, &sample(), &changed("/allOf", condition(word)));
    assert!(found("three").is_empty(), "{:?}", found("three"));
    assert!(!found("two").is_empty());
}

#[test]
fn another_way_to_say_the_same_passes() {
    let words = json!({ "oneOf": [{ "const": "one", "type": "string" }, { "const": "two", "type": "string" }, { "type": "null" }] });
    for role in [Role::Taken, Role::Given] {
        let found = breaks(role, &sample(), &changed("/properties/word", words.clone()));
        assert!(found.is_empty(), "{found:?}");
        let part = json!({ "type": ["object", "null"], "properties": { "size": { "type": ["string", "null"], "pattern": "^[0-9]+$" } } });
        let found = breaks(role, &sample(), &changed("/properties/part", part));
        assert!(found.is_empty(), "{found:?}");
    }
}
