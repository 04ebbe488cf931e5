//! How far a service is locked in: the settings of systemd.exec(5), section "Sandboxing", for each profile.
//!
//! The supervisor runs inside, beside the program; what runs before and after (`ExecStartPre=+`) does not.
//! By `systemd-analyze security`, in system scope, a service with a user of its own comes from 9.2 (`off`)
//! to 7.4 (`standard`) and 1.4 (`strict`); one that runs as root to 1.7.

use camino::Utf8Path;

use crate::model::manifest::{Hardening, Scope};

/// A setting and its value.
pub(super) type Setting = (&'static str, &'static str);

/// What the kernel's system call filter does without privileges, and so in user scope too. It comes with
/// `NoNewPrivileges=`, which it needs there.
const FILTERS_THAT_HARDLY_ANYTHING_NOTICES: [Setting; 4] = [
    ("NoNewPrivileges", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("RestrictRealtime", "yes"),
    ("LockPersonality", "yes"),
];

/// Not here: `MemoryDenyWriteExecute=`, which ends every just-in-time compiler. Netlink sockets are let
/// through, because asking for the host's own addresses (getifaddrs(3)) needs them.
const STRICT_FILTERS: [Setting; 6] = [
    ("RestrictNamespaces", "yes"),
    ("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service"),
    ("SystemCallFilter", "~@privileged @resources"),
    ("SystemCallErrorNumber", "EPERM"),
];

/// Not here: `ProtectClock=`, which closes all devices to the service (it implies `DeviceAllow=`).
const NAMESPACES_THAT_HARDLY_ANYTHING_NOTICES: [Setting; 5] = [
    ("ProtectKernelTunables", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectHostname", "yes"),
];

/// Not here: `ProcSubset=pid`, which hides the boot's identity and the host's memory from the supervisor
/// and from language runtimes; `RemoveIPC=`, which takes what the same user's other programs share; and
/// `PrivateUsers=`, which makes all other owners of files look alike.
///
/// `ProtectHome=` is never `yes` or `tmpfs`: version trees and deploy folders stand in home folders, some of
/// them by links (`/opt` → `/home/opt`), and a service whose program is hidden from it does not start.
const STRICT_NAMESPACES: [Setting; 8] = [
    ("ProtectHome", "read-only"),
    ("PrivateDevices", "yes"),
    ("PrivateMounts", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectProc", "invisible"),
    ("CapabilityBoundingSet", ""),
    ("AmbientCapabilities", ""),
    ("KeyringMode", "private"),
];

/// The settings of a profile. `places` are the folders and files that the service has to see.
pub(super) fn settings<'a>(
    profile: Hardening,
    scope: Scope,
    mut places: impl Iterator<Item = &'a Utf8Path>,
) -> Vec<Setting> {
    let mut settings = Vec::new();
    if profile == Hardening::Off {
        return settings;
    }
    let strict = profile == Hardening::Strict;
    settings.extend(FILTERS_THAT_HARDLY_ANYTHING_NOTICES);
    if strict {
        settings.extend(STRICT_FILTERS);
    }
    // A user's manager may not make mount namespaces or drop capabilities: there such settings are
    // without effect, or keep the service from starting.
    if scope == Scope::User {
        return settings;
    }
    settings.extend(NAMESPACES_THAT_HARDLY_ANYTHING_NOTICES);
    settings.push(("ProtectSystem", if strict { "strict" } else { "full" }));
    if !places.any(|place| place.starts_with("/tmp") || place.starts_with("/var/tmp")) {
        settings.push(("PrivateTmp", "yes"));
    }
    if strict {
        settings.extend(STRICT_NAMESPACES);
    }
    settings
}

/// Whether the profile makes folders read-only that the service may have to write.
pub(super) fn closes_folders(profile: Hardening, scope: Scope) -> bool {
    profile != Hardening::Off && scope == Scope::System
}

/// The file mode creation mask of a profile (umask(2)).
pub(super) fn umask(profile: Hardening) -> &'static str {
    if profile == Hardening::Strict { "0077" } else { "0022" }
}
