//! Where a package comes from.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;
use crate::model::duration::Span;
use crate::model::manifest::is_default;
use crate::model::name::ComponentName;
use crate::model::public_key::PublicKey;
use crate::model::rule::Below;
use crate::model::version::Version;

/// The pattern of an address from which a package is fetched.
pub const ADDRESS_PATTERN: &str = "^(https?|file)://\\S+$";

/// What is installed: a component, and where its versions come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = Below("package"))]
pub struct PackageReference {
    /// The component's name. An archive of another component is refused.
    #[schemars(extend("examples" = ["orchestrator"]))]
    pub name: ComponentName,
    /// The version that is wanted. An upgrade edits it here after the new version has proved itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["0.3.0"]))]
    pub version: Option<Version>,
    /// Who brings the program: an archive, a package manager, or nobody but the user. Default: archive.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = "archive", "examples" = ["manager"]))]
    pub source: PackageSource,
    /// Where its archives are, with `{version}`, `{os}` and `{arch}`. Used by `install` and `upgrade` when they are given no archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = ADDRESS_PATTERN), extend("examples" = ["https://releases.example.com/v{version}/orchestrator-{os}-{arch}.tar.gz"]))]
    pub url: Option<String>,
    /// The digest of that version's archive; another archive is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]))]
    pub sha256: Option<Digest>,
    /// The key with which every archive has to be signed, wherever it comes from: the signature lies beside it, with `.minisig` after its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<PublicKey>,
    /// How archives are fetched.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = {}, "examples" = [{ "ca": "company-ca.pem" }]))]
    pub download: Download,
}

/// Who brings the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum PackageSource {
    /// An archive, unpacked into a version tree of its own.
    #[default]
    Archive,
    /// A package manager (npm, pip, cargo, apt, brew): its program is run where it stands, and an upgrade checks which version that is.
    Manager,
    /// The user: a program that is run where it stands.
    Binary,
    /// A container engine: always so on platform `compose`, and only there.
    Image,
}

impl PackageSource {
    /// Whether versions have trees of ours.
    #[must_use]
    pub fn has_trees(self) -> bool {
        self == Self::Archive
    }
}

/// How archives are fetched. A proxy is taken from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Download {
    /// A file of certificates (PEM) that are trusted beside those of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", length(min = 1), extend("examples" = ["company-ca.pem"]))]
    pub ca: Option<Utf8PathBuf>,
    /// A file with the certificate and the key (PEM) by which a server knows this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", length(min = 1), extend("examples" = ["host.pem"]))]
    pub certificate: Option<Utf8PathBuf>,
    /// How long a server may be silent before it is tried again. Default: 60s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "60s", "examples" = ["2m"]))]
    pub timeout: Option<Span>,
    /// How often it is tried again, with growing pauses. Default: 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100), extend("default" = 5, "examples" = [10]))]
    pub retries: Option<u32>,
}

/// The words that an address may hold in braces.
const WORDS: [&str; 3] = ["version", "os", "arch"];

/// Refuses an address from which nothing can be fetched.
pub fn check_address(text: &str) -> Result<(), String> {
    let example = "as in `https://releases.example.com/v{version}/orchestrator-{os}-{arch}.tar.gz`";
    let rest = ["https://", "http://", "file://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    if !rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace)) {
        return Err(format!(
            "`{text}` is no address: it begins with `https://`, `http://` or `file://`, {example}"
        ));
    }
    match crate::model::token::words(text).into_iter().find(|word| !WORDS.contains(word)) {
        Some(word) => Err(format!(
            "`{{{word}}}` means nothing in an address: only `{{version}}`, `{{os}}` and `{{arch}}` do"
        )),
        None => Ok(()),
    }
}

/// An address with its words replaced. `os` and `arch` are this host's, as Rust names them; a version that is not
/// known stays a word.
#[must_use]
pub fn expand_address(template: &str, version: Option<&Version>, os: &str, arch: &str) -> String {
    crate::model::token::replace(template, |word| match word {
        "version" => version.map(ToString::to_string),
        "os" => Some(os.to_owned()),
        "arch" => Some(arch.to_owned()),
        _ => None,
    })
}

/// Whether an address differs from version to version.
#[must_use]
pub fn needs_version(template: &str) -> bool {
    crate::model::token::words(template).contains(&"version")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_scheme_and_known_words() {
        for text in [
            "https://example.com/a-{version}.tar.gz",
            "http://localhost:80/{os}/{arch}",
            "file:///srv/drop/a.zip",
        ] {
            assert_eq!(check_address(text), Ok(()), "{text}");
        }
        for text in ["", "https://", "ftp://a/b", "/srv/a.zip", "https://a b", "https://a/{name}"] {
            assert!(check_address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_addresss_words_are_replaced() {
        let version = Version::new("1.2.0").unwrap();
        let text = "https://e/v{version}/{{os}}-{os}-{arch}";
        assert_eq!(
            expand_address(text, Some(&version), "linux", "x86_64"),
            "https://e/v1.2.0/{os}-linux-x86_64"
        );
        assert!(
            needs_version(&expand_address(text, None, "linux", "x86_64")) && !needs_version("https://e/{os}")
        );
    }
}
