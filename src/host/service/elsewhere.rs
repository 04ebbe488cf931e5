//! A system without such a manager: it has no services, and does nothing about any.

use super::{Code, NO_MANAGER, Word};
use crate::platform::windows::Registration;
use crate::platform::windows::answer::{NOT_A_SERVICE, Standing};

/// What an account may do with a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Read and write it and all that is in it, the files too that hand nothing down.
    Write,
    /// The same without those files.
    WriteFolder,
    /// Read it, and replace the files that lie directly in it; nothing of its folders.
    ReplaceFiles,
    /// Read and write this one file, which stays.
    WriteFile,
    /// See what lies in it, and nothing of that.
    Look,
}

pub(super) fn standing(_: &str) -> Result<Option<Standing>, Code> {
    Err(NO_MANAGER)
}

pub(super) fn registration(_: &str) -> Result<Option<Registration>, Code> {
    Err(NO_MANAGER)
}

pub(super) fn descriptions() -> Result<Vec<(String, String)>, Code> {
    Err(NO_MANAGER)
}

pub(super) fn register(_: &Registration, _: Option<&str>) -> Result<(), Code> {
    Err(NO_MANAGER)
}

pub(super) fn start(_: &str) -> Result<(), Code> {
    Err(NO_MANAGER)
}

pub(super) fn ask_stop(_: &str) -> Result<(), Code> {
    Err(NO_MANAGER)
}

pub(super) fn delete(_: &str) -> Result<(), Code> {
    Err(NO_MANAGER)
}

pub(super) fn allow_logon(_: &str) -> Result<(), Code> {
    Err(NO_MANAGER)
}

pub(super) fn open_to(
    _: Option<&str>,
    _: Option<&str>,
    _: &[(camino::Utf8PathBuf, Rights)],
) -> Result<(), Code> {
    Err(NO_MANAGER)
}

pub(super) fn set_variable(_: &str, _: &str) {}

pub(super) fn leave_console() {}

pub(super) fn own_account() -> Option<String> {
    None
}

pub(super) fn dispatch(_: &str, _: Box<dyn FnOnce() + Send>, _: Box<dyn FnMut() + Send>) -> Result<(), Code> {
    Err(NOT_A_SERVICE)
}

/// Tells the manager how this process stands as a service, which it is not here.
pub fn tell(_: Word, _: std::time::Duration) {}
