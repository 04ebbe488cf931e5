//! The clocks.

use std::time::{Duration, SystemTime};

use windows_sys::Win32::Foundation::FILETIME;
use windows_sys::Win32::System::SystemInformation::{GetSystemTimeAsFileTime, GetTickCount64};

/// From the beginning of the kernel's calendar to that of 1970.
const TO_1970: Duration = Duration::from_secs(11_644_473_600);

/// How long the host is up, sleep included.
pub(in crate::host) fn since_boot() -> Duration {
    // SAFETY: it takes nothing and only reads.
    Duration::from_millis(unsafe { GetTickCount64() })
}

/// The present by the clock of files, with its coarse step.
pub(in crate::host) fn of_files() -> SystemTime {
    let mut time = FILETIME::default();
    // SAFETY: the structure is written by the call.
    unsafe { GetSystemTimeAsFileTime(&raw mut time) };
    let units = u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
    let since_1601 = Duration::new(units / 10_000_000, u32::try_from(units % 10_000_000 * 100).unwrap_or(0));
    SystemTime::UNIX_EPOCH + since_1601.saturating_sub(TO_1970)
}
