//! Services and tasks of Windows, as the engine asks for them. Whichever of both it is, what its manager starts is a
//! guardian of mainstay's own: stop and restart are requests to that, and so is the switch before each start.

use std::time::Duration;

use crate::engine::failure::CallError;
use crate::engine::manager::{Seen, State};
use crate::engine::{guard, runtimes};
use crate::host::files;
use crate::model::layout::Layout;
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::platform::call::{Call, ServiceVerb};

mod life;
mod service;
mod task;

pub use life::serve;

/// How long a manager may take for what nobody has a hand in.
const PATIENCE: Duration = Duration::from_secs(30);

/// Does what a call asks for.
pub(crate) fn perform(layout: &Layout, of: &Marker, verb: ServiceVerb) -> Result<(), CallError> {
    let failed = |reason: String| {
        let call = Call::Service { of: of.clone(), verb }.to_string();
        CallError::Failed { call, reason }
    };
    let manager = Manager::of(of.platform);
    let registered = || manager.register(layout, of);
    let started = || match manager {
        Manager::Services => service::start(of, PATIENCE),
        Manager::Tasks => task::start(of),
    };
    let done = match verb {
        ServiceVerb::Register => registered(),
        ServiceVerb::Start => registered().and_then(|()| started()),
        ServiceVerb::Restart => registered().and_then(|()| {
            if manager == Manager::Services {
                service::switch_for_account(layout, of)?;
            }
            let restart = || guard::request_restart(layout, &of.name).map_err(|error| error.to_string());
            if let guard::Restart::Requested { .. } = restart()? {
                return Ok(());
            }
            // One that has outlived its guardian is adopted by the new one first.
            let orphan = guard::supervisor_of(layout, &of.name);
            started()?;
            if orphan.is_some() && guard::supervisor_of(layout, &of.name) == orphan {
                restart()?;
            }
            Ok(())
        }),
        ServiceVerb::Stop { limit } => match manager {
            Manager::Services => service::stop(layout, of, limit.duration()),
            Manager::Tasks => task::stop(layout, of, limit.duration()),
        },
    };
    done.map_err(failed)
}

/// Who keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    Services,
    Tasks,
}

impl Manager {
    fn of(platform: PlatformKind) -> Self {
        if platform == PlatformKind::Task { Self::Tasks } else { Self::Services }
    }

    /// Registers what the definition says, if that is not what is registered; and nothing where there is no definition.
    fn register(self, layout: &Layout, of: &Marker) -> Result<(), String> {
        let definition = definition(layout, of)?;
        match (self, definition) {
            (Self::Services, Some(text)) => service::register(layout, of, &text),
            (Self::Services, None) => service::unregister(layout, of, PATIENCE),
            (Self::Tasks, Some(text)) => task::register(layout, of, &text),
            (Self::Tasks, None) => task::unregister(of),
        }
    }
}

/// How an instance stands: in its manager's eyes, and by its guardian, who knows of it even where the manager does not
/// answer.
pub(crate) fn seen(layout: &Layout, of: &Marker) -> Result<Seen, CallError> {
    let unavailable = |reason: String| CallError::Unavailable {
        manager: match Manager::of(of.platform) {
            Manager::Services => "the service control manager".to_owned(),
            Manager::Tasks => "the Task Scheduler".to_owned(),
        },
        reason,
    };
    let definition = definition(layout, of).map_err(unavailable)?;
    let running = guard::guardian_of(layout, &of.name).or_else(|| guard::supervisor_of(layout, &of.name));
    let seen = match Manager::of(of.platform) {
        Manager::Services => service::seen(layout, of, definition.as_deref()),
        Manager::Tasks => task::seen(layout, of, definition.as_deref()),
    };
    let seen = seen.map_err(unavailable)?;
    Ok(Seen {
        // Whoever has started it: what runs, runs.
        state: if running.is_some() && !seen.state.runs() { State::Active } else { seen.state },
        main_pid: seen.main_pid.or(running.map(|process| process.pid)),
        remains: running.is_none() && guard::has_remains(layout, &of.name),
        ..seen
    })
}

/// What stands under the instance's name and is not ours.
pub(crate) fn taken(of: &Marker) -> Result<Option<String>, CallError> {
    let unavailable = |reason: String| CallError::Unavailable { manager: "Windows".to_owned(), reason };
    match Manager::of(of.platform) {
        Manager::Services => service::taken(of),
        Manager::Tasks => task::taken(of),
    }
    .map_err(unavailable)
}

fn definition(layout: &Layout, of: &Marker) -> Result<Option<String>, String> {
    files::read(&layout.definition(&of.name, of.platform)).map_err(|error| error.to_string())
}

/// The program that an instance's link names, at the place where it really stands: Windows starts nothing through a link
/// of ours. Its separators are those of Windows, which some of its tools insist on.
fn program(layout: &Layout, of: &Marker) -> String {
    runtimes::program(layout, &of.name).as_str().replace('/', "\\")
}
