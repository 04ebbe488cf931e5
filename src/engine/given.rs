//! A manifest that is brought as a file of its own, for a folder that has none or another one: the operation puts it there,
//! and takes it away again if it fails.

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::failure::Failure;
use crate::engine::registry;
use crate::engine::target::{Choice, Declared, Given, LARGEST, Target, TargetError, placed};
use crate::engine::trust::{self, Deploy};
use crate::host::files::FileError;
use crate::host::{environment, files, untrusted};
use crate::model::contradiction::read_manifest;
use crate::model::layout::Layout;
use crate::model::manifest::{FILE_NAME, Manifest, SHARED_SUFFIX};
use crate::model::marker::Marker;

/// The path that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// The instance that a manifest is of which is to be put into its folder: that which was typed, that of the instance
/// of the name which was typed, or the working folder.
pub fn find(
    file: &Utf8Path,
    choice: &Choice,
    working_folder: &Utf8Path,
    layouts: &[Layout],
) -> Result<(Target, Vec<String>), Failure> {
    let (shown, text) = text_of(file, working_folder)?;
    let (manifest, document) = read_manifest(&shown, &text)?;
    guard_choice(&shown, &manifest, choice)?;
    let folder = match (&choice.folder, &choice.name) {
        (Some(folder), _) => working_folder.join(folder),
        (None, Some(_)) => folder_of(&manifest, layouts)?,
        (None, None) => working_folder.to_owned(),
    };
    let (deploy, folder_is_new) = trust::inspect_to_be(&folder)?;
    let path = place(&deploy, &manifest)?;
    let before = trust::read(&deploy, &path, LARGEST)?;
    let is_there = before.as_deref() == Some(text.as_str());
    let given = (!is_there).then_some(Given { before, folder_is_new });
    let declared = Declared {
        path,
        deploy,
        manifest,
        document,
        on_disk: is_there,
        given,
        open: None,
        beside: Vec::new(),
    };
    placed(declared, layouts)
}

/// The same with what stands in its place now; nothing where it was not brought as a file of its own.
pub(crate) fn anew(declared: &Declared) -> Result<Option<Declared>, Failure> {
    let Some(given) = &declared.given else { return Ok(None) };
    let before = trust::read(&declared.deploy, &declared.path, LARGEST)?;
    let folder_is_new = given.folder_is_new && files::facts(&declared.deploy.folder)?.is_none();
    Ok(Some(Declared { given: Some(Given { before, folder_is_new }), ..declared.clone() }))
}

/// The name by which it is shown, and its text.
fn text_of(file: &Utf8Path, working_folder: &Utf8Path) -> Result<(String, String), Failure> {
    let failed = |source| FileError { action: "read", path: file.to_owned(), source };
    if file == STANDARD_INPUT {
        return Ok(("standard input".to_owned(), environment::standard_input().map_err(failed)?));
    }
    let opened = untrusted::open_followed(&working_folder.join(file)).map_err(failed)?;
    let mut text = String::new();
    std::io::Read::read_to_string(&mut std::io::Read::take(opened, LARGEST + 1), &mut text)
        .map_err(failed)?;
    if text.len() as u64 > LARGEST {
        return Err(Failure::Usage(format!("`{file}` is larger than {LARGEST} bytes, which no manifest is")));
    }
    Ok((file.to_string(), text))
}

/// Refuses a manifest of another instance or component than the one that was named.
fn guard_choice(shown: &str, manifest: &Manifest, choice: &Choice) -> Result<(), Failure> {
    if let Some(name) = choice.name.as_ref().filter(|name| **name != manifest.name) {
        return Err(Failure::Usage(format!(
            "{shown} is the manifest of `{}`, and `--name` says `{name}`",
            manifest.name
        )));
    }
    let named = &manifest.package.name;
    match choice.component.as_ref().filter(|component| *component != named) {
        Some(component) => Err(Failure::Usage(format!(
            "{shown} is the manifest of a component `{named}`, and `--component` says `{component}`"
        ))),
        None => Ok(()),
    }
}

/// The folder from which the instance of that name is installed.
fn folder_of(manifest: &Manifest, layouts: &[Layout]) -> Result<Utf8PathBuf, Failure> {
    let mut candidates: Vec<Marker> = Vec::new();
    for layout in layouts {
        match registry::find(layout, &manifest.name) {
            Ok((marker, _)) => return Ok(marker.folder),
            Err(instances) => candidates.extend(instances.markers),
        }
    }
    Err(TargetError::Unknown { name: manifest.name.clone(), candidates }.into())
}

/// Where it belongs: in the place of the manifest of that instance, else under the usual name, unless that is another
/// instance's.
fn place(deploy: &Deploy, manifest: &Manifest) -> Result<Utf8PathBuf, Failure> {
    let folder = &deploy.folder;
    let shared = folder.join(format!("{}{SHARED_SUFFIX}", manifest.package.name));
    let mut nobodys = None;
    for path in [folder.join(FILE_NAME), shared.clone()] {
        let Some(text) = trust::read(deploy, &path, LARGEST)? else { continue };
        let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        match value.get("name").and_then(serde_json::Value::as_str) {
            Some(said) if said == manifest.name.as_str() => return Ok(path),
            Some(_) => {}
            None => nobodys = nobodys.or(Some(path)),
        }
    }
    // One that can't be read says nobody's name, and is replaced where no other is this instance's.
    if let Some(path) = nobodys {
        return Ok(path);
    }
    let usual = folder.join(FILE_NAME);
    Ok(if files::facts(&usual)?.is_none() { usual } else { shared })
}
