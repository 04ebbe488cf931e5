//! Unix: the terminal by its descriptor.

use std::io;
use std::time::Duration;

use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::Typed;
use crate::host::rest::{self, AsFd as _};
use crate::host::signal::SignalPipe;

/// The terminal's input.
#[derive(Debug, Default)]
pub(super) struct Input {
    /// What was typed ahead.
    ahead: Vec<u8>,
    /// How the terminal was, where it does not show what is typed.
    shown: Option<Termios>,
}

impl Input {
    pub(super) fn wait(&mut self, signals: &SignalPipe) -> io::Result<Typed> {
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
            rest::any(&[input, signals.as_fd()], None)?;
            if signals.take() > 0 {
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

    pub(super) fn hide(&mut self) -> io::Result<()> {
        let shown = tcgetattr(rustix::stdio::stdin())?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        hidden.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &hidden)?;
        self.shown = Some(shown);
        Ok(())
    }

    pub(super) fn show(&mut self) {
        if let Some(shown) = self.shown.take() {
            // A terminal that has gone needs nothing.
            let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &shown);
        }
    }
}
