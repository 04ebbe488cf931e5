//! Archives made byte by byte, so that they can be wrong in every way that a packer refuses to write.
#![allow(dead_code)]

pub(crate) mod odd;

use std::io::Write as _;

/// One tar entry: a ustar header and its content.
pub(crate) struct Entry<'a> {
    /// What stands in the header instead of the usual: where, and which bytes.
    pub(crate) fields: Vec<(usize, Vec<u8>)>,
    pub(crate) name: &'a [u8],
    pub(crate) kind: u8,
    pub(crate) mode: u32,
    pub(crate) size: Option<u64>,
    pub(crate) link: &'a [u8],
    pub(crate) content: &'a [u8],
}

impl Default for Entry<'_> {
    fn default() -> Self {
        Self { fields: Vec::new(), name: b"", kind: b'0', mode: 0o644, size: None, link: b"", content: b"" }
    }
}

impl Entry<'_> {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut block = [0_u8; 512];
        block[..self.name.len()].copy_from_slice(self.name);
        block[100..108].copy_from_slice(format!("{:07o}\0", self.mode).as_bytes());
        block[108..116].copy_from_slice(b"0000000\0");
        block[116..124].copy_from_slice(b"0000000\0");
        let size = self.size.unwrap_or(self.content.len() as u64);
        block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
        block[136..148].copy_from_slice(b"00000000000\0");
        block[156] = self.kind;
        block[157..157 + self.link.len()].copy_from_slice(self.link);
        block[257..265].copy_from_slice(b"ustar\x0000");
        for (at, bytes) in &self.fields {
            block[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        seal(&mut block);
        let mut bytes = block.to_vec();
        bytes.extend_from_slice(self.content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }
}

/// Puts the right checksum into a header.
pub(crate) fn seal(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block[..512].iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

pub(crate) fn file(name: &str, content: &str) -> Vec<u8> {
    Entry { name: name.as_bytes(), content: content.as_bytes(), ..Entry::default() }.bytes()
}

pub(crate) fn folder(name: &str) -> Vec<u8> {
    Entry { name: name.as_bytes(), kind: b'5', mode: 0o755, ..Entry::default() }.bytes()
}

pub(crate) fn link(kind: u8, name: &str, target: &str) -> Vec<u8> {
    // A hard link has the mode of its file.
    let mode = if kind == b'1' { 0o644 } else { 0o777 };
    Entry { name: name.as_bytes(), kind, mode, link: target.as_bytes(), ..Entry::default() }.bytes()
}

pub(crate) fn special(kind: u8, name: &str) -> Vec<u8> {
    Entry { name: name.as_bytes(), kind, ..Entry::default() }.bytes()
}

pub(crate) fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut content = String::new();
    for (keyword, value) in records {
        let bare = keyword.len() + value.len() + 3;
        let length = (bare + 1..bare + 9).find(|length| length.to_string().len() + bare == *length).unwrap();
        content.extend([&length.to_string(), " ", keyword, "=", value, "\n"]);
    }
    raw_pax(content.as_bytes())
}

pub(crate) fn raw_pax(content: &[u8]) -> Vec<u8> {
    Entry { name: b"PaxHeaders/next", kind: b'x', content, ..Entry::default() }.bytes()
}

/// A whole tar, with its end mark.
pub(crate) fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.extend_from_slice(&[0; 1024]);
    bytes
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn tar_gz(entries: &[Vec<u8>]) -> Vec<u8> {
    gzip(&tar(entries))
}

/// One stored or deflated zip member, whose two accounts can differ.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) local_name: Vec<u8>,
    pub(crate) name: Vec<u8>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) checksum: u32,
    pub(crate) local_checksum: u32,
    pub(crate) packed: Vec<u8>,
    pub(crate) declared_packed: u32,
    pub(crate) size: u32,
    pub(crate) local_size: u32,
    pub(crate) mode: u32,
    pub(crate) offset: Option<u32>,
    pub(crate) before: Vec<u8>,
    pub(crate) after: Vec<u8>,
    /// The packed size in the header beside the content, if it is another.
    pub(crate) local_packed: Option<u32>,
    /// The version, and the system that it was made by.
    pub(crate) made_by: u16,
    pub(crate) needed: u16,
    /// The lower half of the attributes, which is DOS's.
    pub(crate) attributes: u16,
    pub(crate) extra: Vec<u8>,
    pub(crate) local_extra: Vec<u8>,
    pub(crate) comment: Vec<u8>,
}

impl Member {
    pub(crate) fn stored(name: &str, content: &[u8]) -> Self {
        let mut checksum = flate2::Crc::new();
        checksum.update(content);
        let size = u32::try_from(content.len()).unwrap();
        Self {
            local_name: name.into(),
            name: name.into(),
            flags: 0,
            method: 0,
            checksum: checksum.sum(),
            local_checksum: checksum.sum(),
            packed: content.to_vec(),
            declared_packed: size,
            size,
            local_size: size,
            mode: 0o100_644,
            offset: None,
            before: Vec::new(),
            after: Vec::new(),
            local_packed: None,
            made_by: 0x0314,
            needed: 20,
            attributes: 0,
            extra: Vec::new(),
            local_extra: Vec::new(),
            comment: Vec::new(),
        }
    }

    pub(crate) fn deflated(name: &str, content: &[u8]) -> Self {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(content).unwrap();
        let packed = encoder.finish().unwrap();
        Self {
            method: 8,
            declared_packed: u32::try_from(packed.len()).unwrap(),
            packed,
            ..Self::stored(name, content)
        }
    }
}

/// A whole zip.
pub(crate) fn zip(members: &[Member]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    let half = |value: usize| u16::try_from(value).unwrap().to_le_bytes();
    for member in members {
        bytes.extend_from_slice(&member.before);
        let offset = member.offset.unwrap_or(u32::try_from(bytes.len()).unwrap());
        let common = |checksum: u32, packed: u32, size: u32, name: &[u8], extra: &[u8]| {
            let mut common = Vec::new();
            common.extend(member.flags.to_le_bytes());
            common.extend(member.method.to_le_bytes());
            common.extend([0, 0, 0x21, 0]);
            common.extend(checksum.to_le_bytes());
            common.extend(packed.to_le_bytes());
            common.extend(size.to_le_bytes());
            common.extend(half(name.len()));
            common.extend(half(extra.len()));
            common
        };
        bytes.extend_from_slice(b"PK\x03\x04");
        bytes.extend(member.needed.to_le_bytes());
        let packed = member.local_packed.unwrap_or(member.declared_packed);
        bytes.extend(common(
            member.local_checksum,
            packed,
            member.local_size,
            &member.local_name,
            &member.local_extra,
        ));
        bytes.extend_from_slice(&member.local_name);
        bytes.extend_from_slice(&member.local_extra);
        bytes.extend_from_slice(&member.packed);
        bytes.extend_from_slice(&member.after);
        directory.extend_from_slice(b"PK\x01\x02");
        directory.extend(member.made_by.to_le_bytes());
        directory.extend(member.needed.to_le_bytes());
        directory.extend(common(
            member.checksum,
            member.declared_packed,
            member.size,
            &member.name,
            &member.extra,
        ));
        directory.extend(half(member.comment.len()));
        directory.extend([0; 4]);
        directory.extend((member.mode << 16 | u32::from(member.attributes)).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend_from_slice(&member.name);
        directory.extend_from_slice(&member.extra);
        directory.extend_from_slice(&member.comment);
    }
    let start = u32::try_from(bytes.len()).unwrap();
    bytes.extend_from_slice(&directory);
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    bytes.extend(half(members.len()));
    bytes.extend(half(members.len()));
    bytes.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

/// Everything below a folder: names, kinds, modes, contents.
pub(crate) fn snapshot(folder: &std::path::Path) -> Vec<(String, u32, Vec<u8>)> {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::MetadataExt as _;
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(path) = waiting.pop() {
        let metadata = path.symlink_metadata().unwrap();
        let content = if metadata.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            Vec::new()
        } else if metadata.is_symlink() {
            std::fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec()
        } else {
            std::fs::read(&path).unwrap()
        };
        found.push((
            path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned(),
            metadata.mode(),
            content,
        ));
    }
    found.sort();
    found
}
