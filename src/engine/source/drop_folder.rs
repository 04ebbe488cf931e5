//! A folder with archives, for hosts without a network: somebody drops them there, and the right one is taken.

use std::cmp::Ordering;
use std::env::consts::{ARCH, OS};

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::failure::Failure;
use crate::host::files;
use crate::model::name::ComponentName;
use crate::model::version::Version;
use crate::package::version::{fits_host, from_file_name, is_archive_name};

/// So many names are enough to see what is wrong.
const MOST_NAMES: usize = 10;

/// The archive of a component: of the version that was typed, else of the newest. What is of another system or
/// processor by its name is not meant.
pub(super) fn choose(
    folder: &Utf8Path,
    component: &ComponentName,
    typed: Option<&Version>,
) -> Result<Utf8PathBuf, Failure> {
    let names = files::list(folder)?.unwrap_or_default();
    let is_candidate = |name: &&String| {
        is_archive_name(name)
            && !name.starts_with('.')
            && begins_with(name, component)
            && fits_host(component, name, OS, ARCH)
    };
    let found: Vec<(&String, Option<Version>)> = names
        .iter()
        .filter(is_candidate)
        .map(|name| (name, from_file_name(component, name).ok()))
        .filter(|(_, version)| typed.is_none_or(|typed| version.as_ref() == Some(typed)))
        .collect();
    let newest = newest(&found);
    match newest.as_slice() {
        [name] => Ok(folder.join(name)),
        [] => {
            let version = typed.map(|version| format!("version {version} of ")).unwrap_or_default();
            Err(Failure::Usage(format!(
                "there is no archive of {version}`{component}` for this host in `{folder}`: names begin with the component, as in `{component}-1.0.0.tar.gz`"
            )))
        }
        several => Err(Failure::Usage(format!(
            "several archives in `{folder}` could be meant, and nothing says which is the newest: {}; name the file, or say `--version`",
            several.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ))),
    }
}

/// Those than which none is newer. Where two have no order, both stay.
fn newest<'a>(found: &[(&'a String, Option<Version>)]) -> Vec<&'a String> {
    let order = |one: &Option<Version>, other: &Option<Version>| one.as_ref()?.order(other.as_ref()?);
    let comparable = found.iter().all(|(_, one)| found.iter().all(|(_, other)| order(one, other).is_some()));
    if !comparable {
        return found.iter().map(|(name, _)| *name).collect();
    }
    let is_oldish =
        |one: &Option<Version>| found.iter().any(|(_, other)| order(one, other) == Some(Ordering::Less));
    found.iter().filter(|(_, version)| !is_oldish(version)).map(|(name, _)| *name).collect()
}

/// Whether a name begins with the component's, as a word.
fn begins_with(name: &str, component: &ComponentName) -> bool {
    let Some((start, rest)) = name.split_at_checked(component.as_str().len()) else { return false };
    let same = start.replace('_', "-").eq_ignore_ascii_case(&component.as_str().replace('_', "-"));
    same && rest.starts_with(|next: char| !next.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str], typed: Option<&str>) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap();
        for name in names {
            std::fs::write(path.join(name), "").unwrap();
        }
        let typed = typed.map(|typed| Version::new(typed).unwrap());
        let component = ComponentName::new("server").unwrap();
        match choose(path, &component, typed.as_ref()) {
            Ok(path) => Ok(path.file_name().unwrap().to_owned()),
            Err(failure) => Err(failure.to_string()),
        }
    }

    #[test]
    fn the_newest_by_semantic_order_is_taken() {
        let names = [
            "server-0.9.0.tar.gz",
            "server-0.10.0.tar.gz",
            "server-0.10.0.tar.gz.minisig",
            "server-0.10.0-rc.1.tgz",
            "other-9.0.0.tar.gz",
            "serverless-9.0.0.tar.gz",
            "SHA256SUMS",
            ".server-9.0.0.tar.gz",
            "server-9.0.0-windows-arm64.zip",
        ];
        assert_eq!(chosen(&names, None).unwrap(), "server-0.10.0.tar.gz");
        assert_eq!(chosen(&names, Some("0.9.0")).unwrap(), "server-0.9.0.tar.gz");
        assert!(chosen(&names, Some("1.0.0")).unwrap_err().contains("no archive of version 1.0.0"));
        assert!(chosen(&["x"], None).unwrap_err().contains("no archive of `server`"));
    }

    #[test]
    fn what_has_no_order_is_refused_with_its_names() {
        let refused = chosen(&["server-nightly.tgz", "server-1.0.0.tgz"], None).unwrap_err();
        assert!(refused.contains("`server-1.0.0.tgz`, `server-nightly.tgz`"), "{refused}");
        let refused = chosen(&["server-1.0.0.tgz", "server-1.0.0.zip"], None).unwrap_err();
        assert!(refused.contains("`server-1.0.0.zip`"), "{refused}");
        assert_eq!(chosen(&["server-nightly.tgz"], None).unwrap(), "server-nightly.tgz");
    }
}
