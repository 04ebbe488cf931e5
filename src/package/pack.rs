//! Packing: a folder becomes a reproducible `.tar.gz`. The same folder gives the same bytes, wherever,
//! whenever and by whomever it is packed.

use std::fs::{File, Metadata};
use std::io::{self, BufReader, BufWriter, Write};

use camino::{Utf8Path, Utf8PathBuf};
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::host::files;
use crate::host::os::{self, Oddity};
use crate::model::digest::Digest;
use crate::model::package::{FILE_NAME, PackageDescription};
use crate::package::catalogue::{Catalogue, Node};
use crate::package::entry::{EntryName, Named, shown};
use crate::package::fault::Fault;
use crate::package::limits::Limits;
use crate::package::need::Counts;
use crate::package::tree::TOKEN;

/// The time that every entry bears: 1980-01-01, the first that both tar and zip can say.
const TIME: u64 = 315_532_800;
/// The folder around a payload that would otherwise be taken for one: see [`needs_wrapping`].
const WRAPPING: &str = "package";

/// What was packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The archive.
    pub path: Utf8PathBuf,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its size, in bytes.
    pub size: u64,
    /// The number of entries in it.
    pub entries: u64,
    /// The package's description, if the folder has one.
    pub description: Option<PackageDescription>,
}

/// Why a folder was not packed. No archive was written.
#[derive(Debug, Error)]
pub enum PackError {
    /// Something in the folder can't be read.
    #[error("`{path}` can't be read")]
    Read {
        /// What.
        path: Utf8PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Something in the folder would be refused when unpacked.
    #[error("`{path}` can't be packed: the entry {fault}")]
    Entry {
        /// What.
        path: Utf8PathBuf,
        /// Why.
        fault: Fault,
    },
    /// A file changed while it was packed.
    #[error("`{path}` changed while it was packed")]
    Changed {
        /// The file.
        path: Utf8PathBuf,
    },
    /// There is nothing to pack.
    #[error("`{folder}` holds no files")]
    Empty {
        /// The folder.
        folder: Utf8PathBuf,
    },
    /// The archive would become a part of itself.
    #[error("`{output}` lies in the folder that is packed: choose another place")]
    Inside {
        /// The archive.
        output: Utf8PathBuf,
    },
    /// The description is not one.
    #[error("`{path}` can't be read as a package description")]
    Description {
        /// The file.
        path: Utf8PathBuf,
        /// Where and what.
        source: serde_json::Error,
    },
    /// The archive can't be written.
    #[error("`{output}` can't be written")]
    Write {
        /// The archive.
        output: Utf8PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// What is to be packed of one name.
enum Content {
    Folder,
    File { program: bool, size: u64 },
    Link(String),
}

struct Item {
    name: EntryName,
    content: Content,
}

/// Packs a folder into `output`, replacing an archive that stands there. What unpacking would refuse is
/// refused here. Hard links are packed as files of their own; owners and times are left out.
pub fn pack(folder: &Utf8Path, output: &Utf8Path) -> Result<Packed, PackError> {
    check_outside(folder, output)?;
    let items = collect(folder)?;
    let description = read_description(folder)?;
    let unwritable = |source| PackError::Write { output: output.to_owned(), source };
    let beside = match output.parent() {
        Some(parent) if !parent.as_str().is_empty() => parent,
        _ => Utf8Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    os::fs::share(builder.prefix(".partial-"));
    let temporary = builder.tempfile_in(beside).map_err(unwritable)?;
    let hashed = Hashed { inner: BufWriter::new(temporary.as_file()), hasher: Sha256::new(), size: 0 };
    // The header tells how much room it takes, and no time and no name; 255 says that the system is unknown (RFC 1952, 2.3.1).
    let gzip = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .extra(counts(&items).field())
        .write(hashed, Compression::new(6));
    let Hashed { inner, hasher, size } = write(folder, output, &items, gzip)?;
    inner.into_inner().map_err(|error| unwritable(error.into_error()))?;
    temporary.as_file().sync_all().map_err(unwritable)?;
    os::fs::persist(temporary, output).map_err(unwritable)?;
    files::sync_folder(beside).map_err(|error| unwritable(error.source))?;
    Ok(Packed {
        path: output.to_owned(),
        digest: Digest::finish(hasher),
        size,
        entries: items.len() as u64,
        description,
    })
}

/// What the archive holds, for its header.
fn counts(items: &[Item]) -> Counts {
    let mut counts = Counts::default();
    for item in items {
        counts.add(match item.content {
            Content::File { size, .. } => Some(size),
            Content::Folder | Content::Link(_) => None,
        });
    }
    counts
}

/// Bytes on their way out, hashed and counted.
struct Hashed<Out: Write> {
    inner: Out,
    hasher: Sha256,
    size: u64,
}

impl<Out: Write> Write for Hashed<Out> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn check_outside(folder: &Utf8Path, output: &Utf8Path) -> Result<(), PackError> {
    let unreadable = |source| PackError::Read { path: folder.to_owned(), source };
    let folder = folder.canonicalize_utf8().map_err(unreadable)?;
    let beside = output.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    let beside = beside
        .canonicalize_utf8()
        .map_err(|source| PackError::Write { output: output.to_owned(), source })?;
    if beside.starts_with(folder) { Err(PackError::Inside { output: output.to_owned() }) } else { Ok(()) }
}

/// Everything below the folder, in the order of its names, checked by the rules of unpacking.
fn collect(folder: &Utf8Path) -> Result<Vec<Item>, PackError> {
    let limits = Limits::default();
    let mut items = Vec::new();
    let mut catalogue = Catalogue::default();
    let mut total = 0;
    let mut waiting = vec![Utf8PathBuf::new()];
    while let Some(below) = waiting.pop() {
        let here = folder.join(&below);
        let unreadable = |source| PackError::Read { path: here.clone(), source };
        for entry in std::fs::read_dir(&here).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name =
                Utf8PathBuf::try_from(std::path::PathBuf::from(entry.file_name())).map_err(|error| {
                    let name = shown(error.as_path().as_os_str().as_encoded_bytes());
                    PackError::Entry { path: here.join(name), fault: Fault::NotUtf8 }
                })?;
            let path = here.join(&name);
            // An archive's names have one separator on every system.
            let below = match below.as_str() {
                "" => name.clone(),
                folder => format!("{folder}/{name}").into(),
            };
            let item = item(&path, &below, &limits)?;
            let refuse = |fault| PackError::Entry { path: path.clone(), fault };
            let node = match &item.content {
                Content::Folder => {
                    waiting.push(below);
                    Node::Folder
                }
                Content::File { size, .. } => {
                    total += size;
                    Node::File
                }
                Content::Link(target) => Node::Link(target.clone()),
            };
            catalogue.enter(&item.name, node).map_err(refuse)?;
            if total > limits.total.bytes() {
                return Err(refuse(Fault::TotalTooLarge(limits.total)));
            }
            items.push(item);
            if items.len() as u64 > limits.entries {
                return Err(refuse(Fault::TooManyEntries(limits.entries)));
            }
        }
    }
    if catalogue.is_empty() {
        return Err(PackError::Empty { folder: folder.to_owned() });
    }
    if let Some(token) = catalogue.spelled(TOKEN) {
        return Err(PackError::Entry { path: folder.join(token), fault: Fault::Kept });
    }
    for item in &items {
        if let Content::Link(target) = &item.content {
            catalogue
                .check_link(item.name.as_str(), target, "", &limits)
                .map_err(|fault| PackError::Entry { path: folder.join(item.name.as_str()), fault })?;
        }
    }
    items.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(items)
}

fn item(path: &Utf8Path, below: &Utf8Path, limits: &Limits) -> Result<Item, PackError> {
    let refuse = |fault| PackError::Entry { path: path.to_owned(), fault };
    let unreadable = |source| PackError::Read { path: path.to_owned(), source };
    let Named::Entry { name, folder: false } =
        EntryName::parse(below.as_str().as_bytes(), limits).map_err(refuse)?
    else {
        return Err(refuse(Fault::EmptyPart));
    };
    let metadata = path.symlink_metadata().map_err(unreadable)?;
    let kind = metadata.file_type();
    let content = if kind.is_symlink() {
        let target = std::fs::read_link(path).map_err(unreadable)?;
        let target = Utf8PathBuf::try_from(target).map_err(|error| {
            refuse(Fault::LinkOutside(shown(error.as_path().as_os_str().as_encoded_bytes())))
        })?;
        Content::Link(target.into_string())
    } else {
        check_bits(&metadata).map_err(refuse)?;
        if kind.is_dir() {
            Content::Folder
        } else {
            let size = metadata.len();
            if size > limits.file.bytes() {
                return Err(refuse(Fault::FileTooLarge(limits.file)));
            }
            Content::File { program: os::fs::is_program(path.as_std_path(), &metadata), size }
        }
    };
    Ok(Item { name, content })
}

fn check_bits(metadata: &Metadata) -> Result<(), Fault> {
    match os::fs::oddity(metadata) {
        None => Ok(()),
        Some(Oddity::Kind(kind)) => Err(Fault::Special(kind)),
        Some(Oddity::Bits) => Err(Fault::SpecialBits),
    }
}

fn read_description(folder: &Utf8Path) -> Result<Option<PackageDescription>, PackError> {
    let path = folder.join(FILE_NAME);
    match std::fs::read(&path) {
        Ok(text) => {
            serde_json::from_slice(&text).map(Some).map_err(|source| PackError::Description { path, source })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(PackError::Read { path, source }),
    }
}

/// Whether the one thing at the top is a folder: unpacking would take it for the payload and lift its
/// contents, so it gets a folder around it.
fn needs_wrapping(items: &[Item]) -> bool {
    let mut tops = items.iter().filter(|item| !item.name.as_str().contains('/'));
    matches!((tops.next(), tops.next()), (Some(Item { content: Content::Folder, .. }), None))
}

fn write<Out: Write>(
    folder: &Utf8Path,
    output: &Utf8Path,
    items: &[Item],
    gzip: GzEncoder<Out>,
) -> Result<Out, PackError> {
    let unwritable = |source| PackError::Write { output: output.to_owned(), source };
    let prefix = if needs_wrapping(items) { format!("{WRAPPING}/") } else { String::new() };
    let mut archive = tar::Builder::new(gzip);
    for item in items {
        let name = format!("{prefix}{}", item.name);
        let path = folder.join(item.name.as_str());
        let mut header = tar::Header::new_gnu();
        header.set_mtime(TIME);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        match &item.content {
            Content::Folder => {
                header.set_entry_type(tar::EntryType::Directory);
                header.set_mode(0o755);
                archive.append_data(&mut header, format!("{name}/"), io::empty()).map_err(unwritable)?;
            }
            Content::Link(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_mode(0o777);
                archive.append_link(&mut header, &name, target).map_err(unwritable)?;
            }
            Content::File { program, size } => {
                header.set_entry_type(tar::EntryType::Regular);
                header.set_mode(if *program { 0o755 } else { 0o644 });
                header.set_size(*size);
                let file =
                    File::open(&path).map_err(|source| PackError::Read { path: path.clone(), source })?;
                let mut exact = Exact { file: BufReader::new(file), left: *size, failure: None };
                let appended = archive.append_data(&mut header, &name, &mut exact);
                match exact.failure.take() {
                    Some(Failure::Read(source)) => return Err(PackError::Read { path, source }),
                    Some(Failure::Changed) => return Err(PackError::Changed { path }),
                    None => appended.map_err(unwritable)?,
                }
            }
        }
    }
    archive.into_inner().and_then(GzEncoder::finish).map_err(unwritable)
}

/// A file of which exactly the announced number of bytes must come.
struct Exact {
    file: BufReader<File>,
    left: u64,
    failure: Option<Failure>,
}

/// Why a file did not come as announced.
enum Failure {
    Read(io::Error),
    Changed,
}

impl io::Read for Exact {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.file.read(buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.failure = Some(Failure::Read(error));
                return Err(io::ErrorKind::Other.into());
            }
        };
        let fits = (count as u64) <= self.left && !(count == 0 && self.left > 0 && !buffer.is_empty());
        if !fits {
            self.failure = Some(Failure::Changed);
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}
