//! Unix: a handler writes a byte for each signal that comes.

use std::sync::Arc;

use rustix::io::Errno;
pub use rustix::process::Signal;

use crate::host::os;
use crate::host::rest::{AsFd, BorrowedFd, OwnedFd};

/// One or more signals, caught for as long as this process lives.
#[derive(Debug)]
pub struct SignalPipe {
    reader: OwnedFd,
}

/// What a signal does by itself is done: it ends this process, or stops it.
pub(super) fn end_by(signal: Signal) {
    // This can only fail for a signal that has no default.
    let _ = signal_hook::low_level::emulate_default_handler(signal.as_raw());
}

/// Those by which a terminal stops who is not in its foreground: caught, a write to it would be begun again and again.
const OF_THE_TERMINAL: [Signal; 2] = [Signal::TTIN, Signal::TTOU];

/// Ignores no signal from now on: those that whoever started this process has ignored are caught, and mean nothing, which
/// is the same to this process. But a program that it starts would ignore them, too; one that is caught has its default
/// there (execve(2)). So a shell that starts something in the background ignores SIGINT and SIGQUIT.
pub fn ignore_none() {
    for number in os::process::ignored_signals() {
        let stays = OF_THE_TERMINAL.iter().any(|signal| signal.as_raw() == number)
            // Every program that the standard library starts has its default of this one.
            || number == Signal::PIPE.as_raw();
        if !stays {
            // One that can't be caught stays ignored.
            let _ = signal_hook::flag::register(number, Arc::default());
        }
    }
}

impl SignalPipe {
    /// Catches these signals from now on.
    pub fn new(signals: &[Signal]) -> std::io::Result<Self> {
        let (reader, writer) = os::net::pipe_without_waiting()?;
        for signal in signals {
            signal_hook::low_level::pipe::register(signal.as_raw(), writer.try_clone()?)?;
        }
        Ok(Self { reader })
    }

    /// How many came since the last call. The system may count several of one kind that come at once as one.
    #[must_use]
    pub fn take(&self) -> usize {
        let mut count = 0;
        let mut buffer = [0_u8; 64];
        loop {
            match rustix::io::read(&self.reader, &mut buffer) {
                Ok(0) => return count,
                Ok(read) => count += read,
                Err(Errno::INTR) => {}
                Err(_) => return count,
            }
        }
    }
}

impl AsFd for SignalPipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
