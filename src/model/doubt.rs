//! What a manifest says and probably does not mean: no fault, since it can be meant, but worth a word.

use serde_json::Value;

use crate::model::development::{GENERATED, PORT};
use crate::model::document::Document;
use crate::model::nearest::distance;
use crate::model::position::Segment;
use crate::model::problem::Problem;
use crate::model::token;
use crate::model::version_manager::versioned;

/// The members in which tokens are replaced: below `service`, but for the hooks.
const WITH_TOKENS: [&str; 17] = [
    "command",
    "environment",
    "healthFile",
    "idle.busy",
    "health.command",
    "onFailure",
    "pidFile",
    "ready.command",
    "ready.file",
    "schedule.reconcile.command",
    "stop.command",
    "workingDirectory",
    "upgrade.hooks.beforeStop",
    "upgrade.hooks.afterStart",
    "upgrade.hooks.migrate",
    "upgrade.hooks.migrateBack",
    "upgrade.data",
];

/// What is doubtful in a manifest or a package description, in the order of its lines.
#[must_use]
pub fn doubts(document: &Document) -> Vec<Problem> {
    let root = document.to_json();
    let mut found = of_source(document, &root);
    for field in WITH_TOKENS {
        let names: Vec<&str> = match field.strip_prefix("upgrade.") {
            Some(_) => field.split('.').collect(),
            None => std::iter::once("service").chain(field.split('.')).collect(),
        };
        let value = names.iter().try_fold(&root, |value, name| value.get(name));
        let mut path: Vec<Segment> = names.iter().map(|name| Segment::from(*name)).collect();
        if let Some(value) = value {
            walk(document, &mut path, value, &mut found);
        }
    }
    of_package(document, &root, &mut found);
    of_development(document, &root, &mut found);
    found.sort_by_key(|problem| (problem.line, problem.column));
    found.into_iter().map(Problem::warning).collect()
}

/// What only a package says: how its program is asked, and what it needs of a host.
fn of_package(document: &Document, root: &Value, found: &mut Vec<Problem>) {
    let asked = |name: &str| root.get("status")?.get(name);
    if let Some(command) = asked("command") {
        walk(document, &mut vec!["status".into(), "command".into()], command, found);
    }
    if let Some(address) = asked("http").and_then(Value::as_str) {
        let words = token::words(address).into_iter().filter(|word| !word.starts_with("env."));
        let told = words.map(|word| {
            format!("`{{{word}}}` stays as it is: an address has variables alone, as in `{{env.PORT}}`")
        });
        found.extend(told.map(|doubt| document.problem(&["status".into(), "http".into()], doubt)));
    }
    for list in ["checks", "prepare"] {
        let steps = root.get("host").and_then(|host| host.get(list)).and_then(Value::as_array);
        for (index, step) in steps.into_iter().flatten().enumerate() {
            let place = |name: &str| vec!["host".into(), list.into(), index.into(), name.into()];
            if let Some(path) = step.get("path") {
                walk(document, &mut place("path"), path, found);
            }
            let address = step.get("url").and_then(Value::as_str).unwrap_or_default();
            let words = token::words(address).into_iter().filter(|word| !matches!(*word, "os" | "arch"));
            let told = words.map(|word| {
                format!("`{{{word}}}` stays as it is: this address has `{{os}}` and `{{arch}}` alone")
            });
            found.extend(told.map(|doubt| document.problem(&place("url"), doubt)));
        }
    }
}

/// The services for development, whose texts have tokens of their own.
fn of_development(document: &Document, root: &Value, found: &mut Vec<Problem>) {
    let services = root.get("development").and_then(Value::as_object);
    for (service, described) in services.into_iter().flatten() {
        for field in ["environment", "variables"] {
            let variables = described.get(field).and_then(Value::as_object);
            for (name, value) in variables.into_iter().flatten() {
                let words = token::words(value.as_str().unwrap_or_default()).into_iter();
                let told = words.filter(|word| ![GENERATED, PORT].contains(word)).map(|word| {
                    format!("`{{{word}}}` stays as it is: here are `{{generated}}`, a secret, and `{{port}}` alone")
                });
                let place = ["development", service, field, name].map(Segment::from);
                found.extend(told.map(|doubt| document.problem(&place, doubt)));
            }
        }
    }
}

/// Where a package comes from: what it names can be another thing tomorrow, or be changed on the way.
fn of_source(document: &Document, root: &Value) -> Vec<Problem> {
    let text = |name: &str| root.get("package")?.get(name)?.as_str();
    let problem = |name: &str, message: &str| document.problem(&["package".into(), name.into()], message);
    let mut found = Vec::new();
    if text("version").is_some_and(|version| version.eq_ignore_ascii_case("latest")) {
        let message = "`latest` is taken as the name of one version, and not as the newest: write its number, or leave `version` out";
        found.push(problem("version", message));
    }
    let Some(url) = text("url") else { return found };
    if url.split(['/', '-', '_', '.', '?', '=']).any(|word| word == "latest") && text("sha256").is_none() {
        let message = "`latest` in an address brings another archive on another day, and a repair could not fetch this one again: write `{version}`";
        found.push(problem("url", message));
    }
    let vouched = text("sha256").is_some() || text("publicKey").is_some();
    let local =
        ["http://127.", "http://localhost", "http://[::1]"].iter().any(|begin| url.starts_with(begin));
    if url.starts_with("http://") && !vouched && !local {
        let message = "whoever stands between can exchange what comes over `http://`: write `https://`, or add `sha256` or `publicKey`";
        found.push(problem("url", message));
    }
    found
}

fn walk(document: &Document, path: &mut Vec<Segment>, value: &Value, found: &mut Vec<Problem>) {
    match value {
        Value::String(text) => {
            let doubts = of_tokens(text).into_iter().chain(of_folders(path, text));
            found.extend(doubts.map(|doubt| document.problem(path, doubt)));
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                path.push(index.into());
                walk(document, path, element, found);
                path.pop();
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                path.push(name.as_str().into());
                walk(document, path, member, found);
                path.pop();
            }
        }
        _ => {}
    }
}

/// Words in braces that are no token and look much like one.
fn of_tokens(text: &str) -> Vec<String> {
    let told = |word: &str| {
        if word.starts_with("env.") {
            return Some(format!(
                "`{{{word}}}` stays as it is: variables are put into the addresses of probes only"
            ));
        }
        if let Some(of_instance) = word.strip_prefix(token::INSTANCE) {
            let known = token::OF_INSTANCE;
            let all = known.map(|name| format!("`{{{}{name}}}`", token::INSTANCE)).join(", ");
            return (!known.contains(&of_instance))
                .then(|| format!("`{{{word}}}` is no token, and stays as it is; there are {all}"));
        }
        // Short words are near to many others.
        let limit = if word.chars().count() > 4 { 2 } else { 1 };
        let near = token::NAMES.into_iter().map(|name| (distance(word, name), name));
        let (_, name) = near.filter(|(distance, _)| (1..=limit).contains(distance)).min()?;
        Some(format!("`{{{word}}}` is no token, and stays as it is; did you mean `{{{name}}}`?"))
    };
    token::words(text).into_iter().filter_map(told).collect()
}

/// A program, or a folder of programs, that goes with the next upgrade of its version manager's.
fn of_folders(path: &[Segment], text: &str) -> Vec<String> {
    let is_environment = matches!(path.get(1), Some(Segment::Key(name)) if name == "environment");
    let is_path = matches!(path.last(), Some(Segment::Key(name)) if name == "PATH");
    let places: Vec<&str> = match (is_environment, is_path) {
        (true, true) => text.split(':').collect(),
        (true, false) => Vec::new(),
        (false, _) => vec![text],
    };
    places.into_iter().filter_map(of_folder).collect()
}

/// The folders of programs in a `PATH` that go with the next upgrade of a version manager's.
#[must_use]
pub fn of_path(path: &str) -> Vec<String> {
    path.split(':').filter_map(of_folder).collect()
}

fn of_folder(place: &str) -> Option<String> {
    // A folder of programs counts as if one of them were named.
    let found = versioned(&format!("{place}/"))?;
    Some(format!(
        "`{}` holds one version of {}'s and goes with its next upgrade, and then this service does not start: use {}",
        found.folder, found.manager, found.instead
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(service: &str) -> Vec<String> {
        let text = format!(r#"{{ "service": {service} }}"#);
        let document = Document::parse("m", &text).unwrap();
        doubts(&document).iter().map(|doubt| format!("{}: {}", doubt.path, doubt.message)).collect()
    }

    #[test]
    fn a_mistyped_token_is_told() {
        let said = told(
            r#"{ "command": ["{pakage}/bin", "--x={dta}", "{env.PORT}"], "ready": { "file": "{urn}/x" } }"#,
        );
        assert_eq!(
            said,
            [
                "service.command[0]: `{pakage}` is no token, and stays as it is; did you mean `{package}`?",
                "service.command[1]: `{dta}` is no token, and stays as it is; did you mean `{data}`?",
                "service.command[2]: `{env.PORT}` stays as it is: variables are put into the addresses of probes only",
                "service.ready.file: `{urn}` is no token, and stays as it is; did you mean `{run}`?",
            ]
        );
        let meant = r#"{ "command": ["{package}", "{{pakage}}", "{\"id\": {}}", "{name}-{x}", "{ data }"],
            "description": "{pakage}", "ready": { "http": "http://h:{env.PORT}/{dta}" } }"#;
        assert_eq!(told(meant), [""; 0]);
    }

    #[test]
    fn an_address_that_brings_something_else_tomorrow_is_told() {
        let of = |package: &str| {
            let document = Document::parse("m", &format!(r#"{{ "package": {package} }}"#)).unwrap();
            doubts(&document).iter().map(|doubt| doubt.path.clone()).collect::<Vec<_>>()
        };
        assert_eq!(
            of(r#"{ "version": "latest", "url": "https://e/latest/a.zip" }"#),
            ["package.version", "package.url"]
        );
        assert_eq!(of(r#"{ "url": "http://e/a-{version}.zip" }"#), ["package.url"]);
        assert_eq!(of(r#"{ "url": "http://e/a.zip", "publicKey": "RW" }"#), [""; 0]);
        assert_eq!(of(r#"{ "version": "1", "url": "https://e/latestage/{version}.zip" }"#), [""; 0]);
        assert_eq!(of(r#"{ "url": "http://127.0.0.1:8/a.zip" }"#), [""; 0]);
    }

    #[test]
    fn a_folder_of_one_version_is_told() {
        let nvm = "/home/a/.nvm/versions/node/v20.1.0";
        let service = format!(
            r#"{{ "command": ["{nvm}/bin/node", "x.js"], "environment": {{ "PATH": "/usr/bin:{nvm}/bin", "NOTE": "{nvm}/bin" }} }}"#
        );
        let said = told(&service);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].starts_with(&format!("service.command[0]: `{nvm}` holds one version of nvm's")));
        assert!(said[1].starts_with(&format!("service.environment.PATH: `{nvm}` holds")));
    }
}
