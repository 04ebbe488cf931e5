//! Windows: what a process has alone, as the system counts it.

use crate::host::os::AsFd as _;
use crate::host::os::process::{For, memory, open};

/// Whether the system limits the memory of this process: the limit of a program is kept by its job, which is not this
/// process's own.
#[must_use]
pub fn is_limited() -> bool {
    false
}

/// What one process has alone. `None`: it has ended, or is another account's.
pub(super) fn of(pid: u32) -> Option<u64> {
    memory(open(pid, For::Looking).ok()?.as_fd())
}
