//! The names of accounts, in the small alphabet that every system's tools agree on.

use thiserror::Error;

/// What a schema says of the name of an account.
pub const USER_PATTERN: &str = "^[A-Za-z_][A-Za-z0-9_.-]{0,31}$";

/// A text that can't name an account.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` can't name an account: it begins with a letter or `_`, then letters, digits, `_`, `.` and `-`, at most 32 in all"
)]
pub struct UserNameError(String);

/// Refuses what can't name an account.
pub fn check_user(text: &str) -> Result<(), UserNameError> {
    let mut bytes = text.bytes();
    let well_formed = text.len() <= 32
        && bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if well_formed { Ok(()) } else { Err(UserNameError(text.to_owned())) }
}
