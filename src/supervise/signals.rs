//! What the supervisor is asked by signals.
//!
//! SIGTERM and SIGINT ask for a stop, and force it where one was asked for before. SIGHUP asks too but never forces,
//! because a terminal that goes away sends it more than once. A guardian asks by SIGUSR1, and by SIGUSR2 to force, so
//! that a signal that reaches both it and the supervisor is not counted twice.

use std::io;
use std::time::Duration;

use crate::host::rest::{AsFd, BorrowedFd};
use crate::host::signal::{Signal, SignalPipe};
use crate::model::manifest::StopSignal;
use crate::model::moment::BootMoment;
use crate::supervise::transition::Input;

/// A termination so soon after the guardian's word reached both of them, as at the end of the host.
const SAME: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Signals {
    terminate: SignalPipe,
    hang_up: SignalPipe,
    guardian: SignalPipe,
    asked: Asked,
    force: SignalPipe,
    child: SignalPipe,
}

impl Signals {
    /// Catches them from now on.
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: SignalPipe::new(&[Signal::TERM, Signal::INT])?,
            hang_up: SignalPipe::new(&[Signal::HUP])?,
            guardian: SignalPipe::new(&[Signal::USR1])?,
            asked: Asked::default(),
            force: SignalPipe::new(&[Signal::USR2])?,
            child: SignalPipe::new(&[Signal::CHILD])?,
        })
    }

    pub(crate) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let all = [&self.terminate, &self.hang_up, &self.guardian, &self.force, &self.child];
        all.into_iter().map(AsFd::as_fd)
    }

    /// What was asked since the last call.
    pub(crate) fn take(&mut self, now: BootMoment) -> Vec<Input> {
        let asked = &mut self.asked;
        let mut inputs: Vec<_> = (0..self.terminate.take()).map(|_| asked.terminated(now)).collect();
        if self.guardian.take() > 0 {
            inputs.push(asked.by_guardian(now));
        }
        if self.hang_up.take() > 0 {
            inputs.push(asked.hung_up());
        }
        if self.force.take() > 0 {
            inputs.push(Input::Force);
        }
        inputs
    }

    /// Whether a child ended since the last call.
    pub(crate) fn child_ended(&self) -> bool {
        self.child.take() > 0
    }
}

/// What was asked so far.
#[derive(Debug, Default)]
struct Asked {
    before: bool,
    /// When the guardian asked first, if nobody had before.
    by_guardian: Option<BootMoment>,
}

impl Asked {
    fn terminated(&mut self, now: BootMoment) -> Input {
        let same = self.by_guardian.take().is_some_and(|first| now.since(first) < SAME);
        if std::mem::replace(&mut self.before, true) && !same { Input::Force } else { Input::Stop }
    }

    fn by_guardian(&mut self, now: BootMoment) -> Input {
        if !std::mem::replace(&mut self.before, true) {
            self.by_guardian = Some(now);
        }
        Input::Stop
    }

    fn hung_up(&mut self) -> Input {
        self.before = true;
        Input::Stop
    }
}

/// The signal that asks a program to end.
pub(crate) fn of(signal: StopSignal) -> Signal {
    match signal {
        StopSignal::Sigterm => Signal::TERM,
        StopSignal::Sigint => Signal::INT,
        StopSignal::Sigquit => Signal::QUIT,
        StopSignal::Sighup => Signal::HUP,
        StopSignal::Sigusr1 => Signal::USR1,
        StopSignal::Sigusr2 => Signal::USR2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_request_counts_and_a_later_termination_forces() {
        let moment = BootMoment;
        let mut twice = Asked::default();
        assert_eq!([twice.terminated(moment(0)), twice.terminated(moment(5))], [Input::Stop, Input::Force]);
        let mut hung_up = Asked::default();
        assert_eq!([hung_up.hung_up(), hung_up.hung_up()], [Input::Stop, Input::Stop]);
        assert_eq!(hung_up.terminated(moment(5)), Input::Force);
        let mut guarded = Asked::default();
        assert_eq!(guarded.by_guardian(moment(0)), Input::Stop);
        assert_eq!(guarded.terminated(moment(1_500)), Input::Force);
    }

    #[test]
    fn a_signal_that_reaches_the_guardian_too_is_counted_once() {
        let mut asked = Asked::default();
        assert_eq!(asked.by_guardian(BootMoment(0)), Input::Stop);
        assert_eq!(asked.terminated(BootMoment(3)), Input::Stop);
        assert_eq!(asked.terminated(BootMoment(9)), Input::Force);
    }
}
