//! A service of a compose file that somebody else wrote: found, read by Compose itself, and what there is to take over.

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::change::Request;
use crate::engine::container::{PATIENCE, aim, ask, find, run};
use crate::engine::failure::Failure;
use crate::engine::prepare::Aim;
use crate::engine::source::{Proof, Source};
use crate::engine::target::Declared;
use crate::engine::{Context, adopt::AdoptError};
use crate::host::{files, untrusted};
use crate::model::adoption::{Before, FORMAT};
use crate::model::compose::{Compose, EngineKind, OldContainer};
use crate::model::manifest::PlatformKind;
use crate::model::trial::DefinitionBefore;
use crate::plan::apply::container::TakeOver;
use crate::plan::step::Operation;
use crate::plan::wanted::{Beside, Wishes};
use crate::platform::adoption::Draft;
use crate::platform::call::Call;
use crate::platform::calls;
use crate::platform::compose::reader::{self, Read, Texts};
use crate::platform::compose::{query, seen};

/// What the old file is called afterwards.
const ASIDE: &str = "before-mainstay";
/// The largest file of variables that is carried over, in bytes.
const LARGEST: u64 = 1 << 20;

/// A container that is to be adopted.
pub(crate) struct Adopted {
    /// What a manifest says of it.
    pub(crate) compose: Compose,
    /// How it is taken over.
    pub(crate) take: TakeOver,
    /// What stands in its file.
    pub(crate) text: String,
    /// The copy of its file of variables, beside the manifest.
    pub(crate) beside: Vec<Beside>,
}

/// Reads a service of a file, for a manifest in a folder.
pub(crate) fn read(
    file: &Utf8Path,
    service: Option<&str>,
    folder: &Utf8Path,
) -> Result<(String, Draft, Adopted), Failure> {
    let unreadable = |reason: String| AdoptError::Unreadable { path: file.to_owned(), reason };
    let file = files::canonical(file).map_err(|error| unreadable(error.source.to_string()))?;
    let text = files::read(&file)?.ok_or_else(|| unreadable("it does not exist".to_owned()))?;
    let engine = find(None)?.kind;
    let says = |argv: Vec<String>| run(&argv).map_err(|error| unreadable(error.to_string()));
    let (config, written) =
        (says(query::config(engine, &file))?, says(query::config_as_written(engine, &file))?);
    let texts = Texts { config: &config.stdout, written: &written.stdout, text: &text };
    let mut read = reader::read(texts, service, &file).map_err(|error| unreadable(error.to_string()))?;
    let beside = variables(&mut read, folder)?;
    let (project, service) = (read.project, read.service);
    let old = old(engine, &project, &service)?;
    let aside = aside(&file)?;
    let ran = old.as_ref().is_some_and(|old| old.ran);
    let up = |file: &Utf8Path| calls::up_by_own_file(engine, &project, file, &service, ran);
    let mut draft = read.draft;
    draft.notices.extend(remarks(&read.compose, old.as_ref(), &project, &file, &aside));
    let back = old.as_ref().and_then(|_| match up(&file) {
        Call::Run { argv, .. } => Some(argv),
        _ => None,
    });
    let before = Before {
        format: FORMAT,
        service: service.clone(),
        files: vec![DefinitionBefore { path: file.clone(), text: Some(text.clone()) }],
        reread: Vec::new(),
        back: back.into_iter().collect(),
        enabled: false,
        ran,
        aside: Some(aside.clone()),
    };
    let take = TakeOver { otherwise: up(&aside), file, aside, old, before };
    let compose = Compose { engine: Some(engine), ..read.compose };
    Ok((service, draft, Adopted { compose, take, text, beside }))
}

/// The container of the service, where it has one.
fn old(engine: EngineKind, project: &str, service: &str) -> Result<Option<OldContainer>, Failure> {
    let mut all = ask(&query::of_service(engine, project, service), PATIENCE, seen::numbers)?;
    let Some(number) = all.pop() else { return Ok(None) };
    if !all.is_empty() {
        return Err(Failure::Usage(format!(
            "`{service}` has {} containers, and an instance is one: `{engine} compose up --scale {service}=1` first",
            all.len() + 1
        )));
    }
    let seen = ask(&query::container(engine, &number), PATIENCE, seen::container)?;
    Ok(seen.map(|seen| OldContainer {
        engine,
        ran: matches!(seen.state.as_str(), "running" | "restarting" | "paused"),
        name: seen.name,
        number,
    }))
}

/// A name for the old file that nothing has, so that what an earlier adoption has put away stays.
fn aside(file: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    let mut aside = Utf8PathBuf::from(format!("{file}.{ASIDE}"));
    let mut count = 2;
    while files::facts(&aside)?.is_some() {
        aside = Utf8PathBuf::from(format!("{file}.{ASIDE}-{count}"));
        count += 1;
    }
    Ok(aside)
}

/// Carries its file of variables over, if there is one that can be; nothing of it ever stands in the manifest.
fn variables(read: &mut Read, folder: &Utf8Path) -> Result<Vec<Beside>, Failure> {
    let Some(from) = read.file_of_variables().map(Utf8Path::to_owned) else { return Ok(Vec::new()) };
    let text = untrusted::read(&from, LARGEST)?.unwrap_or_default();
    let mut called = format!("{}.env", read.service);
    while files::facts(&folder.join(&called))?.is_some() {
        called = format!("mainstay-{called}");
    }
    let copy = read.carry_variables(&text, &called);
    let beside = |text: String| Beside { path: folder.join(&called), before: None, text, folder: None };
    Ok(copy.map(beside).into_iter().collect())
}

/// What becomes different that no line says.
fn remarks(
    compose: &Compose,
    old: Option<&OldContainer>,
    project: &str,
    file: &Utf8Path,
    aside: &Utf8Path,
) -> Vec<String> {
    let mut remarks =
        vec![format!("`{file}` is kept as `{aside}`: `mainstay uninstall --restore` gives it back")];
    if let Some(old) = old {
        let goes = "what the old one has written outside its volumes goes";
        remarks.push(if compose.container_name.as_ref() == Some(&old.name) {
            format!("the container is made anew: {goes}")
        } else {
            format!(
                "the container `{}` is made anew, and is called as the instance unless `compose.containerName` says \
                 otherwise: {goes}",
                old.name
            )
        });
    }
    remarks.push(format!(
        "its project is mainstay's, no longer `{project}`, and so are its labels: whatever finds it by them no longer does"
    ));
    remarks
}

/// The aim of an adoption: the image that the file names, pinned.
pub(crate) fn aim_of(context: &Context<'_>, declared: &Declared, compose: &Compose) -> Result<Aim, Failure> {
    let request = Request {
        operation: Operation::Adopt,
        source: Source::Present,
        proof: Proof::default(),
        version: None,
        wishes: Wishes::default(),
        unpacked: false,
        restart_only: false,
        dry_run: false,
    };
    aim::aim(context, declared, compose, &request, None)
}

/// The platform of what is adopted so.
pub(crate) const PLATFORM: PlatformKind = PlatformKind::Compose;
