//! The launch spec: all that a start of one version tree needs, resolved once from the manifest and the
//! package's defaults, and written before the switch to that tree.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::digest::Digest;
use crate::model::duration::Span;
use crate::model::manifest::{
    Hardening, Hooks, Limits, Manifest, PlatformKind, RestartWhen, Scope, Service, Stdin, StopSignal,
    Supervision, Systemd, VariableName,
};
use crate::model::marker::Marker;
use crate::model::name::{ComponentName, InstanceName};
use crate::model::package::PackageDescription;
use crate::model::size::Size;
use crate::model::token::{Places, expand};
use crate::model::version::Version;

pub use crate::model::readiness::{Probe, Readiness};

/// The format that this build writes. A reader that meets a newer one changes nothing.
pub const FORMAT: u32 = 1;

/// All that a start of one version tree needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "mainstay launch spec")]
pub struct LaunchSpec {
    /// The format of this file.
    pub format: u32,
    /// The instance.
    pub name: InstanceName,
    /// Its component.
    pub component: ComponentName,
    /// The version that the tree holds.
    pub version: Version,
    /// The service manager.
    pub platform: PlatformKind,
    /// To whom the service belongs.
    pub scope: Scope,
    /// The deploy folder, absolute.
    #[schemars(with = "String")]
    pub deploy: Utf8PathBuf,
    /// One sentence for the service manager's lists.
    pub description: String,
    /// The program and its arguments, tokens unexpanded.
    pub command: Vec<String>,
    /// Variables of the environment, tokens unexpanded.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<VariableName, String>,
    /// The file of further variables, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub environment_file: Option<Utf8PathBuf>,
    /// The files that hold secrets, absolute.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<VariableName, String>")]
    pub secrets: BTreeMap<VariableName, Utf8PathBuf>,
    /// Whether the service manager hands those files over as credentials, because the program's account
    /// could not read them itself (systemd, system scope, a deploy folder of root's).
    #[serde(default)]
    pub credentials: bool,
    /// The account that runs the program, where that is not the caller's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Where the program starts, tokens unexpanded.
    pub working_directory: String,
    /// What the program reads from its standard input.
    #[serde(default)]
    pub stdin: Stdin,
    /// Whether it starts with the host or its user.
    pub boot: bool,
    /// Who watches it.
    #[serde(default)]
    pub supervision: Supervision,
    /// When it is started again.
    pub restart: RestartPolicy,
    /// How it is asked to end.
    pub stop: StopPolicy,
    /// How it shows that it is ready.
    pub ready: Readiness,
    /// What it may use.
    #[serde(default)]
    pub limits: Limits,
    /// How far it is locked in.
    pub hardening: Hardening,
    /// How long a new version has to become ready.
    pub gate: Span,
    /// How many versions a clean-up keeps.
    pub keep: u32,
    /// Commands around a switch.
    #[serde(default)]
    pub hooks: Hooks,
    /// How captured logs are rotated.
    pub logs: LogPolicy,
    /// What only systemd understands.
    #[serde(default)]
    pub systemd: Systemd,
}

/// When and how often a program is started again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestartPolicy {
    /// After which ending.
    pub when: RestartWhen,
    /// The pauses; the last one goes on. Never empty.
    pub delays: Vec<Span>,
    /// How many restarts within `window`.
    pub limit: u32,
    /// The time in which they are counted.
    pub window: Span,
}

/// How a program is asked to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StopPolicy {
    /// The signal that asks.
    pub signal: StopSignal,
    /// How long it may take.
    pub timeout: Span,
}

/// How captured logs are rotated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogPolicy {
    /// The size at which a file is put away.
    pub max_size: Size,
    /// How many put-away files are kept.
    pub keep: u32,
}

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
}

impl LaunchSpec {
    /// Lays the manifest over the package's defaults over the tool's own.
    pub fn resolve(
        manifest: &Manifest,
        package: Option<&PackageDescription>,
        circumstances: Circumstances,
    ) -> Result<Self, ResolveError> {
        let ours = &manifest.service;
        let nothing = Service::default();
        let theirs = package.map_or(&nothing, |description| &description.service);
        let Circumstances { platform, scope, deploy, version, owner } = circumstances;
        let command =
            ours.command.clone().or_else(|| theirs.command.clone()).ok_or(ResolveError::NoCommand)?;
        let mut environment = theirs.environment.clone();
        environment.extend(ours.environment.clone());
        let secrets = theirs.secrets.iter().chain(&ours.secrets);
        let supervision = ours.supervision.or(theirs.supervision).unwrap_or_default();
        let ready = Readiness::resolve(ours.ready.as_ref(), theirs.ready.as_ref(), supervision);
        let user = ours.user.clone().or_else(|| theirs.user.clone()).or(owner);
        // What a package would like and this platform does not have is left out; what the user wrote is refused
        // by the platform, with the reason.
        let managed = platform == PlatformKind::Systemd;
        let hardening =
            ours.hardening.or(theirs.hardening.filter(|_| managed)).unwrap_or(match (platform, scope) {
                (PlatformKind::Systemd, Scope::System) => Hardening::Standard,
                _ => Hardening::Off,
            });
        own_paths_only(theirs)?;
        let environment_file = ours.environment_file.as_ref().or(theirs.environment_file.as_ref());
        Ok(Self {
            format: FORMAT,
            name: manifest.name.clone(),
            component: manifest.package.name.clone(),
            description: ours
                .description
                .clone()
                .or_else(|| theirs.description.clone())
                .unwrap_or_else(|| format!("{} ({})", manifest.name, manifest.package.name)),
            command,
            environment,
            environment_file: environment_file.map(|path| deploy.join(path)),
            secrets: secrets.map(|(name, secret)| (name.clone(), deploy.join(&secret.file))).collect(),
            credentials: false,
            user: user.filter(|_| scope == Scope::System),
            working_directory: ours
                .working_directory
                .clone()
                .or_else(|| theirs.working_directory.clone())
                .unwrap_or_else(|| "{data}".to_owned()),
            stdin: ours.stdin.or(theirs.stdin).unwrap_or_default(),
            boot: ours.boot.or(theirs.boot).unwrap_or(true),
            supervision,
            restart: RestartPolicy {
                when: ours.restart.when.or(theirs.restart.when).unwrap_or_default(),
                delays: ours
                    .restart
                    .delays
                    .clone()
                    .or_else(|| theirs.restart.delays.clone())
                    .unwrap_or_else(|| [1, 5, 15, 30].map(Span::seconds).to_vec()),
                limit: ours.restart.limit.or(theirs.restart.limit).unwrap_or(5),
                window: ours.restart.window.or(theirs.restart.window).unwrap_or(Span::seconds(300)),
            },
            stop: StopPolicy {
                signal: ours.stop.signal.or(theirs.stop.signal).unwrap_or_default(),
                timeout: ours.stop.timeout.or(theirs.stop.timeout).unwrap_or(Span::seconds(30)),
            },
            gate: manifest.upgrade.gate.unwrap_or(ready.timeout),
            ready,
            limits: Limits {
                memory: ours.limits.memory.or(theirs.limits.memory.filter(|_| managed)),
                open_files: ours.limits.open_files.or(theirs.limits.open_files),
                processes: ours.limits.processes.or(theirs.limits.processes.filter(|_| managed)),
            },
            hardening,
            keep: manifest.upgrade.keep.unwrap_or(2),
            hooks: manifest.upgrade.hooks.clone(),
            logs: LogPolicy {
                max_size: manifest.logs.max_size.unwrap_or(Size::new(10 << 20)),
                keep: manifest.logs.keep.unwrap_or(3),
            },
            systemd: manifest.systemd.clone(),
            platform,
            scope,
            deploy,
            version,
        })
    }

    /// The launch of an instance of which only its identity is known: enough to stop and deregister it.
    #[must_use]
    pub fn bare(of: &Marker) -> Self {
        let ready = Readiness { probe: Probe::Delay(Span::seconds(1)), timeout: Span::seconds(60) };
        Self {
            format: FORMAT,
            name: of.name.clone(),
            component: of.component.clone(),
            version: Version::unknown(),
            platform: of.platform,
            scope: of.scope,
            deploy: of.folder.clone(),
            description: of.name.to_string(),
            command: Vec::new(),
            environment: BTreeMap::new(),
            environment_file: None,
            secrets: BTreeMap::new(),
            credentials: false,
            user: None,
            working_directory: "{data}".to_owned(),
            stdin: Stdin::Null,
            boot: true,
            supervision: Supervision::Mainstay,
            restart: RestartPolicy {
                when: RestartWhen::OnFailure,
                delays: vec![Span::seconds(1)],
                limit: 5,
                window: Span::seconds(300),
            },
            stop: StopPolicy { signal: StopSignal::Sigterm, timeout: Span::seconds(30) },
            gate: ready.timeout,
            ready,
            limits: Limits::default(),
            hardening: Hardening::Off,
            keep: 2,
            hooks: Hooks::default(),
            logs: LogPolicy { max_size: Size::new(10 << 20), keep: 3 },
            systemd: Systemd::default(),
        }
    }

    /// The name of the version tree, and of this spec's file before `.json`.
    #[must_use]
    pub fn tree(&self) -> String {
        tree_name(&self.component, &self.version)
    }

    /// A short word that tells this launch from every other: of another version or with other settings.
    #[must_use]
    pub fn identity(&self) -> String {
        Digest::of(self.text().as_bytes()).short()
    }

    /// The text of the spec's file.
    #[must_use]
    pub fn text(&self) -> String {
        // A launch spec holds only strings, numbers and maps of strings, which JSON can always express.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The program's arguments with their tokens expanded; the first is the program.
    #[must_use]
    pub fn arguments(&self, places: &Places<'_>) -> Vec<String> {
        self.command.iter().map(|argument| expand(argument, places)).collect()
    }

    /// The variables of `environment` with their tokens expanded.
    #[must_use]
    pub fn variables(&self, places: &Places<'_>) -> BTreeMap<VariableName, String> {
        self.environment.iter().map(|(name, value)| (name.clone(), expand(value, places))).collect()
    }

    /// The folder in which the program starts.
    #[must_use]
    pub fn start_folder(&self, places: &Places<'_>) -> Utf8PathBuf {
        self.deploy.join(Utf8Path::new(&expand(&self.working_directory, places)))
    }

    /// The longest time that a stop may take before the service manager steps in: above the drain, so
    /// that the supervisor always ends first.
    #[must_use]
    pub fn stop_limit(&self) -> Span {
        Span::milliseconds(
            u64::try_from(self.stop.timeout.duration().as_millis())
                .unwrap_or(u64::MAX)
                .saturating_add(15_000),
        )
    }
}

/// Files that a package names are handed to its program, by root where root manages them: so they are the
/// deploy folder's own, or the manifest has to name them.
fn own_paths_only(package: &Service) -> Result<(), ResolveError> {
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

/// The name of a version tree: `<component>-<version>`.
#[must_use]
pub fn tree_name(component: &ComponentName, version: &Version) -> String {
    format!("{component}-{version}")
}

#[cfg(test)]
mod tests;
