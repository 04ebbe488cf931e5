//! How far a service is locked in: the settings of systemd.exec(5), section "Sandboxing", for each profile.
//!
//! The supervisor runs inside, beside the program; what runs before and after (`ExecStartPre=+`) does not.
//! In system scope `strict` comes to 1.5 or less by `systemd-analyze security` for a service with a user of
//! its own, where no path of its stands below `/tmp`.

use camino::Utf8Path;

use crate::model::manifest::{Hardening, Scope};
use crate::platform::Facts;

/// What a profile depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'a> {
    /// To whom the service belongs.
    pub(super) scope: Scope,
    /// Every folder and file that the service has to see.
    pub(super) places: &'a [&'a Utf8Path],
    /// What is known of the host.
    pub(super) facts: &'a Facts,
}

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
const STRICT_NAMESPACES: [Setting; 7] = [
    ("PrivateDevices", "yes"),
    ("PrivateMounts", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectProc", "invisible"),
    ("CapabilityBoundingSet", ""),
    ("AmbientCapabilities", ""),
    ("KeyringMode", "private"),
];

/// The settings of a profile.
pub(super) fn settings(profile: Hardening, around: &Surroundings<'_>) -> Vec<Setting> {
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
    if around.scope == Scope::User {
        return settings;
    }
    settings.extend(NAMESPACES_THAT_HARDLY_ANYTHING_NOTICES);
    settings.push(("ProtectSystem", if strict { "strict" } else { "full" }));
    if !around.needs_any(&["/tmp", "/var/tmp"]) {
        settings.push(("PrivateTmp", "yes"));
    }
    if strict {
        // Never `yes`: programs fail at folders that they may not even look at, and pass over empty ones.
        let at_home = around.needs_any(&["/home", "/root", "/run/user"]);
        settings.push(("ProtectHome", if at_home { "read-only" } else { "tmpfs" }));
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

impl Surroundings<'_> {
    fn needs_any(&self, folders: &[&str]) -> bool {
        let home = self.facts.home.as_deref();
        self.places
            .iter()
            .copied()
            .chain(home)
            .any(|place| folders.iter().any(|folder| place.starts_with(folder)))
    }
}
