//! Processes that still run an instance's program although nothing supervises them.

use camino::Utf8Path;

use crate::engine::{Context, report};
use crate::host::identity::Process;
use crate::host::tree;
use crate::model::name::InstanceName;
use crate::model::status::ProcessIdentity;

/// What runs from an instance's versions: its program, or a script of its by an interpreter. Of another
/// account's processes a plain user can't know the program.
#[must_use]
pub fn running_from(install: &Utf8Path) -> Vec<Process> {
    let runs = |process: &Process| {
        tree::runs_from(process.identity.pid, install) || tree::is_script_of(process, install)
    };
    tree::all().into_iter().filter(runs).collect()
}

/// Names what is left after a stop: what the manifest lets live on, and what runs the instance's program. That carries
/// nothing by which it could be known as the service's, or it would have been ended; somebody may have started it by
/// hand, so it is left alone.
pub(crate) fn name_what_is_left(context: &Context<'_>, name: &InstanceName) {
    let all = tree::all();
    let detached: Vec<ProcessIdentity> =
        report::read(&context.layout, name).map(|status| status.detached).unwrap_or_default();
    let mut allowed: Vec<Process> =
        all.iter().filter(|process| detached.contains(&process.identity)).cloned().collect();
    for root in allowed.clone() {
        allowed.extend(tree::below(root.identity.pid, &[], &all));
    }
    let mut left = running_from(&context.layout.install(name));
    left.retain(|process| !allowed.contains(process));
    for (processes, why) in [
        (allowed, "left running, as `detach` of the manifest says"),
        (
            left,
            "still running from its versions, and left alone because nothing shows that the service started it",
        ),
    ] {
        if !processes.is_empty() {
            let named: Vec<_> = processes
                .iter()
                .map(|process| format!("{} ({})", process.name, process.identity.pid))
                .collect();
            context.notice(format!("{name}: {why}: {}", named.join(", ")));
        }
    }
}
