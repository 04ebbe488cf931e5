//! What single fields can't be, where no type says so: written into the published schemas, so that an editor marks what
//! mainstay refuses. `contradiction.rs` refuses the same.

use serde_json::{Value, json};

use crate::model::setting::{self, Section};

/// Commands, whose first word names a program.
const PROGRAMS: [&str; 12] = [
    "Service.command",
    "Service.onFailure",
    "Ready.command",
    "Health.command",
    "Stop.command",
    "Idle.busy",
    "Reconcile.command",
    "Hooks.beforeStop",
    "Hooks.migrate",
    "Hooks.migrateBack",
    "Hooks.afterStart",
    "Component.command",
];

/// Durations and sizes that are longer, or larger, than nothing.
const MORE_THAN_NOTHING: [&str; 11] = [
    "Restart.window",
    "Ready.timeout",
    "Stop.timeout",
    "Health.every",
    "Health.timeout",
    "Schedule.every",
    "Schedule.jitter",
    "Upgrade.gate",
    "Hooks.timeout",
    "Limits.memory",
    "Logs.maxSize",
];

/// Adds to a field's schema what it can't be.
pub(super) fn refine(object: &str, field: &str, property: &mut Value) {
    let place = format!("{object}.{field}");
    if PROGRAMS.contains(&place.as_str()) {
        further(
            property,
            json!({ "items": [{ "pattern": "[\\s\\S]", "patternErrorMessage": "The name of the program is empty." }] }),
        );
    }
    if MORE_THAN_NOTHING.contains(&place.as_str()) {
        let nothing = json!({ "type": "string", "pattern": "^(0+[A-Za-z]+)+$" });
        further(property, json!({ "not": nothing, "errorMessage": "This has to be more than nothing." }));
    }
    match place.as_str() {
        "Service.description" => {
            let control = json!({ "type": "string", "pattern": "[\\u0000-\\u001f\\u007f-\\u009f]" });
            let message = "A description is one line, without control characters.";
            further(property, json!({ "not": control, "errorMessage": message }));
        }
        "Health.body" => {
            property["propertyNames"] = json!({ "pattern": "^(/|$)",
                "patternErrorMessage": "This is no JSON pointer: it begins with `/`, as in `/status`." });
        }
        "Systemd.unit" => settings(property, Section::Unit),
        "Systemd.service" => settings(property, Section::Service),
        _ => {}
    }
}

fn settings(property: &mut Value, section: Section) {
    property["propertyNames"] = json!({
        "pattern": setting::NAME_PATTERN,
        "patternErrorMessage": "A setting is named by letters, digits and `-`, and mainstay keeps those that begin with `X-Mainstay-`.",
        "not": { "enum": setting::owned(section) },
        "errorMessage": "mainstay writes this setting itself: `mainstay validate` names the field for it.",
    });
    if section == Section::Service {
        let filled = json!({ "type": "array", "items": {
            "type": "string",
            "pattern": setting::ADDED_PATTERN,
            "patternErrorMessage": "A value stays on its line, and an empty one would take back what mainstay itself says.",
        } });
        let lists = setting::ADDED_TO.iter().map(|name| ((*name).to_owned(), filled.clone()));
        property["properties"] = Value::Object(lists.collect());
    }
    property["additionalProperties"]["items"] = json!({
        "type": "string",
        "pattern": setting::VALUE_PATTERN,
        "patternErrorMessage": "A value stays on its line: no control characters, and no `\\` at its end.",
    });
}

fn further(property: &mut Value, condition: Value) {
    let all = property.as_object_mut().map(|members| members.entry("allOf").or_insert_with(|| json!([])));
    if let Some(all) = all.and_then(Value::as_array_mut) {
        all.push(condition);
    }
}
