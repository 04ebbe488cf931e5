//! Archives that want to do harm: each is refused with the entry's name, and nothing of it remains.
#![cfg(unix)]
#![allow(clippy::unwrap_used, missing_docs)]

mod archives;

use archives::{Entry, Member, file, folder, gzip, link, pax, raw_pax, snapshot, special, tar, tar_gz, zip};
use camino::{Utf8Path, Utf8PathBuf};
use mainstay::model::digest::Digest;
use mainstay::model::size::Size;
use mainstay::package::limits::Limits;
use mainstay::package::unpack::{UnpackError, Unpacked, unpack};
use mainstay::package::{fault::Fault, tree};

/// A folder with a neighbour tree, a file outside, and the archive.
struct Host {
    _root: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Host {
    fn new(archive: &[u8]) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(temporary.path().to_owned()).unwrap();
        std::fs::create_dir_all(root.join("trees/other-1.0.0")).unwrap();
        std::fs::write(root.join("trees/other-1.0.0/program"), "other").unwrap();
        std::os::unix::fs::symlink("other-1.0.0", root.join("trees/other")).unwrap();
        std::fs::write(root.join("outside"), "outside").unwrap();
        std::fs::write(root.join("archive"), archive).unwrap();
        Self { _root: temporary, root }
    }

    fn unpack(&self, expected: Option<Digest>, limits: &Limits) -> Result<Unpacked, UnpackError> {
        let staging = tree::stage(&self.root.join("trees"), "hostile-1.0.0").unwrap();
        unpack(&self.root.join("archive"), staging.path(), expected, limits, &mut |_| {})
    }
}

/// Asserts that an archive is refused, that the message names the archive and this, and that the disk is as
/// it was.
#[track_caller]
fn refused(archive: &[u8], named: &str) -> UnpackError {
    refused_within(archive, named, None, &Limits::default())
}

#[track_caller]
fn refused_within(archive: &[u8], named: &str, expected: Option<Digest>, limits: &Limits) -> UnpackError {
    let host = Host::new(archive);
    let before = snapshot(host.root.as_std_path());
    let error = host.unpack(expected, limits).unwrap_err();
    assert_eq!(snapshot(host.root.as_std_path()), before, "{error}");
    let text = error.to_string();
    assert!(text.contains(named) && text.contains(host.root.join("archive").as_str()), "{text}");
    error
}

#[track_caller]
fn refused_for(archive: &[u8], named: &str, expected: &Fault) {
    match refused(archive, &format!("`{named}`")) {
        UnpackError::Entry { fault, .. } if fault == *expected => {}
        other => panic!("{other:?}"),
    }
}

fn good() -> Vec<u8> {
    file("good", "good")
}

#[test]
fn names_that_lead_elsewhere() {
    for (name, shown, fault) in [
        (&b"/etc/evil"[..], "/etc/evil", Fault::Absolute),
        (b"../evil", "../evil", Fault::Climbs),
        (b"a/../../evil", "a/../../evil", Fault::Climbs),
        (b"a\\..\\evil", "a\\..\\evil", Fault::Backslash),
        (b"C:evil", "C:evil", Fault::DriveLetter),
        (b"C:/evil", "C:/evil", Fault::DriveLetter),
        (b"program:stream", "program:stream", Fault::Colon),
        (b"a//b", "a//b", Fault::EmptyPart),
        (b"", "", Fault::EmptyPart),
        (b"bin/NUL.txt", "bin/NUL.txt", Fault::Device),
        (b"bin/evil.", "bin/evil.", Fault::TrailingDotOrSpace),
        (b"bin/evil ", "bin/evil ", Fault::TrailingDotOrSpace),
        (b"bin/\x1b[2Jevil", "bin/\\u{1b}[2Jevil", Fault::Control),
        (b"bin/\xffevil", "bin/\\xffevil", Fault::NotUtf8),
    ] {
        let evil = Entry { name, content: b"evil", ..Entry::default() }.bytes();
        refused_for(&tar_gz(&[good(), evil]), shown, &fault);
        let member = Member { name: name.into(), local_name: name.into(), ..Member::stored("", b"evil") };
        refused_for(&zip(&[Member::stored("good", b"good"), member]), shown, &fault);
    }
}

#[test]
fn a_nul_in_a_name() {
    let named = pax(&[("path", "bin/program\0.txt")]);
    refused_for(&tar_gz(&[good(), named, file("x", "evil")]), "bin/program\\u{0}.txt", &Fault::Nul);
    refused_for(&zip(&[Member::stored("bin/program\0.txt", b"evil")]), "bin/program\\u{0}.txt", &Fault::Nul);
    let long =
        Entry { name: b"././@LongLink", kind: b'L', content: b"bin/program\0.txt\0", ..Entry::default() };
    refused_for(&tar_gz(&[long.bytes(), file("x", "evil")]), "././@LongLink", &Fault::Nul);
}

#[test]
fn names_too_long_or_too_deep() {
    let deep = format!("{}x", "d/".repeat(120));
    refused_for(&tar_gz(&[pax(&[("path", &deep)]), file("x", "")]), &deep, &Fault::Deep(100));
    let long = "n".repeat(300);
    refused_for(&tar_gz(&[pax(&[("path", &long)]), file("x", "")]), &long, &Fault::LongPart(255));
    let whole = format!("{}x", "directory/".repeat(300));
    refused_for(&tar_gz(&[pax(&[("path", &whole)]), file("x", "")]), &whole[..512], &Fault::LongName(2048));
}

#[test]
fn a_link_and_then_something_below_it() {
    let outside = |target: &str| Fault::LinkOutside(target.to_owned());
    for target in ["..", "/tmp", "bin"] {
        let below = Fault::BelowFile("way".into());
        refused_for(&tar_gz(&[link(b'2', "way", target), file("way/evil", "evil")]), "way/evil", &below);
        refused_for(&tar_gz(&[link(b'2', "way", target), folder("way")]), "way", &Fault::Duplicate);
        let way = Member { mode: 0o120_777, ..Member::stored("way", target.as_bytes()) };
        refused_for(&zip(&[way.clone(), Member::stored("way/evil", b"evil")]), "way/evil", &below);
        refused_for(&zip(&[Member::stored("way/evil", b"evil"), way]), "way", &Fault::Duplicate);
    }
    refused_for(&tar_gz(&[good(), link(b'2', "way", "../outside")]), "way", &outside("../outside"));
    refused_for(&tar_gz(&[good(), link(b'2', "way", "/etc/passwd")]), "way", &outside("/etc/passwd"));
    refused_for(&tar_gz(&[good(), link(b'2', "way", "a\\b")]), "way", &outside("a\\b"));
    refused_for(&tar_gz(&[good(), link(b'2', "way", "")]), "way", &outside(""));
    let way = Member { mode: 0o120_777, ..Member::stored("way", b"../../outside") };
    refused_for(&zip(&[Member::stored("good", b"good"), way]), "way", &outside("../../outside"));
    // Inside as it reads, outside as the system follows it.
    let through =
        [folder("a/b"), good(), link(b'2', "a/b/up", "../.."), link(b'2', "way", "a/b/up/../outside")];
    refused_for(&tar_gz(&through), "way", &outside("a/b/up/../outside"));
    // Inside the archive, outside the payload that it is lifted from.
    let lifted = [file("package/program", "x"), link(b'2', "package/way", "../package/program")];
    refused_for(&tar_gz(&lifted), "package/way", &outside("../package/program"));
    let round = [good(), link(b'2', "a", "b/x"), link(b'2', "b", "a/x")];
    refused_for(&tar_gz(&round), "a", &Fault::LinkLoop("b/x".into()));
}

#[test]
fn hard_links_to_what_was_not_written() {
    for target in ["/etc/passwd", "../outside", "later", "bin", "way", "GOOD"] {
        let entries = [
            good(),
            folder("bin"),
            link(b'2', "way", "good"),
            link(b'1', "evil", target),
            file("later", "later"),
        ];
        refused_for(&tar_gz(&entries), "evil", &Fault::HardLink(target.into()));
    }
    let sized = Entry { name: b"evil", kind: b'1', link: b"good", content: b"evil", ..Entry::default() };
    refused_for(&tar_gz(&[good(), sized.bytes()]), "evil", &Fault::UnexpectedContent);
}

#[test]
fn what_is_no_file_folder_or_link() {
    for (kind, fault) in [
        (b'3', Fault::Special("character device")),
        (b'4', Fault::Special("block device")),
        (b'6', Fault::Special("named pipe")),
        (b'S', Fault::Sparse),
        (b'7', Fault::UnknownType("7".into())),
        (b'V', Fault::UnknownType("V".into())),
        (b'\n', Fault::UnknownType("\\n".into())),
    ] {
        refused_for(&tar_gz(&[good(), special(kind, "evil")]), "evil", &fault);
    }
    let sparse = [pax(&[("GNU.sparse.major", "1")]), file("evil", "evil")];
    refused_for(&tar_gz(&sparse), "PaxHeaders/next", &Fault::Sparse);
    for (mode, fault) in [
        (0o020_644, Fault::Special("character device")),
        (0o060_644, Fault::Special("block device")),
        (0o010_644, Fault::Special("named pipe")),
        (0o140_644, Fault::Special("socket")),
    ] {
        refused_for(&zip(&[Member { mode, ..Member::stored("evil", b"") }]), "evil", &fault);
    }
    let sized = Entry { name: b"evil", kind: b'5', content: b"evil", ..Entry::default() };
    refused_for(&tar_gz(&[good(), sized.bytes()]), "evil", &Fault::UnexpectedContent);
}

#[test]
fn bits_that_give_rights() {
    for bits in [0o4755, 0o2755, 0o1755] {
        let evil = Entry { name: b"evil", mode: bits, content: b"evil", ..Entry::default() }.bytes();
        refused_for(&tar_gz(&[good(), evil]), "evil", &Fault::SpecialBits);
        let member = Member { mode: 0o100_000 | bits, ..Member::stored("evil", b"evil") };
        refused_for(&zip(&[member]), "evil", &Fault::SpecialBits);
    }
}

#[test]
fn names_that_come_twice() {
    let collision = |name: &str| Fault::Collision(name.to_owned());
    refused_for(&tar_gz(&[good(), file("evil", "1"), file("evil", "2")]), "evil", &Fault::Duplicate);
    refused_for(&tar_gz(&[good(), file("evil", "1"), file("./evil", "2")]), "evil", &Fault::Duplicate);
    refused_for(&tar_gz(&[good(), file("evil", "1"), file("EVIL", "2")]), "EVIL", &collision("evil"));
    refused_for(&tar_gz(&[file("bin/a", "1"), file("Bin/b", "2")]), "Bin/b", &collision("bin"));
    refused_for(&tar_gz(&[file("straße", "1"), file("STRASSE", "2")]), "STRASSE", &collision("straße"));
    refused_for(&tar_gz(&[file("a", "1"), file("a/b", "2")]), "a/b", &Fault::BelowFile("a".into()));
    refused_for(&tar_gz(&[file("a/b", "1"), file("a", "2")]), "a", &Fault::Duplicate);
    let twice = [Member::stored("evil", b"1"), Member::stored("evil", b"2")];
    refused_for(&zip(&twice), "evil", &Fault::Duplicate);
    let folded = [Member::stored("evil", b"1"), Member::stored("Evil", b"2")];
    refused_for(&zip(&folded), "Evil", &collision("evil"));
    refused_for(&tar_gz(&[file("a/.complete", "{}")]), "a/.complete", &Fault::Kept);
    refused_for(&tar_gz(&[good(), file(".Complete", "{}")]), ".Complete", &Fault::Kept);
}

#[test]
fn two_sizes_in_one_entry() {
    let hidden = file("hidden", "evil");
    let smuggling = Entry { name: b"evil", size: Some(0), content: &hidden, ..Entry::default() }.bytes();
    let size = hidden.len().to_string();
    let fault = Fault::TwoSizes { header: 0, extended: hidden.len() as u64 };
    refused_for(&tar_gz(&[good(), pax(&[("size", &size)]), smuggling]), "evil", &fault);
    let fault = Fault::TwoSizes { header: 4, extended: 0 };
    refused_for(&tar_gz(&[good(), pax(&[("size", "0")]), file("evil", "evil")]), "evil", &fault);
}

#[test]
fn broken_headers() {
    for content in
        [&b"12 path=evil\n"[..], b"13 path=evil", b"nonsense", b"13 pathxevil\n", b"13 path=evil\n\0"]
    {
        let entries = [good(), raw_pax(content), file("x", "evil")];
        assert!(matches!(
            refused(&tar_gz(&entries), "`PaxHeaders/next`"),
            UnpackError::Entry { fault: Fault::Extended(_), .. }
        ));
    }
    let two = [pax(&[("path", "a")]), pax(&[("path", "b")]), file("x", "evil")];
    refused(&tar_gz(&two), "two announce one entry");
    let global = Entry { name: b"global", kind: b'g', content: b"13 path=evil\n", ..Entry::default() };
    refused(&tar_gz(&[good(), global.bytes(), file("x", "")]), "`global`");
    let mut broken = file("evil", "evil");
    broken[0] = b'E';
    refused(&tar_gz(&[good(), broken]), "`Evil`");
    let mut broken = file("evil", "evil");
    broken[124] = b'9';
    archives::seal(&mut broken[..512]);
    refused(&tar_gz(&[good(), broken]), "`evil`");
    refused(&tar_gz(&[good(), pax(&[("path", "a")])]), "does not come");
}

#[test]
fn streams_that_end_too_early_or_too_late() {
    let content: String =
        (0..20_000).map(|number: u32| number.wrapping_mul(2_654_435_761).to_string()).collect();
    let archive = tar_gz(&[good(), file("evil", &content)]);
    assert!(matches!(refused(&archive[..archive.len() / 2], "`evil`"), UnpackError::Truncated { .. }));
    assert!(matches!(refused(&archive[..archive.len() - 4], "`evil`"), UnpackError::Truncated { .. }));
    refused(&archive[..5], "its beginning");
    refused(&gzip(&[good(), file("evil", "evil")].concat()), "no end mark");
    refused(&gzip(&tar(&[good(), file("evil", "evil")])[..1600]), "`evil`");
    let mut damaged = archive.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0xaa);
    refused(&damaged, "`evil`");
    let mut miscounted = archive.clone();
    let checksum = miscounted.len() - 8;
    miscounted[checksum] ^= 1;
    refused(&miscounted, "`evil`");
    assert!(matches!(
        refused(&[&archive[..], b"more"].concat(), "after its end"),
        UnpackError::Trailing { .. }
    ));
    assert!(matches!(
        refused(&[&archive[..], &[0; 512]].concat(), "after its end"),
        UnpackError::Trailing { .. }
    ));
    // A second member counts as more of the tar, and a tar has an end.
    let hidden = tar_gz(&[file("hidden", "evil")]);
    assert!(matches!(
        refused(&[&archive[..], &hidden[..]].concat(), "after its end"),
        UnpackError::Trailing { .. }
    ));
    refused(&gzip(&[b'x'; 2000]), "not a tar");
    refused(b"", "neither");
    refused(b"#!/bin/sh\n", "neither");
    refused(&tar_gz(&[]), "no files");
    refused(&tar_gz(&[folder("a"), folder("a/b")]), "no files");
    refused(&zip(&[]), "no files");
}

#[test]
fn another_digest_than_expected() {
    let archive = tar_gz(&[good()]);
    let expected = Digest::of(b"other");
    let found = Digest::of(&archive).to_string();
    for archive in [archive, zip(&[Member::stored("good", b"good")])] {
        let found = Digest::of(&archive).to_string();
        let error = refused_within(&archive, &found, Some(expected), &Limits::default());
        assert!(matches!(error, UnpackError::Digest { .. }));
    }
    // Whatever else is wrong with it, the digest tells more.
    let broken = tar_gz(&[file("../evil", "evil")]);
    let error = refused_within(&broken, &expected.to_string(), Some(expected), &Limits::default());
    assert!(matches!(error, UnpackError::Digest { .. }));
    let digest = Digest::of(&broken);
    assert!(matches!(
        refused_within(&broken, "../evil", Some(digest), &Limits::default()),
        UnpackError::Entry { .. }
    ));
    assert!(!found.is_empty());
}

#[test]
fn bombs_and_floods() {
    let zeros = "\0".repeat(40 << 20);
    refused_for(&tar_gz(&[good(), file("evil", &zeros)]), "evil", &Fault::Bomb(200));
    let zero_blocks = gzip(&[tar(&[good()]), vec![0; 40 << 20]].concat());
    refused(&zero_blocks, "`good`");
    refused_for(&zip(&[Member::deflated("evil", zeros.as_bytes())]), "evil", &Fault::Bomb(200));
    let few = Limits { entries: 3, ..Limits::default() };
    let many: Vec<_> = (0..4).map(|number| file(&format!("file{number}"), "")).collect();
    refused_within(&tar_gz(&many), "`file3`", None, &few);
    let small = Limits { file: Size::new(3), ..Limits::default() };
    refused_within(&tar_gz(&[good()]), "`good`", None, &small);
    refused_within(&zip(&[Member::stored("good", b"good")]), "`good`", None, &small);
    let total = Limits { total: Size::new(7), ..Limits::default() };
    refused_within(&tar_gz(&[good(), file("evil", "evil")]), "`evil`", None, &total);
    // Declared, not there: it is refused before a disk is filled.
    let huge = Entry { name: b"evil", size: Some(5 << 30), ..Entry::default() }.bytes();
    refused_for(&tar_gz(&[good(), huge]), "evil", &Fault::FileTooLarge(Size::new(4 << 30)));
}

#[test]
fn zips_that_say_two_things() {
    let good = || Member::stored("good", b"good");
    let evil = || Member::deflated("evil", b"evil evil evil evil evil");
    let mismatch = |members: &[Member]| {
        let error = refused(&zip(members), "`evil`");
        assert!(matches!(error, UnpackError::Entry { fault: Fault::Mismatch(_), .. }), "{error:?}");
    };
    mismatch(&[good(), Member { local_name: b"live".into(), ..evil() }]);
    mismatch(&[good(), Member { local_checksum: 1, ..evil() }]);
    mismatch(&[good(), Member { local_size: 1, ..evil() }]);
    mismatch(&[good(), Member { after: b"smuggled".into(), ..evil() }]);
    mismatch(&[good(), Member { flags: 8, after: b"PK\x07\x08nonsense----".into(), ..evil() }]);
    mismatch(&[good(), Member { size: 5, local_size: 5, ..Member::stored("evil", b"evil") }]);

    let overlapping = [good(), Member { offset: Some(0), ..evil() }];
    refused(&zip(&overlapping), "overlaps");
    let longer =
        [Member { declared_packed: 30, size: 30, local_size: 30, ..Member::stored("evil", b"evil") }, good()];
    refused_for(&zip(&longer), "evil", &Fault::Overlap("good".into()));
    refused_for(&zip(&[Member { before: b"PK\x03\x04smuggled".into(), ..evil() }]), "evil", &Fault::Gap);

    refused_for(&zip(&[good(), Member { flags: 1, ..evil() }]), "evil", &Fault::Encrypted);
    refused_for(&zip(&[good(), Member { method: 12, ..evil() }]), "evil", &Fault::Method(12));
    let wrong = Member { checksum: 7, local_checksum: 7, ..evil() };
    refused_for(&zip(&[good(), wrong]), "evil", &Fault::Checksum);
    let short = Member { size: 5, local_size: 5, ..evil() };
    refused_for(&zip(&[good(), short]), "evil", &Fault::Checksum);
    let mut broken = evil();
    broken.packed[0] = 0xff;
    refused_for(&zip(&[good(), broken]), "evil", &Fault::Inflate);
    let mut longer = evil();
    longer.packed.extend(b"more");
    longer.declared_packed += 4;
    refused_for(&zip(&[good(), longer]), "evil", &Fault::Inflate);

    let sound = zip(&[good(), evil()]);
    assert!(matches!(
        refused(&[&sound[..], b"more"].concat(), "after its end"),
        UnpackError::Trailing { .. }
    ));
    assert!(matches!(refused(&sound[..sound.len() - 30], "its end record"), UnpackError::Truncated { .. }));
    let mut fewer = sound.clone();
    let end = fewer.len() - 22;
    (fewer[end + 8], fewer[end + 10]) = (1, 1);
    refused(&fewer, "number of entries");
    let mut commented = sound;
    let inner = commented[end..].to_vec();
    commented[end + 20] = 22;
    commented.extend(inner);
    refused(&commented, "another end record");
}

#[test]
fn descriptions_that_are_none() {
    for text in [
        "",
        "{}",
        r#"{"component":"a","version":"1","unknown":1}"#,
        r#"{"component":"a","component":"b","version":"1"}"#,
    ] {
        let archive = tar_gz(&[good(), file("mainstay-package.json", text)]);
        assert!(matches!(refused(&archive, "mainstay-package.json"), UnpackError::Description { .. }));
    }
    refused(&tar_gz(&[good(), link(b'2', "mainstay-package.json", "good")]), "`mainstay-package.json`");
}

#[test]
fn a_folder_that_holds_something_is_left_alone() {
    let host = Host::new(&tar_gz(&[good()]));
    let before = snapshot(host.root.as_std_path());
    let into = host.root.join("trees/other-1.0.0");
    let error = unpack(&host.root.join("archive"), &into, None, &Limits::default(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, UnpackError::NotEmpty { .. }));
    let error = unpack(
        &host.root.join("archive"),
        &host.root.join("trees/other"),
        None,
        &Limits::default(),
        &mut |_| {},
    );
    assert!(matches!(error.unwrap_err(), UnpackError::Folder { .. }));
    let missing =
        unpack(Utf8Path::new("/nowhere/at/all"), &into, None, &Limits::default(), &mut |_| {}).unwrap_err();
    assert!(matches!(missing, UnpackError::Open { .. }));
    assert_eq!(snapshot(host.root.as_std_path()), before);
}

/// Found by comparing with other readers (tests/agreement.rs): each of these is two trees, by who reads it.
#[test]
fn what_other_readers_take_for_something_else() {
    let header = |fields: &[(usize, &[u8])]| {
        let fields = fields.iter().map(|(at, bytes)| (*at, bytes.to_vec())).collect();
        Entry { fields, name: b"evil", content: b"evil", ..Entry::default() }.bytes()
    };
    // Python ends at a number that it can't read, and says nothing.
    for at in [108, 116, 136, 329, 337] {
        let fault = Fault::Header("a number in it is broken");
        refused_for(&tar_gz(&[good(), header(&[(at, b"nonsense")])]), "evil", &fault);
    }
    // Python puts it before the name, whatever the format.
    let fault = Fault::Header("some readers put what stands in it before the name");
    refused_for(&tar_gz(&[good(), header(&[(257, b"ustar  \0"), (345, b"prefix")])]), "evil", &fault);
    // Times before 1970 are numbers, and GNU tar's lie in the same place as long as they are nothing.
    let sound = Host::new(&tar_gz(&[header(&[(257, b"ustar  \0"), (136, &[0xff; 12])])]));
    assert!(sound.unpack(None, &Limits::default()).is_ok());
    let slashed = [good(), pax(&[("path", "evil/")]), file("x", "")];
    refused_for(&tar_gz(&slashed), "evil/", &Fault::EmptyPart);
    let oldest = Entry { name: b"folder/", kind: 0, ..Entry::default() }.bytes();
    let fault = Fault::Extended("it names the entry twice");
    refused_for(&tar_gz(&[good(), pax(&[("path", "evil")]), oldest]), "evil", &fault);
    let again = Entry { name: b"evil", kind: b'1', mode: 0o755, link: b"good", ..Entry::default() };
    let fault = Fault::Header("its mode is not that of the file which it names again");
    refused_for(&tar_gz(&[good(), again.bytes()]), "evil", &fault);
    refused_for(&tar_gz(&[good(), file("e\u{301}", "evil")]), "e\u{301}", &Fault::Decomposed);
    refused_for(&tar_gz(&[good(), link(b'2', "evil", "e\u{301}")]), "evil", &Fault::Decomposed);

    let evil = || Member::stored("evil", b"evil");
    let fault = Fault::Header("its name is not ASCII, and not marked as UTF-8");
    refused_for(&zip(&[Member::stored("é", b"evil")]), "é", &fault);
    let fault = Fault::Header("its name is not ASCII, and some readers guess its letters by the system");
    refused_for(&zip(&[Member { flags: 1 << 11, made_by: 20, ..Member::stored("é", b"evil") }]), "é", &fault);
    let fault = Fault::Header("DOS's attributes make it a folder, and its name or mode does not");
    refused_for(&zip(&[Member { attributes: 0x10, ..evil() }]), "evil", &fault);
    let fault = Fault::Header("it is a program or a link only to readers that trust another system's mode");
    for mode in [0o120_777, 0o100_755] {
        refused_for(&zip(&[Member { made_by: 20, mode, ..evil() }]), "evil", &fault);
    }
    let fault = Fault::Header("it has flags that readers take differently");
    refused_for(&zip(&[Member { flags: 1 << 5, ..evil() }]), "evil", &fault);
    let fault = Fault::Header("it has attributes that only some readers know");
    refused_for(&zip(&[Member { local_extra: b"\x78\x6c\0\0".to_vec(), ..evil() }]), "evil", &fault);
    let unicode = b"\x75\x70\x0a\0\x01\0\0\0\0other".to_vec();
    let fault = Fault::Mismatch("its name in Unicode is another");
    refused_for(&zip(&[Member { local_extra: unicode, ..evil() }]), "evil", &fault);
}

/// Found by fuzzing: what a message quotes of an archive can't rewrite the terminal that shows it.
#[test]
fn a_message_is_one_line_whatever_it_quotes() {
    for entries in [
        vec![good(), link(b'2', "way", "../\x1b[2J\n")],
        vec![good(), link(b'1', "way", "\x1b[2J")],
        vec![good(), link(b'2', "way", "way/\x1b[2J")],
    ] {
        let error = refused(&tar_gz(&entries), "`way`");
        assert!(!error.to_string().contains(char::is_control), "{error:?}");
    }
}

/// Found by making archives at random: the one folder at the top is not there before the links that it holds.
#[test]
fn a_folder_of_nothing_but_links_is_unpacked() {
    let host = Host::new(&tar_gz(&[link(b'2', "package/way", "nowhere")]));
    assert!(host.unpack(None, &Limits::default()).is_ok());
}
