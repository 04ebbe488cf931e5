//! Accounts that are not in the host's own files: of a directory server, or made by systemd for one service.
//!
//! A program that is linked statically reads `/etc/passwd` and `/etc/group` alone. The host's own programs ask everybody
//! who knows accounts here (nsswitch.conf(5)), so they are asked where the files say nothing.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::Entry;
use crate::host::command::{self, Manner};
use crate::host::files;
use crate::model::owner::Owner;

/// How long a directory may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// The most that is read of an answer, in bytes.
const LARGEST: usize = 1 << 20;

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
    // Others than this read the files alone.
    if !cfg!(target_env = "musl") {
        return None;
    }
    let sources = files::read(Utf8Path::new("/etc/nsswitch.conf")).ok()??;
    if !has_more_than_files(&sources) {
        return None;
    }
    ask(&["id", "-G", name])?.split_ascii_whitespace().map(|number| number.parse().ok()).collect()
}

fn ask(words: &[&str]) -> Option<String> {
    // No account is called like an option.
    if words.last()?.is_empty() || words.last()?.starts_with('-') {
        return None;
    }
    let argv: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let manner = Manner { limit: Some(PATIENCE), largest: Some(LARGEST), ..Manner::default() };
    let output = command::output(&argv, manner).ok()?;
    (output.code == Some(0)).then_some(output.stdout)
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

/// Whether somebody beside the files says which groups an account is in.
fn has_more_than_files(sources: &str) -> bool {
    sources.lines().any(|line| {
        let line = line.split('#').next().unwrap_or_default();
        line.split_once(':').is_some_and(|(database, sources)| {
            matches!(database.trim(), "group" | "initgroups")
                && sources.split_ascii_whitespace().any(|source| {
                    !matches!(source, "files" | "compat")
                        && !source.starts_with('[')
                        && !source.ends_with(']')
                })
        })
    })
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

    #[test]
    fn who_else_knows_groups_is_read() {
        assert!(has_more_than_files("passwd: files\ngroup:   files systemd\n"));
        assert!(has_more_than_files("initgroups: sss [NOTFOUND=continue] files"));
        assert!(!has_more_than_files("passwd: files sss\ngroup: files [SUCCESS=merge] compat # systemd\n"));
        assert!(!has_more_than_files(""));
    }
}
