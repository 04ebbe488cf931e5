//! One tar header: 512 bytes, POSIX.1-1988 ustar with GNU's extensions
//! (<https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html>, section "ustar Interchange Format").

use std::ops::Range;

use crate::package::fault::Fault;

/// The size of a header, and the unit that contents are padded to.
pub(crate) const BLOCK: usize = 512;

const NAME: Range<usize> = 0..100;
const MODE: Range<usize> = 100..108;
const SIZE: Range<usize> = 124..136;
/// Numbers that are not taken over: the owner's, the group's, the time, the device's two. Python ends without a word
/// at one that it can't read.
const OTHERS: [Range<usize>; 5] = [108..116, 116..124, 136..148, 329..337, 337..345];
const CHECKSUM: Range<usize> = 148..156;
const TYPE: usize = 156;
const LINK_NAME: Range<usize> = 157..257;
const MAGIC: Range<usize> = 257..265;
const PREFIX: Range<usize> = 345..500;

const USTAR: &[u8] = b"ustar\x0000";
const GNU: &[u8] = b"ustar  \0";

/// A header with a right checksum.
pub(crate) struct Header<'a>(&'a [u8; BLOCK]);

impl<'a> Header<'a> {
    /// Takes a block for a header if its checksum says so.
    pub(crate) fn new(block: &'a [u8; BLOCK]) -> Result<Self, Fault> {
        let sum: u64 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| if CHECKSUM.contains(&at) { u64::from(b' ') } else { u64::from(*byte) })
            .sum();
        if number(&block[CHECKSUM])? != sum {
            return Err(Fault::Header("its checksum is wrong"));
        }
        Ok(Self(block))
    }

    /// Whether a block is one of the two that end an archive.
    pub(crate) fn is_end(block: &[u8; BLOCK]) -> bool {
        block.iter().all(|byte| *byte == 0)
    }

    /// The type of the entry.
    pub(crate) fn kind(&self) -> u8 {
        self.0[TYPE]
    }

    /// The name: only ustar has a prefix, GNU keeps times in its place.
    pub(crate) fn name(&self) -> Vec<u8> {
        let name = text(&self.0[NAME]);
        let prefix = if &self.0[MAGIC] == USTAR { text(&self.0[PREFIX]) } else { &[] };
        if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
    }

    /// What a link leads to.
    pub(crate) fn link_name(&self) -> &[u8] {
        text(&self.0[LINK_NAME])
    }

    /// The mode, with whatever bits it has.
    pub(crate) fn mode(&self) -> Result<u64, Fault> {
        number(&self.0[MODE])
    }

    /// The size of the content that follows.
    pub(crate) fn size(&self) -> Result<u64, Fault> {
        number(&self.0[SIZE])
    }

    /// Refuses a format that is none of the three in use: ustar, GNU, and the one before both.
    pub(crate) fn check_format(&self) -> Result<(), Fault> {
        let magic = &self.0[MAGIC];
        if magic != USTAR && magic != GNU && magic.iter().any(|byte| *byte != 0) {
            return Err(Fault::Header("it is of an unknown format"));
        }
        if magic != USTAR && self.0[PREFIX][0] != 0 {
            return Err(Fault::Header("some readers put what stands in it before the name"));
        }
        for field in OTHERS {
            other_number(&self.0[field])?;
        }
        Ok(())
    }
}

fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..end]
}

/// A number: octal digits between spaces and NULs, or GNU's base 256, whose first bit is set.
fn number(field: &[u8]) -> Result<u64, Fault> {
    let broken = Fault::Header("a number in it is broken");
    if field[0] & 0x80 != 0 {
        let (high, low) = field.split_at(field.len().saturating_sub(8));
        let (first, low) = if high.is_empty() { (low[0], &low[1..]) } else { (high[0], low) };
        if first != 0x80 || high.iter().skip(1).any(|byte| *byte != 0) {
            return Err(broken);
        }
        return Ok(low.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)));
    }
    let padding = |byte: &u8| matches!(*byte, b' ' | 0);
    let start = field.iter().position(|byte| *byte != b' ').unwrap_or(field.len());
    let digits = &field[start..];
    let end = digits.iter().position(padding).unwrap_or(digits.len());
    if !digits[end..].iter().all(padding) {
        return Err(broken);
    }
    digits[..end].iter().try_fold(0_u64, |value, digit| match digit {
        b'0'..=b'7' => Ok(value << 3 | u64::from(digit - b'0')),
        _ => Err(broken.clone()),
    })
}

/// A number that is not taken over, but has to be one: a time may lie before 1970, which base 256 can say.
fn other_number(field: &[u8]) -> Result<(), Fault> {
    if field[0] == 0xff { Ok(()) } else { number(field).map(drop) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_every_form_in_use_are_read() {
        for (field, value) in [
            (&b"0000644\0"[..], 0o644),
            (b"   644 \0", 0o644),
            (b"77777777", 0o77_777_777),
            (b"\0\0\0\0\0\0\0\0", 0),
            (b"        ", 0),
            (b"\x80\0\0\0\0\0\x01\x02", 258),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\0", 256),
            (b"77777777777\0", 0o77_777_777_777),
        ] {
            assert_eq!(number(field), Ok(value), "{field:?}");
        }
    }

    #[test]
    fn numbers_that_readers_disagree_on_are_refused() {
        for field in [
            &b"0000648\0"[..],
            b"644\x00644\0",
            b"-644   \0",
            b"\xff\0\0\0\0\0\0\0",
            b"\x80\x01\0\0\0\0\0\0\0\0\0\0",
            b"0x10\0\0\0\0",
        ] {
            assert!(number(field).is_err(), "{field:?}");
        }
    }

    #[test]
    fn a_header_counts_only_with_its_checksum() {
        let mut block = [0; BLOCK];
        let mut header = tar::Header::new_ustar();
        header.set_path("a/".repeat(80) + "file").unwrap();
        header.set_size(7);
        header.set_mode(0o755);
        header.set_cksum();
        block.copy_from_slice(header.as_bytes());
        let read = Header::new(&block).map(|header| (header.name(), header.size(), header.mode()));
        assert_eq!(read.ok(), Some((("a/".repeat(80) + "file").into_bytes(), Ok(7), Ok(0o755))));
        block[0] = b'b';
        assert!(Header::new(&block).is_err());
        assert!(Header::is_end(&[0; BLOCK]) && !Header::is_end(&block));
    }
}
