//! Words and numbers as people write them: what was read is shown, and what is shown reads as the same.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use mainstay::model::digest::Digest;
use mainstay::model::duration::Span;
use mainstay::model::level::Level;
use mainstay::model::name::{ComponentName, InstanceName};
use mainstay::model::public_key::PublicKey;
use mainstay::model::size::Size;
use mainstay::model::status::ProcessIdentity;
use mainstay::model::version::Version;
use mainstay::package::entry::{EntryName, Named};
use mainstay::package::limits::Limits;
use mainstay::package::version;

pub fn run(bytes: &[u8]) {
    let limits = Limits::default();
    if let Ok(Named::Entry { name, .. }) = EntryName::parse(bytes, &limits) {
        let again = EntryName::parse(name.as_str().as_bytes(), &limits);
        assert_eq!(again, Ok(Named::Entry { name: name.clone(), folder: false }));
        assert!(name.as_str().split('/').all(|part| !matches!(part, "" | "." | "..")));
    }
    let Some(text) = super::text(bytes) else { return };
    shown::<Digest>(text);
    shown::<Span>(text);
    shown::<Size>(text);
    shown::<InstanceName>(text);
    shown::<ComponentName>(text);
    shown::<PublicKey>(text);
    shown::<ProcessIdentity>(text);
    if let Some(version) = shown::<Version>(text) {
        // A tree is named by it.
        assert!(!version.to_string().contains('/'));
    }
    let _ = Level::of_word(text);
    let component = ComponentName::from_str("server").unwrap();
    if let Ok(version) = version::from_file_name(&component, text) {
        assert!(text.contains(version.as_str()), "{version} is not in {text}");
    }
}

fn shown<T: FromStr + Display + PartialEq + Debug>(text: &str) -> Option<T> {
    let value = text.parse::<T>().ok()?;
    let written = value.to_string();
    assert_eq!(written.parse().ok().as_ref(), Some(&value), "{text:?} is shown as {written:?}");
    Some(value)
}
