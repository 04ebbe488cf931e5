//! The image of a package, for those who run it as a container.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::image::ImageName;
use crate::model::version::Version;

/// The image that holds what the package holds. It is found by the component, whatever an instance is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackageImage {
    /// Its name. Default of the tag: the package's version.
    #[schemars(extend("examples" = ["quay.io/acme/orchestrator"]))]
    pub name: ImageName,
    /// The digest under which it has an image for each architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]))]
    pub digest: Option<ImageDigest>,
    /// The digests of single architectures, which come before `digest`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("default" = {}, "examples" = [{ "linux/amd64": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }]))]
    pub digests: BTreeMap<ImagePlatform, ImageDigest>,
}

impl PackageImage {
    /// The image of a version for a processor, by its name in Rust (`x86_64`), in the repository that an instance takes it
    /// from. Without a digest there, it is known by its tag alone.
    #[must_use]
    pub fn of(&self, version: &Version, processor: &str, repository: &ImageName) -> Option<ImageName> {
        let tag = self.name.tag().unwrap_or(version.as_str());
        let tagged = repository.with_tag(tag).ok()?;
        let platform = ImagePlatform::of(processor);
        let digest = platform.and_then(|platform| self.digests.get(&platform)).or(self.digest.as_ref());
        digest.map_or_else(|| Some(tagged.clone()), |digest| tagged.pinned(&digest.0).ok())
    }
}

/// How a digest of an image is written.
pub const DIGEST_PATTERN: &str = "^sha256:[0-9a-f]{64}$";

/// A digest that names the bytes of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageDigest(String);

/// A text that is no digest of an image.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no digest of an image: write `sha256:` and 64 digits from 0 to f")]
pub struct ImageDigestError(String);

impl TryFrom<String> for ImageDigest {
    type Error = ImageDigestError;
    fn try_from(text: String) -> Result<Self, ImageDigestError> {
        let sound = text.strip_prefix("sha256:").is_some_and(|digits| {
            digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        });
        if sound { Ok(Self(text)) } else { Err(ImageDigestError(text)) }
    }
}

impl From<ImageDigest> for String {
    fn from(digest: ImageDigest) -> Self {
        digest.0
    }
}

impl JsonSchema for ImageDigest {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ImageDigest".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": DIGEST_PATTERN })
    }
}

/// For what an image is built, as registries call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum ImagePlatform {
    /// 64 bits of Intel's and AMD's.
    #[serde(rename = "linux/amd64")]
    Amd64,
    /// 64 bits of ARM's.
    #[serde(rename = "linux/arm64")]
    Arm64,
    /// 32 bits of ARM's, from its seventh version on.
    #[serde(rename = "linux/arm/v7")]
    Arm,
    /// 64 bits of POWER's.
    #[serde(rename = "linux/ppc64le")]
    Power,
    /// 64 bits of RISC-V's.
    #[serde(rename = "linux/riscv64")]
    RiscV,
    /// 64 bits of IBM's large machines.
    #[serde(rename = "linux/s390x")]
    S390x,
}

impl ImagePlatform {
    /// What runs on a processor, by its name in Rust.
    #[must_use]
    pub fn of(processor: &str) -> Option<Self> {
        Some(match processor {
            "x86_64" => Self::Amd64,
            "aarch64" => Self::Arm64,
            "arm" => Self::Arm,
            "powerpc64" => Self::Power,
            "riscv64" => Self::RiscV,
            "s390x" => Self::S390x,
            _ => return None,
        })
    }
}

impl fmt::Display for ImageDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_found_by_its_component_and_the_processor() {
        let digest = |letter: &str| format!("sha256:{}", letter.repeat(64));
        let image = |text: serde_json::Value| serde_json::from_value::<PackageImage>(text).unwrap();
        let version = Version::new("1.2.0").unwrap();
        let mirror = ImageName::new("mirror.example:5000/web").unwrap();
        let all = image(serde_json::json!({
            "name": "quay.io/acme/web", "digest": digest("a"), "digests": { "linux/arm64": digest("b") }
        }));
        let of = |image: &PackageImage, processor: &str| {
            image.of(&version, processor, &mirror).unwrap().to_string()
        };
        assert_eq!(of(&all, "x86_64"), format!("mirror.example:5000/web:1.2.0@{}", digest("a")));
        assert_eq!(of(&all, "aarch64"), format!("mirror.example:5000/web:1.2.0@{}", digest("b")));
        let tagged = image(serde_json::json!({ "name": "quay.io/acme/web:v1.2" }));
        assert_eq!(of(&tagged, "x86_64"), "mirror.example:5000/web:v1.2");
        for text in ["", "sha256:", &digest("A"), &digest("a")[7..]] {
            assert!(ImageDigest::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
