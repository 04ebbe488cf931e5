//! Restarts whose manager does not do what it is asked.

use mainstay::engine::failure::Failure;
use mainstay::engine::obstacle::Clear;
use mainstay::engine::report;
use mainstay::model::manifest::PlatformKind::{self, Embedded, Systemd};
use mainstay::model::status::{Phase, ProcessIdentity};

use crate::host::Host;

fn installed(platform: PlatformKind) -> Host {
    let host = Host::new(platform);
    host.install("1.0.0", &Clear).unwrap();
    host
}

/// Who supervises, alive and ready.
fn supervisor(host: &Host) -> ProcessIdentity {
    let status = report::live(&host.layout, &host.name).unwrap();
    assert_eq!(status.phase, Phase::Ready);
    status.supervisor
}

#[test]
fn a_restart_begins_new_processes() {
    for platform in [Systemd, Embedded] {
        let host = installed(platform);
        let before = supervisor(&host);
        host.restart().unwrap();
        assert_ne!(supervisor(&host), before);
        assert!(host.notices.borrow().is_empty(), "{:?}", host.notices);
    }
}

#[test]
fn what_is_not_restarted_is_stopped_and_started_afresh() {
    for platform in [Systemd, Embedded] {
        let host = installed(platform);
        let before = supervisor(&host);
        host.service.refused.borrow_mut().push("restart");
        host.restart().unwrap();
        assert_ne!(supervisor(&host), before);
        let notices = host.notices.borrow();
        assert!(notices[0].contains("no restart today") && notices[0].contains("afresh"), "{notices:?}");
    }
}

#[test]
fn what_holds_a_service_that_does_not_stop_either_is_told() {
    for platform in [Systemd, Embedded] {
        let host = installed(platform);
        let before = supervisor(&host);
        host.service.refused.borrow_mut().extend(["restart", "stop"]);
        let Err(Failure::Held { reason, holders }) = host.restart() else { panic!("{platform}") };
        assert!(reason.contains("no stop today"), "{reason}");
        let supervises = format!("process {} (", before.pid);
        let told = |holder: &String| holder.starts_with(&supervises) && holder.contains("its supervisor");
        assert!(holders.iter().any(told), "{holders:?}");
        assert_eq!(supervisor(&host), before, "it goes on");
    }
}

#[test]
fn a_program_that_fails_by_itself_is_not_started_twice() {
    let host = installed(Systemd);
    host.service.barren.set(true);
    let failure = host.restart().unwrap_err();
    assert!(matches!(failure, Failure::Down { .. }), "{failure}");
    assert!(host.notices.borrow().is_empty(), "{:?}", host.notices);
}
