//! `init`: a manifest for the working folder.

use std::cell::Cell;

use crate::host::signal::Signal;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use crate::cli::arguments::InitArguments;
use crate::cli::report::{Report, style, styled};
use crate::cli::wizard::{Wizard, may_ask};
use crate::cli::{confirm, draft};
use crate::engine::beside::VariablesFile;
use crate::engine::failure::Failure;
use crate::engine::peek;
use crate::engine::target::{Choice, Declared, TargetError, manifest_in};
use crate::engine::trust;
use crate::host::{account, environment, files};
use crate::model::answer::plan::ChangeAnswer;
use crate::model::answers::Answers;
use crate::model::contradiction::read_manifest;
use crate::model::draft::{put, value_for};
use crate::model::manifest::{FILE_NAME, SCHEMA_ADDRESS};
use crate::model::name::{ComponentName, InstanceName};
use crate::model::package::{AnswerValue, PackageDescription};
use crate::package::version::{component_of, is_archive_name};

/// What is asked where no package asks: as a package would, with fields that packages may not set.
const QUESTIONS: &str = include_str!("init/questions.json");

/// A file that is written.
struct Written {
    path: Utf8PathBuf,
    text: String,
    mode: u32,
    /// The folder that has to be made for it.
    folder: Option<Utf8PathBuf>,
    /// What stands there already.
    before: Option<String>,
}

/// `init`
pub(crate) fn init(report: &Report, arguments: &InitArguments) -> Result<u8, Failure> {
    let working_folder = environment::working_folder()?;
    let folder = working_folder.join(arguments.instance_dir.as_deref().unwrap_or("".into()));
    let folder: Utf8PathBuf = folder.components().collect();
    let described = match &arguments.from {
        Some(from) => Some(peek::description(&working_folder.join(from))?),
        None => None,
    };
    let questions = || serde_json::from_str::<PackageDescription>(QUESTIONS);
    let mut description = match described.clone() {
        Some(description) => description,
        None => questions().map_err(|error| Failure::Usage(error.to_string()))?,
    };
    if arguments.print_answers {
        let mut template = Answers::template(&description);
        template.component = template.component.filter(|_| described.is_some());
        report.document(&template);
        return Ok(0);
    }
    match manifest_in(&folder, &Choice::default()) {
        Err(Failure::Target(TargetError::NoManifest(_))) => {}
        Err(other) => return Err(other),
        Ok(declared) => {
            return Err(Failure::Usage(format!(
                "there is a manifest already: `{}`; edit it, then `mainstay validate`",
                declared.path
            )));
        }
    }
    let asks = may_ask(report) && !arguments.yes && !arguments.answers.no_wizard;
    let (text, settings) = begun(&folder, arguments, described.as_ref(), &mut description, asks)?;
    let (manifest, document) = read_manifest("the manifest made of --set", &text)?;
    let deploy = trust::inspect(&folder)?;
    let path = deploy.folder.join(FILE_NAME);
    let begun = Declared {
        path,
        deploy,
        manifest,
        document,
        on_disk: false,
        given: None,
        open: None,
        beside: Vec::new(),
    };
    let package =
        arguments.from.as_ref().map(|from| format!("--from {}", environment::quoted(from.as_str())));
    let variables = arguments.env_file.as_deref().map(VariablesFile::read).transpose()?;
    let wizard = Wizard {
        report,
        typed: &arguments.answers,
        variables: variables.as_ref(),
        settings,
        development: false,
        yes: arguments.yes,
        package: package.unwrap_or_default(),
        ending: &[Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT],
        finish: if described.is_some() { |_| {} } else { finish },
        agreed: Cell::new(false),
    };
    let declared = wizard.complete(&begun, &description)?;
    if described.is_none()
        && declared.manifest.package.source.has_trees()
        && declared.manifest.package.name.as_str() == declared.manifest.name.as_str()
        && !wizard.agreed.get()
        && wizard.settings.iter().all(|(id, _)| id != "component")
    {
        report.notice(format!(
            "the archives are taken to be called `{}`, as the service is: `--set component=NAME` says otherwise",
            declared.manifest.name
        ));
    }
    let files = written(&declared);
    if report.is_json() {
        if !arguments.dry_run {
            write(&declared, &files)?;
        }
        report.document(&answer(&declared, &files, arguments.dry_run));
        return Ok(0);
    }
    if !wizard.agreed.get() || arguments.dry_run {
        show(report, &files);
    }
    if arguments.dry_run {
        return Ok(0);
    }
    let asks = may_ask(report) && !wizard.agreed.get() && !arguments.answers.no_wizard;
    if asks && !confirm::asked(report, "init", arguments.yes, "Write this?")? {
        return Err(Failure::Declined);
    }
    write(&declared, &files)?;
    for file in &files {
        report.done(format!("{} is written", file.path));
    }
    report.say(next(arguments, &declared));
    Ok(0)
}

/// The manifest as far as flags say it, and the answers that were typed.
fn begun(
    folder: &Utf8Path,
    arguments: &InitArguments,
    described: Option<&PackageDescription>,
    description: &mut PackageDescription,
    asks: bool,
) -> Result<(String, Vec<(String, String)>), Failure> {
    let asked: Vec<String> = description.questions.iter().map(|question| question.id.clone()).collect();
    let pairs = draft::pairs(&arguments.answers.settings)?;
    let (mut settings, fields): (Vec<_>, Vec<_>) =
        pairs.into_iter().partition(|(word, _)| asked.contains(word) || !draft::is_field(word));
    let usual = folder.file_name().filter(|name| InstanceName::new(*name).is_ok()).unwrap_or("service");
    // Without a package the name is asked for; until then it is a guess.
    let name = described.map_or(usual, |description| description.component.as_str());
    if let Some(name) = &arguments.name
        && described.is_none()
    {
        settings.push(("name".to_owned(), name.to_string()));
    }
    if described.is_none()
        && let Some(question) = description.questions.iter_mut().find(|question| question.id == "name")
    {
        question.default = Some(AnswerValue::Text(usual.to_owned()));
    }
    if described.is_none()
        && let Some(question) = description.questions.iter_mut().find(|question| question.id == "component")
    {
        question.default = lying_in(folder).map(|component| AnswerValue::Text(component.into()));
        // Whoever is asked says it: the service's own name would fit no archive, and be found out later.
        question.optional = !asks;
    }
    let name = arguments.name.as_ref().map_or(name, InstanceName::as_str);
    let component = described.map_or(name, |description| description.component.as_str());
    let mut text: Value =
        json!({ "$schema": SCHEMA_ADDRESS, "name": name, "package": { "name": component } });
    if let Some(platform) = arguments.platform {
        text["platform"] = json!(platform);
    }
    if let Some(scope) = arguments.scope.typed() {
        text["scope"] = json!(scope);
    }
    for (path, typed) in &fields {
        let value = value_for(&text, path, typed);
        put(&mut text, path, value);
    }
    Ok((serde_json::to_string_pretty(&text).unwrap_or_default() + "\n", settings))
}

/// The component of the archives in a folder, where they are all of one.
fn lying_in(folder: &Utf8Path) -> Option<ComponentName> {
    let names = files::list(folder).ok().flatten().unwrap_or_default();
    let mut components: Vec<ComponentName> =
        names.iter().filter(|name| is_archive_name(name)).filter_map(|name| component_of(name)).collect();
    components.dedup();
    match components.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// Puts the answers to our own questions where they belong.
fn finish(manifest: &mut Value) {
    let answers = manifest.as_object_mut().and_then(|members| members.remove("init")).unwrap_or_default();
    let name = manifest["name"].clone();
    match answers.get("program") {
        Some(program) => {
            manifest["package"] = json!({ "name": name, "source": "binary" });
            put(manifest, "service.command", json!([program]));
            put(manifest, "service.workingDirectory", json!("{deploy}"));
        }
        None => manifest["package"]["name"] = answers.get("component").unwrap_or(&name).clone(),
    }
    if let Some(port) = answers.get("port") {
        put(manifest, "service.ready.tcp", json!(format!("127.0.0.1:{port}")));
    }
}

/// The files in the order in which they are written: the manifest last, since it says that all is there.
fn written(declared: &Declared) -> Vec<Written> {
    let mut files: Vec<Written> = Vec::new();
    for file in &declared.beside {
        files.push(Written {
            path: file.path.clone(),
            text: file.text.clone(),
            mode: 0o600,
            folder: file.folder.clone(),
            before: file.before.clone(),
        });
    }
    let (path, text) = (declared.path.clone(), declared.document.text().to_owned());
    files.push(Written { path, text, mode: 0o644, folder: None, before: None });
    files
}

/// Writes them as the folder's owner; if one can't be written, those before it go again.
fn write(declared: &Declared, files: &[Written]) -> Result<(), Failure> {
    let owner = declared.deploy.owner.as_ref();
    for (index, file) in files.iter().enumerate() {
        let written = account::acting_as(owner, || {
            if let Some(folder) = &file.folder {
                files::create_folder(folder, 0o700, None)?;
            }
            files::rewrite(&file.path, &file.text, file.mode)
        })?;
        if let Err(error) = written {
            let before = files[..=index].iter().rev();
            // That it could not be written is what matters.
            let _ = account::acting_as(owner, || {
                for file in before {
                    let _ = match &file.before {
                        Some(text) => files::rewrite(&file.path, text, file.mode),
                        None => files::remove(&file.path).map(drop),
                    };
                    file.folder.iter().for_each(|folder| drop(files::remove_empty_folder(folder)));
                }
            });
            return Err(error.into());
        }
    }
    Ok(())
}

fn show(report: &Report, files: &[Written]) {
    for file in files {
        report.line(format!("write {} (mode {:04o}):", file.path, file.mode));
        let shown = if file.mode & 0o044 == 0 { "(only its owner may read it)" } else { &file.text };
        for line in shown.lines() {
            report.verbatim(styled(style::FAINT, format!("    {line}")));
        }
    }
}

fn next(arguments: &InitArguments, declared: &Declared) -> String {
    let from = match &arguments.from {
        Some(from) if from.extension() != Some("json") => {
            format!(" --from {}", environment::quoted(from.as_str()))
        }
        Some(_) => " --from ARCHIVE".to_owned(),
        None if declared.manifest.package.source.has_trees() => " --from ARCHIVE".to_owned(),
        None => String::new(),
    };
    format!("  `mainstay install{from}` installs it")
}

fn answer(declared: &Declared, files: &[Written], dry_run: bool) -> ChangeAnswer {
    ChangeAnswer {
        dry_run,
        steps: files.iter().map(|file| format!("write {} (mode {:04o})", file.path, file.mode)).collect(),
        ..ChangeAnswer::of("init", declared.manifest.name.clone(), true)
    }
}
