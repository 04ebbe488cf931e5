//! The manifest that `install` makes where there is none, from what was typed.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;

use crate::cli::arguments::InstallArguments;
use crate::engine::failure::Failure;
use crate::engine::resolve::platform_of;
use crate::engine::target::{Declared, Open};
use crate::engine::trust;
use crate::host::{environment, files};
use crate::model::contradiction::read_manifest;
use crate::model::draft;
use crate::model::manifest::{FILE_NAME, PackageSource, SCHEMA_ADDRESS};

/// The manifest that the typed flags make. It is written as a step of the plan, so that a failed
/// installation leaves none.
pub(crate) fn manifest(folder: &Utf8Path, arguments: &InstallArguments) -> Result<Declared, Failure> {
    let folder_shown = normal(folder);
    let missing = |what: &str| {
        Failure::Usage(format!(
            "there is no manifest in `{folder_shown}`, and {what} to make one, as in \
             `mainstay install --name web --binary ./server`, or `--from server-1.0.0.tar.gz` in its place"
        ))
    };
    let name = arguments.target.name.clone().ok_or_else(|| missing("a `--name` is needed"))?;
    if !arguments.source.is_typed() && arguments.binary.is_none() {
        return Err(missing("a program (`--binary`) or an archive (`--from`, `--url`) is needed"));
    }
    let component = arguments.target.component.as_ref().map_or_else(|| name.to_string(), ToString::to_string);
    let mut text = json!({
        "$schema": SCHEMA_ADDRESS,
        "name": name,
        "package": { "name": component },
    });
    if let Some(platform) = arguments.platform {
        text["platform"] = json!(platform);
    }
    if let Some(scope) = arguments.target.scope.typed() {
        text["scope"] = json!(scope);
    }
    if let Some(version) = &arguments.version {
        text["package"]["version"] = json!(version);
    }
    if let Some(user) = &arguments.user_name {
        text["service"]["user"] = json!(user);
    }
    if let Some(program) = &arguments.binary {
        let command = [vec![found(program)?], arguments.arguments.clone()].concat();
        text["package"]["source"] = json!(PackageSource::Binary);
        text["service"]["command"] = json!(command);
        text["service"]["workingDirectory"] = json!(working_directory(folder)?);
    }
    let (fields, _) = settings(arguments)?;
    for (path, typed) in &fields {
        let value = draft::value_for(&text, path, typed);
        draft::put(&mut text, path, value);
    }
    let text = serde_json::to_string_pretty(&text).unwrap_or_default() + "\n";
    // It is no file yet, so a fault in it is one of what was typed.
    let (manifest, document) = read_manifest("the manifest made of --set", &text)?;
    let deploy = trust::inspect(folder)?;
    let open = arguments.binary.is_none().then(|| Open {
        component: arguments.target.component.is_none(),
        arguments: arguments.arguments.clone(),
    });
    let path = deploy.folder.join(FILE_NAME);
    Ok(Declared { path, deploy, manifest, document, on_disk: false, given: None, open, beside: Vec::new() })
}

/// Refuses what is only for a manifest that is made, where there is one.
pub(crate) fn refuse_beside(declared: &Declared, arguments: &InstallArguments) -> Result<(), Failure> {
    let name = arguments.target.name.as_ref().filter(|name| **name != declared.manifest.name);
    if let Some(name) = name {
        return Err(Failure::Usage(format!(
            "`--name {name}`, and `{}` is the manifest of `{}`: leave `--name` out to install that; another service needs a folder of its own",
            declared.path, declared.manifest.name
        )));
    }
    let typed = match (&arguments.binary, arguments.arguments.is_empty()) {
        (Some(_), _) => "`--binary`",
        (None, false) => "what stands after `--`",
        (None, true) if !arguments.answers.settings.is_empty() => "`--set`",
        (None, true) if arguments.answers.answers.is_some() => "`--answers`",
        (None, true) if arguments.answers.wizard => "`--wizard`",
        (None, true) => return refuse_otherwise(declared, arguments),
    };
    Err(Failure::Usage(format!(
        "{typed} is for a new manifest, and `{}` is there: edit that, then `mainstay install`; another service needs \
         a folder of its own",
        declared.path
    )))
}

/// Refuses what the manifest says otherwise, or leaves to the host: its words count, and what was typed would not.
fn refuse_otherwise(declared: &Declared, arguments: &InstallArguments) -> Result<(), Failure> {
    let manifest = &declared.manifest;
    let account = manifest.service.user.as_deref();
    let platform = arguments.platform.filter(|platform| *platform != platform_of(declared));
    let user = arguments.user_name.as_ref().filter(|user| account != Some(user.as_str()));
    let (typed, field) = match (platform, user) {
        (Some(platform), _) => (format!("--platform {platform}"), format!("\"platform\": \"{platform}\"")),
        (None, Some(user)) => (format!("--user-name {user}"), format!("`service.user` to `{user}`")),
        (None, None) => return Ok(()),
    };
    let field = if field.starts_with('`') { format!("set {field}") } else { format!("write `{field}`") };
    Err(Failure::Usage(format!(
        "`{typed}` is for a new manifest, and `{}` says otherwise: {field} in it, or leave `{}` out",
        declared.path,
        typed.split(' ').next().unwrap_or_default()
    )))
}

/// The program as the manifest names it: by its path, or, if it is found on the service's `PATH`, by its name.
fn found(typed: &Utf8Path) -> Result<String, Failure> {
    let path = normal(&environment::working_folder()?.join(typed));
    match files::facts(Utf8Path::new(&path))? {
        Some(_) => Ok(path),
        None if typed.as_str().contains('/') => {
            Err(Failure::Usage(format!("there is no program at `{path}`")))
        }
        None => Ok(typed.to_string()),
    }
}

/// A path without `.` in it. Links stay links: they may lead to another version tomorrow.
fn normal(path: &Utf8Path) -> String {
    path.components().collect::<Utf8PathBuf>().to_string()
}

/// Where the program runs: in the folder in which the command was typed.
fn working_directory(folder: &Utf8Path) -> Result<String, Failure> {
    let working_folder = environment::working_folder()?;
    let same = files::canonical(folder)? == files::canonical(&working_folder)?;
    Ok(if same { "{deploy}".to_owned() } else { working_folder.to_string() })
}

/// What was typed, by the word before the `=`.
type Settings = Vec<(String, String)>;

/// What `--set` says of fields of the manifest, and of questions that only an archive asks: a word alone that is no field.
pub(crate) fn settings(arguments: &InstallArguments) -> Result<(Settings, Settings), Failure> {
    let pairs = pairs(&arguments.answers.settings)?;
    let asks = arguments.source.is_typed();
    Ok(pairs.into_iter().partition(|(path, _)| !asks || is_field(path)))
}

/// Whether a word of `--set` is meant as a field of the manifest.
pub(crate) fn is_field(path: &str) -> bool {
    path.contains('.') || draft::FIELDS.contains(&path)
}

/// What was typed after each `--set`: the word, and the text after the `=`.
pub(crate) fn pairs(typed: &[String]) -> Result<Settings, Failure> {
    let pair = |setting: &String| {
        let malformed =
            || Failure::Usage(format!("`--set {setting}` is not of the form `path.to.field=value`"));
        let (path, typed) = setting.split_once('=').ok_or_else(malformed)?;
        if path.split('.').any(str::is_empty) {
            return Err(malformed());
        }
        Ok((path.to_owned(), typed.to_owned()))
    };
    typed.iter().map(pair).collect()
}
