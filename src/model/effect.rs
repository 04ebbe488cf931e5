//! What a change of each field of the manifest takes, in one place.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What it takes until a changed field counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Effect {
    /// Nothing: it only decides about what mainstay does later.
    #[serde(rename = "none")]
    Nothing,
    /// The service manager reads the definition again; what runs goes on.
    Reload,
    /// The service is started anew.
    Restart,
}

impl fmt::Display for Effect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Nothing => "none",
            Self::Reload => "reload",
            Self::Restart => "restart",
        })
    }
}

use Effect::{Nothing, Reload, Restart};

/// Every field of the manifest: `*` stands for a name that is free. A list is one field, whatever is in it.
pub const FIELDS: [(&str, Effect); 94] = [
    ("$schema", Nothing),
    ("name", Restart),
    ("platform", Restart),
    ("scope", Restart),
    ("package.name", Restart),
    ("package.version", Restart),
    ("package.source", Restart),
    ("package.url", Nothing),
    ("package.sha256", Nothing),
    ("package.publicKey", Nothing),
    ("package.download.ca", Nothing),
    ("package.download.certificate", Nothing),
    ("package.download.retries", Nothing),
    ("package.download.timeout", Nothing),
    ("service.boot", Reload),
    ("service.command", Restart),
    ("service.description", Reload),
    ("service.detach", Restart),
    ("service.environment.*", Restart),
    ("service.environmentFile", Restart),
    ("service.exitCodes.*", Restart),
    ("service.group", Restart),
    ("service.hardening", Restart),
    ("service.health.body.*", Restart),
    ("service.health.command", Restart),
    ("service.health.every", Restart),
    ("service.health.failures", Restart),
    ("service.health.http", Restart),
    ("service.health.notify", Restart),
    ("service.health.status", Restart),
    ("service.health.tcp", Restart),
    ("service.health.timeout", Restart),
    ("service.healthFile", Restart),
    ("service.idle.after", Restart),
    ("service.idle.busy", Restart),
    ("service.limits.memory", Restart),
    ("service.limits.nice", Restart),
    ("service.limits.openFiles", Restart),
    ("service.limits.processes", Restart),
    ("service.onFailure", Restart),
    ("service.overlap", Restart),
    ("service.pidFile", Restart),
    ("service.ready.command", Restart),
    ("service.ready.delay", Restart),
    ("service.ready.file", Restart),
    ("service.ready.http", Restart),
    ("service.ready.notify", Restart),
    ("service.ready.tcp", Restart),
    ("service.ready.timeout", Restart),
    ("service.restart.delays", Restart),
    ("service.restart.limit", Restart),
    ("service.restart.when", Restart),
    ("service.restart.window", Restart),
    ("service.restartOnChange", Restart),
    ("service.schedule.calendar", Restart),
    ("service.schedule.every", Restart),
    ("service.schedule.jitter", Restart),
    ("service.schedule.reconcile.command", Restart),
    ("service.schedule.reconcile.everyCycles", Restart),
    ("service.secrets.*.file", Restart),
    ("service.sockets", Restart),
    ("service.stdin", Restart),
    ("service.stop.command", Restart),
    ("service.stop.http", Restart),
    ("service.stop.signal", Restart),
    ("service.stop.timeout", Restart),
    ("service.supervision", Restart),
    ("service.umask", Restart),
    ("service.user", Restart),
    ("service.workingDirectory", Restart),
    ("upgrade.data", Nothing),
    ("upgrade.gate", Nothing),
    ("upgrade.hooks.afterStart", Nothing),
    ("upgrade.hooks.beforeStop", Nothing),
    ("upgrade.hooks.migrate", Nothing),
    ("upgrade.hooks.migrateBack", Nothing),
    ("upgrade.hooks.timeout", Nothing),
    ("upgrade.keep", Nothing),
    ("upgrade.migrateCompatible", Nothing),
    ("upgrade.pins", Nothing),
    ("upgrade.trial", Nothing),
    ("logs.keep", Restart),
    ("logs.level", Nothing),
    ("logs.maxSize", Restart),
    ("systemd.service.*", Restart),
    ("systemd.unit.*", Reload),
    ("compose.containerName", Restart),
    ("compose.engine", Restart),
    ("compose.entrypoint", Restart),
    ("compose.image", Restart),
    ("compose.network", Restart),
    ("compose.ports", Restart),
    ("compose.user", Restart),
    ("compose.volumes", Restart),
];

impl Effect {
    /// What a change of this field takes. A field that is not in the list takes the most.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let effect = FIELDS.iter().find(|(field, _)| fits(field, path)).map(|(_, effect)| *effect);
        effect.unwrap_or(Restart)
    }

    /// What a change of a field takes that holds others: the same for all of them, or nothing that can be said in one
    /// word.
    #[must_use]
    pub fn of_all_below(path: &str) -> Option<Self> {
        let inside =
            |field: &str| field == path || field.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        let mut effects = FIELDS.iter().filter(|(field, _)| inside(field)).map(|(_, effect)| *effect);
        let first = effects.next()?;
        effects.all(|effect| effect == first).then_some(first)
    }
}

/// Whether a path is of a field. A name that is free may have dots in it.
fn fits(field: &str, path: &str) -> bool {
    match field.split_once('*') {
        None => field == path,
        Some((before, after)) => path
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|name| !name.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::model::schema::Published;

    /// The fields of a part of the schema that hold no others.
    fn leaves(root: &Value, part: &Value, path: &str, found: &mut BTreeSet<String>) {
        let named = |part: &Value| {
            let name = part.get("$ref")?.as_str()?.rsplit('/').next()?;
            Some(root["definitions"][name].clone())
        };
        let of_several = |key: &str| part.get(key)?.as_array()?.iter().find_map(named);
        if let Some(part) = named(part).or_else(|| of_several("allOf")).or_else(|| of_several("anyOf")) {
            return leaves(root, &part, path, found);
        }
        let patterns = part.get("patternProperties").and_then(Value::as_object);
        let free = patterns.and_then(|all| all.values().next());
        // Where names are free, those that a schema says more about are of the same kind.
        if let Some(free) = free.or_else(|| part.get("additionalProperties").filter(|free| free.is_object()))
        {
            return leaves(root, free, &format!("{path}.*"), found);
        }
        let Some(Value::Object(fields)) = part.get("properties") else {
            found.insert(path.to_owned());
            return;
        };
        for (name, field) in fields {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            leaves(root, field, &path, found);
        }
    }

    #[test]
    fn every_field_of_the_manifest_has_a_class_and_no_other() {
        let schema: Value = serde_json::from_str(&Published::Manifest.text()).unwrap();
        let mut found = BTreeSet::new();
        leaves(&schema, &schema, "", &mut found);
        let classed: BTreeSet<String> = FIELDS.iter().map(|(field, _)| (*field).to_owned()).collect();
        assert_eq!(classed.len(), FIELDS.len(), "a field is there twice");
        assert_eq!(found, classed);
    }

    #[test]
    fn a_field_is_found_by_its_path() {
        assert_eq!(Effect::of("service.environment.PORT"), Restart);
        assert_eq!(Effect::of("service.secrets.A.file"), Restart);
        assert_eq!(Effect::of("systemd.unit.After"), Reload);
        assert_eq!(Effect::of("upgrade.keep"), Nothing);
        assert_eq!(Effect::of("no.such.field"), Restart);
        assert_eq!(Effect::of_all_below("upgrade"), Some(Nothing));
        assert_eq!(Effect::of_all_below("service.ready"), Some(Restart));
        assert_eq!(Effect::of_all_below("service"), None);
    }
}
