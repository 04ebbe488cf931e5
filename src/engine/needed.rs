//! The variables without which a package's program can't start: nothing begins while one is missing.

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::engine::failure::Failure;
use crate::engine::target::Declared;
use crate::host::{account, untrusted};
use crate::model::environment_file;
use crate::model::launch::LaunchSpec;
use crate::model::package::VariableMeaning;
use crate::model::variable::VariableName;
use crate::plan::refusal::Refusal;
use crate::plan::wanted::Beside;

/// The largest environment file that is looked at, in bytes.
const LARGEST: u64 = 1 << 20;

/// Refuses a launch whose program would lack a variable that its package calls required.
pub(crate) fn guard(
    declared: &Declared,
    spec: &LaunchSpec,
    meanings: &BTreeMap<VariableName, VariableMeaning>,
) -> Result<(), Failure> {
    let mut missing: Vec<(&VariableName, &VariableMeaning)> =
        meanings.iter().filter(|(_, meaning)| meaning.required).collect();
    missing.retain(|(name, _)| {
        spec.environment.get(*name).is_none_or(String::is_empty) && !spec.secrets.contains_key(*name)
    });
    if missing.is_empty() {
        return Ok(());
    }
    if let Some(path) = &spec.environment_file {
        // What is wrong with the file, its start tells better.
        let Some(variables) = variables(declared, path) else { return Ok(()) };
        missing
            .retain(|(name, _)| !variables.iter().any(|(known, value)| known == *name && !value.is_empty()));
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Refusal::MissingVariables {
        name: spec.name.clone(),
        variables: missing.into_iter().map(|(name, it)| (name.clone(), it.describe.clone())).collect(),
        file: spec.environment_file.clone(),
    }
    .into())
}

/// The variables of the environment file as it is, or as it is about to be; nothing where it can't be read.
fn variables(declared: &Declared, path: &Utf8Path) -> Option<environment_file::Variables> {
    let text = if let Some(text) = Beside::coming(&declared.beside, path) {
        text.to_owned()
    } else {
        let owner = declared.deploy.owner.as_ref();
        account::acting_as(owner, || untrusted::read(path, LARGEST)).ok()?.ok()?.unwrap_or_default()
    };
    environment_file::parse(&text).ok()
}
