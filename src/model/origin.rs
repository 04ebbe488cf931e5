//! Where a program that mainstay did not unpack comes from: what package managers write beside the programs that they
//! install, read as texts.

use camino::Utf8PathBuf;
use serde_json::Value;

use crate::model::version::Version;

/// A program that stands where somebody else has put it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The real file: every link on the way is followed. Of a script it is the script, not its interpreter.
    pub program: Utf8PathBuf,
    /// Its version, if that is to be had.
    pub version: Option<Version>,
    /// Who brought it.
    pub bringer: Bringer,
}

/// Who brought a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bringer {
    /// npm, globally, below a prefix.
    Npm {
        /// The package.
        package: String,
        /// The prefix; nothing where it is not installed globally.
        prefix: Option<Utf8PathBuf>,
    },
    /// pip, into an environment.
    Pip {
        /// The package.
        package: String,
        /// The environment's own Python, if it has one.
        python: Option<Utf8PathBuf>,
    },
    /// cargo, below a root.
    Cargo {
        /// The root; the usual one if none.
        root: Option<Utf8PathBuf>,
    },
    /// Homebrew.
    Brew {
        /// The formula.
        formula: String,
    },
    /// The package manager of the system.
    System,
    /// Nobody that is known.
    Unknown,
}

impl Bringer {
    /// The command that brings a version, for a person to type.
    #[must_use]
    pub fn command(&self, version: &Version) -> Option<String> {
        match self {
            Self::Npm { package, prefix: Some(prefix) } => {
                Some(format!("npm install -g --prefix {prefix} {package}@{version}"))
            }
            Self::Npm { package, prefix: None } => Some(format!("npm install {package}@{version}")),
            Self::Pip { package, python: Some(python) } => {
                Some(format!("{python} -m pip install {package}=={version}"))
            }
            Self::Pip { package, python: None } => Some(format!("pip install {package}=={version}")),
            Self::Cargo { root } => {
                let root = root.as_ref().map(|root| format!(" --root {root}")).unwrap_or_default();
                Some(format!("cargo install{root} --version {version} CRATE"))
            }
            Self::Brew { formula } => Some(format!("brew install {formula}@{version}")),
            Self::System => Some(format!("apt-get install PACKAGE={version}")),
            Self::Unknown => None,
        }
    }
}

/// A package of npm, as far as its `package.json` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePackage {
    /// Its name, with its scope.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Whether it brings programs.
    pub has_programs: bool,
}

/// Reads a `package.json`. Many lie inside packages that only say how files are loaded: those have no name or no
/// version, and are nothing.
#[must_use]
pub fn node_package(text: &str) -> Option<NodePackage> {
    let package: Value = serde_json::from_str(text).ok()?;
    let version = Version::new(package.get("version")?.as_str()?).ok()?;
    let name = package.get("name")?.as_str()?.to_owned();
    Some(NodePackage { name, version, has_programs: package.get("bin").is_some() })
}

/// The name and the version of a Python package, from its `METADATA`: lines of headers up to the first empty one.
#[must_use]
pub fn python_package(text: &str) -> Option<(String, Version)> {
    let header = |name: &str| {
        let mut lines = text.lines().take_while(|line| !line.is_empty());
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(|value| value.trim().to_owned())
    };
    Some((header("Name")?, Version::new(header("Version")?).ok()?))
}

/// The paths in a Python package's `RECORD`: the first field of each line, in quotes where it holds a comma.
pub fn recorded(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| match line.strip_prefix('"') {
        Some(quoted) => quoted
            .rsplit_once("\",")
            .map(|(path, _)| path.split("\",").next().unwrap_or(path).replace("\"\"", "\"")),
        None => line.split(',').next().filter(|path| !path.is_empty()).map(str::to_owned),
    })
}

/// The first word of a text's first line that looks like a version: a digit, then digits, dots and what may follow,
/// with at least one dot. A `v` before it does not count, and an address such as `127.0.0.1` is none.
#[must_use]
pub fn version_word(text: &str) -> Option<Version> {
    let text = text.lines().find(|line| !line.trim().is_empty())?;
    let words = text.split(|letter: char| letter.is_whitespace() || ",;()[]\"'/=:@".contains(letter));
    words.into_iter().find_map(|word| {
        let word = word.strip_prefix(['v', 'V']).unwrap_or(word).trim_end_matches(['.', '-', '+', '~']);
        let (first, rest) = word.split_once('.')?;
        let is_number = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
        let goes_on = rest.starts_with(|letter: char| letter.is_ascii_digit());
        let is_address = word.parse::<std::net::Ipv4Addr>().is_ok();
        (is_number && goes_on && !is_address).then(|| Version::new(word).ok()).flatten()
    })
}

/// The script that a shell script of a package manager hands over to: `"$basedir/../lib/…"`, as npm's `cmd-shim` and
/// pnpm write it. Relative to the shell script's folder.
#[must_use]
pub fn shim_target(text: &str) -> Option<&str> {
    if !text.starts_with("#!") || !text.contains("basedir=") {
        return None;
    }
    let targets = text.split("\"$basedir/").skip(1).filter_map(|rest| rest.split('"').next());
    targets.into_iter().find(|target| !matches!(*target, "node" | "node.exe") && !target.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::new(text).unwrap()
    }

    #[test]
    fn a_package_has_a_name_and_a_version() {
        let found = node_package(r#"{ "name": "@acme/web", "version": "1.2.3", "bin": "x.js" }"#).unwrap();
        assert_eq!((found.name.as_str(), found.has_programs), ("@acme/web", true));
        assert_eq!(found.version, version("1.2.3"));
        for text in
            [r#"{ "type": "module" }"#, r#"{ "name": "x" }"#, r#"{ "name": "x", "version": "" }"#, "[", ""]
        {
            assert_eq!(node_package(text), None, "{text}");
        }
    }

    #[test]
    fn metadata_ends_at_the_first_empty_line() {
        let text = "Metadata-Version: 2.1\nName: web-server\nVersion: 1.0.0\n\nVersion: 9\n";
        assert_eq!(python_package(text), Some(("web-server".to_owned(), version("1.0.0"))));
        assert_eq!(python_package("Name: x\n\nVersion: 1.0\n"), None);
    }

    #[test]
    fn records_are_read_with_and_without_quotes() {
        let text = "../../../bin/web,sha256=x,12\n\"a,b.py\",sha256=y,3\nweb/__init__.py,,\n\n";
        assert_eq!(recorded(text).collect::<Vec<_>>(), ["../../../bin/web", "a,b.py", "web/__init__.py"]);
    }

    #[test]
    fn the_first_word_that_looks_like_a_version_is_it() {
        for (text, expected) in [
            ("esbuild 0.24.0\n", Some("0.24.0")),
            ("v22.1.0", Some("22.1.0")),
            ("nginx version: nginx/1.22.1", Some("1.22.1")),
            ("git version 2.39.5 (Apple Git-154)", Some("2.39.5")),
            ("Redis server v=7.0.15 sha=00000000:0", Some("7.0.15")),
            ("tool 1.0.0-rc.1+build5.", Some("1.0.0-rc.1+build5")),
            ("Copyright 2024 Example. 3 programs", None),
            ("listens on port 8000", None),
            ("listens on 127.0.0.1:8000", None),
            ("\nweb 1.2.3\n", Some("1.2.3")),
            ("Traceback (most recent call last):\n  in python3.11 at 3.11.2", None),
            ("", None),
        ] {
            assert_eq!(version_word(text), expected.map(version), "{text}");
        }
    }

    #[test]
    fn a_shim_names_its_script() {
        let text = "#!/bin/sh\nbasedir=$(dirname \"$0\")\nif [ -x \"$basedir/node\" ]; then\n  exec \"$basedir/node\"  \"$basedir/../lib/web.js\" \"$@\"\nfi\n";
        assert_eq!(shim_target(text), Some("../lib/web.js"));
        assert_eq!(shim_target("#!/bin/sh\nexec web\n"), None);
    }

    #[test]
    fn what_to_type_names_the_place_and_the_version() {
        let npm = Bringer::Npm { package: "web".to_owned(), prefix: Some("/srv/npm".into()) };
        assert_eq!(npm.command(&version("1.0.0")).unwrap(), "npm install -g --prefix /srv/npm web@1.0.0");
        assert_eq!(Bringer::Unknown.command(&version("1.0.0")), None);
    }
}
