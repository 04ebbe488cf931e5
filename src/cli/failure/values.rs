//! What helps where changed values of files do not do.

use crate::engine::failure::Failure;

pub(super) fn help(failure: &Failure) -> String {
    let correct = "correct the environment file or the secret, then";
    match failure {
        Failure::ValuesLost { name, .. } => format!("{correct} `mainstay restart --name {name}`"),
        _ => format!("{correct} `mainstay apply`; until then what it holds is not used again"),
    }
}
