//! Archives in every form that writers have found, and some that none has: from a seed, so that each comes again.

use super::{Entry, Member, gzip, pax, raw_pax, zip};

/// Numbers that look random and are the same on every machine (xorshift64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            dice.roll(2);
        }
        dice
    }

    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % sides
    }

    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.roll(times) == 0
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.roll(choices.len())].clone()
    }
}

/// How odd an archive is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// Such as ordinary tools write: it has to be taken.
    None,
    /// Some of it is odd.
    Some,
}

const PLAIN: [&str; 8] =
    ["a", "bin/server", "bin/tool", "lib/x.so", "lib/deep/er/y", "README.md", "z z", "c++"];
const NAMES: [&str; 26] = [
    "a",
    "b",
    "dir",
    "dir/a",
    "dir/sub/c",
    "./a",
    "./dir/x",
    "é",
    "e\u{301}",
    "日本/語",
    "A",
    " x",
    "-rf",
    "x~",
    "*",
    "?",
    "$HOME",
    "a b",
    "'q'",
    "\"",
    "#",
    "%41",
    ".hidden",
    "...",
    "a..b",
    "dir/",
];
const CONTENTS: [&str; 6] =
    ["", "x", "content", "#!/bin/sh\n", "0123456789abcdef0123456789abcdef", "PK\u{3}\u{4}"];

fn name(dice: &mut Dice, oddity: Oddity, number: usize) -> String {
    if oddity == Oddity::None {
        return format!("{}{number}", dice.of(&PLAIN));
    }
    match dice.roll(12) {
        0 => format!("dir/{}", "n".repeat(95 + dice.roll(10))),
        1 => format!("{}/{}", "d".repeat(40 + dice.roll(100)), "n".repeat(60 + dice.roll(60))),
        2..=8 => format!("{}{number}", dice.of(&NAMES)),
        _ => dice.of(&NAMES).to_owned(),
    }
}

fn content(dice: &mut Dice) -> Vec<u8> {
    match dice.roll(10) {
        0 => vec![b'x'; 511 + dice.roll(3)],
        1 => (0..1500 + dice.roll(700)).map(|at| u8::try_from(at % 251).unwrap()).collect(),
        _ => dice.of(&CONTENTS).as_bytes().to_vec(),
    }
}

/// A `.tar.gz`.
pub(crate) fn tar_gz(dice: &mut Dice, oddity: Oddity) -> Vec<u8> {
    let odd = oddity == Oddity::Some;
    let mut tar = Vec::new();
    let mut names = Vec::new();
    let magic: &[u8] =
        if odd { dice.of(&[&b"ustar\x0000"[..], b"ustar  \0", &[0; 8]]) } else { b"ustar\x0000" };
    if odd && dice.once_in(8) {
        tar.extend(Entry { name: b"./", kind: b'5', mode: 0o755, ..Entry::default() }.bytes());
    }
    for number in 0..=dice.roll(5) {
        tar.extend(entry(dice, oddity, magic, number, &mut names));
    }
    tar.extend(vec![0; if odd { dice.of(&[1024, 1024, 512, 2048, 10_240, 700]) } else { 1024 }]);
    if odd && dice.once_in(20) {
        tar.extend(Entry { name: b"behind", content: b"x", ..Entry::default() }.bytes());
    }
    if odd { compressed(dice, &tar) } else { gzip(&tar) }
}

fn entry(
    dice: &mut Dice,
    oddity: Oddity,
    magic: &[u8],
    number: usize,
    names: &mut Vec<(String, u32)>,
) -> Vec<u8> {
    let odd = oddity == Oddity::Some;
    let mut bytes = Vec::new();
    let mut full = name(dice, oddity, number);
    let kind = dice.of(b"0000521");
    let kind = if odd && dice.once_in(30) { dice.of(b"\x007gx34A1") } else { kind };
    let kind = if names.is_empty() && !odd { b'0' } else { kind };
    let modes = [0o644, 0o755, 0o600, 0o700, 0o444, 0o555, 0o100, 0o001, 0o777, 0o664];
    let mode = if odd { dice.of(&modes) } else { dice.of(&[0o644, 0o755]) };
    let mut mode = if kind == b'5' { mode | 0o700 } else { mode };
    let target = match kind {
        b'1' if names.is_empty() => "a".to_owned(),
        b'1' => {
            let (target, known) = dice.of(names);
            // A writer finds one mode under both names.
            mode = if odd && dice.once_in(8) { mode } else { known };
            target
        }
        _ if odd => dice
            .of(&["a", "dir", "dir/a", "../a", "./a", "b/", "é", "nowhere", "dir/../a", "dir//a"])
            .to_owned(),
        _ => "nowhere".to_owned(),
    };
    if kind == b'0' {
        names.push((full.trim_end_matches('/').to_owned(), mode));
    }
    if kind == b'5' && dice.once_in(2) && !full.ends_with('/') {
        full.push('/');
    }
    let content = if kind == b'0' || odd && dice.once_in(30) { content(dice) } else { Vec::new() };
    let mut fields = if odd { vec![(257, magic.to_vec())] } else { Vec::new() };
    if odd {
        bytes.extend(announcements(dice, &content));
        odd_fields(dice, &content, &mut fields);
    }
    let (mut short, mut link) = (full.clone().into_bytes(), target.clone().into_bytes());
    if short.len() > 100 || odd && dice.once_in(8) {
        bytes.extend(long(dice, b'L', "path", &full));
        short = dice.of(&[&b"short"[..], b"", b"dir/", &short[..short.len().min(100)]]).to_vec();
    } else if odd && magic == b"ustar\x0000" && short.len() > 2 && dice.once_in(6) {
        // A prefix is put before the name with a slash.
        if let Some(at) = full.find('/').filter(|at| *at > 0 && *at + 1 < full.len()) {
            fields.push((345, full.as_bytes()[..at].to_vec()));
            short = full.as_bytes()[at + 1..].to_vec();
        }
    }
    if matches!(kind, b'1' | b'2') && (link.len() > 100 || odd && dice.once_in(10)) {
        bytes.extend(long(dice, b'K', "linkpath", &target));
        link.truncate(3);
    }
    bytes.extend(
        Entry { fields, name: &short, kind, mode, size: None, link: &link, content: &content }.bytes(),
    );
    bytes
}

/// A name that is too long for a header, in one of the two ways.
fn long(dice: &mut Dice, kind: u8, keyword: &str, text: &str) -> Vec<u8> {
    if dice.once_in(2) {
        return pax(&[(keyword, text)]);
    }
    let content = [text.as_bytes(), &b"\0"[..dice.roll(8).min(1)]].concat();
    Entry { name: b"././@LongLink", kind, content: &content, ..Entry::default() }.bytes()
}

/// Headers before an entry that say something of it, or of all.
fn announcements(dice: &mut Dice, content: &[u8]) -> Vec<u8> {
    let size = content.len().to_string();
    match dice.roll(130) {
        0 => pax(&[("size", &size)]),
        1 => pax(&[("size", "7")]),
        2 => pax(&[("mtime", "1700000000.5"), ("uid", "1000"), ("uname", "someone")]),
        3 => pax(&[("comment", "a=b\nc"), ("LIBARCHIVE.creationtime", "1"), ("SCHILY.dev", "5")]),
        4 => pax(&[("path", "given"), ("path", "twice")]),
        5 => pax(&[("mtime", "nonsense")]),
        6 => pax(&[("hdrcharset", "BINARY")]),
        7 => pax(&[("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0")]),
        8 => raw_pax(b"9 a=b\n"),
        9 => raw_pax(b"6 a=b\n\0\0\0"),
        10 => raw_pax(b"06 a=b\n"),
        11 => raw_pax(b""),
        12 => pax(&[("path", "")]),
        13 => pax(&[("path", "given/")]),
        14 => pax(&[("linkpath", "a")]),
        15 => [pax(&[("path", "one")]), pax(&[("uname", "two")])].concat(),
        16 => Entry { name: b"global", kind: b'g', content: b"13 comment=x\n", ..Entry::default() }.bytes(),
        17 => Entry { name: b"global", kind: b'g', content: b"13 path=evil\n", ..Entry::default() }.bytes(),
        18 => [long(dice, b'L', "path", "one"), pax(&[("uname", "x")])].concat(),
        19 => [pax(&[("uname", "x")]), long(dice, b'L', "path", "one")].concat(),
        20 => pax(&[("SCHILY.realsize", "3")]),
        21 => pax(&[("SCHILY.xattr.user.x", "y"), ("RHT.security.selinux", "z")]),
        22 => pax(&[("size", &format!("0{size}"))]),
        23 => Entry { name: b"x", kind: b'X', content: b"9 path=b\n", ..Entry::default() }.bytes(),
        24 => pax(&[("uid", "nonsense"), ("gid", "-1")]),
        25 => pax(&[("mtime", "-5.25"), ("atime", "1"), ("ctime", "2")]),
        26 => pax(&[("LIBARCHIVE.symlinktype", "dir"), ("mode", "0755")]),
        27 => pax(&[("charset", "x"), ("VENDOR.thing", "é")]),
        _ => Vec::new(),
    }
}

/// Numbers in the forms that are in use, and some that are in none.
fn odd_fields(dice: &mut Dice, content: &[u8], fields: &mut Vec<(usize, Vec<u8>)>) {
    let size = content.len();
    let wide = |value: usize, length: usize| {
        let mut bytes = vec![0; length];
        bytes[length - 8..].copy_from_slice(&(value as u64).to_be_bytes());
        bytes[0] |= 0x80;
        bytes
    };
    match dice.roll(110) {
        0 => fields.push((124, wide(size, 12))),
        1 => fields.push((124, format!("{size:>11o} ").into_bytes())),
        2 => fields.push((124, format!("{size:012o}").into_bytes())),
        3 => fields.push((124, format!("{size:o}\0").into_bytes())),
        4 => fields.push((124, format!(" {size:o} \0").into_bytes())),
        5 => fields.push((100, b"000644 \0".to_vec())),
        6 => fields.push((100, b"   644 \0".to_vec())),
        7 => fields.push((100, b"0100755\0".to_vec())),
        8 => fields.push((100, wide(0o755, 8))),
        9 => fields.push((100, vec![0; 8])),
        10 => fields.push((108, b"nonsense".to_vec())),
        11 => fields.push((108, b"        ".to_vec())),
        12 => fields.push((108, wide(3_000_000, 8))),
        13 => fields.push((136, [&[0xff; 8][..], &[0xff, 0xff, 0xff, 0x9c]].concat())),
        14 => fields.push((136, b"nonsense    ".to_vec())),
        15 => fields.push((136, vec![0; 12])),
        16 => fields.push((329, b"nonsense".to_vec())),
        17 => fields.push((329, b"0000000\x000000000\0".to_vec())),
        18 => fields.push((345, b"14000000000\x0014000000000\0".to_vec())),
        19 => fields.push((345, b"prefix".to_vec())),
        20 => fields.push((500, b"trailing".to_vec())),
        21 => fields.push((263, b"  ".to_vec())),
        22 => fields.push((482, vec![1])),
        23 => fields.push((265, "é".as_bytes().to_vec())),
        24 => fields.push((116, b"-1     \0".to_vec())),
        25 => fields.push((157, b"a".to_vec())),
        26 => fields.push((508, b"tar\0".to_vec())),
        27 => fields.push((124, wide(size | 1 << 40, 12))),
        28 => fields.push((100, b"0000644x".to_vec())),
        _ => {}
    }
}

/// gzip in its various forms (RFC 1952).
fn compressed(dice: &mut Dice, tar: &[u8]) -> Vec<u8> {
    let whole = gzip(tar);
    let flagged =
        |flags: u8, fields: &[u8]| [&whole[..3], &[flags], &whole[4..10], fields, &whole[10..]].concat();
    let at = dice.roll(tar.len());
    match dice.roll(24) {
        0 => [gzip(&tar[..at]), gzip(&tar[at..])].concat(),
        1 => [gzip(&[]), whole].concat(),
        2 => [whole, gzip(&[])].concat(),
        3 => [whole, vec![0; 512]].concat(),
        4 => [whole, b"more".to_vec()].concat(),
        5 => flagged(0x08, b"name.tar\0"),
        6 => flagged(0x04, &[4, 0, b'A', b'B', 0, 0]),
        7 => flagged(0x10, b"comment\0"),
        8 => flagged(0x01, b""),
        9 => flagged(0x20, b""),
        10 => flagged(0x02, &[0, 0]),
        11 => [whole, gzip(&[0; 1024])].concat(),
        _ => whole,
    }
}

/// A zip.
pub(crate) fn zipped(dice: &mut Dice, oddity: Oddity) -> Vec<u8> {
    let odd = oddity == Oddity::Some;
    let mut members = Vec::new();
    for number in 0..=dice.roll(5) {
        members.push(member(dice, oddity, number));
    }
    let mut bytes = zip(&members);
    let end = bytes.len() - 22;
    if odd && dice.once_in(10) {
        let comment = dice.of(&[&b"a comment"[..], b"PK\x05\x06", b"PK\x03\x04 and more", &[b'x'; 300]]);
        bytes[end + 20..].copy_from_slice(&u16::try_from(comment.len()).unwrap().to_le_bytes());
        bytes.extend(comment);
    } else if odd && dice.once_in(8) {
        widen(dice, &mut bytes, end);
    }
    bytes
}

/// Gives a zip the end record of Zip64, with the numbers of the other or in their place.
fn widen(dice: &mut Dice, bytes: &mut Vec<u8>, end: usize) {
    let short = bytes.split_off(end);
    let number = |at: usize, length: usize| {
        short[at..at + length].iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte))
    };
    let (members, length, start) = (number(10, 2), number(12, 4), number(16, 4));
    bytes.extend(b"PK\x06\x06");
    bytes.extend(44_u64.to_le_bytes());
    bytes.extend([45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for value in [members, members, length, start] {
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(b"PK\x06\x07\0\0\0\0");
    bytes.extend((end as u64).to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    let mut short = short;
    match dice.roll(4) {
        0 => short[8..20].fill(0xff),
        1 => short[16..20].fill(0xff),
        2 => short[8..12].fill(0xff),
        _ => {}
    }
    bytes.extend(short);
}

fn member(dice: &mut Dice, oddity: Oddity, number: usize) -> Member {
    let odd = oddity == Oddity::Some;
    let full = name(dice, oddity, number);
    let link = dice.once_in(8);
    let content = if link { b"nowhere".to_vec() } else { content(dice) };
    let folder = full.ends_with('/');
    let content = if folder && !(odd && dice.once_in(20)) { Vec::new() } else { content };
    let mut member =
        if dice.once_in(2) { Member::stored(&full, &content) } else { Member::deflated(&full, &content) };
    if !(full.is_ascii() || odd && dice.once_in(3)) {
        member.flags |= 1 << 11;
    }
    member.mode = match (link, folder) {
        (true, _) => 0o120_777,
        (_, true) => 0o040_755,
        _ => dice.of(&[0o100_644, 0o100_755]),
    };
    if !odd {
        return member;
    }
    if dice.once_in(5) {
        described_later(dice, &mut member);
    }
    match dice.roll(40) {
        0 => member.mode = 0,
        1 => {
            member.mode =
                dice.of(&[0o644, 0o755, 0o040_755, 0o100_755, 0o100_600, 0o100_001, 0o120_777, 0o170_000]);
        }
        2 => member.attributes = dice.of(&[0x10, 0x20, 0x01, 0x08, 0x21]),
        3 | 4 => member.made_by = dice.of(&[0x0014, 0x0a14, 0x1314, 0x0b14, 0x0714, 0x003f, 0x033f]),
        5 => {
            member.made_by = 20;
            member.mode = 0;
            member.attributes = dice.of(&[0x10, 0x20, 0]);
        }
        6 => member.needed = dice.of(&[0, 10, 45, 63, 64, 0xff14]),
        7 => {
            member.flags |=
                dice.of(&[1 << 1, 1 << 2, 1 << 4, 1 << 5, 1 << 7, 1 << 11, 1 << 12, 1 << 14, 1 << 15]);
        }
        8..=13 => extras(dice, &mut member),
        14 => member.comment = b"of a member".to_vec(),
        15 => member.name = b"other".to_vec(),
        16 => member.checksum ^= 1,
        17 => member.size += 1,
        18 => member.local_size ^= 3,
        19 => member.local_name = b"dir/../a".to_vec(),
        20 => {
            member.name = b"caf\x82".to_vec();
            member.local_name.clone_from(&member.name);
        }
        21 => member.after = b"gap".to_vec(),
        _ => {}
    }
    member
}

fn field(id: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    [&id.to_le_bytes(), &length.to_le_bytes(), data].concat()
}

/// Extra fields (APPNOTE 4.5, 4.6, and the list of Info-ZIP).
fn extras(dice: &mut Dice, member: &mut Member) {
    let checksum = |name: &[u8]| {
        let mut checksum = flate2::Crc::new();
        checksum.update(name);
        checksum.sum().to_le_bytes()
    };
    let unicode = |name: &str, of: &[u8]| field(0x7075, &[&[1][..], &checksum(of), name.as_bytes()].concat());
    let attributes = |mode: u16, link: &[u8]| {
        let size = u32::try_from(link.len()).unwrap().to_le_bytes();
        let data = [&mode.to_le_bytes(), &size[..], &[0; 4], link].concat();
        let mut sum = flate2::Crc::new();
        sum.update(&data);
        field(0x756e, &[&sum.sum().to_le_bytes(), &data[..]].concat())
    };
    let own = String::from_utf8_lossy(&member.name).into_owned();
    let wide = |member: &Member| {
        let packed = u64::from(member.declared_packed).to_le_bytes();
        field(0x0001, &[u64::from(member.size).to_le_bytes(), packed].concat())
    };
    let extra = match dice.roll(14) {
        0 => field(0x5455, &[1, 0, 0, 0, 0x60]),
        1 => field(0x7875, &[1, 4, 0xe8, 3, 0, 0, 4, 0xe8, 3, 0, 0]),
        2 => unicode(&own, &member.name),
        3 => unicode("another", &member.name),
        4 => unicode("another", b"stale"),
        5 => attributes(0o100_755, b""),
        6 => attributes(0o120_777, b"elsewhere"),
        7 => field(0x6c78, &[7, 0x14, 3, 0, 0, 0, 0, 0xed, 0x81]),
        8 => field(0x000a, &[0; 32]),
        9 => wide(member),
        10 => {
            // What is too large for its field stands in the extra field.
            let extra = wide(member);
            member.size = u32::MAX;
            member.local_size = u32::MAX;
            member.declared_packed = u32::MAX;
            extra
        }
        11 => field(0xcafe, b""),
        12 => b"odd".to_vec(),
        _ => field(0x000d, &[[0; 12].as_slice(), b"elsewhere"].concat()),
    };
    match dice.roll(3) {
        0 => member.extra = extra,
        1 => member.local_extra = extra,
        _ => (member.extra, member.local_extra) = (extra.clone(), extra),
    }
}

/// Moves checksum and sizes behind the content.
fn described_later(dice: &mut Dice, member: &mut Member) {
    member.flags |= 1 << 3;
    let (checksum, packed, size) = (member.checksum, member.declared_packed, member.size);
    let mut after = if dice.once_in(3) { Vec::new() } else { b"PK\x07\x08".to_vec() };
    after.extend(checksum.to_le_bytes());
    if dice.once_in(4) {
        after.extend(u64::from(packed).to_le_bytes());
        after.extend(u64::from(size).to_le_bytes());
    } else {
        after.extend(packed.to_le_bytes());
        after.extend(size.to_le_bytes());
    }
    member.after = after;
    if dice.once_in(4) {
        return;
    }
    member.local_checksum = 0;
    member.local_size = 0;
    member.local_packed = Some(0);
}
