//! Unix: `clock_gettime(2)`.

use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, Timespec, clock_gettime};

/// How long the host is up, sleep included.
pub(super) fn since_boot() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    // It counts on while a Mac sleeps, as no other clock there does (clock_gettime(3)).
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    duration(clock_gettime(clock))
}

/// The present by the clock of files.
pub(super) fn of_files() -> SystemTime {
    #[cfg(target_os = "linux")]
    let clock = ClockId::RealtimeCoarse;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Realtime;
    SystemTime::UNIX_EPOCH + duration(clock_gettime(clock))
}

fn duration(time: Timespec) -> Duration {
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), nanoseconds)
}
