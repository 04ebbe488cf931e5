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

/// The list of rights of a file or folder.
struct List {
    list: *mut ACL,
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
        Ok(Self { list, owner: unsafe { Sid::copy(owner) }, descriptor })
    }

    fn grants(&self) -> Vec<Grant> {
        if self.list.is_null() {
            return Vec::new();
        }
        // SAFETY: the list lies in the descriptor.
        let count = unsafe { (*self.list).AceCount };
        (0..u32::from(count)).filter_map(|index| self.grant(index)).collect()
    }

    fn grant(&self, index: u32) -> Option<Grant> {
        let mut entry = null_mut();
        // SAFETY: the list lies in the descriptor; what is written is a pointer into it.
        if unsafe { GetAce(self.list, index, &raw mut entry) } == 0 {
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
            if unsafe { DeleteAce(self.list, grant.index) } == 0 {
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
    let mut list = List::read(opened.as_handle())?;
    // A file hands nothing down.
    let for_this = |(mask, flags): &(u32, ACE_FLAGS)| (*mask, if is_folder { *flags } else { 0 });
    let wanted: Vec<_> = account.iter().flat_map(|_| rights.entries().iter().map(for_this)).collect();
    let is_former = |who: &Sid| former.contains(who) && !who.is_hosts() && Some(who) != account;
    let disowned = is_former(&list.owner);
    let grants = list.grants();
    let own: Vec<&Grant> = grants.iter().filter(|grant| Some(&grant.who) == account).collect();
    let is_given =
        own.len() == wanted.len() && own.iter().all(|grant| wanted.contains(&(grant.mask, grant.flags)));
    if is_given && !disowned && !grants.iter().any(|grant| is_former(&grant.who)) {
        return Ok(());
    }
    list.without(|grant| is_former(&grant.who) || Some(&grant.who) == account)?;
    let administrators = if disowned { accounts::parse(ADMINISTRATORS) } else { None };
    let changing = READ_CONTROL | WRITE_DAC | if disowned { WRITE_OWNER } else { 0 };
    let opened = again(opened.as_handle(), changing)?;
    write(opened.as_handle(), &list, account.map(|account| (account, &wanted[..])), administrators.as_ref())
}

/// Writes a list with further entries; those that are inherited are the system's to renew.
fn write(
    opened: BorrowedFd<'_>,
    list: &List,
    further: Option<(&Sid, &[(u32, ACE_FLAGS)])>,
    owner: Option<&Sid>,
) -> Result<(), Errno> {
    let explicit = |account: &Sid, (rights, inheritance): (u32, ACE_FLAGS)| EXPLICIT_ACCESS_W {
        grfAccessPermissions: rights,
        grfAccessMode: GRANT_ACCESS,
        grfInheritance: inheritance,
        Trustee: TRUSTEE_W {
            pMultipleTrustee: null_mut(),
            MultipleTrusteeOperation: NO_MULTIPLE_TRUSTEE,
            TrusteeForm: TRUSTEE_IS_SID,
            TrusteeType: TRUSTEE_IS_UNKNOWN,
            ptstrName: account.pointer().cast(),
        },
    };
    let entries: Vec<EXPLICIT_ACCESS_W> = further
        .iter()
        .flat_map(|(account, entries)| entries.iter().map(|entry| explicit(account, *entry)))
        .collect();
    let count = u32::try_from(entries.len()).unwrap_or_default();
    let mut after: *mut ACL = null_mut();
    let what = DACL_SECURITY_INFORMATION | if owner.is_some() { OWNER_SECURITY_INFORMATION } else { 0 };
    let owner = owner.map_or(null_mut(), Sid::pointer);
    // SAFETY: the entries, whose identifiers live in the caller, and the list before live until the call is over; it makes
    // a new list. The handle is open.
    let code = unsafe {
        match SetEntriesInAclW(count, entries.as_ptr(), list.list, &raw mut after) {
            0 => SetSecurityInfo(
                opened.as_raw_handle(),
                SE_FILE_OBJECT,
                what,
                owner,
                null_mut(),
                if after.is_null() { list.list } else { after },
                null(),
            ),
            code => code,
        }
    };
    // SAFETY: the call has allocated it, or it is null, and nobody uses it after this.
    unsafe { LocalFree(after.cast()) };
    if code == 0 { Ok(()) } else { Err(Errno::of(code)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(path: &str, who: &Sid) -> Vec<(u32, u32)> {
        let list = List::read(opened(path).unwrap().0.as_handle()).unwrap();
        let own = list.grants().into_iter().filter(|grant| grant.who == *who);
        own.map(|grant| (grant.mask, grant.flags)).collect()
    }

    #[test]
    fn an_account_that_leaves_takes_its_rights_along() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let (service, network) = (accounts::parse("S-1-5-19").unwrap(), accounts::parse("S-1-5-20").unwrap());
        allow(path, Some(&service), Rights::ReplaceFiles, &[]).unwrap();
        assert_eq!(replacers(path).unwrap(), [service.clone()]);
        let first = grants(path, &service);
        // Again, there is nothing more of it.
        allow(path, Some(&service), Rights::ReplaceFiles, &[]).unwrap();
        assert_eq!(grants(path, &service), first);
        assert_eq!(first.len(), 3);

        allow(path, Some(&network), Rights::ReplaceFiles, &replacers(path).unwrap()).unwrap();
        assert_eq!((grants(path, &service), replacers(path).unwrap()), (Vec::new(), vec![network.clone()]));
        // Others keep what somebody has given them.
        allow(path, Some(&service), Rights::Write, &[]).unwrap();
        assert_eq!(grants(path, &service).len(), 1);
        allow(path, None, Rights::ReplaceFiles, &[network.clone()]).unwrap();
        assert_eq!((grants(path, &network), grants(path, &service).len()), (Vec::new(), 1));
        assert!(replacers(path).unwrap().is_empty());
    }

    #[test]
    fn one_file_is_given_without_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("web.guardian.lock");
        std::fs::write(&file, "").unwrap();
        let (folder, file) = (folder.path().to_str().unwrap(), file.to_str().unwrap());
        let account = accounts::parse("S-1-5-19").unwrap();
        allow(file, Some(&account), Rights::WriteFile, &[]).unwrap();
        let second = format!("{file}.second");
        let [(mask, 0)] = grants(file, &account)[..] else { panic!("{:?}", grants(file, &account)) };
        assert_eq!((mask & DELETE, mask & FILE_GENERIC_WRITE), (0, FILE_GENERIC_WRITE));
        assert!(grants(folder, &account).is_empty());
        // What has another name elsewhere may be anybody's.
        std::fs::hard_link(file, &second).unwrap();
        assert_eq!(allow(&second, Some(&account), Rights::WriteFile, &[]), Err(Errno::LOOP));
    }
}
