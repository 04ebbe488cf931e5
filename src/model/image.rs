//! The name of a container image: where it is, which of them, and by its digest which bytes.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::version::Version;

const PATTERN: &str = "^[a-z0-9][A-Za-z0-9._:/-]{0,300}(@sha256:[0-9a-f]{64})?$";
/// The longest tag (<https://github.com/opencontainers/distribution-spec>).
const LONGEST_TAG: usize = 128;
/// How many digits of a digest tell one image from another where there is no tag.
const SHORT: usize = 12;

/// The name of an image, as in `quay.io/acme/server:1.2.0@sha256:…`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageName(String);

/// A text that names no image.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` names no image: write a registry and a path in lower-case letters, a tag, and best the digest, as in \
     `quay.io/acme/server:1.2.0@sha256:…`"
)]
pub struct ImageNameError(String);

impl ImageName {
    /// Takes a text that obeys the rules of image names.
    pub fn new(text: impl Into<String>) -> Result<Self, ImageNameError> {
        let text = text.into();
        if is_sound(&text) { Ok(Self(text)) } else { Err(ImageNameError(text)) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The registry and path, without tag and digest.
    #[must_use]
    pub fn repository(&self) -> &str {
        split(&self.0).0
    }

    /// The tag.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        split(&self.0).1
    }

    /// The digest, as in `sha256:…`.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        split(&self.0).2
    }

    /// The image of another tag, of which no digest is known.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ImageNameError> {
        Self::new(format!("{}:{tag}", self.repository()))
    }

    /// The same name with a digest, so that it names these bytes for ever.
    pub fn pinned(&self, digest: &str) -> Result<Self, ImageNameError> {
        let tag = self.tag().map(|tag| format!(":{tag}")).unwrap_or_default();
        Self::new(format!("{}{tag}@{digest}", self.repository()))
    }

    /// Which version it is: its tag, else the beginning of its digest.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        match (self.tag(), self.digest()) {
            (Some(tag), _) => Version::new(tag).ok(),
            (None, Some(digest)) => {
                let digits = digest.strip_prefix("sha256:")?.get(..SHORT)?;
                Version::new(format!("sha256-{digits}")).ok()
            }
            (None, None) => None,
        }
    }

    /// Whether two names are of one repository. An engine may write the usual registries out.
    #[must_use]
    pub fn is_of(&self, other: &Self) -> bool {
        bare(self.repository()) == bare(other.repository())
    }
}

/// A repository without what stands for it where nothing is written.
fn bare(repository: &str) -> &str {
    ["docker.io/library/", "docker.io/", "localhost/"]
        .iter()
        .find_map(|usual| repository.strip_prefix(usual))
        .unwrap_or(repository)
}

fn split(text: &str) -> (&str, Option<&str>, Option<&str>) {
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    // A colon before the last slash stands before a port.
    let path = name.rfind('/').map_or(0, |slash| slash + 1);
    match name[path..].split_once(':') {
        Some((last, tag)) => (&name[..path + last.len()], Some(tag), digest),
        None => (name, None, digest),
    }
}

fn is_sound(text: &str) -> bool {
    let (repository, tag, digest) = split(text);
    let mut parts = repository.split('/').peekable();
    let path_part = |part: &str| {
        let sound = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
        };
        let ends =
            |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        ends(part.as_bytes().first()) && ends(part.as_bytes().last()) && part.bytes().all(sound)
    };
    let host = |part: &str| {
        let (name, port) = part.split_once(':').map_or((part, None), |(name, port)| (name, Some(port)));
        path_part(name) && port.is_none_or(|port| port.parse::<u16>().is_ok())
    };
    let first = parts.next().unwrap_or_default();
    let has_registry = parts.peek().is_some();
    let sound_tag = |tag: &str| {
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        (1..=LONGEST_TAG).contains(&tag.len()) && tag.bytes().all(sound) && !tag.starts_with(['.', '-'])
    };
    let sound_digest = |digest: &str| {
        digest.strip_prefix("sha256:").is_some_and(|digits| {
            digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
    };
    // `sha256:…` alone is the number of an image, and no name.
    repository.len() <= 200
        && !(repository == "sha256" && tag.is_some_and(|tag| tag.len() == 64))
        && (if has_registry { host(first) } else { path_part(first) })
        && parts.all(path_part)
        && tag.is_none_or(sound_tag)
        && digest.is_none_or(sound_digest)
}

impl TryFrom<String> for ImageName {
    type Error = ImageNameError;
    fn try_from(text: String) -> Result<Self, ImageNameError> {
        Self::new(text)
    }
}

impl From<ImageName> for String {
    fn from(name: ImageName) -> Self {
        name.0
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl JsonSchema for ImageName {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ImageName".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": PATTERN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:af1b97f800da5611fbb288f7022c81fe781f672179c9dc5a0dbcb054d0e0e87c";

    #[test]
    fn a_name_is_taken_apart() {
        let whole = format!("localhost:5000/acme/server:1.2.0@{DIGEST}");
        let name = ImageName::new(whole).unwrap();
        assert_eq!(name.repository(), "localhost:5000/acme/server");
        assert_eq!((name.tag(), name.digest()), (Some("1.2.0"), Some(DIGEST)));
        assert_eq!(name.version().unwrap().as_str(), "1.2.0");
        let next = name.with_tag("2.0.0").unwrap();
        assert_eq!(next.as_str(), "localhost:5000/acme/server:2.0.0");
        assert_eq!(
            next.pinned(DIGEST).unwrap().as_str(),
            format!("localhost:5000/acme/server:2.0.0@{DIGEST}")
        );
        let bare = ImageName::new(format!("server@{DIGEST}")).unwrap();
        assert_eq!(bare.version().unwrap().as_str(), "sha256-af1b97f800da");
        assert_eq!(ImageName::new("server").unwrap().version(), None);
    }

    #[test]
    fn usual_registries_need_not_be_written() {
        let name = |text: &str| ImageName::new(text).unwrap();
        assert!(name("nginx:1").is_of(&name("docker.io/library/nginx:2")));
        assert!(name("web:1").is_of(&name("localhost/web:1")));
        assert!(!name("quay.io/web:1").is_of(&name("localhost/web:1")));
    }

    #[test]
    fn what_names_no_image_is_refused() {
        for text in [
            "",
            "Server",
            "server:",
            "server:-x",
            "a//b",
            "/a",
            "a/",
            "a b",
            "a:b:c",
            "a@sha256:12",
            "a/B",
            "-a",
            "a:99999/b",
            "a:$x",
            "{package}/x",
        ] {
            assert!(ImageName::new(text).is_err(), "{text}");
        }
    }
}
