//! The rights of a thread: groups and a user.

use std::io;

use crate::host::os;

pub(super) fn take_user(uid: u32, gid: u32) -> io::Result<()> {
    Ok(os::process::take_user(uid, gid)?)
}

pub(super) fn take_groups(primary: u32, all: &[u32]) -> io::Result<()> {
    Ok(os::process::take_groups(primary, all)?)
}
