//! The variables of a service of somebody else's: which stand in the file itself, which in files beside it, and which
//! were put in from elsewhere. What stands beside may be secret, and a manifest is for all to read.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::{Read, single};
use crate::model::adoption::Fate;
use crate::model::variable::VariableName;

/// The setting that names files of variables.
pub(super) const KEY: &str = "env_file";

/// The files of variables that a service names, as Compose writes them out.
pub(super) fn files(written: &Value) -> Vec<Utf8PathBuf> {
    let path = |file: &Value| file["path"].as_str().or(file.as_str()).map(|path| single(path).into());
    match &written[KEY] {
        Value::Array(files) => files.iter().filter_map(path).collect(),
        other => path(other).into_iter().collect(),
    }
}

/// The settings of a service without the variables that stand only in files beside it.
pub(super) fn without_files(settings: &mut serde_json::Map<String, Value>, written: &Value) {
    if files(written).is_empty() {
        return;
    }
    if let Some(variables) = settings.get_mut("environment").and_then(Value::as_object_mut) {
        variables.retain(|name, _| written["environment"].get(name).is_some());
        if variables.is_empty() {
            settings.remove("environment");
        }
    }
}

/// The variables whose values were put together from others, which may stand in a file that only few can read.
pub(super) fn put_in(settings: &serde_json::Map<String, Value>, written: &Value) -> Vec<String> {
    let now = settings.get("environment").and_then(Value::as_object);
    let differs = |(name, value): &(&String, &Value)| {
        written["environment"].get(name.as_str()).is_some_and(|before| before != *value)
    };
    now.into_iter().flatten().filter(differs).map(|(name, _)| name.clone()).collect()
}

impl Read {
    /// The one file of variables that may be carried over.
    #[must_use]
    pub fn file_of_variables(&self) -> Option<&Utf8Path> {
        match self.files_of_variables.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Carries the one file of variables over, of which a copy will stand at a path; gives what that copy says. Only
    /// where each line means the same to everybody who reads such files.
    pub fn carry_variables(&mut self, text: &str, path: &str) -> Option<String> {
        let outcome = plain(text);
        let line = self.draft.lines.iter_mut().find(|line| line.key == KEY && line.fate == Fate::Refused)?;
        let assignments = match outcome {
            Ok(assignments) => assignments,
            Err(why) => {
                line.note = Some(why);
                return None;
            }
        };
        // What stands in the definition counts more there, and less in a manifest.
        let own = &self.draft.service.environment;
        let is_own = |name: &VariableName| own.contains_key(name);
        let twice: Vec<&str> =
            assignments.iter().filter(|(name, _)| is_own(name)).map(|(name, _)| name.as_str()).collect();
        let mut note = "a copy that only its owner can read".to_owned();
        if !twice.is_empty() {
            note = format!("{note}, without {}, which the definition itself sets", twice.join(", "));
        }
        let mut copy = String::new();
        for (name, value) in assignments.iter().filter(|(name, _)| !is_own(name)) {
            copy.extend([name.as_str(), "=", value, "\n"]);
        }
        *line = line.clone().carried("service.environmentFile").noting(note);
        self.draft.service.environment_file = Some(path.into());
        Some(copy)
    }
}

/// The variables of a file of plain lines: a name, `=`, and a value in which nothing is quoted, escaped, replaced or
/// taken for a comment. An error says where it is none.
fn plain(text: &str) -> Result<Vec<(VariableName, &str)>, String> {
    let mut variables: Vec<(VariableName, &str)> = Vec::new();
    for (place, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let other = || {
            format!(
                "its line {} may mean something else to mainstay than to Compose: write it as plain `KEY=value`, without quotes, `$`, `\\` and `#`",
                place + 1
            )
        };
        let (name, value) = line.split_once('=').ok_or_else(other)?;
        let name = VariableName::try_from(name.to_owned()).map_err(|_| other())?;
        let strange = |letter: char| letter.is_control() || "'\"`\\$#".contains(letter);
        if value.trim() != value
            || value.contains(strange)
            || variables.iter().any(|(known, _)| *known == name)
        {
            return Err(other());
        }
        variables.push((name, value));
    }
    Ok(variables)
}
