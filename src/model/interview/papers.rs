//! The files that answers become, beside the manifest: the environment file and those of secrets.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use camino::Utf8PathBuf;
use serde_json::Value;

use crate::model::environment_file::{self, line};
use crate::model::interview::Settled;
use crate::model::package::{PackageDescription, VariableMeaning};
use crate::model::variable::VariableName;

/// A file of the deploy folder, for the eyes of its owner alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    /// Its path, from the deploy folder.
    pub path: Utf8PathBuf,
    /// What it is to say.
    pub text: String,
}

/// Writes answers into a manifest that is being made, and gives the files that go with it. `written` is the environment
/// file as it was typed or stands there already.
pub fn papers(
    manifest: &mut Value,
    description: &PackageDescription,
    settled: &Settled,
    written: Option<&str>,
) -> Vec<Paper> {
    for (field, value) in &settled.fields {
        crate::model::draft::put(manifest, field, value.clone());
    }
    let mut papers = Vec::new();
    for (name, id, text) in &settled.secrets {
        let path = secret_path(manifest, description, name, id);
        manifest["service"]["secrets"][name.as_str()]["file"] = path.as_str().into();
        papers.extend(text.iter().map(|text| Paper { path: path.clone(), text: format!("{text}\n") }));
    }
    let wanted = written.is_some() || !settled.variables.is_empty() || !description.environment.is_empty();
    if wanted {
        let path = environment_path(manifest, description);
        if manifest.pointer("/service/environmentFile").is_none()
            && description.service.environment_file.is_none()
        {
            manifest["service"]["environmentFile"] = path.as_str().into();
        }
        // What stands in a file of its own does not belong here.
        let apart = |name: &VariableName| manifest["service"]["secrets"][name.as_str()].is_object();
        let mut meanings = description.environment.clone();
        meanings.retain(|name, _| !apart(name) && !description.service.secrets.contains_key(name));
        let text = environment_text(&meanings, &settled.variables, written);
        papers.push(Paper { path, text });
    }
    papers
}

/// The file of a secret: what the manifest says, else the package, else one of its own.
#[must_use]
pub fn secret_path(
    manifest: &Value,
    description: &PackageDescription,
    name: &VariableName,
    id: &str,
) -> Utf8PathBuf {
    let declared = manifest["service"]["secrets"][name.as_str()]["file"].as_str().map(Utf8PathBuf::from);
    let packaged = || description.service.secrets.get(name).map(|secret| secret.file.clone());
    declared.or_else(packaged).unwrap_or_else(|| Utf8PathBuf::from(format!("secrets/{id}")))
}

/// The environment file: what the manifest says, else the package, else one of the component's name.
#[must_use]
pub fn environment_path(manifest: &Value, description: &PackageDescription) -> Utf8PathBuf {
    let declared = manifest["service"]["environmentFile"].as_str().map(Utf8PathBuf::from);
    let packaged = || description.service.environment_file.clone();
    declared.or_else(packaged).unwrap_or_else(|| Utf8PathBuf::from(format!("{}.env", description.component)))
}

/// The text of an environment file: what was written stays as it is, and what it lacks is added; a new one tells the
/// meaning of each variable.
#[must_use]
pub fn environment_text(
    meanings: &BTreeMap<VariableName, VariableMeaning>,
    variables: &[(VariableName, String)],
    written: Option<&str>,
) -> String {
    if let Some(written) = written {
        let known = environment_file::parse(written).unwrap_or_default();
        let mut text = written.to_owned();
        for (name, value) in variables.iter().filter(|(name, _)| known.iter().all(|(it, _)| it != name)) {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text += &line(name, value);
        }
        return text;
    }
    let mut text =
        "# Variables of the service, one a line: KEY=value. A value reaches to the end of its line.\n\
                    # They are read at each start: `mainstay restart` takes up what was changed.\n"
            .to_owned();
    for (name, meaning) in meanings {
        let _ = write!(text, "\n# {}\n", meaning.describe);
        let given = variables.iter().find(|(known, _)| known == name);
        let needed = if meaning.required { "needed; " } else { "" };
        match (given, &meaning.default, &meaning.example) {
            (Some((_, value)), ..) => text += &line(name, value),
            (None, Some(default), _) => {
                let _ = write!(text, "# {needed}where it is not set:\n# {}", line(name, default));
            }
            (None, None, Some(example)) => {
                let _ = write!(text, "# {needed}for example:\n# {}", line(name, example));
            }
            (None, None, None) => {
                let _ = writeln!(text, "# {needed}not set\n# {name}=");
            }
        }
    }
    let others = variables.iter().filter(|(name, _)| !meanings.contains_key(name));
    for (index, (name, value)) in others.enumerate() {
        if index == 0 {
            text.push('\n');
        }
        text += &line(name, value);
    }
    text
}
