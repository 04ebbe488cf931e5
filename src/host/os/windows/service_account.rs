//! What the account of a service needs of the host: the right to log on as a service. What it may write stands in
//! `service_rights`.
#![allow(unsafe_code)]

use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{CloseHandle, GetLastError, HANDLE, LocalFree};
use windows_sys::Win32::Security::Authentication::Identity::{
    LSA_HANDLE, LSA_OBJECT_ATTRIBUTES, LSA_UNICODE_STRING, LsaAddAccountRights, LsaClose,
    LsaNtStatusToWinError, LsaOpenPolicy, POLICY_CREATE_ACCOUNT, POLICY_LOOKUP_NAMES,
};
use windows_sys::Win32::Security::Authorization::ConvertSidToStringSidW;
use windows_sys::Win32::Security::{
    GetTokenInformation, LookupAccountNameW, SID_NAME_USE, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::accounts::Sid;
use super::service::Code;
use super::wide::{from_wide, wide};

/// The right to log on as a service.
const LOGON: &str = "SeServiceLogonRight";

/// The number by which Windows knows an account (SID).
pub(in crate::host) struct AccountNumber(Vec<u64>);

impl AccountNumber {
    pub(in crate::host) fn sid(&self) -> Sid {
        // SAFETY: the system has written an identifier at the beginning.
        unsafe { Sid::copy(self.0.as_ptr().cast_mut().cast()) }
    }
}

/// The number of an account. `.` stands for this host.
pub(in crate::host) fn number_of(account: &str) -> Result<AccountNumber, Code> {
    let host = crate::host::environment::variable("COMPUTERNAME").unwrap_or_default();
    let account = match account.strip_prefix(".\\") {
        Some(name) if !host.is_empty() => format!("{host}\\{name}"),
        _ => account.to_owned(),
    };
    let account = wide(&account);
    let (mut number, mut domain) = (vec![0_u64; 16], vec![0_u16; 512]);
    let mut number_size = u32::try_from(size_of_val(number.as_slice())).unwrap_or_default();
    let mut domain_size = u32::try_from(domain.len()).unwrap_or_default();
    let mut kind: SID_NAME_USE = 0;
    // SAFETY: the name ends with a NUL, and the lengths of both buffers are said; no number is longer than 68 bytes.
    let found = unsafe {
        LookupAccountNameW(
            null(),
            account.as_ptr(),
            number.as_mut_ptr().cast(),
            &raw mut number_size,
            domain.as_mut_ptr(),
            &raw mut domain_size,
            &raw mut kind,
        )
    };
    done(found).map(|()| AccountNumber(number))
}

/// The number of this process's account, as a text.
pub(in crate::host) fn own() -> Result<String, Code> {
    let mut token: HANDLE = null_mut();
    // SAFETY: the handle of this process needs no closing, and the token's is closed below.
    done(unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) })?;
    let mut user = vec![0_u64; 32];
    let mut needed = 0;
    let size = u32::try_from(size_of_val(user.as_slice())).unwrap_or_default();
    // SAFETY: the buffer is aligned for the structure, and its length is said.
    let read = done(unsafe {
        GetTokenInformation(token, TokenUser, user.as_mut_ptr().cast(), size, &raw mut needed)
    });
    // SAFETY: the token is open, and nobody uses it after this.
    unsafe { CloseHandle(token) };
    read?;
    let mut text: *mut u16 = null_mut();
    // SAFETY: the structure stands at the buffer's beginning, and its number lies in the same buffer; the text is
    // allocated by the call and freed after it was read.
    unsafe {
        let number = (*user.as_ptr().cast::<TOKEN_USER>()).User.Sid;
        done(ConvertSidToStringSidW(number, &raw mut text))?;
        let own = from_wide(text);
        LocalFree(text.cast());
        Ok(own)
    }
}

fn done(success: i32) -> Result<(), Code> {
    // SAFETY: it only reads a number of this thread.
    if success == 0 { Err(unsafe { GetLastError() }) } else { Ok(()) }
}

/// Gives an account the right to log on as a service. One that has it keeps it.
pub(in crate::host) fn allow_logon(account: &AccountNumber) -> Result<(), Code> {
    let attributes = LSA_OBJECT_ATTRIBUTES::default();
    let mut policy: LSA_HANDLE = LSA_HANDLE::default();
    let rights = u32::try_from(POLICY_CREATE_ACCOUNT | POLICY_LOOKUP_NAMES).unwrap_or_default();
    // SAFETY: null names this host; attributes and handle live until the call is over.
    status(unsafe { LsaOpenPolicy(null(), &raw const attributes, rights, &raw mut policy) })?;
    let mut name: Vec<u16> = LOGON.encode_utf16().collect();
    let bytes = u16::try_from(name.len() * 2).unwrap_or_default();
    let right = LSA_UNICODE_STRING { Length: bytes, MaximumLength: bytes, Buffer: name.as_mut_ptr() };
    // SAFETY: the policy is open, the account's number is one that the system has written, and the text has the length
    // that is said.
    let added = status(unsafe {
        LsaAddAccountRights(policy, account.0.as_ptr().cast_mut().cast(), &raw const right, 1)
    });
    // SAFETY: the policy is open, and nobody uses it after this.
    unsafe { LsaClose(policy) };
    added
}

fn status(status: i32) -> Result<(), Code> {
    // SAFETY: it only translates a number.
    if status < 0 { Err(unsafe { LsaNtStatusToWinError(status) }) } else { Ok(()) }
}
