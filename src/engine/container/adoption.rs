//! A service of a compose file that somebody else wrote: found, read by Compose itself, and what there is to take over.

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::change::Request;
use crate::engine::container::{PATIENCE, aim, ask, find, run};
use crate::engine::failure::Failure;
use crate::engine::prepare::Aim;
use crate::engine::source::{Proof, Source};
use crate::engine::target::Declared;
use crate::engine::{Context, adopt::AdoptError};
use crate::host::files;
use crate::model::compose::Compose;
use crate::model::manifest::PlatformKind;
use crate::plan::apply::container::TakeOver;
use crate::plan::step::Operation;
use crate::plan::wanted::Wishes;
use crate::platform::adoption::Draft;
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
    let running = ask(&query::running(engine, &read.project, &read.service), PATIENCE, seen::numbers)?;
    let aside = free_beside(&file)?;
    let (end, back) = calls::of_others(engine, &read.project, &aside, &read.service);
    let mut draft = read.draft;
    let asked = draft.service.ready.as_ref().is_some_and(|ready| ready.command.is_some());
    if asked {
        draft.notices.push("how often its health is asked, and for how long, is mainstay's now".to_owned());
    }
    let take = TakeOver { file, aside, end, back, runs: !running.is_empty() };
    Ok((
        read.service,
        draft,
        Adopted { compose: Compose { engine: Some(engine), ..read.compose }, take, text },
    ))
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
