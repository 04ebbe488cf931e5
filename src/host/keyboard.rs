//! A person's keyboard: lines, shown or not, until it ends or somebody interrupts.
//!
//! The terminal's own editing of a line is used, which works on every terminal. While somebody is asked, signals that
//! end a program end the question instead, so that whoever asks can put everything back, the terminal too.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::host::signal::{self, Signal, SignalPipe};
use crate::host::terminal;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

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
    input: system::Input,
    interrupted: bool,
}

/// Whether signals end a question and not the program.
pub(crate) fn is_asking() -> bool {
    ASKING.load(Ordering::SeqCst)
}

/// How many columns the terminal has.
#[must_use]
pub fn width() -> usize {
    terminal::extent(io::stdin()).map_or(USUAL, |extent| extent.columns.max(NARROWEST))
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
        Ok(Self { signals, input: system::Input::default(), interrupted: false })
    }

    /// Waits for a line. A hidden one is not shown while it is typed.
    pub fn line(&mut self, hidden: bool) -> io::Result<Typed> {
        if hidden {
            self.input.hide()?;
        }
        let typed = self.input.wait(&self.signals);
        self.input.show();
        let typed = typed?;
        self.interrupted |= typed == Typed::Interrupted;
        Ok(typed)
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.input.show();
        // Whoever has interrupted waits for the program to put everything back: no second word is needed.
        if !self.interrupted {
            ASKING.store(false, Ordering::SeqCst);
        }
    }
}
