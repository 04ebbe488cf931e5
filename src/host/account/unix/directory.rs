//! Accounts that are not in the host's own files: of a directory server, or made by systemd for one service.

use camino::Utf8PathBuf;

use super::Entry;
use crate::host::name_service::{ask, is_ours_in_part};
use crate::model::owner::Owner;

/// The account of a name or number.
pub(super) fn account(key: &str) -> Option<Entry> {
    entry(&ask(&["getent", "passwd", key])?, key)
}

/// The number of a group.
pub(super) fn group(name: &str) -> Option<u32> {
    let text = ask(&["getent", "group", name])?;
    let mut fields = text.lines().next()?.split(':');
    let is_it = fields.next()? == name;
    fields.nth(1)?.parse().ok().filter(|_| is_it)
}

/// The numbers of all groups of an account. Nothing where the files know them all, or nobody answers.
pub(super) fn groups(name: &str) -> Option<Vec<u32>> {
    if !is_ours_in_part(&["group", "initgroups"], &["files", "compat"]) {
        return None;
    }
    let numbers: Vec<u32> = ask(&["id", "-G", name])?
        .split_ascii_whitespace()
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    (!numbers.is_empty()).then_some(numbers)
}

/// An entry of the account database (passwd(5)), if it is of this name or number.
fn entry(text: &str, key: &str) -> Option<Entry> {
    let fields: Vec<&str> = text.lines().next()?.split(':').collect();
    let [name, _, uid, gid, _, home, _] = fields[..] else { return None };
    // A name of digits alone would be taken as a number. A directory may spell a name in its own way.
    let is_number = key.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && key != uid && key != name {
        return None;
    }
    let owner = Owner { name: name.to_owned(), uid: uid.parse().ok()?, gid: gid.parse().ok()? };
    Some(Entry { owner, home: Some(Utf8PathBuf::from(home)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_of_the_account_that_was_asked_for() {
        let text = "ann:*:70001:70000:Ann, of the directory:/home/ann:/bin/sh\n";
        let found = entry(text, "ann").unwrap();
        assert_eq!(found.owner, Owner { name: "ann".to_owned(), uid: 70001, gid: 70000 });
        assert_eq!(found.home.unwrap(), "/home/ann");
        assert!(entry(text, "70001").is_some());
        assert!(entry(text, "70002").is_none());
        assert!(entry("ann:*:70001", "ann").is_none());
        assert!(entry("", "ann").is_none());
    }
}
