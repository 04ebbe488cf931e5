//! What an answer means on this host, before it is taken.

use camino::Utf8PathBuf;

use crate::engine::peek;
use crate::host::{environment, files};
use crate::model::name::{ComponentName, InstanceName, NameError};
use crate::model::package::{Question, QuestionKind};
use crate::package::version::{component_of, is_archive_name};

/// The fields of our own questions, which no package may ask for.
const NAME: &str = "name";
const COMPONENT: &str = "init.component";

/// What an answer means on this host: a file has to be there, and is named by its whole path; a package may be named by
/// an archive of it.
pub(super) fn looked(question: &Question, typed: &str) -> Result<String, String> {
    match (question.kind, question.field.as_deref()) {
        (QuestionKind::File, _) => match path(typed)? {
            (path, true) => Ok(path.into_string()),
            (path, false) => Err(format!("there is no file `{path}`")),
        },
        (_, Some(NAME)) => InstanceName::new(typed).map(String::from).map_err(|error| error.to_string()),
        (_, Some(COMPONENT)) if typed.contains('/') || is_archive_name(typed) => of_archive(typed),
        (_, Some(COMPONENT)) => {
            ComponentName::new(typed).map(String::from).map_err(|error: NameError| error.to_string())
        }
        _ => Ok(typed.to_owned()),
    }
}

/// The name of the package that an archive brings: as it says itself, else by the archive's name.
fn of_archive(typed: &str) -> Result<String, String> {
    let (path, there) = path(typed)?;
    let described = if there { peek::find(&path).map_err(|error| error.to_string())? } else { None };
    let by_name = || path.file_name().and_then(component_of);
    match described.map(|description| description.component).or_else(by_name) {
        Some(component) => Ok(component.into()),
        None if there => Err(format!("nothing says what `{path}` is called: type the name")),
        None => Err(format!("there is no archive `{path}`")),
    }
}

/// A path from the working folder, and whether something is there.
fn path(typed: &str) -> Result<(Utf8PathBuf, bool), String> {
    let folder = environment::working_folder().map_err(|error| error.to_string())?;
    let path: Utf8PathBuf = folder.join(typed).components().collect();
    let there = files::facts(&path).map_err(|error| error.to_string())?.is_some();
    Ok((path, there))
}
