//! The manifest that `install` makes where there is none, from what was typed.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;

use crate::cli::arguments::InstallArguments;
use crate::engine::Context;
use crate::engine::failure::Failure;
use crate::engine::prepare::platform_of;
use crate::engine::target::{Declared, Open, Target};
use crate::engine::trust;
use crate::host::{account, environment, files};
use crate::model::contradiction::read_manifest;
use crate::model::draft;
use crate::model::manifest::{FILE_NAME, PackageSource, SCHEMA_ADDRESS};
use crate::plan::wanted::Beside;

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
    let beside = Vec::new();
    let made = Declared { path, deploy, manifest, document, on_disk: false, given: None, open, beside };
    // Where an archive brings questions, the file is one of their answers; a container reads it where it is.
    let asks = made.open.is_some() || made.manifest.compose.is_some();
    if asks { Ok(made) } else { with_environment_file(made, arguments.env_file.as_deref()) }
}

/// The manifest with the file of variables that was typed, which is written and taken back with it; a file that is there
/// stays as it is.
fn with_environment_file(made: Declared, typed: Option<&Utf8Path>) -> Result<Declared, Failure> {
    let (Some(typed), Some(named)) = (typed, &made.manifest.service.environment_file) else {
        return Ok(made);
    };
    let path = made.deploy.folder.join(named);
    if account::acting_as(made.deploy.owner.as_ref(), || files::facts(&path))??.is_some() {
        return Ok(made);
    }
    let Some(text) = files::read(typed)? else { return Ok(made) };
    Ok(Declared { beside: vec![Beside { path, before: None, text, folder: None }], ..made })
}

/// Refuses what is only for a manifest that is made, where there is one.
pub(crate) fn refuse_beside(declared: &Declared, arguments: &InstallArguments) -> Result<(), Failure> {
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

/// Whether the file of variables that was typed can be used.
pub(crate) fn check_environment_file(typed: Option<&Utf8PathBuf>, target: &Target) -> Result<(), Failure> {
    let Some(path) = typed else { return Ok(()) };
    if files::facts(path)?.is_none() {
        return Err(Failure::Usage(format!("the environment file `{path}` is not there")));
    }
    let named =
        target.manifest.as_ref().and_then(|declared| declared.manifest.service.environment_file.as_ref());
    if named.is_none() {
        return Err(Failure::Usage(
            "`--env-file` needs a place to be copied to: name one with `service.environmentFile` in the manifest, or `--set service.environmentFile=NAME`".to_owned(),
        ));
    }
    Ok(())
}

/// Copies the file of variables to where the manifest expects it, unless one is there already.
pub(crate) fn copy_environment_file(
    context: &Context<'_>,
    typed: Option<&Utf8PathBuf>,
    target: &Target,
    dry_run: bool,
) -> Result<(), Failure> {
    let (Some(path), Some(declared)) = (typed, &target.manifest) else { return Ok(()) };
    let Some(named) = &declared.manifest.service.environment_file else { return Ok(()) };
    let to = declared.deploy.folder.join(named);
    if declared.beside.iter().any(|file| file.path == to) {
        return Ok(());
    }
    let owner = declared.deploy.owner.as_ref();
    if dry_run || account::acting_as(owner, || files::facts(&to))??.is_some() {
        (context.events)(crate::engine::event::Event::Notice(format!("`{to}` is kept as it is")));
        return Ok(());
    }
    let text = files::read(path)?.unwrap_or_default();
    account::acting_as(owner, || files::write(&to, &text, 0o600, None))??;
    Ok(())
}
