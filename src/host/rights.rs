//! The rights of another account, for a while and for one thread.

use std::io;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// The numbers of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The account.
    pub uid: u32,
    /// Its primary group.
    pub gid: u32,
    /// All its groups.
    pub groups: Vec<u32>,
}

/// Does something with files on a thread that has the account's rights and no others. On Linux credentials belong to
/// threads (credentials(7)), so this process stays what it is.
///
/// Only the effective user changes, after which files are opened (`path_resolution(7)`); what a thread is really stays
/// this process's own, since who has its real or saved user may end the whole process by a signal (kill(2)).
pub fn as_account<T: Send>(
    account: Option<&Credentials>,
    action: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    let Some(account) = account else { return action() };
    on_a_thread(|| {
        take_groups(account)?;
        system::take_user(account.uid, account.gid)?;
        action()
    })
}

/// Takes the groups of an account, on this thread and for all that it starts.
pub(super) fn take_groups(account: &Credentials) -> io::Result<()> {
    system::take_groups(account.gid, &account.groups)
}

/// Does something on a thread of its own, which takes what it has become with it.
pub(super) fn on_a_thread<T: Send>(action: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let acting = std::thread::Builder::new().spawn_scoped(scope, action)?;
        acting.join().unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
    })
}
