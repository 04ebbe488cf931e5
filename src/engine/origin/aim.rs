//! What is wanted of a service whose program somebody else brings: the version is that of the program which the launch
//! really starts. It is looked at before anything is stopped.

use std::cmp::Ordering;

use crate::engine::Context;
use crate::engine::change::Request;
use crate::engine::failure::Failure;
use crate::engine::origin;
use crate::engine::resolve::{self, Aim};
use crate::engine::source::Proof;
use crate::engine::supervisor::active_launch;
use crate::engine::target::Declared;
use crate::model::launch::LaunchSpec;
use crate::model::manifest::PackageSource;
use crate::model::origin::Origin;
use crate::model::receipt::Receipt;
use crate::model::version::Version;
use crate::plan::refusal::Refusal;
use crate::plan::step::Operation;
use crate::plan::wanted::{Standing, Wanted, Wishes};

/// The aim of an operation on a program that stands where somebody else has put it.
pub(crate) fn aim(
    context: &Context<'_>,
    declared: &Declared,
    request: &Request,
    receipt: Option<&Receipt>,
) -> Result<Aim, Failure> {
    let manifest = &declared.manifest;
    let active = receipt.and_then(Receipt::active).map(|active| active.version.clone());
    let launch = resolve::launch(
        declared,
        None,
        active.clone().unwrap_or_else(Version::unknown),
        resolve::platform_of(declared),
        context.layout.scope,
    )?;
    let found = origin::origin(context, &launch, &declared.beside)?;
    if request.operation == Operation::Rollback {
        let before = receipt.and_then(Receipt::previous).map(|previous| previous.version.clone());
        let bring = before.and_then(|before| found.bringer.command(&before));
        return Err(Refusal::NoOldProgram { name: manifest.name.clone(), bring }.into());
    }
    let upgrades = request.operation == Operation::Upgrade;
    let known = active.clone().or_else(|| manifest.package.version.clone()).unwrap_or_else(Version::unknown);
    let mut notices = Vec::new();
    let blind = upgrades && request.wishes.force;
    let version = if blind {
        notices.push(format!(
            "`--force`: nobody looks which version `{}` is, and version {known} stays recorded",
            found.program
        ));
        known
    } else if request.restart_only {
        found.version.clone().unwrap_or_else(|| {
            notices
                .push(format!("nobody knows which version `{}` is: {known} stays recorded", found.program));
            known
        })
    } else {
        wanted_version(declared, request, active.as_ref(), &found, &mut notices)?
    };
    if upgrades && active.as_ref() == Some(&version) && !request.restart_only && !blind {
        let bring = found.bringer.command(&version).map(|command| format!(", as by `{command}`"));
        notices.push(format!(
            "`{}` is version {version}: for another, bring that first{}",
            found.program,
            bring.unwrap_or_default()
        ));
    }
    let before = if blind { None } else { before(context, declared, &launch, &found) };
    Ok(Aim {
        version,
        description: None,
        archive: None,
        // An older version is a matter of the package manager, and was guarded above.
        wishes: Wishes { force: request.wishes.force || upgrades, ..request.wishes },
        edits_version: request.operation != Operation::Apply && !blind,
        standing: Some(Standing {
            program: found.program,
            before,
            restart: request.restart_only || blind,
            notices,
        }),
        container: None,
    })
}

/// The version of the program, if that is one to go to.
fn wanted_version(
    declared: &Declared,
    request: &Request,
    active: Option<&Version>,
    found: &Origin,
    notices: &mut Vec<String>,
) -> Result<Version, Failure> {
    let upgrades = request.operation == Operation::Upgrade;
    let in_manifest = declared.manifest.package.version.as_ref().filter(|_| !upgrades);
    if let Some(asked) = request.version.as_ref().or(in_manifest) {
        origin::guard(found, asked)?;
        return Ok(asked.clone());
    }
    let version = match origin::version(found) {
        Ok(version) => version,
        Err(error) if upgrades => return Err(error.into()),
        Err(error) => {
            notices.push(match declared.manifest.package.source {
                PackageSource::Binary => {
                    format!("nobody says which version `{}` is, so none is recorded", found.program)
                }
                _ => format!("{error}; it is recorded as `unknown`"),
            });
            active.cloned().unwrap_or_else(Version::unknown)
        }
    };
    match active {
        Some(active) if upgrades && version.order(active) == Some(Ordering::Less) => {
            let program = found.program.clone();
            Err(Refusal::OlderProgram { program, from: active.clone(), to: version }.into())
        }
        _ => Ok(version),
    }
}

/// The version to which the active launch leads now. A launch of an archive has its tree, whatever came since.
fn before(context: &Context<'_>, declared: &Declared, next: &LaunchSpec, found: &Origin) -> Option<Version> {
    let active = active_launch(&context.layout, &declared.manifest.name).ok()?;
    if active.source.has_trees() {
        return None;
    }
    let same = active.command == next.command
        && active.environment == next.environment
        && active.environment_file == next.environment_file
        && active.working_directory == next.working_directory;
    if same { found.version.clone() } else { origin::origin(context, &active, &[]).ok()?.version }
}

/// Refuses to go on where the program is no longer what the plan was made for.
pub(crate) fn guard_unchanged(context: &Context<'_>, wanted: &Wanted) -> Result<(), Failure> {
    let Some(standing) = wanted.standing.as_ref().filter(|standing| !standing.restart) else { return Ok(()) };
    let found = origin::origin(context, &wanted.spec, &wanted.beside)?;
    let same = found.program == standing.program
        && found.version.as_ref().is_none_or(|version| *version == wanted.spec.version);
    if same { Ok(()) } else { Err(Failure::Changed(wanted.spec.name.clone())) }
}

/// What an operation on such a program came to: a new version that does not run has left nothing to go back to.
pub(crate) fn told(
    context: &Context<'_>,
    wanted: &Wanted,
    before: Option<&Version>,
    failure: Failure,
) -> Failure {
    if wanted.standing.is_none() || before.is_none_or(|before| *before == wanted.spec.version) {
        return failure;
    }
    let origin = || origin::origin(context, &wanted.spec, &wanted.beside).ok();
    let bring = before.and_then(|before| origin()?.bringer.command(before));
    match failure {
        Failure::NotReady { reason, exit, log, beside: false } | Failure::Down { reason, exit, log } => {
            Failure::NoWayBack { reason, exit, log, bring }
        }
        other => other,
    }
}

/// What contradicts a source whose versions have no trees.
pub(crate) fn guard_request(declared: &Declared, request: &Request) -> Result<(), Failure> {
    let source = match declared.manifest.package.source {
        PackageSource::Archive | PackageSource::Image => return Ok(()),
        PackageSource::Manager => "manager",
        PackageSource::Binary => "binary",
    };
    if request.source.is_archive() {
        return Err(Failure::Usage(format!(
            "`package.source` is `{source}`, so no archive brings the program: bring it with its package manager, \
             then type `mainstay upgrade`"
        )));
    }
    if request.proof != Proof::default() {
        return Err(Failure::Usage(format!(
            "`package.source` is `{source}`, so no archive is opened that `--sha256` or `--signature` could be held against"
        )));
    }
    if request.unpacked && request.operation == Operation::Upgrade {
        let name = declared.manifest.name.clone();
        return Err(Refusal::NoOldProgram { name, bring: None }.into());
    }
    Ok(())
}
