//! The public key of a vendor, in the form of minisign (<https://jedisct1.github.io/minisign/>).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Two letters for the algorithm, eight bytes of a number and thirty-two of the key, in base64.
const PATTERN: &str = "^RW[A-Za-z0-9+/]{54}$";

/// A minisign public key: the second line of a `.pub` file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(String);

/// A text that is not a public key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not a minisign public key: it is the second line of the `.pub` file, 56 characters that begin with `RW`"
)]
pub struct PublicKeyError(String);

impl PublicKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PublicKey {
    type Error = PublicKeyError;
    fn try_from(text: String) -> Result<Self, PublicKeyError> {
        let base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
        if text.len() == 56 && text.starts_with("RW") && text.bytes().all(base64) {
            Ok(Self(text))
        } else {
            Err(PublicKeyError(text))
        }
    }
}

impl std::str::FromStr for PublicKey {
    type Err = PublicKeyError;
    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        Self::try_from(text.to_owned())
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.0
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl JsonSchema for PublicKey {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PublicKey".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "pattern": PATTERN,
            "description": "A minisign public key: the second line of the `.pub` file.",
            "examples": ["RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_key_of_minisign_is_one() {
        let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
        assert_eq!(key.parse::<PublicKey>().unwrap().as_str(), key);
        for text in
            ["", "RWQ", &key[1..], &format!("{key}="), &key.replace('Q', "-"), &format!("XY{}", &key[2..])]
        {
            assert!(text.parse::<PublicKey>().is_err(), "{text}");
        }
    }
}
