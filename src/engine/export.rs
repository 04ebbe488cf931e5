//! The collection for Ansible, which is carried along and written out: wholly, or not at all.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use self::files_of_collection::FILES;
use crate::engine::failure::Failure;
use crate::host::files::{self, Kind};
use crate::host::random;
use crate::model::answer::export::ExportAnswer;
use crate::model::digest::Digest;
use crate::model::version::Version;
use crate::plan::refusal::Refusal;

mod files_of_collection;

/// What an export leaves of itself, so that the next one knows whether anything was changed by hand.
const RECORD: &str = ".mainstay-export.json";
/// What comes by itself when the collection is used.
const BY_ITSELF: [&str; 2] = ["__pycache__", "output"];

/// What an export has written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// The digest of each file, by its path.
    files: BTreeMap<String, Digest>,
}

/// What stands where the collection is to be.
enum Standing {
    Nothing,
    /// An earlier export, as it was written.
    Earlier(Record),
    /// Something else, of which this is a part.
    Other(String),
}

/// Writes the collection into a folder. What is there and is not an earlier export is refused, or with `force` put aside.
pub fn collection(folder: &Utf8Path, force: bool, dry_run: bool) -> Result<ExportAnswer, Failure> {
    let wanted = Record {
        files: FILES.iter().map(|(path, text)| ((*path).to_owned(), Digest::of(text.as_bytes()))).collect(),
    };
    let standing = standing(folder)?;
    let changed = !matches!(&standing, Standing::Earlier(record) if *record == wanted);
    let put_aside = match &standing {
        Standing::Other(_) if force => Some(beside(folder, "before-export")?),
        Standing::Other(entry) => {
            return Err(Refusal::Occupied { folder: folder.to_owned(), entry: entry.clone() }.into());
        }
        Standing::Nothing | Standing::Earlier(_) => None,
    };
    if changed && !dry_run {
        put(folder, &wanted, put_aside.as_deref())?;
    }
    Ok(ExportAnswer {
        schema: "export.v1".to_owned(),
        of: "ansible".to_owned(),
        folder: folder.to_owned(),
        // A package's version is always one of ours.
        version: env!("CARGO_PKG_VERSION").parse().unwrap_or_else(|_| Version::unknown()),
        changed,
        dry_run,
        files: wanted.files.into_keys().collect(),
        put_aside,
    })
}

/// A name beside a folder that nothing has.
fn beside(folder: &Utf8Path, word: &str) -> Result<Utf8PathBuf, Failure> {
    let random = random::hex32().unwrap_or_default();
    let random = random.get(..8).unwrap_or_default();
    let name = folder.file_name().ok_or_else(|| {
        Failure::Usage(format!("`{folder}` has no name of its own: name the folder that is to be made"))
    })?;
    Ok(folder.with_file_name(format!("{name}.{word}-{random}")))
}

/// Writes everything beside, and then gives it its name.
fn put(folder: &Utf8Path, wanted: &Record, aside: Option<&Utf8Path>) -> Result<(), Failure> {
    let staged = beside(folder, "incoming")?;
    let written = write(&staged, wanted).and_then(|()| exchange(folder, &staged, aside));
    if written.is_err() {
        // Why it failed matters more than whether the rest can be removed.
        let _ = files::remove_tree(&staged);
    }
    written
}

fn write(staged: &Utf8Path, wanted: &Record) -> Result<(), Failure> {
    for (path, text) in FILES {
        let path = staged.join(path);
        if let Some(parent) = path.parent() {
            files::create_folder(parent, 0o755, None)?;
        }
        files::write(&path, text, 0o644, None)?;
    }
    // It holds only names and digests.
    let record = serde_json::to_string_pretty(wanted).unwrap_or_default() + "\n";
    Ok(files::write(&staged.join(RECORD), &record, 0o644, None)?)
}

/// Puts what is written in the place of what is there, which goes where it is to be kept, or for good.
fn exchange(folder: &Utf8Path, staged: &Utf8Path, aside: Option<&Utf8Path>) -> Result<(), Failure> {
    if files::facts(folder)?.is_none() || files::remove_empty_folder(folder)? {
        return Ok(files::rename_over(staged, folder)?);
    }
    let (away, keeps) = match aside {
        Some(aside) => (aside.to_owned(), true),
        None => (beside(folder, "outgoing")?, false),
    };
    files::rename_over(folder, &away)?;
    if let Err(error) = files::rename_over(staged, folder) {
        files::rename_over(&away, folder)?;
        return Err(error.into());
    }
    if !keeps {
        files::remove_tree(&away)?;
    }
    Ok(())
}

fn standing(folder: &Utf8Path) -> Result<Standing, Failure> {
    match files::facts(folder)? {
        None => return Ok(Standing::Nothing),
        Some(facts) if facts.kind != Kind::Folder => {
            return Ok(Standing::Other("it is no folder".to_owned()));
        }
        Some(_) => {}
    }
    let names = files::list(folder)?.unwrap_or_default();
    let Some(first) = names.first() else { return Ok(Standing::Nothing) };
    let text = files::read(&folder.join(RECORD)).ok().flatten();
    let Some(record) = text.and_then(|text| serde_json::from_str::<Record>(&text).ok()) else {
        return Ok(Standing::Other(format!("`{first}` is in it")));
    };
    let mut found = BTreeMap::new();
    gather(folder, folder, &mut found)?;
    found.remove(RECORD);
    let other = found.iter().find(|(path, digest)| record.files.get(*path) != digest.as_ref());
    Ok(match other {
        Some((path, _)) => Standing::Other(format!("`{path}` was added or edited by hand")),
        None => Standing::Earlier(record),
    })
}

/// The files below a folder with their digests; what is no file has none.
fn gather(
    top: &Utf8Path,
    folder: &Utf8Path,
    found: &mut BTreeMap<String, Option<Digest>>,
) -> Result<(), Failure> {
    for name in files::list(folder)?.unwrap_or_default() {
        let path = folder.join(&name);
        let Some(facts) = files::facts(&path)? else { continue };
        if facts.kind == Kind::Folder {
            if !BY_ITSELF.contains(&name.as_str()) {
                gather(top, &path, found)?;
            }
            continue;
        }
        let digest = if facts.kind == Kind::File { Some(files::digest(&path)?) } else { None };
        found.insert(path.strip_prefix(top).unwrap_or(&path).to_string(), digest);
    }
    Ok(())
}
