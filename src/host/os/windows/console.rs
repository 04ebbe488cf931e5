//! The console: who asks this process to end by it, whom this process asks, and how much it shows.

use std::io;
use std::os::windows::io::{AsRawHandle as _, BorrowedHandle};
use std::sync::OnceLock;
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    GetHandleInformation, GetLastError, HANDLE, HANDLE_FLAG_INHERIT, LPARAM, SetHandleInformation,
};
use windows_sys::Win32::System::Console::{
    AllocConsole, CONSOLE_SCREEN_BUFFER_INFO, CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT,
    CTRL_SHUTDOWN_EVENT, ENABLE_ECHO_INPUT, GenerateConsoleCtrlEvent, GetConsoleCP, GetConsoleMode,
    GetConsoleScreenBufferInfo, GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
    SetConsoleCtrlHandler, SetConsoleMode, SetStdHandle,
};
use windows_sys::Win32::System::LibraryLoader::{GetProcAddress, LoadLibraryW};

use super::event::{done, wide};

/// What comes from the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum Word {
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Break, and what others send by it; and the end of the host.
    End,
    /// Its window is closed.
    HangUp,
}

/// Who hears what comes from the console; it says whether anybody did.
static HEARS: OnceLock<fn(Word) -> bool> = OnceLock::new();

/// Has this function hear what comes from the console from now on. What it does not take has the usual end.
pub(in crate::host) fn hear(hears: fn(Word) -> bool) -> io::Result<()> {
    if HEARS.set(hears).is_err() {
        return Ok(());
    }
    // SAFETY: the function lives for ever.
    done(unsafe { SetConsoleCtrlHandler(Some(heard), 1) })
}

unsafe extern "system" fn heard(event: u32) -> i32 {
    let word = match event {
        CTRL_C_EVENT => Word::Interrupt,
        CTRL_BREAK_EVENT | CTRL_SHUTDOWN_EVENT => Word::End,
        CTRL_CLOSE_EVENT => Word::HangUp,
        // Somebody logs off: whoever it concerns is told in another way.
        _ => return 0,
    };
    let taken = HEARS.get().is_some_and(|hears| hears(word));
    if taken && matches!(event, CTRL_CLOSE_EVENT | CTRL_SHUTDOWN_EVENT) {
        // When this returns the process is ended. It ends by itself as soon as it can, and at the latest when the system
        // has no more patience.
        std::thread::sleep(Duration::from_secs(3600));
    }
    i32::from(taken)
}

/// Whether this process has a console. What one without starts would get a new one, with a window for everybody to see.
pub(in crate::host) fn is_there() -> bool {
    // SAFETY: no pointer is handed over.
    unsafe { GetConsoleCP() != 0 }
}

/// Sees that this process has a console, which it shares with what it starts: else it could ask nobody to end by it.
pub(in crate::host) fn ensure() {
    if is_there() {
        return;
    }
    let kinds = [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE];
    // SAFETY: it only reads.
    let before = kinds.map(|kind| (kind, unsafe { GetStdHandle(kind) }));
    // SAFETY: no pointer is handed over. Without one it goes on: then processes are ended without being asked.
    let made = unsafe { AllocConsole() } != 0;
    for (kind, handle) in before.into_iter().filter(|_| made) {
        // A new console takes their places.
        // SAFETY: the handle was the standard one a moment ago.
        unsafe { SetStdHandle(kind, handle) };
    }
}

/// Asks a process that leads a group, and all that is still in it, to end (Ctrl-Break), and the windows of that process to
/// close. Says whether anything could be asked.
#[must_use]
pub(in crate::host) fn ask_to_end(pid: u32) -> bool {
    // SAFETY: no pointer is handed over. It fails for one that leads no group of this console.
    let asked = unsafe { GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, pid) } != 0;
    close_windows(pid) || asked
}

/// Asks the windows of a process to close. The library for windows is loaded at the first call: a process that has it is
/// not told of the end of the host by its console.
fn close_windows(pid: u32) -> bool {
    type Each = unsafe extern "system" fn(HANDLE, LPARAM) -> i32;
    type Enumerate = unsafe extern "system" fn(Each, LPARAM) -> i32;
    type OwnerOf = unsafe extern "system" fn(HANDLE, *mut u32) -> u32;
    type Post = unsafe extern "system" fn(HANDLE, u32, usize, LPARAM) -> i32;
    /// What is handed from window to window.
    struct Search {
        pid: u32,
        owner_of: OwnerOf,
        post: Post,
        found: bool,
    }
    /// `WM_CLOSE`.
    const CLOSE: u32 = 0x0010;
    unsafe extern "system" fn each(window: HANDLE, search: LPARAM) -> i32 {
        // SAFETY: it is the search below, which outlives the enumeration, and is used by this thread alone.
        let search = unsafe { &mut *(search as *mut Search) };
        let mut owner = 0;
        // SAFETY: the number is written by the call.
        unsafe { (search.owner_of)(window, &raw mut owner) };
        if owner == search.pid {
            // SAFETY: a message without pointers.
            search.found |= unsafe { (search.post)(window, CLOSE, 0, 0) } != 0;
        }
        1
    }
    let name = wide("user32.dll");
    // SAFETY: it is the system's own library, found by its name among the system's.
    let library = unsafe { LoadLibraryW(name.as_ptr()) };
    if library.is_null() {
        return false;
    }
    // SAFETY: the names end with NUL, and the functions have these types (winuser.h).
    let functions = unsafe {
        let enumerate = GetProcAddress(library, c"EnumWindows".as_ptr().cast());
        let owner_of = GetProcAddress(library, c"GetWindowThreadProcessId".as_ptr().cast());
        let post = GetProcAddress(library, c"PostMessageW".as_ptr().cast());
        enumerate.zip(owner_of).zip(post).map(|((enumerate, owner_of), post)| {
            (
                std::mem::transmute::<unsafe extern "system" fn() -> isize, Enumerate>(enumerate),
                std::mem::transmute::<unsafe extern "system" fn() -> isize, OwnerOf>(owner_of),
                std::mem::transmute::<unsafe extern "system" fn() -> isize, Post>(post),
            )
        })
    };
    let Some((enumerate, owner_of, post)) = functions else { return false };
    let mut search = Search { pid, owner_of, post, found: false };
    // SAFETY: the search lives until the enumeration is over.
    unsafe { enumerate(each, &raw mut search as LPARAM) };
    search.found
}

/// The columns and rows that a console shows. `None`: it is none.
#[must_use]
pub(in crate::host) fn extent(console: BorrowedHandle<'_>) -> Option<(usize, usize)> {
    let mut shown = CONSOLE_SCREEN_BUFFER_INFO::default();
    // SAFETY: the structure is written by the call.
    done(unsafe { GetConsoleScreenBufferInfo(console.as_raw_handle(), &raw mut shown) }).ok()?;
    let window = shown.srWindow;
    let columns = i32::from(window.Right) - i32::from(window.Left) + 1;
    let rows = i32::from(window.Bottom) - i32::from(window.Top) + 1;
    Some((usize::try_from(columns).ok()?, usize::try_from(rows).ok()?))
}

/// Whether what is typed is shown.
pub(in crate::host) fn show_input(console: BorrowedHandle<'_>, shown: bool) -> io::Result<()> {
    let mut mode = 0;
    // SAFETY: the number is written by the call.
    done(unsafe { GetConsoleMode(console.as_raw_handle(), &raw mut mode) })?;
    let mode = if shown { mode | ENABLE_ECHO_INPUT } else { mode & !ENABLE_ECHO_INPUT };
    // SAFETY: no pointer is handed over.
    done(unsafe { SetConsoleMode(console.as_raw_handle(), mode) })
}

/// Hands nothing on any more of what this process inherited: a program would hold it open for as long as it runs. What
/// this process opens itself is handed on only where that is said.
pub(in crate::host) fn keep_inherited() {
    /// Handles are numbered by fours, and one process has seldom more than some hundred.
    const LAST: usize = 1 << 14;
    for number in (4..=LAST).step_by(4) {
        let handle: HANDLE = std::ptr::without_provenance_mut(number);
        let mut flags = 0;
        // SAFETY: what is no handle is an error, and nothing is done with one but to look at its mark and to take it.
        unsafe {
            if GetHandleInformation(handle, &raw mut flags) != 0 && flags & HANDLE_FLAG_INHERIT != 0 {
                SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0);
            }
            let _ = GetLastError();
        }
    }
}
