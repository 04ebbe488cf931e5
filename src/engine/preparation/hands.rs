//! Doing the steps, and undoing them. What an account may do is done with its rights; with root's rights no link is
//! followed, and no folder used that somebody else could exchange.

use std::fs::File;
use std::io::{self, Seek as _};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Done, Pending, PreparationKind, Rights, Undo};
use crate::engine::Context;
use crate::engine::event::Event;
use crate::host::command::{self, Manner};
use crate::host::descent::{self, Removed, Way};
use crate::host::files::FileError;
use crate::host::{account, files, machine, untrusted};
use crate::model::digest::Digest;
use crate::model::owner::Owner;
use crate::package::fetch::{FetchError, Fetcher, Locator, Progress, Settings};

/// How long a command of the system may take.
const LIMIT: Duration = Duration::from_secs(60);

/// What takes a step back, decided before it is done.
pub(super) fn inverse(pending: &Pending) -> Vec<Undo> {
    let step = &pending.step;
    let name = step.name.clone().unwrap_or_default();
    let actor = actor(pending).map(|owner| owner.name);
    let folders = |from: Option<&Utf8Path>| {
        let missing = from.map(missing).unwrap_or_default().into_iter();
        missing.map(|path| Undo::RemoveFolder { path, owner: actor.clone() })
    };
    let file = |path: &Utf8Path, digest: Digest| {
        let remove = Undo::Remove { path: path.to_owned(), digest, owner: actor.clone() };
        // Only those that are not there yet are made, the deepest first undone.
        std::iter::once(remove).chain(folders(path.parent()))
    };
    let persisted = || file(&pending.persistence(), Digest::of(persistent(pending).as_bytes()));
    match (step.kind, &pending.path) {
        (PreparationKind::KernelModule, _) => persisted().chain([Undo::Loaded { module: name }]).collect(),
        (PreparationKind::Sysctl, _) => {
            let before = machine::setting(&name).unwrap_or_default();
            let after = pending.value();
            persisted().chain([Undo::Setting { name, before, after }]).collect()
        }
        (PreparationKind::Group, _) => vec![Undo::Leave { user: pending.account.name.clone(), group: name }],
        (PreparationKind::Folder, Some(path)) => folders(Some(path)).collect(),
        (PreparationKind::Download, Some(path)) => {
            step.sha256.map(|digest| file(path, digest).collect()).unwrap_or_default()
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
pub(super) fn actor(pending: &Pending) -> Option<Owner> {
    let account = (pending.step.rights == Rights::Account).then(|| pending.account.clone());
    account.filter(|account| account.uid != account::effective_uid() && account::effective_uid() == 0)
}

fn persistent(pending: &Pending) -> String {
    let (name, value) = (pending.step.name.as_deref().unwrap_or_default(), pending.step.value.as_deref());
    let line = value.map_or_else(|| name.to_owned(), |value| format!("{name} = {value}"));
    format!("# For the service {}, by mainstay.\n{line}\n", pending.name)
}

/// Does a step. What was done before tells which files are this instance's own.
pub(super) fn perform(context: &Context<'_>, pending: &Pending, before: &[Done]) -> Result<(), String> {
    let step = &pending.step;
    let name = step.name.as_deref().unwrap_or_default();
    match (step.kind, &pending.path) {
        // First for the next boot: what is set already is taken for done.
        (PreparationKind::KernelModule, _) => {
            persist(pending, before)?;
            run(&["modprobe", "--", name])
        }
        (PreparationKind::Sysctl, _) => {
            persist(pending, before)?;
            let value = pending.value();
            // Where it is set already it may not be settable at all, as in a container.
            if machine::setting(name).as_ref() == Some(&value) { Ok(()) } else { set(name, &value) }
        }
        (PreparationKind::Group, _) => run(&["gpasswd", "-a", &pending.account.name, name]),
        (PreparationKind::Folder, Some(path)) => as_owner(actor(pending).as_ref(), |way| {
            descent::create_folder(path, step.permissions(), owner(pending).as_ref(), way)
        }),
        (PreparationKind::Download, Some(path)) => download(context, pending, path, before),
        _ => Ok(()),
    }
}

/// Whose something becomes, where the one who makes it is another.
fn owner(pending: &Pending) -> Option<Owner> {
    let theirs = pending.step.rights == Rights::Root && pending.step.owner != Some(Rights::Root);
    Some(pending.account.clone()).filter(|account| theirs && account.uid != account::effective_uid())
}

/// Does something with files: with the rights of an account, wherever they lead; with root's in root's folders alone.
fn as_owner<T: Send>(
    owner: Option<&Owner>,
    work: impl FnOnce(Way) -> Result<T, FileError> + Send,
) -> Result<T, String> {
    let roots = account::effective_uid() == 0 && owner.is_none_or(Owner::is_root);
    let way = if roots { Way::Roots } else { Way::Any };
    let outcome = account::acting_as(owner, || work(way)).map_err(|error| error.to_string())?;
    outcome.map_err(|error| format!("{error}: {}", error.source))
}

/// The digests that files of a path have had by this instance's steps.
fn known(before: &[Done], path: &Utf8Path) -> Vec<Digest> {
    let undone = before.iter().flat_map(|done| &done.undo);
    let digest = |undo: &Undo| match undo {
        Undo::Remove { path: known, digest, .. } if known == path => Some(*digest),
        _ => None,
    };
    undone.filter_map(digest).collect()
}

fn persist(pending: &Pending, before: &[Done]) -> Result<(), String> {
    let (path, text) = (pending.persistence(), persistent(pending));
    let (digest, known) = (Digest::of(text.as_bytes()), known(before, &path));
    as_owner(None, |way| descent::place(&mut text.as_bytes(), &path, digest, (0o644, None), &known, way))
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

fn download(
    context: &Context<'_>,
    pending: &Pending,
    path: &Utf8Path,
    before: &[Done],
) -> Result<(), String> {
    let wanted = pending.step.sha256.ok_or("there is no digest")?;
    let address = pending.address().ok_or("there is no address")?;
    let address = Locator::new(&address).map_err(|error| error.to_string())?;
    let place = crate::host::temporary::folder("mainstay-prepare-").map_err(|error| error.to_string())?;
    let mut file = match address.file() {
        Some(local) => own(pending, &local)?,
        None => fetched(context, &address, wanted, place.path())?,
    };
    file.rewind().map_err(|error| format!("what was fetched can't be read: {error}"))?;
    let (mode, owner, known) = (pending.step.permissions(), owner(pending), known(before, path));
    as_owner(actor(pending).as_ref(), |way| {
        descent::place(&mut file, path, wanted, (mode, owner.as_ref()), &known, way)
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
        Undo::Remove { path, digest, owner } => {
            let owner = named(owner.as_deref())?;
            match as_owner(owner.as_ref(), |way| descent::remove(path, *digest, way))? {
                Removed::Gone => Ok(()),
                Removed::Changed => Err(format!("`{path}` was changed since, and stays")),
            }
        }
        Undo::RemoveFolder { path, owner } => {
            let owner = named(owner.as_deref())?;
            as_owner(owner.as_ref(), |way| descent::remove_empty_folder(path, way))
        }
        Undo::Setting { name, before, after } => {
            if before.is_empty() || machine::setting(name).as_ref() == Some(before) {
                return Ok(());
            }
            if machine::setting(name).as_ref() != Some(after) {
                return Err(format!("`{name}` of the kernel was changed since, and stays"));
            }
            set(name, before)
        }
        Undo::Loaded { module } if machine::has_module(module) => Err(format!(
            "the kernel's module `{module}` stays loaded until the next boot: others may use it by now"
        )),
        Undo::Loaded { .. } => Ok(()),
        Undo::Leave { user, group } => {
            let is_in = account::by_name(user).is_ok_and(|user| {
                account::group(group).is_ok_and(|group| account::groups(&user).contains(&group))
            });
            if is_in { run(&["gpasswd", "-d", user, group]) } else { Ok(()) }
        }
    }
}

fn named(owner: Option<&str>) -> Result<Option<Owner>, String> {
    owner.map(account::by_name).transpose().map_err(|error| error.to_string())
}
