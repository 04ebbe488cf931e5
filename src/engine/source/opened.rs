//! An archive, open, with what is said of it beside it. From here on it is known by its descriptor: what is verified
//! is what is unpacked, whatever happens to its name.

use std::fs::File;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::keys::Keys;
use super::{Proof, Supply, Way};
use crate::engine::event::Event;
use crate::engine::failure::Failure;
use crate::engine::target::Declared;
use crate::engine::{Context, trust};
use crate::host::files::FileError;
use crate::host::temporary;
use crate::model::digest::Digest;
use crate::model::duration::Span;
use crate::package::fetch::{FetchError, Fetched, Fetcher, Locator, Progress, Settings};
use crate::package::signature::{self, Signature};
use crate::package::sums;

/// How what comes on standard input is called.
pub(crate) const INPUT: &str = "standard input";
/// No file of certificates is larger, in bytes.
const LARGEST_PEM: u64 = 1 << 20;

/// An archive, open.
pub(crate) struct Opened {
    /// Its descriptor.
    pub(crate) file: File,
    /// Its path, or its address without secrets.
    pub(crate) shown: Utf8PathBuf,
    /// What `SHA256SUMS` beside it says.
    pub(crate) listed: Option<Digest>,
    /// Its signature, where one is asked for and there is one.
    pub(crate) signature: Option<Signature>,
    /// Where it is kept, if it was fetched.
    fetched: Option<Fetched>,
}

impl Opened {
    /// Forgets what was fetched, which is of no more use.
    pub(crate) fn discard(self) {
        if let Some(fetched) = self.fetched {
            fetched.discard();
        }
    }
}

/// Where an archive is opened and kept.
pub(crate) struct Place<'a> {
    /// Where what comes in a stream is laid for the while of this command.
    pub(crate) folder: &'a Utf8Path,
    /// Where what is fetched is kept across commands.
    pub(crate) downloads: &'a Utf8Path,
}

/// Opens what brings a version. `digest` is what it has to have, where that is known before.
pub(crate) fn open(
    context: &Context<'_>,
    declared: &Declared,
    (supply, proof): (&Supply, &Proof),
    keys: &Keys,
    digest: Option<Digest>,
    place: &Place<'_>,
) -> Result<Option<Opened>, Failure> {
    let typed = match (&proof.signature, keys.asked()) {
        (Some(path), Some(_)) => {
            let text = trust::read_archive_file(path, signature::LARGEST)?;
            Some(text.ok_or_else(|| missing(path))?)
        }
        (Some(_), None) => {
            let what = "`--signature` is of no use without a key to verify it with: `package.publicKey` of the manifest";
            return Err(Failure::Usage(what.to_owned()));
        }
        (None, _) => None,
    };
    let opened = match &supply.way {
        Way::Present => return Ok(None),
        Way::File(path) => of_file(context, path, trust::open_archive(path)?, keys, typed)?,
        Way::OwnersFile(path) => {
            of_file(context, path, trust::open_as_owner(&declared.deploy, path)?, keys, typed)?
        }
        Way::Input => {
            let shown = Utf8PathBuf::from(INPUT);
            let mut tell = |read| context.tell(fetching(INPUT, read, None));
            let file = temporary::from_input(place.folder, &mut tell)?;
            let signature = typed.map(|text| Signature::read(shown.clone(), &text)).transpose()?;
            Opened { file, shown, listed: None, signature, fetched: None }
        }
        Way::Address(address) => {
            let pinned = digest.is_some() || keys.asked().is_some();
            of_address(context, declared, address, (keys, typed), (digest, pinned), place.downloads)?
        }
    };
    Ok(Some(opened))
}

fn of_file(
    context: &Context<'_>,
    named: &Utf8Path,
    (file, path): (File, Utf8PathBuf),
    keys: &Keys,
    typed: Option<String>,
) -> Result<Opened, Failure> {
    let list = path.with_file_name(sums::FILE_NAME);
    let text = trust::read_archive_file(&list, sums::LARGEST);
    let listed = listed(context, list.as_str(), text.map_err(|failure| words(&failure)), &path);
    let beside = |path: &Utf8Path| {
        let path = Utf8PathBuf::from(format!("{path}{}", signature::ENDING));
        trust::read_archive_file(&path, signature::LARGEST)
    };
    let text = match typed {
        None if keys.asked().is_some() => match beside(&path)? {
            // The name may be a link's, with the signature beside that.
            None => beside(named)?,
            found => found,
        },
        typed => typed,
    };
    let signature = text.map(|text| Signature::read(path.clone(), &text)).transpose()?;
    Ok(Opened { file, shown: path, listed, signature, fetched: None })
}

fn of_address(
    context: &Context<'_>,
    declared: &Declared,
    address: &Locator,
    (keys, typed): (&Keys, Option<String>),
    (digest, pinned): (Option<Digest>, bool),
    downloads: &Utf8Path,
) -> Result<Opened, Failure> {
    let shown = Utf8PathBuf::from(address.to_string());
    let client = Fetcher::new(&settings(declared, pinned)?, address)?;
    let name = address.file_name();
    let mut tell = |progress| match progress {
        Progress::Got { read, total } => context.tell(fetching(name, read, total)),
        Progress::Again { why, pause, count: (count, of) } => {
            let pause = pause.as_secs_f32();
            context.notice(format!("{why}; trying again in {pause:.1} s ({count} of {of})"));
        }
    };
    // First what is small: it may spare what is large.
    let list = address.beside(sums::FILE_NAME);
    let text = match client.text(&list, sums::LARGEST, &mut tell) {
        // Where the way itself is refused, the archive's is as well.
        Err(error @ (FetchError::Plain(_) | FetchError::Tls { .. } | FetchError::Unreachable { .. })) => {
            return Err(error.into());
        }
        outcome => outcome.map_err(|error| error.to_string()),
    };
    let listed = listed(context, &list.to_string(), text, &shown);
    let text = match (typed, keys.asked()) {
        (None, Some(_)) => {
            let beside = address.beside(&format!("{name}{}", signature::ENDING));
            client.text(&beside, signature::LARGEST, &mut tell)?
        }
        (typed, _) => typed,
    };
    let signature = text.map(|text| Signature::read(shown.clone(), &text)).transpose()?;
    let fetched = client.fetch(address, downloads, digest.or(listed), &mut tell)?;
    let file = fetched.file().map_err(|source| FileError { action: "open", path: shown.clone(), source })?;
    Ok(Opened { file, shown, listed, signature, fetched: Some(fetched) })
}

/// What a `SHA256SUMS` says of an archive. That it can't be used is said: whoever put it there meant something by it.
fn listed(
    context: &Context<'_>,
    list: &str,
    text: Result<Option<String>, String>,
    archive: &Utf8Path,
) -> Option<Digest> {
    let found = text.and_then(|text| match text {
        Some(text) => {
            sums::find(&text, archive.file_name().unwrap_or_default()).map_err(|error| error.to_string())
        }
        None => Ok(None),
    });
    found.unwrap_or_else(|why| {
        context.notice(format!("`{list}` says nothing about the archive: {why}"));
        None
    })
}

fn settings(declared: &Declared, pinned: bool) -> Result<Settings, Failure> {
    let download = &declared.manifest.package.download;
    let read = |path: &Option<Utf8PathBuf>| -> Result<Option<String>, Failure> {
        let Some(path) = path else { return Ok(None) };
        let path = declared.deploy.folder.join(path);
        let text = trust::read(&declared.deploy, &path, LARGEST_PEM)?;
        Ok(Some(text.ok_or_else(|| missing(&path))?))
    };
    Ok(Settings {
        ca: read(&download.ca)?,
        certificate: read(&download.certificate)?,
        silence: download.timeout.map(Span::duration).filter(|timeout| *timeout > Duration::ZERO),
        retries: download.retries,
        pinned,
    })
}

fn fetching(what: &str, read: u64, total: Option<u64>) -> Event {
    Event::Fetching { what: what.to_owned(), read, total }
}

fn missing(path: &Utf8Path) -> Failure {
    let source = std::io::Error::from(std::io::ErrorKind::NotFound);
    FileError { action: "open", path: path.to_owned(), source }.into()
}

fn words(failure: &Failure) -> String {
    match std::error::Error::source(failure) {
        Some(source) => format!("{failure}: {source}"),
        None => failure.to_string(),
    }
}
