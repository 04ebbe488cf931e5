//! Events, on which one waits, and semaphores with a name, by which one process asks something of another.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle as _, BorrowedHandle, FromRawHandle as _, OwnedHandle};

use windows_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, ERROR_FILE_NOT_FOUND, GetLastError, HANDLE, LocalFree,
};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES};
use windows_sys::Win32::System::Threading::{
    CreateEventW, CreateSemaphoreW, OpenSemaphoreW, ReleaseSemaphore, ResetEvent, SEMAPHORE_MODIFY_STATE,
    SetEvent,
};

/// Owner, SYSTEM and the administrators, and nobody else: who may ask something of a process of ours.
const OURS: &str = "D:P(A;;GA;;;OW)(A;;GA;;;SY)(A;;GA;;;BA)";

/// Text as the system takes it, with its end.
pub(in crate::host) fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// A handle that a call has returned, or why there is none.
pub(in crate::host) fn owned(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle.is_null() || handle as isize == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system has just given this handle to the caller, who gives it away here and nowhere else.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Whether a call has succeeded, or why it has not.
pub(in crate::host) fn done(result: i32) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What is signaled until somebody takes note.
#[derive(Debug)]
pub(in crate::host) struct Event(OwnedHandle);

impl Event {
    /// Not signaled yet.
    pub(in crate::host) fn new() -> io::Result<Self> {
        // SAFETY: no pointer is handed over.
        owned(unsafe { CreateEventW(std::ptr::null(), 1, 0, std::ptr::null()) }).map(Self)
    }

    /// Wakes whoever waits, and whoever begins to.
    pub(in crate::host) fn set(&self) {
        // SAFETY: the handle is ours. It can't fail on an event that is open for everything.
        let _ = unsafe { SetEvent(self.0.as_raw_handle()) };
    }

    /// From here on one waits again.
    pub(in crate::host) fn reset(&self) {
        // SAFETY: as above.
        let _ = unsafe { ResetEvent(self.0.as_raw_handle()) };
    }
}

impl AsHandle for Event {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}

/// A count with a name on this host, which others add to.
#[derive(Debug)]
pub(in crate::host) struct Semaphore(OwnedHandle);

impl Semaphore {
    /// Makes one of which nobody has heard yet. Whoever took its name before is an intruder.
    pub(in crate::host) fn create(name: &str) -> io::Result<Self> {
        let descriptor = Descriptor::of(OURS)?;
        let attributes = descriptor.attributes();
        let name = wide(name);
        // SAFETY: name and attributes live until the call returns.
        let semaphore =
            owned(unsafe { CreateSemaphoreW(&raw const attributes, 0, i32::MAX, name.as_ptr()) })?;
        // SAFETY: it reads what the call before has left.
        if unsafe { GetLastError() } == ERROR_ALREADY_EXISTS {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(Self(semaphore))
    }

    /// Adds one to the count of this name. Says whether there is one.
    pub(in crate::host) fn add(name: &str) -> io::Result<bool> {
        let name = wide(name);
        // SAFETY: the name lives until the call returns.
        let opened = owned(unsafe { OpenSemaphoreW(SEMAPHORE_MODIFY_STATE, 0, name.as_ptr()) });
        let semaphore = match opened {
            Err(error) if error.raw_os_error() == i32::try_from(ERROR_FILE_NOT_FOUND).ok() => {
                return Ok(false);
            }
            other => other?,
        };
        // SAFETY: the handle is ours, and nobody wants to know the count before.
        done(unsafe { ReleaseSemaphore(semaphore.as_raw_handle(), 1, std::ptr::null_mut()) })?;
        Ok(true)
    }
}

impl AsHandle for Semaphore {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}

/// Who may do what with something that is made, from its text.
#[derive(Debug)]
pub(in crate::host) struct Descriptor(PSECURITY_DESCRIPTOR);

impl Descriptor {
    /// For those for whom everything of ours is.
    pub(in crate::host) fn ours() -> io::Result<Self> {
        Self::of(OURS)
    }

    fn of(text: &str) -> io::Result<Self> {
        let text = wide(text);
        let mut descriptor = std::ptr::null_mut();
        // SAFETY: the text ends with NUL, and what the call makes is freed when this is dropped.
        done(unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                std::ptr::null_mut(),
            )
        })?;
        Ok(Self(descriptor))
    }

    /// As the calls take it, for as long as this lives.
    pub(in crate::host) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap_or(0),
            lpSecurityDescriptor: self.0,
            bInheritHandle: 0,
        }
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the system has allocated it so, and nobody else frees it.
        unsafe { LocalFree(self.0) };
    }
}
