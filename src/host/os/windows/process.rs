//! Single processes: what is known of them, and what is done to them.

use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsHandle as _, AsRawHandle as _, BorrowedHandle, OwnedHandle};
use std::time::Duration;

use windows_sys::Wdk::System::Threading::{NtQueryInformationProcess, ProcessBasicInformation};
use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, FILETIME, HANDLE, UNICODE_STRING};
use windows_sys::Win32::System::Diagnostics::Debug::ReadProcessMemory;
use windows_sys::Win32::System::ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS_EX};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetExitCodeProcess, GetProcessTimes, INFINITE, OpenProcess, PROCESS_ACCESS_RIGHTS,
    PROCESS_BASIC_INFORMATION, PROCESS_NAME_WIN32, PROCESS_QUERY_INFORMATION,
    PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE, PROCESS_TERMINATE, PROCESS_VM_READ,
    QueryFullProcessImageNameW, RegisterWaitForSingleObject, TerminateProcess, UnregisterWaitEx,
    WT_EXECUTEONLYONCE,
};

use super::event::{done, owned};

/// The most that is read of the environment or of the words of a process, in bytes.
const LARGEST: usize = 1 << 20;

// The one call to let a process go on that was made suspended, without its thread's handle.
#[link(name = "ntdll")]
unsafe extern "system" {
    fn NtResumeProcess(process: HANDLE) -> i32;
}

/// What a hold on a process is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum For {
    /// To see how it is, and to wait for its end.
    Looking,
    /// To end it, too.
    Ending,
    /// To read what it was started with.
    Reading,
}

/// Takes hold of a process.
pub(in crate::host) fn open(pid: u32, purpose: For) -> io::Result<OwnedHandle> {
    let rights: PROCESS_ACCESS_RIGHTS = match purpose {
        For::Looking => PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SYNCHRONIZE,
        For::Ending => PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SYNCHRONIZE | PROCESS_TERMINATE,
        For::Reading => PROCESS_QUERY_INFORMATION | PROCESS_VM_READ,
    };
    // SAFETY: no pointer is handed over.
    owned(unsafe { OpenProcess(rights, 0, pid) })
}

/// Whether an error of [`open`] says that there is no process of this number.
#[must_use]
pub(in crate::host) fn is_gone(error: &io::Error) -> bool {
    error.raw_os_error() == i32::try_from(ERROR_INVALID_PARAMETER).ok()
}

/// When it was started, in milliseconds since 1601.
pub(in crate::host) fn started(process: BorrowedHandle<'_>) -> io::Result<u64> {
    let mut times = [FILETIME::default(); 4];
    let [created, ended, kernel, user] = &mut times;
    // SAFETY: each of the four is written by the call, and lives as long.
    done(unsafe { GetProcessTimes(process.as_raw_handle(), created, ended, kernel, user) })?;
    let units = u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime);
    Ok(units / 10_000)
}

/// The number of its parent, who may have ended since.
#[must_use]
pub(in crate::host) fn parent(process: BorrowedHandle<'_>) -> Option<u32> {
    u32::try_from(basic(process)?.InheritedFromUniqueProcessId).ok()
}

fn basic(process: BorrowedHandle<'_>) -> Option<PROCESS_BASIC_INFORMATION> {
    let mut basic = PROCESS_BASIC_INFORMATION::default();
    let size = u32::try_from(size_of_val(&basic)).ok()?;
    // SAFETY: the structure has the size that is said.
    let status = unsafe {
        NtQueryInformationProcess(
            process.as_raw_handle(),
            ProcessBasicInformation,
            (&raw mut basic).cast(),
            size,
            std::ptr::null_mut(),
        )
    };
    (status >= 0).then_some(basic)
}

/// Its exit code, if it has ended.
#[must_use]
pub(in crate::host) fn exit_code(process: BorrowedHandle<'_>) -> Option<u32> {
    super::wait::any(&[process], Some(Duration::ZERO)).ok().filter(|ended| *ended)?;
    let mut code = 0;
    // SAFETY: the number is written by the call.
    done(unsafe { GetExitCodeProcess(process.as_raw_handle(), &raw mut code) }).ok()?;
    Some(code)
}

/// Ends it, with this exit code. One that has ended is no error.
pub(in crate::host) fn end(process: BorrowedHandle<'_>, code: u32) -> io::Result<()> {
    // SAFETY: the handle is borrowed for the call.
    match done(unsafe { TerminateProcess(process.as_raw_handle(), code) }) {
        Err(_) if exit_code(process).is_some() => Ok(()),
        other => other,
    }
}

/// Ends this process at once, with this exit code.
pub(in crate::host) fn end_own(code: u32) {
    // SAFETY: this process has every right to itself.
    let _ = unsafe { TerminateProcess(GetCurrentProcess(), code) };
}

/// Lets a process go on that was started suspended.
pub(in crate::host) fn resume(process: BorrowedHandle<'_>) -> io::Result<()> {
    // SAFETY: the handle is borrowed for the call.
    let status = unsafe { NtResumeProcess(process.as_raw_handle()) };
    if status < 0 { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
}

/// The program that it runs.
#[must_use]
pub(in crate::host) fn program(process: BorrowedHandle<'_>) -> Option<String> {
    let mut path = vec![0_u16; 32 << 10];
    let mut length = u32::try_from(path.len()).ok()?;
    // SAFETY: there is room for as many words as are said.
    done(unsafe {
        QueryFullProcessImageNameW(
            process.as_raw_handle(),
            PROCESS_NAME_WIN32,
            path.as_mut_ptr(),
            &raw mut length,
        )
    })
    .ok()?;
    Some(String::from_utf16_lossy(path.get(..length as usize)?))
}

/// The memory that is its alone, in bytes.
#[must_use]
pub(in crate::host) fn memory(process: BorrowedHandle<'_>) -> Option<u64> {
    let mut counters = PROCESS_MEMORY_COUNTERS_EX::default();
    let size = u32::try_from(size_of_val(&counters)).ok()?;
    // SAFETY: the structure has the size that is said; it begins as the shorter one does that the call names.
    done(unsafe { K32GetProcessMemoryInfo(process.as_raw_handle(), (&raw mut counters).cast(), size) })
        .ok()?;
    // Both are the same number; an older system leaves one of them at nothing, and Wine the other.
    u64::try_from(counters.PrivateUsage.max(counters.PagefileUsage)).ok()
}

/// What a process was started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::host) struct Given {
    /// Its words, in one.
    pub line: String,
    /// Where it is.
    pub folder: String,
    /// Its environment, as `NAME=value`.
    pub environment: Vec<String>,
}

/// What a process was started with, as it lies in its own memory. `None`: it may not be read.
#[must_use]
pub(in crate::host) fn given(pid: u32) -> Option<Given> {
    /// The places in the process's own blocks, which are those of every 64-bit Windows.
    const PARAMETERS: usize = 0x20;
    const FOLDER: usize = 0x38;
    const LINE: usize = 0x70;
    const ENVIRONMENT: usize = 0x80;
    const ENVIRONMENT_SIZE: usize = 0x3F0;
    let process = open(pid, For::Reading).ok()?;
    let process = process.as_handle();
    let block = basic(process)?.PebBaseAddress as usize;
    let parameters = number(process, block + PARAMETERS)?;
    let environment = number(process, parameters + ENVIRONMENT)?;
    let size = number(process, parameters + ENVIRONMENT_SIZE)?.min(LARGEST);
    let variables = words(process, environment, size)?;
    Some(Given {
        line: text(process, parameters + LINE)?,
        folder: text(process, parameters + FOLDER)?,
        environment: variables
            .split(|word| *word == 0)
            .map(String::from_utf16_lossy)
            .take_while(|variable| !variable.is_empty())
            .collect(),
    })
}

fn number(process: BorrowedHandle<'_>, at: usize) -> Option<usize> {
    let mut number = 0_usize;
    // SAFETY: every number is one.
    unsafe { copy(process, at, (&raw mut number).cast(), size_of::<usize>()) }.then_some(number)
}

fn text(process: BorrowedHandle<'_>, at: usize) -> Option<String> {
    let mut text = UNICODE_STRING::default();
    // SAFETY: the structure is plain numbers, and its pointer is not followed here.
    unsafe { copy(process, at, (&raw mut text).cast(), size_of::<UNICODE_STRING>()) }.then_some(())?;
    let words = words(process, text.Buffer as usize, text.Length.into())?;
    Some(String::from_utf16_lossy(&words))
}

fn words(process: BorrowedHandle<'_>, at: usize, bytes: usize) -> Option<Vec<u16>> {
    let mut words = vec![0_u16; bytes / 2];
    // SAFETY: there is room for so many words, and any bytes are words.
    unsafe { copy(process, at, words.as_mut_ptr().cast(), words.len() * 2) }.then_some(words)
}

/// Copies from the memory of another process.
///
/// # Safety
/// There has to be room for so many bytes, and any bytes have to do.
unsafe fn copy(process: BorrowedHandle<'_>, at: usize, to: *mut c_void, bytes: usize) -> bool {
    let from = std::ptr::without_provenance(at);
    // SAFETY: the caller answers for the room; where there is nothing to read in the other process, the call fails.
    let read = unsafe { ReadProcessMemory(process.as_raw_handle(), from, to, bytes, std::ptr::null_mut()) };
    read != 0
}

/// Has something called once when a process has ended, on a thread of the system's.
#[derive(Debug)]
pub(in crate::host) struct AtEnd {
    wait: HANDLE,
    _process: OwnedHandle,
}

// SAFETY: the handle of the wait may be used from any thread.
unsafe impl Send for AtEnd {}

impl AtEnd {
    /// From now on. It has to be a function, so that nothing is held for it.
    pub(in crate::host) fn of(process: &OwnedHandle, call: fn()) -> io::Result<Self> {
        unsafe extern "system" fn ended(call: *mut c_void, _: bool) {
            // SAFETY: it is the very function that was handed over below.
            let call = unsafe { std::mem::transmute::<*mut c_void, fn()>(call) };
            call();
        }
        let process = process.try_clone()?;
        let mut wait = std::ptr::null_mut();
        // SAFETY: the process is held as long as the wait, and the function lives for ever.
        done(unsafe {
            RegisterWaitForSingleObject(
                &raw mut wait,
                process.as_raw_handle(),
                Some(ended),
                call as *mut c_void,
                INFINITE,
                WT_EXECUTEONLYONCE,
            )
        })?;
        Ok(Self { wait, _process: process })
    }
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        // SAFETY: the wait is ours. The handle -1 has the call wait until nobody is called any more.
        unsafe { UnregisterWaitEx(self.wait, std::ptr::without_provenance_mut(usize::MAX)) };
    }
}
