//! Processes and accounts, where the systems differ.

use std::io;

use rustix::io::Errno;

pub use super::system::process::{
    groups_of, ignored_signals, inherited, limiting_files, listed_accounts, own_program, set_limit_of,
    spawn_nicely, spawn_with_groups, take_groups, take_user,
};

/// Why a priority can't be had.
pub(super) fn not_nice(nice: i8, error: Errno) -> io::Error {
    io::Error::other(format!("its priority (nice) can't be {nice}: {}", io::Error::from(error)))
}
