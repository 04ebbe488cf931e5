//! What a supervisor and a guardian need while nothing happens.

use std::time::{Duration, Instant};

use mainstay::model::status::Phase;
use rustix::process::Signal;

use crate::host::{Host, LONG, program, spec, wait_for};

fn field(pid: u32, file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What a process has in memory of files that nobody changes, program and libraries, in KiB. The sum that `status` has
/// may lag behind.
fn of_files(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap();
    let sum = |name| -> u64 {
        let values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_suffix("kB"));
        values.map(|value| value.trim().parse::<u64>().unwrap()).sum()
    };
    sum("Rss:") - sum("Anonymous:")
}

/// More than the loop of a build without optimisation needs, and far less than a start, in KiB.
const LITTLE: u64 = 2_048;

#[test]
fn at_rest_they_do_not_wake_up_and_need_little_memory() {
    let host = Host::new(&spec(&[&program("chatters"), "1000"]));
    let guardian = host.guard();
    let status = host.wait_for_phase(Phase::Ready);
    let pids = [status.supervisor.pid, guardian.pid()];
    // It is given back when nothing has happened for a second.
    wait_for("memory that is given back", LONG, || {
        pids.iter().all(|pid| of_files(*pid) < LITTLE).then_some(())
    });
    let switches = || pids.map(|pid| field(pid, "status", "voluntary_ctxt_switches"));
    let before = switches();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(before, switches());
    let memory = pids.map(|pid| field(pid, "smaps_rollup", "Pss:"));
    eprintln!("PSS of supervisor and guardian: {memory:?} KiB");
    assert!(memory.iter().sum::<u64>() < 4_096, "{memory:?}");
}

#[test]
fn who_is_woken_often_gives_nothing_back() {
    let host = Host::new(&spec(&["/bin/sh", "-c", "while echo; do sleep 0.2; done"]));
    let mut driver = host.run();
    let status = host.wait_for_phase(Phase::Ready);
    let pid = status.supervisor.pid;
    let needed = of_files(pid);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        let now = of_files(pid);
        assert!(now >= LITTLE && now * 2 > needed, "{now} of {needed} KiB after {:?}", begun.elapsed());
        std::thread::sleep(Duration::from_millis(100));
    }
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
}
