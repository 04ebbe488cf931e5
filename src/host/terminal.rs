//! Terminals: how much they show, and what they understand.

use crate::host::environment;
use crate::host::rest::AsFd;

/// How much a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Columns, at least one.
    pub columns: usize,
    /// Rows, at least one.
    pub rows: usize,
}

/// How much a terminal shows; nothing where it is none, or does not say.
#[must_use]
pub fn extent(terminal: impl AsFd) -> Option<Extent> {
    let (columns, rows) = size(&terminal)?;
    (columns > 0 && rows > 0).then_some(Extent { columns, rows })
}

#[cfg(unix)]
fn size(terminal: &impl AsFd) -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    Some((usize::from(size.ws_col), usize::from(size.ws_row)))
}

#[cfg(windows)]
fn size(terminal: &impl AsFd) -> Option<(usize, usize)> {
    crate::host::os::console::extent(terminal.as_fd())
}

/// Whether the terminal understands more than lines: `TERM` names one that does.
#[must_use]
pub fn moves_its_cursor() -> bool {
    environment::variable("TERM").is_some_and(|name| !name.is_empty() && name != "dumb")
}
