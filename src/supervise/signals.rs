//! What the supervisor is asked by signals.
//!
//! SIGTERM and SIGINT ask for a stop, and asked twice they force it. SIGHUP asks too but never forces, because a
//! terminal that goes away sends it more than once. A guardian asks by SIGUSR1, and by SIGUSR2 to force, so that a
//! signal that reaches both it and the supervisor is not counted twice.

use std::io;
use std::os::fd::OwnedFd;

use rustix::process::Signal;

use crate::host::signal::SignalPipe;
use crate::model::manifest::StopSignal;
use crate::supervise::transition::Input;

#[derive(Debug)]
pub(crate) struct Signals {
    terminate: SignalPipe,
    terminations: usize,
    stop: SignalPipe,
    force: SignalPipe,
    child: SignalPipe,
}

impl Signals {
    /// Catches them from now on.
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: SignalPipe::new(&[Signal::TERM, Signal::INT])?,
            terminations: 0,
            stop: SignalPipe::new(&[Signal::HUP, Signal::USR1])?,
            force: SignalPipe::new(&[Signal::USR2])?,
            child: SignalPipe::new(&[Signal::CHILD])?,
        })
    }

    pub(crate) fn descriptors(&self) -> impl Iterator<Item = &OwnedFd> {
        [&self.terminate, &self.stop, &self.force, &self.child].into_iter().map(SignalPipe::descriptor)
    }

    /// What was asked since the last call.
    pub(crate) fn take(&mut self) -> Vec<Input> {
        let mut asked = Vec::new();
        for _ in 0..self.terminate.take() {
            asked.push(if self.terminations == 0 { Input::Stop } else { Input::Force });
            self.terminations += 1;
        }
        if self.stop.take() > 0 {
            asked.push(Input::Stop);
        }
        if self.force.take() > 0 {
            asked.push(Input::Force);
        }
        asked
    }

    /// Whether a child ended since the last call.
    pub(crate) fn child_ended(&self) -> bool {
        self.child.take() > 0
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
