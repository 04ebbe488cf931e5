//! The limit on memory.

use mainstay::model::duration::Span;
use mainstay::model::manifest::RestartWhen;
use mainstay::model::size::Size;
use mainstay::model::status::{Exit, Phase};
use rustix::process::Signal;

use crate::host::{Host, program, spec};

#[test]
fn a_program_above_its_limit_is_killed_with_its_descendants_and_one_below_is_not() {
    let mut spec = spec(&[&program("grows"), "96"]);
    spec.restart.when = RestartWhen::Never;
    spec.limits.memory = Some(Size::new(64 << 20));
    let host = Host::new(&spec);
    spec.limits.memory = Some(Size::new(192 << 20));
    spec.stop.timeout = Span::seconds(5);
    let modest = Host::new(&spec);
    let (mut driver, mut other) = (host.run(), modest.run());
    assert_eq!(driver.code(), Some(1));
    let status = host.status().unwrap();
    assert_eq!((status.phase, status.last_exit), (Phase::Failed, Some(Exit::OverMemory)));
    assert!(status.message.contains("MiB of 64MiB"), "{}", status.message);
    assert!(host.programs().is_empty());
    assert_eq!((modest.status().unwrap().phase, modest.programs().len()), (Phase::Ready, 2));
    other.signal(Signal::TERM);
    assert_eq!(other.code(), Some(0));
}
