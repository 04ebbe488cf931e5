//! What Windows has no words for, in services and tasks alike.

use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::manifest::{Hardening, Supervision};
use crate::platform::Inexpressible;

/// Refuses the settings that Windows can't express.
pub(in crate::platform) fn refuse(spec: &LaunchSpec) -> Result<(), Inexpressible> {
    let none = |setting: &str, reason: &str| Err(Inexpressible::new(setting, reason));
    if spec.supervision == Supervision::Native {
        return none(
            "service.supervision",
            "a program does not speak with the service manager of Windows by itself: leave out `native`, and mainstay does it",
        );
    }
    if spec.hardening != Hardening::Off {
        return none(
            "service.hardening",
            "Windows has no such profile: write `off`, and give the service an account of few rights",
        );
    }
    if spec.group.is_some() {
        return none("service.group", "an account of Windows has its groups from the system: leave it out");
    }
    if spec.umask.is_some() {
        return none("service.umask", "Windows gives new files the rights of their folder: leave it out");
    }
    if !spec.sockets.is_empty() {
        return none(
            "service.sockets",
            "Windows hands no sockets to a program: let the program listen itself",
        );
    }
    Ok(())
}

/// What the program is started with: the instance's name, and where a layout was moved, to where. Never a setting, since
/// every account of the host can read it.
pub(in crate::platform) fn arguments(spec: &LaunchSpec, layout: &Layout) -> Vec<String> {
    let mut arguments = vec!["run".to_owned(), "--name".to_owned(), spec.name.to_string()];
    arguments.push(format!("--{}", spec.scope));
    for (option, folder) in [("--root", &layout.root), ("--config-root", &layout.config_root)] {
        if let Some(folder) = folder {
            arguments.extend([option.to_owned(), folder.to_string()]);
        }
    }
    arguments
}
