//! Accounts of this host, and doing something with another account's rights.

use std::io;

use thiserror::Error;

use crate::host::os;
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

/// The number of the account that runs this program.
#[must_use]
pub fn effective_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The account of a name.
pub fn by_name(name: &str) -> Result<Owner, AccountError> {
    owner(name, nix::unistd::User::from_name(name))
}

/// The account of a number. The one that runs this program is there, whatever the account database says: a container may
/// be started with any number, which is its name then.
pub fn by_uid(uid: u32) -> Result<Owner, AccountError> {
    match owner(&uid.to_string(), nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid))) {
        Err(AccountError::Unknown(name)) if uid == effective_uid() => {
            Ok(Owner { name, uid, gid: rustix::process::getegid().as_raw() })
        }
        found => found,
    }
}

/// The home folder of an account, as the account database has it.
#[must_use]
pub fn home(uid: u32) -> Option<camino::Utf8PathBuf> {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid)).ok()??;
    camino::Utf8PathBuf::try_from(user.dir).ok()
}

/// The numbers of all groups of an account; its primary group alone where the group database is silent.
#[must_use]
pub fn groups(owner: &Owner) -> Vec<u32> {
    os::process::groups_of(&owner.name, owner.gid).unwrap_or_else(|| vec![owner.gid])
}

/// The number of a group.
pub fn group(name: &str) -> Result<u32, AccountError> {
    match nix::unistd::Group::from_name(name) {
        Ok(Some(group)) => Ok(group.gid.as_raw()),
        Ok(None) => Err(AccountError::UnknownGroup(name.to_owned())),
        Err(errno) => Err(AccountError::Lookup { name: name.to_owned(), source: errno.into() }),
    }
}

/// The accounts of this host that may have services of their own: those that it lists itself, and, of a
/// directory that can't be listed, those that are logged in or have services without a login.
pub fn all() -> Result<Vec<Owner>, crate::host::files::FileError> {
    use crate::host::files;
    use camino::Utf8Path;
    let listed = if let Some(names) = os::process::listed_accounts() {
        names
    } else {
        let text = files::read(Utf8Path::new("/etc/passwd"))?.unwrap_or_default();
        text.lines().filter_map(|line| Some(line.split(':').next()?.to_owned())).collect()
    };
    let mut found: Vec<Owner> = listed.iter().filter_map(|name| by_name(name).ok()).collect();
    let logged_in = files::list(Utf8Path::new("/run/user"))?.unwrap_or_default();
    found.extend(logged_in.iter().filter_map(|uid| by_uid(uid.parse().ok()?).ok()));
    let lingering = files::list(Utf8Path::new("/var/lib/systemd/linger"))?.unwrap_or_default();
    found.extend(lingering.iter().filter_map(|name| by_name(name).ok()));
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found.dedup();
    Ok(found)
}

/// Whether a user's services run without a login (`loginctl enable-linger`), as logind remembers it. `None`:
/// this can't be known.
#[must_use]
pub fn lingers(name: &str) -> Option<bool> {
    // Asking logind takes a process and a few milliseconds; this is where it keeps its answer.
    let folder = camino::Utf8Path::new("/var/lib/systemd");
    folder.join("linger").join(name).try_exists().ok()
}

fn owner(name: &str, found: nix::Result<Option<nix::unistd::User>>) -> Result<Owner, AccountError> {
    match found {
        Ok(Some(user)) => Ok(Owner { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() }),
        Ok(None) => Err(AccountError::Unknown(name.to_owned())),
        Err(errno) => Err(AccountError::Lookup { name: name.to_owned(), source: errno.into() }),
    }
}

/// Does something with the rights of another account: whatever it opens, makes or removes, that account
/// could. Only root can, and only root needs to; for others, and for the account itself, it is a plain call.
///
/// The rights are a thread's own (on Linux: credentials(7)), so that the rest of the program keeps its own. They are for
/// files: a process that is started there could take root's back.
pub fn acting_as<T: Send>(owner: Option<&Owner>, work: impl FnOnce() -> T + Send) -> Result<T, AccountError> {
    let Some(owner) = owner.filter(|owner| owner.uid != effective_uid()) else { return Ok(work()) };
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            take_on(owner)
                .map_err(|errno| AccountError::Become { name: owner.name.clone(), source: errno.into() })?;
            Ok(work())
        });
        match thread.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn take_on(owner: &Owner) -> rustix::io::Result<()> {
    os::process::take_groups(owner.gid, &[owner.gid])?;
    os::process::take_user(owner.uid, owner.gid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_name_and_number() {
        let root = by_name("root").unwrap();
        assert!(root.is_root());
        assert_eq!(by_uid(0).unwrap(), root);
        assert!(matches!(by_name("no-such-account"), Err(AccountError::Unknown(_))));
    }

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
