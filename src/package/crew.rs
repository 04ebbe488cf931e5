//! Small files are written by several threads: nearly all of their time goes into creating them, which the
//! kernel does for several folders at once.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::host::os::BorrowedFd;
use crate::package::disk::Writer;
use crate::package::entry::EntryName;

/// Up to this size a file is small, in bytes. Larger ones are written as they are read.
pub(crate) const SMALL: u64 = 64 << 10;
/// From here on a batch is full.
const BATCH_BYTES: usize = 256 << 10;
const BATCH_FILES: usize = 64;
/// Batches that may wait for a free thread.
const WAITING: usize = 8;

struct Small {
    name: EntryName,
    program: bool,
    end: usize,
}

/// Small files with their contents, one after another.
#[derive(Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    files: Vec<Small>,
}

impl Batch {
    /// Appends content for the file that [`Batch::close`] ends.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Ends a file.
    pub(crate) fn close(&mut self, name: EntryName, program: bool) {
        self.files.push(Small { name, program, end: self.bytes.len() });
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= BATCH_BYTES || self.files.len() >= BATCH_FILES
    }
}

#[derive(Default)]
struct State {
    batches: VecDeque<Batch>,
    spare: Vec<Batch>,
    busy: usize,
    closed: bool,
    failed: bool,
    failure: Option<(EntryName, io::Error)>,
}

/// What the parser and the threads that write share.
#[derive(Default)]
pub(crate) struct Crew {
    state: Mutex<State>,
    changed: Condvar,
}

impl Crew {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over a batch and gives an empty one.
    pub(crate) fn push(&self, batch: Batch) -> Result<Batch, (EntryName, io::Error)> {
        let mut state = self.lock();
        while state.batches.len() >= WAITING && !state.failed {
            state = self.wait(state);
        }
        if let Some(failure) = state.failure.take() {
            return Err(failure);
        }
        state.batches.push_back(batch);
        self.changed.notify_all();
        Ok(state.spare.pop().unwrap_or_default())
    }

    /// Waits until everything handed over is written.
    pub(crate) fn settle(&self) -> Result<(), (EntryName, io::Error)> {
        let mut state = self.lock();
        while (state.busy > 0 || !state.batches.is_empty()) && !state.failed {
            state = self.wait(state);
        }
        state.failure.take().map_or(Ok(()), Err)
    }

    /// Lets the threads go once they have written what they have, or at once after a refusal.
    pub(crate) fn close(&self, refused: bool) {
        let mut state = self.lock();
        state.closed = true;
        if refused {
            state.batches.clear();
        }
        self.changed.notify_all();
    }

    /// One thread's work.
    pub(crate) fn work(&self, root: BorrowedFd<'_>) {
        let mut writer = Writer::new(root);
        let mut done: Option<Batch> = None;
        loop {
            let mut state = self.lock();
            if let Some(batch) = done.take() {
                state.busy -= 1;
                state.spare.push(batch);
                self.changed.notify_all();
            }
            let mut batch = loop {
                if state.failed {
                    return;
                }
                if let Some(batch) = state.batches.pop_front() {
                    break batch;
                }
                if state.closed {
                    return;
                }
                state = self.wait(state);
            };
            state.busy += 1;
            self.changed.notify_all();
            drop(state);
            if let Err(failure) = write(&mut writer, &batch) {
                let mut state = self.lock();
                state.failed = true;
                state.failure.get_or_insert(failure);
                self.changed.notify_all();
                return;
            }
            batch.bytes.clear();
            batch.files.clear();
            done = Some(batch);
        }
    }
}

fn write(writer: &mut Writer<'_>, batch: &Batch) -> Result<(), (EntryName, io::Error)> {
    let mut start = 0;
    for small in &batch.files {
        let (folder, name) = small.name.split();
        writer
            .create(folder, name, small.program)
            .and_then(|mut file| file.write_all(&batch.bytes[start..small.end]))
            .map_err(|error| (small.name.clone(), error))?;
        start = small.end;
    }
    Ok(())
}
