//! Crashes on a simulated host: every operation is failed, and separately killed, at each of its points in
//! turn, and its recovery at each of the recovery's own. The files, links and locks are real; the service
//! manager and the supervisors are played by this process, so that a death is a return and thousands of
//! them fit into a few seconds.
//!
//! A normal run takes every point, and of the longer combinations a sample; `MAINSTAY_FULL=1` takes all.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that fails panics, says what it saw, and reads its own environment"
)]

mod check;
mod host;
mod keeping;
mod living;
mod obstacle;
mod restart;
mod scenario;
mod service;

use mainstay::model::manifest::PlatformKind::{Embedded, Systemd};
use scenario::{
    APPLY, APPLY_NO_SOCKETS, APPLY_OTHER_SOCKETS, APPLY_SOCKETS, APPLY_STOPPED, BAD_APPLY,
    BAD_APPLY_NO_SOCKETS, BAD_APPLY_OTHER_SOCKETS, BAD_APPLY_REDEFINED, BAD_APPLY_SOCKETS, BAD_MIGRATION,
    BAD_UPGRADE, BAD_UPGRADE_MIGRATE, BAD_UPGRADE_ON_TRIAL, CLEANUP, INSTALL, POISONED_APPLY, PROVED, PURGE,
    ROLLBACK, ROLLBACK_MIGRATE, ROLLBACK_MIGRATE_ONLY, ROLLBACK_RESTORE, TRIAL_FAILS, TRIAL_FAILS_REDEFINED,
    UNINSTALL, UNINSTALL_SOCKETS, UNINSTALL_STOPPED, UPGRADE, UPGRADE_MIGRATE, UPGRADE_ON_TRIAL,
    UPGRADE_OVERLAP, UPGRADE_STOPPED, UPGRADE_STOPPED_MIGRATE, sweep, sweep_starts,
};

#[test]
fn install_embedded() {
    sweep(INSTALL, Embedded);
}

#[test]
fn install_systemd() {
    sweep(INSTALL, Systemd);
}

#[test]
fn apply_embedded() {
    sweep(APPLY, Embedded);
    sweep(APPLY_STOPPED, Embedded);
    sweep(BAD_APPLY, Embedded);
}

#[test]
fn apply_systemd() {
    sweep(APPLY, Systemd);
    sweep(APPLY_STOPPED, Systemd);
    sweep(BAD_APPLY, Systemd);
    sweep(POISONED_APPLY, Systemd);
    sweep(BAD_APPLY_REDEFINED, Systemd);
}

#[test]
fn apply_sockets() {
    sweep(APPLY_SOCKETS, Systemd);
    sweep(APPLY_OTHER_SOCKETS, Systemd);
    sweep(APPLY_NO_SOCKETS, Systemd);
}

#[test]
fn apply_sockets_never_ready() {
    sweep(BAD_APPLY_SOCKETS, Systemd);
    sweep(BAD_APPLY_OTHER_SOCKETS, Systemd);
    sweep(BAD_APPLY_NO_SOCKETS, Systemd);
}

#[test]
fn upgrade_overlap() {
    sweep(UPGRADE_OVERLAP, Embedded);
    sweep(UPGRADE_OVERLAP, Systemd);
}

#[test]
fn uninstall_sockets() {
    sweep(UNINSTALL_SOCKETS, Systemd);
}

#[test]
fn upgrade_embedded() {
    sweep(UPGRADE, Embedded);
    sweep(UPGRADE_STOPPED, Embedded);
}

#[test]
fn upgrade_systemd() {
    sweep(UPGRADE, Systemd);
    sweep(UPGRADE_STOPPED, Systemd);
}

#[test]
fn bad_upgrade_embedded() {
    sweep(BAD_UPGRADE, Embedded);
}

#[test]
fn bad_upgrade_systemd() {
    sweep(BAD_UPGRADE, Systemd);
}

#[test]
fn trial_embedded() {
    sweep(PROVED, Embedded);
    sweep(TRIAL_FAILS, Embedded);
    sweep(UPGRADE_ON_TRIAL, Embedded);
    sweep(BAD_UPGRADE_ON_TRIAL, Embedded);
}

#[test]
fn trial_systemd() {
    sweep(PROVED, Systemd);
    sweep(TRIAL_FAILS, Systemd);
    sweep(TRIAL_FAILS_REDEFINED, Systemd);
    sweep(UPGRADE_ON_TRIAL, Systemd);
    sweep(BAD_UPGRADE_ON_TRIAL, Systemd);
}

#[test]
fn rollback() {
    sweep(ROLLBACK, Embedded);
    sweep(ROLLBACK, Systemd);
}

#[test]
fn cleanup() {
    sweep(CLEANUP, Embedded);
    sweep(CLEANUP, Systemd);
}

#[test]
fn uninstall_embedded() {
    sweep(UNINSTALL, Embedded);
    sweep(UNINSTALL_STOPPED, Embedded);
    sweep(PURGE, Embedded);
}

#[test]
fn uninstall_systemd() {
    sweep(UNINSTALL, Systemd);
    sweep(UNINSTALL_STOPPED, Systemd);
    sweep(PURGE, Systemd);
}

#[test]
fn migrations_embedded() {
    for scenario in [UPGRADE_MIGRATE, BAD_MIGRATION, BAD_UPGRADE_MIGRATE, UPGRADE_STOPPED_MIGRATE] {
        sweep(scenario, Embedded);
    }
}

#[test]
fn migrations_systemd() {
    for scenario in [UPGRADE_MIGRATE, BAD_MIGRATION, BAD_UPGRADE_MIGRATE, UPGRADE_STOPPED_MIGRATE] {
        sweep(scenario, Systemd);
    }
}

#[test]
fn rollback_with_data() {
    for scenario in [ROLLBACK_MIGRATE, ROLLBACK_MIGRATE_ONLY, ROLLBACK_RESTORE] {
        sweep(scenario, Embedded);
        sweep(scenario, Systemd);
    }
}

#[test]
fn starts_that_move_data() {
    for scenario in [
        UPGRADE_MIGRATE,
        BAD_MIGRATION,
        BAD_UPGRADE_MIGRATE,
        ROLLBACK_MIGRATE,
        ROLLBACK_MIGRATE_ONLY,
        ROLLBACK_RESTORE,
    ] {
        sweep_starts(scenario, Embedded);
    }
}
