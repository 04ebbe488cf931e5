//! Ctrl-C during a command that changes something: it ends at once, and says what becomes of what was begun.

use crate::cli::report;
use crate::host::{files, signal};
use crate::model::layout::Layout;
use crate::model::name::InstanceName;

/// From now on, whoever interrupts the command on an instance is told what follows.
pub(crate) fn tell(layout: &Layout, name: &InstanceName) {
    let (journal, downloads, name) = (layout.operation(name), layout.downloads(name), name.clone());
    // Without this, the command ends by the signal all the same, and says nothing.
    let _ = signal::on_interrupt(move || {
        let begun = matches!(files::facts(&journal), Ok(Some(_)));
        report::interrupted(&if begun {
            format!(
                "interrupted: what was begun on {name} is written down, and the next command on it, `mainstay recover --name {name}` or the service's next start finishes or undoes it"
            )
        } else if matches!(files::facts(&downloads), Ok(Some(_))) {
            "interrupted: nothing is left half done; what was fetched is kept, and the same command goes on with it".to_owned()
        } else {
            format!(
                "interrupted: nothing is left half done; what the service was asked for goes on without this command (`mainstay status --name {name}`)"
            )
        });
    });
}
