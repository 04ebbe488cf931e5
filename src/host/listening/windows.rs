//! Windows: a listening socket can't be handed to a program, so none is held.

use std::io;

use crate::host::process::Credentials;
use crate::host::rest::OwnedFd;
use crate::model::socket::Listen;

pub(super) fn bind(_listen: &Listen, _account: Option<&Credentials>) -> io::Result<OwnedFd> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn file_of(_listen: &Listen) -> Option<(u64, u64)> {
    None
}

pub(super) fn is_at(_descriptor: &OwnedFd, _listen: &Listen) -> bool {
    false
}
