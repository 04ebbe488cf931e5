//! What this host is.

use windows_sys::Wdk::System::SystemServices::RtlGetVersion;
use windows_sys::Win32::System::SystemInformation::{GlobalMemoryStatusEx, MEMORYSTATUSEX, OSVERSIONINFOW};

/// The version of the system, by its numbers.
#[must_use]
pub fn kernel_release() -> String {
    let mut found = OSVERSIONINFOW {
        dwOSVersionInfoSize: u32::try_from(size_of::<OSVERSIONINFOW>()).unwrap_or_default(),
        ..OSVERSIONINFOW::default()
    };
    // SAFETY: the structure is the one that is written, and says its size.
    let _always_known = unsafe { RtlGetVersion(&raw mut found) };
    format!("{}.{}.{}", found.dwMajorVersion, found.dwMinorVersion, found.dwBuildNumber)
}

/// The memory of this host, in bytes.
#[must_use]
pub fn memory_size() -> Option<u64> {
    let mut found = MEMORYSTATUSEX {
        dwLength: u32::try_from(size_of::<MEMORYSTATUSEX>()).unwrap_or_default(),
        ..MEMORYSTATUSEX::default()
    };
    // SAFETY: the structure is the one that is written, and says its size.
    let told = unsafe { GlobalMemoryStatusEx(&raw mut found) } != 0;
    told.then_some(found.ullTotalPhys)
}
