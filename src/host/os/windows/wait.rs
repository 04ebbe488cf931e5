//! Waiting for one of many: events, processes, and whatever else the kernel calls signaled.

use std::io;
use std::os::windows::io::{AsRawHandle as _, BorrowedHandle};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{HANDLE, WAIT_FAILED, WAIT_TIMEOUT};
use windows_sys::Win32::System::Threading::{INFINITE, WaitForMultipleObjects};

/// How many the system waits for at once (`MAXIMUM_WAIT_OBJECTS`).
const MOST: usize = 64;
/// The longest wait for one part of more than those, before the others are looked at.
const TURN: Duration = Duration::from_millis(50);

/// Waits until one of these is signaled, for as long as it takes, and says which. Of a semaphore one is taken.
pub(in crate::host) fn which(waited: &[BorrowedHandle<'_>]) -> io::Result<usize> {
    let handles: Vec<HANDLE> = waited.iter().map(BorrowedHandle::as_raw_handle).collect();
    let count = u32::try_from(handles.len()).unwrap_or(0);
    // SAFETY: the handles are borrowed for the whole call, and there are as many as said.
    let result = unsafe { WaitForMultipleObjects(count, handles.as_ptr(), 0, INFINITE) };
    if result == WAIT_FAILED { Err(io::Error::last_os_error()) } else { Ok(result as usize) }
}

/// Waits until one of these is signaled, and says whether that is so. Without a limit it waits for as long as it takes.
pub fn any(waited: &[BorrowedHandle<'_>], limit: Option<Duration>) -> io::Result<bool> {
    let until = limit.and_then(|limit| Instant::now().checked_add(limit));
    let handles: Vec<HANDLE> = waited.iter().map(BorrowedHandle::as_raw_handle).collect();
    if handles.is_empty() {
        std::thread::sleep(limit.unwrap_or(Duration::MAX));
        return Ok(false);
    }
    if handles.len() <= MOST {
        return part(&handles, limit);
    }
    // Rare: the guardian of a great many instances.
    loop {
        for some in handles.chunks(MOST) {
            let left = until.map_or(TURN, |until| until.saturating_duration_since(Instant::now()).min(TURN));
            if part(some, Some(left))? {
                return Ok(true);
            }
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            return Ok(false);
        }
    }
}

fn part(handles: &[HANDLE], limit: Option<Duration>) -> io::Result<bool> {
    let until = limit.and_then(|limit| Instant::now().checked_add(limit));
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        // Rounded up, so that nobody wakes just before the end and again.
        let milliseconds = left.map(|left| left.as_nanos().div_ceil(1_000_000));
        let turn = milliseconds
            .map_or(INFINITE, |left| u32::try_from(left).unwrap_or(INFINITE - 1).min(INFINITE - 1));
        let count = u32::try_from(handles.len()).unwrap_or(0);
        // SAFETY: the handles are borrowed for the whole call, and there are as many as said.
        let result = unsafe { WaitForMultipleObjects(count, handles.as_ptr(), 0, turn) };
        match result {
            WAIT_FAILED => return Err(io::Error::last_os_error()),
            WAIT_TIMEOUT if until.is_none_or(|until| Instant::now() < until) => {}
            WAIT_TIMEOUT => return Ok(false),
            _ => return Ok(true),
        }
    }
}
