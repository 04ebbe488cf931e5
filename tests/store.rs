//! The entry for `SchemaStore` is ready to send: it names our files and our schemas, and its tests mean what they say.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::{Path, PathBuf};

use mainstay::model::schema::Published;
use mainstay::model::{manifest, package};
use serde_json::{Value, json};

/// Each schema by the name that it would have there.
const NAMES: [(&str, Published); 2] =
    [("mainstay", Published::Manifest), ("mainstay-package", Published::Package)];

fn store(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/store").join(name)
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_entry_names_our_files_and_our_schemas() {
    let entries = read(&store("catalog-entry.json"));
    let entries = entries.as_array().unwrap();
    assert_eq!(entries.len(), NAMES.len());
    let of = |document: Published| {
        let found = entries.iter().find(|entry| entry["url"] == document.address());
        found.unwrap_or_else(|| panic!("no entry for {}", document.name()))
    };
    let matches = &of(Published::Manifest)["fileMatch"];
    assert_eq!(*matches, json!([manifest::FILE_NAME, format!("*{}", manifest::SHARED_SUFFIX)]));
    assert_eq!(of(Published::Package)["fileMatch"], json!([package::FILE_NAME]));
    for entry in entries {
        let fields: Vec<&str> = entry.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["description", "fileMatch", "name", "url"]);
        // What the catalogue's own check refuses.
        assert!(!entry["name"].as_str().unwrap().to_lowercase().contains("schema"));
        assert!(!entry["description"].as_str().unwrap().to_lowercase().contains("schema"));
    }
}

#[test]
fn its_tests_mean_what_they_say() {
    for (name, document) in NAMES {
        let schema: Value = serde_json::from_str(&document.text()).unwrap();
        let validator = jsonschema::draft7::new(&schema).unwrap();
        for (kind, valid) in [("test", true), ("negative_test", false)] {
            let folder = store(kind).join(name);
            let mut count = 0;
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                count += 1;
                assert_eq!(validator.is_valid(&read(&path)), valid, "{}", path.display());
            }
            assert!(count > 0, "{}", folder.display());
        }
    }
}
