//! Signals as bytes in pipes, so that one poll(2) waits for them together with everything else.

use std::sync::Arc;

use rustix::io::Errno;
pub use rustix::process::Signal;

use crate::host::keyboard;
use crate::host::os;
use crate::host::rest::{self, AsFd, BorrowedFd, OwnedFd};

/// One or more signals, caught for as long as this process lives.
#[derive(Debug)]
pub struct SignalPipe {
    reader: OwnedFd,
}

/// Does something when this program is interrupted (Ctrl-C), and then lets it end by the signal, as whoever started
/// it expects.
pub fn on_interrupt(work: impl Fn() + Send + 'static) -> std::io::Result<()> {
    when(Signal::INT, work)
}

/// The same for any signal. While somebody is asked, it is for the one who asks.
pub(crate) fn when(signal: Signal, work: impl Fn() + Send + 'static) -> std::io::Result<()> {
    let caught = SignalPipe::new(&[signal])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        loop {
            let _ = rest::any(&[caught.as_fd()], None);
            if caught.take() == 0 || keyboard::is_asking() {
                continue;
            }
            work();
            // This can only fail for a signal that has no default.
            let _ = signal_hook::low_level::emulate_default_handler(signal.as_raw());
        }
    })?;
    Ok(())
}

/// Does something once when this program is asked to end (Ctrl-C, a closed terminal, kill(1)), and then lets it end by
/// that signal.
pub fn on_end(work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let signals = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT];
    let pipes = signals.map(|signal| SignalPipe::new(&[signal]));
    let mut caught = Vec::new();
    for (signal, pipe) in signals.into_iter().zip(pipes) {
        caught.push((signal, pipe?));
    }
    std::thread::Builder::new().name("end".to_owned()).spawn(move || {
        let signal = loop {
            let waited: Vec<_> = caught.iter().map(|(_, pipe)| pipe.as_fd()).collect();
            let _ = rest::any(&waited, None);
            if let Some((signal, _)) = caught.iter().find(|(_, pipe)| pipe.take() > 0) {
                break *signal;
            }
        };
        work();
        // This can only fail for a signal that has no default.
        let _ = signal_hook::low_level::emulate_default_handler(signal.as_raw());
    })?;
    Ok(())
}

/// Has work done around each stop from the terminal (Ctrl-Z): it is handed what stops this program, and that returns when
/// the program goes on.
pub fn on_stop(work: impl Fn(&dyn Fn()) + Send + 'static) -> std::io::Result<()> {
    let caught = SignalPipe::new(&[Signal::TSTP])?;
    std::thread::Builder::new().name("stop".to_owned()).spawn(move || {
        loop {
            let _ = rest::any(&[caught.as_fd()], None);
            if caught.take() > 0 {
                work(&|| {
                    // This can only fail for a signal that has no default.
                    let _ = signal_hook::low_level::emulate_default_handler(Signal::TSTP.as_raw());
                });
            }
        }
    })?;
    Ok(())
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
