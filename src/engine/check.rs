//! Checking manifests and package descriptions without using them: every fault of every file.

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::files;
use crate::model::answer::validate::{ValidateAnswer, Validated};
use crate::model::contradiction::{read_manifest, read_package_description};
use crate::model::doubt::doubts;
use crate::model::manifest::{FILE_NAME, SHARED_SUFFIX};
use crate::model::package;
use crate::model::problem::{Problem, Problems};

/// Checks files, and in folders all that mainstay would read there.
#[must_use]
pub fn check(paths: &[Utf8PathBuf], working_folder: &Utf8Path) -> ValidateAnswer {
    let mut checked = Vec::new();
    for path in paths {
        if !working_folder.join(path).is_dir() {
            checked.push(file(path, working_folder));
            continue;
        }
        match files::list(&working_folder.join(path)) {
            Ok(names) => {
                let found: Vec<String> =
                    names.unwrap_or_default().into_iter().filter(|name| is_ours(name)).collect();
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
    let text = match files::read(&working_folder.join(path)) {
        Ok(Some(text)) => text,
        Ok(None) => return whole(path, "there is no such file".to_owned()),
        Err(error) => return whole(path, told(&error)),
    };
    let outcome = if path.file_name() == Some(package::FILE_NAME) {
        read_package_description(path.as_str(), &text).map(|(_, document)| document)
    } else {
        read_manifest(path.as_str(), &text).map(|(_, document)| document)
    };
    let (problems, warnings) = match outcome {
        Ok(document) => (Vec::new(), doubts(&document)),
        Err(Problems { list, .. }) => (list, Vec::new()),
    };
    Validated { file: path.to_owned(), problems, warnings }
}

/// A fault of the file as a whole.
fn whole(path: &Utf8Path, message: String) -> Validated {
    let problem = Problem::of_all(message);
    Validated { file: path.to_owned(), problems: vec![problem], warnings: Vec::new() }
}

fn told(error: &files::FileError) -> String {
    format!("it can't be read: {}", error.source)
}
