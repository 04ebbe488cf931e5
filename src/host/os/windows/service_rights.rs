//! What the account of a service may write. Its entries in the lists of rights are made anew where they are others, and
//! those of an account that ran the service before are taken away.
//!
//! All of it goes by handles. The account may have put a link in the place of a folder of its own, or a second name of
//! somebody else's file into it: who opened that to it would open the host.
#![allow(unsafe_code)]

use std::os::windows::io::{AsHandle as _, AsRawHandle as _};
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authorization::{
    EXPLICIT_ACCESS_W, GRANT_ACCESS, GetSecurityInfo, NO_MULTIPLE_TRUSTEE, SE_FILE_OBJECT, SetEntriesInAclW,
    SetSecurityInfo, TRUSTEE_IS_SID, TRUSTEE_IS_UNKNOWN, TRUSTEE_W,
};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACE_FLAGS, ACL, CONTAINER_INHERIT_ACE, DACL_SECURITY_INFORMATION, DeleteAce, GetAce,
    INHERIT_ONLY_ACE, INHERITED_ACE, NO_PROPAGATE_INHERIT_ACE, OBJECT_INHERIT_ACE,
    OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ADD_FILE, FILE_GENERIC_EXECUTE, FILE_GENERIC_READ, FILE_GENERIC_WRITE, READ_CONTROL,
    WRITE_DAC, WRITE_OWNER,
};

use super::accounts::{self, Sid};
use super::flags::{FileType, Mode, OFlags};
use super::open::{again, open};
use super::{BorrowedFd, Errno, OwnedFd, look};

/// The group of the administrators.
const ADMINISTRATORS: &str = "S-1-5-32-544";
/// The kind of an entry that grants something (`ACCESS_ALLOWED_ACE_TYPE`).
const GRANTS: u8 = 0;

/// What an account may do with a folder, or a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Read and write it and all that is in it, the files too that hand nothing down.
    Write,
    /// The same without those files.
    WriteFolder,
    /// Read it, and replace the files that lie directly in it; nothing of its folders.
    ReplaceFiles,
    /// Read and write this one file, which stays.
    WriteFile,
    /// See what lies in it, and nothing of that.
    Look,
}

impl Rights {
    fn entries(self) -> &'static [(u32, ACE_FLAGS)] {
        const EVERYTHING: ACE_FLAGS = OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE;
        const READS: u32 = FILE_GENERIC_READ | FILE_GENERIC_EXECUTE;
        match self {
            Self::Write | Self::WriteFolder => &[(READS | FILE_GENERIC_WRITE | DELETE, EVERYTHING)],
            Self::ReplaceFiles => &[
                (READS, EVERYTHING),
                (FILE_ADD_FILE, 0),
                (
                    FILE_GENERIC_WRITE | DELETE,
                    OBJECT_INHERIT_ACE | INHERIT_ONLY_ACE | NO_PROPAGATE_INHERIT_ACE,
                ),
            ],
            Self::WriteFile => &[(FILE_GENERIC_READ | FILE_GENERIC_WRITE, 0)],
            Self::Look => &[(READS, 0)],
        }
    }
}

impl Rights {
    /// The entries for a folder, or for a file, which hands nothing down.
    fn entries_of(self, is_folder: bool) -> Vec<(u32, ACE_FLAGS)> {
        let entries = self.entries().iter();
        entries.map(|(mask, flags)| (*mask, if is_folder { *flags } else { 0 })).collect()
    }
}

/// The list of rights of a file or folder.
struct List {
    entries: *mut ACL,
    owner: Sid,
    descriptor: PSECURITY_DESCRIPTOR,
}

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: the call that read it has allocated it, and nobody frees it but this.
        unsafe { LocalFree(self.descriptor) };
    }
}

/// One entry that grants something to somebody, and is no heir of a folder's.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Grant {
    index: u32,
    who: Sid,
    mask: u32,
    flags: u32,
}

impl List {
    fn read(opened: BorrowedFd<'_>) -> Result<Self, Errno> {
        let mut owner = null_mut();
        let mut list: *mut ACL = null_mut();
        let mut descriptor: PSECURITY_DESCRIPTOR = null_mut();
        // SAFETY: the handle is open; what is asked for lies in the descriptor.
        let code = unsafe {
            GetSecurityInfo(
                opened.as_raw_handle(),
                SE_FILE_OBJECT,
                OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                &raw mut owner,
                null_mut(),
                &raw mut list,
                null_mut(),
                &raw mut descriptor,
            )
        };
        if code != 0 {
            return Err(Errno::of(code));
        }
        // SAFETY: the owner lies in the descriptor, which lives until this is dropped.
        Ok(Self { entries: list, owner: unsafe { Sid::copy(owner) }, descriptor })
    }

    fn grants(&self) -> Vec<Grant> {
        if self.entries.is_null() {
            return Vec::new();
        }
        // SAFETY: the list lies in the descriptor.
        let count = unsafe { (*self.entries).AceCount };
        (0..u32::from(count)).filter_map(|index| self.grant(index)).collect()
    }

    fn grant(&self, index: u32) -> Option<Grant> {
        let mut entry = null_mut();
        // SAFETY: the list lies in the descriptor; what is written is a pointer into it.
        if unsafe { GetAce(self.entries, index, &raw mut entry) } == 0 {
            return None;
        }
        let entry = entry.cast::<ACCESS_ALLOWED_ACE>().cast_const();
        // SAFETY: every entry begins with this head.
        let head = unsafe { (*entry).Header };
        let flags = u32::from(head.AceFlags);
        if head.AceType != GRANTS || flags & INHERITED_ACE != 0 {
            return None;
        }
        // SAFETY: an entry of this kind is a mask, and the identifier of an account behind it.
        let (mask, who) =
            unsafe { ((*entry).Mask, Sid::copy((&raw const (*entry).SidStart).cast_mut().cast())) };
        Some(Grant { index, who, mask, flags })
    }

    /// Takes entries out, the last first.
    fn without(&mut self, taken: impl Fn(&Grant) -> bool) -> Result<(), Errno> {
        let taken: Vec<Grant> = self.grants().into_iter().filter(taken).collect();
        for grant in taken.iter().rev() {
            // SAFETY: the list lies in the descriptor, which nobody else has.
            if unsafe { DeleteAce(self.entries, grant.index) } == 0 {
                return Err(Errno::last());
            }
        }
        Ok(())
    }
}

/// Opens a file or folder of ours itself, and says whether it is a folder. A link, and a file that has another name
/// elsewhere, is nobody's to open.
fn opened(path: &str) -> Result<(OwnedFd, bool), Errno> {
    let opened = open(path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let found = look::fstat(&opened)?;
    let is_folder = FileType::from_raw_mode(found.st_mode) == FileType::Directory;
    if is_folder || found.st_nlink == 1 { Ok((opened, is_folder)) } else { Err(Errno::LOOP) }
}

/// The accounts that were given the right to replace the files of a folder: whoever has run a service.
pub(in crate::host) fn replacers(path: &str) -> Result<Vec<Sid>, Errno> {
    let (folder, _) = match opened(path) {
        Err(Errno::NOENT) => return Ok(Vec::new()),
        opened => opened?,
    };
    let grants = List::read(folder.as_handle())?.grants();
    let given = grants.into_iter().filter(|grant| (grant.mask, grant.flags) == (FILE_ADD_FILE, 0));
    Ok(given.map(|grant| grant.who).collect())
}

/// Gives an account its rights to a file or folder, in the place of what it had there, and takes those of others away.
/// What one of these owns is the administrators' from then on: an owner could give himself every right again.
pub(in crate::host) fn allow(
    path: &str,
    account: Option<&Sid>,
    rights: Rights,
    former: &[Sid],
) -> Result<(), Errno> {
    let (opened, is_folder) = opened(path)?;
    let list = List::read(opened.as_handle())?;
    let owner = list.owner.clone();
    let Some(renewed) = list.renewed(account, &rights.entries_of(is_folder), former)? else { return Ok(()) };
    let is_former = former.contains(&owner) && Some(&owner) != account;
    let administrators = if is_former { accounts::parse(ADMINISTRATORS) } else { None };
    let changing = READ_CONTROL | WRITE_DAC | if administrators.is_some() { WRITE_OWNER } else { 0 };
    let opened = again(opened.as_handle(), changing)?;
    let what =
        DACL_SECURITY_INFORMATION | if administrators.is_some() { OWNER_SECURITY_INFORMATION } else { 0 };
    // SAFETY: the handle is open, and list and owner live until the call is over. What is inherited is the system's to renew.
    let code = unsafe {
        SetSecurityInfo(
            opened.as_raw_handle(),
            SE_FILE_OBJECT,
            what,
            administrators.as_ref().map_or(null_mut(), Sid::pointer),
            null_mut(),
            renewed.0,
            null(),
        )
    };
    if code == 0 { Ok(()) } else { Err(Errno::of(code)) }
}

/// A list of the system's own making.
struct Renewed(*mut ACL);

impl Drop for Renewed {
    fn drop(&mut self) {
        // SAFETY: the call that made it has allocated it, and nobody frees it but this.
        unsafe { LocalFree(self.0.cast()) };
    }
}

impl List {
    /// The list with these entries of an account and no others of its, and none of those that are former ones; nothing
    /// where that is so already.
    fn renewed(
        mut self,
        account: Option<&Sid>,
        rights: &[(u32, ACE_FLAGS)],
        former: &[Sid],
    ) -> Result<Option<Renewed>, Errno> {
        let wanted = if account.is_some() { rights } else { &[] };
        let is_former = |who: &Sid| former.contains(who) && !who.is_hosts() && Some(who) != account;
        let grants = self.grants();
        let own: Vec<&Grant> = grants.iter().filter(|grant| Some(&grant.who) == account).collect();
        let is_given =
            own.len() == wanted.len() && own.iter().all(|grant| wanted.contains(&(grant.mask, grant.flags)));
        if is_given && !is_former(&self.owner) && !grants.iter().any(|grant| is_former(&grant.who)) {
            return Ok(None);
        }
        self.without(|grant| is_former(&grant.who) || Some(&grant.who) == account)?;
        let explicit = |(rights, inheritance): &(u32, ACE_FLAGS)| EXPLICIT_ACCESS_W {
            grfAccessPermissions: *rights,
            grfAccessMode: GRANT_ACCESS,
            grfInheritance: *inheritance,
            Trustee: TRUSTEE_W {
                pMultipleTrustee: null_mut(),
                MultipleTrusteeOperation: NO_MULTIPLE_TRUSTEE,
                TrusteeForm: TRUSTEE_IS_SID,
                TrusteeType: TRUSTEE_IS_UNKNOWN,
                ptstrName: account.map_or(null_mut(), |account| account.pointer().cast()),
            },
        };
        // Each by itself, since entries that differ in what they hand down alone might be made one.
        let mut renewed = Self::joined(self.entries, None)?;
        for entry in wanted {
            renewed = Self::joined(renewed.0, Some(&explicit(entry)))?;
        }
        Ok(Some(renewed))
    }

    fn joined(list: *const ACL, entry: Option<&EXPLICIT_ACCESS_W>) -> Result<Renewed, Errno> {
        let count = u32::from(entry.is_some());
        let entry = entry.map_or(null(), std::ptr::from_ref);
        let mut after: *mut ACL = null_mut();
        // SAFETY: the entry, if there is one, and its identifier live until the call is over; so does the list, of which it
        // makes a new one.
        match unsafe { SetEntriesInAclW(count, entry, list, &raw mut after) } {
            0 => Ok(Renewed(after)),
            code => Err(Errno::of(code)),
        }
    }
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Security::{GetSecurityDescriptorDacl, GetSecurityDescriptorOwner};

    use super::*;
    use crate::host::os::windows::security::Descriptor;

    /// The list of a text: Wine keeps none of a file, so lists alone are looked at.
    fn list(text: &str) -> List {
        let descriptor = Descriptor::parse(text).unwrap();
        let (mut owner, mut defaulted, mut present) = (null_mut(), 0, 0);
        let mut list: *mut ACL = null_mut();
        // SAFETY: the descriptor is one that the system has made; what is written are pointers into it.
        unsafe {
            GetSecurityDescriptorOwner(descriptor.pointer(), &raw mut owner, &raw mut defaulted);
            GetSecurityDescriptorDacl(
                descriptor.pointer(),
                &raw mut present,
                &raw mut list,
                &raw mut defaulted,
            );
            let owner = Sid::copy(owner);
            let list = List { entries: list, owner, descriptor: descriptor.pointer() };
            // It is freed with the list.
            std::mem::forget(descriptor);
            list
        }
    }

    fn of(renewed: &Renewed) -> Vec<(String, u32, u32)> {
        let list = std::mem::ManuallyDrop::new(List {
            entries: renewed.0,
            owner: accounts::parse(ADMINISTRATORS).unwrap(),
            descriptor: null_mut(),
        });
        list.grants().into_iter().map(|grant| (grant.who.text(), grant.mask, grant.flags)).collect()
    }

    fn sid(text: &str) -> Sid {
        accounts::parse(text).unwrap()
    }

    /// As a folder of a version's trees is made.
    const FOLDER: &str = "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)";

    #[test]
    fn an_account_that_leaves_takes_its_rights_along() {
        let (service, network) = (sid("S-1-5-19"), sid("S-1-5-20"));
        let rights = Rights::ReplaceFiles.entries_of(true);
        let first = list(FOLDER).renewed(Some(&service), &rights, &[]).unwrap().unwrap();
        let entries = of(&first);
        let own: Vec<_> = entries.iter().filter(|(who, ..)| who == "S-1-5-19").collect();
        assert_eq!((own.len(), entries.len()), (3, 6), "{entries:?}");
        assert!(own.iter().any(|(_, mask, flags)| (*mask, *flags) == (FILE_ADD_FILE, 0)), "{entries:?}");

        // There is nothing more to do for it.
        let given = "(A;OICI;0x1200a9;;;LS)(A;;0x2;;;LS)(A;OINPIO;0x130116;;;LS)";
        assert!(list(&format!("{FOLDER}{given}")).renewed(Some(&service), &rights, &[]).unwrap().is_none());

        // Another one takes its place. What somebody has given to others stays.
        let text = format!("{FOLDER}{given}(A;OICI;0x1301bf;;;S-1-5-21-1-2-3-1001)");
        let former = [service.clone()];
        let second = of(&list(&text).renewed(Some(&network), &rights, &former).unwrap().unwrap());
        assert!(!second.iter().any(|(who, ..)| who == "S-1-5-19"), "{second:?}");
        assert_eq!(second.iter().filter(|(who, ..)| who == "S-1-5-20").count(), 3, "{second:?}");
        assert!(second.iter().any(|(who, ..)| who == "S-1-5-21-1-2-3-1001"), "{second:?}");
        // And nobody does: the service is `LocalSystem`'s, or is gone.
        let none = of(&list(&text).renewed(None, &rights, &former).unwrap().unwrap());
        assert!(!none.iter().any(|(who, ..)| who == "S-1-5-19"), "{none:?}");
        assert!(list(FOLDER).renewed(None, &rights, &former).unwrap().is_none());
    }

    #[test]
    fn who_owns_a_lock_of_an_earlier_account_is_another() {
        // As the supervisor of LocalService has made it, closed to all others.
        let text = "O:LSD:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;LS)";
        let (service, network) = (sid("S-1-5-19"), sid("S-1-5-20"));
        let rights = Rights::Write.entries_of(false);
        let renewed = of(&list(text).renewed(Some(&network), &rights, &[service]).unwrap().unwrap());
        let others: Vec<_> = renewed
            .iter()
            .filter(|(who, ..)| !["S-1-5-18", "S-1-5-32-544"].contains(&who.as_str()))
            .collect();
        let [(who, mask, 0)] = others[..] else { panic!("{renewed:?}") };
        assert_eq!(who, "S-1-5-20", "{renewed:?}");
        assert_eq!((mask & DELETE, mask & FILE_GENERIC_WRITE), (DELETE, FILE_GENERIC_WRITE));
    }

    #[test]
    fn a_link_and_a_file_of_two_names_are_opened_to_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let (file, second) = (folder.path().join("web.lock"), folder.path().join("second"));
        std::fs::write(&file, "").unwrap();
        assert!(opened(file.to_str().unwrap()).is_ok_and(|(_, is_folder)| !is_folder));
        std::fs::hard_link(&file, &second).unwrap();
        for path in [&file, &second] {
            assert_eq!(
                allow(path.to_str().unwrap(), Some(&sid("S-1-5-19")), Rights::WriteFile, &[]),
                Err(Errno::LOOP)
            );
        }
        assert!(opened(folder.path().to_str().unwrap()).is_ok_and(|(_, is_folder)| is_folder));
    }
}
