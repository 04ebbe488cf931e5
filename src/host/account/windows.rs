//! The accounts of Windows: an identifier of several parts, for which one number of all of them stands; an administrator who
//! has asked for his rights, the system and the group of administrators have the number 0.

use std::io;

use camino::Utf8PathBuf;

use super::AccountError;
use crate::host::files::FileError;
use crate::host::os;
use crate::model::owner::Owner;

/// The number of the account that runs this program.
#[must_use]
pub fn effective_uid() -> u32 {
    os::user_number()
}

/// The account of a name.
pub fn by_name(name: &str) -> Result<Owner, AccountError> {
    found(name, os::account_named(name))
}

/// The account of a number.
pub fn by_uid(uid: u32) -> Result<Owner, AccountError> {
    found(&uid.to_string(), os::account_numbered(uid))
}

fn found(name: &str, answer: Result<Option<Owner>, os::Errno>) -> Result<Owner, AccountError> {
    match answer {
        Ok(Some(owner)) => Ok(owner),
        Ok(None) => Err(AccountError::Unknown(name.to_owned())),
        Err(errno) => Err(AccountError::Lookup { name: name.to_owned(), source: errno.into() }),
    }
}

/// The profile of an account that has logged in before.
#[must_use]
pub fn home(uid: u32) -> Option<Utf8PathBuf> {
    let owner = if uid == effective_uid() { os::own_account().ok()? } else { by_uid(uid).ok()? };
    os::profile(&owner.name).map(Utf8PathBuf::from)
}

/// An account's own number: what a group may is part of a list of rights, and no number of a file.
#[must_use]
pub fn groups(owner: &Owner) -> Vec<u32> {
    vec![owner.gid]
}

/// The number of a group, which is found as an account is.
pub fn group(name: &str) -> Result<u32, AccountError> {
    match by_name(name) {
        Err(AccountError::Unknown(name)) => Err(AccountError::UnknownGroup(name)),
        found => Ok(found?.gid),
    }
}

/// The accounts that have logged in before: only they can have services of their own.
pub fn all() -> Result<Vec<Owner>, FileError> {
    let mut found = os::accounts();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found.dedup();
    Ok(found)
}

/// Whether a user's services run without a login: the definition of a task says so, and not the account.
#[must_use]
pub fn lingers(_: &str) -> Option<bool> {
    None
}

/// Nobody becomes another account here without its password.
pub(super) fn take_on(_: &Owner) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
