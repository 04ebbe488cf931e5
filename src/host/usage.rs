//! Which entries of a folder running processes use: as their program, their folder, an open file, a mapped library,
//! or a word that they were given.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(target_os = "macos", test))]
mod listed;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

use std::collections::BTreeSet;
use std::io;

use camino::Utf8Path;
use thiserror::Error;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
#[cfg(windows)]
use windows as system;

/// Why it can't be known what processes use.
#[derive(Debug, Error)]
#[error("the processes of this host can't be listed {place}: {0}", place = system::PLACE)]
pub struct UsageError(io::Error);

/// What processes use of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The names directly below it.
    pub names: BTreeSet<String>,
    /// The processes of which only the words are known that they were started with: those of other accounts, those
    /// that hide themselves, and those with rights that this one lacks, as often in a container.
    pub hidden: Vec<u32>,
}

/// What running processes use of a folder.
pub fn of_folder(folder: &Utf8Path) -> Result<Usage, UsageError> {
    // Windows writes paths in both ways.
    let plain = |path: &Utf8Path| {
        let path = path.as_str();
        if cfg!(windows) { path.trim_start_matches(r"\\?\").replace('\\', "/") } else { path.to_owned() }
    };
    let mut prefixes = vec![format!("{}/", plain(folder))];
    // The system tells paths without links.
    if let Ok(real) = folder.canonicalize_utf8() {
        prefixes.push(format!("{}/", plain(&real)));
        prefixes.dedup();
    }
    let mut usage = Usage::default();
    let mut each = |text: &[u8]| names_in(text, &prefixes, &mut usage.names);
    usage.hidden = system::texts(&mut each).map_err(UsageError)?;
    Ok(usage)
}

/// The names that follow a folder's path in a text.
fn names_in(text: &[u8], prefixes: &[String], found: &mut BTreeSet<String>) {
    for prefix in prefixes {
        let prefix = prefix.as_bytes();
        let mut rest = text;
        while let Some(at) = find(rest, prefix) {
            rest = &rest[at + prefix.len()..];
            let name = rest.split(|byte| !is_of_a_name(*byte)).next().unwrap_or_default();
            if let Ok(name) = std::str::from_utf8(name)
                && !name.is_empty()
            {
                found.insert(name.to_owned());
            }
        }
    }
}

/// The names that follow a folder's path wherever it stands in a text.
pub fn names_below(folder: &Utf8Path, text: &str, found: &mut BTreeSet<String>) {
    names_in(text.as_bytes(), &[format!("{folder}/")], found);
}

/// What the name of a version tree is made of.
fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'~' | b'-')
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    let first = *word.first()?;
    let mut from = 0;
    while let Some(at) = text.get(from..)?.iter().position(|byte| *byte == first) {
        if text[from + at..].starts_with(word) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_wherever_a_path_stands() {
        let mut found = BTreeSet::new();
        let prefixes = ["/opt/web/".to_owned()];
        for text in [
            "/opt/web/server-1.0.0/bin/server (deleted)",
            "--config=/opt/web/server-1.1.0/etc:/opt/web/server-1.2.0+b\0x",
            "PATH=/bin:/opt/web/server-2.0.0",
            "/opt/webs/server-3.0.0/x /opt/web/",
        ] {
            names_in(text.as_bytes(), &prefixes, &mut found);
        }
        let expected = ["server-1.0.0", "server-1.1.0", "server-1.2.0+b", "server-2.0.0"];
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn this_very_process_is_seen() {
        let program = camino::Utf8PathBuf::try_from(std::env::current_exe().unwrap()).unwrap();
        let folder = program.parent().and_then(Utf8Path::parent).unwrap();
        let usage = of_folder(folder).unwrap();
        assert!(usage.names.contains("deps"), "{usage:?}");
    }
}
