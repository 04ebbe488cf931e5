//! How long the flip of a version link takes, against the calls that it can't be done without: symlink, rename, and
//! fsync of the folder. `cargo bench --bench flip`; `-- --in=FOLDER` chooses the file system.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::time::{Duration, Instant};

use camino::Utf8Path;
use mainstay::host::files;
use rustix::fs::{CWD, Mode, OFlags};

const BUDGET: f64 = 1.5;
const ROUNDS: usize = 2_001;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let chosen = arguments.iter().find_map(|argument| argument.strip_prefix("--in="));
    let folder = Utf8Path::new(chosen.unwrap_or(env!("CARGO_TARGET_TMPDIR")));
    let work = folder.join(format!("bench-flip-{}", std::process::id()));
    std::fs::create_dir_all(work.join("ours")).unwrap();
    std::fs::create_dir_all(work.join("theirs")).unwrap();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let target = format!("server-{}.0.0", round % 2);
        theirs.push(timed(|| bare(&work.join("theirs"), &target)));
        ours.push(timed(|| files::link(&work.join("ours/server"), Utf8Path::new(&target)).unwrap()));
    }
    std::fs::remove_dir_all(&work).unwrap();
    let (ours, theirs) = (median(ours), median(theirs));
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    let verdict = if ratio <= BUDGET { "ok" } else { "over" };
    println!("a flip: {ratio:.2} (budget {BUDGET}, {verdict}); {ours:.1?} against {theirs:.1?}");
    assert!(ratio <= BUDGET, "over the budget");
}

fn bare(folder: &Utf8Path, target: &str) {
    let (beside, link) = (folder.join("beside"), folder.join("server"));
    rustix::fs::symlinkat(target, CWD, beside.as_str()).unwrap();
    rustix::fs::renameat(CWD, beside.as_str(), CWD, link.as_str()).unwrap();
    let folder =
        rustix::fs::open(folder.as_str(), OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
    rustix::fs::fsync(&folder).unwrap();
}

fn timed(action: impl FnOnce()) -> Duration {
    let began = Instant::now();
    action();
    began.elapsed()
}

fn median(mut spans: Vec<Duration>) -> Duration {
    spans.sort_unstable();
    spans[spans.len() / 2]
}
