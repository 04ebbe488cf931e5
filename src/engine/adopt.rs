//! Adopting: a service that somebody else has defined becomes mainstay's. Its definition is read, a manifest is made of
//! it, and both are shown before anything changes; then its definition is exchanged and it is restarted once.

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::engine::change::Request;
use crate::engine::container::adoption::{Adopted, PLATFORM, aim_of};
use crate::engine::execute::execute;
use crate::engine::failure::Failure;
use crate::engine::observe::observe;
use crate::engine::operation::{carried_out, guard_rights};
use crate::engine::resolve::{self, Aim};
use crate::engine::target::{Choice, Declared, TargetError, manifest_in};
use crate::engine::{Context, origin, remarks, trust};
use crate::model::adoption::{AdoptedLine, Before};
use crate::model::compose::Compose;
use crate::model::contradiction::read_manifest;
use crate::model::manifest::{
    FILE_NAME, Manifest, PackageReference, PackageSource, PlatformKind, SCHEMA_ADDRESS,
};
use crate::model::name::{ComponentName, InstanceName};
use crate::model::origin::Bringer;
use crate::model::version::Version;
use crate::plan::apply::adopt::{Adopting, adopt};
use crate::plan::apply::{apply, container};
use crate::plan::step::{Operation, Plan};
use crate::plan::wanted::{Wanted, Wishes};
use crate::platform::adoption::Draft;
use crate::platform::identity;

pub(crate) use crate::engine::adoption::{at_stop, put_aside};
pub use crate::engine::execute::Done;

mod beside;
mod locate;

/// Why something is not adopted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AdoptError {
    /// There is no such unit.
    #[error("there is no unit `{unit}`")]
    NoUnit {
        /// What was named.
        unit: String,
    },
    /// An instance can't be called as the unit is.
    #[error("an instance can't be called `{stem}`, as the unit is: {reason}")]
    Name {
        /// The unit's name without its ending.
        stem: String,
        /// Why not.
        reason: String,
    },
    /// The definition is a link to a file elsewhere.
    #[error("`{path}` is a link: what it leads to is not mainstay's to change")]
    Link {
        /// The link.
        path: Utf8PathBuf,
    },
    /// The definition can't be read.
    #[error("`{path}` can't be read: {reason}")]
    Unreadable {
        /// Which.
        path: Utf8PathBuf,
        /// Why.
        reason: String,
    },
    /// The folder has a manifest already.
    #[error("the folder `{folder}` has a manifest already")]
    HasManifest {
        /// The folder.
        folder: Utf8PathBuf,
    },
    /// What is to be left out is nothing that could not be carried over.
    #[error("nothing that can't be carried over is called {}", quoted(keys))]
    NothingToLeaveOut {
        /// What was typed.
        keys: Vec<String>,
    },
    /// Lines that can't be carried over.
    #[error("{} of `{service}` can't be carried over", counted(lines))]
    Lines {
        /// What was to be adopted.
        service: String,
        /// Those lines.
        lines: Vec<AdoptedLine>,
    },
    /// A definition that starts nothing.
    #[error("`{service}` says no program to start")]
    NoProgram {
        /// What was to be adopted.
        service: String,
    },
}

fn quoted(keys: &[String]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

fn counted(lines: &[AdoptedLine]) -> String {
    match lines.len() {
        1 => "one line".to_owned(),
        count => format!("{count} lines"),
    }
}

/// What is to be adopted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A unit of systemd: its name, or the path of its file.
    Unit(String),
    /// A property list of launchd, by its path.
    Plist(Utf8PathBuf),
    /// A service of a compose file.
    Container {
        /// The file.
        file: Utf8PathBuf,
        /// The service, where it has several.
        service: Option<String>,
    },
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct AdoptRequest {
    /// What is to be adopted.
    pub kind: Kind,
    /// The name that the instance is to have, where that is not the definition's.
    pub name: Option<InstanceName>,
    /// The folder in which the manifest is made.
    pub folder: Utf8PathBuf,
    /// The lines that are left out, by their settings.
    pub leave_out: Vec<String>,
    /// Whether what runs goes on as it is.
    pub no_start: bool,
}

/// What was read of a definition, wherever it was found.
struct Found {
    /// What it is called there.
    service: String,
    /// The name that its instance has, if it can have it.
    name: Result<InstanceName, AdoptError>,
    draft: Draft,
    /// The definition itself, where it is one of this host's.
    definition: Side,
    /// What there is to adopt of a service that its manager knows; nothing where there is only a text.
    adopting: Option<Adopting>,
    /// Its container, where it is one.
    container: Option<Adopted>,
}

/// A file with its text; nothing where there is none.
pub type Side = Option<(Utf8PathBuf, String)>;

/// A file of a definition as it is, and what takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// As it is.
    pub old: Side,
    /// As it will be.
    pub new: Side,
}

/// What an adoption would come to.
pub struct Prepared {
    /// What it is called by its own manager.
    pub service: String,
    /// What became of its lines.
    pub lines: Vec<AdoptedLine>,
    /// The manifest.
    pub declared: Declared,
    /// What would be done.
    pub plan: Plan,
    /// The files of the definition that change.
    pub files: Vec<Change>,
    wanted: Wanted,
    adopting: Option<Adopting>,
    container: Option<Adopted>,
}

/// Reads a definition and decides what its adoption would be. Changes nothing.
pub fn prepare(context: &Context<'_>, request: &AdoptRequest) -> Result<Prepared, Failure> {
    let mut found = locate::find(context, request)?;
    let keys: Vec<String> = request.leave_out.clone();
    let unknown: Vec<String> = found.draft.leave_out(&keys).into_iter().map(str::to_owned).collect();
    if !unknown.is_empty() {
        return Err(AdoptError::NothingToLeaveOut { keys: unknown }.into());
    }
    let refused: Vec<AdoptedLine> = found.draft.refused().cloned().collect();
    if !refused.is_empty() {
        return Err(AdoptError::Lines { service: found.service, lines: refused }.into());
    }
    let declared = declared(context, request, &mut found)?;
    trust::guard_manifest(&declared.deploy, &declared.manifest, context.layout.scope)?;
    let aim = match &found.container {
        Some(container) => aim_of(context, &declared, &container.compose)?,
        None => aim(context, request, &declared)?,
    };
    let wanted = resolve::wanted(context, &declared, aim)?;
    let mut plan = decide(context, &wanted, found.adopting.as_ref(), found.container.as_ref())?;
    plan.notices.extend(found.draft.notices.iter().cloned());
    plan.notices.extend(remarks::remarks(&declared, &wanted.spec, Operation::Adopt));
    let files = files(&wanted, &found);
    Ok(Prepared {
        service: found.service,
        lines: found.draft.lines,
        declared,
        plan,
        files,
        wanted,
        adopting: found.adopting,
        container: found.container,
    })
}

/// Carries out what was shown, if it is agreed to.
pub fn carry_out(
    context: &Context<'_>,
    prepared: &Prepared,
    agree: &dyn Fn(&Plan) -> Result<bool, Failure>,
) -> Result<Done, Failure> {
    guard_rights(context)?;
    let of = identity(&prepared.wanted.spec);
    let (adopting, container) = (prepared.adopting.as_ref(), prepared.container.as_ref());
    let decide = || decide(context, &prepared.wanted, adopting, container);
    carried_out(context, &of, &prepared.plan, agree, decide, |under_lock| {
        origin::aim::guard_unchanged(context, &prepared.wanted)?;
        execute(context, under_lock, &of, None)
    })
}

impl Prepared {
    /// What there was before, where a service of its manager's was adopted.
    #[must_use]
    pub fn before(&self) -> Option<&Before> {
        let container = self.container.as_ref().map(|container| &container.take.before);
        self.adopting.as_ref().map(|adopting| &adopting.before).or(container)
    }
}

fn decide(
    context: &Context<'_>,
    wanted: &Wanted,
    adopting: Option<&Adopting>,
    container: Option<&Adopted>,
) -> Result<Plan, Failure> {
    let observed = observe(context, &identity(&wanted.spec), &resolve::paths(wanted))?;
    if let Some(container) = container {
        return Ok(container::adopt(wanted, &observed, &container.take)?);
    }
    Ok(match adopting {
        Some(adopting) => adopt(wanted, &observed, adopting)?,
        None => apply(Operation::Install, wanted, &observed)?,
    })
}

/// The manifest that the draft makes. It is written as a step of the plan.
fn declared(context: &Context<'_>, request: &AdoptRequest, found: &mut Found) -> Result<Declared, Failure> {
    match manifest_in(&request.folder, &Choice::default()) {
        Err(Failure::Target(TargetError::NoManifest(_))) => {}
        Ok(_) | Err(Failure::Target(TargetError::Several { .. }) | Failure::Faulty(_)) => {
            return Err(AdoptError::HasManifest { folder: request.folder.clone() }.into());
        }
        Err(other) => return Err(other),
    }
    let name = match &request.name {
        Some(name) => name.clone(),
        None => found.name.clone()?,
    };
    let beside = beside::beside(&request.folder, found, &name)?;
    let found = &*found;
    if let Some(container) = &found.container {
        let declared = of_container(request, found, name, &container.compose)?;
        return Ok(Declared { beside, ..declared });
    }
    let no_program = || AdoptError::NoProgram { service: found.service.clone() };
    let program = found.draft.service.command.as_ref().and_then(|command| command.first());
    let component = component(Utf8Path::new(program.ok_or_else(no_program)?), &name)?;
    let platform = found.adopting.as_ref().map(|adopting| match adopting.strange {
        Some(_) => PlatformKind::Launchd,
        None => PlatformKind::Systemd,
    });
    let mut manifest = manifest(found, name, component, platform, PackageSource::Binary);
    let made = Declared { beside: beside.clone(), ..of_manifest(request, &manifest)? };
    let launch =
        resolve::launch(&made, None, Version::unknown(), resolve::platform_of(&made), context.layout.scope)?;
    if origin::origin(context, &launch, &made.beside).is_ok_and(|origin| origin.bringer != Bringer::Unknown) {
        manifest.package.source = PackageSource::Manager;
    }
    Ok(Declared { beside, ..of_manifest(request, &manifest)? })
}

/// The manifest of a container: what it is called by its image is its component.
fn of_container(
    request: &AdoptRequest,
    found: &Found,
    name: InstanceName,
    compose: &Compose,
) -> Result<Declared, Failure> {
    let component = component(Utf8Path::new(compose.image.repository()), &name)?;
    let manifest = Manifest {
        compose: Some(compose.clone()),
        ..manifest(found, name, component, Some(PLATFORM), PackageSource::Archive)
    };
    of_manifest(request, &manifest)
}

fn manifest(
    found: &Found,
    name: InstanceName,
    component: ComponentName,
    platform: Option<PlatformKind>,
    source: PackageSource,
) -> Manifest {
    Manifest {
        schema: Some(SCHEMA_ADDRESS.to_owned()),
        name,
        platform,
        scope: None,
        package: PackageReference {
            name: component,
            version: None,
            source,
            url: None,
            sha256: None,
            public_key: None,
            download: crate::model::source::Download::default(),
        },
        service: found.draft.service.clone(),
        upgrade: crate::model::manifest::Upgrade::default(),
        logs: crate::model::manifest::Logs::default(),
        systemd: found.draft.systemd.clone(),
        compose: None,
    }
}

fn of_manifest(request: &AdoptRequest, manifest: &Manifest) -> Result<Declared, Failure> {
    // A manifest holds words, numbers and lists, which JSON can always express.
    let text = serde_json::to_string_pretty(manifest).unwrap_or_default() + "\n";
    let deploy = trust::inspect(&request.folder)?;
    let path = deploy.folder.join(FILE_NAME);
    let (manifest, document) = read_manifest(path.as_str(), &text)?;
    Ok(Declared {
        path,
        deploy,
        manifest,
        document,
        on_disk: false,
        given: None,
        open: None,
        beside: Vec::new(),
    })
}

/// What the program is called, as far as that can be a component's name; else as the instance is.
fn component(program: &Utf8Path, name: &InstanceName) -> Result<ComponentName, Failure> {
    let called = program.file_name().unwrap_or_default().to_lowercase();
    let own = ComponentName::new(called).or_else(|_| ComponentName::new(name.as_str()));
    own.map_err(|error| Failure::Usage(error.to_string()))
}

fn aim(context: &Context<'_>, request: &AdoptRequest, declared: &Declared) -> Result<Aim, Failure> {
    let wishes = Wishes { no_start: request.no_start, ..Wishes::default() };
    let request = Request::present(Operation::Adopt, wishes, true);
    origin::aim::aim(context, declared, &request, None)
}

/// The files of the definition as they are and as they will be.
fn files(wanted: &Wanted, found: &Found) -> Vec<Change> {
    let own = &wanted.definition;
    let (path, text) = match &own.compose {
        Some(compose) => (&compose.path, &compose.text),
        None => (&own.path, &own.text),
    };
    let new = Some((path.clone(), text.clone()));
    let mut files = vec![Change { old: found.definition.clone(), new }];
    if let Some(adopting) = &found.adopting {
        for (path, text) in &adopting.moved {
            let before = adopting.before.files.iter().find(|file| file.path == *path);
            let old = before.and_then(|file| file.text.clone());
            let side = |text: Option<String>| text.map(|text| (path.clone(), text));
            files.push(Change { old: side(old), new: side(text.clone()) });
        }
    }
    files
}
