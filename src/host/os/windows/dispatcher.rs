//! A process that the service control manager has started: its thread, the manager's requests, and what the manager is
//! told.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use windows_sys::Win32::Foundation::{
    ERROR_CALL_NOT_IMPLEMENTED, ERROR_SERVICE_SPECIFIC_ERROR, GetLastError, NO_ERROR,
};
use windows_sys::Win32::System::Services::{
    RegisterServiceCtrlHandlerExW, SERVICE_ACCEPT_PRESHUTDOWN, SERVICE_ACCEPT_SHUTDOWN, SERVICE_ACCEPT_STOP,
    SERVICE_CONTROL_INTERROGATE, SERVICE_CONTROL_PRESHUTDOWN, SERVICE_CONTROL_SHUTDOWN, SERVICE_CONTROL_STOP,
    SERVICE_RUNNING, SERVICE_START_PENDING, SERVICE_STATUS, SERVICE_STATUS_HANDLE, SERVICE_STOP_PENDING,
    SERVICE_STOPPED, SERVICE_TABLE_ENTRYW, SERVICE_WIN32_OWN_PROCESS, SetServiceStatus,
    StartServiceCtrlDispatcherW,
};

use super::process::end_own;
use super::service::Code;
use super::wide::wide;

/// What the manager asks of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum Request {
    /// To stop: somebody has asked for it, or the host shuts down.
    Stop,
}

/// What a service tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum Word {
    /// It is on its way up, and so far.
    Starting,
    /// It is up.
    Running,
    /// It is on its way down, and so far.
    Stopping,
    /// It is down.
    Stopped,
    /// It is down, because it can't be up.
    Broken,
}

type Main = Box<dyn FnOnce() + Send>;
type Hear = Box<dyn FnMut(Request) + Send>;

/// The one service of this process.
struct Own {
    name: Vec<u16>,
    main: Option<Main>,
    hear: Option<Hear>,
    handle: usize,
    status: SERVICE_STATUS,
}

static OWN: Mutex<Option<Own>> = Mutex::new(None);

fn own() -> MutexGuard<'static, Option<Own>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Becomes the service that the manager has started this process for, runs `main` on a thread of the manager's, and
/// returns when it is over. Fails at once, with `ERROR_FAILED_SERVICE_CONTROLLER_CONNECT`, where somebody else has started
/// the process. `hear` is called from another thread.
pub(in crate::host) fn dispatch(name: &str, main: Main, hear: Hear) -> Result<(), Code> {
    let mut name = wide(name);
    *own() = Some(Own {
        name: name.clone(),
        main: Some(main),
        hear: Some(hear),
        handle: 0,
        status: SERVICE_STATUS { dwServiceType: SERVICE_WIN32_OWN_PROCESS, ..SERVICE_STATUS::default() },
    });
    let table = [
        SERVICE_TABLE_ENTRYW { lpServiceName: name.as_mut_ptr(), lpServiceProc: Some(service_main) },
        SERVICE_TABLE_ENTRYW { lpServiceName: null_mut(), lpServiceProc: None },
    ];
    // SAFETY: the table ends with an empty entry and lives until the call is over.
    if unsafe { StartServiceCtrlDispatcherW(table.as_ptr()) } == 0 {
        // SAFETY: it only reads a number of this thread.
        return Err(unsafe { GetLastError() });
    }
    Ok(())
}

extern "system" fn service_main(_: u32, _: *mut *mut u16) {
    let (name, main) = {
        let mut own = own();
        let Some(own) = own.as_mut() else { return };
        (own.name.clone(), own.main.take())
    };
    // SAFETY: the name ends with a NUL; the handler is a function of this program and needs no context.
    let handle = unsafe { RegisterServiceCtrlHandlerExW(name.as_ptr(), Some(handler), null()) };
    if let Some(own) = own().as_mut() {
        own.handle = handle.expose_provenance();
    }
    tell(Word::Starting, 0);
    if let Some(main) = main {
        main();
    }
    // What ends without a last word is a death. The dispatcher would wait for that word for ever.
    let is_down = own().as_ref().is_some_and(|own| own.status.dwCurrentState == SERVICE_STOPPED);
    if !is_down {
        end_own(1);
    }
}

unsafe extern "system" fn handler(control: u32, _: u32, _: *mut c_void, _: *mut c_void) -> u32 {
    match control {
        SERVICE_CONTROL_INTERROGATE => NO_ERROR,
        SERVICE_CONTROL_STOP | SERVICE_CONTROL_SHUTDOWN | SERVICE_CONTROL_PRESHUTDOWN => {
            tell(Word::Stopping, 0);
            // Taken out while it is called: what it does may tell the manager something.
            let hear = own().as_mut().and_then(|own| own.hear.take());
            if let Some(mut hear) = hear {
                hear(Request::Stop);
                if let Some(own) = own().as_mut() {
                    own.hear = Some(hear);
                }
            }
            NO_ERROR
        }
        _ => ERROR_CALL_NOT_IMPLEMENTED,
    }
}

/// Tells the manager how the service stands. Each word of a way up or down says that it has come further; nothing is
/// told any more after the last. The hint says how long the next word may take, in milliseconds.
pub(in crate::host) fn tell(word: Word, wait_hint: u32) {
    let mut own = own();
    let Some(own) = own.as_mut().filter(|own| own.handle != 0) else { return };
    let (state, accepted) = match word {
        Word::Starting => (SERVICE_START_PENDING, 0),
        Word::Running => {
            (SERVICE_RUNNING, SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_PRESHUTDOWN)
        }
        Word::Stopping => (SERVICE_STOP_PENDING, 0),
        Word::Stopped | Word::Broken => (SERVICE_STOPPED, 0),
    };
    let before = own.status.dwCurrentState;
    // What is on its way down does not come up again, and what is down says nothing more.
    let goes_back =
        before == SERVICE_STOP_PENDING && !matches!(word, Word::Stopping | Word::Stopped | Word::Broken);
    if before == SERVICE_STOPPED || goes_back {
        return;
    }
    let pends = matches!(word, Word::Starting | Word::Stopping);
    own.status.dwCheckPoint =
        if pends && before == state { own.status.dwCheckPoint + 1 } else { u32::from(pends) };
    own.status.dwCurrentState = state;
    own.status.dwControlsAccepted = accepted;
    if word == Word::Broken {
        own.status.dwWin32ExitCode = ERROR_SERVICE_SPECIFIC_ERROR;
        own.status.dwServiceSpecificExitCode = 1;
    }
    own.status.dwWaitHint = if pends { wait_hint } else { 0 };
    let handle: SERVICE_STATUS_HANDLE = std::ptr::with_exposed_provenance_mut(own.handle);
    // SAFETY: the handle is the one that the manager gave for this service; it is never closed.
    unsafe { SetServiceStatus(handle, &raw const own.status) };
}
