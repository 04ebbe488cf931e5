//! What helps where variables are missing, or changed ones do not do.

use crate::engine::failure::Failure;
use crate::plan::refusal::Refusal;

pub(super) fn help(failure: &Failure) -> String {
    let correct = "correct the environment file or the secret, then";
    match failure {
        Failure::ValuesLost { name, .. } => format!("{correct} `mainstay restart --name {name}`"),
        _ => format!("{correct} `mainstay apply`; until then what it holds is not used again"),
    }
}

pub(super) fn refusal_help(refusal: &Refusal) -> Vec<String> {
    match refusal {
        Refusal::MissingVariables { variables, file, .. } => {
            let place = file.as_ref().map_or_else(
                || "write them into `service.environment` of the manifest".to_owned(),
                |file| format!("write them into `{file}`, a line `KEY=value` each"),
            );
            variables.iter().map(|(name, meaning)| format!("{name}: {meaning}")).chain([place]).collect()
        }
        _ => vec!["put the file in its place again, or correct it: each start reads it".to_owned()],
    }
}
