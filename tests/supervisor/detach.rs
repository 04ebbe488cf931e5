//! Processes that live on when their program stops.

use mainstay::model::duration::Span;
use mainstay::model::launch::Probe;
use mainstay::model::status::Phase;
use rustix::process::Signal;

use crate::host::{Host, LONG, spec, wait_for};

#[test]
fn what_the_manifest_names_lives_on_with_its_children_and_all_else_is_gone() {
    // The system keeps 15 bytes of a name.
    let name = "worker-with-a-long-name";
    let worker = "sleep 300 & while :; do sleep 0.05; echo alive; echo worse >&2; done";
    let script = format!("./{name} -c '{worker}' & sleep 301 & wait");
    let mut spec = spec(&["/bin/sh", "-c", &script]);
    spec.detach = vec![name.to_owned()];
    spec.ready.probe = Probe::Delay(Span::milliseconds(100));
    let host = Host::new(&spec);
    std::fs::copy(std::fs::canonicalize("/bin/sh").unwrap(), host.data().join(name)).unwrap();
    let mut guardian = host.guard();
    let shells = || host.programs().iter().filter(|one| one.name != "sleep").count();
    wait_for("both", LONG, || (shells() == 2).then_some(()));
    host.wait_for_phase(Phase::Ready);
    guardian.signal(Signal::TERM);
    assert_eq!(guardian.code(), Some(0));
    let names = || -> Vec<_> { host.programs().into_iter().map(|process| process.name).collect() };
    assert!(names().contains(&"worker-with-a-l".to_owned()) && !names().contains(&"sh".to_owned()));
    let status = host.status().unwrap();
    assert_eq!(status.phase, Phase::Stopped);
    assert!(status.message.contains("lives on: worker-with-a-l ("), "{}", status.message);
    // Nobody supervises any more, and what it writes is no death of its: it is kept.
    let lines = |word: &str| host.log().lines().filter(|line| line.ends_with(word)).count();
    let (before, worse) = (lines(" out alive"), lines(" err worse"));
    wait_for("its output", LONG, || (lines(" out alive") > before + 3).then_some(()));
    wait_for("its errors", LONG, || (lines(" err worse") > worse + 3).then_some(()));
    assert!(names().contains(&"worker-with-a-l".to_owned()), "{:?}", names());
}

#[test]
fn what_lives_on_and_writes_without_end_does_not_hold_up_a_stop_or_a_restart() {
    let name = "flooder";
    let script = format!("./{name} -c 'while :; do echo x; done' & sleep 0.4; exit 1");
    let mut spec = spec(&["/bin/sh", "-c", &script]);
    spec.detach = vec![name.to_owned()];
    spec.ready.probe = Probe::Delay(Span::milliseconds(50));
    spec.restart.delays = vec![Span::seconds(60)];
    spec.logs.max_size = "100KiB".parse().unwrap();
    let host = Host::new(&spec);
    std::fs::copy(std::fs::canonicalize("/bin/sh").unwrap(), host.data().join(name)).unwrap();
    let mut guardian = host.guard();
    host.wait_for_phase(Phase::BackingOff);
    let floods = || host.programs().iter().any(|process| process.name == name);
    assert!(floods());
    let asked = std::time::Instant::now();
    guardian.signal(Signal::TERM);
    assert_eq!(guardian.code(), Some(0));
    assert!(asked.elapsed() < std::time::Duration::from_secs(3), "{:?}", asked.elapsed());
    assert!(floods(), "it lives on");
}
