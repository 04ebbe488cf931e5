//! Which version an archive or a tree is, and whether it is the one that is meant.

use crate::engine::Context;
use crate::engine::change::Request;
use crate::engine::failure::Failure;
use crate::engine::prepare::Stage;
use crate::engine::target::Declared;
use crate::model::version::Version;
use crate::package::tree;

/// The version of the one tree that is there, where nothing says which is wanted.
pub(super) fn only_tree(context: &Context<'_>, declared: &Declared) -> Result<Version, Failure> {
    let package = &declared.manifest.package;
    let mut trees = tree::versions(&context.layout.install(&declared.manifest.name), &package.name)?;
    trees.retain(|tree| tree.complete.is_some());
    match (trees.pop(), trees.is_empty()) {
        (Some(tree), true) => Ok(tree.version),
        _ => Err(Failure::Usage(format!(
            "no version of `{}` is unpacked for `{}`: bring one with `mainstay install --from ARCHIVE`",
            package.name, declared.manifest.name
        ))),
    }
}

/// What is said of an archive for which nobody vouches.
pub(super) fn unsigned(declared: &Declared, request: &Request, stage: &Stage) -> Option<String> {
    let pins = request.proof.sha256.or(declared.manifest.package.sha256);
    let name = stage.archive.file_name().unwrap_or_default();
    (stage.signed.is_none() && pins != Some(stage.unpacked.digest))
        .then(|| format!("`{name}` is not signed; its sha256 is {}", stage.unpacked.digest))
}

/// Whether the archive is the one that the manifest pins for that version.
pub(super) fn pinned(declared: &Declared, version: &Version, stage: &Stage) -> Result<(), Failure> {
    let package = &declared.manifest.package;
    let Some(digest) =
        package.sha256.filter(|_| package.version.as_ref().is_none_or(|pinned| pinned == version))
    else {
        return Ok(());
    };
    if digest == stage.unpacked.digest {
        return Ok(());
    }
    Err(Failure::OtherArchive(format!(
        "`{}` has the sha256 {}, and the manifest pins {digest} for version {version}",
        stage.archive, stage.unpacked.digest
    )))
}
