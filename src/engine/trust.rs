//! What root may do in somebody's folder: only what that somebody could do.

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::engine::failure::Failure;
use crate::host::account;
use crate::host::files::{self, FileError, Kind};
use crate::host::{os, untrusted};
use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::manifest::{Manifest, Scope};
use crate::model::owner::Owner;
use crate::model::service::Supervision;
use crate::model::socket::Listen;

/// The settings of a `[Unit]` section that give its owner no rights over others: what it comes after, and words.
/// `Wants` would have root start any unit there is, and `Before` hold one up.
const HARMLESS: [&str; 2] = ["After", "Documentation"];

/// Why a deploy folder, or what its manifest asks, is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Distrust {
    /// Somebody else could change it.
    #[error("`{path}` can be changed by others than {owner} and root (mode {mode:04o})")]
    Writable {
        /// The file or folder.
        path: Utf8PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Who alone should be able to.
        owner: String,
    },
    /// It belongs to somebody else.
    #[error("`{path}` belongs to the account {found}, not to {owner} or root")]
    Owner {
        /// The file or folder.
        path: Utf8PathBuf,
        /// The number of the account that owns it.
        found: u32,
        /// Whose it should be.
        owner: String,
    },
    /// It belongs to a person whose rights nobody else can take on, so it can't be read as that person reads it.
    #[error(
        "`{path}` belongs to {owner}, and this system lets nobody read with another account's rights: what a link there leads to might be what {owner} may not read"
    )]
    Foreign {
        /// The folder.
        path: Utf8PathBuf,
        /// Whose it is.
        owner: String,
    },
    /// It is a link or something stranger.
    #[error("`{0}` is not a regular file: a link could lead to what its owner may not read")]
    NotAFile(Utf8PathBuf),
    /// Its owner may not read it: it is another's, by a hard link.
    #[error("`{path}` can't be read by {owner}, in whose folder it is")]
    Unreadable {
        /// The file.
        path: Utf8PathBuf,
        /// The folder's owner.
        owner: String,
    },
    /// The deploy folder is a link or no folder.
    #[error("`{0}` is not a folder")]
    NotAFolder(Utf8PathBuf),
    /// The manifest asks for another account.
    #[error(
        "`service.user` is `{wanted}`, and the folder belongs to {owner}: a manifest can do only what its owner could do"
    )]
    OtherUser {
        /// The account that the manifest names.
        wanted: String,
        /// The folder's owner.
        owner: String,
    },
    /// The manifest asks for a group that its owner is not in.
    #[error(
        "`service.group` is `{wanted}`, and {owner}, to whom the folder belongs, is not in it: a manifest can do only what its owner could do"
    )]
    OtherGroup {
        /// The group that the manifest names.
        wanted: String,
        /// The folder's owner.
        owner: String,
    },
    /// The manifest asks for a socket that its owner could not open.
    #[error("`{listen}` is nowhere for {owner}'s service to listen: {reason}")]
    Socket {
        /// Where.
        listen: String,
        /// The folder's owner.
        owner: String,
        /// Why not.
        reason: String,
    },
    /// The manifest asks systemd for something that its owner could not have.
    #[error("`{setting}` could give {owner}'s service rights that {owner} does not have")]
    Setting {
        /// The setting.
        setting: String,
        /// The folder's owner.
        owner: String,
    },
}

/// Whose a deploy folder is, as far as that matters to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deploy {
    /// The folder, absolute, without links.
    pub folder: Utf8PathBuf,
    /// Its owner, where that is not the caller.
    pub owner: Option<Owner>,
}

/// Looks at a deploy folder and at who can change it.
pub fn inspect(folder: &Utf8Path) -> Result<Deploy, Failure> {
    let folder = files::canonical(folder)?;
    let Some(facts) = files::facts(&folder)?.filter(|facts| facts.kind == Kind::Folder) else {
        return Err(Distrust::NotAFolder(folder).into());
    };
    let caller = account::effective_uid();
    if caller != 0 {
        if facts.uid != caller && facts.uid != 0 {
            let owner = account::by_uid(caller)?.name;
            return Err(Distrust::Owner { path: folder, found: facts.uid, owner }.into());
        }
        return Ok(Deploy { folder, owner: None });
    }
    guard_foreign(&folder, facts.uid)?;
    let owner = account::by_uid(facts.uid)?;
    for path in folder.ancestors() {
        if let Some(facts) = files::facts(path)? {
            check(path, facts, &owner)?;
        }
    }
    Ok(Deploy { folder, owner: Some(owner).filter(|owner| !owner.is_root()) })
}

/// Likewise, of a folder that may have to be made first: it will belong to whoever owns the folder above. Says whether it
/// has to be.
pub fn inspect_to_be(folder: &Utf8Path) -> Result<(Deploy, bool), Failure> {
    if files::facts(folder)?.is_some() {
        return Ok((inspect(folder)?, false));
    }
    let (Some(above), Some(name)) = (folder.parent(), folder.file_name()) else {
        return Err(Distrust::NotAFolder(folder.to_owned()).into());
    };
    let (deploy, _) = inspect_to_be(above)?;
    Ok((Deploy { folder: deploy.folder.join(name), owner: deploy.owner }, true))
}

/// Refuses what is another account's where an administrator can't act as that account: all that follows would fail.
fn guard_foreign(path: &Utf8Path, uid: u32) -> Result<(), Distrust> {
    if uid == account::effective_uid() || account::CAN_ACT_AS_OTHERS {
        return Ok(());
    }
    let owner = account::by_uid(uid).map_or_else(|_| uid.to_string(), |owner| owner.name);
    Err(Distrust::Foreign { path: path.to_owned(), owner })
}

/// Opens an archive for whoever runs this. Where the file, or the folder it stands in, is another account's, root
/// opens it with that account's rights: a link there could lead to what its owner may not read. Gives its path
/// without links.
pub fn open_archive(path: &Utf8Path) -> Result<(std::fs::File, Utf8PathBuf), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    let owner_of = |path: &Utf8Path| -> Result<Option<Owner>, Failure> {
        let uid = files::facts(path)?.map_or(0, |facts| facts.uid);
        if account::effective_uid() != 0 || uid == 0 {
            return Ok(None);
        }
        guard_foreign(path, uid)?;
        Ok(Some(account::by_uid(uid)?))
    };
    let rights = match owner_of(path)? {
        Some(owner) => Some(owner),
        None => owner_of(&files::canonical(folder)?)?,
    };
    account::acting_as(rights.as_ref(), || {
        let path = files::canonical(path)?;
        let missing = || FileError {
            action: "open",
            path: path.clone(),
            source: std::io::Error::from(std::io::ErrorKind::NotFound),
        };
        let file = untrusted::open(&path)?.ok_or_else(missing)?;
        Ok((file, path))
    })?
}

/// Opens an archive that a manifest names, with the rights of the manifest's owner. Gives its path without links.
pub fn open_as_owner(deploy: &Deploy, path: &Utf8Path) -> Result<(std::fs::File, Utf8PathBuf), Failure> {
    if deploy.owner.is_none() {
        return open_archive(path);
    }
    account::acting_as(deploy.owner.as_ref(), || {
        let path = files::canonical(path)?;
        let missing = || FileError {
            action: "open",
            path: path.clone(),
            source: std::io::Error::from(std::io::ErrorKind::NotFound),
        };
        Ok((untrusted::open(&path)?.ok_or_else(missing)?, path))
    })?
}

/// The text of a small file that lies beside an archive, read with the care of [`open_archive`]; nothing where there
/// is none.
pub fn read_archive_file(path: &Utf8Path, limit: u64) -> Result<Option<String>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let (file, path) = open_archive(path)?;
    let failed = |source| FileError { action: "read", path: path.clone(), source };
    let mut text = String::new();
    std::io::Read::read_to_string(&mut std::io::Read::take(file, limit + 1), &mut text).map_err(failed)?;
    if text.len() as u64 > limit {
        let what = format!("it is larger than {limit} bytes");
        return Err(failed(std::io::Error::new(std::io::ErrorKind::InvalidData, what)).into());
    }
    Ok(Some(text))
}

/// The text of a file in a deploy folder, read with its owner's rights and through no link.
pub fn read(deploy: &Deploy, path: &Utf8Path, limit: u64) -> Result<Option<String>, Failure> {
    let facts = account::acting_as(deploy.owner.as_ref(), || files::facts(path))??;
    let Some(facts) = facts else { return Ok(None) };
    if account::effective_uid() == 0 {
        if facts.kind != Kind::File {
            return Err(Distrust::NotAFile(path.to_owned()).into());
        }
        let owner = match &deploy.owner {
            Some(owner) => owner.clone(),
            None => account::by_uid(0)?,
        };
        check(path, facts, &owner)?;
        let text = account::acting_as(deploy.owner.as_ref(), || untrusted::read(path, limit))?;
        return text.map_err(|error| match error.source.kind() {
            std::io::ErrorKind::PermissionDenied => {
                Distrust::Unreadable { path: path.to_owned(), owner: owner.name }.into()
            }
            _ => error.into(),
        });
    }
    let mut text = String::new();
    let read = untrusted::open_followed(path)
        .and_then(|file| std::io::Read::read_to_string(&mut std::io::Read::take(file, limit + 1), &mut text));
    match read {
        Ok(_) if text.len() as u64 <= limit => Ok(Some(text)),
        Ok(_) => {
            let what = format!("it is larger than {limit} bytes");
            let source = std::io::Error::new(std::io::ErrorKind::InvalidData, what);
            Err(FileError { action: "read", path: path.to_owned(), source }.into())
        }
        Err(source) => Err(FileError { action: "read", path: path.to_owned(), source }.into()),
    }
}

/// Whether the folders that hold what is known of the host's services are the host's own. On unix they lie where only root
/// makes any; on Windows everybody may make some there, and whoever came first would own them.
pub fn guard_layout(layout: &Layout) -> Result<(), Failure> {
    if !os::fs::EVERYBODY_MAKES_FOLDERS || layout.root.is_some() || layout.scope != Scope::System {
        return Ok(());
    }
    let locks = layout.locks();
    for folder in locks.ancestors().take(3) {
        if let Some(facts) = files::facts(folder)? {
            check(folder, facts, &account::by_uid(0)?)?;
        }
    }
    Ok(())
}

fn check(path: &Utf8Path, facts: files::Facts, owner: &Owner) -> Result<(), Distrust> {
    if facts.uid != 0 && facts.uid != owner.uid {
        return Err(Distrust::Owner { path: path.to_owned(), found: facts.uid, owner: owner.name.clone() });
    }
    // In a folder with the sticky bit nobody can replace what is another's (unlink(2)), as in /tmp.
    let sticky = facts.kind == Kind::Folder && facts.mode & 0o1000 != 0;
    if facts.mode & 0o022 != 0 && !sticky {
        return Err(Distrust::Writable {
            path: path.to_owned(),
            mode: facts.mode,
            owner: owner.name.clone(),
        });
    }
    Ok(())
}

/// Whether a launch, from the manifest and its package together, asks only for what its owner could do.
pub fn guard(
    deploy: &Deploy,
    manifest: &Manifest,
    spec: &LaunchSpec,
    run: &Utf8Path,
) -> Result<(), Distrust> {
    let Some(owner) = &deploy.owner else { return Ok(()) };
    guard_manifest(deploy, manifest, spec.scope)?;
    guard_user(owner, spec.user.as_ref(), spec.scope)?;
    if spec.scope == Scope::System {
        guard_group(owner, spec.group.as_ref())?;
        spec.sockets.iter().try_for_each(|socket| guard_socket(owner, &socket.listen, run))?;
    }
    // With native supervision it is systemd, as root, that would open the file.
    if spec.supervision == Supervision::Native && spec.environment_file.is_some() {
        return Err(Distrust::Setting {
            setting: "service.environmentFile".to_owned(),
            owner: owner.name.clone(),
        });
    }
    Ok(())
}

/// Whether a manifest alone does, which can be told before its archive is unpacked.
pub fn guard_manifest(deploy: &Deploy, manifest: &Manifest, scope: Scope) -> Result<(), Distrust> {
    let Some(owner) = &deploy.owner else { return Ok(()) };
    guard_user(owner, manifest.service.user.as_ref(), scope)?;
    let refused = |setting: String| Distrust::Setting { setting, owner: owner.name.clone() };
    if let Some(key) = manifest.systemd.service.keys().next() {
        return Err(refused(format!("systemd.service.{key}")));
    }
    if let Some(key) = manifest.systemd.unit.keys().find(|key| !HARMLESS.contains(&key.as_str())) {
        return Err(refused(format!("systemd.unit.{key}")));
    }
    Ok(())
}

fn guard_user(owner: &Owner, wanted: Option<&String>, scope: Scope) -> Result<(), Distrust> {
    match wanted.filter(|wanted| scope == Scope::System && **wanted != owner.name) {
        Some(wanted) => Err(Distrust::OtherUser { wanted: wanted.clone(), owner: owner.name.clone() }),
        None => Ok(()),
    }
}

fn guard_group(owner: &Owner, wanted: Option<&String>) -> Result<(), Distrust> {
    let is_in =
        |wanted: &String| account::group(wanted).is_ok_and(|group| account::groups(owner).contains(&group));
    match wanted.filter(|wanted| !is_in(wanted)) {
        Some(wanted) => Err(Distrust::OtherGroup { wanted: wanted.clone(), owner: owner.name.clone() }),
        None => Ok(()),
    }
}

/// Root listens for them. A port below 1024 is the host's own (ip(7)); and a Unix socket replaces what has its name,
/// which in a folder of the owner's could be moved to lead anywhere: only the run folder itself stands fast.
fn guard_socket(owner: &Owner, listen: &Listen, run: &Utf8Path) -> Result<(), Distrust> {
    let reason = match listen {
        Listen::Tcp(address) if address.port() < 1024 => {
            "a port below 1024 is open to services of root's folders only".to_owned()
        }
        Listen::Unix(path) if Utf8Path::new(path).parent() != Some(run) => {
            format!("its Unix sockets lie in `{run}`, without folders below")
        }
        Listen::Tcp(_) | Listen::Unix(_) => return Ok(()),
    };
    Err(Distrust::Socket { listen: listen.to_string(), owner: owner.name.clone(), reason })
}
