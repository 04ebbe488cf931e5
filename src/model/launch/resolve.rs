//! How a launch spec comes about: the manifest over the package's defaults over the tool's own.

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::model::compose::{ContainerSpec, EngineKind};
use crate::model::duration::Span;
use crate::model::health::{HealthPolicy, HealthProbe};
use crate::model::launch::{FORMAT, LaunchSpec, LogPolicy, Readiness, RestartPolicy, StopPolicy};
use crate::model::manifest::{
    Hardening, Limits, Logs, Manifest, PackageSource, PlatformKind, Restart, RestartWhen, Scope, Service,
    Stop, Supervision,
};
use crate::model::package::PackageDescription;
use crate::model::readiness::Probe;
use crate::model::socket::answered_by;
use crate::model::upgrade::{USUAL_KEEP, UpgradePolicy};
use crate::model::version::Version;

/// What the manifest leaves open and the host decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// The service manager.
    pub platform: PlatformKind,
    /// To whom the service belongs.
    pub scope: Scope,
    /// The deploy folder, absolute.
    pub deploy: Utf8PathBuf,
    /// The version of the tree.
    pub version: Version,
    /// The deploy folder's owner, where that is not the one who acts: then the default of `service.user`.
    pub owner: Option<String>,
}

/// Why a manifest and a package do not make a service.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ResolveError {
    /// Neither says what to run.
    #[error("neither the manifest's `service.command` nor the package says which program to run")]
    NoCommand,
    /// A package names a file that is not the deploy folder's.
    #[error("the package's `{field}` is `{path}`: a package may name only files of the deploy folder")]
    PackagePath {
        /// The field of the package's description.
        field: String,
        /// The path.
        path: Utf8PathBuf,
    },
    /// On the way to a file that a package names stands a link.
    #[error(
        "the package's `{field}` goes through the link `{path}`: a package may name only files of the deploy folder"
    )]
    PackageLink {
        /// The field of the package's description.
        field: String,
        /// The link.
        path: Utf8PathBuf,
    },
    /// A probe asks at a socket that is held for the program, of which the manifest says the one and the package
    /// the other.
    #[error(
        "the service is asked by `{field}` at `{address}`, one of its `sockets`, where {answers}: ask in another way, in the manifest's `{field}`"
    )]
    AskedAtSocket {
        /// The field of the probe.
        field: &'static str,
        /// What it asks.
        address: String,
        /// Who answers there.
        answers: &'static str,
    },
}

impl LaunchSpec {
    /// Lays the manifest over the package's defaults over the tool's own.
    pub fn resolve(
        manifest: &Manifest,
        package: Option<&PackageDescription>,
        circumstances: Circumstances,
    ) -> Result<Self, ResolveError> {
        let spec = Self::lay_over(manifest, package, circumstances)?;
        not_at_sockets(&spec)?;
        Ok(spec)
    }

    fn lay_over(
        manifest: &Manifest,
        package: Option<&PackageDescription>,
        circumstances: Circumstances,
    ) -> Result<Self, ResolveError> {
        let ours = &manifest.service;
        let nothing = Service::default();
        let theirs = package.map_or(&nothing, |description| &description.service);
        let Circumstances { platform, scope, deploy, version, owner } = circumstances;
        let container = container(manifest, platform);
        // An image knows what it starts, and where.
        let (own_command, own_folder) = match &container {
            Some(_) => (Some(Vec::new()), ""),
            None => (None, "{data}"),
        };
        let command = ours.command.clone().or_else(|| theirs.command.clone()).or(own_command);
        let command = command.ok_or(ResolveError::NoCommand)?;
        let mut environment = theirs.environment.clone();
        environment.extend(ours.environment.clone());
        let secrets = theirs.secrets.iter().chain(&ours.secrets);
        let ready_by = ours.supervision.or(theirs.supervision).unwrap_or_default();
        let ready = Readiness::resolve(ours.ready.as_ref(), theirs.ready.as_ref(), ready_by);
        // A container's engine is what watches it.
        let supervision = if container.is_some() { Supervision::Native } else { ready_by };
        let user = ours.user.clone().or_else(|| theirs.user.clone()).or(owner);
        // What a package would like and this platform does not have is left out; what the user wrote is refused
        // by the platform, with the reason.
        let managed = platform == PlatformKind::Systemd;
        let hardening =
            ours.hardening.or(theirs.hardening.filter(|_| managed)).unwrap_or(match (platform, scope) {
                (PlatformKind::Systemd, Scope::System) => Hardening::Standard,
                _ => Hardening::Off,
            });
        let schedule = ours.schedule.clone().or_else(|| theirs.schedule.clone());
        let idle = ours.idle.as_ref().or(theirs.idle.as_ref());
        own_paths_only(theirs)?;
        let environment_file = ours.environment_file.as_ref().or(theirs.environment_file.as_ref());
        Ok(Self {
            format: FORMAT,
            name: manifest.name.clone(),
            component: manifest.package.name.clone(),
            description: description(manifest, theirs),
            command,
            environment,
            environment_file: environment_file.map(|path| deploy.join(path)),
            secrets: secrets.map(|(name, secret)| (name.clone(), deploy.join(&secret.file))).collect(),
            credentials: false,
            user: user.filter(|_| scope == Scope::System),
            group: ours.group.clone().or_else(|| theirs.group.clone()).filter(|_| scope == Scope::System),
            umask: ours.umask.or(theirs.umask),
            working_directory: ours
                .working_directory
                .clone()
                .or_else(|| theirs.working_directory.clone())
                .unwrap_or_else(|| own_folder.to_owned()),
            stdin: ours.stdin.or(theirs.stdin).unwrap_or_default(),
            boot: ours.boot.or(theirs.boot).unwrap_or(true),
            supervision,
            restart: restart(&ours.restart, &theirs.restart, schedule.is_some()),
            stop: stop(&ours.stop, &theirs.stop),
            gate: manifest.upgrade.gate.unwrap_or(ready.timeout),
            ready,
            health: HealthPolicy::resolve(ours.health.as_ref(), theirs.health.as_ref()),
            schedule,
            exit_codes: ours.exit_codes.over(&theirs.exit_codes),
            on_failure: either(ours.on_failure.as_ref(), theirs.on_failure.as_ref()),
            restart_on_change: either(ours.restart_on_change.as_ref(), theirs.restart_on_change.as_ref()),
            idle: idle.filter(|idle| idle.after > Span::seconds(0)).cloned(),
            sockets: either(ours.sockets.as_ref(), theirs.sockets.as_ref()),
            overlap: ours.overlap.or(theirs.overlap).unwrap_or(false),
            health_file: ours.health_file.clone().or_else(|| theirs.health_file.clone()),
            pid_file: ours.pid_file.clone().or_else(|| theirs.pid_file.clone()),
            detach: either(ours.detach.as_ref(), theirs.detach.as_ref()),
            limits: Limits {
                memory: ours.limits.memory.or(theirs.limits.memory),
                open_files: ours.limits.open_files.or(theirs.limits.open_files),
                nice: ours.limits.nice.or(theirs.limits.nice),
                processes: ours.limits.processes.or(theirs.limits.processes.filter(|_| managed)),
            },
            hardening,
            keep: manifest.upgrade.keep.unwrap_or(USUAL_KEEP),
            hooks: manifest.upgrade.hooks.clone(),
            logs: logs(&manifest.logs),
            systemd: manifest.systemd.clone(),
            source: if container.is_some() { PackageSource::Image } else { manifest.package.source },
            container,
            upgrade: UpgradePolicy::resolve(&manifest.upgrade, package),
            platform,
            scope,
            deploy,
            version,
        })
    }
}

fn restart(ours: &Restart, theirs: &Restart, is_scheduled: bool) -> RestartPolicy {
    let usual = RestartPolicy::default();
    // A schedule is itself what starts the program again.
    let when = if is_scheduled { RestartWhen::Never } else { usual.when };
    RestartPolicy {
        when: ours.when.or(theirs.when).unwrap_or(when),
        delays: ours.delays.clone().or_else(|| theirs.delays.clone()).unwrap_or(usual.delays),
        limit: ours.limit.or(theirs.limit).unwrap_or(usual.limit),
        window: ours.window.or(theirs.window).unwrap_or(usual.window),
    }
}

fn stop(ours: &Stop, theirs: &Stop) -> StopPolicy {
    let usual = StopPolicy::default();
    StopPolicy {
        signal: ours.signal.or(theirs.signal).unwrap_or(usual.signal),
        http: ours.http.clone().or_else(|| theirs.http.clone()),
        command: either(ours.command.as_ref(), theirs.command.as_ref()),
        timeout: ours.timeout.or(theirs.timeout).unwrap_or(usual.timeout),
    }
}

fn logs(logs: &Logs) -> LogPolicy {
    let usual = LogPolicy::default();
    LogPolicy {
        max_size: logs.max_size.unwrap_or(usual.max_size),
        keep: logs.keep.unwrap_or(usual.keep),
        level: logs.level.clone(),
    }
}

/// The container of a manifest. Its image stands as it is written until the engine has said which one that is.
fn container(manifest: &Manifest, platform: PlatformKind) -> Option<ContainerSpec> {
    let wanted = manifest.compose.clone().filter(|_| platform == PlatformKind::Compose)?;
    Some(ContainerSpec {
        pinned: wanted.image.to_string(),
        engine: wanted.engine.unwrap_or(EngineKind::Docker),
        wanted,
    })
}

fn description(manifest: &Manifest, package: &Service) -> String {
    let written = manifest.service.description.as_ref().or(package.description.as_ref());
    written.cloned().unwrap_or_else(|| format!("{} ({})", manifest.name, manifest.package.name))
}

/// Files that a package names are handed to its program, by root where root manages them: so they are the
/// deploy folder's own, or the manifest has to name them.
///
/// # Errors
///
/// The first that is not.
pub fn own_paths_only(package: &Service) -> Result<(), ResolveError> {
    let environment_file =
        package.environment_file.iter().map(|path| ("service.environmentFile".to_owned(), path));
    let secrets =
        package.secrets.iter().map(|(name, secret)| (format!("service.secrets.{name}"), &secret.file));
    for (field, path) in environment_file.chain(secrets) {
        if !path.components().all(|component| matches!(component, camino::Utf8Component::Normal(_))) {
            return Err(ResolveError::PackagePath { field, path: path.clone() });
        }
    }
    Ok(())
}

/// Refuses what the check of one file can't see: the probe of the one file at a socket of the other.
fn not_at_sockets(spec: &LaunchSpec) -> Result<(), ResolveError> {
    const SYSTEM: &str = "the system takes connections whether the program works or not";
    const OLD: &str = "with `overlap` the old process answers as well as the new one";
    let asked = match &spec.ready.probe {
        Probe::Tcp(address) => Some(("service.ready", address, SYSTEM)),
        Probe::Http(address) if spec.overlap => Some(("service.ready", address, OLD)),
        _ => None,
    };
    let health = match spec.health.as_ref().map(|health| &health.probe) {
        Some(HealthProbe::Tcp(address)) => Some(("service.health", address, SYSTEM)),
        _ => None,
    };
    match asked.into_iter().chain(health).find(|(_, address, _)| answered_by(address, &spec.sockets)) {
        Some((field, address, answers)) => {
            Err(ResolveError::AskedAtSocket { field, address: address.clone(), answers })
        }
        None => Ok(()),
    }
}

/// The manifest's list, else the package's, else none.
fn either<T: Clone>(ours: Option<&Vec<T>>, theirs: Option<&Vec<T>>) -> Vec<T> {
    ours.or(theirs).cloned().unwrap_or_default()
}
