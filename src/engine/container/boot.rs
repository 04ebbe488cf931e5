//! Whether a container starts with its host: its engine has to, and has to start it.

use camino::Utf8PathBuf;

use crate::host::{account, environment, files};
use crate::model::answer::status::Boot;
use crate::model::compose::EngineKind;
use crate::model::manifest::Scope;
use crate::model::marker::Marker;
use crate::platform::compose::entry::Entry;

/// The targets with which a host, or a user's manager, comes up.
const TARGETS: [&str; 3] = ["multi-user.target.wants", "default.target.wants", "graphical.target.wants"];

/// Whether it starts, and why.
pub(crate) fn boot(of: &Marker, entry: Option<&Entry>) -> Boot {
    let says = |starts, reason: String| Boot { starts, reason };
    let Some(entry) = entry else { return says(None, "its entry is gone".to_owned()) };
    if !entry.boot {
        return says(Some(false), "the manifest says `\"boot\": false`".to_owned());
    }
    engine_starts(entry.engine, of.scope == Scope::User)
}

/// Whether an engine starts with the host what it is to start again always.
pub(crate) fn engine_starts(engine: EngineKind, of_user: bool) -> Boot {
    let says = |starts, reason: String| Boot { starts, reason };
    let (unit, rootless) = match engine {
        EngineKind::Docker => ("docker.service", false),
        EngineKind::Podman => ("podman-restart.service", of_user),
    };
    if !environment::systemd_booted() {
        return says(None, format!("whether {engine} starts with this host can't be known"));
    }
    let enable = if rootless { "systemctl --user enable" } else { "systemctl enable" };
    if !is_enabled(unit, rootless) {
        let reason = format!("`{unit}`, which starts it, is not enabled: `{enable} {unit}`");
        return says(Some(false), reason);
    }
    let user = account::by_uid(account::effective_uid()).map(|user| user.name).unwrap_or_default();
    if rootless && account::lingers(&user) == Some(false) {
        let reason = format!("it starts at the first login of {user}: `loginctl enable-linger {user}`");
        return says(Some(false), reason);
    }
    says(Some(true), format!("`{unit}` is enabled"))
}

/// Whether systemd starts a unit with the host, or with a user: by its links, since no question is worth a process here.
fn is_enabled(unit: &str, of_user: bool) -> bool {
    let mut folders: Vec<Utf8PathBuf> = if of_user {
        vec!["/etc/systemd/user".into(), "/usr/lib/systemd/user".into()]
    } else {
        vec!["/etc/systemd/system".into(), "/usr/lib/systemd/system".into(), "/lib/systemd/system".into()]
    };
    if of_user && let Some(home) = account::home(account::effective_uid()) {
        folders.push(home.join(".config/systemd/user"));
    }
    let there = |folder: &Utf8PathBuf| {
        TARGETS
            .iter()
            .any(|target| files::facts(&folder.join(target).join(unit)).is_ok_and(|found| found.is_some()))
    };
    folders.iter().any(there)
}
