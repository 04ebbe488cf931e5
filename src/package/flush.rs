//! Writing back early: the disk works while the rest is inflated, so that the barrier before publishing
//! finds little left to do.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::host::os::BorrowedFd;

/// Bytes that are worth a start, in bytes.
const STEP: u64 = 16 << 20;

#[derive(Default)]
struct State {
    waiting: bool,
    closed: bool,
}

/// Lets the disk begin. It promises nothing: the barrier is [`crate::package::disk::sync_tree`], by another
/// descriptor, which is told of every failure again.
#[derive(Default)]
pub(crate) struct Flush {
    state: Mutex<State>,
    changed: Condvar,
}

impl Flush {
    /// Called with what was written in all and what was written at the last start. Gives the latter anew.
    pub(crate) fn tell(&self, written: u64, started: u64) -> u64 {
        if written < started + STEP {
            return started;
        }
        self.state.lock().unwrap_or_else(PoisonError::into_inner).waiting = true;
        self.changed.notify_all();
        written
    }

    /// Lets the thread go.
    pub(crate) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.notify_all();
    }

    /// The thread's work.
    pub(crate) fn run(&self, root: BorrowedFd<'_>) {
        loop {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            while !state.waiting && !state.closed {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.closed {
                return;
            }
            state.waiting = false;
            drop(state);
            crate::package::disk::start_sync(root);
        }
    }
}
