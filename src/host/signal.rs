//! Signals as bytes in pipes, so that one poll(2) waits for them together with everything else.

use crate::host::keyboard;
use crate::host::rest::{self, AsFd as _};

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

#[cfg(windows)]
pub(in crate::host) use system::{ENDED_BY_CONSOLE, ask, deliver};
pub use system::{Signal, SignalPipe, ignore_none};

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
            system::end_by(signal);
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
        system::end_by(signal);
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
                    system::end_by(Signal::TSTP);
                });
            }
        }
    })?;
    Ok(())
}
