//! What stands in the service control manager's database of a service beside what it was created with.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::System::Services::{
    ChangeServiceConfig2W, ChangeServiceConfigW, SC_ACTION, SC_ACTION_RESTART,
    SERVICE_CONFIG_DELAYED_AUTO_START_INFO, SERVICE_CONFIG_DESCRIPTION, SERVICE_CONFIG_FAILURE_ACTIONS,
    SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, SERVICE_CONFIG_PRESHUTDOWN_INFO, SERVICE_DELAYED_AUTO_START_INFO,
    SERVICE_DESCRIPTIONW, SERVICE_ERROR_NORMAL, SERVICE_FAILURE_ACTIONS_FLAG, SERVICE_FAILURE_ACTIONSW,
    SERVICE_PRESHUTDOWN_INFO, SERVICE_WIN32_OWN_PROCESS,
};

use super::service::{Code, Service, start_type};
use super::wide::wide;
use crate::model::duration::Span;
use crate::platform::windows::answer::NO_SUCH_LEVEL;
use crate::platform::windows::{Registration, Start};

impl Service {
    /// Brings what was created, or was there before, to what is wanted. The account is named only where it is another
    /// one, or its password is given, since the manager forgets the password with the name.
    pub(in crate::host) fn change(
        &self,
        wanted: &Registration,
        kept: &Registration,
        password: Option<&str>,
    ) -> Result<(), Code> {
        let (display, line) = (wide(&wanted.display_name), wide(&wanted.command_line));
        let account =
            (kept.account != wanted.account || password.is_some()).then(|| wide(&wanted.account.to_string()));
        let password = password.map(wide);
        // SAFETY: all texts end with a NUL and live until the call is over; null leaves what is there.
        done(unsafe {
            ChangeServiceConfigW(
                self.0.raw(),
                SERVICE_WIN32_OWN_PROCESS,
                start_type(wanted.start),
                SERVICE_ERROR_NORMAL,
                line.as_ptr(),
                null(),
                null_mut(),
                null(),
                account.as_ref().map_or(null(), Vec::as_ptr),
                password.as_ref().map_or(null(), Vec::as_ptr),
                display.as_ptr(),
            )
        })
    }

    /// Writes what is not part of its creation: description, delay, recovery, patience at a shutdown.
    pub(in crate::host) fn describe(&self, wanted: &Registration) -> Result<(), Code> {
        let mut text = wide(&wanted.description);
        let description = SERVICE_DESCRIPTIONW { lpDescription: text.as_mut_ptr() };
        self.set_further(SERVICE_CONFIG_DESCRIPTION, &description)?;
        let mut actions: Vec<SC_ACTION> = wanted
            .recovery
            .iter()
            .flatten()
            .map(|pause| SC_ACTION {
                Type: SC_ACTION_RESTART,
                Delay: u32::try_from(*pause).unwrap_or(u32::MAX),
            })
            .collect();
        let recovery = SERVICE_FAILURE_ACTIONSW {
            dwResetPeriod: u32::try_from(wanted.recovery_reset.map_or(0, |reset| reset.duration().as_secs()))
                .unwrap_or(u32::MAX),
            lpRebootMsg: null_mut(),
            lpCommand: null_mut(),
            cActions: u32::try_from(actions.len()).unwrap_or_default(),
            lpsaActions: actions.as_mut_ptr(),
        };
        self.set_further(SERVICE_CONFIG_FAILURE_ACTIONS, &recovery)?;
        // A final ending ends the service without an error and is no failure; only a death of the supervisor is.
        let flag = SERVICE_FAILURE_ACTIONS_FLAG { fFailureActionsOnNonCrashFailures: 0 };
        self.set_further(SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &flag)?;
        if let Some(patience) = wanted.preshutdown {
            let preshutdown = SERVICE_PRESHUTDOWN_INFO { dwPreshutdownTimeout: milliseconds(patience) };
            self.set_further(SERVICE_CONFIG_PRESHUTDOWN_INFO, &preshutdown)?;
        }
        if wanted.start.is_at_boot() {
            let delayed = i32::from(wanted.start == Start::Delayed);
            let delay = SERVICE_DELAYED_AUTO_START_INFO { fDelayedAutostart: delayed };
            self.set_further(SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &delay)?;
        }
        Ok(())
    }

    /// The pauses before it is started again, in milliseconds, and after how long they begin anew.
    pub(super) fn recovery(&self) -> Option<(Vec<u64>, Span)> {
        let buffer = self.further(SERVICE_CONFIG_FAILURE_ACTIONS)?;
        // SAFETY: the manager has written the structure at the buffer's beginning.
        let kept = unsafe { &*buffer.as_ptr().cast::<SERVICE_FAILURE_ACTIONSW>() };
        let count = usize::try_from(kept.cActions).ok()?;
        let actions = if kept.lpsaActions.is_null() {
            &[]
        } else {
            // SAFETY: so many actions stand behind the structure, in the same buffer.
            unsafe { std::slice::from_raw_parts(kept.lpsaActions, count) }
        };
        let restarts = actions.iter().filter(|action| action.Type == SC_ACTION_RESTART);
        let pauses = restarts.map(|action| action.Delay.into()).collect();
        Some((pauses, Span::seconds(kept.dwResetPeriod.into())))
    }

    /// How long a shutdown of the host waits for it.
    pub(super) fn preshutdown(&self) -> Option<Span> {
        let buffer = self.further(SERVICE_CONFIG_PRESHUTDOWN_INFO)?;
        // SAFETY: the manager has written the structure at the buffer's beginning.
        let kept = unsafe { &*buffer.as_ptr().cast::<SERVICE_PRESHUTDOWN_INFO>() };
        Some(Span::milliseconds(kept.dwPreshutdownTimeout.into()))
    }

    fn set_further<T>(&self, kind: u32, value: &T) -> Result<(), Code> {
        // SAFETY: each kind is given its own structure, whose pointers live until the call is over.
        let set = done(unsafe {
            ChangeServiceConfig2W(self.0.raw(), kind, std::ptr::from_ref(value).cast::<c_void>())
        });
        // An older system has not all of them, and does without.
        if set == Err(NO_SUCH_LEVEL) { Ok(()) } else { set }
    }
}

fn milliseconds(length: Span) -> u32 {
    u32::try_from(length.duration().as_millis()).unwrap_or(u32::MAX)
}

fn done(success: i32) -> Result<(), Code> {
    // SAFETY: it only reads a number of this thread.
    if success == 0 { Err(unsafe { GetLastError() }) } else { Ok(()) }
}
