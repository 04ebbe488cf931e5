//! Accounts of this host, and doing something with another account's rights.

use std::io;

use thiserror::Error;

use crate::model::owner::Owner;

/// Why an account could not be used.
#[derive(Debug, Error)]
pub enum AccountError {
    /// There is none of that name or number.
    #[error("there is no account `{0}` on this host")]
    Unknown(String),
    /// There is no group of that name.
    #[error("there is no group `{0}` on this host")]
    UnknownGroup(String),
    /// The user database could not be read.
    #[error("can't look up the account `{name}`")]
    Lookup {
        /// The account's name or number.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// Its rights could not be taken on.
    #[error("can't act as the account `{name}`")]
    Become {
        /// The account's name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// Whether an administrator can act as another account: Windows asks for its password.
pub const CAN_ACT_AS_OTHERS: bool = cfg!(unix);

pub use system::{all, by_name, by_uid, effective_uid, group, groups, home, lingers};

/// Does something with the rights of another account: whatever it opens, makes or removes, that account
/// could. Only root can, and only root needs to; for others, and for the account itself, it is a plain call.
///
/// The rights are a thread's own (on Linux: credentials(7)), so that the rest of the program keeps its own. They are for
/// files: a process that is started there could take root's back.
pub fn acting_as<T: Send>(owner: Option<&Owner>, work: impl FnOnce() -> T + Send) -> Result<T, AccountError> {
    let Some(owner) = owner.filter(|owner| owner.uid != effective_uid()) else { return Ok(work()) };
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            system::take_on(owner)
                .map_err(|source| AccountError::Become { name: owner.name.clone(), source })?;
            Ok(work())
        });
        match thread.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_name_and_number() {
        let root = by_name(if cfg!(unix) { "root" } else { "SYSTEM" }).unwrap();
        assert!(root.is_root());
        // An administrator who looks is found by that number as well.
        assert!(by_uid(0).unwrap() == root || cfg!(windows) && effective_uid() == 0);
        assert!(matches!(by_name("no-such-account"), Err(AccountError::Unknown(_))));
    }

    #[cfg(unix)]
    #[test]
    fn another_accounts_rights_are_a_threads_own() {
        if effective_uid() != 0 {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        let path = camino::Utf8PathBuf::try_from(secret.clone()).unwrap();
        crate::host::files::write(&path, "x", 0o600, None).unwrap();
        let nobody = by_name("nobody").unwrap();
        let seen = acting_as(Some(&nobody), || std::fs::read(&secret).map_err(|error| error.kind())).unwrap();
        assert_eq!(seen, Err(io::ErrorKind::PermissionDenied));
        assert_eq!(effective_uid(), 0);
        assert!(std::fs::read(&secret).is_ok());
    }
}
