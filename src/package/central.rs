//! A zip's central directory, read strictly.
//!
//! A zip says everything twice and lets anything stand between: readers that believe different halves see
//! different archives. So the entries must fill the file from its first byte to the directory without gap
//! or overlap, and [`crate::package::unzip`] compares the second account while it reads the contents.
//! Format: <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>, whose sections are cited.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use crate::package::attributes::{self, Kind};
use crate::package::entry::{EntryName, Named, shown};
use crate::package::extraction::Extraction;
use crate::package::fault::Fault;
use crate::package::unpack::UnpackError;

/// Bits 1 and 2: how hard was tried; bit 3: see below; bit 11: the name is UTF-8 (4.4.4). What the others mean,
/// readers don't agree on.
const KNOWN: u16 = 1 << 1 | 1 << 2 | DESCRIBED_LATER | UTF8;
/// Bit 11: the name is UTF-8 (4.4.4). Without it, readers take it for that of code pages.
const UTF8: u16 = 1 << 11;
/// Bit 0: encrypted; bit 6: strongly; bit 13: with a masked directory (4.4.4).
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// Bit 3: sizes and checksum follow the content (4.4.4).
pub(crate) const DESCRIBED_LATER: u16 = 1 << 3;
/// Stored as it is (4.4.5).
pub(crate) const STORED: u16 = 0;
/// Deflated (4.4.5).
pub(crate) const DEFLATED: u16 = 8;
/// The longest directory, in bytes.
const LONGEST: u64 = 64 << 20;
const END_LENGTH: usize = 22;
const LOCATOR_LENGTH: usize = 20;

/// One member, as the directory describes it.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) raw: Vec<u8>,
    pub(crate) name: Option<EntryName>,
    pub(crate) kind: Kind,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) checksum: u32,
    pub(crate) packed: u64,
    pub(crate) size: u64,
    pub(crate) offset: u64,
}

/// The directory.
#[derive(Debug)]
pub(crate) struct Central {
    /// Its members, in the order of the file.
    pub(crate) members: Vec<Member>,
    /// Where it begins.
    pub(crate) start: u64,
    /// Its bytes and all that follow.
    pub(crate) tail: Vec<u8>,
}

/// Little-endian numbers at a place in a record whose length was checked.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// Where the directory lies, and how many members it has.
struct Place {
    start: u64,
    length: u64,
    members: u64,
}

/// Reads the directory and enters every member: names, kinds, sizes and places are judged before the first
/// byte is written.
pub(crate) fn read(
    file: &mut File,
    size: u64,
    extraction: &mut Extraction<'_>,
) -> Result<Central, UnpackError> {
    let archive = extraction.archive;
    let malformed = |what| UnpackError::Malformed { archive: archive.to_owned(), what };
    let unreadable = |source: io::Error| UnpackError::Read { archive: archive.to_owned(), source };

    let reach = size.min((END_LENGTH + LOCATOR_LENGTH + 56 + usize::from(u16::MAX)) as u64);
    let ending = read_from(file, size - reach, reach).map_err(unreadable)?;
    let end = find_end(&ending).map_err(|problem| match problem {
        EndProblem::Missing => {
            UnpackError::Truncated { archive: archive.to_owned(), entry: "its end record".into() }
        }
        EndProblem::Trailing => UnpackError::Trailing { archive: archive.to_owned() },
        EndProblem::Several => malformed("its comment holds another end record"),
    })?;
    let place = place(&ending, end, size - reach).map_err(malformed)?;
    if place.length > LONGEST {
        return Err(malformed("its directory is too long"));
    }
    let tail = read_from(file, place.start, size - place.start).map_err(unreadable)?;
    let directory = usize::try_from(place.length).ok().and_then(|length| tail.get(..length));
    let mut rest = directory.ok_or_else(|| malformed("its directory lies beyond its end"))?;

    let mut members = Vec::new();
    while !rest.is_empty() {
        let (record, names, after) = split(rest).ok_or_else(|| malformed("its directory is broken"))?;
        rest = after;
        members.push(member(record, &names, extraction)?);
    }
    if members.len() as u64 != place.members {
        return Err(malformed("its directory has another number of entries than its end record says"));
    }
    members.sort_by_key(|member| member.offset);
    check_layout(&members, place.start, extraction)?;
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    Ok(Central { members, start: place.start, tail })
}

fn read_from(file: &mut File, start: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

enum EndProblem {
    Missing,
    Trailing,
    Several,
}

/// Finds the end record (4.3.16), whose comment must end with the file.
fn find_end(ending: &[u8]) -> Result<usize, EndProblem> {
    let signed: Vec<usize> = ending
        .windows(4)
        .enumerate()
        .filter(|(at, window)| *window == b"PK\x05\x06" && at + END_LENGTH <= ending.len())
        .map(|(at, _)| at)
        .collect();
    let mut fitting =
        signed.iter().filter(|at| **at + END_LENGTH + usize::from(u16_at(ending, **at + 20)) == ending.len());
    match (fitting.next(), fitting.next()) {
        (Some(at), None) => Ok(*at),
        (Some(_), Some(_)) => Err(EndProblem::Several),
        _ if signed.is_empty() => Err(EndProblem::Missing),
        _ => Err(EndProblem::Trailing),
    }
}

/// Reads the end record, and that of Zip64 (4.3.14, 4.3.15) where there is one.
fn place(ending: &[u8], end: usize, base: u64) -> Result<Place, &'static str> {
    let record = &ending[end..];
    if u16_at(record, 4) != 0 || u16_at(record, 6) != 0 || u16_at(record, 8) != u16_at(record, 10) {
        return Err("it is one part of several");
    }
    let short = Place {
        start: u64::from(u32_at(record, 16)),
        length: u64::from(u32_at(record, 12)),
        members: u64::from(u16_at(record, 10)),
    };
    let locator = end.checked_sub(LOCATOR_LENGTH).map(|at| (at, &ending[at..]));
    let Some((at, locator)) = locator.filter(|(_, locator)| locator.starts_with(b"PK\x06\x07")) else {
        return if short.start.checked_add(short.length) == Some(base + end as u64) {
            Ok(short)
        } else {
            Err("its end record does not follow its directory")
        };
    };
    let long_at = u64_at(locator, 8).checked_sub(base).and_then(|long_at| usize::try_from(long_at).ok());
    let record = long_at.and_then(|long_at| ending.get(long_at..at)).filter(|record| record.len() >= 56);
    let record = record.ok_or("its Zip64 end record is out of place")?;
    if !record.starts_with(b"PK\x06\x06") || u64_at(record, 4).checked_add(12) != Some(record.len() as u64) {
        return Err("its Zip64 end record is broken");
    }
    if u32_at(record, 16) != 0 || u32_at(record, 20) != 0 || u64_at(record, 24) != u64_at(record, 32) {
        return Err("it is one part of several");
    }
    let long = Place { start: u64_at(record, 48), length: u64_at(record, 40), members: u64_at(record, 32) };
    let same = |short: u64, long: u64, full: u64| short == long || short == full;
    if !same(short.start, long.start, u64::from(u32::MAX))
        || !same(short.length, long.length, u64::from(u32::MAX))
        || !same(short.members, long.members, u64::from(u16::MAX))
    {
        return Err("its two end records disagree");
    }
    if long.start.checked_add(long.length) != Some(u64_at(locator, 8)) {
        return Err("its end record does not follow its directory");
    }
    Ok(long)
}

struct Names<'a> {
    name: &'a [u8],
    extra: &'a [u8],
}

/// Splits off one record of the directory (4.3.12).
fn split(rest: &[u8]) -> Option<(&[u8], Names<'_>, &[u8])> {
    let (record, rest) = rest.split_at_checked(46)?;
    if !record.starts_with(b"PK\x01\x02") {
        return None;
    }
    let (name, rest) = rest.split_at_checked(usize::from(u16_at(record, 28)))?;
    let (extra, rest) = rest.split_at_checked(usize::from(u16_at(record, 30)))?;
    let (_, rest) = rest.split_at_checked(usize::from(u16_at(record, 32)))?;
    Some((record, Names { name, extra }, rest))
}

fn member(record: &[u8], names: &Names<'_>, extraction: &mut Extraction<'_>) -> Result<Member, UnpackError> {
    let parsed = extraction.name(names.name)?;
    let slashed = !matches!(parsed, Named::Entry { folder: false, .. });
    let checked = describe(record, names, slashed);
    let member = checked.map_err(|fault| extraction.refuse(names.name, fault))?;
    let name = match parsed {
        Named::Root => None,
        Named::Entry { name, .. } => Some(name),
    };
    if let Some(name) = &name {
        match member.kind {
            Kind::Folder => extraction.enter_folder(name)?,
            Kind::File { .. } => extraction.enter_file(name, member.size)?,
            // Its target is its content.
            Kind::Link => extraction.enter_link(name, b"")?,
        }
    }
    if extraction.limits.is_bomb(member.packed, member.size) {
        return Err(extraction.refuse(names.name, Fault::Bomb(extraction.limits.ratio)));
    }
    Ok(Member { name, ..member })
}

fn describe(record: &[u8], names: &Names<'_>, slashed: bool) -> Result<Member, Fault> {
    let flags = u16_at(record, 8);
    if flags & ENCRYPTED != 0 {
        return Err(Fault::Encrypted);
    }
    if flags & !KNOWN != 0 {
        return Err(Fault::Header("it has flags that readers take differently"));
    }
    let on_unix = attributes::is_of_unix(u16_at(record, 4));
    check_letters(names.name, flags & UTF8 != 0, on_unix)?;
    let method = u16_at(record, 10);
    if !matches!(method, STORED | DEFLATED) {
        return Err(Fault::Method(method));
    }
    let mut size = u64::from(u32_at(record, 24));
    let mut packed = u64::from(u32_at(record, 20));
    let mut offset = u64::from(u32_at(record, 42));
    let fields = Extra::parse(names.extra)?;
    fields.widen(&mut [&mut size, &mut packed, &mut offset])?;
    fields.check_name(names.name)?;
    if u16_at(record, 34) != 0 {
        return Err(Fault::Header("it lies on another disk"));
    }
    if method == STORED && packed != size {
        return Err(Fault::Mismatch("it is stored, and its two sizes differ"));
    }
    let kind = attributes::kind(on_unix, u32_at(record, 38), slashed, size)?;
    let checksum = u32_at(record, 16);
    Ok(Member { raw: names.name.to_vec(), name: None, kind, flags, method, checksum, packed, size, offset })
}

/// The extra fields that matter (4.5).
#[derive(Default)]
pub(crate) struct Extra<'a> {
    wide: Option<&'a [u8]>,
    unicode_name: Option<&'a [u8]>,
}

impl<'a> Extra<'a> {
    pub(crate) fn parse(mut extra: &'a [u8]) -> Result<Self, Fault> {
        let broken = || Fault::Header("its extra field is broken");
        let mut found = Self::default();
        while !extra.is_empty() {
            let (head, rest) = extra.split_at_checked(4).ok_or_else(broken)?;
            let (data, rest) = rest.split_at_checked(usize::from(u16_at(head, 2))).ok_or_else(broken)?;
            extra = rest;
            let before = match u16_at(head, 0) {
                0x0001 => found.wide.replace(data),
                // Info-ZIP's Unicode path: a version, a checksum, the name (4.6.9).
                // An experiment of libarchive's: other attributes than the directory's.
                0x6c78 => return Err(Fault::Header("it has attributes that only some readers know")),
                0x7075 => found.unicode_name.replace(data.get(5..).ok_or_else(broken)?),
                _ => None,
            };
            if before.is_some() {
                return Err(broken());
            }
        }
        Ok(found)
    }

    /// Refuses another name than the header has.
    pub(crate) fn check_name(&self, name: &[u8]) -> Result<(), Fault> {
        if self.unicode_name.is_some_and(|unicode| unicode != name) {
            return Err(Fault::Mismatch("its name in Unicode is another"));
        }
        Ok(())
    }

    /// Replaces those of the values that did not fit into 32 bits by those that Zip64 keeps (4.5.3).
    pub(crate) fn widen(&self, values: &mut [&mut u64]) -> Result<(), Fault> {
        let mut wide = self.wide.unwrap_or_default();
        for value in values.iter_mut().filter(|value| ***value == u64::from(u32::MAX)) {
            if self.wide.is_some() {
                let (number, rest) =
                    wide.split_at_checked(8).ok_or(Fault::Header("its Zip64 field is too short"))?;
                **value = u64_at(number, 0);
                wide = rest;
            }
        }
        Ok(())
    }
}

/// Refuses names that other readers spell differently: without the mark of UTF-8 they guess a code page, and unzip
/// does so for some systems in spite of it.
fn check_letters(name: &[u8], is_utf8: bool, on_unix: bool) -> Result<(), Fault> {
    if name.is_ascii() {
        return Ok(());
    }
    if !is_utf8 {
        return Err(Fault::Header("its name is not ASCII, and not marked as UTF-8"));
    }
    if !on_unix {
        return Err(Fault::Header("its name is not ASCII, and some readers guess its letters by the system"));
    }
    Ok(())
}

/// Refuses gaps and overlaps as far as the directory shows them.
fn check_layout(members: &[Member], start: u64, extraction: &Extraction<'_>) -> Result<(), UnpackError> {
    let Some(first) = members.first() else {
        return Err(UnpackError::Empty { archive: extraction.archive.to_owned() });
    };
    if first.offset != 0 {
        return Err(extraction.refuse(&first.raw, Fault::Gap));
    }
    let starts = members
        .iter()
        .skip(1)
        .map(|next| (next.offset, &next.raw[..]))
        .chain([(start, &b"its directory"[..])]);
    for (member, (next, name)) in members.iter().zip(starts) {
        let least = member.offset.saturating_add(30 + member.raw.len() as u64).saturating_add(member.packed);
        if next < least {
            return Err(extraction.refuse(&member.raw, Fault::Overlap(shown(name))));
        }
    }
    Ok(())
}
