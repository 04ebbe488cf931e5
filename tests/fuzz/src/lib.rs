//! What is tried on every input, by libFuzzer as by `cargo test`: each module has a `run`, which panics where
//! a promise is broken.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::missing_panics_doc)]

pub mod archive;
pub mod control;
pub mod definition;
pub mod description;
pub mod environment;
pub mod journal;
pub mod log;
pub mod manifest;
pub mod records;
pub mod sums;
pub mod systemctl;
pub mod tar;
pub mod words;

/// A target, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, by the name of its corpus.
pub const TARGETS: [Target; 13] = [
    ("archive", archive::run),
    ("control", control::run),
    ("definition", definition::run),
    ("description", description::run),
    ("environment", environment::run),
    ("journal", journal::run),
    ("log", log::run),
    ("manifest", manifest::run),
    ("records", records::run),
    ("sums", sums::run),
    ("systemctl", systemctl::run),
    ("tar", |bytes| archive::run(&tar::packed(bytes))),
    ("words", words::run),
];

/// Nothing that mainstay reads as text is anything but UTF-8.
pub(crate) fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// What was read from a text is written and read again, and is the same.
pub(crate) fn again<T>(text: &str)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let Ok(value) = serde_json::from_str::<T>(text) else { return };
    let written = serde_json::to_string(&value).unwrap();
    match serde_json::from_str::<T>(&written) {
        Ok(read) => assert_eq!(read, value, "{written}"),
        Err(error) => panic!("{error}: {written}"),
    }
}
