//! Unpacking: an archive becomes the contents of a folder, or nothing does.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::host::os::{AsFd as _, BorrowedFd};
use crate::model::digest::Digest;
use crate::model::package::PackageDescription;
use crate::model::size::Size;
use crate::package::archive::{Kind, MAGIC_LENGTH};
use crate::package::crew::Crew;
use crate::package::disk;
use crate::package::extraction::Extraction;
use crate::package::fault::Fault;
use crate::package::flush::Flush;
use crate::package::limits::Limits;
use crate::package::need::{Counts, last_size};
use crate::package::tree::Complete;
use crate::package::untar::Untar;
use crate::package::{gunzip, unzip};

/// More threads than this don't create files any faster.
const MOST_WRITERS: usize = 4;

/// How far an extraction has come. Sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Archive bytes read.
    pub read: u64,
    /// The archive's size.
    pub size: u64,
    /// Entries met.
    pub entries: u64,
    /// Bytes inflated.
    pub written: u64,
}

/// What of the archive has become the tree's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Its own root.
    Root,
    /// The contents of the one folder that held everything, as in npm's packages.
    Folder(String),
}

/// What was unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// The digest of the archive's bytes: the very ones that were unpacked.
    pub digest: Digest,
    /// The package's description, if it brings one at the payload's root.
    pub description: Option<PackageDescription>,
    /// Where in the archive the payload was.
    pub payload: Payload,
    /// The number of entries.
    pub entries: u64,
    /// The size of all files, in bytes.
    pub bytes: u64,
}

impl Unpacked {
    /// The token that says so in the tree.
    #[must_use]
    pub fn complete(&self) -> Complete {
        Complete { digest: self.digest, entries: self.entries, bytes: self.bytes }
    }
}

/// Why an archive was not unpacked. Nothing of it remains.
#[derive(Debug, Error)]
pub enum UnpackError {
    /// The archive can't be opened.
    #[error("`{archive}` can't be opened")]
    Open {
        /// The archive.
        archive: Utf8PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Reading the archive fails.
    #[error("`{archive}` can't be read")]
    Read {
        /// The archive.
        archive: Utf8PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Not an archive that can be a package.
    #[error("`{archive}` is neither a .tar.gz nor a .zip: its content decides, not its name")]
    NotAnArchive {
        /// The file.
        archive: Utf8PathBuf,
    },
    /// The archive holds nothing.
    #[error("`{archive}` holds no files")]
    Empty {
        /// The archive.
        archive: Utf8PathBuf,
    },
    /// The archive's form is broken, as a whole.
    #[error("`{archive}` is not a sound archive: {what}")]
    Malformed {
        /// The archive.
        archive: Utf8PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// The archive ends too early.
    #[error("`{archive}` is cut short: it ends within `{entry}`")]
    Truncated {
        /// The archive.
        archive: Utf8PathBuf,
        /// The entry at hand.
        entry: String,
    },
    /// The compressed data are broken.
    #[error("`{archive}` is damaged: it can't be inflated beyond `{entry}`")]
    Broken {
        /// The archive.
        archive: Utf8PathBuf,
        /// The entry at hand.
        entry: String,
    },
    /// Something follows the end.
    #[error("`{archive}` goes on after its end: what follows would be seen by some readers only")]
    Trailing {
        /// The archive.
        archive: Utf8PathBuf,
    },
    /// An entry is refused.
    #[error("`{archive}`: the entry `{entry}` {fault}")]
    Entry {
        /// The archive.
        archive: Utf8PathBuf,
        /// The entry's name, fit for a terminal.
        entry: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// Other bytes than expected.
    #[error("`{archive}` is not what was expected: its SHA-256 digest is {found}, not {expected}")]
    Digest {
        /// The archive.
        archive: Utf8PathBuf,
        /// The digest that was asked for.
        expected: Digest,
        /// The digest of what is there.
        found: Digest,
    },
    /// The description is not one.
    #[error("`{archive}`: its mainstay-package.json can't be read")]
    Description {
        /// The archive.
        archive: Utf8PathBuf,
        /// Where and what.
        source: serde_json::Error,
    },
    /// Known before writing: it will not fit.
    #[error("`{archive}` needs {} more, and the disk has {} left", needed.about(), available.about())]
    Space {
        /// The archive.
        archive: Utf8PathBuf,
        /// What is known to be needed.
        needed: Size,
        /// What is free.
        available: Size,
    },
    /// The file system takes no more files, however small.
    #[error(
        "`{archive}` holds more files than the disk takes: it has room for {available} more, whatever their size"
    )]
    Files {
        /// The archive.
        archive: Utf8PathBuf,
        /// How many more files it takes.
        available: u64,
    },
    /// Found while writing: the disk or the quota is full.
    #[error("`{archive}`: the disk is full at the entry `{entry}`")]
    Full {
        /// The archive.
        archive: Utf8PathBuf,
        /// The entry at hand.
        entry: String,
        /// What the system says.
        source: io::Error,
    },
    /// Writing an entry fails.
    #[error("`{archive}`: the entry `{entry}` can't be written")]
    Write {
        /// The archive.
        archive: Utf8PathBuf,
        /// The entry at hand.
        entry: String,
        /// What the system says.
        source: io::Error,
    },
    /// The folder to unpack into can't be used.
    #[error("`{folder}` can't be unpacked into")]
    Folder {
        /// The folder.
        folder: Utf8PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The folder to unpack into holds something.
    #[error("`{folder}` is not empty, so nothing is unpacked into it")]
    NotEmpty {
        /// The folder.
        folder: Utf8PathBuf,
    },
}

impl UnpackError {
    /// Whether there is only too little room for it.
    #[must_use]
    pub fn wants_room(&self) -> bool {
        matches!(self, Self::Space { .. } | Self::Files { .. } | Self::Full { .. })
    }
}

/// Unpacks an archive into a folder that is empty or does not exist, in one pass over its bytes. If
/// `expected` is given, an archive of another digest is refused. After a failure the folder is as before.
///
/// Files become 0444 or 0555 by their owner's right to execute; owners and times are not taken over.
pub fn unpack(
    archive: &Utf8Path,
    into: &Utf8Path,
    expected: Option<Digest>,
    limits: &Limits,
    progress: &mut dyn FnMut(Progress),
) -> Result<Unpacked, UnpackError> {
    let file =
        File::open(archive).map_err(|source| UnpackError::Open { archive: archive.to_owned(), source })?;
    unpack_file(file, archive, into, expected, limits, progress, Flushing::Early)
}

/// When what is unpacked is written to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flushing {
    /// While the rest is still inflated.
    Early,
    /// When the tree is published: files are shared with other trees before, and to remove what has reached the disk
    /// already takes many times longer than never to write it.
    Late,
}

/// [`unpack`], of an archive that somebody has opened already; its path is for messages.
pub fn unpack_file(
    file: File,
    archive: &Utf8Path,
    into: &Utf8Path,
    expected: Option<Digest>,
    limits: &Limits,
    progress: &mut dyn FnMut(Progress),
    flushing: Flushing,
) -> Result<Unpacked, UnpackError> {
    let unusable = |source| UnpackError::Folder { folder: into.to_owned(), source };
    let again =
        file.try_clone().map_err(|source| UnpackError::Open { archive: archive.to_owned(), source })?;
    let created = match std::fs::create_dir(into) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
        Err(error) => return Err(unusable(error)),
    };
    let root = disk::open_folder(into).map_err(unusable)?;
    if !disk::is_empty(&root).map_err(unusable)? {
        return Err(UnpackError::NotEmpty { folder: into.to_owned() });
    }
    let outcome =
        unpack_below((file, archive), root.as_fd(), limits, progress, flushing).and_then(|unpacked| {
            match expected {
                Some(expected) if expected != unpacked.digest => {
                    Err(UnpackError::Digest { archive: archive.to_owned(), expected, found: unpacked.digest })
                }
                _ => Ok(unpacked),
            }
        });
    outcome.map_err(|error| {
        // The refusal is what matters; a folder that can't be cleared is found by the sweep.
        let _ = disk::clear(root.as_fd());
        if created {
            let _ = std::fs::remove_dir(into);
        }
        told_by_digest(again, archive, expected).unwrap_or(error)
    })
}

/// An archive that is not the one expected is refused for that, whatever else is wrong with it: a download
/// that was cut or replaced is the cause, a broken entry only the effect.
fn told_by_digest(file: File, archive: &Utf8Path, expected: Option<Digest>) -> Option<UnpackError> {
    let expected = expected?;
    let found = gunzip::digest_of(file).ok()?;
    (found != expected).then(|| UnpackError::Digest { archive: archive.to_owned(), expected, found })
}

fn unpack_below(
    (mut file, archive): (File, &Utf8Path),
    root: BorrowedFd<'_>,
    limits: &Limits,
    progress: &mut dyn FnMut(Progress),
    flushing: Flushing,
) -> Result<Unpacked, UnpackError> {
    let unreadable = |source| UnpackError::Read { archive: archive.to_owned(), source };
    let metadata = file.metadata().map_err(unreadable)?;
    let mut start = Vec::with_capacity(MAGIC_LENGTH);
    if metadata.is_file() {
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        (&file).take(MAGIC_LENGTH as u64).read_to_end(&mut start).map_err(unreadable)?;
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    }
    let mut extraction = Extraction::new(archive, root, limits);
    extraction.flushing = flushing;
    let digest = match Kind::of(&start) {
        None => return Err(UnpackError::NotAnArchive { archive: archive.to_owned() }),
        Some(Kind::Zip) => unzip::run(file, metadata.len(), &mut extraction, progress)?,
        Some(Kind::TarGz) => {
            let counts = Counts::read(&mut file).map_err(unreadable)?;
            extraction.check_space(last_size(&mut file).map_err(unreadable)?)?;
            let digest = untar(file, metadata.len(), &mut extraction, progress)?;
            if counts.is_some_and(|counts| {
                (counts.entries, counts.bytes) != (extraction.entries, extraction.bytes)
            }) {
                let what = "its header names another number of entries or bytes than it holds";
                return Err(UnpackError::Malformed { archive: archive.to_owned(), what });
            }
            digest
        }
    };
    let (payload, description) = extraction.finish()?;
    Ok(Unpacked { digest, description, payload, entries: extraction.entries, bytes: extraction.bytes })
}

fn untar(
    file: File,
    size: u64,
    extraction: &mut Extraction<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Digest, UnpackError> {
    let (inflater, stream) = gunzip::pipe(file);
    let (archive, root) = (extraction.archive, extraction.root);
    let early = extraction.flushing == Flushing::Early;
    let (crew, flush) = (Crew::default(), Flush::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_WRITERS);
    let digest = std::thread::scope(|scope| {
        let inflating = scope.spawn(|| inflater.run());
        if early {
            scope.spawn(|| flush.run(root));
        }
        for _ in 0..threads {
            scope.spawn(|| crew.work(root));
        }
        // The stream goes out of scope with the parser, which is what stops the inflater after a refusal.
        let parsed = Untar::new(extraction, stream, &crew, &flush, size, progress).run();
        crew.close(parsed.is_err());
        flush.close();
        parsed.map(|()| inflating.join().ok().flatten())
    })?;
    digest.ok_or_else(|| UnpackError::Malformed {
        archive: archive.to_owned(),
        what: "its stream did not come to an end",
    })
}
