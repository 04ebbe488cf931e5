//! Pipes of which the end that is read never waits: a read is always under way, into a buffer of its own, and an event
//! says when it has come to something.

use std::io::{self, Read as _};
use std::os::windows::io::{AsHandle, AsRawHandle as _, BorrowedHandle, OwnedHandle};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use windows_sys::Win32::Foundation::{ERROR_IO_INCOMPLETE, ERROR_IO_PENDING, GENERIC_WRITE, STATUS_PENDING};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, FILE_READ_ATTRIBUTES, OPEN_EXISTING,
    PIPE_ACCESS_INBOUND, ReadFile,
};
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_WAIT,
};

use super::event::{Descriptor, Event, owned, wide};

/// How much a pipe holds, and how much is read at once, in bytes.
const ROOM: u32 = 64 << 10;
const PIECE: usize = 16 << 10;

/// The end of a pipe that is read.
#[derive(Debug)]
pub struct PipeReader {
    // Dropped first: the read that it takes back is waited for by the event.
    state: Mutex<State>,
    event: Event,
}

#[derive(Debug)]
struct State {
    pipe: OwnedHandle,
    /// The read that is under way.
    pending: Option<Box<Pending>>,
    /// What was read and not yet taken.
    rest: Vec<u8>,
    /// Whether nothing comes any more, or another reads on.
    over: bool,
}

struct Pending {
    overlapped: OVERLAPPED,
    buffer: [u8; PIECE],
}

impl Pending {
    /// Whether the kernel has still to write what became of it (`HasOverlappedIoCompleted`).
    fn is_under_way(&self) -> bool {
        self.overlapped.Internal == STATUS_PENDING.cast_unsigned() as usize
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Pending")
    }
}

// SAFETY: the structure is the kernel's to write, and its pointers are only followed there; it stays in its box, and
// goes from one thread to another with all that knows of it.
unsafe impl Send for Pending {}

/// A new pipe: the end that is read here, and the one to be written by another.
pub(in crate::host) fn pair() -> io::Result<(PipeReader, OwnedHandle)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = wide(&format!(r"\\.\pipe\mainstay.{}.{number}", std::process::id()));
    let descriptor = Descriptor::ours()?;
    let attributes = descriptor.attributes();
    // SAFETY: name and attributes live until the call returns.
    let pipe = owned(unsafe {
        CreateNamedPipeW(
            name.as_ptr(),
            PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
            PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
            1,
            ROOM,
            ROOM,
            0,
            &raw const attributes,
        )
    })?;
    // SAFETY: the name lives until the call returns.
    let writer = owned(unsafe {
        CreateFileW(
            name.as_ptr(),
            GENERIC_WRITE | FILE_READ_ATTRIBUTES,
            0,
            std::ptr::null(),
            OPEN_EXISTING,
            0,
            std::ptr::null_mut(),
        )
    })?;
    let event = Event::new()?;
    let mut state = State { pipe, pending: None, rest: Vec::new(), over: false };
    state.begin(&event);
    Ok((PipeReader { state: Mutex::new(state), event }, writer))
}

impl State {
    /// Begins to read. What has ended is signaled, too.
    fn begin(&mut self, event: &Event) {
        event.reset();
        let overlapped = OVERLAPPED { hEvent: event.as_handle().as_raw_handle(), ..OVERLAPPED::default() };
        let mut pending = Box::new(Pending { overlapped, buffer: [0; PIECE] });
        let room = u32::try_from(PIECE).unwrap_or(0);
        // SAFETY: buffer and structure stay in their box, which is kept until the read has ended or was taken back.
        let read = unsafe {
            ReadFile(
                self.pipe.as_raw_handle(),
                pending.buffer.as_mut_ptr(),
                room,
                std::ptr::null_mut(),
                &raw mut pending.overlapped,
            )
        };
        let error = io::Error::last_os_error();
        if read != 0 || error.raw_os_error() == i32::try_from(ERROR_IO_PENDING).ok() {
            self.pending = Some(pending);
        } else {
            self.over = true;
            event.set();
        }
    }

    /// Takes what the read has come to. `None`: nothing yet.
    fn come(&mut self, wait: bool) -> Option<()> {
        let pending = self.pending.as_mut()?;
        let mut length = 0;
        // SAFETY: the structure is that of the read which was begun on this very pipe.
        let ended = unsafe {
            GetOverlappedResult(
                self.pipe.as_raw_handle(),
                &raw const pending.overlapped,
                &raw mut length,
                i32::from(wait),
            )
        };
        if ended == 0 {
            let error = io::Error::last_os_error();
            if error.raw_os_error() == i32::try_from(ERROR_IO_INCOMPLETE).ok() {
                return None;
            }
            self.over = true;
            if pending.is_under_way() {
                // What can't be waited for is written to some day: its place is never another's.
                self.pending.take().map(Box::leak);
                return Some(());
            }
        }
        let length = usize::try_from(length).unwrap_or(0);
        self.rest.extend_from_slice(pending.buffer.get(..length).unwrap_or_default());
        self.pending = None;
        Some(())
    }

    /// Takes the read back that is under way; what had come by then is kept.
    fn take_back(&mut self) {
        if let Some(pending) = &self.pending {
            // SAFETY: the structure is that of the read which was begun on this very pipe. One that has ended is no error.
            unsafe { CancelIoEx(self.pipe.as_raw_handle(), &raw const pending.overlapped) };
            // The kernel writes into the buffer until it says that it does not.
            while self.pending.is_some() && self.come(true).is_none() {}
        }
    }
}

impl PipeReader {
    /// Reads what is there: nothing is the end, and where there is nothing yet that is an error
    /// ([`io::ErrorKind::WouldBlock`]).
    pub fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        while state.rest.is_empty() {
            if state.over {
                return Ok(0);
            }
            if state.pending.is_none() {
                state.begin(&self.event);
            } else if state.come(false).is_none() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
        let length = state.rest.len().min(piece.len());
        piece.iter_mut().zip(state.rest.drain(..length)).for_each(|(to, from)| *to = from);
        if state.rest.is_empty() {
            state.rest = Vec::new();
            if !state.over {
                state.begin(&self.event);
            }
        }
        Ok(length)
    }

    /// The pipe itself, for another to read on from; here nothing is read any more but what has come already.
    pub(in crate::host) fn give(&self) -> io::Result<OwnedHandle> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.take_back();
        state.over = true;
        self.event.set();
        state.pipe.try_clone()
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.take_back();
    }
}

/// Signaled when there is something to read, or the end.
impl AsHandle for PipeReader {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.event.as_handle()
    }
}

/// Reads from the standard input, and waits for what comes; nothing is the end.
pub(in crate::host) fn read_input(piece: &mut [u8]) -> io::Result<usize> {
    io::stdin().lock().read(piece)
}
