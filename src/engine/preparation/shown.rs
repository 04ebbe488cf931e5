//! Steps in words, and as the commands that an operator types.

use std::fmt;

use super::{Pending, Preparation, PreparationKind, Rights};
use crate::host::environment::quoted;

impl Pending {
    /// What the operator types where mainstay does not do it.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        let Preparation { kind, rights, url, sha256, command, value, .. } = &self.step;
        let sudo = if *rights == Rights::Root { "sudo " } else { "" };
        let name = quoted(self.step.name.as_deref().unwrap_or_default());
        let path = quoted(self.path.as_ref().map_or("", |path| path.as_str()));
        let (user, mode) = (&self.account.name, self.step.permissions());
        match kind {
            PreparationKind::KernelModule => vec![
                format!("sudo modprobe {name}"),
                format!("echo {name} | sudo tee {}", self.persistence()),
            ],
            PreparationKind::Sysctl => {
                let setting = quoted(&format!("{name}={}", value.as_deref().unwrap_or_default()));
                vec![
                    format!("sudo sysctl -w {setting}"),
                    format!("echo {setting} | sudo tee {}", self.persistence()),
                ]
            }
            PreparationKind::Group => vec![format!("sudo gpasswd -a {user} {name}")],
            PreparationKind::Folder => vec![match (rights, self.step.owner) {
                (Rights::Root, None | Some(Rights::Account)) => {
                    format!("sudo install -d -m {mode:o} -o {user} {path}")
                }
                _ => format!("{sudo}install -d -m {mode:o} {path}"),
            }],
            PreparationKind::Download => {
                let address = quoted(&self.address().unwrap_or_else(|| url.clone().unwrap_or_default()));
                let digest = sha256.map(|digest| digest.to_string()).unwrap_or_default();
                vec![
                    format!("{sudo}curl -fLo {path} {address}"),
                    format!("echo '{digest}  '{path} | sha256sum -c"),
                    format!("{sudo}chmod {mode:o} {path}"),
                ]
            }
            PreparationKind::Print => command
                .iter()
                .map(|words| {
                    sudo.to_owned() + &words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
                })
                .collect(),
        }
    }

    /// Where a setting of the kernel is kept for the next boot.
    pub(super) fn persistence(&self) -> camino::Utf8PathBuf {
        let (name, id) = (&self.name, &self.step.id);
        match self.step.kind {
            PreparationKind::KernelModule => format!("/etc/modules-load.d/mainstay-{name}-{id}.conf").into(),
            _ => format!("/etc/sysctl.d/60-mainstay-{name}-{id}.conf").into(),
        }
    }

    /// Where a file is fetched from, on this host.
    pub(super) fn address(&self) -> Option<String> {
        let word = |word: &str| match word {
            "os" => Some(std::env::consts::OS.to_owned()),
            "arch" => Some(std::env::consts::ARCH.to_owned()),
            _ => None,
        };
        self.step.url.as_ref().map(|url| crate::model::token::replace(url, word))
    }
}

impl fmt::Display for Pending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.step.name.as_deref().unwrap_or_default();
        let value = self.step.value.as_deref().unwrap_or_default();
        let path = self.path.as_ref().map_or("", |path| path.as_str());
        match self.step.kind {
            PreparationKind::KernelModule => {
                write!(formatter, "load the kernel's module `{name}`, now and at each boot")?;
            }
            PreparationKind::Sysctl => {
                write!(formatter, "set `{name}` of the kernel to {value}, now and at each boot")?;
            }
            PreparationKind::Group => write!(formatter, "put {} into the group `{name}`", self.account.name)?,
            PreparationKind::Folder => write!(formatter, "make the folder `{path}`")?,
            PreparationKind::Download => {
                let address = crate::package::fetch::without_secrets(&self.address().unwrap_or_default());
                write!(formatter, "fetch `{path}` from {address}")?;
            }
            PreparationKind::Print => write!(formatter, "{}", self.step.id)?,
        }
        let rights = match self.step.rights {
            Rights::Root => "root".to_owned(),
            Rights::Account => self.account.name.clone(),
        };
        write!(formatter, " (as {rights}): it {}", self.step.what)
    }
}
