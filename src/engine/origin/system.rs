//! Programs that the system's own package manager has brought: dpkg's or rpm's word on the file.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::command::{self, Manner};
use crate::model::version::Version;

/// How long a package manager's data may take to be searched.
const PATIENCE: Duration = Duration::from_secs(5);

/// The version of the package that has a file, if a package manager knows it.
pub(super) fn version(program: &Utf8Path) -> Option<Version> {
    let mut paths: Vec<Utf8PathBuf> = vec![program.to_owned()];
    // Where `/bin` leads to `/usr/bin`, a package may know the file by either name.
    paths.extend(program.strip_prefix("/usr").ok().map(|rest| Utf8Path::new("/").join(rest)));
    paths.iter().find_map(|path| of_dpkg(path).or_else(|| of_rpm(path)))
}

fn of_dpkg(path: &Utf8Path) -> Option<Version> {
    let found = said(&["dpkg-query", "--search", path.as_str()])?;
    let (packages, _) = found.lines().find_map(|line| line.rsplit_once(": "))?;
    let package = packages.split(',').next()?.trim();
    upstream(&said(&["dpkg-query", "--show", "--showformat=${Version}", package])?)
}

fn of_rpm(path: &Utf8Path) -> Option<Version> {
    upstream(&said(&["rpm", "--query", "--queryformat", "%{VERSION}-%{RELEASE}", "--file", path.as_str()])?)
}

/// A version without its epoch, which no name of a folder can hold.
fn upstream(text: &str) -> Option<Version> {
    let text = text.trim();
    Version::new(text.split_once(':').map_or(text, |(_, version)| version)).ok()
}

fn said(argv: &[&str]) -> Option<String> {
    let argv: Vec<String> = argv.iter().copied().map(str::to_owned).collect();
    let output = command::output(&argv, Manner { limit: Some(PATIENCE), ..Manner::default() }).ok()?;
    (output.code == Some(0)).then_some(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_no_part_of_a_version() {
        assert_eq!(upstream("5:7.0.15-1~deb12u1\n"), Version::new("7.0.15-1~deb12u1").ok());
        assert_eq!(upstream("1.22.1-9"), Version::new("1.22.1-9").ok());
        assert_eq!(upstream(""), None);
    }
}
