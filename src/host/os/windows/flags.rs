//! How a file is opened and what it may be used for, in the words of POSIX.

use bitflags::bitflags;

bitflags! {
    /// How a file is opened.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct OFlags: u32 {
        /// For reading.
        const RDONLY = 0;
        /// For writing.
        const WRONLY = 1;
        /// For both.
        const RDWR = 2;
        /// It is made if it is missing.
        const CREATE = 1 << 2;
        /// It has to be made.
        const EXCL = 1 << 3;
        /// It has to be a folder.
        const DIRECTORY = 1 << 4;
        /// It may be no link.
        const NOFOLLOW = 1 << 5;
        /// Nothing keeps the caller waiting: here nothing does.
        const NONBLOCK = 1 << 6;
        /// No program that is started gets it: here none does that is not given it.
        const CLOEXEC = 1 << 7;
        /// What is written is added to its end.
        const APPEND = 1 << 8;
        /// What was in it goes.
        const TRUNC = 1 << 9;
    }

    /// How a name is taken.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AtFlags: u32 {
        /// If it is a link, it itself is meant.
        const SYMLINK_NOFOLLOW = 1;
        /// It is a folder that is removed.
        const REMOVEDIR = 2;
        /// By the rights that count for opening.
        const EACCESS = 4;
    }

    /// How a name is given.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RenameFlags: u32 {
        /// It has to be free.
        const NOREPLACE = 1;
        /// The two change their names.
        const EXCHANGE = 2;
    }

    /// The permission bits.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Mode: u32 {
        /// The owner may do everything.
        const RWXU = 0o700;
        /// The owner may read.
        const RUSR = 0o400;
        /// The owner may write.
        const WUSR = 0o200;
        /// The owner may execute.
        const XUSR = 0o100;
        const _ = 0o7777;
    }

    /// For what a file is asked.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Access: u32 {
        /// For reading.
        const READ_OK = 4;
        /// For writing.
        const WRITE_OK = 2;
        /// For execution.
        const EXEC_OK = 1;
        /// For being there.
        const EXISTS = 0;
    }
}

/// The bits of a mode, with those of the kind.
pub type RawMode = u32;

/// A mode from its bits, as chmod(1) has them.
#[must_use]
pub fn mode(bits: u32) -> Mode {
    Mode::from_raw_mode(bits)
}

/// The bits of a mode, without the kind of the file.
#[must_use]
pub fn bits(mode: RawMode) -> u32 {
    mode & 0o7777
}

impl Mode {
    /// The mode of these bits.
    #[must_use]
    pub const fn from_raw_mode(bits: RawMode) -> Self {
        Self::from_bits_retain(bits & 0o7777)
    }

    /// The bits of the mode.
    #[must_use]
    pub const fn as_raw_mode(self) -> RawMode {
        self.bits()
    }
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileType {
    /// A file.
    RegularFile,
    /// A folder.
    Directory,
    /// A symbolic link or a junction.
    Symlink,
    /// A named pipe: here none is a file.
    Fifo,
    /// Nothing of these, or not said.
    Unknown,
}

impl FileType {
    const BITS: RawMode = 0o170_000;

    /// The kind in the bits of a mode.
    #[must_use]
    pub const fn from_raw_mode(bits: RawMode) -> Self {
        match bits & Self::BITS {
            0o100_000 => Self::RegularFile,
            0o040_000 => Self::Directory,
            0o120_000 => Self::Symlink,
            0o010_000 => Self::Fifo,
            _ => Self::Unknown,
        }
    }

    pub(super) const fn bits(self) -> RawMode {
        match self {
            Self::RegularFile => 0o100_000,
            Self::Directory => 0o040_000,
            Self::Symlink => 0o120_000,
            Self::Fifo => 0o010_000,
            Self::Unknown => 0,
        }
    }
}
