//! How a host is made ready for a package: steps of few kinds, each with its inverse.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;
use crate::model::manifest::is_default;
use crate::model::package::condition::Condition;
use crate::model::source::ADDRESS_PATTERN;

/// One step that makes the host ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Preparation {
    /// A word that tells it from the others, in messages and in the record of what was done.
    #[schemars(regex(pattern = IDENTIFIER_PATTERN), extend("examples" = ["kvm-module"]))]
    pub id: String,
    /// What is done.
    #[schemars(extend("examples" = ["kernelModule"]))]
    pub kind: PreparationKind,
    /// What it is good for, as a sentence that begins small.
    #[schemars(length(min = 1), extend("examples" = ["lets the service run virtual machines"]))]
    pub what: String,
    /// Whether mainstay may do it, once it was shown and confirmed. Default: false, it is printed for the operator.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = false, "examples" = [true]))]
    pub safe: bool,
    /// Whose rights it takes. Default: `root`. In `{config}` and `{data}` only `account` will do.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = "root", "examples" = ["account"]))]
    pub rights: Rights,
    /// When it is needed. Default: always.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = {}, "examples" = [{ "variables": { "KICI_SCALER": ["firecracker"] } }]))]
    pub when: Condition,
    /// `kernelModule`, `sysctl`, `group`: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = KERNEL_NAME_PATTERN), extend("examples" = ["net.ipv4.ip_forward"]))]
    pub name: Option<String>,
    /// `sysctl`: the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["1"]))]
    pub value: Option<String>,
    /// `folder`, `download`: where, absolute. Tokens: `{config} {data} {deploy}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["{data}/images"]))]
    pub path: Option<String>,
    /// `folder`, `download`: the permission bits. Default: 755 for a folder, 644 for a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = MODE_PATTERN), extend("examples" = ["750"]))]
    pub mode: Option<String>,
    /// `folder`, `download`: whose it is. Default: `account`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "account", "examples" = ["root"]))]
    pub owner: Option<Rights>,
    /// `download`: the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = ADDRESS_PATTERN), extend("examples" = ["https://releases.example.com/firecracker-{arch}"]))]
    pub url: Option<String>,
    /// `download`: the SHA-256 of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]))]
    pub sha256: Option<Digest>,
    /// `print`: the command that the operator types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = [["ip", "link", "add", "kici0", "type", "bridge"]]))]
    pub command: Option<Vec<String>>,
}

/// What a schema says of the identifier of a step.
pub const IDENTIFIER_PATTERN: &str = "^[a-z0-9][a-z0-9-]{0,39}$";
/// What a schema says of the name of a module, a setting of the kernel, or a group.
pub const KERNEL_NAME_PATTERN: &str = "^[A-Za-z0-9_][A-Za-z0-9_./-]{0,99}$";

/// What a schema says of permission bits.
pub const MODE_PATTERN: &str = "^[0-7]{3}$";

/// Whether a text is permission bits, without those that lend rights.
pub fn check_mode(text: &str) -> Result<(), String> {
    if text.len() == 3 && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        return Ok(());
    }
    Err(format!("`{text}` is no permission bits: write three octal digits, as in `750`"))
}

/// Whether a text identifies a step.
pub fn check_identifier(text: &str) -> Result<(), String> {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=40).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(sound) {
        return Ok(());
    }
    Err(format!("`{text}` can't stand here as a name: use up to 40 small letters, digits and `-`"))
}

/// Whether a text names a module, a setting of the kernel, or a group. It becomes a part of paths and an argument.
pub fn check_kernel_name(text: &str) -> Result<(), String> {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-');
    let begins = text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() || first == b'_');
    if text.len() <= 100 && begins && text.bytes().all(sound) && !text.contains("..") {
        return Ok(());
    }
    Err(format!(
        "`{text}` is no name that can be used here: letters, digits, `_`, `.`, `-`, and no `..`, as in `net.ipv4.ip_forward`"
    ))
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum PreparationKind {
    /// Loads a module of the kernel, now and at each boot.
    KernelModule,
    /// Sets a setting of the kernel, now and at each boot.
    Sysctl,
    /// Puts the service's account into a group.
    Group,
    /// Makes a folder.
    Folder,
    /// Fetches a file and puts it in its place.
    Download,
    /// Nothing: it is printed for the operator.
    Print,
}

/// Whose rights something takes, or whose it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Rights {
    /// Root's.
    #[default]
    Root,
    /// Those of the account that runs the service.
    Account,
}

impl PreparationKind {
    /// The fields that a kind needs, and those that it may have beside.
    #[must_use]
    pub fn fields(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::KernelModule | Self::Group => (&["name"], &[]),
            Self::Sysctl => (&["name", "value"], &[]),
            Self::Folder => (&["path"], &["mode", "owner"]),
            Self::Download => (&["path", "url", "sha256"], &["mode", "owner"]),
            Self::Print => (&[], &["command"]),
        }
    }
}

impl Preparation {
    /// The permission bits of what it makes.
    #[must_use]
    pub fn permissions(&self) -> u32 {
        let typed = self.mode.as_deref().and_then(|mode| u32::from_str_radix(mode, 8).ok());
        typed.unwrap_or(if self.kind == PreparationKind::Folder { 0o755 } else { 0o644 })
    }

    /// The fields that only some kinds have, as far as they are given.
    #[must_use]
    pub fn given(&self) -> Vec<&'static str> {
        let all = [
            ("name", self.name.is_some()),
            ("value", self.value.is_some()),
            ("path", self.path.is_some()),
            ("mode", self.mode.is_some()),
            ("owner", self.owner.is_some()),
            ("url", self.url.is_some()),
            ("sha256", self.sha256.is_some()),
            ("command", self.command.is_some()),
        ];
        all.into_iter().filter_map(|(name, given)| given.then_some(name)).collect()
    }
}
