//! The service control manager's own calls: its database, and the state of a service. An error is the system's number.
//!
//! Called directly: the crate for services releases its control handler with the first stop, though the manager may ask
//! such a service again, and it leaves out the quotes of a program, the description's reading and the list of services.
#![allow(unsafe_code)]

use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, ERROR_MORE_DATA, GetLastError};
use windows_sys::Win32::System::Services::{
    CloseServiceHandle, ControlService, CreateServiceW, DeleteService, ENUM_SERVICE_STATUS_PROCESSW,
    EnumServicesStatusExW, OpenSCManagerW, OpenServiceW, QUERY_SERVICE_CONFIGW, QueryServiceConfig2W,
    QueryServiceConfigW, QueryServiceStatusEx, SC_ENUM_PROCESS_INFO, SC_HANDLE, SC_STATUS_PROCESS_INFO,
    SERVICE_AUTO_START, SERVICE_BOOT_START, SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
    SERVICE_CONFIG_DESCRIPTION, SERVICE_DELAYED_AUTO_START_INFO, SERVICE_DEMAND_START, SERVICE_DESCRIPTIONW,
    SERVICE_DISABLED, SERVICE_ERROR_NORMAL, SERVICE_STATE_ALL, SERVICE_STATUS, SERVICE_STATUS_PROCESS,
    SERVICE_SYSTEM_START, SERVICE_WIN32, SERVICE_WIN32_OWN_PROCESS, StartServiceW,
};

use super::wide::{from_wide, wide};
use crate::model::name::InstanceName;
use crate::platform::windows::answer::{Standing, State};
use crate::platform::windows::{Account, Registration, Start};

/// The error of a call, as the system numbers it.
pub(in crate::host) type Code = u32;

/// What is to be done with the manager or a service: the rights that a handle is opened with.
pub(in crate::host) mod access {
    pub(in crate::host) use windows_sys::Win32::Storage::FileSystem::DELETE;
    pub(in crate::host) use windows_sys::Win32::System::Services::{
        SC_MANAGER_CONNECT, SC_MANAGER_CREATE_SERVICE, SC_MANAGER_ENUMERATE_SERVICE, SERVICE_CHANGE_CONFIG,
        SERVICE_QUERY_CONFIG, SERVICE_QUERY_STATUS, SERVICE_START, SERVICE_STOP,
    };
}

/// A handle of the manager's, closed in the end.
struct Handle(SC_HANDLE);

impl Handle {
    fn of(handle: SC_HANDLE) -> Result<Self, Code> {
        if handle.is_null() { Err(last()) } else { Ok(Self(handle)) }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nobody has it but this value.
        unsafe { CloseServiceHandle(self.0) };
    }
}

fn last() -> Code {
    // SAFETY: it only reads a number of this thread.
    unsafe { GetLastError() }
}

fn done(success: i32) -> Result<(), Code> {
    if success == 0 { Err(last()) } else { Ok(()) }
}

/// The manager of this host.
pub(in crate::host) struct ServiceManager(Handle);

/// A service in its database.
pub(in crate::host) struct Service(pub(super) ServiceHandle);

/// What is open of a service.
pub(super) struct ServiceHandle(Handle);

impl ServiceHandle {
    pub(super) fn raw(&self) -> SC_HANDLE {
        self.0.0
    }
}

impl ServiceManager {
    /// Opens the manager with these rights.
    pub(in crate::host) fn open(rights: u32) -> Result<Self, Code> {
        // SAFETY: null names this host and its active database.
        Handle::of(unsafe { OpenSCManagerW(null(), null(), rights) }).map(Self)
    }

    /// Opens a service with these rights.
    pub(in crate::host) fn service(&self, name: &str, rights: u32) -> Result<Service, Code> {
        let name = wide(name);
        // SAFETY: the manager is open, and the name ends with a NUL.
        let handle = Handle::of(unsafe { OpenServiceW(self.0.0, name.as_ptr(), rights) })?;
        Ok(Service(ServiceHandle(handle)))
    }

    /// Makes a service, which nobody has made before. What more is known of it is written by [`Service::describe`].
    pub(in crate::host) fn create(
        &self,
        wanted: &Registration,
        password: Option<&str>,
        rights: u32,
    ) -> Result<Service, Code> {
        let (name, display) = (wide(&wanted.name), wide(&wanted.display_name));
        let (line, account) = (wide(&wanted.command_line), wide(&wanted.account.to_string()));
        let password = password.map(wide);
        // SAFETY: all texts end with a NUL and live until the call is over; null stands for what there is not.
        let handle = Handle::of(unsafe {
            CreateServiceW(
                self.0.0,
                name.as_ptr(),
                display.as_ptr(),
                rights,
                SERVICE_WIN32_OWN_PROCESS,
                start_type(wanted.start),
                SERVICE_ERROR_NORMAL,
                line.as_ptr(),
                null(),
                null_mut(),
                null(),
                account.as_ptr(),
                password.as_ref().map_or(null(), Vec::as_ptr),
            )
        })?;
        Ok(Service(ServiceHandle(handle)))
    }

    /// The names of all services of the host.
    pub(in crate::host) fn names(&self) -> Result<Vec<String>, Code> {
        let mut names = Vec::new();
        let mut resume = 0;
        // The most that the call takes at once (`EnumServicesStatusEx`).
        let mut buffer = vec![0_u64; 32 * 1024];
        loop {
            let (mut needed, mut count) = (0, 0);
            // SAFETY: the buffer has the length that is said, and the structures in it end where it does.
            let success = unsafe {
                EnumServicesStatusExW(
                    self.0.0,
                    SC_ENUM_PROCESS_INFO,
                    SERVICE_WIN32,
                    SERVICE_STATE_ALL,
                    buffer.as_mut_ptr().cast(),
                    size(&buffer),
                    &raw mut needed,
                    &raw mut count,
                    &raw mut resume,
                    null(),
                )
            };
            let more = match done(success) {
                Ok(()) => false,
                Err(ERROR_MORE_DATA) => true,
                Err(code) => return Err(code),
            };
            // SAFETY: the manager has written so many structures, which point into the same buffer.
            let services = unsafe {
                std::slice::from_raw_parts(
                    buffer.as_ptr().cast::<ENUM_SERVICE_STATUS_PROCESSW>(),
                    usize::try_from(count).unwrap_or_default(),
                )
            };
            // SAFETY: the names end with a NUL, within the buffer.
            names.extend(services.iter().map(|service| unsafe { from_wide(service.lpServiceName) }));
            if !more || count == 0 {
                return Ok(names);
            }
        }
    }
}

impl Service {
    fn raw(&self) -> SC_HANDLE {
        self.0.raw()
    }

    /// How it stands.
    pub(in crate::host) fn standing(&self) -> Result<Standing, Code> {
        let mut status = SERVICE_STATUS_PROCESS::default();
        let mut needed = 0;
        let length = u32::try_from(size_of::<SERVICE_STATUS_PROCESS>()).unwrap_or_default();
        // SAFETY: the structure is the one that this question is answered with, and its length is said.
        done(unsafe {
            QueryServiceStatusEx(
                self.raw(),
                SC_STATUS_PROCESS_INFO,
                (&raw mut status).cast(),
                length,
                &raw mut needed,
            )
        })?;
        Ok(Standing {
            state: State::of(status.dwCurrentState).unwrap_or(State::Stopped),
            pid: (status.dwProcessId != 0).then_some(status.dwProcessId),
            exit_code: status.dwWin32ExitCode,
            own_code: status.dwServiceSpecificExitCode,
            checkpoint: status.dwCheckPoint,
            wait_hint: status.dwWaitHint,
        })
    }

    /// What the manager keeps of it. What this process may not ask is as it usually is.
    pub(in crate::host) fn registration(&self, name: &str) -> Result<Registration, Code> {
        let mut needed = 0;
        let mut buffer = vec![0_u64; 1024];
        let config = loop {
            // SAFETY: the buffer is aligned for the structure, and its length is said.
            let success = unsafe {
                QueryServiceConfigW(self.raw(), buffer.as_mut_ptr().cast(), size(&buffer), &raw mut needed)
            };
            match done(success) {
                // SAFETY: the manager has written the structure at the buffer's beginning.
                Ok(()) => break unsafe { &*buffer.as_ptr().cast::<QUERY_SERVICE_CONFIGW>() },
                Err(ERROR_INSUFFICIENT_BUFFER) if size(&buffer) < needed => {
                    buffer = vec![0; usize::try_from(needed).unwrap_or_default() / 8 + 1];
                }
                Err(code) => return Err(code),
            }
        };
        // SAFETY: the texts end with a NUL, within the buffer, which lives until the end.
        let text = |text| unsafe { from_wide(text) };
        let account = text(config.lpServiceStartName);
        let account = name
            .parse::<InstanceName>()
            .ok()
            .and_then(|instance| Account::of(&account, &instance).ok())
            .unwrap_or(Account::User(account));
        let start = match config.dwStartType {
            SERVICE_AUTO_START if self.is_delayed() => Start::Delayed,
            SERVICE_AUTO_START | SERVICE_BOOT_START | SERVICE_SYSTEM_START => Start::Automatic,
            SERVICE_DISABLED => Start::Disabled,
            _ => Start::Demand,
        };
        Ok(Registration {
            name: name.to_owned(),
            display_name: text(config.lpDisplayName),
            description: self.description().unwrap_or_default(),
            command_line: text(config.lpBinaryPathName),
            account,
            start,
            recovery: self.recovery().map(|(pauses, _)| pauses),
            recovery_reset: self.recovery().map(|(_, reset)| reset),
            preshutdown: self.preshutdown(),
        })
    }

    /// Whether it waits for those that the host needs itself, as ours do: also where the system can't say.
    fn is_delayed(&self) -> bool {
        self.further(SERVICE_CONFIG_DELAYED_AUTO_START_INFO).is_none_or(|buffer| {
            // SAFETY: the manager has written the structure at the buffer's beginning.
            unsafe { (*buffer.as_ptr().cast::<SERVICE_DELAYED_AUTO_START_INFO>()).fDelayedAutostart != 0 }
        })
    }

    /// Its description.
    pub(in crate::host) fn description(&self) -> Option<String> {
        let buffer = self.further(SERVICE_CONFIG_DESCRIPTION)?;
        // SAFETY: the manager has written the structure at the buffer's beginning, and its text ends within the buffer.
        let text = unsafe { from_wide((*buffer.as_ptr().cast::<SERVICE_DESCRIPTIONW>()).lpDescription) };
        Some(text)
    }

    /// What more there is to know, as the manager writes it down; at least one structure.
    pub(super) fn further(&self, kind: u32) -> Option<Vec<u64>> {
        let mut buffer = vec![0_u64; 1024];
        loop {
            let mut needed = 0;
            // SAFETY: the buffer is aligned for all structures of this call, and its length is said.
            let success = unsafe {
                QueryServiceConfig2W(
                    self.raw(),
                    kind,
                    buffer.as_mut_ptr().cast(),
                    size(&buffer),
                    &raw mut needed,
                )
            };
            match done(success) {
                Ok(()) => return Some(buffer),
                Err(ERROR_INSUFFICIENT_BUFFER) if size(&buffer) < needed => {
                    buffer = vec![0; usize::try_from(needed).ok()? / 8 + 1];
                }
                Err(_) => return None,
            }
        }
    }

    /// Starts it; the manager answers as soon as its process is there.
    pub(in crate::host) fn start(&self) -> Result<(), Code> {
        // SAFETY: no arguments are handed over.
        done(unsafe { StartServiceW(self.raw(), 0, null()) })
    }

    /// Asks it for something: a number of the system's, or one of ours from 128 on.
    pub(in crate::host) fn control(&self, control: u32) -> Result<(), Code> {
        let mut status = SERVICE_STATUS::default();
        // SAFETY: the structure is the one that this call fills.
        done(unsafe { ControlService(self.raw(), control, &raw mut status) })
    }

    /// Deletes it; it goes when nobody holds it any more.
    pub(in crate::host) fn delete(&self) -> Result<(), Code> {
        // SAFETY: the handle is open.
        done(unsafe { DeleteService(self.raw()) })
    }
}

/// The number of a start type. What is delayed is said besides.
pub(super) fn start_type(start: Start) -> u32 {
    match start {
        Start::Delayed | Start::Automatic => SERVICE_AUTO_START,
        Start::Demand => SERVICE_DEMAND_START,
        Start::Disabled => SERVICE_DISABLED,
    }
}

/// The length of a buffer in bytes.
fn size(buffer: &[u64]) -> u32 {
    u32::try_from(size_of_val(buffer)).unwrap_or(u32::MAX)
}
