//! The processes of this host, as the kernel lists them: for that no right to any of them is needed.

use std::io;
use std::sync::OnceLock;

use windows_sys::Wdk::System::SystemInformation::{
    NtQuerySystemInformation, SystemProcessInformation, SystemTimeOfDayInformation,
};
use windows_sys::Win32::Foundation::{STATUS_INFO_LENGTH_MISMATCH, UNICODE_STRING};

/// The first process of a session, which the system starts once and which never ends while it is up.
const FIRST: &str = "smss.exe";
/// The units of the kernel's clock in a millisecond.
const PER_MILLISECOND: i64 = 10_000;

/// A process, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::host) struct Listed {
    /// Its number.
    pub pid: u32,
    /// The number that its parent had, who may have ended since.
    pub parent: u32,
    /// When it was started, in milliseconds since 1601.
    pub started: u64,
    /// The session of a person, or 0.
    pub session: u32,
    /// The name of its program's file.
    pub name: String,
}

/// How an entry begins (`SYSTEM_PROCESS_INFORMATION`), as far as it is used here.
#[repr(C)]
struct Entry {
    next: u32,
    threads: u32,
    private: i64,
    faults: u32,
    high_water: u32,
    cycles: u64,
    created: i64,
    user: i64,
    kernel: i64,
    name: UNICODE_STRING,
    priority: i32,
    pid: usize,
    parent: usize,
    handles: u32,
    session: u32,
}

/// All processes that have not ended.
pub(in crate::host) fn all() -> io::Result<Vec<Listed>> {
    // Of eight bytes, so that every entry lies as it has to.
    let mut buffer = vec![0_u64; 64 << 10];
    let length = loop {
        let size = u32::try_from(buffer.len() * 8).unwrap_or(u32::MAX);
        let mut needed = 0;
        // SAFETY: the buffer has the size that is said, and lives until the call returns.
        let status = unsafe {
            NtQuerySystemInformation(
                SystemProcessInformation,
                buffer.as_mut_ptr().cast(),
                size,
                &raw mut needed,
            )
        };
        match status {
            STATUS_INFO_LENGTH_MISMATCH => buffer.resize(buffer.len() * 2, 0),
            0.. => break (needed as usize).min(buffer.len() * 8),
            _ => return Err(io::ErrorKind::Unsupported.into()),
        }
    };
    let start = buffer.as_ptr().cast::<u8>();
    let mut found = Vec::new();
    let mut at = 0;
    while at + size_of::<Entry>() <= length {
        // SAFETY: the kernel has written an entry here, which lies within the buffer; wherever it begins, it is copied.
        let entry = unsafe { start.add(at).cast::<Entry>().read_unaligned() };
        let words = usize::from(entry.name.Length) / 2;
        let name = if entry.name.Buffer.is_null() {
            String::new()
        } else {
            // SAFETY: the name lies in the same buffer, and has so many words; they too may begin anywhere.
            let word = |index| unsafe { entry.name.Buffer.add(index).read_unaligned() };
            String::from_utf16_lossy(&(0..words).map(word).collect::<Vec<u16>>())
        };
        found.push(Listed {
            pid: u32::try_from(entry.pid).unwrap_or(0),
            parent: u32::try_from(entry.parent).unwrap_or(0),
            started: u64::try_from(entry.created / PER_MILLISECOND).unwrap_or(0),
            session: entry.session,
            name,
        });
        if entry.next == 0 {
            break;
        }
        at += entry.next as usize;
    }
    // The processor at rest is no process.
    found.retain(|process| process.pid != 0);
    Ok(found)
}

/// When this host was started, in milliseconds since 1601; the same number for as long as it is up, whoever sets its
/// clock meanwhile: the moment at which the kernel started its first process.
#[must_use]
pub(in crate::host) fn boot() -> u64 {
    static BOOT: OnceLock<u64> = OnceLock::new();
    *BOOT.get_or_init(|| {
        let processes = all().unwrap_or_default();
        let first = processes.iter().filter(|process| process.name.eq_ignore_ascii_case(FIRST));
        first.map(|process| process.started).min().unwrap_or_else(said_boot)
    })
}

/// What the system itself says of it.
fn said_boot() -> u64 {
    /// As far as it is used here (`SYSTEM_TIMEOFDAY_INFORMATION`).
    #[repr(C)]
    #[derive(Default)]
    struct TimeOfDay {
        boot: i64,
        rest: [u64; 5],
    }
    let mut time = TimeOfDay::default();
    let size = u32::try_from(size_of::<TimeOfDay>()).unwrap_or(0);
    // SAFETY: the structure has the size that is said, and may hold any bytes.
    let status = unsafe {
        NtQuerySystemInformation(
            SystemTimeOfDayInformation,
            (&raw mut time).cast(),
            size,
            std::ptr::null_mut(),
        )
    };
    // By whole seconds: it is reckoned from the clock.
    if status >= 0 { u64::try_from(time.boot / PER_MILLISECOND / 1000 * 1000).unwrap_or(0) } else { 0 }
}
