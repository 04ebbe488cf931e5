//! How much room an archive will take, told before anything of it is written.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use camino::Utf8Path;

use crate::host::os::AsFd as _;
use crate::package::archive::{Kind, MAGIC_LENGTH};
use crate::package::extraction::Extraction;
use crate::package::limits::Limits;
use crate::package::{attributes, central};

/// What file systems mostly hand out at once, in bytes.
const BLOCK: u64 = 4096;
/// Our part of a gzip header's extra field (RFC 1952, 2.3.1.1): three numbers of eight bytes.
const SUBFIELD: [u8; 4] = [b'M', b'S', 24, 0];
/// The flag that says that there is an extra field.
const HAS_EXTRA: u8 = 1 << 2;
/// Where it begins.
const EXTRA_AT: u64 = 10;
/// The smallest file that is a gzip stream, in bytes.
const SHORTEST: u64 = 18;
/// More than this deflate can't pack into one byte.
const BEST_RATIO: u64 = 1032;

/// The room that an archive takes, as it says itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// In bytes, with what is lost by storing in blocks where the sizes are known.
    pub bytes: u64,
    /// The number of files and folders; 0 where that is not known.
    pub entries: u64,
}

/// The counts that `pack` leaves in the header of an archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) entries: u64,
    /// The sizes of all files.
    pub(crate) bytes: u64,
    /// The same in blocks.
    pub(crate) blocks: u64,
}

impl Counts {
    /// Counts a file of a size, or with none a folder or a link.
    pub(crate) fn add(&mut self, size: Option<u64>) {
        self.entries += 1;
        self.bytes += size.unwrap_or(0);
        self.blocks += size.map_or(1, |size| size.div_ceil(BLOCK));
    }

    /// The extra field of a gzip header that holds them.
    pub(crate) fn field(&self) -> Vec<u8> {
        let mut field = SUBFIELD.to_vec();
        for number in [self.entries, self.bytes, self.blocks] {
            field.extend(number.to_le_bytes());
        }
        field
    }

    /// Reads them from the header of a gzip stream, if they stand there. Leaves the file at its beginning.
    pub(crate) fn read(file: &mut File) -> io::Result<Option<Self>> {
        let mut start = [0; 12];
        file.seek(SeekFrom::Start(0))?;
        let read = file.read_exact(&mut start);
        let length = u64::from(u16::from_le_bytes([start[10], start[11]]));
        let mut extra = Vec::new();
        if read.is_ok() && start[3] & HAS_EXTRA != 0 {
            file.seek(SeekFrom::Start(EXTRA_AT + 2))?;
            file.take(length).read_to_end(&mut extra)?;
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(Self::parse(&extra))
    }

    fn parse(mut extra: &[u8]) -> Option<Self> {
        // Others may have left their subfields there too.
        while let [one, other, low, high, rest @ ..] = extra {
            let (content, after) = rest.split_at_checked(usize::from(u16::from_le_bytes([*low, *high])))?;
            if [*one, *other, *low, *high] == SUBFIELD {
                let number = |at: usize| {
                    let bytes = content.get(at..at + 8)?;
                    Some(u64::from_le_bytes(bytes.try_into().ok()?))
                };
                return Some(Self { entries: number(0)?, bytes: number(8)?, blocks: number(16)? });
            }
            extra = after;
        }
        None
    }
}

/// The room that an archive says it takes. What it says is not believed when it is unpacked: it only makes the refusal
/// of what will not fit an early one. What can't be read here is refused there. Leaves the file at its beginning.
#[must_use]
pub fn of(file: &mut File, archive: &Utf8Path, limits: &Limits) -> Need {
    let need = told(file, archive, limits).ok().flatten().unwrap_or_default();
    // If this fails, so does the reading.
    let _ = file.seek(SeekFrom::Start(0));
    need
}

fn told(file: &mut File, archive: &Utf8Path, limits: &Limits) -> io::Result<Option<Need>> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let mut start = Vec::with_capacity(MAGIC_LENGTH);
    file.seek(SeekFrom::Start(0))?;
    (&*file).take(MAGIC_LENGTH as u64).read_to_end(&mut start)?;
    let counts = match Kind::of(&start) {
        Some(Kind::Zip) => {
            let nowhere = file.try_clone()?;
            let mut extraction = Extraction::counting(archive, nowhere.as_fd(), limits);
            let Ok(central) = central::read(file, metadata.len(), &mut extraction) else { return Ok(None) };
            let mut counts = Counts::default();
            for member in &central.members {
                counts.add(matches!(member.kind, attributes::Kind::File { .. }).then_some(member.size));
            }
            Some(counts)
        }
        Some(Kind::TarGz) => Counts::read(file)?,
        None => return Ok(None),
    };
    Ok(Some(match counts {
        Some(counts) => Need { bytes: counts.blocks.saturating_mul(BLOCK), entries: counts.entries },
        None => Need { bytes: last_size(file)?, entries: 0 },
    }))
}

/// The inflated size of the last gzip member modulo 4 GiB, which stands in the last four bytes (RFC 1952,
/// 2.3.1): the whole needs at least as much room. An archive that lies here is refused by its checksum.
pub(crate) fn last_size(file: &mut File) -> io::Result<u64> {
    let mut size = [0; 4];
    let length = file.seek(SeekFrom::End(0))?;
    if length >= SHORTEST {
        file.seek(SeekFrom::Start(length - 4))?;
        file.read_exact(&mut size)?;
    }
    file.seek(SeekFrom::Start(0))?;
    let size = u64::from(u32::from_le_bytes(size));
    // More than deflate can pack is no size at all.
    Ok(if size > length.saturating_mul(BEST_RATIO) { 0 } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_stand_among_what_others_left() {
        let mut counts = Counts::default();
        counts.add(Some(5000));
        counts.add(None);
        counts.add(Some(0));
        assert_eq!(counts, Counts { entries: 3, bytes: 5000, blocks: 3 });
        let field = [b"XY\x02\x00ab".to_vec(), counts.field()].concat();
        assert_eq!(Counts::parse(&field), Some(counts));
        assert_eq!(Counts::parse(&field[..field.len() - 1]), None);
        assert_eq!(Counts::parse(b"XY\x02\x00ab"), None);
        assert_eq!(Counts::parse(b""), None);
    }
}
