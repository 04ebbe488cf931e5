//! The clocks: for people in UTC, and for reckoning since the host's boot.

use std::time::{Duration, SystemTime};

use crate::model::moment::{BootMoment, Moment, Present};

#[cfg(unix)]
mod unix;

#[cfg(windows)]
use crate::host::os::clock as system;
#[cfg(unix)]
use unix as system;

/// The present for people.
#[must_use]
pub fn now() -> Moment {
    Moment(jiff::Timestamp::now())
}

/// The present on the clock that runs from the host's boot, sleep included, and that no one can set
/// (`CLOCK_BOOTTIME`, `clock_gettime(2)`).
#[must_use]
pub fn boot_now() -> BootMoment {
    BootMoment(u64::try_from(system::since_boot().as_millis()).unwrap_or(u64::MAX))
}

/// The present on both clocks.
#[must_use]
pub fn present() -> Present {
    Present { boot: boot_now(), wall: now() }
}

/// The name of this host's time zone, as in `Europe/Vienna`. Empty where the host has none by name: then times of
/// a calendar are in UTC.
#[must_use]
pub fn zone() -> String {
    jiff::tz::TimeZone::system().iana_name().unwrap_or_default().to_owned()
}

/// The present as the kernel writes it into a file that is changed now: the same clock, with the same
/// coarse step, so that the two can be compared.
#[must_use]
pub fn file_now() -> SystemTime {
    system::of_files()
}

/// The zone in which times are shown. That of the host is one file (localtime(5)); to find it by its name takes a look at
/// every zone that there is, which is longer than all else that a status takes.
fn shown_zone() -> jiff::tz::TimeZone {
    let of_host = || jiff::tz::TimeZone::tzif("localtime", &fs_err::read("/etc/localtime").ok()?).ok();
    let named = crate::host::environment::variable("TZ").is_some();
    if named { None } else { of_host() }.unwrap_or_else(jiff::tz::TimeZone::system)
}

/// A point in time for people, in this host's time zone.
#[must_use]
pub fn local(moment: Moment) -> String {
    moment.0.to_zoned(shown_zone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// The same to the millisecond, short enough to stand before each line of a log.
#[must_use]
pub fn local_precise(moment: Moment) -> String {
    moment.0.to_zoned(shown_zone()).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

/// So long ago.
#[must_use]
pub fn before(length: Duration) -> Option<Moment> {
    jiff::Timestamp::now().checked_sub(length).ok().map(Moment)
}

/// A point in time as people write it: with an offset, or, without one, in this host's time zone.
#[must_use]
pub fn parse(text: &str) -> Option<Moment> {
    let civil = || {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        Some(civil.to_zoned(jiff::tz::TimeZone::system()).ok()?.timestamp())
    };
    text.parse().ok().or_else(civil).map(Moment)
}

/// So many seconds since the beginning of 1970; nothing where that is beyond counting.
#[must_use]
pub fn since_epoch(seconds: f64) -> Option<Moment> {
    let length = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
    jiff::Timestamp::from_duration(length).ok().map(Moment)
}

#[cfg(all(test, windows))]
mod tests {
    #[test]
    fn zones_are_known_where_the_system_has_no_list_of_them() {
        assert!(jiff::tz::TimeZone::get("Europe/Vienna").is_ok());
    }
}
