//! Accounts: identifiers of many parts, for which one number stands where the other systems have one. An administrator who
//! has asked for his rights, and the system itself, have the number 0, and nobody else has.

use std::collections::BTreeMap;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr::{null, null_mut};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use windows_sys::Win32::Foundation::{ERROR_NONE_MAPPED, ERROR_SUCCESS, LocalFree};
use windows_sys::Win32::Security::Authorization::ConvertStringSidToSidW;
use windows_sys::Win32::Security::{
    CheckTokenMembership, GetLengthSid, GetTokenInformation, LookupAccountNameW, LookupAccountSidW, PSID,
    TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_LOCAL_MACHINE, KEY_READ, RRF_RT_REG_SZ, RegCloseKey, RegEnumKeyExW, RegGetValueW,
    RegOpenKeyExW,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::Errno;
use super::name::terminated;
use crate::model::owner::Owner;

/// Where the system keeps the folders of those who have logged in.
const PROFILES: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";
/// The identifiers that stand for the host itself: the system, its administrators, its installer.
const HOSTS: [&str; 3] =
    ["S-1-5-18", "S-1-5-32-544", "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"];
/// And two that stand for whoever owns a thing.
const OWNERS: [&str; 2] = ["S-1-3-0", "S-1-3-4"];

/// The identifier of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::host) struct Sid(Vec<u8>);

impl Sid {
    /// Copies one of the system's.
    ///
    /// # Safety
    /// It has to point to an identifier.
    pub(super) unsafe fn copy(sid: PSID) -> Self {
        // SAFETY: who calls vouches for what it points to, and its length is its own.
        unsafe {
            let length = GetLengthSid(sid) as usize;
            Self(std::slice::from_raw_parts(sid.cast::<u8>(), length).to_vec())
        }
    }

    /// For a call that wants it; none writes to it.
    pub(super) fn pointer(&self) -> PSID {
        self.0.as_ptr().cast_mut().cast()
    }

    fn parts(&self) -> impl Iterator<Item = u32> + '_ {
        let parts = self.0.get(8..).unwrap_or_default().chunks_exact(4);
        parts.map(|part| u32::from_le_bytes([part[0], part[1], part[2], part[3]]))
    }

    /// As it is written.
    pub(super) fn text(&self) -> String {
        let authority = self.0.get(2..8).unwrap_or_default();
        let authority = authority.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let start = format!("S-{}-{authority}", self.0.first().copied().unwrap_or(1));
        self.parts().fold(start, |text, part| format!("{text}-{part}"))
    }

    /// The number that stands for an account that is not the host's: never 0, which is the host's, and never the highest,
    /// which is nobody's. All its parts are folded in (FNV-1a), because accounts of two domains may end in the same one.
    fn folded(&self) -> u32 {
        let folded = self
            .0
            .iter()
            .fold(0x811C_9DC5_u32, |folded, byte| (folded ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
        folded.clamp(1, u32::MAX - 1)
    }

    /// Whether it stands for the host, or for whoever owns a thing: for nobody else.
    pub(super) fn is_hosts(&self) -> bool {
        let text = self.text();
        HOSTS.contains(&text.as_str()) || OWNERS.contains(&text.as_str())
    }
}

/// The account that runs this process.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) sid: Sid,
    is_administrator: bool,
}

/// Who runs this process. It stays the same for as long as it lives.
pub(super) fn own() -> Result<&'static Own, Errno> {
    static OWN: OnceLock<Result<Own, Errno>> = OnceLock::new();
    OWN.get_or_init(look).as_ref().map_err(|errno| *errno)
}

fn look() -> Result<Own, Errno> {
    let mut token = null_mut();
    // SAFETY: what is written is a handle, which is ours.
    let token = unsafe {
        if OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) == 0 {
            return Err(Errno::last());
        }
        OwnedHandle::from_raw_handle(token)
    };
    let mut user = [0_u64; 32];
    let mut length = 0;
    // SAFETY: the handle is open, and both places are as long as is said. What is written first is a structure with a
    // pointer to an identifier behind it, in the same place.
    unsafe {
        let most = u32::try_from(size_of_val(&user)).unwrap_or_default();
        let handle = token.as_raw_handle();
        if GetTokenInformation(handle, TokenUser, user.as_mut_ptr().cast(), most, &raw mut length) == 0 {
            return Err(Errno::last());
        }
        let sid = Sid::copy((*user.as_ptr().cast::<TOKEN_USER>()).User.Sid);
        Ok(Own { sid, is_administrator: is_administrator() })
    }
}

/// Whether this process has the rights of the administrators' group. Whoever belongs to it and has not asked for them has
/// not, and the accounts of services, whose rights are many, do not belong to it: so it is not the token's elevation that
/// says this.
fn is_administrator() -> bool {
    let Some(administrators) = parse(HOSTS[1]) else { return false };
    let mut is_member = 0;
    // SAFETY: no token means this thread's own; the identifier lives until the call is over, and a number is written.
    let known = unsafe { CheckTokenMembership(null_mut(), administrators.pointer(), &raw mut is_member) };
    known != 0 && is_member != 0
}

/// The number of the account that runs this process: 0 where it has the rights of an administrator or of the system.
#[must_use]
pub fn user_number() -> u32 {
    match own() {
        Ok(own) if own.is_administrator || own.sid.is_hosts() => 0,
        Ok(own) => own.sid.folded(),
        Err(_) => u32::MAX,
    }
}

/// The number by which an account is known.
pub(super) fn number_of(sid: &Sid) -> u32 {
    match own() {
        Ok(own) if own.sid == *sid => user_number(),
        _ if sid.is_hosts() => 0,
        _ => {
            let number = sid.folded();
            met().insert(number, sid.clone());
            number
        }
    }
}

/// The accounts that this process has met by their numbers, which lead back to nobody by themselves.
fn met() -> MutexGuard<'static, BTreeMap<u32, Sid>> {
    static MET: Mutex<BTreeMap<u32, Sid>> = Mutex::new(BTreeMap::new());
    MET.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An identifier from its text.
pub(super) fn sid_of(text: &str) -> Result<Sid, Errno> {
    let text = terminated(text);
    let mut sid: PSID = null_mut();
    // SAFETY: the text ends with a zero; what is written is an identifier, which is ours to free, and is copied before.
    unsafe {
        if ConvertStringSidToSidW(text.as_ptr(), &raw mut sid) == 0 {
            return Err(Errno::last());
        }
        let copied = Sid::copy(sid);
        LocalFree(sid);
        Ok(copied)
    }
}

/// The identifier of an account of this name.
pub(super) fn sid_named(name: &str) -> Result<Sid, Errno> {
    let name = terminated(name);
    let mut sid = [0_u64; 16];
    let mut domain = [0_u16; 512];
    let mut length = u32::try_from(size_of_val(&sid)).unwrap_or_default();
    let mut domain_length = u32::try_from(domain.len()).unwrap_or_default();
    let mut kind = 0;
    // SAFETY: the name ends with a zero, and each place is as long as is said.
    unsafe {
        let found = LookupAccountNameW(
            null(),
            name.as_ptr(),
            sid.as_mut_ptr().cast(),
            &raw mut length,
            domain.as_mut_ptr(),
            &raw mut domain_length,
            &raw mut kind,
        );
        if found == 0 {
            return Err(Errno::last());
        }
        Ok(Sid::copy(sid.as_mut_ptr().cast()))
    }
}

fn name_of(sid: &Sid) -> Result<String, Errno> {
    let (mut name, mut domain) = ([0_u16; 512], [0_u16; 512]);
    let (mut length, mut domain_length) = (512, 512);
    let mut kind = 0;
    // SAFETY: it is an identifier, and each place is as long as is said.
    let found = unsafe {
        LookupAccountSidW(
            null(),
            sid.pointer(),
            name.as_mut_ptr(),
            &raw mut length,
            domain.as_mut_ptr(),
            &raw mut domain_length,
            &raw mut kind,
        )
    };
    if found == 0 {
        return Err(Errno::last());
    }
    Ok(String::from_utf16_lossy(name.get(..length as usize).unwrap_or_default()))
}

fn found(sid: &Sid, name: String) -> Owner {
    let number = number_of(sid);
    Owner { name, uid: number, gid: number }
}

fn known(answer: Result<Owner, Errno>) -> Result<Option<Owner>, Errno> {
    match answer {
        Ok(owner) => Ok(Some(owner)),
        Err(errno) if errno == Errno::of(ERROR_NONE_MAPPED) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// The account that runs this process, by its name.
pub fn own_account() -> Result<Owner, Errno> {
    let sid = &own()?.sid;
    Ok(found(sid, name_of(sid)?))
}

/// The account of a name.
pub fn account_named(name: &str) -> Result<Option<Owner>, Errno> {
    known(sid_named(name).map(|sid| found(&sid, name.to_owned())))
}

/// The account of a number: among those that this process has met, and those that have logged in before.
pub fn account_numbered(number: u32) -> Result<Option<Owner>, Errno> {
    if number == user_number() {
        return own_account().map(Some);
    }
    if number == 0 {
        // By its number: its name is another one in each language.
        let system = sid_of(HOSTS[0])?;
        return known(name_of(&system).map(|name| found(&system, name)));
    }
    let met = met().get(&number).cloned();
    if let Some(sid) = met {
        return known(name_of(&sid).map(|name| found(&sid, name)));
    }
    Ok(accounts().into_iter().find(|owner| owner.uid == number))
}

/// The folder of an account that has logged in before.
#[must_use]
pub fn profile(name: &str) -> Option<String> {
    let sid = sid_named(name).ok()?;
    let key = terminated(&format!(r"{PROFILES}\{}", sid.text()));
    let value = terminated("ProfileImagePath");
    let mut text = vec![0_u16; 32 << 10];
    let mut length = u32::try_from(text.len() * 2).ok()?;
    // SAFETY: both names end with a zero, and the place is as long as is said. The kind allows variables, which are
    // filled in.
    let answer = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            value.as_ptr(),
            RRF_RT_REG_SZ,
            null_mut(),
            text.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if answer != ERROR_SUCCESS {
        return None;
    }
    let text = text.get(..length as usize / 2)?;
    Some(String::from_utf16_lossy(text).trim_end_matches('\0').to_owned())
}

/// The accounts that have logged in before.
#[must_use]
pub fn accounts() -> Vec<Owner> {
    let key = terminated(PROFILES);
    let mut opened: HKEY = null_mut();
    // SAFETY: the name ends with a zero, and what is written is a key, which is closed below.
    if unsafe { RegOpenKeyExW(HKEY_LOCAL_MACHINE, key.as_ptr(), 0, KEY_READ, &raw mut opened) }
        != ERROR_SUCCESS
    {
        return own_account().into_iter().collect();
    }
    let mut listed = Vec::new();
    for index in 0.. {
        let mut name = [0_u16; 256];
        let mut length = 256;
        // SAFETY: the key is open, and the place is as long as is said.
        let answer = unsafe {
            RegEnumKeyExW(
                opened,
                index,
                name.as_mut_ptr(),
                &raw mut length,
                null(),
                null_mut(),
                null_mut(),
                null_mut(),
            )
        };
        if answer != ERROR_SUCCESS {
            break;
        }
        let text = String::from_utf16_lossy(name.get(..length as usize).unwrap_or_default());
        listed.extend(parse(&text).and_then(|sid| Some(found(&sid, name_of(&sid).ok()?))));
    }
    // SAFETY: the key is open, and nobody uses it from here on.
    unsafe { RegCloseKey(opened) };
    listed
}

/// An identifier from its text.
pub(super) fn parse(text: &str) -> Option<Sid> {
    let mut parts = text.strip_prefix("S-1-")?.split('-');
    let authority: u64 = parts.next()?.parse().ok()?;
    let numbers = parts.map(str::parse).collect::<Result<Vec<u32>, _>>().ok()?;
    let count = u8::try_from(numbers.len()).ok().filter(|count| *count <= 15)?;
    let mut bytes = vec![1, count];
    bytes.extend(authority.to_be_bytes().get(2..)?);
    bytes.extend(numbers.into_iter().flat_map(u32::to_le_bytes));
    Some(Sid(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_read_and_written() {
        for text in ["S-1-5-18", "S-1-5-32-544", "S-1-5-21-1-2-3-1001"] {
            assert_eq!(parse(text).unwrap().text(), text);
        }
        assert!(parse("S-1-5-18").unwrap().is_hosts() && !parse("S-1-5-19").unwrap().is_hosts());
        assert_eq!(parse("S-1-5-x"), None);
    }

    #[test]
    fn only_the_host_has_the_number_0() {
        let number = |text: &str| number_of(&parse(text).unwrap());
        for hosts in HOSTS {
            assert_eq!(number(hosts), 0, "{hosts}");
        }
        // Everybody, all services, and who is logged on: their last part is 0.
        for others in ["S-1-1-0", "S-1-5-80-0", "S-1-2-0", "S-1-5-19", "S-1-5-20", "S-1-5-32-545"] {
            assert_ne!(number(others), 0, "{others}");
        }
        // Two persons of two domains, whose last parts are the same.
        assert_ne!(number("S-1-5-21-1-2-3-1104"), number("S-1-5-21-4-5-6-1104"));
        assert_ne!(number("S-1-5-21-1-2-3-1104"), number("S-1-5-21-1-2-3-1105"));
    }

    #[test]
    fn the_system_has_a_name_in_every_language() {
        assert_eq!(account_numbered(0).unwrap().unwrap().uid, 0);
    }

    #[test]
    fn this_account_has_a_name_and_a_number() {
        let own = own_account().unwrap();
        assert!(!own.name.is_empty());
        assert_eq!(own.uid, user_number());
        assert_eq!(account_numbered(own.uid).unwrap().unwrap(), own);
    }
}
