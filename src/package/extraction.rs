//! One extraction under way: what both kinds of archive have in common.

use std::io;

use camino::Utf8Path;

use crate::host::os;
use crate::host::os::{AsFd, BorrowedFd};
use crate::model::package::{FILE_NAME, PackageDescription};
use crate::model::size::Size;
use crate::package::catalogue::{Catalogue, Node};
use crate::package::disk::{self, Writer};
use crate::package::entry::{EntryName, Named, is_composed, shown};
use crate::package::fault::Fault;
use crate::package::limits::Limits;
use crate::package::tree::TOKEN;
use crate::package::unpack::{Flushing, Payload, UnpackError};

/// From this size on a file's place on the disk is looked for before it is written.
const LARGE: u64 = 1 << 20;
/// After so many entries the room is looked at again: others write too, and not every archive says what it takes.
const LOOK: u64 = 64;
/// What is left to the others on the disk, and to the book-keeping, in bytes.
const LEAST: u64 = 256 << 10;
/// The longest package description, in bytes.
const LONGEST_DESCRIPTION: u64 = 1 << 20;

/// An archive on its way into a folder.
pub(crate) struct Extraction<'a> {
    pub(crate) archive: &'a Utf8Path,
    pub(crate) root: BorrowedFd<'a>,
    pub(crate) limits: &'a Limits,
    /// Entries met.
    pub(crate) entries: u64,
    /// Bytes of their contents, as declared.
    pub(crate) bytes: u64,
    catalogue: Catalogue,
    links: Vec<(EntryName, String)>,
    /// Whether it is written.
    writes: bool,
    /// When what is written is brought to the disk.
    pub(crate) flushing: Flushing,
}

impl<'a> Extraction<'a> {
    pub(crate) fn new(archive: &'a Utf8Path, root: BorrowedFd<'a>, limits: &'a Limits) -> Self {
        Self {
            archive,
            root,
            limits,
            entries: 0,
            bytes: 0,
            catalogue: Catalogue::default(),
            links: Vec::new(),
            writes: true,
            flushing: Flushing::Early,
        }
    }

    /// One of which nothing is written: the names and sizes are judged, and the room is not.
    pub(crate) fn counting(archive: &'a Utf8Path, root: BorrowedFd<'a>, limits: &'a Limits) -> Self {
        Self { writes: false, ..Self::new(archive, root, limits) }
    }

    /// The refusal of an entry.
    pub(crate) fn refuse(&self, entry: &[u8], fault: Fault) -> UnpackError {
        UnpackError::Entry { archive: self.archive.to_owned(), entry: shown(entry), fault }
    }

    /// The failure to write an entry.
    pub(crate) fn failed(&self, entry: &[u8], source: io::Error) -> UnpackError {
        let (archive, entry) = (self.archive.to_owned(), shown(entry));
        if disk::is_full(&source) {
            UnpackError::Full { archive, entry, source }
        } else {
            UnpackError::Write { archive, entry, source }
        }
    }

    /// Takes the next entry's name.
    pub(crate) fn name(&mut self, entry: &[u8]) -> Result<Named, UnpackError> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(self.refuse(entry, Fault::TooManyEntries(self.limits.entries)));
        }
        if self.entries.is_multiple_of(LOOK) {
            self.check_space(0)?;
        }
        EntryName::parse(entry, self.limits).map_err(|fault| self.refuse(entry, fault))
    }

    /// Enters a folder, which needs no more than its name.
    pub(crate) fn enter_folder(&mut self, name: &EntryName) -> Result<(), UnpackError> {
        self.enter(name, Node::Folder)
    }

    /// Enters a file of a declared size.
    pub(crate) fn enter_file(&mut self, name: &EntryName, size: u64) -> Result<(), UnpackError> {
        self.enter(name, Node::File)?;
        let refuse = |fault| Err(self.refuse(name.as_str().as_bytes(), fault));
        if size > self.limits.file.bytes() {
            return refuse(Fault::FileTooLarge(self.limits.file));
        }
        let total = self.bytes.saturating_add(size);
        if total > self.limits.total.bytes() {
            return refuse(Fault::TotalTooLarge(self.limits.total));
        }
        self.bytes = total;
        if size >= LARGE { self.check_space(size) } else { Ok(()) }
    }

    /// Enters a hard link and gives the file that it names again, which must have come before.
    pub(crate) fn enter_hard_link(
        &mut self,
        name: &EntryName,
        target: &[u8],
    ) -> Result<EntryName, UnpackError> {
        let found = match EntryName::parse(target, self.limits) {
            Ok(Named::Entry { name, folder: false }) if self.catalogue.has_file(&name) => Some(name),
            _ => None,
        };
        let Some(found) = found else {
            return Err(self.refuse(name.as_str().as_bytes(), Fault::HardLink(shown(target))));
        };
        self.enter(name, Node::File)?;
        Ok(found)
    }

    /// Enters a symbolic link. It is checked and made when everything else stands.
    pub(crate) fn enter_link(&mut self, name: &EntryName, target: &[u8]) -> Result<(), UnpackError> {
        if !os::fs::HAS_LINKS {
            return Err(self.refuse(name.as_str().as_bytes(), Fault::Link));
        }
        self.enter(name, Node::Link(String::new()))?;
        self.links.push((name.clone(), String::new()));
        self.set_target(name, target)
    }

    /// Says where the link entered under this name leads, for archives that keep it in the content.
    pub(crate) fn set_target(&mut self, name: &EntryName, target: &[u8]) -> Result<(), UnpackError> {
        let Ok(text) = std::str::from_utf8(target) else {
            return Err(self.refuse(name.as_str().as_bytes(), Fault::LinkOutside(shown(target))));
        };
        if text.len() > self.limits.path {
            return Err(self.refuse(name.as_str().as_bytes(), Fault::LongName(self.limits.path)));
        }
        if !is_composed(text) {
            return Err(self.refuse(name.as_str().as_bytes(), Fault::Decomposed));
        }
        self.catalogue.set_target(name, text);
        if let Some((_, known)) = self.links.iter_mut().rev().find(|(link, _)| link == name) {
            text.clone_into(known);
        }
        Ok(())
    }

    fn enter(&mut self, name: &EntryName, node: Node) -> Result<(), UnpackError> {
        self.catalogue.enter(name, node).map_err(|fault| self.refuse(name.as_str().as_bytes(), fault))
    }

    /// Refuses early what the disk can't hold.
    pub(crate) fn check_space(&self, needed: u64) -> Result<(), UnpackError> {
        if !self.writes {
            return Ok(());
        }
        let archive = self.archive.to_owned();
        match disk::available(self.root) {
            Ok((available, _)) if available < needed + LEAST => Err(UnpackError::Space {
                archive,
                needed: Size::new(needed + LEAST),
                available: Size::new(available),
            }),
            Ok((_, Some(files))) if files < LOOK => Err(UnpackError::Files { archive, available: files }),
            // A file system that doesn't say is found out by writing.
            _ => Ok(()),
        }
    }

    /// Lifts the payload to the root, makes the links, reads the description. Every verdict falls before
    /// the first link is made.
    pub(crate) fn finish(&self) -> Result<(Payload, Option<PackageDescription>), UnpackError> {
        if self.catalogue.is_empty() && self.links.is_empty() {
            return Err(UnpackError::Empty { archive: self.archive.to_owned() });
        }
        let top = self.catalogue.single_top_folder();
        let root = top.unwrap_or("");
        let token = if root.is_empty() { TOKEN.to_owned() } else { format!("{root}/{TOKEN}") };
        if let Some(name) = self.catalogue.spelled(&token) {
            return Err(self.refuse(name.as_bytes(), Fault::Kept));
        }
        for (link, target) in &self.links {
            self.catalogue
                .check_link(link.as_str(), target, root, self.limits)
                .map_err(|fault| self.refuse(link.as_str().as_bytes(), fault))?;
        }
        if let Some(top) = top {
            self.lift(top).map_err(|source| self.failed(top.as_bytes(), source))?;
        }
        let mut writer = Writer::new(self.root);
        for (link, target) in &self.links {
            let below = link.as_str().strip_prefix(root).unwrap_or_default().trim_start_matches('/');
            let (folder, name) = below.rsplit_once('/').unwrap_or(("", below));
            writer
                .symlink(target, folder, name)
                .map_err(|source| self.failed(link.as_str().as_bytes(), source))?;
        }
        let payload = top.map_or(Payload::Root, |top| Payload::Folder(top.to_owned()));
        Ok((payload, self.description()?))
    }

    /// Moves everything in the one top folder up to the root.
    fn lift(&self, top: &str) -> io::Result<()> {
        let folder = match disk::open_folder_at(self.root, top) {
            // There is nothing in it but links, which are made at the end.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        let names = disk::names(&folder)?;
        // The folder may hold something of its own name, so it steps aside first.
        let aside = (0..=names.len())
            .map(|number| format!(".aside{number}"))
            .find(|aside| aside != top && names.iter().all(|name| name.as_bytes() != aside.as_bytes()))
            .unwrap_or_default();
        os::fs::renameat(self.root, top, self.root, &aside)?;
        for name in &names {
            os::fs::renameat(folder.as_fd(), name, self.root, name)?;
        }
        Ok(os::fs::unlinkat(self.root, &aside, os::fs::AtFlags::REMOVEDIR)?)
    }

    fn description(&self) -> Result<Option<PackageDescription>, UnpackError> {
        let failed = |source| self.failed(FILE_NAME.as_bytes(), source);
        let file = match disk::open_file_at(self.root, FILE_NAME) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut text = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, LONGEST_DESCRIPTION + 1), &mut text)
            .map_err(failed)?;
        if text.len() as u64 > LONGEST_DESCRIPTION {
            let limit = crate::model::size::Size::new(LONGEST_DESCRIPTION);
            return Err(self.refuse(FILE_NAME.as_bytes(), Fault::FileTooLarge(limit)));
        }
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|source| UnpackError::Description { archive: self.archive.to_owned(), source })
    }
}
