//! Who owns a file, who may use it, and how that is said: lists of rights by the identifiers of accounts.

use std::os::windows::io::AsRawHandle as _;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{
    ERROR_INSUFFICIENT_BUFFER, GENERIC_ALL, GENERIC_READ, GENERIC_WRITE, LocalFree,
};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, EXPLICIT_ACCESS_W, GRANT_ACCESS, SDDL_REVISION_1,
    SE_FILE_OBJECT, SetEntriesInAclW, SetSecurityInfo, TRUSTEE_IS_SID, TRUSTEE_IS_UNKNOWN, TRUSTEE_W,
};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACL, ACL_REVISION, CONTAINER_INHERIT_ACE, DACL_SECURITY_INFORMATION, GetAce,
    GetKernelObjectSecurity, GetSecurityDescriptorDacl, GetSecurityDescriptorOwner, INHERIT_ONLY_ACE,
    InitializeAcl, OWNER_SECURITY_INFORMATION, PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR,
    SUB_CONTAINERS_AND_OBJECTS_INHERIT, SetKernelObjectSecurity, UNPROTECTED_DACL_SECURITY_INFORMATION,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_APPEND_DATA, FILE_DELETE_CHILD, FILE_GENERIC_EXECUTE, FILE_GENERIC_READ, FILE_GENERIC_WRITE,
    FILE_READ_DATA, FILE_WRITE_DATA, READ_CONTROL, WRITE_DAC, WRITE_OWNER,
};

use super::accounts::{self, Sid};
use super::flags::{Mode, RawMode};
use super::open::again;
use super::{AsFd as _, BorrowedFd, Errno};
use crate::model::owner::Owner;

/// The kind of an entry that grants something (winnt.h, `ACCESS_ALLOWED_ACE_TYPE`).
const GRANTS: u8 = 0;
/// With these anybody reads what is in a file.
const READING: u32 = FILE_READ_DATA | GENERIC_READ | GENERIC_ALL;
/// With each of these somebody could exchange a file or a folder, or what is in it.
const EXCHANGING: u32 = FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_ALL;
/// With these somebody could change a file. In a folder they add names, and take none away (winnt.h, `FILE_ADD_FILE` and
/// `FILE_ADD_SUBDIRECTORY` are the same bits): everybody may do so at the root of a drive.
const WRITING: u32 = FILE_WRITE_DATA | FILE_APPEND_DATA | GENERIC_WRITE;
/// The bits of a mode for a folder in which others may make names, and exchange none (unlink(2)).
const ADDING: RawMode = 0o1022;
/// What an account gets of a file that is given to it: all but the right to change rights.
const GIVEN: u32 = FILE_GENERIC_READ | FILE_GENERIC_WRITE | FILE_GENERIC_EXECUTE | DELETE;
/// The number of an owner whom nobody may know.
const NOBODY: u32 = u32::MAX;

/// A list of rights, as the system wants it.
pub(super) struct Descriptor {
    pointer: PSECURITY_DESCRIPTOR,
}

impl Descriptor {
    /// From its text (Security Descriptor Definition Language).
    pub(super) fn parse(text: &str) -> Result<Self, Errno> {
        let text = super::name::terminated(text);
        let mut pointer = null_mut();
        // SAFETY: the text ends with a zero; what is written is a pointer that is ours to free.
        let read = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut pointer,
                null_mut(),
            )
        };
        if read == 0 { Err(Errno::last()) } else { Ok(Self { pointer }) }
    }

    /// What a mode says when a file or folder is made; nothing where its folder is to say it.
    pub(super) fn of_mode(mode: Mode, folder: bool) -> Result<Option<Self>, Errno> {
        if is_closed(mode) { Self::private(folder).map(Some) } else { Ok(None) }
    }

    /// What an administrator's folder needs from its beginning where its own folder would let others write in it: they
    /// read. Nothing where it hands down nothing of the kind.
    pub(super) fn closed_to_writers(parent: BorrowedFd<'_>) -> Result<Option<Self>, Errno> {
        if accounts::user_number() != 0 || read(parent).is_some_and(|who| who.heirs & 0o022 == 0) {
            return Ok(None);
        }
        Self::readable(true).map(Some)
    }

    /// For all to read, and for this account, the system and the administrators to write.
    fn readable(folder: bool) -> Result<Self, Errno> {
        let heirs = if folder { "OICI" } else { "" };
        Self::parse(&format!("D:P{}(A;{heirs};0x1200a9;;;BU)", entries(folder)?))
    }

    /// For this account, the system and the administrators alone.
    fn private(folder: bool) -> Result<Self, Errno> {
        Self::parse(&format!("D:P{}", entries(folder)?))
    }

    pub(super) fn pointer(&self) -> PSECURITY_DESCRIPTOR {
        self.pointer
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the pointer came from the call that makes it, and nobody frees it but this.
        unsafe { LocalFree(self.pointer) };
    }
}

/// What an administrator makes is the host's: the same person's programs without his rights may not change it.
fn entries(folder: bool) -> Result<String, Errno> {
    let heirs = if folder { "OICI" } else { "" };
    let own = accounts::own()?.sid.text();
    let who = ["SY", "BA", &own];
    let who = if accounts::user_number() == 0 { &who[..2] } else { &who[..] };
    let entries: Vec<String> = who.iter().map(|who| format!("(A;{heirs};FA;;;{who})")).collect();
    Ok(entries.concat())
}

/// A mode by which others may nothing.
fn is_closed(mode: Mode) -> bool {
    mode.bits().trailing_zeros() >= 3
}

/// Whose a file is, and what others may do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Who {
    /// The owner's number.
    pub(super) owner: u32,
    /// The bits of a mode for all others.
    pub(super) others: RawMode,
    /// The same of what is made in it.
    pub(super) heirs: RawMode,
}

/// Looks at the list of rights of what is open. Where it may not be seen, nobody owns it and others may read.
pub(super) fn who(opened: BorrowedFd<'_>) -> Who {
    read(opened).unwrap_or(Who { owner: NOBODY, others: 0o055, heirs: 0o077 })
}

fn read(opened: BorrowedFd<'_>) -> Option<Who> {
    let wanted = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    // Of 64-bit numbers, because the structures in it want to be aligned.
    let mut buffer = vec![0_u64; 128];
    loop {
        let length = u32::try_from(buffer.len() * 8).ok()?;
        let mut needed = 0;
        // SAFETY: the handle is open, and the buffer is as long as is said.
        let got = unsafe {
            GetKernelObjectSecurity(
                opened.as_raw_handle(),
                wanted,
                buffer.as_mut_ptr().cast(),
                length,
                &raw mut needed,
            )
        };
        if got != 0 {
            break;
        }
        if Errno::last() != Errno::of(ERROR_INSUFFICIENT_BUFFER) || needed <= length {
            return None;
        }
        buffer.resize(needed as usize / 8 + 1, 0);
    }
    let descriptor: PSECURITY_DESCRIPTOR = buffer.as_mut_ptr().cast();
    let (mut owner, mut defaulted, mut present, mut list) = (null_mut(), 0, 0, null_mut::<ACL>());
    // SAFETY: the kernel wrote a descriptor into the buffer, which lives to the end; what is written are pointers into it.
    let read = unsafe {
        GetSecurityDescriptorOwner(descriptor, &raw mut owner, &raw mut defaulted) != 0
            && GetSecurityDescriptorDacl(descriptor, &raw mut present, &raw mut list, &raw mut defaulted) != 0
    };
    if !read || owner.is_null() {
        return None;
    }
    // SAFETY: it is the owner in the descriptor.
    let owner = unsafe { Sid::copy(owner) };
    let number = accounts::number_of(&owner);
    // Without a list everybody may everything.
    if present == 0 || list.is_null() {
        return Some(Who { owner: number, others: 0o077, heirs: 0o077 });
    }
    let (others, heirs) = (others(list, &owner, is_meant), others(list, &owner, is_handed_down));
    Some(Who { owner: number, others, heirs })
}

/// Whether an entry is for the thing itself.
fn is_meant(flags: u32) -> bool {
    flags & INHERIT_ONLY_ACE == 0
}

/// Whether an entry is for the folders that are made in it.
fn is_handed_down(flags: u32) -> bool {
    flags & CONTAINER_INHERIT_ACE != 0
}

fn others(list: *const ACL, owner: &Sid, counts: fn(u32) -> bool) -> RawMode {
    // SAFETY: the list stands in a descriptor of the kernel's.
    let count = unsafe { (*list).AceCount };
    let (mut bits, mut exchange) = (0, false);
    for index in 0..u32::from(count) {
        let mut entry = null_mut();
        // SAFETY: the list is one of the kernel's; what is written is a pointer into it.
        if unsafe { GetAce(list, index, &raw mut entry) } == 0 {
            continue;
        }
        let entry = entry.cast::<ACCESS_ALLOWED_ACE>().cast_const();
        // SAFETY: every entry begins with this head.
        let (kind, flags) = unsafe { ((*entry).Header.AceType, (*entry).Header.AceFlags) };
        if kind != GRANTS || !counts(flags.into()) {
            continue;
        }
        // SAFETY: an entry of this kind is a mask, and the identifier of an account behind it.
        let (mask, sid) =
            unsafe { ((*entry).Mask, Sid::copy((&raw const (*entry).SidStart).cast_mut().cast())) };
        if sid == *owner || sid.is_hosts() || accounts::own().is_ok_and(|own| own.sid == sid) {
            continue;
        }
        bits |= if mask & READING != 0 { 0o055 } else { 0 };
        bits |= if mask & WRITING != 0 { ADDING } else { 0 };
        exchange |= mask & EXCHANGING != 0;
    }
    // Where something can be exchanged, that others may only add elsewhere says nothing.
    if exchange { bits & !0o1000 | 0o022 } else { bits }
}

/// Sets the list of rights of a file or folder to what a mode says.
pub(super) fn set_mode(opened: BorrowedFd<'_>, mode: Mode, folder: bool) -> Result<(), Errno> {
    let others = who(opened).others;
    match (is_closed(mode), others) {
        (true, 0) => Ok(()),
        (true, _) => protect(opened, &Descriptor::private(folder)?),
        (false, 0) => inherit(opened).and_then(|()| close_to_writers(opened, !folder)),
        (false, _) if others & 0o022 != 0 && mode.bits() & 0o022 == 0 => {
            protect(opened, &Descriptor::readable(folder)?)
        }
        (false, _) => Ok(()),
    }
}

/// Takes the right to write from others in a folder that an administrator makes where everybody may make some: else
/// anybody could exchange what an elevated process is about to use.
pub(super) fn close_to_writers(opened: BorrowedFd<'_>, is_closed: bool) -> Result<(), Errno> {
    if is_closed || accounts::user_number() != 0 {
        return Ok(());
    }
    let opened = again(opened, READ_CONTROL)?;
    if who(opened.as_fd()).others & 0o022 == 0 {
        return Ok(());
    }
    protect(opened.as_fd(), &Descriptor::readable(true)?)
}

fn protect(opened: BorrowedFd<'_>, descriptor: &Descriptor) -> Result<(), Errno> {
    let opened = again(opened, WRITE_DAC | READ_CONTROL)?;
    let what = DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION;
    // SAFETY: the handle is open, and the descriptor is one that the system has made.
    let set = unsafe { SetKernelObjectSecurity(opened.as_raw_handle(), what, descriptor.pointer()) };
    if set == 0 { Err(Errno::last()) } else { Ok(()) }
}

/// Lets a file or folder have the rights that its folder hands down, and no others.
fn inherit(opened: BorrowedFd<'_>) -> Result<(), Errno> {
    let opened = again(opened, WRITE_DAC | READ_CONTROL)?;
    let mut list = ACL::default();
    let length = u32::try_from(size_of::<ACL>()).unwrap_or_default();
    let what = DACL_SECURITY_INFORMATION | UNPROTECTED_DACL_SECURITY_INFORMATION;
    // SAFETY: the list is as long as is said, and lives until both calls have returned; the handle is open.
    let answer = unsafe {
        if InitializeAcl(&raw mut list, length, ACL_REVISION) == 0 {
            return Err(Errno::last());
        }
        SetSecurityInfo(
            opened.as_raw_handle(),
            SE_FILE_OBJECT,
            what,
            null_mut(),
            null_mut(),
            &raw const list,
            null(),
        )
    };
    if answer == 0 { Ok(()) } else { Err(Errno::of(answer)) }
}

/// Lets an account use a file or folder, and what will be in it.
pub(super) fn give(opened: BorrowedFd<'_>, owner: &Owner) -> Result<(), Errno> {
    if owner.uid == 0 || owner.uid == accounts::user_number() {
        return Ok(());
    }
    let sid = accounts::sid_named(&owner.name)?;
    let opened = again(opened, WRITE_DAC | READ_CONTROL)?;
    let entry = EXPLICIT_ACCESS_W {
        grfAccessPermissions: GIVEN,
        grfAccessMode: GRANT_ACCESS,
        grfInheritance: SUB_CONTAINERS_AND_OBJECTS_INHERIT,
        Trustee: TRUSTEE_W {
            pMultipleTrustee: null_mut(),
            MultipleTrusteeOperation: 0,
            TrusteeForm: TRUSTEE_IS_SID,
            TrusteeType: TRUSTEE_IS_UNKNOWN,
            ptstrName: sid.pointer().cast(),
        },
    };
    let (mut old, mut descriptor, mut new) = (null_mut::<ACL>(), null_mut(), null_mut::<ACL>());
    // SAFETY: the handle is open, the entry and its identifier live to the end; the two lists are the system's, and freed
    // once each: the old one with its descriptor.
    let answer = unsafe {
        let mut answer = windows_sys::Win32::Security::Authorization::GetSecurityInfo(
            opened.as_raw_handle(),
            SE_FILE_OBJECT,
            DACL_SECURITY_INFORMATION,
            null_mut(),
            null_mut(),
            &raw mut old,
            null_mut(),
            &raw mut descriptor,
        );
        if answer == 0 {
            answer = SetEntriesInAclW(1, &raw const entry, old, &raw mut new);
        }
        if answer == 0 {
            answer = SetSecurityInfo(
                opened.as_raw_handle(),
                SE_FILE_OBJECT,
                DACL_SECURITY_INFORMATION,
                null_mut(),
                null_mut(),
                new,
                null(),
            );
        }
        LocalFree(new.cast());
        LocalFree(descriptor);
        answer
    };
    if answer == 0 { Ok(()) } else { Err(Errno::of(answer)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the list of a text says of others, for a file or folder of the administrators.
    fn others_by(text: &str) -> RawMode {
        by(text, is_meant)
    }

    fn by(text: &str, counts: fn(u32) -> bool) -> RawMode {
        let descriptor = Descriptor::parse(text).unwrap();
        let (mut present, mut list, mut defaulted) = (0, null_mut::<ACL>(), 0);
        // SAFETY: the descriptor is one that the system has made; what is written is a pointer into it.
        let read = unsafe {
            GetSecurityDescriptorDacl(
                descriptor.pointer(),
                &raw mut present,
                &raw mut list,
                &raw mut defaulted,
            )
        };
        assert!(read != 0 && present != 0);
        let administrators = accounts::sid_of("S-1-5-32-544").unwrap();
        others(list, &administrators, counts)
    }

    #[test]
    fn who_may_only_add_names_exchanges_nothing() {
        // The root of a drive, as Windows is delivered (`icacls C:\`).
        let drive = "D:PAI(A;;LC;;;AU)(A;OICIIO;SDGXGWGR;;;AU)(A;;FA;;;SY)(A;OICIIO;GA;;;SY)(A;OICIIO;GA;;;BA)(A;;FA;;;BA)(A;OICI;0x1200a9;;;BU)";
        assert_eq!(others_by(drive), 0o1077);
        // What stands for the data of all programs.
        let data = "D:PAI(A;OICIIO;GA;;;CO)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;CI;DCLCRPCR;;;BU)(A;OICI;0x1200a9;;;BU)";
        assert_eq!(others_by(data) & 0o1022, 0o1022);
        assert_eq!(by(data, is_handed_down) & 0o022, 0o022, "what is made there is written to by others");
        assert_eq!(by("D:(A;;DCLC;;;BU)(A;OICI;FA;;;SY)", is_handed_down), 0);
        // A folder that somebody makes at the root of a drive is everybody's.
        assert_eq!(others_by("D:(A;OICI;0x1301bf;;;AU)(A;OICI;FA;;;SY)") & 0o1022, 0o022);
        assert_eq!(others_by("D:(A;;0x1200a9;;;BU)(A;;FA;;;SY)"), 0o055);
        assert_eq!(others_by("D:(A;;FA;;;SY)(A;;FA;;;BA)"), 0);
    }
}
