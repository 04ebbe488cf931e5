//! Rebuilding a version tree from its archive: the tree is compared with what the archive makes, file by file, and
//! exchanged as a whole if anything is wrong with it.

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::change::Request;
use crate::engine::execute::execute;
use crate::engine::failure::Failure;
use crate::engine::operation::{carried_out, guard_rights, is_done};
use crate::engine::source::{Proof, Source, supply, verified};
use crate::engine::stage::{self, Stage};
use crate::engine::target::{Declared, Target, TargetError};
use crate::engine::{Context, report, trial, trust};
use crate::host::os;
use crate::host::{clock, files};
use crate::model::digest::Digest;
use crate::model::launch::tree_name;
use crate::model::marker::Marker;
use crate::model::receipt::Receipt;
use crate::model::version::Version;
use crate::package::difference::{self, Difference};
use crate::package::tree;
use crate::plan::repair::{Damage, repair as decide};
use crate::plan::step::{Operation, Plan};
use crate::plan::wanted::{Archive, Wishes};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Repair {
    /// Where the archive comes from.
    pub source: Source,
    /// What was typed that the archive has to agree with.
    pub proof: Proof,
    /// The version whose tree is looked at; nothing: the active one.
    pub version: Option<Version>,
    /// Whether it is only looked at.
    pub dry_run: bool,
}

/// Compares a version tree with its archive, shows what is wrong, and rebuilds it. The plan is empty where nothing is.
pub fn repair(
    context: &Context<'_>,
    target: &Target,
    request: &Repair,
    agree: &dyn Fn(&Plan) -> Result<bool, Failure>,
) -> Result<(Version, Plan), Failure> {
    let of = target.installed()?;
    let declared = target.manifest.as_ref().ok_or_else(|| TargetError::NoManifest(of.folder.clone()))?;
    if !declared.manifest.has_trees() {
        return Err(Failure::Usage(format!(
            "`{}` runs a program that somebody else has installed: there is no tree to repair",
            of.name
        )));
    }
    if !request.dry_run {
        guard_rights(context)?;
    }
    trust::guard_manifest(&declared.deploy, &declared.manifest, context.layout.scope)?;
    let receipt = trial::receipt(&context.layout, &of.name)?;
    let active = receipt.as_ref().and_then(Receipt::active).map(|active| active.version.clone());
    let version = request.version.clone().or(active).ok_or_else(|| {
        Failure::Usage(format!("nothing is active of `{}`: say which version with `--version`", of.name))
    })?;
    let stage = staged(context, declared, request, &version, receipt.as_ref())?;
    is_of_this_tree(context, of, &version, receipt.as_ref(), &stage)?;
    let archive = Archive { signed_by: None, introduces_key: false, ..stage.to_archive() };
    let now = clock::now();
    // Where it is only looked at, the archive was unpacked elsewhere, and the usual is told.
    let exchanges = if request.dry_run {
        os::fs::EXCHANGES
    } else {
        stage.staging.can_replace(&tree_name(&of.component, &version))?
    };
    let plan = || -> Result<Plan, Failure> {
        let damage = damage(context, of, &version, &archive.staging, exchanges)?;
        if damage.runs && !damage.exchanges && !damage.faults.is_empty() && !request.dry_run {
            return Err(Failure::Usage(format!(
                "`{}` runs from the damaged tree, and the folder of a program that runs can't get another name here: \
                 `mainstay stop --name {}`, then repair it",
                of.name, of.name
            )));
        }
        Ok(decide(of, &damage, &archive, &context.layout, &context.caller, now))
    };
    let shown = plan()?;
    if request.dry_run || is_done(context, &of.name, &shown)? {
        return Ok((version, shown));
    }
    carried_out(context, of, &shown, agree, plan, |under_lock| {
        execute(context, under_lock, of, Some(stage.into_parts()))
    })?;
    Ok((version, shown))
}

/// The archive of a version, verified and unpacked beside the version trees.
fn staged(
    context: &Context<'_>,
    declared: &Declared,
    request: &Repair,
    version: &Version,
    receipt: Option<&Receipt>,
) -> Result<Stage, Failure> {
    let asked = Request {
        operation: Operation::Repair,
        source: request.source.clone(),
        proof: request.proof.clone(),
        variables: None,
        version: Some(version.clone()),
        // The tree is there, and its archive is wanted all the same.
        wishes: Wishes { force: true, ..Wishes::default() },
        unpacked: false,
        restart_only: false,
        dry_run: request.dry_run,
    };
    let supply = supply(context, declared, &asked, receipt)?;
    let stage = verified::stage(context, declared, &asked, &supply, receipt)?.ok_or_else(|| {
        Failure::Usage(format!(
            "a tree is rebuilt from its archive, and nothing says where that of version {version} is: `--from ARCHIVE`, \
             `--url ADDRESS`, or `package.url` in the manifest"
        ))
    })?;
    let found = stage::version_of(declared, &stage, Some(version))?;
    if found != *version {
        return Err(Failure::OtherArchive(format!(
            "`{}` holds version {found}, not {version}",
            stage.archive
        )));
    }
    Ok(stage)
}

/// Refuses an archive of other bytes than those from which the tree was made.
fn is_of_this_tree(
    context: &Context<'_>,
    of: &Marker,
    version: &Version,
    receipt: Option<&Receipt>,
    stage: &Stage,
) -> Result<(), Failure> {
    let path = context.layout.tree(&of.name, &tree_name(&of.component, version));
    let recorded = || -> Option<Digest> {
        let activations = &receipt?.activations;
        activations.iter().rev().find(|activation| activation.version == *version)?.digest
    };
    let made_from = recorded().or_else(|| tree::read_complete(&path).map(|whole| whole.digest));
    match made_from.filter(|digest| *digest != stage.unpacked.digest) {
        Some(digest) => Err(Failure::OtherArchive(format!(
            "`{}` has the sha256 {}, and version {version} was unpacked from one with {digest}",
            stage.archive, stage.unpacked.digest
        ))),
        None => Ok(()),
    }
}

fn damage(
    context: &Context<'_>,
    of: &Marker,
    version: &Version,
    rebuilt: &Utf8Path,
    exchanges: bool,
) -> Result<Damage, Failure> {
    let (layout, name) = (&context.layout, tree_name(&of.component, version));
    let path = layout.tree(&of.name, &name);
    let found = difference::between(&path, rebuilt).map_err(|source| {
        Failure::File(files::FileError { action: "compare with its archive", path: path.clone(), source })
    })?;
    let trees = tree::versions(&layout.install(&of.name), &of.component)?;
    let others: Vec<&Utf8PathBuf> =
        trees.iter().map(|tree| &tree.path).filter(|other| **other != path).collect();
    let mut shared_with: Vec<String> = found
        .iter()
        .filter(|difference| difference.shared)
        .flat_map(|difference| others.iter().filter(|other| holds(other, &path, difference)))
        .filter_map(|other| other.file_name().map(str::to_owned))
        .collect();
    shared_with.sort();
    shared_with.dedup();
    Ok(Damage {
        version: version.clone(),
        faults: found.iter().map(ToString::to_string).collect(),
        shared_with,
        runs: report::live(layout, &of.name).is_some_and(|status| status.tree == name),
        exchanges,
    })
}

/// Whether a tree holds the very file of another in which that differs from its archive.
fn holds(other: &Utf8Path, tree: &Utf8Path, difference: &Difference) -> bool {
    let file = |root: &Utf8Path| {
        let facts = os::fs::lstat(root.join(&difference.path).as_str()).ok()?;
        Some((facts.st_dev, facts.st_ino))
    };
    file(other).is_some() && file(other) == file(tree)
}
