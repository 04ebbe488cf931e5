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
    let script = format!("./{name} -c 'sleep 300 & wait' & sleep 301 & wait");
    let mut spec = spec(&["/bin/sh", "-c", &script]);
    spec.detach = vec![name.to_owned()];
    spec.ready.probe = Probe::Delay(Span::milliseconds(100));
    let host = Host::new(&spec);
    std::fs::copy(std::fs::canonicalize("/bin/sh").unwrap(), host.data().join(name)).unwrap();
    let mut guardian = host.guard();
    wait_for("all four", LONG, || (host.programs().len() == 4).then_some(()));
    host.wait_for_phase(Phase::Ready);
    guardian.signal(Signal::TERM);
    assert_eq!(guardian.code(), Some(0));
    let names: Vec<_> = host.programs().into_iter().map(|process| process.name).collect();
    assert!(names.len() == 2 && names.contains(&"worker-with-a-l".to_owned()), "{names:?}");
    let status = host.status().unwrap();
    assert_eq!(status.phase, Phase::Stopped);
    assert!(status.message.contains("lives on: worker-with-a-l ("), "{}", status.message);
}
