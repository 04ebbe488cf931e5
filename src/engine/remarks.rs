//! What the person should know of a launch on this host before it is made, beside its steps.

use camino::Utf8PathBuf;

use crate::engine::target::Declared;
use crate::host::{container, files};
use crate::model::container::Container;
use crate::model::doubt::doubts;
use crate::model::launch::LaunchSpec;
use crate::model::manifest::PlatformKind;
use crate::model::watched::Watched;

/// The remarks, as sentences.
pub(crate) fn remarks(declared: &Declared, spec: &LaunchSpec) -> Vec<String> {
    let document = &declared.document;
    let doubtful = doubts(document)
        .into_iter()
        .map(|doubt| format!("{}:{}:{}: {doubt}", document.name(), doubt.line, doubt.column));
    let chosen = declared.manifest.platform.is_some();
    let container = container::container().filter(|_| !chosen);
    doubtful
        .chain(of_platform(spec.platform, container))
        .chain(of_secrets(spec))
        .chain(of_silence(declared, spec))
        .collect()
}

/// Where nobody chose the platform and this host is a container, the person hears which it is, and what that asks of
/// the container.
fn of_platform(platform: PlatformKind, container: Option<Container>) -> Option<String> {
    let container = container.filter(|_| platform == PlatformKind::Embedded)?;
    Some(format!(
        "this host is a container ({container}) without a service manager of its own, so the platform is `embedded`: let the container run `mainstay boot`, and its instances start with it"
    ))
}

fn of_secrets(spec: &LaunchSpec) -> Vec<String> {
    let told = |path: &Utf8PathBuf| {
        format!("every account of this host can read the secret in `{path}`: `chmod o-r '{path}'`")
    };
    open_secrets(spec).iter().map(told).collect()
}

/// Settings that change nothing by themselves, because what they need is named nowhere.
fn of_silence(declared: &Declared, spec: &LaunchSpec) -> Vec<String> {
    let mut told = Vec::new();
    if declared.manifest.service.health.is_some() && spec.health.is_none() {
        told.push("`service.health` names no probe, nor does the package, so nobody asks: write `http`, `tcp`, `command` or `notify`".to_owned());
    }
    if spec.overlap && spec.sockets.is_empty() {
        told.push("`service.overlap` needs `service.sockets`, which neither the manifest nor the package names: the old process is stopped before the new one starts".to_owned());
    }
    if spec.credentials && spec.restart_on_change.contains(&Watched::Environment) {
        told.push("a change of the environment file or of a secret restarts nothing here: systemd reads root's own files for another account, once, when it starts the service; `mainstay restart` after a change".to_owned());
    }
    told
}

/// The files of secrets that other accounts of this host can read.
pub(crate) fn open_secrets(spec: &LaunchSpec) -> Vec<Utf8PathBuf> {
    let open = |path: &&Utf8PathBuf| matches!(files::facts(path), Ok(Some(facts)) if facts.kind == files::Kind::File && facts.mode & 0o004 != 0);
    spec.secrets.values().filter(open).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_told_what_to_run() {
        let told = of_platform(PlatformKind::Embedded, Some(Container::Docker)).unwrap();
        assert!(told.contains("(docker)") && told.contains("mainstay boot"), "{told}");
        assert_eq!(of_platform(PlatformKind::Systemd, Some(Container::Lxc)), None);
        assert_eq!(of_platform(PlatformKind::Embedded, None), None);
    }
}
