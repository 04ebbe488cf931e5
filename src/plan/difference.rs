//! What a plan changes and why, for people: drift, settings old and new, definitions before and after.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use serde_json::Value;

use crate::model::drift::{Difference, DropIn, FieldChange, FileChange};
use crate::model::effect::Effect;
use crate::model::launch::LaunchSpec;
use crate::model::receipt::Receipt;
use crate::model::shown;
use crate::plan::observed::Observed;
use crate::plan::wanted::Wanted;

/// What the launch says of a field is what the manifest and its package say together; of these only the manifest.
const OF_THE_MANIFEST: [&str; 4] = ["package.url", "package.sha256", "package.publicKey", "package.download"];

/// The differences between what is and what is wanted; drift is found by itself.
#[must_use]
pub(super) fn difference(wanted: &Wanted, observed: &Observed) -> Difference {
    let definition = &wanted.definition;
    let socket = (wanted.layout.socket_definition(&wanted.spec.name), definition.socket.as_ref());
    let (path, before, after) = match &definition.compose {
        Some(compose) => (&compose.path, &observed.compose, &compose.text),
        None => (&definition.path, &observed.definition, &definition.text),
    };
    let manifest = &wanted.manifest;
    let files = [
        changed(&manifest.path, manifest.on_disk.as_deref(), Some(&manifest.text)),
        changed(path, before.as_deref(), Some(after)),
        changed(&socket.0, observed.socket.as_deref(), socket.1.map(|socket| socket.text.as_str())),
    ];
    Difference {
        drift: Vec::new(),
        fields: fields(wanted, observed),
        files: files.into_iter().flatten().collect(),
        drop_ins: observed
            .drop_ins
            .iter()
            .map(|drop_in| DropIn { path: drop_in.path.clone(), sets: drop_in.sets.clone() })
            .collect(),
    }
}

fn changed(path: &Utf8Path, before: Option<&str>, after: Option<&str>) -> Option<FileChange> {
    let told = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(shown::definition);
    (before != after).then(|| FileChange { path: path.to_owned(), before: told(before), after: told(after) })
}

fn fields(wanted: &Wanted, observed: &Observed) -> Vec<FieldChange> {
    let tree = wanted.spec.tree();
    let of_link = || observed.link.as_ref().and_then(|link| observed.specs.get(link));
    let recorded = observed.receipt.as_ref().and_then(Receipt::active);
    let is_active = recorded.is_some_and(|active| active.version == wanted.spec.version);
    // Where only the link was moved, no setting changes.
    let before = if is_active { observed.specs.get(&tree).or_else(of_link) } else { of_link() };
    let Some(before) = before else { return Vec::new() };
    let (mut old, mut new) = (of_launch(before), of_launch(&wanted.spec));
    if let Some(receipt) = &observed.receipt {
        old.extend(of_manifest(&receipt.manifest));
        new.extend(of_manifest(&wanted.manifest.text));
    }
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change = |field: &String| {
        let (before, after) = (old.get(field), new.get(field));
        (before != after).then(|| {
            let told = |value: Option<&Value>| value.map(|value| told(field, value));
            let (before, after) = (told(before), told(after));
            FieldChange { takes: Effect::of(field), field: field.clone(), before, after }
        })
    };
    names.into_iter().filter_map(change).collect()
}

/// A value in one line.
fn told(field: &str, value: &Value) -> String {
    let name = field.strip_prefix("service.environment.");
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    name.map_or_else(|| shown::value("", &text), |name| shown::value(name, &text))
}

/// The settings of a launch by the names that the manifest has for them.
fn of_launch(spec: &LaunchSpec) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let Ok(Value::Object(parts)) = serde_json::to_value(spec) else { return found };
    for (name, value) in parts {
        let path = match name.as_str() {
            "format" | "credentials" => continue,
            "container" => "compose".to_owned(),
            "name" | "platform" | "scope" | "systemd" | "logs" | "upgrade" => name,
            "component" => "package.name".to_owned(),
            "version" | "source" => format!("package.{name}"),
            "gate" | "keep" | "hooks" => format!("upgrade.{name}"),
            "deploy" => "the deploy folder".to_owned(),
            _ => format!("service.{name}"),
        };
        leaves(&path, value, &mut found);
    }
    found
}

/// What only the manifest says, as it is written.
fn of_manifest(text: &str) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    if let Ok(manifest) = serde_json::from_str(text) {
        leaves("", manifest, &mut found);
    }
    let is_one =
        |path: &str| path == "$schema" || OF_THE_MANIFEST.iter().any(|field| path.starts_with(field));
    found.retain(|path, _| is_one(path));
    found
}

fn leaves(path: &str, value: Value, found: &mut BTreeMap<String, Value>) {
    let Value::Object(fields) = value else {
        // A launch has the path of a secret's file where the manifest has an object with it.
        let path = match path.strip_prefix("service.secrets.") {
            Some(name) => format!("service.secrets.{name}.file"),
            None => path.to_owned(),
        };
        if !value.is_null() {
            found.insert(path, value);
        }
        return;
    };
    for (name, field) in fields {
        // How the launch writes a probe is not how the manifest does.
        let below = match (name.as_str(), path) {
            ("wanted", "compose") | ("probe", _) | ("address", "service.health.http") => path.to_owned(),
            ("status" | "body", "service.health.http") => format!("service.health.{name}"),
            (_, "") => name,
            _ => format!("{path}.{name}"),
        };
        leaves(&below, field, found);
    }
}
