//! The accounts of a unix: its account database.

use camino::{Utf8Path, Utf8PathBuf};
use nix::errno::Errno;
use nix::unistd::{Group, Uid, User};

use super::AccountError;
use crate::host::files::{self, FileError};
use crate::host::os;
use crate::model::owner::Owner;

mod directory;

/// What an account database says of an account.
struct Entry {
    owner: Owner,
    home: Option<Utf8PathBuf>,
}

/// The number of the account that runs this program.
#[must_use]
pub fn effective_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The account of a name.
pub fn by_name(name: &str) -> Result<Owner, AccountError> {
    Ok(entry(name, User::from_name(name))?.owner)
}

/// The account of a number. The one that runs this program is there, whatever the account database says: a container may
/// be started with any number, which is its name then.
pub fn by_uid(uid: u32) -> Result<Owner, AccountError> {
    match entry(&uid.to_string(), User::from_uid(Uid::from_raw(uid))).map(|entry| entry.owner) {
        Err(AccountError::Unknown(name)) if uid == effective_uid() => {
            Ok(Owner { name, uid, gid: rustix::process::getegid().as_raw() })
        }
        found => found,
    }
}

/// The home folder of an account, as the account database has it.
#[must_use]
pub fn home(uid: u32) -> Option<Utf8PathBuf> {
    entry(&uid.to_string(), User::from_uid(Uid::from_raw(uid))).ok()?.home
}

/// The numbers of all groups of an account; its primary group alone where the group database is silent.
#[must_use]
pub fn groups(owner: &Owner) -> Vec<u32> {
    directory::groups(&owner.name)
        .or_else(|| os::process::groups_of(&owner.name, owner.gid))
        .unwrap_or_else(|| vec![owner.gid])
}

/// The number of a group.
pub fn group(name: &str) -> Result<u32, AccountError> {
    match Group::from_name(name) {
        Ok(Some(group)) => Ok(group.gid.as_raw()),
        Ok(None) | Err(Errno::ENOENT | Errno::ESRCH) => {
            directory::group(name).ok_or_else(|| AccountError::UnknownGroup(name.to_owned()))
        }
        Err(errno) => Err(AccountError::Lookup { name: name.to_owned(), source: errno.into() }),
    }
}

/// The accounts of this host that may have services of their own: those that it lists itself, and, of a
/// directory that can't be listed, those that are logged in or have services without a login.
pub fn all() -> Result<Vec<Owner>, FileError> {
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
    let folder = Utf8Path::new("/var/lib/systemd");
    folder.join("linger").join(name).try_exists().ok()
}

/// What is known of an account, by the C library's answer; where that has none, by the host's own programs.
fn entry(key: &str, found: nix::Result<Option<User>>) -> Result<Entry, AccountError> {
    match found {
        Ok(Some(user)) => Ok(Entry {
            owner: Owner { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() },
            home: Utf8PathBuf::try_from(user.dir).ok(),
        }),
        // Where there is no such file, as in a container without a system, there is no such account (getpwnam(3)).
        Ok(None) | Err(Errno::ENOENT | Errno::ESRCH) => {
            directory::account(key).ok_or_else(|| AccountError::Unknown(key.to_owned()))
        }
        Err(errno) => Err(AccountError::Lookup { name: key.to_owned(), source: errno.into() }),
    }
}

/// Takes the rights of an account for this thread.
pub(super) fn take_on(owner: &Owner) -> std::io::Result<()> {
    os::process::take_groups(owner.gid, &[owner.gid])?;
    Ok(os::process::take_user(owner.uid, owner.gid)?)
}
