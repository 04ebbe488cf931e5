//! A person's keyboard: lines, shown or not, until it ends or somebody interrupts.
//!
//! The terminal's own editing of a line is used, which works on every terminal. While somebody is asked, signals that
//! end a program end the question instead, so that whoever asks can put everything back, the terminal too.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use crate::host::rest::{self, AsFd};
use crate::host::signal::{self, Signal, SignalPipe};

/// Whether somebody is asked, or was and has interrupted.
static ASKING: AtomicBool = AtomicBool::new(false);
/// The narrowest terminal to which lines are fitted, and the width where there is none. In columns.
const NARROWEST: usize = 20;
const USUAL: usize = 80;

/// What came of waiting for a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A line, without its end.
    Line(String),
    /// No line will come: the input is over, or somebody interrupted.
    Interrupted,
}

/// A keyboard somebody is asked at.
#[derive(Debug)]
pub struct Keyboard {
    signals: SignalPipe,
    /// What was typed ahead.
    ahead: Vec<u8>,
    /// How the terminal was, where it does not show what is typed.
    shown: Option<Termios>,
    interrupted: bool,
}

/// Whether signals end a question and not the program.
pub(crate) fn is_asking() -> bool {
    ASKING.load(Ordering::SeqCst)
}

/// How many columns the terminal has.
#[must_use]
pub fn width() -> usize {
    let columns = tcgetwinsize(rustix::stdio::stdin()).map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { USUAL } else { columns.max(NARROWEST) }
}

impl Keyboard {
    /// Begins to ask. `ending` are the signals that nobody else in this program waits for.
    pub fn open(ending: &[Signal]) -> io::Result<Self> {
        let signals = SignalPipe::new(&[Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT])?;
        ASKING.store(true, Ordering::SeqCst);
        for signal in ending {
            // What is caught once is caught for good: afterwards it ends the program all the same.
            signal::when(*signal, || {})?;
        }
        Ok(Self { signals, ahead: Vec::new(), shown: None, interrupted: false })
    }

    /// Waits for a line. A hidden one is not shown while it is typed.
    pub fn line(&mut self, hidden: bool) -> io::Result<Typed> {
        if hidden {
            self.hide()?;
        }
        let typed = self.wait();
        self.show();
        let typed = typed?;
        self.interrupted |= typed == Typed::Interrupted;
        Ok(typed)
    }

    fn wait(&mut self) -> io::Result<Typed> {
        let mut buffer = [0_u8; 4096];
        loop {
            if let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n') {
                let rest = self.ahead.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.ahead, rest);
                while matches!(line.last(), Some(b'\n' | b'\r')) {
                    line.pop();
                }
                return Ok(Typed::Line(String::from_utf8_lossy(&line).into_owned()));
            }
            let input = rustix::stdio::stdin();
            rest::any(&[input, self.signals.as_fd()], None)?;
            if self.signals.take() > 0 {
                return Ok(Typed::Interrupted);
            }
            if !rest::any(&[input], Some(Duration::ZERO))? {
                continue;
            }
            match rustix::io::read(input, &mut buffer) {
                // A terminal that has gone is the end too.
                Ok(0) | Err(Errno::IO) => return Ok(Typed::Interrupted),
                Ok(count) => self.ahead.extend_from_slice(&buffer[..count]),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn hide(&mut self) -> io::Result<()> {
        let shown = tcgetattr(rustix::stdio::stdin())?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        hidden.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &hidden)?;
        self.shown = Some(shown);
        Ok(())
    }

    fn show(&mut self) {
        if let Some(shown) = self.shown.take() {
            // A terminal that has gone needs nothing.
            let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &shown);
        }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.show();
        // Whoever has interrupted waits for the program to put everything back: no second word is needed.
        if !self.interrupted {
            ASKING.store(false, Ordering::SeqCst);
        }
    }
}
