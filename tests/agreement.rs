//! What we take for a tree is what everybody else takes it for: GNU tar, bsdtar, unzip and Python's modules. An
//! archive of which they make different trees is refused.
//!
//! The archives are odd ones from a seed ([`archives::odd`]), and all that the fuzzers have kept. A reader may
//! refuse what we take; it may not see something else in it. `MAINSTAY_ARCHIVES` is how many are made, and
//! `MAINSTAY_SEED` the first of them, as a failure names it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr, missing_docs)]

mod archives;
#[path = "fuzz/src/tar.rs"]
#[allow(dead_code, reason = "only its way of packing is used")]
mod corpus_tar;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use archives::odd::{self, Dice, Oddity};
use camino::Utf8PathBuf;
use mainstay::package::limits::Limits;
use mainstay::package::unpack::{Payload, unpack};

/// What stands under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Folder,
    File { content: Vec<u8>, program: bool },
    Link(Vec<u8>),
}

type Tree = BTreeMap<String, Node>;

/// Somebody else who reads archives.
struct Reader {
    name: &'static str,
    /// The Debian package that brings it.
    package: &'static str,
    program: &'static str,
    zips: bool,
    /// Whether it keeps modes and makes links: Python's zipfile writes a link's target into a file.
    whole: bool,
}

const READERS: [Reader; 5] = [
    Reader { name: "tar", package: "tar", program: "tar", zips: false, whole: true },
    Reader { name: "bsdtar", package: "libarchive-tools", program: "bsdtar", zips: false, whole: true },
    Reader { name: "python", package: "python3", program: "python3", zips: false, whole: true },
    Reader { name: "unzip", package: "unzip", program: "unzip", zips: true, whole: true },
    Reader { name: "bsdtar", package: "libarchive-tools", program: "bsdtar", zips: true, whole: true },
];
const PYTHON_ZIP: Reader =
    Reader { name: "python", package: "python3", program: "python3", zips: true, whole: false };

fn readers(zips: bool) -> Vec<Reader> {
    let there = |reader: &Reader| {
        let found = Command::new("sh").args(["-c", &format!("command -v {}", reader.program)]).output();
        let there = found.is_ok_and(|found| found.status.success());
        if !there {
            eprintln!("left out: {} is not installed, so it is not asked", reader.program);
            if let Some(list) = std::env::var_os("MAINSTAY_LEFT_OUT") {
                let mut list = std::fs::File::options().create(true).append(true).open(list).unwrap();
                let why = format!("{} is not asked\n", reader.program);
                std::io::Write::write_all(&mut list, why.as_bytes()).unwrap();
            }
            let owed = std::env::var("CI").as_deref() == Ok("true");
            assert!(!owed, "with CI=true {} must be installed (Debian: {})", reader.program, reader.package);
        }
        there
    };
    READERS.into_iter().chain([PYTHON_ZIP]).filter(|reader| reader.zips == zips).filter(there).collect()
}

/// A folder of archives, and what became of each.
struct Bench {
    folder: tempfile::TempDir,
    names: Vec<String>,
    refused: usize,
    ours: BTreeMap<usize, Tree>,
}

impl Bench {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = tempfile::Builder::new().prefix("mainstay-agreement-").tempdir_in(folder).unwrap();
        Self { folder, names: Vec::new(), refused: 0, ours: BTreeMap::new() }
    }

    fn path(&self, number: usize, what: &str) -> PathBuf {
        self.folder.path().join(format!("{number}.{what}"))
    }

    /// Unpacks an archive ourselves; one that is refused is no more looked at.
    fn add(&mut self, name: String, bytes: &[u8]) -> Result<(), String> {
        let number = self.names.len();
        self.names.push(name);
        let archive = self.path(number, "archive");
        fs::write(&archive, bytes).unwrap();
        let into = self.path(number, "ours");
        let utf8 = |path: &Path| Utf8PathBuf::from_path_buf(path.to_owned()).unwrap();
        match unpack(&utf8(&archive), &utf8(&into), None, &Limits::default(), &mut |_| {}) {
            Ok(unpacked) => {
                let mut tree = Tree::new();
                let top = match &unpacked.payload {
                    Payload::Root => String::new(),
                    Payload::Folder(top) => {
                        tree.insert(top.clone(), Node::Folder);
                        format!("{top}/")
                    }
                };
                collect(&into, &top, &mut tree);
                self.ours.insert(number, tree);
                Ok(())
            }
            Err(error) => {
                self.refused += 1;
                fs::remove_file(archive).unwrap();
                Err(error.to_string())
            }
        }
    }

    /// Asks a reader for every archive that we took, and gives the number of those that it took as well.
    fn compare(&self, reader: &Reader, differences: &mut Vec<String>) -> usize {
        let taken: Vec<usize> = if reader.name == "python" {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/trees.py");
            let output =
                run(Command::new("python3").arg(script).arg(self.folder.path()).stderr(Stdio::null()));
            let text = String::from_utf8(output.stdout).unwrap();
            text.lines().map(|line| line.parse().unwrap()).collect()
        } else {
            self.ours.keys().copied().filter(|number| self.ask(reader, *number)).collect()
        };
        for number in &taken {
            let mut theirs = Tree::new();
            let folder = self.path(*number, reader.name);
            collect(&folder, "", &mut theirs);
            let ours = &self.ours[number];
            let agree = if reader.whole { *ours == theirs } else { files_of(ours) == files_of(&theirs) };
            if !agree {
                let name = &self.names[*number];
                differences.push(format!("{name}: {} has {}", reader.name, difference(ours, &theirs)));
            }
        }
        for number in self.ours.keys() {
            let _ = fs::remove_dir_all(self.path(*number, reader.name));
        }
        taken.len()
    }

    /// Whether a reader came to the end of an archive.
    fn ask(&self, reader: &Reader, number: usize) -> bool {
        let (archive, into) = (self.path(number, "archive"), self.path(number, reader.name));
        fs::create_dir(&into).unwrap();
        let mut command = Command::new(reader.program);
        match reader.name {
            "tar" => command.args(["--no-same-owner", "-xzf"]).arg(archive).arg("-C").arg(into),
            "bsdtar" => command
                .args(["--no-same-owner", "--no-fflags", "--no-acls", "--no-xattrs", "-xf"])
                .arg(archive)
                .arg("-C")
                .arg(into),
            _ => command.args(["-qq", "-o"]).arg(archive).arg("-d").arg(into),
        };
        let code = run(command.stderr(Stdio::null())).status.code();
        // With 1 unzip says that it warned of something, and that all is there.
        code == Some(0) || reader.name == "unzip" && code == Some(1)
    }
}

fn run(command: &mut Command) -> std::process::Output {
    command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).output().unwrap()
}

/// What differs, and only that.
fn difference(ours: &Tree, theirs: &Tree) -> String {
    let shown = |tree: &Tree, name: &String| match tree.get(name) {
        None => "nothing".to_owned(),
        Some(Node::Folder) => "a folder".to_owned(),
        Some(Node::Link(target)) => format!("a link to `{}`", target.escape_ascii()),
        Some(Node::File { content, program }) => {
            let kind = if *program { "a program" } else { "a file" };
            format!(
                "{kind} of {} bytes: `{}`",
                content.len(),
                content[..content.len().min(40)].escape_ascii()
            )
        }
    };
    let mut names: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
    names.sort();
    names.dedup();
    let differ = names.into_iter().filter(|name| ours.get(*name) != theirs.get(*name));
    let lines =
        differ.map(|name| format!("`{name}`: {}, and we have {}", shown(theirs, name), shown(ours, name)));
    lines.collect::<Vec<_>>().join("; ")
}

/// The names and contents of files: a link's content is where it leads.
fn files_of(tree: &Tree) -> BTreeMap<&str, &[u8]> {
    let content = |node| match node {
        &Node::Folder => None,
        Node::File { content, .. } | Node::Link(content) => Some(&content[..]),
    };
    tree.iter().filter_map(|(name, node)| Some((name.as_str(), content(node)?))).collect()
}

fn collect(folder: &Path, above: &str, tree: &mut Tree) {
    // Without root, what its owner may not read can't be compared.
    let open = |path: &Path, bits: u32| {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        fs::set_permissions(path, fs::Permissions::from_mode(mode | bits)).unwrap();
    };
    open(folder, 0o700);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{above}{}", path.file_name().unwrap().to_string_lossy());
        let metadata = fs::symlink_metadata(&path).unwrap();
        let node = if metadata.is_dir() {
            collect(&path, &format!("{name}/"), tree);
            Node::Folder
        } else if metadata.is_symlink() {
            Node::Link(fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec())
        } else {
            let program = metadata.permissions().mode() & 0o100 != 0;
            open(&path, 0o400);
            Node::File { content: fs::read(&path).unwrap(), program }
        };
        tree.insert(name, node);
    }
}

/// A number of archives: fewer in a usual run than in a full one.
fn count() -> u64 {
    if let Ok(count) = std::env::var("MAINSTAY_ARCHIVES") {
        return count.parse().unwrap();
    }
    if std::env::var("MAINSTAY_FULL").is_ok() { 20_000 } else { 600 }
}

/// The seeds of a usual run are the same each time, so that a failure is one of the change.
fn first_seed() -> u64 {
    if let Ok(seed) = std::env::var("MAINSTAY_SEED") {
        return seed.parse().unwrap();
    }
    if std::env::var("MAINSTAY_FULL").is_err() {
        return 1;
    }
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// Makes archives, and asserts that all readers agree with us on those that we take.
fn agree(zips: bool, make: fn(&mut Dice, Oddity) -> Vec<u8>) {
    let mut differences = Vec::new();
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut taken, mut refused) = (0, 0);
    let readers = readers(zips);
    let (first, count) = (first_seed(), count());
    // In portions, so that the trees of thousands need not lie side by side.
    for portion in (0..count).step_by(500) {
        let mut bench = Bench::new();
        for seed in (portion..count.min(portion + 500)).map(|seed| first + seed) {
            let oddity = if seed % 10 == 0 { Oddity::None } else { Oddity::Some };
            let bytes = make(&mut Dice::new(seed), oddity);
            let outcome = bench.add(format!("MAINSTAY_SEED={seed}"), &bytes);
            if let (Oddity::None, Err(error)) = (oddity, outcome) {
                panic!("MAINSTAY_SEED={seed}: an ordinary archive is refused: {error}");
            }
        }
        for reader in &readers {
            *tally.entry(reader.name).or_default() += bench.compare(reader, &mut differences);
        }
        taken += bench.ours.len();
        refused += bench.refused;
    }
    report(&differences);
    eprintln!(
        "{taken} of {} archives taken; of these {tally:?} taken by others, all the same",
        taken + refused
    );
    if count >= 100 {
        assert!(taken * 4 > refused, "{taken} of {} taken: the archives are too odd", taken + refused);
        for (reader, agreed) in tally {
            assert!(agreed * 10 > taken * 8, "{reader} refuses most of what we take: {agreed} of {taken}");
        }
    }
}

#[track_caller]
fn report(differences: &[String]) {
    let shown: Vec<_> =
        differences.iter().take(20).map(|text| text.chars().take(600).collect::<String>()).collect();
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), shown.join("\n"));
}

#[test]
fn of_odd_tars_all_readers_make_the_same() {
    agree(false, odd::tar_gz);
}

#[test]
fn of_odd_zips_all_readers_make_the_same() {
    agree(true, odd::zipped);
}

#[test]
fn of_what_the_fuzzers_kept_all_readers_make_the_same() {
    let mut differences = Vec::new();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let mut benches = [Bench::new(), Bench::new()];
    for target in ["archive", "tar"] {
        for input in fs::read_dir(corpus.join(target)).unwrap() {
            let input = input.unwrap().path();
            let mut bytes = fs::read(&input).unwrap();
            if target == "tar" {
                bytes = corpus_tar::packed(&bytes);
            }
            let zip = usize::from(bytes.starts_with(b"PK"));
            let _ = benches[zip].add(input.display().to_string(), &bytes);
        }
    }
    for (bench, zips) in benches.iter().zip([false, true]) {
        assert!(bench.ours.len() >= 3, "{} taken", bench.ours.len());
        for reader in readers(zips) {
            bench.compare(&reader, &mut differences);
        }
    }
    report(&differences);
}
