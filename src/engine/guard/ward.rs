//! One instance under guard.

use std::time::Duration;

use crate::engine::guard::life::{Life, Wish, judged, start_process, starts_again};
use crate::engine::guard::request::{self, Request};
use crate::engine::guard::sweep::{Remains, sweep};
use crate::engine::guard::{AtStart, Entry, Event, GUARDIAN_OPTION, Hooks, Outcome};
use crate::host::clock;
use crate::host::holder::{HeldLock, holder};
use crate::host::identity::{self, ProcessHandle};
use crate::host::listening::HeldSockets;
use crate::host::process::{Credentials, DEATHS_ARE_TOLD, Ended, Particulars};
use crate::host::rest::{AsFd, BorrowedFd, OwnedFd};
use crate::host::signal::Signal;
use crate::model::moment::BootMoment;
use crate::model::name::InstanceName;
use crate::model::socket::Socket;
use crate::model::status::{Exit, Phase, ProcessIdentity};
use crate::model::trial::SETUP_FAILED;
use crate::supervise::{read_status, supervisor_lock};

/// A supervisor that ends sooner than this after its start gets a pause before the next.
const SOON: Duration = Duration::from_secs(1);
/// The shortest and the longest of these pauses.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(1_600));
/// The pauses after a start that something hindered; the last one again and again.
const HINDERED_PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(30)];
/// What a stop may take beyond its own limit before the supervisor itself is taken for stuck.
const GRACE: Duration = Duration::from_secs(10);
/// The limit of a stop where the spec is not known: of a supervisor that was adopted.
const ADOPTED_STOP_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug)]
pub(super) struct Ward {
    entry: Entry,
    life: Life,
    wish: Wish,
    /// Whether a command asked for the stop.
    by_request: bool,
    pause: Duration,
    /// How many starts in a row something hindered.
    hindered: usize,
    stop_limit: Duration,
    kill_at: Option<BootMoment>,
    /// Sockets that a supervisor has handed over.
    handed: Vec<OwnedFd>,
    /// The sockets that are held for the program, as long as this lives.
    sockets: HeldSockets,
    /// Children that ended while something was swept, and were reaped there: another's supervisor may be among them.
    reaped: Vec<Ended>,
    _lock: HeldLock,
}

impl Ward {
    pub(super) fn new(entry: Entry, lock: HeldLock, handed: Vec<OwnedFd>) -> Self {
        Self {
            entry,
            life: Life::Waiting { until: BootMoment::default() },
            wish: Wish::Run,
            by_request: false,
            pause: PAUSES.0,
            hindered: 0,
            stop_limit: ADOPTED_STOP_LIMIT,
            kill_at: None,
            handed,
            sockets: HeldSockets::default(),
            reaped: Vec::new(),
            _lock: lock,
        }
    }

    pub(super) fn name(&self) -> &InstanceName {
        &self.entry.name
    }

    pub(super) fn supervisor(&self) -> Option<ProcessIdentity> {
        match &self.life {
            Life::Running { supervisor, .. } => Some(*supervisor),
            Life::Preparing { child } => Some(*child),
            Life::Waiting { .. } | Life::Over(_) => None,
        }
    }

    /// Whether a command stopped it, so that a command may start it again.
    pub(super) fn stopped_by_request(&self) -> bool {
        self.by_request
    }

    /// Nobody starts it from here any more: connections are refused from now on.
    pub(super) fn close_sockets(&self) {
        self.sockets.remove_files_but(&HeldSockets::default());
    }

    pub(super) fn outcome(&self) -> Option<&Outcome> {
        match &self.life {
            Life::Over(outcome) => Some(outcome),
            Life::Waiting { .. } | Life::Preparing { .. } | Life::Running { .. } => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<BootMoment> {
        match &self.life {
            Life::Waiting { until } => Some(*until),
            Life::Running { .. } | Life::Preparing { .. } => self.kill_at,
            Life::Over(_) => None,
        }
    }

    /// Readable when a supervisor that is no child of this process has ended.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match &self.life {
            Life::Running { adopted: Some(handle), .. } => Some(handle.as_fd()),
            Life::Running { adopted: None, .. }
            | Life::Preparing { .. }
            | Life::Waiting { .. }
            | Life::Over(_) => None,
        }
    }

    /// Adopts the supervisor that runs, or starts one.
    pub(super) fn begin(&mut self, others: &[u32], hooks: &mut dyn Hooks) {
        if self.adopt(hooks) {
            // It was meant for this supervisor, and its guardian died before it read it.
            self.take_request();
            return;
        }
        // A stop that was asked of an earlier life is no word about this one.
        let _ = request::take(&self.entry.request);
        let of_this_boot =
            read_status(&self.entry.status).filter(|status| status.boot_id == identity::boot_id());
        if let Some(dead) = of_this_boot.filter(|status| !identity::runs(status.supervisor)) {
            let remains = Remains {
                supervisor: dead.supervisor,
                program: dead.program,
                witnessed: false,
                guarded: true,
                others,
                detached: dead.detached,
            };
            self.sweep(&remains, hooks);
        }
        self.start(hooks);
    }

    fn adopt(&mut self, hooks: &mut dyn Hooks) -> bool {
        let lock = supervisor_lock(&self.entry.status);
        let Some(handle) = holder(&lock).and_then(ProcessHandle::open) else { return false };
        let supervisor = handle.identity();
        hooks.observe(&Event::Adopted { name: self.entry.name.clone(), supervisor });
        // They are held from now on, so that they are also closed if nothing is ever started from here.
        if !self.handed.is_empty()
            && let Some((sockets, account)) = hooks.sockets(&self.entry.name)
        {
            self.hold(&sockets, account.as_ref());
        }
        self.life = Life::Running { supervisor, since: clock::boot_now(), adopted: Some(handle) };
        true
    }

    /// Stops it, however far it is.
    pub(super) fn stop(&mut self) {
        self.wish = Wish::Stop;
        self.ask(Signal::USR1);
    }

    /// Stops it without waiting.
    pub(super) fn force(&mut self) {
        self.wish = Wish::Stop;
        self.ask(Signal::USR2);
    }

    pub(super) fn take_request(&mut self) {
        match request::take(&self.entry.request) {
            Some(Request::Stop) => {
                self.by_request = true;
                self.stop();
            }
            // A stop is not taken back by a restart that was asked at the same time.
            Some(Request::Restart) if self.wish != Wish::Stop => {
                self.wish = Wish::Restart;
                self.ask(Signal::USR1);
            }
            Some(Request::Restart | Request::Start) | None => {}
        }
    }

    fn ask(&mut self, signal: Signal) {
        let now = clock::boot_now();
        match (&self.life, self.wish) {
            (Life::Running { supervisor, .. }, _) => {
                // One that ends at this moment is what is wanted.
                let _ = identity::signal(*supervisor, signal);
                self.kill_at.get_or_insert(now.later(self.stop_limit).later(GRACE));
            }
            (Life::Preparing { child }, Wish::Stop) => {
                // Whatever it had begun is undone by the next start.
                let _ = identity::signal(*child, Signal::TERM);
                self.kill_at.get_or_insert(now.later(GRACE));
            }
            // A start is what it is about.
            (Life::Preparing { .. }, _) => self.wish = Wish::Run,
            (Life::Waiting { .. }, Wish::Stop) => self.life = Life::Over(Outcome::Ended(Exit::Code(0))),
            (Life::Waiting { .. }, _) => self.life = Life::Waiting { until: now },
            (Life::Over(_), _) => {}
        }
    }

    /// The children that were reaped here since the last call.
    pub(super) fn take_reaped(&mut self) -> Vec<Ended> {
        std::mem::take(&mut self.reaped)
    }

    /// Looks after it: what ended, and what is due.
    pub(super) fn attend(&mut self, ended: &[Ended], others: &[u32], hooks: &mut dyn Hooks) {
        let now = clock::boot_now();
        if self.kill_at.is_some_and(|moment| now >= moment)
            && let Some(supervisor) = self.supervisor()
        {
            // Its own limit is long over: it is stopped, or stuck.
            let _ = identity::signal(supervisor, Signal::KILL);
            self.kill_at = None;
        }
        if let Life::Running { supervisor, since, adopted } = &self.life {
            let (supervisor, since) = (*supervisor, *since);
            let exit = match adopted {
                Some(handle) => (!identity::runs(handle.identity())).then(|| self.reported_ending()),
                None => ended.iter().find(|one| one.pid == supervisor.pid).map(|one| {
                    let status = read_status(&self.entry.status);
                    let said = status.filter(|said| said.supervisor == supervisor).map(|said| said.phase);
                    judged(one.exit, said, DEATHS_ARE_TOLD)
                }),
            };
            if let Some(exit) = exit {
                self.ended(supervisor, exit, now.since(since), others, hooks);
            }
        }
        if let Life::Preparing { child } = self.life
            && let Some(ended) = ended.iter().find(|one| one.pid == child.pid)
        {
            self.prepared(ended.exit, hooks);
        }
        if matches!(self.life, Life::Waiting { until } if now >= until) {
            self.start(hooks);
        }
    }

    /// How a supervisor ended of which this process is not the parent: as it said itself.
    fn reported_ending(&self) -> Exit {
        match read_status(&self.entry.status) {
            Some(status) => match (status.phase, status.last_exit) {
                (Phase::Stopped | Phase::Completed, _) => Exit::Code(0),
                (Phase::Failed, Some(Exit::Code(code))) if code != 0 => Exit::Code(code),
                (Phase::Failed, _) => Exit::Code(1),
                _ => Exit::Signal(Signal::KILL.as_raw()),
            },
            None => Exit::Signal(Signal::KILL.as_raw()),
        }
    }

    fn ended(
        &mut self,
        supervisor: ProcessIdentity,
        exit: Exit,
        lived: Duration,
        others: &[u32],
        hooks: &mut dyn Hooks,
    ) {
        self.kill_at = None;
        let status = read_status(&self.entry.status).filter(|status| status.supervisor == supervisor);
        let (program, detached) = status.map(|status| (status.program, status.detached)).unwrap_or_default();
        self.sweep(&Remains { supervisor, program, witnessed: true, guarded: true, others, detached }, hooks);
        let pause = match (self.wish, exit) {
            (Wish::Stop, Exit::Signal(_)) => {
                // Killed while it stopped, and now swept: stopped all the same.
                self.life = Life::Over(Outcome::Ended(Exit::Code(0)));
                return;
            }
            (Wish::Restart, _) => Duration::ZERO,
            (Wish::Run, Exit::Code(code)) if code == i32::from(SETUP_FAILED) => self.hindered_pause(lived),
            (Wish::Run, _) if starts_again(exit) => self.next_pause(lived),
            (Wish::Stop | Wish::Run, _) => {
                self.life = Life::Over(Outcome::Ended(exit));
                return;
            }
        };
        self.wish = Wish::Run;
        hooks.observe(&Event::Again { name: self.entry.name.clone(), exit, pause });
        self.life = Life::Waiting { until: clock::boot_now().later(pause) };
    }

    fn next_pause(&mut self, lived: Duration) -> Duration {
        if lived >= SOON {
            self.pause = PAUSES.0;
            return Duration::ZERO;
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSES.1);
        pause
    }

    fn hindered_pause(&mut self, lived: Duration) -> Duration {
        if lived >= HINDERED_PAUSES[3] {
            self.hindered = 0;
        }
        let pause = HINDERED_PAUSES[self.hindered.min(HINDERED_PAUSES.len() - 1)];
        self.hindered = self.hindered.saturating_add(1);
        pause
    }

    fn sweep(&mut self, remains: &Remains<'_>, hooks: &mut dyn Hooks) {
        let left = sweep(remains, |ended| self.reaped.push(ended));
        if !left.is_empty() {
            hooks.observe(&Event::Left { name: self.entry.name.clone(), processes: left });
        }
    }

    fn start(&mut self, hooks: &mut dyn Hooks) {
        // What hindered the last start may be a supervisor that somebody else started.
        if self.hindered > 0 && self.adopt(hooks) {
            return;
        }
        let found = hooks.at_start(&self.entry.name);
        self.go_on(found, hooks);
    }

    /// Begins what was found to be done for a start.
    fn go_on(&mut self, found: AtStart, hooks: &mut dyn Hooks) {
        match found {
            AtStart::Start { stop_limit, sockets, account } => {
                self.stop_limit = stop_limit;
                self.hold(&sockets, account.as_ref());
                self.supervise(hooks);
            }
            AtStart::First { command } => match start_process(&command, &Particulars::default()) {
                Ok(child) => self.life = Life::Preparing { child },
                Err(error) => self.later(error.to_string(), hooks),
            },
            AtStart::StayDown { reason } => self.life = Life::Over(Outcome::StayedDown { reason }),
            AtStart::Later { reason } => self.later(reason, hooks),
        }
    }

    fn later(&mut self, reason: String, hooks: &mut dyn Hooks) {
        hooks.observe(&Event::NotStarted { name: self.entry.name.clone(), reason });
        let pause = self.hindered_pause(Duration::ZERO);
        self.life = Life::Waiting { until: clock::boot_now().later(pause) };
    }

    /// What had to be done before the start has ended.
    fn prepared(&mut self, exit: Exit, hooks: &mut dyn Hooks) {
        self.kill_at = None;
        let name = self.entry.name.clone();
        if exit != Exit::Code(0) {
            hooks.abandon(&name);
        }
        if self.wish == Wish::Stop {
            self.life = Life::Over(Outcome::Ended(Exit::Code(0)));
        } else if exit == Exit::Code(0) {
            let found = hooks.launch(&name);
            self.go_on(found, hooks);
        } else {
            self.later(format!("what comes before its start {exit}"), hooks);
        }
    }

    fn supervise(&mut self, hooks: &mut dyn Hooks) {
        let name = self.entry.name.clone();
        let now = clock::boot_now();
        match self.spawn() {
            Ok(supervisor) => {
                hooks.observe(&Event::Started { name, supervisor });
                self.life = Life::Running { supervisor, since: now, adopted: None };
            }
            Err(error) => {
                hooks.observe(&Event::NotStarted { name, reason: error.to_string() });
                self.life = Life::Waiting { until: now.later(self.next_pause(Duration::ZERO)) };
            }
        }
    }

    /// Holds the sockets of the launch. What can't be bound is left to the supervisor, which tells of it where
    /// everybody looks.
    fn hold(&mut self, wanted: &[Socket], account: Option<&Credentials>) {
        let mut there = std::mem::take(&mut self.handed);
        there.extend(self.sockets.copies().unwrap_or_default());
        let before = std::mem::take(&mut self.sockets);
        (self.sockets, _) = HeldSockets::gather(wanted, self.entry.name.as_str(), there, account);
        before.remove_files_but(&self.sockets);
    }

    fn spawn(&self) -> std::io::Result<ProcessIdentity> {
        let mut arguments = self.entry.command.clone();
        arguments.extend([GUARDIAN_OPTION.to_owned(), identity::own().to_string()]);
        start_process(&arguments, &Particulars { sockets: Some(&self.sockets), ..Particulars::default() })
    }
}
