//! The guardian of the embedded platform: it starts supervisors, waits, and acts on how they end. It holds nothing
//! and decides little, so that hardly anything can go wrong in it; and it may be killed: then the supervisor
//! starts another guardian, which adopts it.
//!
//! One guardian has one instance, or all of a scope (`boot`). As PID 1 of a container it is also the reaper of
//! whatever else is orphaned there.

mod charge;
mod detached;
mod life;
mod request;
mod sweep;
mod ward;

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use thiserror::Error;
use ward::Ward;

use crate::host::holder::{HeldLock, HolderError};
use crate::host::process;
use crate::host::rest::{AsFd, OwnedFd};
use crate::host::signal::{Signal, SignalPipe};
use crate::host::{rest, tree};
use crate::model::layout::Layout;
use crate::model::moment::BootMoment;
use crate::model::name::InstanceName;

pub use charge::{AtStart, Entry, Event, Hooks, Outcome};
pub use detached::{DetachedError, detach, start_detached};
pub use request::{
    RequestError, Restart, Stop, ask_to_come_again, boot_lock, guardian_of, is_to_come_again, request_file,
    request_restart, request_start, stop_guardian, supervisor_of,
};
pub(super) use sweep::clear;
pub use sweep::has_remains;

/// The option by which a supervisor learns which process guards it; its value is `PID:TICKS`.
pub const GUARDIAN_OPTION: &str = "--guardian";

/// Why there is no guardian.
#[derive(Debug, Error)]
pub enum GuardError {
    /// The lock of an instance can't be made.
    #[error("can't become the guardian of `{name}`")]
    Lock {
        /// The instance.
        name: InstanceName,
        /// Why.
        source: HolderError,
    },
    /// Something that every process may do was refused by the system.
    #[error("can't {action}")]
    System {
        /// What was to be done.
        action: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

fn system(action: &'static str) -> impl FnOnce(std::io::Error) -> GuardError {
    move |source| GuardError::System { action, source }
}

/// Guards instances until each of them has ended for good or was stopped, and says how each did.
/// SIGTERM, SIGINT and SIGHUP stop all of them; a SIGTERM or SIGINT after that does not wait. SIGUSR1 says that a
/// command has left a request.
///
/// The guardian of all also takes on what commands start, and stays for what they have stopped.
/// `sockets` are those that a supervisor without a guardian has handed to this one.
pub fn guard(
    entries: Vec<Entry>,
    of_all: Option<OfAll>,
    sockets: Vec<OwnedFd>,
    hooks: &mut dyn Hooks,
) -> Result<Vec<(InstanceName, Outcome)>, GuardError> {
    process::close_inherited();
    let caught = |signals: &[Signal]| SignalPipe::new(signals).map_err(system("catch signals"));
    let mut guardian = Guardian {
        terminate: caught(&[Signal::TERM, Signal::INT])?,
        hang_up: caught(&[Signal::HUP])?,
        requests: caught(&[Signal::USR1])?,
        child: caught(&[Signal::CHILD])?,
        terminations: 0,
        hung_up: false,
        wards: Vec::new(),
        of_all,
        stopped: BTreeSet::new(),
        outcomes: Vec::new(),
    };
    tree::become_reaper().map_err(system("become the reaper of orphaned processes"))?;
    let mut sockets = Some(sockets);
    for entry in entries {
        guardian.take_on(entry, sockets.take().unwrap_or_default(), hooks)?;
    }
    for index in 0..guardian.wards.len() {
        guardian.with(index, |ward, others| ward.begin(others, hooks));
    }
    // What began may already have been reaped, so it is looked at once before the first wait.
    guardian.gather(hooks);
    while guardian.release(hooks) {
        guardian.wait().map_err(system("wait for events"))?;
        guardian.gather(hooks);
    }
    Ok(guardian.outcomes)
}

/// What makes a guardian the one of all instances of a scope.
#[derive(Debug)]
pub struct OfAll {
    locks: Utf8PathBuf,
    _lock: HeldLock,
}

impl OfAll {
    /// Becomes the guardian of all. There may be one already, or something else in the way: then this one
    /// guards what it can, and no more.
    #[must_use]
    pub fn become_it(layout: &Layout) -> Option<Self> {
        let lock = HeldLock::take(&boot_lock(layout)).ok()?;
        Some(Self { locks: layout.locks(), _lock: lock })
    }
}

struct Guardian {
    terminate: SignalPipe,
    hang_up: SignalPipe,
    requests: SignalPipe,
    child: SignalPipe,
    terminations: usize,
    hung_up: bool,
    wards: Vec<Ward>,
    of_all: Option<OfAll>,
    /// What commands have stopped, and may start again.
    stopped: BTreeSet<InstanceName>,
    outcomes: Vec<(InstanceName, Outcome)>,
}

impl Guardian {
    fn take_on(
        &mut self,
        entry: Entry,
        sockets: Vec<OwnedFd>,
        hooks: &mut dyn Hooks,
    ) -> Result<(), GuardError> {
        self.outcomes.retain(|(name, _)| *name != entry.name);
        self.stopped.remove(&entry.name);
        match HeldLock::take(&entry.lock) {
            Ok(lock) => self.wards.push(Ward::new(entry, lock, sockets)),
            Err(HolderError::Held { holder, .. }) => {
                let outcome = Outcome::Guarded(holder);
                hooks.observe(&Event::Over { name: entry.name.clone(), outcome: outcome.clone() });
                self.outcomes.push((entry.name, outcome));
            }
            Err(source) => return Err(GuardError::Lock { name: entry.name, source }),
        }
        Ok(())
    }

    /// Takes on what commands want to have started.
    fn take_starts(&mut self, hooks: &mut dyn Hooks) {
        let Some(of_all) = self.of_all.as_ref().filter(|_| !self.is_ending()) else { return };
        let guarded = |name: &InstanceName| self.wards.iter().any(|ward| ward.name() == name);
        for name in request::take_starts(&of_all.locks, guarded) {
            let entry = hooks.entry(&name);
            let before = self.wards.len();
            if let Err(error) = self.take_on(entry, Vec::new(), hooks) {
                hooks.observe(&Event::NotStarted { name, reason: error.to_string() });
            }
            for index in before..self.wards.len() {
                self.with(index, |ward, others| ward.begin(others, hooks));
            }
        }
    }

    fn is_ending(&self) -> bool {
        self.hung_up || self.terminations > 0
    }

    /// Does something with one ward, and tells it which supervisors are others'.
    fn with(&mut self, index: usize, action: impl FnOnce(&mut Ward, &[u32])) {
        let supervisor = |(other, ward): (usize, &Ward)| ward.supervisor().filter(|_| other != index);
        let others: Vec<u32> =
            self.wards.iter().enumerate().filter_map(supervisor).map(|identity| identity.pid).collect();
        if let Some(ward) = self.wards.get_mut(index) {
            action(ward, &others);
        }
    }

    /// Lets go of the wards that are done with. Says whether there are others.
    fn release(&mut self, hooks: &mut dyn Hooks) -> bool {
        let (outcomes, stopped) = (&mut self.outcomes, &mut self.stopped);
        self.wards.retain_mut(|ward| {
            let Some(outcome) = ward.outcome() else { return true };
            ward.close_sockets();
            hooks.observe(&Event::Over { name: ward.name().clone(), outcome: outcome.clone() });
            outcomes.push((ward.name().clone(), outcome.clone()));
            if ward.stopped_by_request() {
                stopped.insert(ward.name().clone());
            }
            false
        });
        let stays = self.of_all.is_some() && !self.is_ending() && !self.stopped.is_empty();
        !self.wards.is_empty() || stays
    }

    fn wait(&self) -> std::io::Result<()> {
        let deadline: Option<BootMoment> = self.wards.iter().filter_map(Ward::deadline).min();
        let own = [&self.terminate, &self.hang_up, &self.requests, &self.child];
        let descriptors = own.into_iter().map(AsFd::as_fd);
        let descriptors: Vec<_> = descriptors.chain(self.wards.iter().filter_map(Ward::descriptor)).collect();
        rest::wait(&descriptors, deadline)
    }

    fn gather(&mut self, hooks: &mut dyn Hooks) {
        let before = self.terminations;
        self.terminations += self.terminate.take();
        let asked = usize::from(self.hung_up).max(before);
        let hung_up = self.hang_up.take() > 0;
        self.hung_up |= hung_up;
        if hung_up || (before == 0 && self.terminations > 0) {
            self.wards.iter_mut().for_each(Ward::stop);
        }
        if self.terminations > before && self.terminations - before + asked > 1 {
            self.wards.iter_mut().for_each(Ward::force);
        }
        if self.requests.take() > 0 {
            self.wards.iter_mut().for_each(Ward::take_request);
            self.take_starts(hooks);
        }
        let mut ended = if self.child.take() > 0 { process::reap() } else { Vec::new() };
        loop {
            for index in 0..self.wards.len() {
                self.with(index, |ward, others| ward.attend(&ended, others, hooks));
            }
            ended = self.wards.iter_mut().flat_map(Ward::take_reaped).collect();
            if ended.is_empty() {
                return;
            }
        }
    }
}
