//! Whether this host is a container: the traces that container managers leave, collected.

use camino::Utf8Path;

use crate::host::{environment, files, untrusted};
use crate::model::container::{Container, Traces};

/// The most that is read of a trace, in bytes.
const MOST: u64 = 64 << 10;

/// Whose container this host is. `None`: it is none, or one that leaves no trace.
#[must_use]
pub fn container() -> Option<Container> {
    Container::of(&traces())
}

fn traces() -> Traces {
    let there = |path: &str| matches!(files::facts(Utf8Path::new(path)), Ok(Some(_)));
    let text = |path: &str| untrusted::read(Utf8Path::new(path), MOST).ok().flatten().unwrap_or_default();
    let declared = ["/run/host/container-manager", "/run/systemd/container"].map(text);
    Traces {
        dockerenv: there("/.dockerenv"),
        containerenv: there("/run/.containerenv"),
        kubernetes_token: there("/var/run/secrets/kubernetes.io/serviceaccount"),
        kubernetes_service: environment::variable("KUBERNETES_SERVICE_HOST").is_some(),
        declared: declared.into_iter().find(|word| !word.is_empty()).unwrap_or_default(),
        environment: environment::variable("container").unwrap_or_default(),
        cgroup: text("/proc/1/cgroup"),
    }
}

/// Whether systemd is this host's first process. In a container, its folder may be the outer host's.
#[must_use]
pub fn booted_by_systemd() -> bool {
    environment::systemd_booted()
        && (container().is_none()
            || files::read(Utf8Path::new("/proc/1/comm")).ok().flatten().as_deref() == Some("systemd\n"))
}
