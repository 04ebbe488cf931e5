//! A service of a compose file that somebody else wrote: found, read by Compose itself, and what there is to take over.

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::change::Request;
use crate::engine::container::{PATIENCE, aim, find, run};
use crate::engine::failure::Failure;
use crate::engine::question::ask;
use crate::engine::resolve::Aim;
use crate::engine::source::{Proof, Source};
use crate::engine::target::Declared;
use crate::engine::{Context, adopt::AdoptError};
use crate::host::files;
use crate::model::adoption::{Before, FORMAT};
use crate::model::compose::{Compose, EngineKind, OldContainer};
use crate::model::manifest::PlatformKind;
use crate::model::trial::DefinitionBefore;
use crate::plan::apply::container::TakeOver;
use crate::plan::step::Operation;
use crate::plan::wanted::Wishes;
use crate::platform::adoption::Draft;
use crate::platform::call::Call;
use crate::platform::calls;
use crate::platform::compose::{query, reader, seen};

/// What the old file is called afterwards.
const ASIDE: &str = "before-mainstay";

/// A container that is to be adopted.
pub(crate) struct Adopted {
    /// What a manifest says of it.
    pub(crate) compose: Compose,
    /// How it is taken over.
    pub(crate) take: TakeOver,
    /// What stands in its file.
    pub(crate) text: String,
}

/// Reads a service of a file.
pub(crate) fn read(file: &Utf8Path, service: Option<&str>) -> Result<(String, Draft, Adopted), Failure> {
    let unreadable = |reason: String| AdoptError::Unreadable { path: file.to_owned(), reason };
    let file = files::canonical(file).map_err(|error| unreadable(error.source.to_string()))?;
    let text = files::read(&file)?.ok_or_else(|| unreadable("it does not exist".to_owned()))?;
    let engine = find(None)?.kind;
    let config = run(&query::config(engine, &file)).map_err(|error| unreadable(error.to_string()))?;
    let plain = run(&query::plain_config(engine, &file)).map_err(|error| unreadable(error.to_string()))?;
    let said = reader::Said {
        config: &config.stdout,
        plain: &plain.stdout,
        is_open: is_open(&file)?,
        are_variables_open: is_open(&file.with_file_name(".env"))?,
    };
    let read = reader::read(&said, service, &file, &text).map_err(|error| unreadable(error.to_string()))?;
    let (project, service) = (read.project, read.service);
    let old = old(engine, &project, &service)?;
    let aside = free_beside(&file)?;
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
        files: vec![DefinitionBefore::plain(file.clone(), Some(text.clone()))],
        reread: Vec::new(),
        back: back.into_iter().collect(),
        enabled: false,
        ran,
        aside: Some(aside.clone()),
    };
    let take = TakeOver { otherwise: up(&aside), file, aside, old, before };
    let compose = Compose { engine: Some(engine), ..read.compose };
    Ok((service, draft, Adopted { compose, take, text }))
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

/// Whether everybody may read a file, if it is there.
fn is_open(path: &Utf8Path) -> Result<bool, Failure> {
    Ok(files::facts(path)?.is_none_or(|facts| facts.mode & 0o004 != 0))
}

/// A name for the old file that nothing has: an earlier adoption may have left its own there.
fn free_beside(file: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    let mut aside = Utf8PathBuf::from(format!("{file}.{ASIDE}"));
    let mut number = 1;
    while files::facts(&aside)?.is_some() {
        number += 1;
        aside = Utf8PathBuf::from(format!("{file}.{ASIDE}.{number}"));
    }
    Ok(aside)
}

/// The aim of an adoption: the image that the file names, pinned.
pub(crate) fn aim_of(context: &Context<'_>, declared: &Declared, compose: &Compose) -> Result<Aim, Failure> {
    let request = Request {
        operation: Operation::Adopt,
        source: Source::Present,
        proof: Proof::default(),
        variables: None,
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
