//! What a supervisor and a guardian need while nothing happens.

use std::time::Duration;

use mainstay::model::status::Phase;

use crate::host::{Host, program, spec};

fn field(pid: u32, file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn at_rest_they_do_not_wake_up_and_need_little_memory() {
    let host = Host::new(&spec(&[&program("chatters"), "1000"]));
    let guardian = host.guard();
    let status = host.wait_for_phase(Phase::Ready);
    std::thread::sleep(Duration::from_millis(300));
    let pids = [status.supervisor.pid, guardian.pid()];
    let switches = || pids.map(|pid| field(pid, "status", "voluntary_ctxt_switches"));
    let before = switches();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(before, switches());
    let memory = pids.map(|pid| field(pid, "smaps_rollup", "Pss:"));
    eprintln!("PSS of supervisor and guardian: {memory:?} KiB");
    // A build without optimisation is far larger; the promise is for the one that is shipped.
    let limit = if cfg!(debug_assertions) { 16_384 } else { 4_096 };
    assert!(memory.iter().all(|size| *size < limit), "{memory:?}");
}
