//! Running the commands of a manifest.

use std::io;
use std::time::{Duration, Instant};

use crate::engine::failure::StepError;
use crate::host::command::{self, Manner};
use crate::host::signal::Signal;
use crate::host::{identity, tree};
use crate::model::hook::HookCall;
use crate::model::layout::Layout;
use crate::model::name::InstanceName;

/// The variable by which the processes of a migration are known, whoever their parent is by now. Its value is the path
/// of the switch to which they belong.
const MARK: &str = "MAINSTAY_SWITCH";
/// How long what was sent SIGKILL may take to go.
const LIMIT: Duration = Duration::from_secs(5);
/// The pause between two looks whether it has gone.
const LOOK: Duration = Duration::from_millis(5);

/// Runs a hook to its end, and tells each line that it writes as it comes.
pub(crate) fn run(hook: &HookCall, each: &mut dyn FnMut(&str)) -> Result<(), StepError> {
    run_with(hook, None, each)
}

/// Runs a migration: nothing that it started runs on when it has ended.
pub(crate) fn migrate(
    layout: &Layout,
    name: &InstanceName,
    hook: &HookCall,
    each: &mut dyn FnMut(&str),
) -> Result<(), StepError> {
    let outcome = run_with(hook, Some((MARK.to_owned(), layout.switch(name).into_string())), each);
    end_migration(layout, name);
    outcome
}

/// Ends what a migration has left behind that was interrupted, or that left something in the background: it would work
/// on data that are somebody else's by then.
pub(crate) fn end_migration(layout: &Layout, name: &InstanceName) {
    let mark = layout.switch(name);
    let this = std::process::id();
    let until = Instant::now() + LIMIT;
    loop {
        let mut found = tree::all();
        found.retain(|process| {
            process.identity.pid != this && tree::carries(process.identity.pid, MARK, mark.as_str())
        });
        if found.is_empty() || Instant::now() > until {
            return;
        }
        for process in found {
            // One that ends at this moment is what is wanted.
            let _ = identity::signal(process.identity, Signal::KILL);
        }
        std::thread::sleep(LOOK);
    }
}

fn run_with(
    hook: &HookCall,
    mark: Option<(String, String)>,
    each: &mut dyn FnMut(&str),
) -> Result<(), StepError> {
    let failed = |reason: String| StepError::Hook { field: hook.field.clone(), reason };
    let environment: Vec<_> = hook.environment.clone().into_iter().chain(mark).collect();
    let manner = Manner {
        environment: Some(&environment),
        folder: Some(&hook.folder),
        rights: hook.rights.as_ref(),
        limit: Some(hook.limit.duration()),
        ..Manner::default()
    };
    let output = command::told(&hook.argv, manner, each).map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => failed(format!("it took longer than {} and was ended", hook.limit)),
        _ => failed(format!("`{}` can't be run: {error}", hook.argv.first().map_or("", String::as_str))),
    })?;
    if output.code == Some(0) {
        return Ok(());
    }
    let ending = output
        .code
        .map_or_else(|| "it was ended by a signal".to_owned(), |code| format!("it exited with code {code}"));
    let last = output.stderr.lines().chain(output.stdout.lines()).next_back().unwrap_or_default().to_owned();
    Err(failed(if last.is_empty() { ending } else { format!("{ending}: {last}") }))
}
