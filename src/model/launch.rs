//! The launch spec: all that a start of one version tree needs, resolved once from the manifest and the
//! package's defaults, and written before the switch to that tree.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::compose::ContainerSpec;
use crate::model::digest::Digest;
use crate::model::duration::Span;
use crate::model::health::{HealthPolicy, HealthProbe};
use crate::model::idle::Idle;
use crate::model::layout::Layout;
use crate::model::manifest::{
    Hardening, Hooks, Limits, PackageSource, PlatformKind, RestartWhen, Scope, Stdin, StopSignal,
    Supervision, Systemd, VariableName, is_default,
};
use crate::model::marker::Marker;
use crate::model::name::{ComponentName, InstanceName};
use crate::model::outcome::ExitCodes;
use crate::model::schedule::Schedule;
use crate::model::size::Size;
use crate::model::socket::Socket;
use crate::model::token::{Places, expand, words};
use crate::model::umask::Umask;
use crate::model::upgrade::{USUAL_KEEP, UpgradePolicy};
use crate::model::version::Version;
use crate::model::watched::Watched;

pub use self::folders::Folders;
pub use self::resolve::{Circumstances, ResolveError, own_paths_only};
pub use crate::model::readiness::{Probe, Readiness};

mod folders;
mod instance;
mod resolve;

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
    /// Whether root reads those files for the program's account, which could not read them itself (system scope, a
    /// deploy folder of root's): systemd, which hands them over as credentials, or our own supervisor.
    #[serde(default)]
    pub credentials: bool,
    /// The account that runs the program, where that is not the caller's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Its group, where that is not the account's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The rights that its files do not get, where that is not the usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub umask: Option<Umask>,
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
    /// How it shows, once it is ready, that it still works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthPolicy>,
    /// When it is run, if it does not run on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// What its exit codes mean.
    #[serde(default, skip_serializing_if = "ExitCodes::is_empty")]
    pub exit_codes: ExitCodes,
    /// The command that tells somebody of a bad ending; empty: there is none. Tokens unexpanded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_failure: Vec<String>,
    /// Whose change starts it anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restart_on_change: Vec<Watched>,
    /// When it is stopped because nobody needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<Idle>,
    /// The sockets that are held for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sockets: Vec<Socket>,
    /// Whether a new process becomes ready beside the old one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub overlap: bool,
    /// The file for monitors, tokens unexpanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_file: Option<String>,
    /// The file with the program's process number, tokens unexpanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid_file: Option<String>,
    /// The names of processes that live on when it stops.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detach: Vec<String>,
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
    /// The container, on platform `compose`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerSpec>,
    /// Who brings the program.
    #[serde(default, skip_serializing_if = "is_default")]
    pub source: PackageSource,
    /// How another version follows this one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub upgrade: UpgradePolicy,
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
    /// The address that is sent a POST instead. May hold `{env.NAME}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    /// The command that is run instead; empty: there is none. Tokens unexpanded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
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
    /// The regular expression that finds a line's level in its group `level`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
}

impl Default for RestartPolicy {
    /// What holds where nobody says anything.
    fn default() -> Self {
        Self {
            when: RestartWhen::default(),
            delays: [1, 5, 15, 30].map(Span::seconds).to_vec(),
            limit: 5,
            window: Span::seconds(300),
        }
    }
}

impl Default for StopPolicy {
    /// What holds where nobody says anything.
    fn default() -> Self {
        Self { signal: StopSignal::default(), http: None, command: Vec::new(), timeout: Span::seconds(30) }
    }
}

impl Default for LogPolicy {
    /// What holds where nobody says anything.
    fn default() -> Self {
        Self { max_size: Size::new(10 << 20), keep: 3, level: None }
    }
}

impl LaunchSpec {
    /// Whether systemd reads those files, once for each start of the service.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        self.credentials && self.platform == PlatformKind::Systemd
    }

    /// The account that the program runs as, where that is not simply who installed it: the one that is named, or the
    /// host's most powerful. What runs in a container is the image's own matter.
    #[must_use]
    pub fn account(&self, layout: &Layout) -> Option<&str> {
        match (&self.user, self.scope) {
            (Some(user), _) => Some(user),
            (None, Scope::User) => None,
            (None, Scope::System) if self.platform == PlatformKind::Compose => None,
            (None, Scope::System) if self.platform == PlatformKind::Windows => Some("LocalSystem"),
            (None, Scope::System) => (!layout.is_of_windows()).then_some("root"),
        }
    }

    /// The launch of an instance of which only its identity is known: enough to stop and deregister it.
    #[must_use]
    pub fn bare(of: &Marker) -> Self {
        let ready = Readiness::default();
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
            group: None,
            umask: None,
            working_directory: "{data}".to_owned(),
            stdin: Stdin::Null,
            boot: true,
            supervision: Supervision::Mainstay,
            restart: RestartPolicy::default(),
            stop: StopPolicy::default(),
            gate: ready.timeout,
            ready,
            health: None,
            schedule: None,
            exit_codes: ExitCodes::default(),
            on_failure: Vec::new(),
            restart_on_change: Vec::new(),
            idle: None,
            sockets: Vec::new(),
            overlap: false,
            health_file: None,
            pid_file: None,
            detach: Vec::new(),
            limits: Limits::default(),
            hardening: Hardening::Off,
            keep: USUAL_KEEP,
            hooks: Hooks::default(),
            logs: LogPolicy::default(),
            systemd: Systemd::default(),
            container: None,
            source: PackageSource::default(),
            upgrade: UpgradePolicy::default(),
        }
    }

    /// The name of the version tree, and of this spec's file before `.json`.
    #[must_use]
    pub fn tree(&self) -> String {
        tree_name(&self.component, &self.version)
    }

    /// A short word that tells this launch from every other that runs differently: of another version, or with other
    /// settings. What only decides about upgrades does not count, nor what the service manager alone reads
    /// ([`Effect`](crate::model::effect::Effect)).
    #[must_use]
    pub fn identity(&self) -> String {
        let running = Self {
            boot: true,
            description: String::new(),
            logs: LogPolicy { level: None, ..self.logs.clone() },
            systemd: Systemd { unit: BTreeMap::new(), ..self.systemd.clone() },
            gate: self.ready.timeout,
            keep: 0,
            hooks: Hooks::default(),
            upgrade: UpgradePolicy::default(),
            ..self.clone()
        };
        Digest::of(running.text().as_bytes()).short()
    }

    /// Whether what is started is of the version tree: the command, a variable or the folder in which it starts names
    /// it, by its token or below the instance's install folder.
    #[must_use]
    pub fn names_package(&self, install: &Utf8Path) -> bool {
        let texts = self.command.iter().chain(self.environment.values()).chain([&self.working_directory]);
        texts.into_iter().any(|text| words(text).contains(&"package") || text.contains(install.as_str()))
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

    /// The folder in which the program starts.
    #[must_use]
    pub fn start_folder(&self, places: &Places<'_>) -> Utf8PathBuf {
        self.deploy.join(Utf8Path::new(&expand(&self.working_directory, places)))
    }

    /// How long a program may be silent that says itself that it still works (`sd_watchdog_enabled(3)`).
    #[must_use]
    pub fn longest_silence(&self) -> Option<Span> {
        self.health.as_ref().filter(|health| health.probe == HealthProbe::Notify).map(|health| health.every)
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

/// The name of a version tree: `<component>-<version>`.
#[must_use]
pub fn tree_name(component: &ComponentName, version: &Version) -> String {
    format!("{component}-{version}")
}

#[cfg(test)]
mod tests;
