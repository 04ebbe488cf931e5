//! Jobs: processes that are bound together with all that they start. No process leaves one.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle as _, BorrowedHandle, OwnedHandle};

use windows_sys::Win32::Foundation::ERROR_MORE_DATA;
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_ACTIVE_PROCESS, JOB_OBJECT_LIMIT_JOB_MEMORY,
    JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectBasicProcessIdList,
    JobObjectExtendedLimitInformation, QueryInformationJobObject, SetInformationJobObject,
    TerminateJobObject,
};

use super::event::{done, owned};

/// What the processes of a job may use together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::host) struct Limits {
    /// Memory, in bytes.
    pub memory: Option<u64>,
    /// How many there may be at once.
    pub processes: Option<u32>,
}

/// A job that is held.
#[derive(Debug)]
pub(in crate::host) struct Job(OwnedHandle);

impl Job {
    /// A job of nobody yet. With `binds`, it ends with whoever holds it: when the last hold is given up, by its death too,
    /// all its processes are ended.
    pub(in crate::host) fn new(binds: bool, limits: Limits) -> io::Result<Self> {
        // SAFETY: no pointer is handed over.
        let job = owned(unsafe { CreateJobObjectW(std::ptr::null(), std::ptr::null()) })?;
        let mut wanted = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        let flags = &mut wanted.BasicLimitInformation.LimitFlags;
        if binds {
            *flags |= JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        }
        if let Some(processes) = limits.processes {
            *flags |= JOB_OBJECT_LIMIT_ACTIVE_PROCESS;
            wanted.BasicLimitInformation.ActiveProcessLimit = processes;
        }
        if let Some(memory) = limits.memory {
            wanted.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_JOB_MEMORY;
            wanted.JobMemoryLimit = usize::try_from(memory).unwrap_or(usize::MAX);
        }
        let size = u32::try_from(size_of_val(&wanted)).unwrap_or(0);
        // SAFETY: what is handed over is of the kind and size that is said.
        done(unsafe {
            SetInformationJobObject(
                job.as_raw_handle(),
                JobObjectExtendedLimitInformation,
                (&raw const wanted).cast(),
                size,
            )
        })?;
        Ok(Self(job))
    }

    /// Takes a process in, for good.
    pub(in crate::host) fn take_in(&self, process: BorrowedHandle<'_>) -> io::Result<()> {
        // SAFETY: both handles are borrowed for the call.
        done(unsafe { AssignProcessToJobObject(self.0.as_raw_handle(), process.as_raw_handle()) })
    }

    /// The numbers of its processes.
    #[must_use]
    pub(in crate::host) fn processes(&self) -> Vec<u32> {
        let mut room = 64;
        loop {
            // Two counts of four bytes, then the numbers, of eight bytes each.
            let mut buffer = vec![0_u64; 1 + room];
            let size = u32::try_from(buffer.len() * 8).unwrap_or(u32::MAX);
            // SAFETY: the buffer has the size that is said.
            let result = done(unsafe {
                QueryInformationJobObject(
                    self.0.as_raw_handle(),
                    JobObjectBasicProcessIdList,
                    buffer.as_mut_ptr().cast(),
                    size,
                    std::ptr::null_mut(),
                )
            });
            match result {
                Err(error)
                    if error.raw_os_error() == i32::try_from(ERROR_MORE_DATA).ok() && room < 1 << 20 =>
                {
                    room *= 4;
                }
                Err(_) => return Vec::new(),
                Ok(()) => {
                    let count = usize::try_from(buffer[0] >> 32).unwrap_or(0).min(room);
                    let numbers = buffer.iter().skip(1).take(count);
                    return numbers.filter_map(|number| u32::try_from(*number).ok()).collect();
                }
            }
        }
    }

    /// Ends all its processes, which exit with this code.
    pub(in crate::host) fn end(&self, code: u32) {
        // SAFETY: the handle is ours. A job without processes is no error.
        let _ = unsafe { TerminateJobObject(self.0.as_raw_handle(), code) };
    }
}

impl AsHandle for Job {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}
