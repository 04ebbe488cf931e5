//! What kind of archive a file is, told by its first bytes: a name proves nothing.

/// A kind of archive that can be a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A tar compressed with gzip: `.tar.gz`, `.tgz`.
    TarGz,
    /// A zip: `.zip`, `.whl`.
    Zip,
}

/// How many bytes from a file's start [`Kind::of`] wants to see.
pub const MAGIC_LENGTH: usize = 4;

impl Kind {
    /// The kind of a file that begins with these bytes.
    ///
    /// gzip is told by its two identifying bytes and the only method it has (RFC 1952, 2.3.1), a zip by the
    /// signature of its first entry, or, when it has none, of its end record (APPNOTE 4.3.7, 4.3.16).
    #[must_use]
    pub fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, 8, ..] => Some(Self::TarGz),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides() {
        assert_eq!(Kind::of(&[0x1f, 0x8b, 8, 0, 0]), Some(Kind::TarGz));
        assert_eq!(Kind::of(b"PK\x03\x04rest"), Some(Kind::Zip));
        assert_eq!(Kind::of(b"PK\x05\x06"), Some(Kind::Zip));
        assert_eq!(Kind::of(b"\x7fELF"), None);
        assert_eq!(Kind::of(b"MZPK"), None);
        assert_eq!(Kind::of(b""), None);
    }
}
