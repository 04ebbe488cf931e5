//! Processes that still run an instance's program although nothing supervises them.

use camino::Utf8Path;

use crate::engine::Context;
use crate::host::identity::Process;
use crate::host::tree;
use crate::model::name::InstanceName;

/// What runs from an instance's versions: its program, or a script of its by an interpreter. Of another
/// account's processes a plain user can't know the program.
#[must_use]
pub fn running_from(install: &Utf8Path) -> Vec<Process> {
    let runs = |process: &Process| {
        tree::runs_from(process.identity.pid, install) || tree::is_script_of(process, install)
    };
    tree::all().into_iter().filter(runs).collect()
}

/// Names what is left after a stop. It carries nothing by which it could be known as the service's, or it would
/// have been ended; somebody may have started it by hand, so it is left alone.
pub(crate) fn name_what_is_left(context: &Context<'_>, name: &InstanceName) {
    let left = running_from(&context.layout.install(name));
    if left.is_empty() {
        return;
    }
    let named: Vec<_> =
        left.iter().map(|process| format!("{} ({})", process.name, process.identity.pid)).collect();
    context.notice(format!(
        "still running from the versions of {name}, and left alone because nothing shows that the service started \
         it: {}",
        named.join(", ")
    ));
}
