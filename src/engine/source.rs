//! Where what is to run comes from: what was typed, else what the manifest says.

use std::env::consts::{ARCH, OS};

use camino::Utf8PathBuf;

use crate::engine::Context;
use crate::engine::change::Request;
use crate::engine::failure::Failure;
use crate::engine::target::Declared;
use crate::model::digest::Digest;
use crate::model::launch::tree_name;
use crate::model::receipt::Receipt;
use crate::model::source::{check_address, expand_address, needs_version};
use crate::model::version::Version;
use crate::package::fetch::{Locator, without_secrets};
use crate::package::tree;
use crate::plan::step::Operation;

pub(crate) mod drop_folder;
pub(crate) mod keys;
pub(crate) mod opened;
pub(crate) mod present;
pub(crate) mod verified;

/// Where what is to run comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// What is unpacked here already.
    #[default]
    Present,
    /// What the manifest says.
    Manifest,
    /// An archive, or a folder with archives; absolute.
    File(Utf8PathBuf),
    /// An archive that comes on standard input.
    Input,
    /// An archive at an address, which may hold `{version}`, `{os}` and `{arch}`.
    Address(String),
}

impl Source {
    /// Whether it may bring something that is not here.
    #[must_use]
    pub fn brings(&self) -> bool {
        *self != Self::Present
    }

    /// Whether an archive was typed.
    #[must_use]
    pub fn is_archive(&self) -> bool {
        matches!(self, Self::File(_) | Self::Input | Self::Address(_))
    }
}

/// What was typed that an archive has to agree with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Its digest.
    pub sha256: Option<Digest>,
    /// The file of its signature, absolute, where that does not lie beside it.
    pub signature: Option<Utf8PathBuf>,
}

/// What brings the version that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Nothing: it is here.
    Present,
    /// An archive that was typed.
    File(Utf8PathBuf),
    /// Standard input.
    Input,
    /// An address.
    Address(Locator),
    /// An archive that the manifest names: it is opened with the rights of the manifest's owner.
    OwnersFile(Utf8PathBuf),
}

/// How a version comes, and which it is, as far as that is known before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Supply {
    /// How it comes.
    pub(crate) way: Way,
    /// The version that it has to be.
    pub(crate) version: Option<Version>,
}

/// Decides how what was asked for comes.
pub(crate) fn supply(
    context: &Context<'_>,
    declared: &Declared,
    request: &Request,
    receipt: Option<&Receipt>,
) -> Result<Supply, Failure> {
    let typed = request.version.clone();
    if declared.manifest.compose.is_some() {
        return Ok(Supply { way: Way::Present, version: typed });
    }
    Ok(match &request.source {
        Source::Present => Supply { way: Way::Present, version: typed },
        Source::Manifest => return of_manifest(context, declared, request, receipt),
        Source::Input => Supply { way: Way::Input, version: typed },
        Source::File(path) if path.is_dir() => {
            let component = &declared.manifest.package.name;
            Supply { way: Way::File(drop_folder::choose(path, component, typed.as_ref())?), version: typed }
        }
        Source::File(path) => Supply { way: Way::File(path.clone()), version: typed },
        Source::Address(address) => {
            check_address(address).map_err(|_| not_an_address(address))?;
            let version = wanted(declared, request, receipt);
            let way = match located(address, version.as_ref())? {
                Some(locator) => match locator.file() {
                    Some(path) => Way::File(path),
                    None => Way::Address(locator),
                },
                None => return Err(unversioned(address, receipt)),
            };
            // Of an address without a place for it, the version is what comes.
            Supply { way, version: if needs_version(address) { version } else { typed } }
        }
    })
}

fn of_manifest(
    context: &Context<'_>,
    declared: &Declared,
    request: &Request,
    receipt: Option<&Receipt>,
) -> Result<Supply, Failure> {
    let manifest = &declared.manifest;
    if !manifest.package.source.has_trees() {
        return Ok(Supply { way: Way::Present, version: request.version.clone() });
    }
    let version = wanted(declared, request, receipt);
    if let Some(version) = version.as_ref().filter(|_| !request.wishes.force) {
        let name = tree_name(&manifest.package.name, version);
        let tree = tree::read_complete(&context.layout.tree(&manifest.name, &name));
        if tree.is_some_and(|tree| present::guard(declared, request, version, receipt, &tree).is_ok()) {
            return Ok(Supply { way: Way::Present, version: Some(version.clone()) });
        }
    }
    let Some(template) = &manifest.package.url else {
        if request.operation == Operation::Install || version.is_some() {
            return Ok(Supply { way: Way::Present, version });
        }
        return Err(Failure::Usage(
            "say what to upgrade to: `--from ARCHIVE`, `--url ADDRESS`, `--to VERSION`, `--pick` or `--rollback`; or \
             let the manifest say where archives are (`package.url`)"
                .to_owned(),
        ));
    };
    let Some(locator) = located(template, version.as_ref())? else {
        return Err(unversioned(template, receipt));
    };
    let way = match locator.file() {
        Some(path) => Way::OwnersFile(path),
        None => Way::Address(locator),
    };
    Ok(Supply { way, version })
}

/// The version that an address is to be asked for: what was typed, else what the manifest says, unless that is active
/// and another one is wanted.
fn wanted(declared: &Declared, request: &Request, receipt: Option<&Receipt>) -> Option<Version> {
    let active = receipt.and_then(Receipt::active).map(|active| &active.version);
    let declared = declared.manifest.package.version.as_ref();
    let other =
        declared.filter(|version| request.operation == Operation::Install || Some(*version) != active);
    request.version.as_ref().or(other).cloned()
}

/// An address with its words replaced, unless it lacks the version.
fn located(template: &str, version: Option<&Version>) -> Result<Option<Locator>, Failure> {
    if needs_version(template) && version.is_none() {
        return Ok(None);
    }
    Ok(Some(Locator::new(&expand_address(template, version, OS, ARCH))?))
}

fn not_an_address(text: &str) -> Failure {
    Failure::Usage(format!(
        "`{}` is no address: it begins with `https://`, `http://` or `file://`, and only `{{version}}`, `{{os}}` and `{{arch}}` may stand in it in braces",
        without_secrets(text)
    ))
}

fn unversioned(template: &str, receipt: Option<&Receipt>) -> Failure {
    let template = without_secrets(template);
    Failure::Usage(match receipt.and_then(Receipt::active) {
        Some(active) => format!(
            "version {} is active, and nothing says which other one to fetch from `{template}`: say it with `--version`, or set `package.version` in the manifest",
            active.version
        ),
        None => format!(
            "nothing says which version to fetch from `{template}`: say it with `--version`, or set `package.version` in the manifest"
        ),
    })
}
