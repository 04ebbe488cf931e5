//! A manifest that is being made, field by field.

use serde_json::{Map, Value, json};

use crate::model::contradiction::read_manifest;
use crate::model::document::Document;
use crate::model::manifest::Manifest;

/// The fields at the top of a manifest.
pub const FIELDS: [&str; 8] =
    ["name", "package", "platform", "scope", "service", "upgrade", "logs", "systemd"];

/// Puts a value at a path such as `service.environment.PORT`.
pub fn put(text: &mut Value, path: &str, value: Value) {
    let mut place = text;
    for key in path.split('.') {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[key];
    }
    *place = value;
}

/// What a typed text is at a place: what parses as JSON is taken as JSON; a number only where the field takes one,
/// because variables and versions look like numbers too.
#[must_use]
pub fn value_for(text: &Value, path: &str, typed: &str) -> Value {
    let plain = Value::String(typed.to_owned());
    match serde_json::from_str::<Value>(typed) {
        Ok(number @ Value::Number(_)) => {
            let mut as_number = text.clone();
            put(&mut as_number, path, number.clone());
            if refuses(&as_number, path) { plain } else { number }
        }
        Ok(structured) => structured,
        Err(_) => plain,
    }
}

/// Whether there is something of that path in manifests.
#[must_use]
pub fn is_field(path: &str) -> bool {
    if path.split('.').any(str::is_empty) {
        return false;
    }
    let mut text = json!({ "name": "x", "package": { "name": "x" } });
    put(&mut text, path, Value::Null);
    let Ok(document) = Document::parse("", &text.to_string()) else { return false };
    let faults = document.read::<Manifest>().err().map(|problems| problems.list).unwrap_or_default();
    // What takes no null is there; what is unknown is unknown whatever it holds.
    faults.iter().all(|fault| fault.path == path && !fault.message.starts_with("unknown field"))
}

/// Why a value can't stand at a place of a manifest, where it can't: by itself, or beside what the manifest says.
#[must_use]
pub fn refusal(text: &Value, path: &str, value: Value) -> Option<String> {
    let mut with = text.clone();
    put(&mut with, path, value);
    let problems = read_manifest("", &with.to_string()).err()?;
    let mut of_it = problems.list.into_iter().filter(|problem| {
        problem.path.strip_prefix(path).is_some_and(|below| below.is_empty() || below.starts_with(['.', '[']))
    });
    of_it.next().map(|problem| problem.message)
}

fn refuses(text: &Value, path: &str) -> bool {
    let Ok(document) = Document::parse("", &text.to_string()) else { return true };
    document
        .read::<Manifest>()
        .is_err_and(|problems| problems.list.iter().any(|problem| problem.path == path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_known_by_their_path() {
        for field in ["service.environment.PORT", "service.limits.memory", "service.ready.http", "scope"] {
            assert!(is_field(field), "{field}");
        }
        for field in ["service.limits.memoryy", "", "service..user", "servic", "name.x", "service.user.x"] {
            assert!(!is_field(field), "{field}");
        }
    }

    #[test]
    fn numbers_are_texts_where_a_text_is_wanted() {
        let text = json!({ "name": "x", "package": { "name": "x" } });
        assert_eq!(value_for(&text, "service.environment.PORT", "4000"), json!("4000"));
        assert_eq!(value_for(&text, "upgrade.keep", "4"), json!(4));
        assert_eq!(value_for(&text, "service.boot", "false"), json!(false));
        assert_eq!(value_for(&text, "service.user", "web"), json!("web"));
    }

    #[test]
    fn a_value_is_refused_with_the_reason() {
        let text = json!({ "name": "x", "package": { "name": "x" } });
        assert!(refusal(&text, "service.restart.maximumDelay", json!("1m")).is_some());
        assert!(
            refusal(&text, "service.limits.memory", json!("much")).is_some_and(|why| why.contains("`much`"))
        );
        assert_eq!(refusal(&text, "service.limits.memory", json!("512MiB")), None);
        assert!(refusal(&text, "service.schedule.every", json!("0s")).is_some());
    }
}
