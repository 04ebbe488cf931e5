//! What the services and tasks of Windows are started with.

use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;

/// What the program is started with: the instance's name, and where a layout was moved, to where. Never a setting, since
/// every account of the host can read it.
pub(in crate::platform) fn of(spec: &LaunchSpec, layout: &Layout) -> Vec<String> {
    let mut arguments = vec!["run".to_owned(), "--name".to_owned(), spec.name.to_string()];
    arguments.push(format!("--{}", spec.scope));
    for (option, folder) in [("--root", &layout.root), ("--config-root", &layout.config_root)] {
        if let Some(folder) = folder {
            arguments.extend([option.to_owned(), folder.to_string()]);
        }
    }
    arguments
}
