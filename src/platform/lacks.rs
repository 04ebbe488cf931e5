//! What a platform can't express, as one table: which setting, on which ground, and why. `apply` refuses it with that reason,
//! so that nothing is left out in silence and nothing fails only when it is started.

use crate::model::health::HealthProbe;
use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::manifest::{Hardening, PlatformKind, Supervision};
use crate::model::readiness::Probe;
use crate::platform::Inexpressible;

/// On what a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ground {
    /// A service of Windows.
    Service,
    /// A task of Windows.
    Task,
    /// mainstay's own guardian, on Windows.
    EmbeddedOnWindows,
    /// The same elsewhere.
    Embedded,
    /// launchd.
    Launchd,
}

use Ground::{Embedded, EmbeddedOnWindows, Launchd, Service, Task};

const WINDOWS: &[Ground] = &[Service, Task, EmbeddedOnWindows];
const ALL: &[Ground] = &[Service, Task, EmbeddedOnWindows, Embedded, Launchd];

/// A setting that some grounds lack.
struct Lack {
    setting: &'static str,
    is_asked: fn(&LaunchSpec) -> bool,
    on: &'static [Ground],
    reason: &'static str,
}

/// The first that fits is told. What systemd's own words lack stands with its unit, what a container lacks with its rules.
const TABLE: &[Lack] = &[
    Lack {
        setting: "service.supervision",
        is_asked: |spec| spec.supervision == Supervision::Native,
        on: ALL,
        reason: "nothing but systemd runs a program natively and can change its version: leave `native` out, and mainstay watches the program",
    },
    Lack {
        setting: "service.hardening",
        is_asked: |spec| spec.hardening != Hardening::Off,
        on: WINDOWS,
        reason: "Windows has no such profile: write `off`, and give the service an account of few rights",
    },
    Lack {
        setting: "service.hardening",
        is_asked: |spec| spec.hardening != Hardening::Off,
        on: &[Embedded, Launchd],
        reason: "locking a program in needs systemd: leave it out, or write `off`",
    },
    Lack {
        setting: "service.limits.processes",
        is_asked: |spec| spec.limits.processes.is_some(),
        on: ALL,
        reason: "a limit to a program and all its descendants needs a control group, which systemd makes: leave it out",
    },
    Lack {
        setting: "service.limits.openFiles",
        is_asked: |spec| spec.limits.open_files.is_some(),
        on: WINDOWS,
        reason: "Windows has no limit of open files: leave it out",
    },
    Lack {
        setting: "service.group",
        is_asked: |spec| spec.group.is_some(),
        on: WINDOWS,
        reason: "an account of Windows has its groups from the system: leave it out",
    },
    Lack {
        setting: "service.umask",
        is_asked: |spec| spec.umask.is_some(),
        on: WINDOWS,
        reason: "Windows gives new files the rights of their folder: leave it out",
    },
    Lack {
        setting: "service.sockets",
        is_asked: |spec| !spec.sockets.is_empty(),
        on: WINDOWS,
        reason: "Windows hands no sockets to a program: let the program listen itself",
    },
    Lack {
        setting: "service.overlap",
        is_asked: |spec| spec.overlap,
        on: WINDOWS,
        reason: "two versions share a socket while they overlap, and Windows hands none to a program: leave it out",
    },
    Lack {
        setting: "service.ready.notify",
        is_asked: |spec| spec.ready.probe == Probe::Notify,
        on: WINDOWS,
        reason: "Windows has no socket by which a program says that it is ready: use `http`, `tcp`, `command`, `file` or `delay`",
    },
    Lack {
        setting: "service.health.notify",
        is_asked: |spec| spec.health.as_ref().is_some_and(|health| health.probe == HealthProbe::Notify),
        on: WINDOWS,
        reason: "Windows has no socket by which a program says that it is well: use `http`, `tcp` or `command`",
    },
    Lack {
        setting: "service.user",
        is_asked: |spec| spec.user.is_some(),
        on: &[Task],
        reason: "a task runs as the person who is logged on: leave it out, or use `windows`",
    },
    Lack {
        setting: "service.user",
        is_asked: |spec| spec.user.is_some(),
        on: &[EmbeddedOnWindows],
        reason: "on Windows nothing but its service manager starts a program as somebody else: use `windows`, or leave it out",
    },
];

/// Refuses what a platform can't express.
pub(super) fn refuse(kind: PlatformKind, spec: &LaunchSpec, layout: &Layout) -> Result<(), Inexpressible> {
    let ground = match kind {
        PlatformKind::Windows => Service,
        PlatformKind::Task => Task,
        PlatformKind::Embedded if layout.is_of_windows() => EmbeddedOnWindows,
        PlatformKind::Embedded => Embedded,
        PlatformKind::Launchd => Launchd,
        PlatformKind::Systemd | PlatformKind::Compose => return Ok(()),
    };
    match TABLE.iter().find(|lack| lack.on.contains(&ground) && (lack.is_asked)(spec)) {
        Some(lack) => Err(Inexpressible::new(lack.setting, lack.reason)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
