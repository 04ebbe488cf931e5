//! Where everything stands: the one module that knows every path. Where that begins on each system, `usual` says.

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::manifest::{PlatformKind, Scope};
use crate::model::name::{ComponentName, InstanceName};
use crate::model::operating_system::OperatingSystem;

pub mod hidden;
mod usual;

pub use usual::{HostFolders, UserFolders};

/// The name of the file beside the status that says what the supervisor saw happen.
pub const EVENTS: &str = "events.jsonl";

/// The folders of one scope on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// To whom they belong.
    pub scope: Scope,
    /// `MAINSTAY_ROOT`, when the layout was moved; definitions carry it.
    pub root: Option<Utf8PathBuf>,
    /// `MAINSTAY_CONFIG_ROOT`, when the index and the configuration folders were moved.
    pub config_root: Option<Utf8PathBuf>,
    config: Utf8PathBuf,
    state: Utf8PathBuf,
    run: Option<Utf8PathBuf>,
    logs: Logs,
    install: Utf8PathBuf,
    data: Option<Utf8PathBuf>,
    units: Utf8PathBuf,
    property_lists: Utf8PathBuf,
    program: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Logs {
    /// `<folder>/<name>`
    Folder(Utf8PathBuf),
    /// `<folder>/<name>/logs`
    WithinInstance(Utf8PathBuf),
}

impl Layout {
    /// The same layout with everything that the service manager does not dictate below one folder
    /// (`MAINSTAY_ROOT`).
    #[must_use]
    pub fn below(self, root: Utf8PathBuf) -> Self {
        Self {
            config: root.join("config"),
            state: root.join("state"),
            run: None,
            logs: Logs::Folder(root.join("logs")),
            install: root.join("install"),
            data: None,
            root: Some(root),
            ..self
        }
    }

    /// The same layout with the index and the configuration folders elsewhere (`MAINSTAY_CONFIG_ROOT`).
    #[must_use]
    pub fn with_config_root(self, root: Utf8PathBuf) -> Self {
        Self { config: root.clone(), config_root: Some(root), ..self }
    }

    /// Whether these are the folders of a Windows.
    #[must_use]
    pub fn is_of_windows(&self) -> bool {
        self.program == OperatingSystem::Windows.program()
    }

    /// The index of this scope: a cache of the markers.
    #[must_use]
    pub fn index(&self) -> Utf8PathBuf {
        self.config.join("instances.json")
    }

    /// The lock under which the index is written.
    #[must_use]
    pub fn index_lock(&self) -> Utf8PathBuf {
        self.state.join(".locks/instances.lock")
    }

    /// The configuration folder of an instance.
    #[must_use]
    pub fn config(&self, name: &InstanceName) -> Utf8PathBuf {
        self.config.join(name.as_str())
    }

    /// The folder that holds the states of all instances.
    #[must_use]
    pub fn states(&self) -> &Utf8Path {
        &self.state
    }

    /// The state folder of an instance.
    #[must_use]
    pub fn state(&self, name: &InstanceName) -> Utf8PathBuf {
        self.state.join(name.as_str())
    }

    /// What is active, and the last applied manifest.
    #[must_use]
    pub fn receipt(&self, name: &InstanceName) -> Utf8PathBuf {
        self.state(name).join("receipt.json")
    }

    /// What happened, a line an event.
    #[must_use]
    pub fn history(&self, name: &InstanceName) -> Utf8PathBuf {
        self.state(name).join("history.jsonl")
    }

    /// The folder of the launch specs.
    #[must_use]
    pub fn launches(&self, name: &InstanceName) -> Utf8PathBuf {
        self.state(name).join("launch")
    }

    /// The launch spec of one version tree.
    #[must_use]
    pub fn launch(&self, name: &InstanceName, tree: &str) -> Utf8PathBuf {
        self.launches(name).join(format!("{tree}.json"))
    }

    /// The trial that is open, for the supervisor to read.
    #[must_use]
    pub fn trial(&self, name: &InstanceName) -> Utf8PathBuf {
        self.state(name).join("trial.json")
    }

    /// The snapshots of an instance's data, each in a folder of the tree that wrote them.
    #[must_use]
    pub fn snapshots(&self, name: &InstanceName) -> Utf8PathBuf {
        self.state(name).join("snapshots")
    }

    /// How the service last ended, as its service manager saw it.
    #[must_use]
    pub fn ended(&self, name: &InstanceName) -> Utf8PathBuf {
        self.state(name).join("ended.json")
    }

    /// The folder in which the supervisor reports; its content is not trusted.
    #[must_use]
    pub fn report(&self, name: &InstanceName) -> Utf8PathBuf {
        self.state(name).join("report")
    }

    /// The supervisor's status.
    #[must_use]
    pub fn status(&self, name: &InstanceName) -> Utf8PathBuf {
        self.report(name).join("status.json")
    }

    /// What the program was started with.
    #[must_use]
    pub fn started(&self, name: &InstanceName) -> Utf8PathBuf {
        self.report(name).join("started.json")
    }

    /// The values with which an instance did not become ready: those that were kept take their place.
    #[must_use]
    pub fn refused_values(&self, name: &InstanceName) -> Utf8PathBuf {
        self.launches(name).join("refused-values")
    }

    /// What the supervisor saw happen, a line an event.
    #[must_use]
    pub fn events(&self, name: &InstanceName) -> Utf8PathBuf {
        self.report(name).join(EVENTS)
    }

    /// The lock that commands hold while they change an instance. Never deleted.
    #[must_use]
    pub fn operation_lock(&self, name: &InstanceName) -> Utf8PathBuf {
        self.state.join(".locks").join(format!("{name}.operation.lock"))
    }

    /// What is known of an instance's services for development: not in its own folders, which a purge removes first.
    #[must_use]
    pub fn development(&self, name: &InstanceName) -> Utf8PathBuf {
        self.state.join(".development").join(name.as_str())
    }

    /// The lock under which the host is prepared for an instance, or that undone. Never deleted.
    #[must_use]
    pub fn preparation_lock(&self) -> Utf8PathBuf {
        self.state.join(".locks").join("preparation.lock")
    }

    /// The lock under which a switch is made. Never deleted.
    #[must_use]
    pub fn switch_lock(&self, name: &InstanceName) -> Utf8PathBuf {
        self.state.join(".locks").join(format!("{name}.switch.lock"))
    }

    /// The lock that a guardian holds for as long as it lives (embedded). Never deleted.
    #[must_use]
    pub fn guardian_lock(&self, name: &InstanceName) -> Utf8PathBuf {
        self.state.join(".locks").join(format!("{name}.guardian.lock"))
    }

    /// The folder of the locks.
    #[must_use]
    pub fn locks(&self) -> Utf8PathBuf {
        self.state.join(".locks")
    }

    /// The folder of the journals of all instances.
    #[must_use]
    pub fn journals(&self) -> Utf8PathBuf {
        self.state.join(".journal")
    }

    /// The journal of an instance's unfinished operation: empty when there is none.
    #[must_use]
    pub fn journal(&self, name: &InstanceName) -> Utf8PathBuf {
        self.journals().join(name.as_str())
    }

    /// The operation under way.
    #[must_use]
    pub fn operation(&self, name: &InstanceName) -> Utf8PathBuf {
        self.journal(name).join("operation.jsonl")
    }

    /// The switch that the next start is to make, or that is on trial.
    #[must_use]
    pub fn switch(&self, name: &InstanceName) -> Utf8PathBuf {
        self.journal(name).join("switch.json")
    }

    /// The adoption that has still to prove itself.
    #[must_use]
    pub fn adoption(&self, name: &InstanceName) -> Utf8PathBuf {
        self.journal(name).join("adoption.json")
    }

    /// What an adopted service was before.
    #[must_use]
    pub fn before(&self, name: &InstanceName) -> Utf8PathBuf {
        self.state(name).join("before-mainstay.json")
    }

    /// What lasts only while the service runs.
    #[must_use]
    pub fn run(&self, name: &InstanceName, platform: PlatformKind) -> Utf8PathBuf {
        match (&self.run, platform) {
            (Some(folder), PlatformKind::Systemd) => folder.join(name.as_str()),
            _ => self.state(name).join("run"),
        }
    }

    /// Whether systemd makes the run folder (`RuntimeDirectory=`), which it does only in its own place.
    #[must_use]
    pub fn run_by_systemd(&self) -> bool {
        self.run.is_some()
    }

    /// Captured logs.
    #[must_use]
    pub fn logs(&self, name: &InstanceName) -> Utf8PathBuf {
        match &self.logs {
            Logs::Folder(folder) => folder.join(name.as_str()),
            Logs::WithinInstance(folder) => folder.join(name.as_str()).join("logs"),
        }
    }

    /// What the program keeps.
    #[must_use]
    pub fn data(&self, name: &InstanceName) -> Utf8PathBuf {
        match &self.data {
            Some(folder) => folder.join(name.as_str()).join("data"),
            None => self.state(name).join("data"),
        }
    }

    /// The folder of an instance's version trees and links.
    #[must_use]
    pub fn install(&self, name: &InstanceName) -> Utf8PathBuf {
        self.install.join(name.as_str())
    }

    /// One version tree.
    #[must_use]
    pub fn tree(&self, name: &InstanceName, tree: &str) -> Utf8PathBuf {
        self.install(name).join(tree)
    }

    /// What is fetched of an archive before it is whole, to go on with it after an interruption.
    #[must_use]
    pub fn downloads(&self, name: &InstanceName) -> Utf8PathBuf {
        self.install(name).join(".downloads")
    }

    /// The link to the active version tree.
    #[must_use]
    pub fn current(&self, name: &InstanceName, component: &ComponentName) -> Utf8PathBuf {
        self.install(name).join(component.as_str())
    }

    /// The folder of the tool's own copies, one a build.
    #[must_use]
    pub fn runtimes(&self) -> Utf8PathBuf {
        self.install.join(".runtime")
    }

    /// One copy of the tool.
    #[must_use]
    pub fn runtime(&self, build: &str) -> Utf8PathBuf {
        self.runtimes().join(build)
    }

    /// The program of one copy of the tool.
    #[must_use]
    pub fn runtime_file(&self, build: &str) -> Utf8PathBuf {
        self.runtime(build).join(self.program)
    }

    /// An instance's link to the copy of the tool that it runs.
    #[must_use]
    pub fn runtime_link(&self, name: &InstanceName) -> Utf8PathBuf {
        self.install(name).join(".runtime")
    }

    /// The program that an instance's definition names.
    #[must_use]
    pub fn runtime_program(&self, name: &InstanceName) -> Utf8PathBuf {
        self.runtime_link(name).join(self.program)
    }

    /// The folder of systemd's units in this scope.
    #[must_use]
    pub fn units(&self) -> &Utf8Path {
        &self.units
    }

    /// The folder of Quadlet's units in this scope (podman-systemd.unit(5)): beside systemd's own folder.
    #[must_use]
    pub fn quadlets(&self) -> Utf8PathBuf {
        let configuration = self.units.ancestors().nth(2).unwrap_or(&self.units);
        configuration.join("containers/systemd")
    }

    /// The folder of launchd's property lists in this scope.
    #[must_use]
    pub fn property_lists(&self) -> &Utf8Path {
        &self.property_lists
    }

    /// What has systemd hold an instance's sockets, beside its definition.
    #[must_use]
    pub fn socket_definition(&self, name: &InstanceName) -> Utf8PathBuf {
        self.units.join(socket_unit_name(name))
    }

    /// What registers an instance with its platform.
    #[must_use]
    pub fn definition(&self, name: &InstanceName, platform: PlatformKind) -> Utf8PathBuf {
        match platform {
            PlatformKind::Systemd => self.units.join(unit_name(name)),
            PlatformKind::Launchd => self.property_lists.join(property_list_name(name)),
            // Nothing of a manager's lies in files here: what was registered stands beside what is known of the instance.
            PlatformKind::Embedded | PlatformKind::Compose | PlatformKind::Windows => {
                self.state(name).join("definition.json")
            }
            PlatformKind::Task => self.state(name).join("task.xml"),
        }
    }
}

/// By what launchd knows an instance.
#[must_use]
pub fn label(name: &InstanceName) -> String {
    format!("dev.mainstay.{name}")
}

/// The name of an instance's property list.
#[must_use]
pub fn property_list_name(name: &InstanceName) -> String {
    format!("{}.plist", label(name))
}

/// The name of an instance's unit.
#[must_use]
pub fn unit_name(name: &InstanceName) -> String {
    format!("{name}.service")
}

/// The name of the unit that holds an instance's sockets.
#[must_use]
pub fn socket_unit_name(name: &InstanceName) -> String {
    format!("{name}.socket")
}
