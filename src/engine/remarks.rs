//! What the person should know of a launch on this host before it is made, beside its steps.

use camino::Utf8PathBuf;

use crate::engine::target::Declared;
use crate::engine::variables::of_file;
use crate::engine::variables::readable::unreadable;
use crate::host::{container, files, remedy};
use crate::model::container::Container;
use crate::model::doubt::{doubts, of_path};
use crate::model::launch::LaunchSpec;
use crate::model::manifest::{PlatformKind, Supervision};
use crate::plan::step::Operation;
use crate::plan::wanted::Beside;

/// The remarks, as sentences.
pub(crate) fn remarks(declared: &Declared, spec: &LaunchSpec, operation: Operation) -> Vec<String> {
    let document = &declared.document;
    let doubtful = doubts(document)
        .into_iter()
        .map(|doubt| format!("{}:{}:{}: {doubt}", document.name(), doubt.line, doubt.column));
    // Whoever brings another version has heard it before.
    let chosen =
        declared.manifest.platform.is_some() || matches!(operation, Operation::Upgrade | Operation::Rollback);
    let container = container::container().filter(|_| !chosen);
    doubtful
        .chain(of_platform(spec.platform, container))
        .chain(of_environment_file(spec, &declared.beside))
        .chain(of_secrets(spec))
        .chain(unreadable(spec, &declared.beside).map(|reason| format!("{reason}: the next start fails")))
        .chain(of_silence(declared, spec))
        .chain(of_adoption(spec, operation))
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

/// A `PATH` in the environment file that goes through a folder of one version. What else stands there is nobody's
/// business, and what is wrong with the file the start tells.
pub(crate) fn of_environment_file(spec: &LaunchSpec, coming: &[Beside]) -> Vec<String> {
    let Some(path) = &spec.environment_file else { return Vec::new() };
    let variables = of_file(&spec.deploy, path, coming).unwrap_or_default();
    let paths = variables.iter().filter(|(name, _)| name.as_str() == "PATH");
    let doubtful = paths.flat_map(|(_, value)| of_path(value));
    doubtful.map(|doubt| format!("`PATH` in `{path}`: {doubt}")).collect()
}

fn of_secrets(spec: &LaunchSpec) -> Vec<String> {
    let told = |path: &Utf8PathBuf| {
        let remedy = remedy::close_to_readers(path);
        format!("every account of this host can read the secret in `{path}`: `{remedy}`")
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
    told
}

/// The variables that a program has once it is adopted and had not before.
fn of_adoption(spec: &LaunchSpec, operation: Operation) -> Option<String> {
    // What systemd starts itself has what its manifest says, and no more.
    let is_bare = spec.supervision == Supervision::Native && spec.container.is_none();
    if operation != Operation::Adopt || is_bare {
        return None;
    }
    let is_new = |name: &&str| spec.environment.keys().all(|own| own.as_str() != *name);
    let names: Vec<&str> = spec.told().into_iter().map(|(name, _)| name).filter(is_new).collect();
    Some(format!("its environment tells the program from now on which instance it is: {}", names.join(", ")))
}

/// The files of secrets that other accounts of this host can read.
pub(crate) fn open_secrets(spec: &LaunchSpec) -> Vec<Utf8PathBuf> {
    let open = |path: &&Utf8PathBuf| matches!(files::facts(path), Ok(Some(facts)) if facts.kind == files::Kind::File && facts.mode & 0o004 != 0);
    spec.secrets.values().filter(open).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::marker::Marker;

    #[test]
    fn a_container_is_told_what_to_run() {
        let told = of_platform(PlatformKind::Embedded, Some(Container::Docker)).unwrap();
        assert!(told.contains("(docker)") && told.contains("mainstay boot"), "{told}");
        assert_eq!(of_platform(PlatformKind::Systemd, Some(Container::Lxc)), None);
        assert_eq!(of_platform(PlatformKind::Embedded, None), None);
    }

    #[test]
    fn whoever_adopts_is_told_what_the_program_finds_in_its_environment() {
        let of: Marker = serde_json::from_value(serde_json::json!({
            "name": "web", "component": "server", "platform": "systemd", "scope": "system", "folder": "/srv/web",
        }))
        .unwrap();
        let mut spec = LaunchSpec::bare(&of);
        let told = of_adoption(&spec, Operation::Adopt).unwrap();
        assert!(told.ends_with(
            ": MAINSTAY_COMPONENT, MAINSTAY_NAME, MAINSTAY_PLATFORM, MAINSTAY_SCOPE, MAINSTAY_VERSION"
        ));
        // What its own definition says, it says on.
        spec.environment.insert("MAINSTAY_SCOPE".to_owned().try_into().unwrap(), "mine".to_owned());
        assert!(!of_adoption(&spec, Operation::Adopt).unwrap().contains("MAINSTAY_SCOPE"));
        assert_eq!(of_adoption(&spec, Operation::Install), None);
        spec.supervision = Supervision::Native;
        assert_eq!(of_adoption(&spec, Operation::Adopt), None);
        // Nobody supervises a container either, and it is told all the same.
        spec.container = Some(
            serde_json::from_value(serde_json::json!({
                "wanted": { "image": "localhost/web:1" }, "pinned": "sha256:1", "engine": "podman",
            }))
            .unwrap(),
        );
        assert!(
            of_adoption(&spec, Operation::Adopt)
                .unwrap()
                .ends_with("MAINSTAY_CONTAINER, MAINSTAY_CONTAINER_ENGINE")
        );
    }
}
