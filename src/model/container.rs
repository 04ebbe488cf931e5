//! Whether a host is a container, and whose: what container managers leave behind in it, weighed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose container a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Container {
    /// Docker's, or that of another tool that leaves what Docker leaves.
    Docker,
    /// Podman's.
    Podman,
    /// A pod's, whatever runs the pods.
    Kubernetes,
    /// LXC's, Incus' or LXD's.
    Lxc,
    /// systemd-nspawn's.
    SystemdNspawn,
    /// The Windows subsystem for Linux.
    Wsl,
    /// That of a tool that says no more.
    Other,
}

impl Container {
    /// The word that people know it by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Kubernetes => "kubernetes",
            Self::Lxc => "lxc",
            Self::SystemdNspawn => "systemd-nspawn",
            Self::Wsl => "wsl",
            Self::Other => "unknown",
        }
    }

    /// Whose container a host with these traces is. `None`: it is none.
    #[must_use]
    pub fn of(traces: &Traces) -> Option<Self> {
        if traces.kubernetes_token || traces.kubernetes_service || traces.cgroup.contains("kubepods") {
            return Some(Self::Kubernetes);
        }
        let declared = [&traces.declared, &traces.environment];
        let declared = declared.into_iter().map(|word| word.trim()).find(|word| !word.is_empty());
        match declared {
            Some("docker") => return Some(Self::Docker),
            Some("podman") => return Some(Self::Podman),
            Some("systemd-nspawn") => return Some(Self::SystemdNspawn),
            Some("wsl") => return Some(Self::Wsl),
            Some(word) if word.starts_with("lxc") => return Some(Self::Lxc),
            _ => {}
        }
        if traces.containerenv || traces.cgroup.contains("libpod") {
            return Some(Self::Podman);
        }
        if traces.dockerenv || traces.cgroup.contains("/docker") {
            return Some(Self::Docker);
        }
        if traces.cgroup.contains("/lxc") {
            return Some(Self::Lxc);
        }
        let other = declared.is_some() || traces.cgroup.contains("containerd");
        other.then_some(Self::Other)
    }
}

impl std::fmt::Display for Container {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// What container managers leave behind in a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a trace of its own")]
pub struct Traces {
    /// Whether there is `/.dockerenv`.
    pub dockerenv: bool,
    /// Whether there is `/run/.containerenv` (podman-run(1)).
    pub containerenv: bool,
    /// Whether a pod's service account lies where Kubernetes mounts it.
    pub kubernetes_token: bool,
    /// Whether `KUBERNETES_SERVICE_HOST` is set.
    pub kubernetes_service: bool,
    /// What `/run/host/container-manager` or `/run/systemd/container` says (systemd's container interface).
    pub declared: String,
    /// What `container` in this process's environment says (the same interface).
    pub environment: String,
    /// The control group of process 1 (cgroups(7)). With a namespace of its own, it says nothing.
    pub cgroup: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(change: impl FnOnce(&mut Traces)) -> Option<Container> {
        let mut traces = Traces { cgroup: "0::/\n".to_owned(), ..Traces::default() };
        change(&mut traces);
        Container::of(&traces)
    }

    #[test]
    fn containers_are_told_by_what_their_managers_leave() {
        use Container as C;
        let cgroup = |text: &str| of(|traces| traces.cgroup = text.to_owned());
        assert_eq!(of(|_| {}), None);
        assert_eq!(cgroup("0::/init.scope\n"), None);
        assert_eq!(of(|traces| traces.dockerenv = true), Some(C::Docker));
        assert_eq!(of(|traces| traces.containerenv = true), Some(C::Podman));
        assert_eq!(of(|traces| traces.kubernetes_token = true), Some(C::Kubernetes));
        assert_eq!(of(|traces| traces.kubernetes_service = true), Some(C::Kubernetes));
        assert_eq!(cgroup("1:name=systemd:/docker/0a1b\n"), Some(C::Docker));
        assert_eq!(cgroup("1:name=systemd:/machine.slice/libpod-0a1b.scope\n"), Some(C::Podman));
        assert_eq!(cgroup("0::/kubepods.slice/kubepods-pod0a1b.slice\n"), Some(C::Kubernetes));
        assert_eq!(cgroup("0::/lxc.payload.web/init.scope\n"), Some(C::Lxc));
        assert_eq!(cgroup("0::/system.slice/containerd.service\n"), Some(C::Other));
        for (word, expected) in [
            ("docker\n", C::Docker),
            ("podman", C::Podman),
            ("lxc-libvirt", C::Lxc),
            ("systemd-nspawn", C::SystemdNspawn),
            ("wsl", C::Wsl),
            ("oci", C::Other),
        ] {
            assert_eq!(of(|traces| traces.declared = word.to_owned()), Some(expected), "{word}");
            assert_eq!(of(|traces| traces.environment = word.to_owned()), Some(expected), "{word}");
        }
        // A pod's containers are Docker's or another's; what matters is who starts them again.
        let pod = |traces: &mut Traces| (traces.dockerenv, traces.kubernetes_service) = (true, true);
        assert_eq!(of(pod), Some(C::Kubernetes));
        // A tool that says no more than the interface it follows, with Podman's file beside.
        let podman = |traces: &mut Traces| {
            (traces.containerenv, traces.declared) = (true, "oci".to_owned());
        };
        assert_eq!(of(podman), Some(C::Podman));
    }
}
