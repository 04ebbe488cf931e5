//! What can be wrong with an entry of an archive.

use thiserror::Error;

use crate::model::size::Size;

/// Why an entry is refused. Reads on after the entry's name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// A name from the root of the file system.
    #[error("has an absolute name")]
    Absolute,
    /// A `..` in a name.
    #[error("climbs out of its folder with `..`")]
    Climbs,
    /// No name, or a name with an empty or `.` part.
    #[error("has a name with an empty part")]
    EmptyPart,
    /// A NUL in a name: C programs would see a shorter one.
    #[error("has a NUL in its name")]
    Nul,
    /// A backslash: a separator on Windows.
    #[error("has a backslash in its name, which is a separator on Windows")]
    Backslash,
    /// `C:`.
    #[error("has a name with a drive letter")]
    DriveLetter,
    /// A colon: on Windows it opens an alternate data stream.
    #[error("has a colon in its name, which opens a hidden stream on Windows")]
    Colon,
    /// A control character.
    #[error("has a control character in its name")]
    Control,
    /// Something that is not UTF-8.
    #[error("has a name that is not UTF-8")]
    NotUtf8,
    /// A name that libarchive and macOS spell with other bytes.
    #[error(
        "has a name, or leads to one, whose letters are not composed (Unicode's form NFC): some readers compose them"
    )]
    Decomposed,
    /// A device's name on Windows, with any extension.
    #[error("has a name that Windows keeps for a device")]
    Device,
    /// Windows drops these, so that two names become one.
    #[error("has a name that ends with a dot or a space, which Windows drops")]
    TrailingDotOrSpace,
    /// A part longer than file systems take.
    #[error("has a part of its name longer than {0} bytes")]
    LongPart(usize),
    /// A name longer than the limit.
    #[error("has a name longer than {0} bytes")]
    LongName(usize),
    /// Too many folders.
    #[error("lies more than {0} folders deep")]
    Deep(usize),
    /// One entry too many.
    #[error("is one too many: more than {0} entries")]
    TooManyEntries(u64),
    /// A file above the limit.
    #[error("is larger than {0}")]
    FileTooLarge(Size),
    /// All files together above the limit.
    #[error("brings the whole above {0}")]
    TotalTooLarge(Size),
    /// A bomb.
    #[error("inflates to more than {0} times its packed size")]
    Bomb(u64),
    /// The same name twice.
    #[error("comes twice")]
    Duplicate,
    /// Two names that some file system takes for one.
    #[error("is the same name as `{0}` where case or Unicode form does not count")]
    Collision(String),
    /// A file or link that is used as a folder.
    #[error("lies below `{0}`, which is not a folder")]
    BelowFile(String),
    /// setuid, setgid or sticky.
    #[error("has the setuid, setgid or sticky bit")]
    SpecialBits,
    /// A device, a pipe, a socket.
    #[error("is a {0}")]
    Special(&'static str),
    /// A sparse file: formats disagree on what it holds.
    #[error("is a sparse file")]
    Sparse,
    /// A type that this reader does not know: skipping it would be a guess.
    #[error("has the unknown type `{0}`")]
    UnknownType(String),
    /// A hard link to something that is not a file written before.
    #[error("is a hard link to `{0}`, which is not a file that came before it")]
    HardLink(String),
    /// A symbolic link, on a system where only administrators may make one.
    #[error("is a symbolic link, which no ordinary account can make on this system: pack what it leads to")]
    Link,
    /// A symbolic link out of the tree.
    #[error("is a symbolic link to `{0}`, outside the package")]
    LinkOutside(String),
    /// A link that goes round in circles, or one too long to follow.
    #[error("is a symbolic link to `{0}`, which can't be followed to an end")]
    LinkLoop(String),
    /// Content where there can be none: readers disagree on whether to skip it.
    #[error("has content, and its type has none")]
    UnexpectedContent,
    /// Two sizes in one entry: readers disagree on where the next one begins.
    #[error("has two sizes: {header} in its header, {extended} in its extended header")]
    TwoSizes {
        /// In the ustar header.
        header: u64,
        /// In the PAX header.
        extended: u64,
    },
    /// A name that the version tree needs for itself.
    #[error("has a name that mainstay keeps for itself")]
    Kept,
    /// A broken header.
    #[error("has a broken header: {0}")]
    Header(&'static str),
    /// A broken extended header.
    #[error("has a broken extended header: {0}")]
    Extended(&'static str),
    /// An encrypted entry.
    #[error("is encrypted")]
    Encrypted,
    /// A compression that this reader does not know.
    #[error("is compressed with method {0}: only stored and deflated entries are read")]
    Method(u16),
    /// The header beside the content and the one in the central directory disagree.
    #[error("is described differently in two places: {0}")]
    Mismatch(&'static str),
    /// Its bytes belong to another entry as well.
    #[error("overlaps `{0}`")]
    Overlap(String),
    /// Bytes that belong to nothing.
    #[error("follows bytes that belong to no entry")]
    Gap,
    /// Content that can't be inflated.
    #[error("has content that can't be inflated")]
    Inflate,
    /// Content that is not what was packed.
    #[error("has content that does not match its checksum or size")]
    Checksum,
}
