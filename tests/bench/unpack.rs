//! How long it takes until a package is unpacked, checked and on the disk, against the tools that
//! everybody has: `tar -xzf` and `unzip`, each with `sync -f`.
//!
//! Ours includes what theirs leave out: the digest, the checks, the token, the sealing and the publishing.
//! Archives given as arguments are measured instead of those that this makes:
//! `cargo bench --bench unpack -- some.tar.gz other.zip`.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::Command;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::package::limits::Limits;
use mainstay::package::{tree, unpack};

const ROUNDS: usize = 5;

fn main() {
    let work = Utf8PathBuf::from(concat!(env!("CARGO_TARGET_TMPDIR"), "/bench-unpack"));
    let _ = std::fs::remove_dir_all(&work);
    std::fs::create_dir_all(&work).unwrap();
    let given: Vec<Utf8PathBuf> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .map(Utf8PathBuf::from)
        .collect();
    if given.is_empty() {
        let big = work.join("big.tar.gz");
        tar_gz(&big, &contents(110, 4_000_000, 7_600_000));
        compare("600 MB in 110 files, .tar.gz", &big, &work, Some(0.6));
        let small = work.join("small.tar.gz");
        tar_gz(&small, &contents(7_000, 200, 16_000));
        compare("7,000 small files, .tar.gz", &small, &work, Some(0.5));
        let large = work.join("large.zip");
        zip(&large, &[contents(3_000, 200, 16_000), contents(60, 4_000_000, 7_600_000)].concat());
        compare("350 MB in 3,060 files, .zip", &large, &work, Some(0.5));
    }
    for archive in &given {
        compare(archive.file_name().unwrap(), archive, &work, None);
    }
    let _ = Command::new("chmod").args(["-R", "u+w"]).arg(&work).status();
    let _ = std::fs::remove_dir_all(&work);
}

/// The two by turns, best of each: what else the machine does only ever adds. Nothing is deleted in
/// between, because deleting slows down what follows it.
fn compare(what: &str, archive: &Utf8Path, work: &Utf8Path, budget: Option<f64>) {
    let is_zip = std::fs::read(archive).unwrap().starts_with(b"PK");
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let folder = work.join(format!("{}.{round}.theirs", archive.file_name().unwrap()));
        std::fs::create_dir(&folder).unwrap();
        let extract = if is_zip { "unzip -q" } else { "tar -xzf" };
        let into = if is_zip { "-d" } else { "-C" };
        let script = format!("{extract} '{archive}' {into} '{folder}' && sync -f '{folder}'");
        theirs.push(timed(|| assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success())));

        let parent = work.join(format!("{}.{round}.ours", archive.file_name().unwrap()));
        std::fs::create_dir(&parent).unwrap();
        let mut unpacking = 0.0;
        ours.push(timed(|| {
            let start = Instant::now();
            let staging = tree::stage(&parent, "tree").unwrap();
            let unpacked =
                unpack::unpack(archive, staging.path(), None, &Limits::default(), &mut |_| {}).unwrap();
            unpacking = start.elapsed().as_secs_f64();
            staging.publish("tree", &unpacked.complete()).unwrap();
        }));
        println!(
            "    theirs {:.3} s, ours {:.3} s, of which unpacking {unpacking:.3} s",
            theirs[round], ours[round]
        );
    }
    let best = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    let ratio = best(&ours) / best(&theirs);
    let budget = budget.map_or(String::new(), |budget| {
        format!(", budget {budget:.2}: {}", if ratio <= budget { "kept" } else { "MISSED" })
    });
    println!("{what}: theirs {:.3} s, ours {:.3} s, ratio {ratio:.2}{budget}", best(&theirs), best(&ours));
}

fn timed(what: impl FnOnce()) -> f64 {
    assert!(Command::new("sync").status().unwrap().success());
    let start = Instant::now();
    what();
    start.elapsed().as_secs_f64()
}

/// Contents that compress to about a third, like programs and their data: a few thousand words over and
/// over, with noise between them.
fn contents(count: usize, least: usize, most: usize) -> Vec<Vec<u8>> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let words: Vec<Vec<u8>> =
        (0..4096).map(|_| (0..4 + random.below(20)).map(|_| random.byte()).collect()).collect();
    (0..count)
        .map(|_| {
            let size = least + random.below(most - least);
            let mut content = Vec::with_capacity(size + 32);
            while content.len() < size {
                if random.below(4) == 0 {
                    let noise = random.below(12);
                    content.extend((0..noise).map(|_| random.byte()));
                } else {
                    content.extend_from_slice(&words[random.below(words.len())]);
                }
            }
            content.truncate(size);
            content
        })
        .collect()
}

/// xorshift64: the same contents on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 16).unwrap() % end
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }
}

fn name(number: usize) -> String {
    format!("package/part{:02}/folder{:02}/file{number}", number % 20, number / 20 % 20)
}

fn tar_gz(path: &Utf8Path, contents: &[Vec<u8>]) {
    let file = BufWriter::new(File::create(path).unwrap());
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(file, flate2::Compression::new(6)));
    let mut named: Vec<_> =
        contents.iter().enumerate().map(|(number, content)| (name(number), content)).collect();
    named.sort();
    for (name, content) in named {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, name, &content[..]).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap().flush().unwrap();
}

fn zip(path: &Utf8Path, contents: &[Vec<u8>]) {
    let mut archive = zip::ZipWriter::new(BufWriter::new(File::create(path).unwrap()));
    let options = zip::write::SimpleFileOptions::default().compression_level(Some(6));
    for (number, content) in contents.iter().enumerate() {
        archive.start_file(name(number), options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().flush().unwrap();
}
