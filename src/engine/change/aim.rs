//! Which version is wanted of an instance, and where that comes from: the aim of an operation. An archive, or a tree that is
//! there, is judged here; images and programs that others bring have files of their own.

use crate::engine::change::Request;
use crate::engine::failure::Failure;
use crate::engine::resolve::Aim;
use crate::engine::source::{Supply, present};
use crate::engine::stage::{self, Stage};
use crate::engine::target::Declared;
use crate::engine::{Context, container, origin, peek};
use crate::model::launch::tree_name;
use crate::model::receipt::Receipt;
use crate::model::version::Version;
use crate::package::tree;
use crate::plan::refusal::Refusal;
use crate::plan::step::Operation;

/// The aim of an operation.
pub(super) fn aim(
    context: &Context<'_>,
    declared: &Declared,
    request: &Request,
    supply: &Supply,
    receipt: Option<&Receipt>,
    stage: Option<&Stage>,
) -> Result<Aim, Failure> {
    if let Some(compose) = &declared.manifest.compose {
        return container::aim::aim(context, declared, compose, request, receipt);
    }
    if !declared.manifest.package.source.has_trees() {
        return origin::aim::aim(context, declared, request, receipt);
    }
    let edits_version = request.operation != Operation::Apply;
    if let Some(stage) = stage {
        let version = stage::version_of(declared, stage, supply.version.as_ref())?;
        pinned(declared, &version, stage)?;
        if let Some((vouched, _)) = &stage.signed {
            vouched.check_version(&version)?;
        }
        return Ok(Aim {
            version,
            description: stage.unpacked.description.clone(),
            archive: Some(stage.to_archive()),
            wishes: request.wishes,
            edits_version,
            standing: None,
            container: None,
        });
    }
    let package = &declared.manifest.package;
    let active = receipt.and_then(Receipt::active).map(|active| active.version.clone());
    let version = match request.operation {
        Operation::Rollback => {
            let previous = receipt.and_then(Receipt::previous).map(|previous| previous.version.clone());
            previous.ok_or_else(|| Refusal::NoPrevious(declared.manifest.name.clone()))?
        }
        _ => match supply.version.clone().or_else(|| package.version.clone()).or(active) {
            Some(version) => version,
            None => only_tree(context, declared)?,
        },
    };
    let path = context.layout.tree(&declared.manifest.name, &tree_name(&package.name, &version));
    let Some(complete) = tree::read_complete(&path) else {
        return Err(Refusal::NoTree {
            installed: receipt.is_some(),
            component: package.name.clone(),
            version,
        }
        .into());
    };
    present::guard(declared, request, &version, receipt, &complete)?;
    let description = peek::description_in(&path)?;
    let wishes = request.wishes;
    Ok(Aim { version, description, archive: None, wishes, edits_version, standing: None, container: None })
}

/// The version of the one tree that is there, where nothing says which is wanted.
fn only_tree(context: &Context<'_>, declared: &Declared) -> Result<Version, Failure> {
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
fn pinned(declared: &Declared, version: &Version, stage: &Stage) -> Result<(), Failure> {
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
