//! Bringing an instance to what its manifest says, to another version, or back: install, apply, upgrade,
//! rollback.

use std::cell::Cell;

use camino::{Utf8Path, Utf8PathBuf};

use self::aim::unsigned;
use crate::engine::asking::{Arrived, Asking};
use crate::engine::beside::VariablesFile;
use crate::engine::execute::{Done, execute};
use crate::engine::failure::Failure;
use crate::engine::observe::observe;
use crate::engine::operation::{carried_out, guard_rights, is_done};
use crate::engine::readying::Readying;
use crate::engine::resolve;
use crate::engine::source::{self, Proof, Source, Supply, verified};
use crate::engine::stage::Stage;
use crate::engine::target::{Choice, Declared, LARGEST, Target, TargetError, manifest_in};
use crate::engine::variables::required;
use crate::engine::{Context, data, development, drafted, drift, given, origin, remarks, trial, trust};
use crate::host::{files, lock};
use crate::model::launch::tree_name;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::model::package::Host;
use crate::model::receipt::Receipt;
use crate::model::version::Version;
use crate::package::tree;
use crate::plan::apply::apply;
use crate::plan::cleanup;
use crate::plan::observed::{Running, Tree};
use crate::plan::step::{Operation, Plan};
use crate::plan::wanted::{Wanted, Wishes};
use crate::platform::identity;

mod aim;
mod request;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// Install, apply, upgrade or rollback.
    pub operation: Operation,
    /// Where it comes from.
    pub source: Source,
    /// What was typed that an archive has to agree with.
    pub proof: Proof,
    /// The file of variables that comes with it.
    pub variables: Option<VariablesFile>,
    /// The version that was typed: of the archive, or of a tree that is there (`--to`).
    pub version: Option<Version>,
    /// What the person allows or asks.
    pub wishes: Wishes,
    /// Whether the version that was typed has to be unpacked here already (`--to`).
    pub unpacked: bool,
    /// Whether the program is only started again, whatever version it is.
    pub restart_only: bool,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
}

/// What an operation came to.
#[derive(Debug)]
pub struct Outcome {
    /// What was decided.
    pub plan: Plan,
    /// The version that was active before.
    pub before: Option<Version>,
    /// The version that is wanted.
    pub after: Version,
    /// What it came to; nothing for a dry run.
    pub done: Option<Done>,
}

/// Decides, shows, and does. `agree` is asked with the plan before the lock is taken, and again if the plan
/// is another one under it.
pub fn change(
    context: &Context<'_>,
    target: &Target,
    request: &Request,
    agree: &dyn Fn(&Plan) -> Result<bool, Failure>,
) -> Result<Outcome, Failure> {
    let declare = |declared: &Declared, _: Arrived<'_>| Ok(declared.clone());
    change_asking(context, target, request, &Asking { agree, declare: &declare })
}

/// The same, where a manifest that is not written yet may depend on what is in the archive.
pub fn change_asking(
    context: &Context<'_>,
    target: &Target,
    request: &Request,
    asking: &Asking<'_>,
) -> Result<Outcome, Failure> {
    let again;
    let declared = match (&target.manifest, &target.marker) {
        (Some(declared), _) => declared,
        // It was passed over when the instance was looked for; now it is needed, or says what is wrong with it.
        (None, Some(marker)) => {
            let choice = Choice { name: Some(target.name.clone()), ..Choice::default() };
            again = manifest_in(&marker.folder, &choice)?;
            &again
        }
        (None, None) => return Err(TargetError::NoManifest(Utf8PathBuf::new()).into()),
    };
    if !request.dry_run {
        guard_rights(context)?;
    }
    trust::guard_manifest(&declared.deploy, &declared.manifest, context.layout.scope)?;
    if !request.source.brings() || request.dry_run {
        let outcome = with_archive(context, target, declared, request, asking);
        return outcome.map_err(|failure| busy(context, &target.name, failure));
    }
    let told = |failure| match request.source {
        Source::Manifest => busy(context, &target.name, failure),
        _ => failure,
    };
    let folder = context.layout.install(&target.name);
    let mut made: Vec<&Utf8Path> = vec![&folder];
    if let Some(root) = folder.parent()
        && files::facts(root)?.is_none()
    {
        made.push(root);
    }
    let outcome = with_archive(context, target, declared, request, asking);
    // They may have been made for an archive that was refused.
    for folder in made {
        files::remove_empty_folder(folder)?;
    }
    outcome.map_err(told)
}

/// What is refused while another command is at work is no verdict: that command may be about to change what it
/// was judged by.
fn busy(context: &Context<'_>, name: &InstanceName, failure: Failure) -> Failure {
    let at_work = || lock::is_held(&context.layout.operation_lock(name)) == Some(true);
    if matches!(failure, Failure::Refused(_)) && at_work() { Failure::Busy(name.clone()) } else { failure }
}

/// Begins anew with what is there now, where another command was faster: what was wanted by the manifest or the
/// active version before would take back what that command did.
fn with_archive(
    context: &Context<'_>,
    target: &Target,
    declared: &Declared,
    request: &Request,
    asking: &Asking<'_>,
) -> Result<Outcome, Failure> {
    let overtaken = Cell::new(false);
    let outcome = attempt(context, target, declared, request, asking, &overtaken);
    // What came on standard input is gone.
    if request.source == Source::Input || !overtaken.get() {
        return outcome;
    }
    if let Some(read_again) = given::anew(declared)? {
        return attempt(context, target, &read_again, request, asking, &overtaken);
    }
    if !declared.on_disk {
        return attempt(context, target, declared, request, asking, &overtaken);
    }
    let choice = Choice { name: Some(target.name.clone()), ..Choice::default() };
    let declared = manifest_in(&declared.deploy.folder, &choice)?;
    trust::guard_manifest(&declared.deploy, &declared.manifest, context.layout.scope)?;
    attempt(context, target, &declared, request, asking, &overtaken)
}

/// Whether the manifest says what it said when it was read.
fn is_current(declared: &Declared) -> Result<bool, Failure> {
    if let Some(given) = &declared.given {
        return Ok(trust::read(&declared.deploy, &declared.path, LARGEST)? == given.before);
    }
    Ok(!declared.on_disk || files::read(&declared.path)?.as_deref() == Some(declared.document.text()))
}

/// What came of a request before anything is decided: the manifest, completed by what its archive says, and the archive.
struct Brought {
    declared: Declared,
    supply: Supply,
    stage: Option<Stage>,
    /// What there is to say of an archive for which nobody vouches.
    unsigned: Option<String>,
}

fn bring(
    context: &Context<'_>,
    declared: &Declared,
    request: &Request,
    receipt: Option<&Receipt>,
    asking: &Asking<'_>,
) -> Result<Brought, Failure> {
    let supply = source::supply(context, declared, request, receipt)?;
    // Images are their engine's to bring.
    let stage = match &declared.manifest.compose {
        Some(_) => None,
        None => verified::stage(context, declared, request, &supply, receipt)?,
    };
    let Some(stage) = stage else {
        return Ok(Brought { declared: declared.clone(), supply, stage: None, unsigned: None });
    };
    let declared = drafted::completed(declared, &stage)?.unwrap_or_else(|| declared.clone());
    let unsigned = unsigned(&declared, request, &stage);
    let declared = if declared.on_disk || declared.given.is_some() {
        declared
    } else {
        let arrived = Arrived { archive: &stage.archive, tree: stage.staging.path() };
        (asking.declare)(&declared, arrived)?
    };
    Ok(Brought { declared, supply, stage: Some(stage), unsigned })
}

/// What is wanted of an instance, and of its host.
struct Meant {
    /// The manifest, with the files that come with it, and what services for development give the program in them.
    declared: Declared,
    wanted: Wanted,
    host: Host,
}

fn meant(
    context: &Context<'_>,
    brought: &Brought,
    request: &Request,
    receipt: Option<&Receipt>,
) -> Result<Meant, Failure> {
    let typed = request.variables.as_ref();
    let placed = typed.map(|file| file.with(context, &brought.declared, None)).transpose()?.flatten();
    let is_placed = placed.is_some();
    let mut declared = placed.unwrap_or_else(|| brought.declared.clone());
    let aim = aim::aim(context, &declared, request, &brought.supply, receipt, brought.stage.as_ref())?;
    let description = aim.description.clone();
    if let Some(file) = typed.filter(|_| !is_placed) {
        // What the manifest does not say of its place, the package may.
        declared =
            file.with(context, &declared, description.as_ref())?.ok_or_else(VariablesFile::homeless)?;
    }
    let mut development = None;
    if request.wishes.development {
        let (with_lines, services) = development::want(context, &declared, description.as_ref())?;
        (declared, development) = (with_lines, Some(services));
    }
    let wanted = Wanted { development, ..resolve::wanted(context, &declared, aim)? };
    let said = description.map(|description| (description.environment, description.host));
    let (environment, host) = said.unwrap_or_default();
    if request.operation != Operation::Rollback {
        required::guard(&declared, &wanted.spec, &environment)?;
    }
    Ok(Meant { declared, wanted, host })
}

fn attempt(
    context: &Context<'_>,
    target: &Target,
    declared: &Declared,
    request: &Request,
    asking: &Asking<'_>,
    overtaken: &Cell<bool>,
) -> Result<Outcome, Failure> {
    let receipt = trial::receipt(&context.layout, &target.name)?;
    origin::aim::guard_request(declared, request)?;
    // The archive is unpacked before the plan, which says all the same whose folder is made for it.
    let install = context.layout.install(&target.name);
    let made = if files::facts(&install)?.is_none() { Some(install) } else { None };
    let brought = bring(context, declared, request, receipt.as_ref(), asking)?;
    let Meant { declared, wanted, host } = meant(context, &brought, request, receipt.as_ref())?;
    let Brought { supply, stage, unsigned, .. } = brought;
    let of = identity(&wanted.spec);
    let decide = || decide(context, &declared, &of, request.operation, &wanted, made.as_deref());
    let mut plan = decide()?;
    plan.notices.extend(remarks::remarks(&declared, &wanted.spec, request.operation));
    // Who runs these bytes already gains nothing by hearing of them.
    plan.notices.extend(unsigned.filter(|_| !plan.is_empty()));
    let readying = Readying::look(context, &declared, &wanted, host, &mut plan)?;
    plan.room = stage.as_ref().map(|stage| stage.room).unwrap_or_default();
    let before = receipt.as_ref().and_then(Receipt::active).map(|active| active.version.clone());
    // Nothing but the receipt says which version is wanted: whichever is active then.
    let follows_active = stage.is_none()
        && request.operation != Operation::Rollback
        && supply.version.is_none()
        && declared.manifest.package.version.is_none();
    let after = wanted.spec.version.clone();
    if request.dry_run {
        development::images(context, &wanted, true)?;
    }
    if request.dry_run || is_done(context, &of.name, &plan)? {
        return Ok(Outcome { plan, before, after, done: None });
    }
    let agree = |plan: &Plan| {
        let agreed = (asking.agree)(plan)?;
        if agreed {
            // What may take minutes comes before the lock, and only for what is really to be done.
            development::images(context, &wanted, false)?;
        }
        Ok(agreed)
    };
    let still = || {
        overtaken.set(
            !readying.is_current(context, &declared, &wanted)
                || !is_current(&declared)?
                || !development::is_current(context, &wanted)?
                || (follows_active && active_version(context, &of.name)? != before),
        );
        if overtaken.get() { Err(Failure::Changed(of.name.clone())) } else { decide() }
    };
    let done = carried_out(context, &of, &plan, &agree, still, |under_lock| {
        origin::aim::guard_unchanged(context, &wanted)?;
        readying.around(context, &wanted, &plan, || {
            execute(context, under_lock, &of, stage.map(Stage::into_parts))
                .map_err(|failure| origin::aim::told(context, &wanted, before.as_ref(), failure))
        })
    })?;
    tell_of_lingering(context, &wanted);
    tell_of_old_versions(context, &wanted);
    Ok(Outcome { plan, before, after, done: Some(done) })
}

fn active_version(context: &Context<'_>, name: &InstanceName) -> Result<Option<Version>, Failure> {
    let receipt = trial::receipt(&context.layout, name)?;
    Ok(receipt.as_ref().and_then(Receipt::active).map(|active| active.version.clone()))
}

/// Versions go by a command of their own: whoever brings one more than are to be kept should know.
fn tell_of_old_versions(context: &Context<'_>, wanted: &Wanted) {
    let spec = &wanted.spec;
    let Ok(trees) = tree::versions(&context.layout.install(&spec.name), &spec.component) else { return };
    let trees: Vec<Tree> = trees
        .into_iter()
        .map(|found| Tree {
            name: tree_name(&spec.component, &found.version),
            version: found.version,
            whole: found.complete.map(|complete| complete.digest),
        })
        .collect();
    let beyond = cleanup::beyond(spec, &trees);
    if beyond > 0 && wanted.archive.is_some() {
        let (versions, keep) = (if beyond == 1 { "version" } else { "versions" }, spec.keep);
        context.notice(format!(
            "there {} {beyond} old {versions} more than the {keep} that are kept: `mainstay upgrade --cleanup --name {}`",
            if beyond == 1 { "is" } else { "are" },
            spec.name
        ));
    }
}

/// A user's service that is to start at boot, on a host that would not: the person has to know.
fn tell_of_lingering(context: &Context<'_>, wanted: &Wanted) {
    let spec = &wanted.spec;
    let concerned = spec.boot && spec.platform == PlatformKind::Systemd && spec.scope == Scope::User;
    let user = &context.caller.name;
    if concerned && context.manager.lingering(user).is_ok_and(|lingers| !lingers) {
        context.notice(format!(
            "{} will not start at boot and ends with your last login, because lingering is off for {user} and \
             could not be switched on: `sudo loginctl enable-linger {user}`",
            spec.name
        ));
    }
}

fn decide(
    context: &Context<'_>,
    declared: &Declared,
    of: &Marker,
    operation: Operation,
    wanted: &Wanted,
    made: Option<&Utf8Path>,
) -> Result<Plan, Failure> {
    let mut observed = observe(context, of, &resolve::paths(wanted))?;
    if let Some(made) = made {
        observed.present.remove(made);
    }
    data::observe(context, wanted, &mut observed)?;
    // What is not asked for is not looked at: an engine that is down keeps nobody from an upgrade.
    if wanted.development.is_some() {
        observed.development = development::observe(context, of, Some(wanted))?;
    }
    drift::observe(context, declared, wanted, &mut observed);
    if observed.running == Running::Unknown {
        // What runs can't be exchanged without the word of whoever runs it; its own words say why it has none.
        context.manager.seen(of)?;
    }
    Ok(apply(operation, wanted, &observed)?)
}
