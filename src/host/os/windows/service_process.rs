//! What a process that Windows has started in the background does about itself.
#![allow(unsafe_code)]

use windows_sys::Win32::System::Console::FreeConsole;

/// Sets a variable of this process.
pub(in crate::host) fn set_variable(name: &str, value: &str) {
    // SAFETY: on Windows the environment is guarded by the system, whatever other threads read of it.
    unsafe { std::env::set_var(name, value) };
}

/// Lets go of the console, which is closed with its last process.
pub(in crate::host) fn leave_console() {
    // SAFETY: it only concerns this process; without a console it fails, and nothing has to be done.
    unsafe { FreeConsole() };
}
