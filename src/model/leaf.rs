//! What the patterns of our schemas mean, said by the types that carry them.
//!
//! A pattern in a schema is for editors. Here the type itself decides, and tells in its own words what
//! it wants; so no regular expressions are needed while mainstay runs.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::LazyLock;

use schemars::{JsonSchema, SchemaGenerator};

use crate::model::account::{USER_PATTERN, check_user};
use crate::model::address::{self, HTTP_PATTERN, TCP_PATTERN, check_http, check_tcp};
use crate::model::calendar::Calendar;
use crate::model::compose::{CONTAINER_PATTERN, Port, TARGET_PATTERN, check_container, check_target};
use crate::model::digest::Digest;
use crate::model::duration::Span;
use crate::model::image::ImageName;
use crate::model::manifest::{LEVEL_PATTERN, check_level};
use crate::model::name::{ComponentName, InstanceName};
use crate::model::outcome::ExitCode;
use crate::model::package::image::ImageDigest;
use crate::model::package::{preparation, requirement};
use crate::model::public_key::PublicKey;
use crate::model::size::Size;
use crate::model::socket::{self, Listen};
use crate::model::source;
use crate::model::umask::Umask;
use crate::model::variable::VariableName;
use crate::model::version::Version;

type Rule = fn(&str) -> Result<(), String>;

static RULES: LazyLock<BTreeMap<String, Rule>> = LazyLock::new(|| {
    BTreeMap::from([
        typed::<InstanceName>(),
        typed::<ComponentName>(),
        typed::<VariableName>(),
        typed::<Version>(),
        typed::<Digest>(),
        typed::<PublicKey>(),
        (source::ADDRESS_PATTERN.to_owned(), source::check_address),
        typed::<Span>(),
        typed::<Size>(),
        typed::<ExitCode>(),
        typed::<Calendar>(),
        typed::<Listen>(),
        typed::<Umask>(),
        typed::<ImageName>(),
        typed::<ImageDigest>(),
        typed::<Port>(),
        (CONTAINER_PATTERN.to_owned(), check_container),
        (TARGET_PATTERN.to_owned(), check_target),
        (socket::NAME_PATTERN.to_owned(), socket::check_name),
        (requirement::VERSION_PATTERN.to_owned(), requirement::check_version),
        (preparation::IDENTIFIER_PATTERN.to_owned(), preparation::check_identifier),
        (preparation::KERNEL_NAME_PATTERN.to_owned(), preparation::check_kernel_name),
        (preparation::MODE_PATTERN.to_owned(), preparation::check_mode),
        (LEVEL_PATTERN.to_owned(), check_level),
        (USER_PATTERN.to_owned(), |text| check_user(text).map_err(|error| error.to_string())),
        (HTTP_PATTERN.to_owned(), |text| check_http(text).map_err(|error| error.to_string())),
        (TCP_PATTERN.to_owned(), |text| check_tcp(text).map_err(|error| error.to_string())),
        (address::DEVELOPMENT_HTTP_PATTERN.to_owned(), |text| {
            address::check_development_http(text).map_err(|error| error.to_string())
        }),
    ])
});

/// What the owner of a pattern says of a text. A pattern that nobody owns is left to serde.
pub(crate) fn check(pattern: &str, text: &str) -> Result<(), String> {
    RULES.get(pattern).map_or(Ok(()), |rule| rule(text))
}

/// What the owner of a pattern wants, as a sentence about a text that it refuses.
pub(crate) fn wanted(pattern: &str) -> Option<String> {
    let rule = RULES.get(pattern)?;
    // One of these is no name, no number, no address, no key.
    let (text, refusal) = ["x", "?"].into_iter().find_map(|text| Some((text, rule(text).err()?)))?;
    Some(format!("This {}.", refusal.strip_prefix(&format!("`{text}` ")).unwrap_or(&refusal)))
}

fn typed<T: JsonSchema + TryFrom<String, Error: Display>>() -> (String, Rule) {
    let schema = T::json_schema(&mut SchemaGenerator::default());
    let pattern = schema.get("pattern").and_then(serde_json::Value::as_str).unwrap_or_default();
    (pattern.to_owned(), |text| T::try_from(text.to_owned()).map(drop).map_err(|error| error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schema::Published;

    /// Every pattern of a schema, wherever it stands.
    fn patterns(schema: &serde_json::Value, found: &mut Vec<String>) {
        match schema {
            serde_json::Value::Array(elements) => elements.iter().for_each(|it| patterns(it, found)),
            serde_json::Value::Object(members) => {
                // The conditions of rules choose what is looked at, and refuse nothing; refinements have words of their own.
                let others = ["if", "not", "propertyNames"];
                let told = members.contains_key("patternErrorMessage");
                for (key, value) in members.iter().filter(|(key, _)| !others.contains(&key.as_str())) {
                    match (key.as_str(), value) {
                        ("pattern", serde_json::Value::String(pattern))
                            if !told || RULES.contains_key(pattern) =>
                        {
                            found.push(pattern.clone());
                        }
                        ("patternProperties", serde_json::Value::Object(all)) => {
                            found.extend(all.keys().cloned());
                        }
                        _ => {}
                    }
                    patterns(value, found);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn every_pattern_of_a_published_schema_has_an_owner() {
        for document in Published::WRITTEN_BY_PEOPLE {
            let mut found = Vec::new();
            patterns(&serde_json::from_str(&document.text()).unwrap(), &mut found);
            assert!(!found.is_empty());
            for pattern in found {
                assert!(RULES.contains_key(&pattern), "nobody owns `{pattern}` of {}", document.name());
            }
        }
    }
}
