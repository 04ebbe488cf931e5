//! Which rights the files of a program do not get (umask(2)).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The rights that new files do not get, as in `027`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Umask(u32);

/// A text that is no mask.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no mask of rights: write three or four octal digits, as in `027`")]
pub struct UmaskError(String);

impl Umask {
    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl TryFrom<String> for Umask {
    type Error = UmaskError;
    fn try_from(text: String) -> Result<Self, UmaskError> {
        let digits = text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        match u32::from_str_radix(&text, 8) {
            Ok(bits) if digits && (3..=4).contains(&text.len()) && bits <= 0o777 => Ok(Self(bits)),
            _ => Err(UmaskError(text)),
        }
    }
}

impl From<Umask> for String {
    fn from(mask: Umask) -> Self {
        mask.to_string()
    }
}

impl std::fmt::Display for Umask {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:04o}", self.0)
    }
}

impl JsonSchema for Umask {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Umask".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^0?[0-7]{3}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_octal() {
        assert_eq!(Umask::try_from("027".to_owned()).unwrap().bits(), 0o027);
        assert_eq!(Umask::try_from("0077".to_owned()).unwrap().to_string(), "0077");
        for wrong in ["", "27", "088", "1777", "00027", "u=rwx", "+27"] {
            assert!(Umask::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
