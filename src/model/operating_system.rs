//! The operating systems that mainstay runs on.

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::manifest::PlatformKind;

/// An operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatingSystem {
    /// Linux.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl OperatingSystem {
    /// The one on which a platform is at home. None: it is on any.
    #[must_use]
    pub fn of(platform: PlatformKind) -> Option<Self> {
        match platform {
            PlatformKind::Systemd => Some(Self::Linux),
            PlatformKind::Launchd => Some(Self::MacOs),
            PlatformKind::Windows | PlatformKind::Task => Some(Self::Windows),
            PlatformKind::Embedded | PlatformKind::Compose => None,
        }
    }

    /// Where a user's home folder usually is.
    #[must_use]
    pub fn home(self, user: &str) -> Utf8PathBuf {
        Utf8Path::new(match self {
            Self::Linux => "/home",
            Self::MacOs => "/Users",
            Self::Windows => "C:/Users",
        })
        .join(user)
    }

    /// The name of mainstay's own file.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Linux | Self::MacOs => "mainstay",
            Self::Windows => "mainstay.exe",
        }
    }
}

impl std::fmt::Display for OperatingSystem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Linux => "Linux",
            Self::MacOs => "macOS",
            Self::Windows => "Windows",
        })
    }
}
