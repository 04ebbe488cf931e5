//! How long it takes until a package is unpacked, checked and on the disk, against the tools that
//! everybody has: `tar -xzf` and `unzip`, and against `bsdtar` and `7zz` where they are installed, each with
//! `sync -f`. The budgets hold against the first.
//!
//! Ours includes what theirs leave out: the digest, the checks, the token, the sealing and the publishing.
//! Archives given as arguments are measured instead of those that this makes:
//! `cargo bench --bench unpack -- some.tar.gz other.zip`. `--in=FOLDER` chooses the file system.
//!
//! On ext4 measure where little was deleted in the last minutes: it looks at every inode that was, and then
//! all tools are equally slow at creating files.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::Command;
use std::time::Instant;

use camino::Utf8Path;
use mainstay::package::limits::Limits;
use mainstay::package::{tree, unpack};

const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let chosen = arguments.iter().find_map(|argument| argument.strip_prefix("--in="));
    let folder = Utf8Path::new(chosen.unwrap_or(env!("CARGO_TARGET_TMPDIR")));
    let work = folder.join(format!("bench-unpack-{}", std::process::id()));
    std::fs::create_dir_all(&work).unwrap();
    let given: Vec<_> =
        arguments.iter().filter(|argument| !argument.starts_with("--")).map(Utf8Path::new).collect();
    if given.is_empty() {
        let mut material = Material::collect();
        let mut contents = |count, least, most| material.contents(count, least, most);
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
    for archive in given {
        compare(archive.file_name().unwrap(), archive, &work, None);
    }
    let _ = Command::new("chmod").args(["-R", "u+w"]).arg(&work).status();
    let _ = std::fs::remove_dir_all(&work);
}

/// The tools that unpack such an archive, the one that everybody has first. `$1` is the archive, `$2` the folder.
fn tools(is_zip: bool) -> Vec<(&'static str, &'static str)> {
    let tools = if is_zip {
        [
            ("unzip", "unzip -q \"$1\" -d \"$2\""),
            ("bsdtar", "bsdtar -xf \"$1\" -C \"$2\""),
            ("7zz", "7zz x -bso0 -bsp0 -o\"$2\" \"$1\""),
        ]
    } else {
        [
            ("tar", "tar -xzf \"$1\" -C \"$2\""),
            ("bsdtar", "bsdtar -xzf \"$1\" -C \"$2\""),
            ("7zz", "7zz x -so -tgzip \"$1\" | 7zz x -si -ttar -bso0 -bsp0 -o\"$2\""),
        ]
    };
    let is_there = |name: &str| {
        let found = Command::new("sh").args(["-c", &format!("command -v {name}")]).output().unwrap();
        if !found.status.success() {
            println!("    {name} is not installed, and not measured");
        }
        found.status.success()
    };
    tools.into_iter().filter(|(name, _)| is_there(name)).collect()
}

/// All by turns, best of each: what else the machine does only ever adds. Nothing is deleted in
/// between, because deleting slows down what follows it.
fn compare(what: &str, archive: &Utf8Path, work: &Utf8Path, budget: Option<f64>) {
    let is_zip = std::fs::read(archive).unwrap().starts_with(b"PK");
    let tools = tools(is_zip);
    let mut theirs = vec![Vec::new(); tools.len()];
    let mut ours = Vec::new();
    for round in 0..ROUNDS {
        for ((tool, command), times) in tools.iter().zip(&mut theirs) {
            let folder = work.join(format!("{}.{round}.{tool}", archive.file_name().unwrap()));
            std::fs::create_dir(&folder).unwrap();
            let script = format!("{command} && sync -f \"$2\"");
            let arguments = ["-c", &script, "sh", archive.as_str(), folder.as_str()];
            times.push(timed(|| assert!(Command::new("sh").args(arguments).status().unwrap().success())));
        }
        let parent = work.join(format!("{}.{round}.ours", archive.file_name().unwrap()));
        std::fs::create_dir(&parent).unwrap();
        ours.push(timed(|| {
            let staging = tree::stage(&parent, "tree").unwrap();
            let unpacked =
                unpack::unpack(archive, staging.path(), None, &Limits::default(), &mut |_| {}).unwrap();
            staging.publish("tree", &unpacked.complete()).unwrap();
        }));
    }
    let best = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    println!("{what}: ours {:.3} s", best(&ours));
    for (number, ((tool, _), times)) in tools.iter().zip(&theirs).enumerate() {
        let ratio = best(&ours) / best(times);
        let budget = budget.filter(|_| number == 0).map_or(String::new(), |budget| {
            format!(", budget {budget:.2}: {}", if ratio <= budget { "kept" } else { "MISSED" })
        });
        println!("    {ratio:.2} of {tool}, which takes {:.3} s{budget}", best(times));
    }
}

fn timed(what: impl FnOnce()) -> f64 {
    assert!(Command::new("sync").status().unwrap().success());
    let start = Instant::now();
    what();
    start.elapsed().as_secs_f64()
}

/// Real programs and libraries: the toolchain that builds this, cut into files of random sizes.
struct Material {
    bytes: Vec<u8>,
    at: usize,
    random: u64,
}

impl Material {
    fn collect() -> Self {
        let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().unwrap().stdout;
        let mut waiting = vec![std::path::PathBuf::from(String::from_utf8(sysroot).unwrap().trim_end())];
        let mut bytes = Vec::new();
        while let Some(path) = waiting.pop() {
            if path.is_dir() {
                let mut inner: Vec<_> =
                    std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
                inner.sort();
                waiting.extend(inner);
            } else if bytes.len() < 640_000_000 {
                bytes.extend(std::fs::read(&path).unwrap());
            }
        }
        Self { bytes, at: 0, random: 0x9e37_79b9_7f4a_7c15 }
    }

    /// So many contents of sizes between these.
    fn contents(&mut self, count: usize, least: usize, most: usize) -> Vec<Vec<u8>> {
        let mut contents = Vec::new();
        for _ in 0..count {
            // xorshift64: the same sizes on every machine.
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            let size = least + usize::try_from(self.random >> 16).unwrap() % (most - least);
            if self.at + size > self.bytes.len() {
                self.at = 0;
            }
            contents.push(self.bytes[self.at..self.at + size].to_vec());
            self.at += size;
        }
        contents
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
