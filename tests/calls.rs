//! The real binary, killed or failed at every call by which it changes something: the command itself, and the
//! guardian that makes the switch. A normal run takes a sample, `MAINSTAY_FULL=1` every call.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that fails panics, says what it saw, and starts processes itself"
)]

mod real;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use camino::Utf8Path;
use mainstay::engine::guard::guardian_of;
use mainstay::model::name::InstanceName;
use real::{LONG, MAINSTAY, Place, after, await_some};

/// The calls by which a process changes what is outside of it, and that a disk can fail.
const OF_THE_DISK: [&str; 21] = [
    "write",
    "pwrite64",
    "writev",
    "openat",
    "mkdirat",
    "mkdir",
    "unlinkat",
    "unlink",
    "rmdir",
    "rename",
    "renameat",
    "renameat2",
    "linkat",
    "symlinkat",
    "symlink",
    "fsync",
    "fdatasync",
    "syncfs",
    "ftruncate",
    "fchmod",
    "fchown",
];
/// The others.
const OF_OTHERS: [&str; 7] =
    ["fchownat", "kill", "pidfd_send_signal", "sendto", "sendmsg", "connect", "flock"];
/// What the disk may say.
const ERRORS: [&str; 3] = ["EIO", "ENOSPC", "EROFS"];

/// All calls by which a process changes what is outside of it.
fn changing() -> Vec<&'static str> {
    [OF_THE_DISK.as_slice(), OF_OTHERS.as_slice()].concat()
}

fn web() -> InstanceName {
    InstanceName::new("web").unwrap()
}

fn strace_is_missing() -> bool {
    let missing = Command::new("strace").arg("--version").output().is_err();
    if missing {
        real::left_out("strace is not installed, which kills and fails calls");
    }
    missing
}

fn is_full() -> bool {
    std::env::var("MAINSTAY_FULL").is_ok_and(|full| full == "1")
}

/// A call of a run: the how-manieth of its name.
#[derive(Clone, Debug)]
struct Call {
    name: String,
    number: usize,
}

impl std::fmt::Display for Call {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.name, self.number)
    }
}

/// The calls that a trace shows, by each thread's own count, as the tracer counts when it injects.
fn calls_in(trace: &Utf8Path, of: &[&str]) -> Vec<Call> {
    let mut calls: BTreeSet<(String, usize)> = BTreeSet::new();
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in std::fs::read_to_string(trace).unwrap().lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Some((name, arguments)) = rest.trim_start().split_once('(') else { continue };
        if !of.contains(&name) {
            continue;
        }
        let count = counts.entry((thread.to_owned(), name.to_owned())).or_default();
        *count += 1;
        // To open for reading changes nothing; it counts all the same.
        if name != "openat" || arguments.contains("O_CREAT") {
            calls.insert((name.to_owned(), *count));
        }
    }
    calls.into_iter().map(|(name, number)| Call { name, number }).collect()
}

/// Every call in a full run, else so many of them, evenly.
fn sample(calls: Vec<Call>, offset: usize, count: usize) -> Vec<Call> {
    assert!(calls.len() > 20, "only {} calls change something: {calls:?}", calls.len());
    let stride = if is_full() { 1 } else { calls.len().div_ceil(count) };
    calls.into_iter().skip(offset % stride).step_by(stride).collect()
}

fn old_runs() -> Place {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    // They are made before, so that a trace is only of what is traced.
    place.archive("2.0.0");
    place.archive("9.0.0");
    place
}

fn tracer(place: &Place, trace: &Utf8Path, of: &[&str], inject: Option<&str>) -> Command {
    let mut strace = place.command("strace", &place.deploy());
    strace.args(["--follow-forks", "--quiet=all", "--signal=none"]);
    strace.arg(format!("--output={trace}")).arg(format!("--trace={}", of.join(",")));
    if let Some(inject) = inject {
        strace.arg(format!("--inject={inject}"));
    }
    // The loader would open files in many more places.
    strace.env_remove("LD_LIBRARY_PATH");
    strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    strace
}

fn upgrade(place: &Place) -> Vec<String> {
    ["upgrade", "--yes", "--from", &place.archive("2.0.0")].map(str::to_owned).to_vec()
}

/// The calls of an upgrade that nothing disturbs.
fn calls_of_the_command(of: &[&str]) -> Vec<Call> {
    let place = old_runs();
    let trace = place.top().join("trace");
    let status = tracer(&place, &trace, of, None).arg(MAINSTAY).args(upgrade(&place)).status().unwrap();
    assert_eq!(status.code(), Some(0));
    calls_in(&trace, of)
}

#[test]
fn the_command_is_killed_at_any_call() {
    if strace_is_missing() {
        return;
    }
    let calls = sample(calls_of_the_command(&changing()), 3, 8);
    for call in &calls {
        let place = old_runs();
        let told = format!("killed at {call}");
        let inject = format!("{}:signal=KILL:when={}", call.name, call.number);
        let trace = place.top().join("trace");
        tracer(&place, &trace, &changing(), Some(&inject))
            .arg(MAINSTAY)
            .args(upgrade(&place))
            .status()
            .unwrap();
        after::in_order(&place, &web(), &told, &["1.0.0", "2.0.0"]);
        after::goes_on(&place, &web(), &told);
    }
    eprintln!("killed at {} calls", calls.len());
}

#[test]
fn any_call_of_the_command_fails() {
    if strace_is_missing() {
        return;
    }
    let calls = sample(calls_of_the_command(&OF_THE_DISK), 5, 8);
    let mut codes: BTreeMap<i32, usize> = BTreeMap::new();
    for (place_in_row, call) in calls.iter().enumerate() {
        let place = old_runs();
        let error = ERRORS[place_in_row % ERRORS.len()];
        // A disk that is full, or has become read-only, stays so; what is on it can still be opened.
        let lasting = place_in_row / ERRORS.len() % 2 == 1 && call.name != "openat";
        let lasting = if lasting { "+" } else { "" };
        let told = format!("{error} at {call}{lasting}");
        let inject = format!("{}:error={error}:when={}{lasting}", call.name, call.number);
        let trace = place.top().join("trace");
        let status =
            tracer(&place, &trace, &OF_THE_DISK, Some(&inject)).arg(MAINSTAY).args(upgrade(&place)).status();
        let code = status.unwrap().code().unwrap_or_default();
        *codes.entry(code).or_default() += 1;
        let may: &[&str] = match code {
            0 => &["2.0.0"],
            // Nothing is left of it that a recovery could bring forward.
            5 | 7 => &["1.0.0"],
            1 => &["1.0.0", "2.0.0"],
            other => {
                let trace = std::fs::read_to_string(&trace).unwrap();
                let lines: Vec<_> = trace.lines().collect();
                panic!("{told}: exit {other}:\n{}", lines[lines.len().saturating_sub(60)..].join("\n"))
            }
        };
        after::in_order(&place, &web(), &told, may);
        after::goes_on(&place, &web(), &told);
    }
    eprintln!("{} calls failed; exit codes and how often: {codes:?}", calls.len());
}

/// Attaches to the process that makes the switch, and waits until it is traced.
fn attach(place: &Place, trace: &Utf8Path, inject: Option<&str>) -> Child {
    let guardian = guardian_of(&place.layout, &web()).unwrap().pid;
    let tracer =
        tracer(place, trace, &changing(), inject).arg(format!("--attach={guardian}")).spawn().unwrap();
    await_some("the guardian is traced", LONG, || {
        let status = std::fs::read_to_string(format!("/proc/{guardian}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("TracerPid:"))?;
        (line.trim() != "0").then_some(())
    });
    tracer
}

fn detach(mut tracer: Child) {
    let pid = rustix::process::Pid::from_child(&tracer);
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    tracer.wait().unwrap();
}

#[test]
fn the_guardian_is_killed_at_any_call_of_the_switch() {
    if strace_is_missing() {
        return;
    }
    let place = old_runs();
    let trace = place.top().join("trace");
    let tracing = attach(&place, &trace, None);
    place.run(&upgrade(&place).iter().map(String::as_str).collect::<Vec<_>>()).good();
    detach(tracing);
    let calls = sample(calls_in(&trace, &changing()), 1, 6);
    for call in &calls {
        let place = old_runs();
        let told = format!("the guardian is killed at {call}");
        let inject = format!("{}:signal=KILL:when={}", call.name, call.number);
        let tracing = attach(&place, &place.top().join("trace"), Some(&inject));
        let output = place.run(&upgrade(&place).iter().map(String::as_str).collect::<Vec<_>>());
        let may: &[&str] = match output.code {
            Some(0) => &["2.0.0"],
            Some(7) => &["1.0.0"],
            Some(1) => &["1.0.0", "2.0.0"],
            _ => panic!("{told}: {output:?}"),
        };
        std::thread::sleep(Duration::from_millis(100));
        detach(tracing);
        after::in_order(&place, &web(), &told, may);
        after::goes_on(&place, &web(), &told);
    }
    eprintln!("the guardian was killed at {} calls", calls.len());
}

#[test]
fn the_way_back_waits_for_the_start_that_follows_a_slow_end() {
    if strace_is_missing() {
        return;
    }
    let journal_line = "{\\\"begin\\\":4}";
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    let manifest = place.deploy().join("mainstay.json");
    let slow = r#""stop": { "command": ["sleep", "1"], "timeout": "5s" }"#;
    let text = std::fs::read_to_string(&manifest).unwrap().replace(r#""stop": { "timeout": "5s" }"#, slow);
    assert!(text.contains("sleep"));
    std::fs::write(&manifest, text).unwrap();
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    let trace = place.top().join("trace");
    let status = tracer(&place, &trace, &["write"], None).arg(MAINSTAY).args(upgrade(&place)).status();
    assert_eq!(status.unwrap().code(), Some(0));
    // The journal can't say that the restart was asked for, while what ran before is still ending.
    let writes: Vec<String> = std::fs::read_to_string(&trace).unwrap().lines().map(str::to_owned).collect();
    let thread = writes.iter().find(|line| line.contains(journal_line)).unwrap().split(' ').next().unwrap();
    let own = writes.iter().filter(|line| line.split(' ').next() == Some(thread));
    let number = own.take_while(|line| !line.contains(journal_line)).count() + 1;
    place.run(&["upgrade", "--rollback", "--yes"]).good();
    place.run(&["upgrade", "--cleanup", "--yes"]);
    let inject = format!("write:error=ENOSPC:when={number}");
    let mut strace = tracer(&place, &trace, &["write"], Some(&inject));
    let output = strace.arg(MAINSTAY).args(upgrade(&place)).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{said}");
    after::in_order(&place, &web(), "the way back", &["1.0.0"]);
}

#[test]
fn an_upgrade_comes_through_although_nothing_can_be_said() {
    let place = old_runs();
    let full = || Stdio::from(std::fs::File::options().write(true).open("/dev/full").unwrap());
    let mut command = place.command(MAINSTAY, &place.deploy());
    // Said is more than what the buffers of a standard stream hold back.
    command.args(upgrade(&place)).arg("--verbose").stdin(Stdio::null()).stdout(full()).stderr(full());
    let status = command.status().unwrap();
    assert_ne!(status.code(), Some(101), "it panicked");
    after::in_order(&place, &web(), "nothing can be said", &["2.0.0"]);
}
