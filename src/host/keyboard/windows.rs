//! Windows: a console can't be waited for together with anything else, so a thread reads each line.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::Typed;
use crate::host::os::console;
use crate::host::os::event::Event;
use crate::host::rest::{self, AsFd as _};
use crate::host::signal::SignalPipe;

/// The console's input.
#[derive(Debug, Default)]
pub(super) struct Input {
    /// The line that is waited for, if somebody was interrupted meanwhile.
    awaited: Option<Arc<Line>>,
    hidden: bool,
}

#[derive(Debug)]
struct Line {
    event: Event,
    typed: Mutex<Option<io::Result<Typed>>>,
}

impl Input {
    pub(super) fn wait(&mut self, signals: &SignalPipe) -> io::Result<Typed> {
        let line = match self.awaited.take() {
            Some(line) => line,
            None => read()?,
        };
        loop {
            rest::any(&[line.event.as_fd(), signals.as_fd()], None)?;
            if signals.take() > 0 {
                self.awaited = Some(line);
                return Ok(Typed::Interrupted);
            }
            if let Some(typed) = line.typed.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return typed;
            }
        }
    }

    pub(super) fn hide(&mut self) -> io::Result<()> {
        console::show_input(io::stdin().as_fd(), false)?;
        self.hidden = true;
        Ok(())
    }

    pub(super) fn show(&mut self) {
        if std::mem::take(&mut self.hidden) {
            // A console that has gone needs nothing.
            let _ = console::show_input(io::stdin().as_fd(), true);
        }
    }
}

/// Has a thread read a line.
fn read() -> io::Result<Arc<Line>> {
    let line = Arc::new(Line { event: Event::new()?, typed: Mutex::new(None) });
    let reading = Arc::clone(&line);
    std::thread::Builder::new().name("keyboard".to_owned()).spawn(move || {
        let mut text = String::new();
        let typed = io::stdin().read_line(&mut text).map(|length| match length {
            0 => Typed::Interrupted,
            _ => Typed::Line(text.trim_end_matches(['\r', '\n']).to_owned()),
        });
        *reading.typed.lock().unwrap_or_else(PoisonError::into_inner) = Some(typed);
        reading.event.set();
    })?;
    Ok(line)
}
