//! Doing the steps, and undoing them.

use std::fs::File;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Pending, PreparationKind, Rights, Undo};
use crate::engine::Context;
use crate::engine::event::Event;
use crate::host::command::{self, Manner};
use crate::host::{account, files, machine, placed, untrusted};
use crate::model::digest::Digest;
use crate::model::owner::Owner;
use crate::package::fetch::{FetchError, Fetcher, Locator, Progress, Settings};

/// How long a command of the system may take.
const LIMIT: Duration = Duration::from_secs(60);

/// What takes a step back, decided before it is done.
pub(super) fn inverse(pending: &Pending) -> Vec<Undo> {
    let step = &pending.step;
    let name = step.name.clone().unwrap_or_default();
    let persisted = || Undo::Remove {
        path: pending.persistence(),
        digest: Digest::of(persistent(pending).as_bytes()),
        owner: None,
    };
    let actor = actor(pending).map(|owner| owner.name);
    match (step.kind, &pending.path) {
        (PreparationKind::KernelModule, _) => vec![persisted(), Undo::Unload { module: name }],
        (PreparationKind::Sysctl, _) => {
            let before = machine::setting(&name).unwrap_or_default();
            vec![persisted(), Undo::Setting { name, before, after: step.value.clone().unwrap_or_default() }]
        }
        (PreparationKind::Group, _) => vec![Undo::Leave { user: pending.account.name.clone(), group: name }],
        // Only those that are not there yet are made, the deepest first undone.
        (PreparationKind::Folder, Some(path)) => {
            missing(path).into_iter().map(|path| Undo::RemoveFolder { path, owner: actor.clone() }).collect()
        }
        (PreparationKind::Download, Some(path)) => {
            let file =
                step.sha256.map(|digest| Undo::Remove { path: path.clone(), digest, owner: actor.clone() });
            let folders = path.parent().map(missing).unwrap_or_default().into_iter();
            file.into_iter()
                .chain(folders.map(|path| Undo::RemoveFolder { path, owner: actor.clone() }))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The folders of a path that are not there, the deepest first.
fn missing(path: &Utf8Path) -> Vec<Utf8PathBuf> {
    path.ancestors()
        .take_while(|path| matches!(files::facts(path), Ok(None)))
        .map(Utf8Path::to_owned)
        .collect()
}

/// Whose rights a step is done with, where these are not the caller's.
fn actor(pending: &Pending) -> Option<Owner> {
    let account = (pending.step.rights == Rights::Account).then(|| pending.account.clone());
    account.filter(|account| account.uid != account::effective_uid())
}

fn persistent(pending: &Pending) -> String {
    let (name, value) = (pending.step.name.as_deref().unwrap_or_default(), pending.step.value.as_deref());
    let line = value.map_or_else(|| name.to_owned(), |value| format!("{name} = {value}"));
    format!("# For the service {}, by mainstay.\n{line}\n", pending.name)
}

/// Does a step.
pub(super) fn perform(context: &Context<'_>, pending: &Pending) -> Result<(), String> {
    let step = &pending.step;
    let name = step.name.as_deref().unwrap_or_default();
    match (step.kind, &pending.path) {
        (PreparationKind::KernelModule, _) => {
            run(&["modprobe", "--", name])?;
            persist(pending)
        }
        (PreparationKind::Sysctl, _) => {
            set(name, step.value.as_deref().unwrap_or_default())?;
            persist(pending)
        }
        (PreparationKind::Group, _) => run(&["gpasswd", "-a", &pending.account.name, name]),
        (PreparationKind::Folder, Some(path)) => make(pending, || {
            files::create_folder(path, step.permissions(), owner(pending).as_ref()).map(drop)
        }),
        (PreparationKind::Download, Some(path)) => download(context, pending, path),
        _ => Ok(()),
    }
}

/// Whose something becomes, where the one who makes it is another.
fn owner(pending: &Pending) -> Option<Owner> {
    let theirs = pending.step.rights == Rights::Root && pending.step.owner != Some(Rights::Root);
    Some(pending.account.clone()).filter(|account| theirs && account.uid != account::effective_uid())
}

fn make(pending: &Pending, work: impl FnOnce() -> Result<(), files::FileError> + Send) -> Result<(), String> {
    let outcome = account::acting_as(actor(pending).as_ref(), work).map_err(|error| error.to_string())?;
    outcome.map_err(|error| format!("{error}: {}", error.source))
}

fn persist(pending: &Pending) -> Result<(), String> {
    let (path, text) = (pending.persistence(), persistent(pending));
    let folder = path.parent().map(Utf8Path::to_owned).unwrap_or_default();
    make(pending, || {
        files::create_folder(&folder, 0o755, None)?;
        files::write(&path, &text, 0o644, None)
    })
}

/// Gives a setting of the kernel a value. Its file takes a write in place, and no other file in its place.
fn set(name: &str, value: &str) -> Result<(), String> {
    let path = machine::setting_file(name);
    let failed = |error: io::Error| format!("`{path}` can't be set: {error}");
    fs_err::OpenOptions::new()
        .write(true)
        .open(&path)
        .and_then(|mut file| io::Write::write_all(&mut file, format!("{value}\n").as_bytes()))
        .map_err(failed)
}

fn download(context: &Context<'_>, pending: &Pending, path: &Utf8Path) -> Result<(), String> {
    let wanted = pending.step.sha256.ok_or("there is no digest")?;
    let address = pending.address().ok_or("there is no address")?;
    let address = Locator::new(&address).map_err(|error| error.to_string())?;
    let place = crate::host::temporary::folder("mainstay-prepare-").map_err(|error| error.to_string())?;
    let mut file = match address.file() {
        Some(local) => own(pending, &local)?,
        None => fetched(context, &address, wanted, place.path())?,
    };
    let (mode, owner) = (pending.step.permissions(), owner(pending));
    make(pending, || {
        if let Some(folder) = path.parent() {
            files::create_folder(folder, 0o755, owner.as_ref())?;
        }
        placed::place(&mut file, path, wanted, mode, owner.as_ref())
    })
}

/// A file of this host, opened with the rights of the step.
fn own(pending: &Pending, path: &Utf8Path) -> Result<File, String> {
    let opened = account::acting_as(actor(pending).as_ref(), || untrusted::open(path));
    let opened = opened.map_err(|error| error.to_string())?;
    opened
        .map_err(|error| format!("{error}: {}", error.source))?
        .ok_or_else(|| format!("there is no `{path}`"))
}

fn fetched(
    context: &Context<'_>,
    address: &Locator,
    wanted: Digest,
    folder: &Utf8Path,
) -> Result<File, String> {
    let told = |error: FetchError| {
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        format!("{error}{}", source.unwrap_or_default())
    };
    let settings = Settings { pinned: true, ..Settings::default() };
    let client = Fetcher::new(&settings, address).map_err(told)?;
    let name = address.file_name().to_owned();
    let mut tell = |progress| {
        if let Progress::Got { read, total } = progress {
            context.tell(Event::Fetching { what: name.clone(), read, total });
        }
    };
    let fetched = client.fetch(address, folder, Some(wanted), &mut tell).map_err(told)?;
    fetched.file().map_err(|error| error.to_string())
}

/// Runs a command of the system, without a shell.
fn run(words: &[&str]) -> Result<(), String> {
    let argv: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let manner = Manner { limit: Some(LIMIT), largest: Some(64 << 10), ..Manner::default() };
    let output =
        command::output(&argv, manner).map_err(|error| format!("`{}` can't be run: {error}", words[0]))?;
    if output.code == Some(0) {
        return Ok(());
    }
    let said = output.stderr.lines().next_back().unwrap_or_default().to_owned();
    Err(format!("`{}` failed: {said}", argv.join(" ")))
}

/// Takes steps back, and says what could not be.
pub(super) fn take_back(undo: &[Undo]) -> Vec<String> {
    undo.iter().filter_map(|undo| taken_back(undo).err()).collect()
}

fn taken_back(undo: &Undo) -> Result<(), String> {
    match undo {
        Undo::Remove { path, digest, owner } => as_owner(owner.as_deref(), || match files::digest(path) {
            Ok(found) if found == *digest => {
                files::remove(path).map(drop).map_err(|error| format!("{error}: {}", error.source))
            }
            Ok(_) => Err(format!("`{path}` was changed since, and stays")),
            Err(_) => Ok(()),
        }),
        Undo::RemoveFolder { path, owner } => as_owner(owner.as_deref(), || match files::facts(path) {
            Ok(Some(_)) => match files::remove_empty_folder(path) {
                Ok(_) => Ok(()),
                Err(error) => Err(format!("{error}: {}", error.source)),
            },
            _ => Ok(()),
        }),
        Undo::Setting { name, before, after } => {
            if before.is_empty() || machine::setting(name).as_ref() != Some(after) {
                return Ok(());
            }
            set(name, before)
        }
        Undo::Unload { module } => run(&["modprobe", "-r", "--", module])
            .map_err(|why| format!("the kernel's module `{module}` stays loaded: {why}")),
        Undo::Leave { user, group } => {
            let is_in = account::by_name(user).is_ok_and(|user| {
                account::group(group).is_ok_and(|group| account::groups(&user).contains(&group))
            });
            if is_in { run(&["gpasswd", "-d", user, group]) } else { Ok(()) }
        }
    }
}

fn as_owner(owner: Option<&str>, work: impl FnOnce() -> Result<(), String> + Send) -> Result<(), String> {
    let owner = owner.map(account::by_name).transpose().map_err(|error| error.to_string())?;
    account::acting_as(owner.as_ref(), work).map_err(|error| error.to_string())?
}
