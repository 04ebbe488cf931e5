//! How much memory processes use.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

use crate::host::identity::Process;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
#[cfg(windows)]
use windows as system;

pub use system::is_limited;

/// The memory of processes together, in bytes. What they share is counted once, as far as the system says how much
/// that is.
#[must_use]
pub fn used(processes: &[Process]) -> u64 {
    processes.iter().filter_map(|process| system::of(process.identity.pid)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::identity;

    #[test]
    fn this_process_uses_some() {
        let this = identity::process(std::process::id()).unwrap();
        let before = used(std::slice::from_ref(&this));
        assert!(before > 1 << 20, "{before}");
        let much = vec![1_u8; 64 << 20];
        let after = used(std::slice::from_ref(&this));
        assert!(after > before + (48 << 20), "{before} {after} {}", much.len());
    }
}
