//! The variables without which a package's program can't start: nothing begins while one is missing.

use std::collections::BTreeMap;

use crate::engine::failure::Failure;
use crate::engine::target::Declared;
use crate::engine::variables::of_file;
use crate::model::launch::LaunchSpec;
use crate::model::package::VariableMeaning;
use crate::model::variable::VariableName;
use crate::plan::refusal::Refusal;

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
        let Some(variables) = of_file(&declared.deploy.folder, path, &declared.beside) else {
            return Ok(());
        };
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
