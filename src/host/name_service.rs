//! What the host's own programs know of accounts and of names on the network.
//!
//! A program that is linked statically reads the host's files by itself, and asks servers of names; it loads none of the
//! modules that answer from a directory, or for systemd (nsswitch.conf(5)). `getent` and `id` do.

use std::time::Duration;

use camino::Utf8Path;

use crate::host::command::{self, Manner};
use crate::host::files;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// The most that is read of an answer, in bytes.
const LARGEST: usize = 1 << 20;

/// Whether only the host's own programs know all of a database: this one is linked statically, and the host asks others
/// than the ones that such a program asks itself.
pub(super) fn is_ours_in_part(databases: &[&str], asked_by_all: &[&str]) -> bool {
    cfg!(target_env = "musl")
        && files::read(Utf8Path::new("/etc/nsswitch.conf"))
            .is_ok_and(|text| text.is_some_and(|text| asks_others(&text, databases, asked_by_all)))
}

/// What one of the host's programs says, whose last word is the name that is asked for; empty if it knows no such name. Nothing
/// if it can't be asked.
pub(super) fn ask(words: &[&str]) -> Option<String> {
    // Nothing is called like an option.
    if words.last()?.is_empty() || words.last()?.starts_with('-') {
        return None;
    }
    let argv: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let manner = Manner { limit: Some(PATIENCE), largest: Some(LARGEST), ..Manner::default() };
    let output = command::output(&argv, manner).ok()?;
    match output.code {
        Some(0) => Some(output.stdout),
        // "One or more supplied key could not be found in the database" (getent(1)).
        Some(2) => Some(String::new()),
        _ => None,
    }
}

fn asks_others(text: &str, databases: &[&str], asked_by_all: &[&str]) -> bool {
    text.lines().any(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let Some((database, sources)) = line.split_once(':') else { return false };
        // What stands in brackets says what follows from an answer.
        let mut in_brackets = false;
        databases.contains(&database.trim())
            && sources.split_ascii_whitespace().any(|source| {
                in_brackets |= source.starts_with('[');
                let is_source = !in_brackets;
                in_brackets &= !source.ends_with(']');
                is_source && !asked_by_all.contains(&source)
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_else_is_asked_is_read() {
        let groups = |text| asks_others(text, &["group", "initgroups"], &["files", "compat"]);
        assert!(groups("passwd: files\ngroup:   files systemd\n"));
        assert!(groups("initgroups: sss [NOTFOUND=continue] files"));
        assert!(!groups("passwd: files sss\ngroup: files [SUCCESS=merge UNAVAIL=return] compat # systemd\n"));
        assert!(!groups(""));
        assert!(!asks_others("hosts:\tfiles dns", &["hosts"], &["files", "dns"]));
        assert!(asks_others(
            "hosts: files mdns4_minimal [NOTFOUND=return] dns",
            &["hosts"],
            &["files", "dns"]
        ));
    }
}
