//! What a second version takes of the disk, when one file in twenty has changed, and what sharing the others costs.
//!
//! `cargo bench --bench share -- --in=FOLDER` chooses the file system.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::Command;
use std::time::Instant;

use camino::Utf8Path;
use mainstay::package::limits::Limits;
use mainstay::package::{measure, share, tree, unpack};

const ROUNDS: usize = 5;
const FILES: usize = 7_000;
/// One in so many has changed.
const CHANGED: usize = 20;
/// How much more of the disk the second version may take.
const BUDGET: f64 = 0.06;

fn main() {
    let chosen = std::env::args().find_map(|argument| argument.strip_prefix("--in=").map(str::to_owned));
    let folder = chosen.unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").to_owned());
    let work = Utf8Path::new(&folder).join(format!("bench-share-{}", std::process::id()));
    std::fs::create_dir_all(&work).unwrap();
    let (one, two) = (work.join("one.tar.gz"), work.join("two.tar.gz"));
    archive(&one, false);
    archive(&two, true);
    let (mut apart, mut shared) = (Vec::new(), Vec::new());
    let mut share = 0.0;
    for round in 0..ROUNDS {
        for (times, shares) in [(&mut apart, false), (&mut shared, true)] {
            let parent = work.join(format!("{round}-{shares}"));
            std::fs::create_dir(&parent).unwrap();
            publish(&one, &parent, "one", &[]);
            assert!(Command::new("sync").status().unwrap().success());
            let old = parent.join("one");
            let others: &[&Utf8Path] = if shares { &[&old] } else { &[] };
            let start = Instant::now();
            publish(&two, &parent, "two", others);
            times.push(start.elapsed().as_secs_f64());
            if shares {
                let (first, both) = (measure::takes([&*old]).unwrap(), [&*old, &*parent.join("two")]);
                let more = measure::takes(both).unwrap() - first;
                share = more as f64 / first as f64;
                println!("    first {first} bytes, second {more} more");
            }
        }
    }
    let best = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    let verdict = if share <= BUDGET { "kept" } else { "MISSED" };
    println!(
        "a second version with 1 of {CHANGED} files changed: {:.1} % more disk, budget {:.0} %: {verdict}",
        share * 100.0,
        BUDGET * 100.0
    );
    println!(
        "unpacked, synced and published: {:.3} s stored apart, {:.3} s shared",
        best(&apart),
        best(&shared)
    );
    let _ = Command::new("chmod").args(["-R", "u+w"]).arg(&work).status();
    let _ = std::fs::remove_dir_all(&work);
}

fn publish(archive: &Utf8Path, parent: &Utf8Path, name: &str, others: &[&Utf8Path]) {
    let staging = tree::stage(parent, name).unwrap();
    let unpacked = unpack::unpack(archive, staging.path(), None, &Limits::default(), &mut |_| {}).unwrap();
    if !others.is_empty() {
        staging.share(others, share::Manner::Link).unwrap();
    }
    staging.publish(name, &unpacked.complete()).unwrap();
}

/// Files of the sizes of a package's, with contents that pack as texts do.
fn archive(path: &Utf8Path, changed: bool) {
    let file = BufWriter::new(File::create(path).unwrap());
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(file, flate2::Compression::new(6)));
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for number in 0..FILES {
        let length = 200 + usize::try_from(next() >> 16).unwrap() % 16_000;
        let mut content = Vec::with_capacity(length + 40);
        while content.len() < length {
            content.extend(format!("word{} of file {number}\n", next() % 5000).bytes());
        }
        if changed && number % CHANGED == 0 {
            content[0] ^= 1;
        }
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        let name = format!("package/part{:02}/folder{:02}/file{number}", number / 350, number / 35 % 10);
        archive.append_data(&mut header, name, &content[..]).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap().flush().unwrap();
}
