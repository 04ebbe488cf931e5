//! An archive on its way to a version tree: whether it is the right one is decided before the tree gets its name.

use camino::Utf8Path;

use super::keys::Keys;
use super::opened::{self, INPUT, Opened, Place};
use super::{Supply, Way};
use crate::engine::Context;
use crate::engine::change::Request;
use crate::engine::failure::Failure;
use crate::engine::stage::{self, Stage};
use crate::engine::target::Declared;
use crate::host::{environment, temporary};
use crate::model::digest::Digest;
use crate::model::receipt::Receipt;
use crate::package::unpack::UnpackError;
use crate::plan::step::Operation;

/// A digest that an archive is to have, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Expected {
    digest: Digest,
    by: &'static str,
}

/// Opens, verifies and unpacks what brings a version: beside the version trees, or for a dry run where it leaves no
/// trace.
pub(crate) fn stage(
    context: &Context<'_>,
    declared: &Declared,
    request: &Request,
    supply: &Supply,
    receipt: Option<&Receipt>,
) -> Result<Option<Stage>, Failure> {
    let keys = Keys::of(declared, receipt, request.operation);
    keys.guard(supply.way != Way::Present)?;
    let name = &declared.manifest.name;
    let mut expected = expected(declared, request, supply);
    agreed(&expected)?;
    let scratch = if request.dry_run { Some(temporary::folder("mainstay-dry-run-")?) } else { None };
    let folder = match &scratch {
        Some(_) => environment::temporary_folder(),
        None => context.layout.install(name),
    };
    let downloads = match &scratch {
        Some(scratch) => scratch.path().join("downloads"),
        None => context.layout.downloads(name),
    };
    let place = Place { folder: &folder, downloads: &downloads };
    let digest = expected.first().map(|expected| expected.digest);
    let found = opened::open(context, declared, (supply, &request.proof), &keys, digest, &place)?;
    let Some(opened) = found else { return Ok(None) };
    expected.extend(opened.listed.map(|digest| Expected { digest, by: "SHA256SUMS" }));
    let staged =
        agreed(&expected).and_then(|()| unpacked(context, declared, &opened, (&keys, &expected), &folder));
    if !staged.as_ref().is_err_and(lacks_room) {
        opened.discard();
    }
    staged.map(Some)
}

fn unpacked(
    context: &Context<'_>,
    declared: &Declared,
    opened: &Opened,
    (keys, expected): (&Keys, &[Expected]),
    folder: &Utf8Path,
) -> Result<Stage, Failure> {
    let vouched = keys.verify(opened.signature.as_ref(), &opened.shown, &opened.file)?;
    let signed = vouched.as_ref().map(|(vouched, _)| vouched.digest);
    if let (Some(found), Some(expected)) = (signed, expected.first().filter(|it| Some(it.digest) != signed)) {
        return Err(other(&opened.shown, found, *expected));
    }
    let digest = signed.or(expected.first().map(|expected| expected.digest));
    let mut stage =
        stage::stage(context, declared, opened, folder, digest).map_err(|failure| match failure {
            Failure::Archive(UnpackError::Digest { archive, found, .. }) => match expected.first() {
                Some(expected) => other(&archive, found, *expected),
                None => Failure::OtherArchive(format!("`{archive}` was exchanged while it was read")),
            },
            other => other,
        })?;
    stage.signed = vouched;
    Ok(stage)
}

/// What is said of the archive's digest before it is opened: what was typed, and what the manifest says of the version
/// in it, where that is the one that comes.
fn expected(declared: &Declared, request: &Request, supply: &Supply) -> Vec<Expected> {
    let package = &declared.manifest.package;
    let binds = match (&package.version, &supply.version) {
        (None, _) => true,
        (Some(pinned), Some(wanted)) => pinned == wanted,
        // An upgrade is about to change both.
        (Some(_), None) => request.operation != Operation::Upgrade,
    };
    let typed = request.proof.sha256.map(|digest| Expected { digest, by: "`--sha256`" });
    let pinned = package.sha256.filter(|_| binds).map(|digest| Expected { digest, by: "the manifest" });
    typed.into_iter().chain(pinned).collect()
}

/// Two that say different things can't both be right, whatever the archive is.
fn agreed(expected: &[Expected]) -> Result<(), Failure> {
    match expected.windows(2).find(|two| two[0].digest != two[1].digest) {
        Some([one, other]) => Err(Failure::OtherArchive(format!(
            "{} says that the archive's sha256 is {}, and {} says {}",
            one.by, one.digest, other.by, other.digest
        ))),
        _ => Ok(()),
    }
}

fn other(archive: &Utf8Path, found: Digest, expected: Expected) -> Failure {
    let archive =
        if archive == INPUT { "what came on standard input".to_owned() } else { format!("`{archive}`") };
    Failure::OtherArchive(format!(
        "{archive} has the sha256 {found}, and {} says {}",
        expected.by, expected.digest
    ))
}

/// Whether an archive is not at fault: once there is room, it will do.
fn lacks_room(failure: &Failure) -> bool {
    match failure {
        Failure::Archive(error) => {
            error.wants_room() || matches!(error, UnpackError::Write { .. } | UnpackError::Folder { .. })
        }
        Failure::Space(_) | Failure::Tree(_) | Failure::File(_) => true,
        _ => false,
    }
}
