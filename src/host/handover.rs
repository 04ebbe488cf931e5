//! Listening sockets on their way from one process to another (`sd_listen_fds(3)`).

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

#[cfg(unix)]
pub(super) use system::{channel, hand_over};
pub use system::{inherited, taken_over};

/// The first words by which this program knows that it is to hand sockets over and to become another program. How many
/// sockets, the file of that program, its name and its arguments follow.
pub const WORDS: [&str; 2] = ["run", "--with-sockets"];
/// The most descriptors of one message (`SCM_MAX_FD`, unix(7)), less the standard input.
pub const MOST: usize = 252;
