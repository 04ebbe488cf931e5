//! The life of a process that the service control manager has started: the guardian of one instance, which tells the
//! manager how far it is.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::engine::guard::Event;
use crate::engine::report;
use crate::engine::supervisor::{RunError, Wishes, guard_one};
use crate::host::identity;
use crate::host::service::{self, ServiceError, Word};
use crate::host::signal::{Signal, SignalPipe};
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::model::status::Phase;

/// How often the manager hears of a way up or down.
const PULSE: Duration = Duration::from_millis(250);
/// Within what time it is promised to hear again.
const HINT: Duration = Duration::from_secs(10);

/// Where the service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Starting,
    Running,
    Stopping,
    Over,
}

#[derive(Clone)]
struct Stages(Arc<(Mutex<Stage>, Condvar)>);

impl Stages {
    fn now(&self) -> MutexGuard<'_, Stage> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is over stays so.
    fn reach(&self, stage: Stage) {
        let mut now = self.now();
        if *now != Stage::Over {
            *now = stage;
        }
        self.0.1.notify_all();
    }

    /// Waits for the next pulse; of one that rests, for what comes.
    fn pause(&self) -> Stage {
        let now = self.now();
        let paused = match *now {
            Stage::Running => self.0.1.wait(now).map_err(PoisonError::into_inner),
            _ => match self.0.1.wait_timeout(now, PULSE) {
                Ok((now, _)) => Ok(now),
                Err(error) => Err(error.into_inner().0),
            },
        };
        let (Ok(now) | Err(now)) = paused;
        *now
    }
}

/// Guards an instance as the service that the manager has started this process for, until it has ended for good. Says
/// whether it was so: a process that somebody else has started is no service, and nothing was done.
pub fn serve(
    layout: &Layout,
    name: &InstanceName,
    note: impl Fn(&Event) + Send + 'static,
) -> Result<bool, ServiceError> {
    let stages = Stages(Arc::new((Mutex::new(Stage::Starting), Condvar::new())));
    let asked = stages.clone();
    let (its_layout, its_name) = (layout.clone(), name.clone());
    let work = move || {
        // A request that comes when the guardian no longer hears any is not to end the process: its last word is due.
        let _heard = SignalPipe::new(&[Signal::TERM]);
        let teller = {
            let (stages, layout, name) = (stages.clone(), its_layout.clone(), its_name.clone());
            std::thread::Builder::new().name("words".to_owned()).spawn(move || tell(&stages, &layout, &name))
        };
        let outcome = guard_one(&its_layout, &its_name, &Wishes::default(), &mut |event| note(event));
        stages.reach(Stage::Over);
        if let Ok(teller) = teller {
            let _ = teller.join();
        }
        last_word(&outcome.map(|_| ()));
    };
    let stop = move || {
        asked.reach(Stage::Stopping);
        let _ = identity::signal(identity::own(), Signal::TERM);
    };
    service::become_one(name.as_str(), work, stop)
}

/// Tells the manager how far it is: on the way up until the program is ready, or is being waited for once more; on the
/// way down until the end. At rest it sleeps.
fn tell(stages: &Stages, layout: &Layout, name: &InstanceName) {
    loop {
        match stages.pause() {
            Stage::Starting if has_arrived(layout, name) => {
                let mut now = stages.now();
                if *now == Stage::Starting {
                    *now = Stage::Running;
                    service::tell(Word::Running, HINT);
                }
            }
            Stage::Starting => service::tell(Word::Starting, HINT),
            Stage::Running => {}
            Stage::Stopping => service::tell(Word::Stopping, HINT),
            Stage::Over => return,
        }
    }
}

/// Whether the start is over: well, or badly for now. One that is tried again and again can be stopped only from then on.
fn has_arrived(layout: &Layout, name: &InstanceName) -> bool {
    report::live(layout, name).is_some_and(|status| status.phase != Phase::Starting || status.failures > 0)
}

/// How it ended. What can't be guarded for now ends without a word, which the manager takes for a death, and starts it
/// again; what can never be is down with an error. The program's own ending stands in the report.
fn last_word(outcome: &Result<(), RunError>) {
    match outcome {
        Ok(()) => service::tell(Word::Stopped, Duration::ZERO),
        Err(error) if error.is_final() => service::tell(Word::Broken, Duration::ZERO),
        Err(_) => {}
    }
}
