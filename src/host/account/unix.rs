//! The accounts of a unix: its account database.

use camino::Utf8Path;

use super::AccountError;
use crate::host::files::{self, FileError};
use crate::host::os;
use crate::model::owner::Owner;

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

fn owner(name: &str, found: nix::Result<Option<nix::unistd::User>>) -> Result<Owner, AccountError> {
    match found {
        Ok(Some(user)) => Ok(Owner { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() }),
        Ok(None) => Err(AccountError::Unknown(name.to_owned())),
        Err(errno) => Err(AccountError::Lookup { name: name.to_owned(), source: errno.into() }),
    }
}

/// Takes the rights of an account for this thread.
pub(super) fn take_on(owner: &Owner) -> std::io::Result<()> {
    os::process::take_groups(owner.gid, &[owner.gid])?;
    Ok(os::process::take_user(owner.uid, owner.gid)?)
}
