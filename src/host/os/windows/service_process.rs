//! What a process that Windows has started in the background does about itself.
#![allow(unsafe_code)]

use std::ptr::null_mut;

use windows_sys::Win32::System::Console::{
    FreeConsole, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, SetStdHandle,
};

/// Sets a variable of this process.
pub(in crate::host) fn set_variable(name: &str, value: &str) {
    // SAFETY: on Windows the environment is guarded by the system, whatever other threads read of it.
    unsafe { std::env::set_var(name, value) };
}

/// Lets go of the console, which is closed with its last process. What stood for its input and output leads nowhere then, or
/// to something else: nobody is to inherit that.
pub(in crate::host) fn leave_console() {
    // SAFETY: both only concern this process; without a console the first fails, and nothing has to be done.
    unsafe {
        if FreeConsole() == 0 {
            return;
        }
        for which in [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE] {
            SetStdHandle(which, null_mut());
        }
    }
}
