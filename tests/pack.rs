//! Packing and unpacking: what goes in comes out, and the same folder gives the same bytes.
#![cfg(unix)]
#![allow(clippy::unwrap_used, missing_docs)]

mod archives;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use archives::{Entry, Member, file, folder, gzip, link, pax, snapshot, tar_gz, zip};
use camino::{Utf8Path, Utf8PathBuf};
use mainstay::package::limits::Limits;
use mainstay::package::pack::{PackError, pack};
use mainstay::package::unpack::{Payload, Unpacked, unpack};
use mainstay::package::{fault::Fault, tree};
use proptest::prelude::*;

struct Work {
    _folder: tempfile::TempDir,
    path: Utf8PathBuf,
}

impl Work {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        std::fs::create_dir(path.join("source")).unwrap();
        Self { _folder: folder, path }
    }

    fn source(&self) -> Utf8PathBuf {
        self.path.join("source")
    }

    fn write(&self, name: &str, content: &[u8], mode: u32) {
        let path = self.source().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn unpack(&self, archive: &Utf8Path) -> (Unpacked, Contents) {
        let into = self.path.join("unpacked");
        let _ = std::fs::remove_dir_all(&into);
        let unpacked = unpack(archive, &into, None, &Limits::default(), &mut |_| {}).unwrap();
        (unpacked, contents(&into))
    }

    fn unpack_bytes(&self, archive: &[u8]) -> (Unpacked, Contents) {
        let path = self.path.join("archive");
        std::fs::write(&path, archive).unwrap();
        self.unpack(&path)
    }
}

/// Names, whether a program, and contents; folders end with a slash.
type Contents = BTreeMap<String, (bool, Vec<u8>)>;

fn contents(folder: &Utf8Path) -> Contents {
    snapshot(folder.as_std_path())
        .into_iter()
        .filter(|(name, ..)| !name.is_empty())
        .map(|(name, mode, content)| match mode & 0o170_000 {
            0o040_000 => (format!("{name}/"), (false, content)),
            0o120_000 => (name, (false, content)),
            _ => (name, (mode & 0o111 != 0, content)),
        })
        .collect()
}

fn names(contents: &Contents) -> Vec<&str> {
    contents.keys().map(String::as_str).collect()
}

#[test]
fn the_same_folder_gives_the_same_bytes() {
    let digest = |order: &[&str], mode, time| {
        let work = Work::new();
        for name in order {
            work.write(name, name.as_bytes(), mode);
            let file = std::fs::File::open(work.source().join(name)).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(time)).unwrap();
        }
        symlink("program", work.source().join("bin/link")).unwrap();
        let packed = pack(&work.source(), &work.path.join("package.tar.gz")).unwrap();
        assert_eq!(packed.size, std::fs::metadata(&packed.path).unwrap().len());
        assert_eq!(packed.entries, 5);
        packed.digest
    };
    let one = digest(&["bin/program", "readme", "bin.txt"], 0o640, 1_000_000_000);
    assert_eq!(one, digest(&["readme", "bin.txt", "bin/program"], 0o666, 1_700_000_000));
    assert_ne!(one, digest(&["readme", "bin.txt", "bin/program"], 0o755, 1_700_000_000));
}

#[test]
fn what_is_packed_is_unpacked() {
    let work = Work::new();
    work.write("bin/program", b"#!/bin/sh\n", 0o700);
    work.write("empty", b"", 0o600);
    work.write(&format!("{}/{}", "long-folder-name/".repeat(12), "n".repeat(200)), b"long", 0o644);
    work.write(
        "big",
        &vec![7; 3_000_000]
            .into_iter()
            .enumerate()
            .map(|(at, byte): (usize, u8)| byte ^ (at >> 9).to_le_bytes()[0])
            .collect::<Vec<_>>(),
        0o644,
    );
    work.write("mainstay-package.json", br#"{"component":"server","version":"1.2.3"}"#, 0o644);
    std::fs::create_dir(work.source().join("hollow")).unwrap();
    symlink("../big", work.source().join("bin/link")).unwrap();
    let packed = pack(&work.source(), &work.path.join("package.tar.gz")).unwrap();
    let (unpacked, found) = work.unpack(&packed.path);
    assert_eq!(found, contents(&work.source()));
    assert_eq!(unpacked.digest, packed.digest);
    assert_eq!(unpacked.entries, packed.entries);
    assert_eq!(unpacked.payload, Payload::Root);
    assert_eq!(unpacked.description, packed.description);
    assert_eq!(unpacked.description.unwrap().version.as_str(), "1.2.3");
    let mode = |name: &str| {
        std::fs::metadata(work.path.join("unpacked").join(name)).unwrap().permissions().mode() & 0o7777
    };
    assert_eq!((mode("bin/program"), mode("empty")), (0o555, 0o444));
}

#[test]
fn a_single_folder_comes_back_as_one() {
    let work = Work::new();
    work.write("bin/program", b"x", 0o755);
    let packed = pack(&work.source(), &work.path.join("package.tar.gz")).unwrap();
    let (unpacked, found) = work.unpack(&packed.path);
    assert_eq!(found, contents(&work.source()));
    assert_eq!(unpacked.payload, Payload::Folder("package".into()));
}

#[test]
fn what_would_be_refused_is_not_packed() {
    let refused = |prepare: &dyn Fn(&Work)| {
        let work = Work::new();
        work.write("good", b"good", 0o644);
        prepare(&work);
        let output = work.path.join("package.tar.gz");
        let error = pack(&work.source(), &output).unwrap_err();
        assert_eq!(std::fs::read_dir(&work.path).unwrap().count(), 1, "{error}");
        match error {
            PackError::Entry { path, fault } => (path.file_name().unwrap().to_owned(), fault),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&|work| work.write("a:b", b"", 0o644)), ("a:b".into(), Fault::DriveLetter));
    assert_eq!(refused(&|work| work.write("a\\b", b"", 0o644)), ("a\\b".into(), Fault::Backslash));
    assert_eq!(refused(&|work| work.write("nul", b"", 0o644)), ("nul".into(), Fault::Device));
    assert_eq!(refused(&|work| work.write("root", b"", 0o4755)), ("root".into(), Fault::SpecialBits));
    assert_eq!(refused(&|work| work.write(".complete", b"", 0o644)), (".complete".into(), Fault::Kept));
    let (name, fault) = refused(&|work| work.write("GOOD", b"", 0o644));
    assert!(matches!(fault, Fault::Collision(_)), "{name} {fault}");
    let (name, fault) = refused(&|work| symlink("../outside", work.source().join("way")).unwrap());
    assert_eq!((name.as_str(), fault), ("way", Fault::LinkOutside("../outside".into())));
    let (name, fault) = refused(&|work| {
        drop(std::os::unix::net::UnixListener::bind(work.source().join("socket")).unwrap());
    });
    assert_eq!((name.as_str(), fault), ("socket", Fault::Special("socket")));

    let work = Work::new();
    assert!(matches!(pack(&work.source(), &work.path.join("x")), Err(PackError::Empty { .. })));
    work.write("good", b"good", 0o644);
    assert!(matches!(pack(&work.source(), &work.source().join("x")), Err(PackError::Inside { .. })));
    work.write("mainstay-package.json", b"{}", 0o644);
    assert!(matches!(pack(&work.source(), &work.path.join("x")), Err(PackError::Description { .. })));
}

#[test]
fn archives_of_other_tools_are_read() {
    let work = Work::new();
    // npm: one folder, no entries for folders.
    let (unpacked, found) =
        work.unpack_bytes(&tar_gz(&[file("package/package.json", "{}"), file("package/package/x", "x")]));
    assert_eq!(names(&found), ["package.json", "package/", "package/x"]);
    assert_eq!(unpacked.payload, Payload::Folder("package".into()));
    // tar -C folder -c . : everything below `./`, the root itself, a link, a second name.
    let (unpacked, found) = work.unpack_bytes(&tar_gz(&[
        folder("./"),
        folder("./bin/"),
        file("./bin/program", "x"),
        link(b'2', "./latest", "bin/program"),
        link(b'1', "./again", "./bin/program"),
        file("./mainstay-package.json", r#"{"component":"server","version":"1.2.3"}"#),
    ]));
    assert_eq!(names(&found), ["again", "bin/", "bin/program", "latest", "mainstay-package.json"]);
    assert_eq!(found["latest"].1, b"bin/program");
    assert!(unpacked.description.is_some() && unpacked.payload == Payload::Root);
    // git archive: a global header with the commit. GNU and PAX long names. A folder before ustar.
    let long = format!("server-1.0.0/{}", "long/".repeat(30));
    let gnu = Entry {
        name: b"././@LongLink",
        kind: b'L',
        content: format!("{long}gnu\0").as_bytes(),
        ..Entry::default()
    }
    .bytes();
    let global = Entry {
        name: b"pax_global_header",
        kind: b'g',
        content: b"19 comment=1234567\n",
        ..Entry::default()
    };
    let (_, found) = work.unpack_bytes(&tar_gz(&[
        global.bytes(),
        Entry { name: b"server-1.0.0/old/", kind: 0, ..Entry::default() }.bytes(),
        gnu,
        file("short", "gnu"),
        pax(&[("path", &format!("{long}pax")), ("mtime", "1700000000.5"), ("LIBARCHIVE.creationtime", "1")]),
        file("short", "pax"),
    ]));
    assert!(found.contains_key("old/"));
    assert_eq!(found[&format!("{}gnu", &long[13..])].1, b"gnu");
    assert_eq!(found[&format!("{}pax", &long[13..])].1, b"pax");
    // Several gzip members are one stream.
    let whole = archives::tar(&[file("one", "1"), file("two", "2")]);
    let (_, found) = work.unpack_bytes(&[gzip(&whole[..700]), gzip(b""), gzip(&whole[700..])].concat());
    assert_eq!(names(&found), ["one", "two"]);
}

#[test]
fn zips_of_other_tools_are_read() {
    let work = Work::new();
    let mut described = Member::deflated("later", b"described later");
    described.flags = 8;
    described.after = [b"PK\x07\x08", &described.checksum.to_le_bytes()[..]].concat();
    described.after.extend(described.declared_packed.to_le_bytes());
    described.after.extend(described.size.to_le_bytes());
    let members = [
        Member { mode: 0o100_755, ..Member::deflated("bin/program", b"program program program") },
        Member { mode: 0, ..Member::stored("folder/", b"") },
        Member { mode: 0o120_777, ..Member::stored("link", b"bin/program") },
        described,
    ];
    let (unpacked, found) = work.unpack_bytes(&zip(&members));
    assert_eq!(names(&found), ["bin/", "bin/program", "folder/", "later", "link"]);
    assert!(found["bin/program"].0 && !found["later"].0);
    assert_eq!(unpacked.entries, 4);

    // Streamed with Zip64 fields, by another implementation, with members that fill several chunks.
    let noise: Vec<u8> =
        (0_u32..900_000).flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let mut other = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().large_file(true);
    other.add_directory("server/", options).unwrap();
    for number in 0..30 {
        other.start_file(format!("server/{number}"), options).unwrap();
        other.write_all(&noise[..noise.len() >> (number % 7)]).unwrap();
    }
    let (unpacked, found) = work.unpack_bytes(&other.finish().unwrap().into_inner());
    assert_eq!(unpacked.payload, Payload::Folder("server".into()));
    assert_eq!(found.len(), 30);
    assert!(
        (0..30).all(|number: usize| found[&number.to_string()].1 == noise[..noise.len() >> (number % 7)])
    );
}

#[test]
fn many_small_files_and_progress() {
    let work = Work::new();
    let entries: Vec<_> =
        (0..3000).map(|number| file(&format!("p/{}/{number}", number % 7), &number.to_string())).collect();
    let archive = work.path.join("archive");
    std::fs::write(&archive, tar_gz(&entries)).unwrap();
    let mut last = None;
    let staging = tree::stage(&work.path, "many").unwrap();
    let unpacked =
        unpack(&archive, staging.path(), None, &Limits::default(), &mut |progress| last = Some(progress))
            .unwrap();
    let last = last.unwrap();
    assert_eq!((last.read, unpacked.entries), (last.size, 3000));
    let path = staging.publish("many-1", &unpacked.complete()).unwrap();
    assert!(
        (0..3000)
            .all(|number| std::fs::read_to_string(path.join(format!("{}/{number}", number % 7))).unwrap()
                == number.to_string())
    );
    tree::trash(&work.path, "many-1").unwrap();
    assert_eq!(tree::empty_trash(&work.path).unwrap(), 1);
}

/// A folder tree: names to a content, or none for a folder.
fn trees() -> impl Strategy<Value = BTreeMap<String, Option<(bool, Vec<u8>)>>> {
    let part = "[a-d]{1,2}|x{120}|é|ü u";
    let name = prop::collection::vec(part, 1..5).prop_map(|parts| parts.join("/"));
    let content = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..600),
        (any::<u8>(), 60_000..70_000_usize)
            .prop_map(|(byte, size)| (0..size).map(|at| byte ^ (at / 7).to_le_bytes()[0]).collect()),
    ];
    prop::collection::btree_map(name, prop::option::weighted(0.9, (any::<bool>(), content)), 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_survives(tree in trees()) {
        let work = Work::new();
        let mut files = 0;
        for (name, content) in &tree {
            let path = work.source().join(name);
            // A name may be a folder by another name already.
            match content {
                Some((program, content)) if !path.exists() && path.parent().unwrap().ancestors().all(|above| !above.is_file()) => {
                    work.write(name, content, if *program { 0o755 } else { 0o644 });
                    files += 1;
                }
                _ => drop(std::fs::create_dir_all(&path)),
            }
        }
        prop_assume!(files > 0);
        let packed = pack(&work.source(), &work.path.join("package.tar.gz")).unwrap();
        let again = pack(&work.source(), &work.path.join("again.tar.gz")).unwrap();
        prop_assert_eq!(packed.digest, again.digest);
        let (_, found) = work.unpack(&packed.path);
        prop_assert_eq!(found, contents(&work.source()));
    }

    #[test]
    fn a_damaged_archive_never_leaves_its_folder(at in 0_usize..4096, bit in 0_u8..8, zipped in any::<bool>()) {
        let work = Work::new();
        let mut archive = if zipped {
            zip(&[Member::stored("package/a", b"content"), Member::deflated("package/b", &[3; 900])])
        } else {
            archives::tar(&[file("package/a", "content"), folder("package/c"), link(b'2', "package/l", "a"), file("package/b", &"3".repeat(900))])
        };
        let at = at % archive.len();
        archive[at] ^= 1 << bit;
        let path = work.path.join("archive");
        std::fs::write(&path, if zipped { archive } else { gzip(&archive) }).unwrap();
        let before = snapshot(work.path.as_std_path());
        let staging = tree::stage(&work.path, "tree").unwrap();
        let _ = unpack(&path, staging.path(), None, &Limits::default(), &mut |_| {});
        drop(staging);
        prop_assert_eq!(snapshot(work.path.as_std_path()), before);
    }
}
