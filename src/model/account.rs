//! The names of accounts, in the small alphabet that every system's tools agree on.

use thiserror::Error;

/// What a schema says of the name of an account.
pub const USER_PATTERN: &str = r"^([A-Za-z_][A-Za-z0-9_.-]{0,31}|[A-Za-z0-9_. -]{1,64}\\[A-Za-z0-9_.$ -]{1,64}|[A-Za-z0-9_.-]{1,64}@[A-Za-z0-9.-]{1,64})$";

/// A text that can't name an account.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` can't name an account: it begins with a letter or `_`, then letters, digits, `_`, `.` and `-`, at most 32 in all; on Windows it may also be `.\\NAME`, `DOMAIN\\NAME` or `NAME@DOMAIN`"
)]
pub struct UserNameError(String);

/// Refuses what can't name an account.
pub fn check_user(text: &str) -> Result<(), UserNameError> {
    let well_formed = is_plain(text) || is_of_windows(text);
    if well_formed { Ok(()) } else { Err(UserNameError(text.to_owned())) }
}

/// A name as every system has them.
fn is_plain(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 32
        && bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// A name with the place where Windows keeps it.
fn is_of_windows(text: &str) -> bool {
    let is = |part: &str, more: &[u8]| {
        (1..=64).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    match (text.split_once('\\'), text.split_once('@')) {
        (Some((domain, name)), _) => is(domain, b"_. -") && is(name, b"_.$ -"),
        (None, Some((name, domain))) => is(name, b"_.-") && is(domain, b".-"),
        (None, None) => false,
    }
}
