//! Waiting by poll(2).

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// Waits until something can be read from one of these, and says whether that is so or a signal was caught. Without a
/// limit it waits for as long as it takes.
pub fn any(waited: &[BorrowedFd<'_>], limit: Option<Duration>) -> io::Result<bool> {
    until(waited, PollFlags::IN, limit)
}

/// The same until there is room to write.
pub(in crate::host) fn writable(waited: BorrowedFd<'_>, limit: Duration) -> io::Result<bool> {
    until(&[waited], PollFlags::OUT, Some(limit))
}

fn until(waited: &[BorrowedFd<'_>], flags: PollFlags, limit: Option<Duration>) -> io::Result<bool> {
    let mut polled: Vec<_> = waited.iter().map(|one| PollFd::from_borrowed_fd(*one, flags)).collect();
    match poll(&mut polled, limit.map(time).as_ref()) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn time(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
