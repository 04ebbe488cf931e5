//! Checking manifests and package descriptions without using them: every fault of every file, and what is doubtful.

use std::io::Read as _;

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::{environment, files, untrusted};
use crate::model::answer::validate::{ValidateAnswer, Validated};
use crate::model::contradiction::{read_manifest, read_package_description};
use crate::model::document::Document;
use crate::model::doubt::doubts;
use crate::model::manifest::{FILE_NAME, SHARED_SUFFIX};
use crate::model::package;
use crate::model::problem::Problem;

mod surroundings;

/// The path that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// Checks files, and in folders all that mainstay would read there.
#[must_use]
pub fn check(paths: &[Utf8PathBuf], working_folder: &Utf8Path) -> ValidateAnswer {
    let mut checked = Vec::new();
    for path in paths {
        if path == STANDARD_INPUT {
            checked.push(standard_input(working_folder));
            continue;
        }
        if !working_folder.join(path).is_dir() {
            checked.push(file(path, working_folder));
            continue;
        }
        match files::list(&working_folder.join(path)) {
            Ok(names) => {
                let mut found: Vec<String> =
                    names.unwrap_or_default().into_iter().filter(|name| is_ours(name)).collect();
                found.sort();
                if found.is_empty() {
                    checked.push(whole(path, format!("there is no `{FILE_NAME}` in this folder")));
                }
                checked.extend(found.iter().map(|name| file(&path.join(name), working_folder)));
            }
            Err(error) => checked.push(whole(path, told(&error))),
        }
    }
    let valid = checked.iter().all(|file| file.problems.is_empty());
    ValidateAnswer { schema: "validate.v1".to_owned(), valid, files: checked }
}

fn is_ours(name: &str) -> bool {
    name == FILE_NAME || name.ends_with(SHARED_SUFFIX) || name == package::FILE_NAME
}

fn file(path: &Utf8Path, working_folder: &Utf8Path) -> Validated {
    let whole_path = working_folder.join(path);
    // What is open already, as `/dev/fd/63`, has somebody who writes to it.
    let is_open = whole_path.starts_with("/dev") || whole_path.starts_with("/proc");
    match if is_open { files::read(&whole_path) } else { text_of(&whole_path) } {
        Ok(Some(text)) => {
            let folder = whole_path.parent().unwrap_or(working_folder);
            checked(path, text, path.file_name() == Some(package::FILE_NAME), folder)
        }
        Ok(None) => whole(path, "there is no such file".to_owned()),
        Err(error) => whole(path, told(&error)),
    }
}

/// The text of a file, through links; nothing where there is none.
fn text_of(path: &Utf8Path) -> Result<Option<String>, files::FileError> {
    let failed = |source| files::FileError { action: "read", path: path.to_owned(), source };
    let mut text = String::new();
    let read = untrusted::open_followed(path).and_then(|mut file| file.read_to_string(&mut text));
    match read {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// What comes from a pipe belongs to no folder: paths start where the command was typed.
fn standard_input(working_folder: &Utf8Path) -> Validated {
    let name = Utf8Path::new("standard input");
    match environment::standard_input() {
        Ok(text) => {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            let is_package = value.get("component").is_some() && value.get("package").is_none();
            checked(name, text, is_package, working_folder)
        }
        Err(error) => whole(name, format!("it can't be read: {error}")),
    }
}

fn checked(name: &Utf8Path, text: String, is_package: bool, folder: &Utf8Path) -> Validated {
    let (document, mut warnings, problems) = if is_package {
        match read_package_description(name.as_str(), &text) {
            Ok((_, document)) => (Some(document), Vec::new(), Vec::new()),
            Err(problems) => (None, Vec::new(), problems.list),
        }
    } else {
        match read_manifest(name.as_str(), &text) {
            Ok((manifest, document)) => {
                let lacking = surroundings::lacking(&manifest, &document, folder);
                (Some(document), lacking, Vec::new())
            }
            Err(problems) => (None, Vec::new(), problems.list),
        }
    };
    // Doubts are looked for beside faults as well, as long as the text can be read at all.
    let document = document.or_else(|| Document::parse(name.as_str(), &text).ok());
    warnings.extend(document.iter().flat_map(doubts));
    warnings.sort_by_key(|problem| (problem.line, problem.column));
    Validated { file: name.to_owned(), text, problems, warnings }
}

/// A fault of the file as a whole.
fn whole(path: &Utf8Path, message: String) -> Validated {
    let problems = vec![Problem::of_all(message)];
    Validated { file: path.to_owned(), text: String::new(), problems, warnings: Vec::new() }
}

fn told(error: &files::FileError) -> String {
    format!("it can't be read: {}", error.source)
}
