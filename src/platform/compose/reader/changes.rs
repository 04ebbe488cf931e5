//! What is different of a setting that is carried over: a container of mainstay's has ways of its own.

use serde_json::Value;

use crate::platform::compose::text::{BEYOND_THE_DRAIN, HEALTH, RETRIES};

/// What is different, if anything is.
pub(super) fn of(key: &str, value: &Value) -> Option<String> {
    match key {
        "restart" if value == "unless-stopped" => {
            Some("now `always`: one that was stopped starts again with the engine too".to_owned())
        }
        "image" => Some("pinned to the bytes that are here under this name".to_owned()),
        "stop_grace_period" => Some(format!("the engine waits {BEYOND_THE_DRAIN} longer before it kills it")),
        "networks" => Some("another network of its own, so nothing else is in it".to_owned()),
        "healthcheck" => Some(health(value)),
        "volumes" => value
            .as_array()
            .into_iter()
            .flatten()
            .any(|volume| volume["type"] == "bind")
            .then(|| "a folder of the host that is not there is refused, not made".to_owned()),
        _ => None,
    }
}

/// How often it is asked now, and how it was before.
fn health(value: &Value) -> String {
    let [(interval, every), (timeout, limit)] = HEALTH;
    let before =
        [interval, timeout, "retries", "start_period", "start_interval"].into_iter().filter_map(|key| {
            let told = match &value[key] {
                Value::Null => return None,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Some(format!("{key} {told}"))
        });
    let before = before.collect::<Vec<_>>().join(", ");
    let before = if before.is_empty() { "the engine's own times".to_owned() } else { before };
    format!("now {interval} {every}, {timeout} {limit}, retries {RETRIES}; before: {before}")
}
