//! Where everything stands if nobody moves it: on Linux by the file system's and XDG's rules, on macOS below `Library`, on
//! Windows below the known folders.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Layout, Logs};
use crate::model::manifest::Scope;
use crate::model::operating_system::OperatingSystem;

/// Where launchd finds the services of the host.
const DAEMONS: &str = "/Library/LaunchDaemons";
/// Where it finds those of a user, below the home folder.
const AGENTS: &str = "Library/LaunchAgents";

/// The folders of a user, as the environment and the user database give them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFolders {
    /// The home folder.
    pub home: Utf8PathBuf,
    /// `$XDG_CONFIG_HOME`, if it is set and absolute.
    pub config_home: Option<Utf8PathBuf>,
    /// `$XDG_STATE_HOME`, likewise.
    pub state_home: Option<Utf8PathBuf>,
    /// `$XDG_DATA_HOME`, likewise.
    pub data_home: Option<Utf8PathBuf>,
    /// `$XDG_RUNTIME_DIR`, likewise.
    pub runtime_directory: Option<Utf8PathBuf>,
    /// `%LOCALAPPDATA%` on Windows, likewise.
    pub local_data: Option<Utf8PathBuf>,
}

impl UserFolders {
    /// Those of a home of which nothing else is known.
    #[must_use]
    pub fn of(home: Utf8PathBuf) -> Self {
        Self {
            home,
            config_home: None,
            state_home: None,
            data_home: None,
            runtime_directory: None,
            local_data: None,
        }
    }
}

/// The folders of a system that belong to the host itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFolders {
    /// `%ProgramData%` on Windows: what services write.
    pub program_data: Utf8PathBuf,
    /// `%ProgramFiles%` on Windows: what nobody but an administrator writes.
    pub program_files: Utf8PathBuf,
}

impl Default for HostFolders {
    fn default() -> Self {
        Self { program_data: r"C:\ProgramData".into(), program_files: r"C:\Program Files".into() }
    }
}

impl Layout {
    /// The host's own layout on Linux.
    #[must_use]
    pub fn system() -> Self {
        Self {
            scope: Scope::System,
            root: None,
            config_root: None,
            config: "/etc/mainstay".into(),
            state: "/var/lib/mainstay".into(),
            run: Some("/run/mainstay".into()),
            logs: Logs::Folder("/var/log/mainstay".into()),
            install: "/opt/mainstay".into(),
            data: None,
            units: "/etc/systemd/system".into(),
            property_lists: DAEMONS.into(),
            program: OperatingSystem::Linux.program(),
        }
    }

    /// A user's layout on Linux, by the XDG base directory specification.
    #[must_use]
    pub fn user(folders: &UserFolders) -> Self {
        let or_home = |given: &Option<Utf8PathBuf>, usual: &str| {
            given.clone().unwrap_or_else(|| folders.home.join(usual))
        };
        let config_home = or_home(&folders.config_home, ".config");
        let data = or_home(&folders.data_home, ".local/share").join("mainstay");
        Self {
            scope: Scope::User,
            root: None,
            config_root: None,
            config: config_home.join("mainstay"),
            state: or_home(&folders.state_home, ".local/state").join("mainstay"),
            run: folders.runtime_directory.as_ref().map(|folder| folder.join("mainstay")),
            logs: Logs::WithinInstance(data.clone()),
            install: data.join("install"),
            data: Some(data),
            units: config_home.join("systemd/user"),
            property_lists: folders.home.join(AGENTS),
            program: OperatingSystem::Linux.program(),
        }
    }

    /// The host's own layout on any system.
    #[must_use]
    pub fn system_of(system: OperatingSystem, folders: &HostFolders) -> Self {
        let usual = Self { program: system.program(), ..Self::system() };
        match system {
            OperatingSystem::Linux => usual,
            OperatingSystem::MacOs => Self {
                state: "/Library/Application Support/mainstay/state".into(),
                run: None,
                install: "/usr/local/mainstay".into(),
                ..usual
            },
            OperatingSystem::Windows => {
                let own = within(&folders.program_data, "mainstay");
                Self {
                    config: own.clone(),
                    state: own.join("state"),
                    run: None,
                    logs: Logs::WithinInstance(own.clone()),
                    install: within(&folders.program_files, "Mainstay"),
                    ..usual
                }
            }
        }
    }

    /// A user's layout on any system.
    #[must_use]
    pub fn user_of(system: OperatingSystem, folders: &UserFolders) -> Self {
        let usual = Self { program: system.program(), ..Self::user(folders) };
        match system {
            OperatingSystem::Linux => usual,
            OperatingSystem::MacOs => {
                let own = folders.home.join("Library/Application Support/mainstay");
                Self {
                    config: own.clone(),
                    state: own.join("state"),
                    run: None,
                    logs: Logs::Folder(folders.home.join("Library/Logs/mainstay")),
                    install: own.join("install"),
                    data: None,
                    ..usual
                }
            }
            OperatingSystem::Windows => {
                let local = folders.local_data.clone();
                let local = local.unwrap_or_else(|| within(&folders.home, "AppData").join("Local"));
                let own = within(&local, "mainstay");
                Self {
                    config: own.clone(),
                    state: own.join("state"),
                    run: None,
                    logs: Logs::WithinInstance(own.clone()),
                    install: own.join("install"),
                    data: None,
                    ..usual
                }
            }
        }
    }
}

/// A folder within one of Windows's, also where this is another system, whose own separator it would get.
fn within(folder: &Utf8Path, name: &str) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{}/{name}", folder.as_str().replace('\\', "/")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::manifest::PlatformKind;
    use crate::model::name::{ComponentName, InstanceName};

    fn told(layout: &Layout, platform: PlatformKind) -> String {
        let name = InstanceName::new("web").unwrap();
        let component = ComponentName::new("server").unwrap();
        [
            layout.index(),
            layout.config(&name),
            layout.state(&name),
            layout.run(&name, platform),
            layout.logs(&name),
            layout.data(&name),
            layout.current(&name, &component),
            layout.runtime_program(&name),
            layout.definition(&name, platform),
        ]
        .map(|path| path.into_string().replace('\\', "/"))
        .join("\n")
    }

    #[test]
    fn everything_has_its_place_on_macos() {
        let host = Layout::system_of(OperatingSystem::MacOs, &HostFolders::default());
        insta::assert_snapshot!(told(&host, PlatformKind::Launchd));
        let user = Layout::user_of(OperatingSystem::MacOs, &UserFolders::of("/Users/ann".into()));
        insta::assert_snapshot!(told(&user, PlatformKind::Launchd));
    }

    #[test]
    fn everything_has_its_place_on_windows() {
        let host = Layout::system_of(OperatingSystem::Windows, &HostFolders::default());
        insta::assert_snapshot!(told(&host, PlatformKind::Windows));
        let user = Layout::user_of(OperatingSystem::Windows, &UserFolders::of(r"C:\Users\ann".into()));
        insta::assert_snapshot!(told(&user, PlatformKind::Task));
    }
}
