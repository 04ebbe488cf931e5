//! Whether a folder is a good package: what its description names is in it, and what a person would miss is there.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::engine::failure::Failure;
use crate::host::files;
use crate::host::machine::{self, Access};
use crate::model::contradiction::read_package_description;
use crate::model::document::Document;
use crate::model::doubt::doubts;
use crate::model::package::{self, PackageDescription};
use crate::model::position::Segment;
use crate::model::problem::Problems;

/// How a path in the package begins.
const PACKAGE: &str = "{package}/";

/// Where commands stand: their first word is a program.
const COMMANDS: [&[&str]; 8] = [
    &["service", "command"],
    &["service", "ready", "command"],
    &["service", "health", "command"],
    &["service", "stop", "command"],
    &["service", "onFailure"],
    &["service", "schedule", "reconcile", "command"],
    &["service", "idle", "busy"],
    &["status", "command"],
];

/// Refuses a description whose programs are not in the folder, and says what is missing for a good package.
pub(super) fn check(folder: &Utf8Path) -> Result<Vec<String>, Failure> {
    if super::described(folder)?.is_none() {
        return Ok(Vec::new());
    }
    let path = folder.join(package::FILE_NAME);
    let text = files::read(&path)?.unwrap_or_default();
    let (description, document) = read_package_description(path.as_str(), &text)?;
    let root: Value = serde_json::from_str(&text).unwrap_or_default();
    let mut faults = Vec::new();
    let mut warnings: Vec<String> = doubts(&document)
        .into_iter()
        .map(|doubt| format!("{}:{}:{}: {doubt}", document.name(), doubt.line, doubt.column))
        .collect();
    for names in COMMANDS {
        let words = names.iter().try_fold(&root, |value, name| value.get(name)).and_then(Value::as_array);
        for (index, word) in words.into_iter().flatten().enumerate() {
            let Some(named) = word.as_str().and_then(|word| word.strip_prefix(PACKAGE)) else { continue };
            let mut place: Vec<Segment> = names.iter().map(|name| Segment::from(*name)).collect();
            place.push(index.into());
            let found = folder.join(named);
            match (index, lack(&found, named, index == 0)) {
                (_, None) => {}
                (0, Some(lack)) => faults.push(document.problem(&place, lack)),
                (_, Some(lack)) => warnings.push(placed(&document, &place, &lack)),
            }
        }
    }
    if !faults.is_empty() {
        return Err(Problems::new(path.as_str(), text.as_str(), faults).into());
    }
    warnings.extend(missing(&description).iter().map(|lack| placed(&document, &[], lack)));
    Ok(warnings)
}

fn placed(document: &Document, place: &[Segment], message: &str) -> String {
    let problem = document.problem(place, message);
    format!("{}:{}:{}: {problem}", document.name(), problem.line, problem.column)
}

/// What is wrong with a file of the folder that a command names.
fn lack(found: &Utf8PathBuf, named: &str, is_program: bool) -> Option<String> {
    if !found.exists() {
        return Some(format!("there is no `{named}` in the folder"));
    }
    if is_program && found.is_dir() {
        return Some(format!("`{named}` is a folder, not a program"));
    }
    (is_program && !machine::may(found, Access::EXEC_OK))
        .then(|| format!("`{named}` can't be run: `chmod +x` makes it a program"))
}

/// What whoever installs the package would miss.
fn missing(description: &PackageDescription) -> Vec<String> {
    let service = &description.service;
    let lacks = [
        (service.command.is_none(), "`service.command` is missing: every manifest has to say what to run"),
        (
            service.description.is_none(),
            "`service.description` is missing: lists show the instance's name instead",
        ),
        (
            service.ready.is_none() && service.schedule.is_none() && service.command.is_some(),
            "`service.ready` is missing: whoever is alive for a second counts as ready, also one that answers nobody",
        ),
    ];
    lacks.into_iter().filter(|(lacks, _)| *lacks).map(|(_, told)| told.to_owned()).collect()
}
