//! The tool itself: its program file is replaced by that of an archive, with the same guards as every package. What
//! runs goes on by its own copies, until `apply` moves it.

use std::cmp::Ordering;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::Context;
use crate::engine::change::Request;
use crate::engine::failure::Failure;
use crate::engine::source::{self, Proof, Source, verified};
use crate::engine::target::Declared;
use crate::engine::{leftovers, stage, trust};
use crate::host::command::{self, Manner};
use crate::host::{account, environment, files, lock, replacement};
use crate::model::contradiction::read_manifest;
use crate::model::manifest::FILE_NAME;
use crate::model::operating_system::OperatingSystem;
use crate::model::origin::version_word;
use crate::model::public_key::PublicKey;
use crate::model::version::Version;
use crate::plan::refusal::Refusal;
use crate::plan::step::Operation;
use crate::plan::wanted::Wishes;

mod owner;
mod readable;

pub use readable::readable;

/// The component, and what its program is called.
const NAME: &str = "mainstay";
/// Where the program lies in an archive.
const PLACES: [&str; 2] = ["mainstay", "bin/mainstay"];
/// The same in one for Windows.
const PLACES_OF_WINDOWS: [&str; 2] = ["mainstay.exe", "bin/mainstay.exe"];
/// How long the new program may take to show that it works.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long another one that does the same is waited for.
const TURN: Duration = Duration::from_millis(500);
/// The largest file with a key, in bytes.
const LARGEST_KEY: u64 = 4096;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Update {
    /// Where the archive comes from; nothing: the program before comes back.
    pub source: Option<Source>,
    /// What was typed that the archive has to agree with.
    pub proof: Proof,
    /// The key with which it has to be signed, where none lies beside the program.
    pub key: Option<PublicKey>,
    /// The version that it has to be.
    pub version: Option<Version>,
    /// Whether an older version will do.
    pub force: bool,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// The file of the program.
    pub program: Utf8PathBuf,
    /// The version of this program.
    pub from: Version,
    /// The version that stands in its place.
    pub to: Version,
    /// Whether the file was, or would be, another one.
    pub changed: bool,
}

/// Replaces this tool's program file, after asking.
pub fn update(
    context: &Context<'_>,
    update: &Update,
    agree: &dyn Fn(&Updated) -> Result<bool, Failure>,
) -> Result<Updated, Failure> {
    let program = files::canonical(&context.program)?;
    owner::guard(context, &program)?;
    lock::holding(&context.layout.locks().join("self-update.lock"), TURN, || {
        if !update.dry_run {
            finish_what_died(&program)?;
        }
        match &update.source {
            Some(source) => from_archive(context, &program, update, source, agree),
            None => back(context, &program, update.dry_run, agree),
        }
    })
    .map_err(Failure::Lock)?
}

/// The program before, which is kept beside.
fn before(program: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{program}.before"))
}

/// The program on its way to its place.
fn beside(program: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{program}.new"))
}

fn own_version() -> Version {
    // A package's version is always one of ours.
    env!("CARGO_PKG_VERSION").parse().unwrap_or_else(|_| Version::unknown())
}

fn from_archive(
    context: &Context<'_>,
    program: &Utf8Path,
    update: &Update,
    source: &Source,
    agree: &dyn Fn(&Updated) -> Result<bool, Failure>,
) -> Result<Updated, Failure> {
    let declared = declared(program, pinned(program, update)?)?;
    let request = Request {
        operation: Operation::Upgrade,
        source: source.clone(),
        proof: update.proof.clone(),
        variables: None,
        version: update.version.clone(),
        wishes: Wishes { force: update.force, ..Wishes::default() },
        unpacked: false,
        restart_only: false,
        // It is unpacked for a moment only, whatever follows.
        dry_run: true,
    };
    let supply = source::supply(context, &declared, &request, None)?;
    let Some(stage) = verified::stage(context, &declared, &request, &supply, None)? else {
        return Err(Failure::Usage("say what to update to: `--from ARCHIVE` or `--url ADDRESS`".to_owned()));
    };
    let to = stage::version_of(&declared, &stage, supply.version.as_ref())?;
    match &stage.signed {
        Some((vouched, _)) => vouched.check_version(&to)?,
        None => context
            .notice(format!("`{}` is not signed; its sha256 is {}", stage.archive, stage.unpacked.digest)),
    }
    let from = own_version();
    match from.order(&to) {
        Some(Ordering::Greater) if !update.force => return Err(Refusal::Downgrade { from, to }.into()),
        None if !update.force => return Err(Refusal::NoOrder { from, to }.into()),
        _ => {}
    }
    let places = match environment::operating_system() {
        OperatingSystem::Windows => PLACES_OF_WINDOWS,
        _ => PLACES,
    };
    let Some(found) = places.iter().map(|place| stage.staging.path().join(place)).find(|path| path.is_file())
    else {
        let [at_top, below] = places;
        return Err(Failure::OtherArchive(format!(
            "`{}` holds no program of mainstay: it lies at `{at_top}` or `{below}`",
            stage.archive
        )));
    };
    let changed = files::digest(&found)? != files::digest(program)?;
    let updated = Updated { program: program.to_owned(), from, to, changed };
    if !changed {
        return Ok(updated);
    }
    if update.dry_run {
        works(context, &found, Some(&updated.to))?;
        return Ok(updated);
    }
    let new = beside(program);
    let outcome = files::copy_program(&found, &new).map_err(Failure::from).and_then(|()| {
        works(context, &new, Some(&updated.to))?;
        if !agree(&updated)? {
            return Err(Failure::Declined);
        }
        keep(program)?;
        Ok(replacement::replace(&new, program)?)
    });
    if outcome.is_err() {
        // What was made for it goes with it; why it was refused matters more.
        let _ = files::remove(&new);
    }
    outcome.map(|()| updated)
}

/// Keeps a program beside, by a second name, so that its first leads to a whole program at every moment.
fn keep(program: &Utf8Path) -> Result<(), Failure> {
    let kept = Utf8PathBuf::from(format!("{program}.kept"));
    files::remove(&kept)?;
    files::copy_program(program, &kept)?;
    Ok(files::rename_over(&kept, &before(program))?)
}

/// What one that died has left: the program that was to be kept, and what was half copied.
fn finish_what_died(program: &Utf8Path) -> Result<(), Failure> {
    let kept = Utf8PathBuf::from(format!("{program}.kept"));
    if files::facts(&kept)?.is_some() {
        if files::facts(&before(program))?.is_none() {
            files::rename_over(&kept, &before(program))?;
        } else {
            files::remove(&kept)?;
        }
    }
    files::remove(&beside(program))?;
    replacement::clean(program);
    let folder = program.parent().unwrap_or(program);
    for name in files::list(folder)?.unwrap_or_default() {
        if name.starts_with(leftovers::HALF_WRITTEN) {
            files::remove(&folder.join(name))?;
        }
    }
    Ok(())
}

fn back(
    context: &Context<'_>,
    program: &Utf8Path,
    dry_run: bool,
    agree: &dyn Fn(&Updated) -> Result<bool, Failure>,
) -> Result<Updated, Failure> {
    let old = before(program);
    if files::facts(&old)?.is_none() {
        return Err(Failure::Usage(format!("there is no program before this one: `{old}` is not there")));
    }
    let to = works(context, &old, None)?;
    let updated = Updated { program: program.to_owned(), from: own_version(), to, changed: true };
    if dry_run {
        return Ok(updated);
    }
    if !agree(&updated)? {
        return Err(Failure::Declined);
    }
    let kept = Utf8PathBuf::from(format!("{program}.kept"));
    files::copy_program(program, &kept)?;
    replacement::replace(&old, program)?;
    files::rename_over(&kept, &old)?;
    Ok(updated)
}

/// The key with which an archive has to be signed: the one in the file beside the program, which somebody has put there
/// for good, else what was typed.
fn pinned(program: &Utf8Path, update: &Update) -> Result<Option<PublicKey>, Failure> {
    let file = Utf8PathBuf::from(format!("{program}.pub"));
    let Some(text) = crate::host::untrusted::read(&file, LARGEST_KEY)? else { return Ok(update.key.clone()) };
    let keys = text.lines().map(str::trim).filter_map(|line| line.parse::<PublicKey>().ok());
    let Some(key) = keys.into_iter().next() else {
        let reason = "it holds no minisign public key".to_owned();
        return Err(Failure::Damaged { path: file, reason });
    };
    match &update.key {
        Some(typed) if *typed != key => Err(Refusal::OtherToolKey { file, pinned: key }.into()),
        _ => Ok(Some(key)),
    }
}

/// The tool as a package, for the functions that fetch and verify packages.
fn declared(program: &Utf8Path, key: Option<PublicKey>) -> Result<Declared, Failure> {
    let folder = program.parent().unwrap_or(program);
    let mut package = serde_json::json!({ "name": NAME });
    if let Some(key) = key {
        package["publicKey"] = serde_json::json!(key);
    }
    let text = serde_json::json!({ "name": NAME, "package": package }).to_string();
    let (manifest, document) = read_manifest("the tool's own package", &text)?;
    let deploy = trust::inspect(folder)?;
    Ok(Declared {
        path: folder.join(FILE_NAME),
        deploy,
        manifest,
        document,
        on_disk: false,
        given: None,
        open: None,
        beside: Vec::new(),
    })
}

/// Whether a program is a mainstay that works here: it says its version, and can read all that this one can read.
fn works(context: &Context<'_>, program: &Utf8Path, version: Option<&Version>) -> Result<Version, Failure> {
    let refused =
        |reason: String| Failure::OtherArchive(format!("the new program does not work here: {reason}"));
    let run = |arguments: &[&str]| {
        let argv: Vec<String> =
            std::iter::once(program.as_str()).chain(arguments.iter().copied()).map(str::to_owned).collect();
        command::output(&argv, Manner { limit: Some(PATIENCE), ..Manner::default() })
            .map_err(|error| refused(error.to_string()))
    };
    let said = run(&["--version"])?;
    let found = said.stdout.strip_prefix("mainstay ").and_then(version_word);
    let Some(found) = found.filter(|_| said.code == Some(0)) else {
        return Err(refused(format!(
            "`{program} --version` says `{}{}`",
            said.stdout.trim(),
            said.stderr.trim()
        )));
    };
    if let Some(version) = version.filter(|version| **version != found) {
        return Err(refused(format!("it says that it is {found}, and its archive that it is {version}")));
    }
    if let Err(error) = readable(&context.layout) {
        context.notice(format!(
            "whether the new program can read all files is not asked, since this one can't: {error}"
        ));
        return Ok(found);
    }
    let scope = format!("--{}", context.layout.scope);
    let said = run(&["self-update", "--check", &scope])?;
    if said.code != Some(0) {
        return Err(refused(format!("it can't read the files of this host: {}", said.stderr.trim())));
    }
    Ok(found)
}

/// Whether the file belongs to the caller, in whose folder it is replaced.
fn is_callers(path: &Utf8Path) -> Result<bool, Failure> {
    let own = account::effective_uid();
    Ok(files::facts(path)?.is_some_and(|facts| facts.uid == own))
}
