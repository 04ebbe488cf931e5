//! What a package needs of its host.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::manifest::is_default;
use crate::model::package::condition::Condition;
use crate::model::package::preparation::Preparation;
use crate::model::size::Size;

/// What the host must have, and how it is made ready for the package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Host {
    /// What the host must have: looked at by `install`, `upgrade`, `plan` and `doctor`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = [], "examples" = [[{ "kind": "device", "path": "/dev/kvm", "access": "readWrite", "why": "it runs jobs in virtual machines" }]]))]
    pub checks: Vec<Requirement>,
    /// How the host is made ready: shown, confirmed, and done by `mainstay install --prepare`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = [], "examples" = [[{ "id": "kvm-group", "kind": "group", "name": "kvm", "what": "lets the service use /dev/kvm", "safe": true }]]))]
    pub prepare: Vec<Preparation>,
}

/// One thing that the host must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requirement {
    /// What is looked at.
    #[schemars(extend("examples" = ["device"]))]
    pub kind: RequirementKind,
    /// Why it is needed, as the second half of a sentence.
    #[schemars(length(min = 1), extend("examples" = ["it runs jobs in virtual machines"]))]
    pub why: String,
    /// What follows if it is missing. Default: `refuse`.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = "refuse", "examples" = ["warn"]))]
    pub severity: Severity,
    /// When it is needed. Default: always.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = {}, "examples" = [{ "variables": { "KICI_SCALER": ["firecracker"] } }]))]
    pub when: Condition,
    /// What mends it, for whoever is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["switch virtualization on in the firmware"]))]
    pub mend: Option<String>,
    /// `file`, `device`: where it is; `disk`: a folder on it (default `{data}`). Tokens as in `service.command`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["/dev/kvm"]))]
    pub path: Option<String>,
    /// `file`, `device`: what the service's account must be able to do with it. Default: `read`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "read", "examples" = ["readWrite"]))]
    pub access: Option<Access>,
    /// `command`, `kernelModule`, `kernelArgument`, `cpuFlag`, `group`, `sysctl`: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["podman"]))]
    pub name: Option<String>,
    /// `command`, `kernelVersion`: the oldest version that does, as numbers with dots between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = VERSION_PATTERN), extend("examples" = ["5.10"]))]
    pub version: Option<String>,
    /// `command`: what has it print its version. Default: `--version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "--version", "examples" = ["-V"]))]
    pub version_argument: Option<VersionArgument>,
    /// `port`: the port that must be free, or a host and port. `{env.NAME}` stands for a variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["{env.PORT}"]))]
    pub port: Option<String>,
    /// `memory`: the least that the host has; `disk`: the least that is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["2GiB"]))]
    pub size: Option<Size>,
    /// `sysctl`, `kernelArgument`: the value that it must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["1"]))]
    pub value: Option<String>,
    /// `sysctl`: the least that it must be, in the place of `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [65536]))]
    pub minimum: Option<i64>,
    /// `architecture`, `os`, `scope`, `platform`: the words of which it must be one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = [], "examples" = [["x86_64", "aarch64"]]))]
    pub one_of: Vec<String>,
}

/// What a schema says of a version of something else than a package.
pub const VERSION_PATTERN: &str = "^[0-9]{1,9}(\\.[0-9]{1,9}){0,5}$";

/// Whether a text is such a version.
pub fn check_version(text: &str) -> Result<(), String> {
    let numbers = text.split('.');
    let sound =
        |number: &str| (1..=9).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    if numbers.clone().count() <= 6 && numbers.clone().all(sound) {
        return Ok(());
    }
    Err(format!("`{text}` is no version to compare with: write numbers with dots between, as in `5.10`"))
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum RequirementKind {
    /// A file or folder is there, and the service's account may use it.
    File,
    /// A device is there, and the service's account may use it.
    Device,
    /// A command is on the service's PATH, new enough.
    Command,
    /// A module of the kernel is loaded or built in.
    KernelModule,
    /// The kernel is new enough.
    KernelVersion,
    /// The kernel was booted with an argument.
    KernelArgument,
    /// The processor can do something, as `/proc/cpuinfo` names it.
    CpuFlag,
    /// The processor can run virtual machines, and the host lets it.
    Virtualization,
    /// The service's account is in a group.
    Group,
    /// The service runs as root.
    Root,
    /// Nobody else listens on a port.
    Port,
    /// The host has so much memory.
    Memory,
    /// The disk has so much room.
    Disk,
    /// A setting of the kernel has a value.
    Sysctl,
    /// The processor is one of these.
    Architecture,
    /// The operating system is one of these.
    Os,
    /// The service belongs to the host, or to a user.
    Scope,
    /// The service manager is one of these.
    Platform,
}

/// What follows where something is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Severity {
    /// Nothing is installed.
    #[default]
    Refuse,
    /// It is said, and all goes on.
    Warn,
}

/// What an account must be able to do with a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Access {
    /// Only be there.
    Exists,
    /// Be read.
    #[default]
    Read,
    /// Be written.
    Write,
    /// Both.
    ReadWrite,
    /// Be run, or of a folder, be entered.
    Execute,
}

/// What has a command print its version and do nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum VersionArgument {
    /// `--version`
    #[default]
    #[serde(rename = "--version")]
    Long,
    /// `-version`
    #[serde(rename = "-version")]
    LongWithOneDash,
    /// `-V`
    #[serde(rename = "-V")]
    Capital,
    /// `-v`
    #[serde(rename = "-v")]
    Small,
    /// `version`
    #[serde(rename = "version")]
    Word,
}

impl VersionArgument {
    /// As it is typed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Long => "--version",
            Self::LongWithOneDash => "-version",
            Self::Capital => "-V",
            Self::Small => "-v",
            Self::Word => "version",
        }
    }
}

impl RequirementKind {
    /// The fields that a kind needs, and those that it may have beside.
    #[must_use]
    pub fn fields(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::File | Self::Device => (&["path"], &["access"]),
            Self::Command => (&["name"], &["version", "versionArgument"]),
            Self::KernelModule | Self::CpuFlag | Self::Group => (&["name"], &[]),
            Self::KernelVersion => (&["version"], &[]),
            Self::KernelArgument => (&["name"], &["value"]),
            Self::Virtualization | Self::Root => (&[], &[]),
            Self::Port => (&["port"], &[]),
            Self::Memory => (&["size"], &[]),
            Self::Disk => (&["size"], &["path"]),
            Self::Sysctl => (&["name"], &["value", "minimum"]),
            Self::Architecture | Self::Os | Self::Scope | Self::Platform => (&["oneOf"], &[]),
        }
    }
}

impl Requirement {
    /// The fields that only some kinds have, as far as they are given.
    #[must_use]
    pub fn given(&self) -> Vec<&'static str> {
        let all = [
            ("path", self.path.is_some()),
            ("access", self.access.is_some()),
            ("name", self.name.is_some()),
            ("version", self.version.is_some()),
            ("versionArgument", self.version_argument.is_some()),
            ("port", self.port.is_some()),
            ("size", self.size.is_some()),
            ("value", self.value.is_some()),
            ("minimum", self.minimum.is_some()),
            ("oneOf", !self.one_of.is_empty()),
        ];
        all.into_iter().filter_map(|(name, given)| given.then_some(name)).collect()
    }
}

/// The first version that a text names, as commands print it: `podman version 4.3.1`.
#[must_use]
pub fn version_in(text: &str) -> Option<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
    let mut words = words.map(|word| word.trim_matches('.')).filter(|word| !word.is_empty());
    words.clone().find(|word| word.contains('.')).or_else(|| words.next())
}

/// Whether a version is at least another one, number by number; a number that is missing counts as 0.
#[must_use]
pub fn is_at_least(found: &str, wanted: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let mut numbers: Vec<u64> = text.split('.').map(|number| number.parse().unwrap_or(0)).collect();
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        numbers
    };
    numbers(found) >= numbers(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_and_compared() {
        for (text, version) in [
            ("podman version 4.3.1", "4.3.1"),
            ("git version 2.39.5 (Debian 1:2.39.5)", "2.39.5"),
            ("v22.1.0", "22.1.0"),
            ("less 590", "590"),
            ("openjdk version \"17.0.9\" 2023-10-17", "17.0.9"),
            ("Firecracker v1.7.0.", "1.7.0"),
        ] {
            assert_eq!(version_in(text), Some(version), "{text}");
        }
        assert_eq!(version_in("no version"), None);
        assert!(is_at_least("5.10", "5.9.9") && is_at_least("5.10.0", "5.10") && is_at_least("6", "5.10"));
        assert!(!is_at_least("5.9", "5.10") && !is_at_least("4", "4.0.1") && is_at_least("4", "4.0.0"));
    }

    #[test]
    fn a_version_to_compare_with_is_numbers() {
        assert!(check_version("5.10").is_ok() && check_version("22").is_ok());
        for wrong in ["", "5.", "v5", "5.10-rc1", "1.2.3.4.5.6.7"] {
            assert!(check_version(wrong).is_err(), "{wrong}");
        }
    }
}
