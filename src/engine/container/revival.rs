//! Bringing back a container that was there before mainstay: the very one, with its name and all that is in it.

use std::time::{Duration, Instant};

use crate::engine::container::{GLANCE, OTHERS, PATIENCE, run};
use crate::engine::failure::CallError;
use crate::engine::question::ask;
use crate::host::tree;
use crate::model::compose::OldContainer;
use crate::platform::call::Call;
use crate::platform::compose::query;
use crate::platform::compose::seen::{self, ContainerSeen};

/// How long it has to run to be back: one that can't be started as it was ends at once.
const STEADY: Duration = Duration::from_secs(2);

/// Has an old container again under its name, and running if it ran. Doing it twice does no harm.
pub(crate) fn revive(old: &OldContainer, otherwise: &Call) -> Result<(), CallError> {
    await_stop(old);
    let Some(found) = look(old)? else {
        let Call::Run { argv, .. } = otherwise else { return Ok(()) };
        return run(argv).map(|_| ());
    };
    if found.name != old.name {
        run(&query::rename(old.engine, &old.number, &old.name))?;
    }
    if !old.ran {
        return Ok(());
    }
    let start = query::start(old.engine, &old.name);
    if found.state != "running" {
        run(&start)?;
    }
    let since = Instant::now();
    while since.elapsed() < STEADY {
        std::thread::sleep(GLANCE);
        let now = look(old)?.unwrap_or_default();
        if now.state != "running" {
            let code = now.exit_code.map(|code| format!(" with exit code {code}")).unwrap_or_default();
            let reason = format!("it was started, and ended{code}");
            return Err(CallError::Failed { call: start.join(" "), reason });
        }
    }
    Ok(())
}

/// Waits until a stop has ended that a killed command has begun.
fn await_stop(old: &OldContainer) {
    let until = Instant::now() + OTHERS;
    while Instant::now() < until && tree::has_words(&["stop", &old.number]) {
        std::thread::sleep(GLANCE);
    }
}

fn look(old: &OldContainer) -> Result<Option<ContainerSeen>, CallError> {
    ask(&query::container(old.engine, &old.number), PATIENCE, seen::container)
}
