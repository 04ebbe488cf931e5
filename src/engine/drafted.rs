//! A manifest that was made of what was typed, completed by what its archive says or holds.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use crate::engine::failure::Failure;
use crate::engine::stage::Stage;
use crate::engine::target::{Declared, Open};
use crate::host::files::{self, Kind};
use crate::model::contradiction::read_manifest;
use crate::package::version;

/// How deep programs are looked for in a package.
const DEEPEST: usize = 4;
/// How many programs are named to somebody who has to choose one.
const MOST_NAMED: usize = 5;

/// The manifest with the component and the command that were left to the archive; nothing where there is nothing to
/// complete.
pub(crate) fn completed(declared: &Declared, stage: &Stage) -> Result<Option<Declared>, Failure> {
    let Some(open) = &declared.open else { return Ok(None) };
    let text = declared.document.text();
    // It was read as JSON before.
    let mut made: Value = serde_json::from_str(text).unwrap_or_default();
    let description = stage.unpacked.description.as_ref();
    if open.component {
        let file_name = stage.archive.file_name().unwrap_or_default();
        let of_archive = description.map(|description| description.component.clone());
        if let Some(component) = of_archive.or_else(|| version::component_of(file_name)) {
            made["package"]["name"] = json!(component);
        }
    }
    if let Some(command) = command(declared, stage, open)? {
        made["service"]["command"] = json!(command);
    }
    let text = serde_json::to_string_pretty(&made).unwrap_or_default() + "\n";
    let (manifest, document) = read_manifest("the manifest made of what was typed", &text)?;
    let (path, deploy) = (declared.path.clone(), declared.deploy.clone());
    Ok(Some(Declared {
        path,
        deploy,
        manifest,
        document,
        on_disk: false,
        given: None,
        open: None,
        beside: Vec::new(),
    }))
}

/// What the manifest has to say of the command: nothing where the description says it all.
fn command(declared: &Declared, stage: &Stage, open: &Open) -> Result<Option<Vec<String>>, Failure> {
    let described = stage.unpacked.description.as_ref().and_then(|it| it.service.command.clone());
    let begun = match (&declared.manifest.service.command, described) {
        (Some(typed), _) => typed.clone(),
        (None, Some(_)) if open.arguments.is_empty() => return Ok(None),
        (None, Some(described)) => described,
        (None, None) => vec![format!("{{package}}/{}", the_program(declared, stage)?)],
    };
    Ok(Some([begun, open.arguments.clone()].concat()))
}

/// The program of a package without a description: the only one, or the only one that has the service's name.
fn the_program(declared: &Declared, stage: &Stage) -> Result<Utf8PathBuf, Failure> {
    let root = stage.staging.path();
    let mut found = Vec::new();
    programs(root, root, 0, &mut found)?;
    let manifest = &declared.manifest;
    let file_name = stage.archive.file_name().unwrap_or_default();
    let names = [
        Some(manifest.name.to_string()),
        Some(manifest.package.name.to_string()),
        version::component_of(file_name).map(|component| component.to_string()),
    ];
    let alike: Vec<&Utf8PathBuf> = found
        .iter()
        .filter(|path| names.iter().flatten().any(|name| path.file_name() == Some(name)))
        .collect();
    match (found.as_slice(), alike.as_slice()) {
        ([only], _) => Ok(only.clone()),
        (_, [only]) => Ok((*only).clone()),
        (several, _) => Err(which(&stage.archive, several)),
    }
}

fn which(archive: &Utf8Path, found: &[Utf8PathBuf]) -> Failure {
    let example = found.first().map_or("bin/PROGRAM", |path| path.as_str());
    let say = format!("say it with `--set 'service.command=[\"{{package}}/{example}\"]'`");
    if found.is_empty() {
        return Failure::Usage(format!(
            "nothing says what to run: `{archive}` has no description, and nothing in it may be executed; {say}"
        ));
    }
    let named: Vec<&str> = found.iter().take(MOST_NAMED).map(|path| path.as_str()).collect();
    let others = found.len() - named.len();
    let others = if others == 0 { String::new() } else { format!(" and {others} more") };
    Failure::Usage(format!(
        "`{archive}` has no description, and several programs ({}{others}), so it has to be said which one to run; {say}",
        named.join(", ")
    ))
}

/// The files below a folder that may be executed, by their paths below the root.
fn programs(
    root: &Utf8Path,
    folder: &Utf8Path,
    depth: usize,
    found: &mut Vec<Utf8PathBuf>,
) -> Result<(), Failure> {
    let mut names = files::list(folder)?.unwrap_or_default();
    names.sort();
    for name in names {
        let path = folder.join(&name);
        let Some(facts) = files::facts(&path)? else { continue };
        let is_library = name.rsplit('.').next() == Some("so") || name.contains(".so.");
        match facts.kind {
            Kind::Folder if depth < DEEPEST => programs(root, &path, depth + 1, found)?,
            Kind::File if facts.mode & 0o111 != 0 && !is_library => {
                found.push(path.strip_prefix(root).unwrap_or(&path).to_owned());
            }
            _ => {}
        }
    }
    Ok(())
}
