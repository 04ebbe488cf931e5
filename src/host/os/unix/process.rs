//! Processes and accounts, where the systems differ.

#[cfg(target_os = "macos")]
pub use super::system::process::setting;
pub use super::system::process::{
    groups_of, ignored_signals, inherited, limiting_files, listed_accounts, own_program, set_limit_of,
    spawn_nicely, spawn_with_groups, take_groups, take_user,
};
