//! The supervisor's eye on its guardian: a supervisor that nobody guards would stay dead if it were killed.
//!
//! When the guardian dies, the program goes on running. The supervisor looks whether another guardian holds the
//! lock, and if not, starts one, which finds this supervisor alive and adopts it instead of starting a second.

use std::io;
use std::time::Duration;

use camino::Utf8Path;

use crate::host::holder::holder;
use crate::host::identity::{self, ProcessHandle};
use crate::host::listening::HeldSockets;
use crate::host::process::{self, Ended, Input, Particulars, Sink, Start};
use crate::host::rest::{AsFd, BorrowedFd};
use crate::model::moment::BootMoment;
use crate::supervise::context::GuardianLink;

/// The pause after a guardian that could not be started or died at once, and the longest it grows to.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));

#[derive(Debug)]
pub(crate) struct GuardianWatch {
    link: GuardianLink,
    guardian: Option<ProcessHandle>,
    /// A guardian that this supervisor started: its child, and no part of the program's tree.
    started: Option<u32>,
    try_again: Option<BootMoment>,
    pause: Duration,
    since: BootMoment,
}

impl GuardianWatch {
    pub(crate) fn new(link: GuardianLink, now: BootMoment) -> Self {
        let guardian = link.guardian.and_then(ProcessHandle::open);
        let try_again = guardian.is_none().then_some(now);
        Self { link, guardian, started: None, try_again, pause: PAUSES.0, since: now }
    }

    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.guardian.as_ref().map(AsFd::as_fd)
    }

    pub(crate) fn deadline(&self) -> Option<BootMoment> {
        self.try_again
    }

    /// The guardian among this supervisor's children, which no stop of the program may reach.
    pub(crate) fn spared(&self) -> Option<u32> {
        self.started
    }

    /// Takes note of a child that ended.
    pub(crate) fn ended(&mut self, ended: Ended) {
        if self.started == Some(ended.pid) {
            self.started = None;
        }
    }

    /// Looks after the guardian. A new one takes on the sockets, which it holds beside this supervisor.
    pub(crate) fn attend(&mut self, now: BootMoment, sockets: &HeldSockets) {
        if let Some(guardian) = &self.guardian {
            if identity::runs(guardian.identity()) {
                return;
            }
            self.guardian = None;
            if now.since(self.since) > PAUSES.1 {
                self.pause = PAUSES.0;
                self.try_again = Some(now);
            } else {
                self.put_off(now);
            }
        }
        if self.try_again.is_none_or(|moment| now < moment) {
            return;
        }
        self.guardian = match holder(&self.link.lock) {
            Some(other) => ProcessHandle::open(other),
            None => self.start(sockets).ok().flatten(),
        };
        if self.guardian.is_some() {
            self.since = now;
            self.try_again = None;
        } else {
            self.put_off(now);
        }
    }

    fn put_off(&mut self, now: BootMoment) {
        self.try_again = Some(now.later(self.pause));
        self.pause = (self.pause * 2).min(PAUSES.1);
    }

    fn start(&mut self, sockets: &HeldSockets) -> io::Result<Option<ProcessHandle>> {
        let program = self.link.command.first().ok_or(io::ErrorKind::InvalidInput)?;
        let start = Start {
            program: Utf8Path::new(program),
            arguments: &self.link.command,
            environment: None,
            folder: None,
            account: None,
            leads_group: false,
            input: Input::Null,
            output: Sink::Null,
            error: Sink::Null,
        };
        let child =
            process::start_with(&start, &Particulars { sockets: Some(sockets), ..Particulars::default() })?;
        self.started = Some(child.pid);
        Ok(identity::identity_of(child.pid).and_then(ProcessHandle::open))
    }
}
