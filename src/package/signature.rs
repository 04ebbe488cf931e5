//! Signatures in the form of minisign (<https://jedisct1.github.io/minisign/>): who vouches for an archive, and for
//! which package and version.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use camino::Utf8PathBuf;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::model::digest::Digest;
use crate::model::name::ComponentName;
use crate::model::public_key::PublicKey;
use crate::model::size::Size;
use crate::model::version::Version;

/// What follows the name of an archive in that of its signature.
pub const ENDING: &str = ".minisig";
/// No signature is larger, in bytes.
pub const LARGEST: u64 = 16 << 10;
/// An old signature is over the whole file, which has to be in memory for it.
const LARGEST_LEGACY: u64 = 256 << 20;
const CHUNK: usize = 256 << 10;

/// Why a signature does not vouch for an archive.
#[derive(Debug, Error)]
pub enum SignatureError {
    /// There is none.
    #[error("`{archive}` is not signed, and archives of this instance have to be, with the key {key}")]
    Missing {
        /// The archive.
        archive: Utf8PathBuf,
        /// The key.
        key: PublicKey,
    },
    /// It is none.
    #[error("the signature of `{archive}` is none: {what}")]
    Malformed {
        /// The archive.
        archive: Utf8PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// It was made with another key.
    #[error("`{archive}` is signed with another key than {key}")]
    OtherKey {
        /// The archive.
        archive: Utf8PathBuf,
        /// The key that was wanted.
        key: PublicKey,
    },
    /// It does not fit the archive, or its comment does not fit it.
    #[error(
        "the signature does not fit `{archive}`: the archive, the signature or its comment was exchanged"
    )]
    Wrong {
        /// The archive.
        archive: Utf8PathBuf,
    },
    /// Its comment does not say what it should.
    #[error("the signature of `{archive}` vouches for {found}, not for {wanted}")]
    Other {
        /// The archive.
        archive: Utf8PathBuf,
        /// What its comment says.
        found: String,
        /// What is wanted.
        wanted: String,
    },
    /// A signature of the old kind over too large a file.
    #[error("`{archive}` is larger than {limit}, and its signature is of the old kind, over the whole file")]
    Legacy {
        /// The archive.
        archive: Utf8PathBuf,
        /// Up to which size it can be verified.
        limit: Size,
    },
    /// The archive can't be read.
    #[error("`{archive}` can't be read")]
    Read {
        /// The archive.
        archive: Utf8PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A signature, read and not yet verified.
pub struct Signature {
    archive: Utf8PathBuf,
    inner: minisign_verify::Signature,
    is_legacy: bool,
}

/// What a signature vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// The digest of the bytes that it was verified over.
    pub digest: Digest,
    /// The key that made it.
    pub by: PublicKey,
    archive: Utf8PathBuf,
    words: Vec<String>,
}

impl Signature {
    /// Reads the signature of an archive, whose name is for messages.
    pub fn read(archive: Utf8PathBuf, text: &str) -> Result<Self, SignatureError> {
        match minisign_verify::Signature::decode(text) {
            // Two letters in base64 say of which kind it is: `Ed` for the old one, `ED` for that over a digest.
            Ok(inner) => {
                let is_legacy = text.lines().nth(1).is_some_and(|line| line.starts_with("RW"));
                Ok(Self { archive, inner, is_legacy })
            }
            Err(error) => Err(SignatureError::Malformed { archive, what: error.to_string() }),
        }
    }

    /// Verifies it over the bytes of an open file, which are hashed in the same pass.
    pub fn verify(&self, key: &PublicKey, mut file: &File) -> Result<Vouched, SignatureError> {
        let archive = || self.archive.clone();
        let unreadable = |source| SignatureError::Read { archive: archive(), source };
        let refused = |error: minisign_verify::Error| match error {
            minisign_verify::Error::UnexpectedKeyId => {
                SignatureError::OtherKey { archive: archive(), key: key.clone() }
            }
            minisign_verify::Error::InvalidSignature => SignatureError::Wrong { archive: archive() },
            other => SignatureError::Malformed { archive: archive(), what: other.to_string() },
        };
        let theirs = minisign_verify::PublicKey::from_base64(key.as_str()).map_err(refused)?;
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let digest = if self.is_legacy {
            let mut bytes = Vec::new();
            file.take(LARGEST_LEGACY + 1).read_to_end(&mut bytes).map_err(unreadable)?;
            if bytes.len() as u64 > LARGEST_LEGACY {
                let limit = Size::new(LARGEST_LEGACY);
                return Err(SignatureError::Legacy { archive: archive(), limit });
            }
            theirs.verify(&bytes, &self.inner, true).map_err(refused)?;
            Digest::of(&bytes)
        } else {
            let mut verifier = theirs.verify_stream(&self.inner).map_err(refused)?;
            let mut hasher = Sha256::new();
            let mut buffer = vec![0; CHUNK];
            loop {
                match file.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => {
                        verifier.update(&buffer[..count]);
                        hasher.update(&buffer[..count]);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(unreadable(error)),
                }
            }
            verifier.finalize().map_err(refused)?;
            Digest::finish(hasher)
        };
        let words = self.inner.trusted_comment().split_whitespace().map(str::to_owned).collect();
        Ok(Vouched { digest, by: key.clone(), archive: archive(), words })
    }
}

impl Vouched {
    /// What the comment says of something, as in `version:1.0.0`; nothing where it says several things.
    fn says(&self, of: &str) -> Option<&str> {
        let mut said = self.words.iter().filter_map(|word| word.strip_prefix(of)?.strip_prefix(':'));
        said.next().filter(|_| said.next().is_none())
    }

    /// Whether it names another key as the one to trust from now on.
    #[must_use]
    pub fn introduces(&self, key: &PublicKey) -> bool {
        self.says("key") == Some(key.as_str())
    }

    /// Refuses a signature for another package: one of the same maker, put in this one's place.
    pub fn check_name(&self, component: &ComponentName) -> Result<(), SignatureError> {
        self.check("name", component.as_str())
    }

    /// Refuses a signature for another version: an old one with a known fault, put in a new one's place.
    pub fn check_version(&self, version: &Version) -> Result<(), SignatureError> {
        self.check("version", version.as_str())
    }

    fn check(&self, of: &str, wanted: &str) -> Result<(), SignatureError> {
        let said = self.says(of);
        if said == Some(wanted) {
            return Ok(());
        }
        let found = match said {
            Some(said) => format!("the {of} `{said}`"),
            None => format!("no one {of} (its trusted comment has no single `{of}:…`)"),
        };
        let wanted = format!("the {of} `{wanted}`");
        Err(SignatureError::Other { archive: self.archive.clone(), found, wanted })
    }
}
