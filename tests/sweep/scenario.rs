//! The sweep itself: a scene, an operation, a point, a fate, a way to recover, and the check.

use mainstay::engine::failure::Failure;
use mainstay::engine::obstacle::{Fate, Obstacle, Point};
use mainstay::engine::remove::Removal;
use mainstay::model::manifest::PlatformKind;

use crate::check::{Allowed, by_its_definition, print_of, whole};
use crate::host::Host;
use crate::obstacle::Stops;
use crate::service::{POISON, exists};

/// Where the service's sockets are held.
const HERE: &str = "127.0.0.1:80";

/// One operation on one scene.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    name: &'static str,
    set: fn(&Host),
    act: fn(&Host, &dyn Obstacle) -> Result<(), Failure>,
    /// What an undisturbed run leaves.
    after: Allowed<'static>,
    /// What may be left when it was disturbed.
    between: Allowed<'static>,
    /// Brings a host whose journal was lost to a defined state.
    again: fn(&Host) -> Result<(), Failure>,
}

fn old_runs(host: &Host) {
    host.install("1.0.0", &Stops::never()).unwrap();
}

fn old_stands(host: &Host) {
    old_runs(host);
    host.stop();
}

fn new_runs(host: &Host) {
    old_runs(host);
    host.upgrade("2.0.0", &Stops::never()).unwrap();
}

fn apply_again(host: &Host) -> Result<(), Failure> {
    host.apply(&Stops::never()).map(drop)
}

const fn installed(versions: &'static [&'static str], runs: Option<bool>) -> Allowed<'static> {
    Allowed { versions, gone: false, edited: false, runs }
}

const GONE: Allowed<'static> = Allowed { versions: &[], gone: true, edited: false, runs: None };

pub(crate) const INSTALL: Scenario = Scenario {
    name: "install",
    set: |_| {},
    act: |host, obstacle| host.install("1.0.0", obstacle).map(drop),
    after: installed(&["1.0.0"], Some(true)),
    between: Allowed { versions: &["1.0.0"], ..GONE },
    again: |host| host.install("1.0.0", &Stops::never()).map(drop),
};

pub(crate) const APPLY: Scenario = Scenario {
    name: "apply",
    set: |host| {
        old_runs(host);
        host.declare("1.0.0", r#"{ "A": "1" }"#);
    },
    act: |host, obstacle| host.apply(obstacle).map(drop),
    after: installed(&["1.0.0"], Some(true)),
    between: Allowed { edited: true, ..installed(&["1.0.0"], Some(true)) },
    again: apply_again,
};

pub(crate) const APPLY_STOPPED: Scenario = Scenario {
    name: "apply, stopped",
    set: |host| {
        old_stands(host);
        host.declare("1.0.0", r#"{ "A": "1" }"#);
    },
    after: installed(&["1.0.0"], Some(false)),
    between: Allowed { edited: true, ..installed(&["1.0.0"], Some(false)) },
    ..APPLY
};

pub(crate) const BAD_APPLY: Scenario = Scenario {
    name: "apply, never ready",
    set: |host| {
        old_runs(host);
        host.declare("1.0.0", r#"{ "BROKEN": "1" }"#);
    },
    act: |host, obstacle| expect_taken_back(host.apply(obstacle).map(drop)),
    after: APPLY.between,
    again: |host| {
        host.declare("1.0.0", "{}");
        apply_again(host)
    },
    ..APPLY
};

/// What runs can't be started again under the new definition either.
pub(crate) const POISONED_APPLY: Scenario = Scenario {
    name: "apply, never ready for its definition",
    set: |host| {
        old_runs(host);
        host.declare("1.0.0", r#"{ "A": "1" }"#);
        host.document(POISON);
    },
    ..BAD_APPLY
};

/// The guard takes the old launch back, and starts it by the new definition.
pub(crate) const BAD_APPLY_REDEFINED: Scenario = Scenario {
    name: "apply, never ready, with another definition",
    set: |host| {
        old_runs(host);
        host.declare("1.0.0", r#"{ "BROKEN": "1" }"#);
        host.document("man:web(8)");
    },
    ..BAD_APPLY
};

/// Sockets are held from now on.
pub(crate) const APPLY_SOCKETS: Scenario = Scenario {
    name: "apply, sockets added",
    set: |host| {
        old_runs(host);
        host.listen(&[HERE]);
    },
    ..APPLY
};

fn with_sockets(host: &Host) {
    host.listen(&[HERE]);
    old_runs(host);
}

/// Sockets are held elsewhere from now on.
pub(crate) const APPLY_OTHER_SOCKETS: Scenario = Scenario {
    name: "apply, sockets changed",
    set: |host| {
        with_sockets(host);
        host.declare("1.0.0", "{}");
        host.listen(&["127.0.0.1:81", HERE]);
    },
    ..APPLY
};

/// Sockets are held no longer.
pub(crate) const APPLY_NO_SOCKETS: Scenario = Scenario {
    name: "apply, sockets removed",
    set: |host| {
        with_sockets(host);
        host.declare("1.0.0", "{}");
    },
    ..APPLY
};

/// None of these becomes ready.
pub(crate) const BAD_APPLY_SOCKETS: Scenario = Scenario {
    name: "apply, sockets added, never ready",
    set: |host| {
        old_runs(host);
        host.declare("1.0.0", r#"{ "BROKEN": "1" }"#);
        host.listen(&[HERE]);
    },
    ..BAD_APPLY
};

pub(crate) const BAD_APPLY_OTHER_SOCKETS: Scenario = Scenario {
    name: "apply, sockets changed, never ready",
    set: |host| {
        with_sockets(host);
        host.declare("1.0.0", r#"{ "BROKEN": "1" }"#);
        host.listen(&["127.0.0.1:81"]);
    },
    ..BAD_APPLY
};

pub(crate) const BAD_APPLY_NO_SOCKETS: Scenario = Scenario {
    name: "apply, sockets removed, never ready",
    set: |host| {
        with_sockets(host);
        host.declare("1.0.0", r#"{ "BROKEN": "1" }"#);
    },
    ..BAD_APPLY
};

pub(crate) const UNINSTALL_SOCKETS: Scenario = Scenario {
    name: "uninstall, with sockets",
    set: with_sockets,
    between: Allowed { versions: &["1.0.0"], ..UNINSTALL.between },
    ..UNINSTALL
};

pub(crate) const UPGRADE: Scenario = Scenario {
    name: "upgrade",
    set: old_runs,
    act: |host, obstacle| host.upgrade("2.0.0", obstacle).map(drop),
    after: installed(&["2.0.0"], Some(true)),
    between: installed(&["1.0.0", "2.0.0"], Some(true)),
    again: apply_again,
};

/// The supervisor can't be asked: it is restarted as ever.
pub(crate) const UPGRADE_OVERLAP: Scenario = Scenario {
    name: "upgrade, with overlap",
    set: |host| {
        host.overlap();
        with_sockets(host);
    },
    ..UPGRADE
};

pub(crate) const UPGRADE_STOPPED: Scenario = Scenario {
    name: "upgrade, stopped",
    set: old_stands,
    after: installed(&["2.0.0"], Some(false)),
    between: installed(&["1.0.0", "2.0.0"], Some(false)),
    ..UPGRADE
};

pub(crate) const BAD_UPGRADE: Scenario = Scenario {
    name: "upgrade, never ready",
    act: |host, obstacle| expect_taken_back(host.upgrade("3.0.0", obstacle).map(drop)),
    after: installed(&["1.0.0"], Some(true)),
    between: installed(&["1.0.0"], Some(true)),
    ..UPGRADE
};

/// The version has been up for long enough, and its trial is over.
pub(crate) const PROVED: Scenario = Scenario {
    name: "upgrade, proved",
    set: |host| {
        new_runs(host);
        host.service.prove();
    },
    act: |host, obstacle| host.recover(obstacle).map(drop),
    after: installed(&["2.0.0"], Some(true)),
    between: installed(&["2.0.0"], Some(true)),
    again: apply_again,
};

/// It fails when the command is gone: the start that follows takes it back, and somebody keeps the books.
pub(crate) const TRIAL_FAILS: Scenario = Scenario {
    name: "upgrade, failed in its trial",
    set: |host| {
        new_runs(host);
        host.service.fail();
    },
    act: |host, obstacle| {
        host.service.start_against(obstacle)?;
        host.recover(obstacle).map(drop)
    },
    after: installed(&["1.0.0"], Some(true)),
    // Where the start itself is killed, the guard makes another one.
    between: installed(&["1.0.0"], None),
    // The manifest still says what was taken back.
    again: |host| {
        host.declare("1.0.0", "{}");
        apply_again(host)
    },
};

/// The same, where it came with another definition.
pub(crate) const TRIAL_FAILS_REDEFINED: Scenario = Scenario {
    name: "upgrade, failed in its trial, with another definition",
    set: |host| {
        old_runs(host);
        host.document("man:web(8)");
        host.upgrade("2.0.0", &Stops::never()).unwrap();
        host.service.fail();
    },
    ..TRIAL_FAILS
};

/// A newer version comes while the one before is on trial.
pub(crate) const UPGRADE_ON_TRIAL: Scenario = Scenario {
    name: "upgrade during a trial",
    set: |host| {
        old_runs(host);
        host.upgrade("1.1.0", &Stops::never()).unwrap();
    },
    between: installed(&["1.1.0", "2.0.0"], Some(true)),
    ..UPGRADE
};

/// Likewise, and never becomes ready: what was on trial is so again.
pub(crate) const BAD_UPGRADE_ON_TRIAL: Scenario = Scenario {
    name: "upgrade during a trial, never ready",
    set: UPGRADE_ON_TRIAL.set,
    act: |host, obstacle| {
        expect_taken_back(host.upgrade("3.0.0", obstacle).map(drop))?;
        assert!(exists(&host.layout.trial(&host.name)), "the trial is lost");
        Ok(())
    },
    after: installed(&["1.1.0"], Some(true)),
    between: installed(&["1.1.0"], Some(true)),
    ..UPGRADE
};

pub(crate) const ROLLBACK: Scenario = Scenario {
    name: "rollback",
    set: new_runs,
    act: |host, obstacle| host.rollback(obstacle).map(drop),
    after: installed(&["1.0.0"], Some(true)),
    between: installed(&["1.0.0", "2.0.0"], Some(true)),
    again: apply_again,
};

/// Brings data from the form of one version into that of the next, and says so if they have another.
const MIGRATE: &str = r#""migrate": ["/bin/sh", "-ec", "grep -qx $MAINSTAY_FROM_VERSION {data}/form; rm {data}/old; echo $MAINSTAY_TO_VERSION > {data}/form"]"#;
const MIGRATE_BACK: &str = r#""migrateBack": ["/bin/sh", "-ec", "grep -qx $MAINSTAY_FROM_VERSION {data}/form; echo old > {data}/old; echo $MAINSTAY_TO_VERSION > {data}/form"]"#;
/// The same, and gives up in the middle.
const MIGRATE_BADLY: &str = r#""migrate": ["/bin/sh", "-c", "echo half > {data}/form; rm -r {data}/deep; mkdir -m 0 {data}/odd; exit 3"]"#;

fn old_runs_with_data(host: &Host, hooks: &str, snapshots: bool) {
    host.migrates(hooks, snapshots);
    old_runs(host);
    host.fill("1.0.0");
}

pub(crate) const UPGRADE_MIGRATE: Scenario = Scenario {
    name: "upgrade, with a migration",
    set: |host| old_runs_with_data(host, MIGRATE, true),
    // Where the new version is in force, the old one of the manifest can't work with its data any more.
    again: |host| host.upgrade("2.0.0", &Stops::never()).map(drop),
    ..UPGRADE
};

pub(crate) const UPGRADE_STOPPED_MIGRATE: Scenario = Scenario {
    name: "upgrade, stopped, with a migration",
    set: |host| {
        old_runs_with_data(host, MIGRATE, true);
        host.stop();
    },
    again: UPGRADE_MIGRATE.again,
    ..UPGRADE_STOPPED
};

pub(crate) const BAD_UPGRADE_MIGRATE: Scenario = Scenario {
    name: "upgrade, with a migration, never ready",
    set: |host| old_runs_with_data(host, MIGRATE, true),
    ..BAD_UPGRADE
};

pub(crate) const BAD_MIGRATION: Scenario = Scenario {
    name: "upgrade, with a migration that fails",
    set: |host| old_runs_with_data(host, MIGRATE_BADLY, true),
    act: |host, obstacle| expect_taken_back(host.upgrade("2.0.0", obstacle).map(drop)),
    ..BAD_UPGRADE
};

fn new_runs_with_data(host: &Host, snapshots: bool) {
    old_runs_with_data(host, &format!("{MIGRATE}, {MIGRATE_BACK}"), snapshots);
    host.upgrade("2.0.0", &Stops::never()).unwrap();
}

pub(crate) const ROLLBACK_MIGRATE: Scenario = Scenario {
    name: "rollback, with a migration back",
    set: |host| new_runs_with_data(host, true),
    ..ROLLBACK
};

/// What brings the data back there is no snapshot for.
pub(crate) const ROLLBACK_MIGRATE_ONLY: Scenario = Scenario {
    name: "rollback, with a migration back and without snapshots",
    set: |host| new_runs_with_data(host, false),
    ..ROLLBACK
};

pub(crate) const ROLLBACK_RESTORE: Scenario = Scenario {
    name: "rollback, with the data of before",
    set: |host| {
        old_runs_with_data(host, MIGRATE, true);
        host.upgrade("2.0.0", &Stops::never()).unwrap();
    },
    act: |host, obstacle| host.rollback_with_data(obstacle).map(drop),
    ..ROLLBACK
};

/// Stops the starts of a scenario that move data at each of their points, by a failure and by a death, and each second
/// one again at its first. All comes to an end without anybody's help.
pub(crate) fn sweep_starts(scenario: Scenario, platform: PlatformKind) {
    let mut points = 0;
    for fate in [Fate::Death, Fate::Failure] {
        for (place, again) in (0..100).flat_map(|place| [(place, false), (place, true)]) {
            let host = prepared(scenario, platform);
            let mut at = vec![(place, fate)];
            if again {
                at.push((place + 2, Fate::Death));
            }
            let stops = std::rc::Rc::new(Stops::new(&at));
            host.service.stops.replace(stops.clone());
            let outcome = (scenario.act)(&host, &Stops::never());
            host.service.stops.replace(std::rc::Rc::new(Stops::never()));
            let told = |wrong: String| {
                panic!(
                    "{} on {platform}, {at:?} of {:?}, outcome {outcome:?}: {wrong}; {:?}",
                    scenario.name,
                    stops.points.borrow(),
                    host.notices.borrow()
                )
            };
            if stops.count() <= place {
                points = points.max(place);
                break;
            }
            if !matches!(outcome, Err(Failure::Stuck { .. } | Failure::Down { .. })) {
                whole(&host, scenario.between).unwrap_or_else(told);
            }
            settled(&host, scenario.between).unwrap_or_else(told);
        }
    }
    assert!(points > 3, "{} has hardly a point", scenario.name);
}

pub(crate) const CLEANUP: Scenario = Scenario {
    name: "cleanup",
    set: |host| {
        new_runs(host);
        // Until then its way back is kept.
        host.service.prove();
        host.upgrade("1.1.0", &Stops::never()).unwrap_err();
    },
    act: |host, obstacle| host.remove(Removal::OldVersions, obstacle).map(drop),
    after: installed(&["2.0.0"], Some(true)),
    between: installed(&["2.0.0"], Some(true)),
    again: apply_again,
};

pub(crate) const UNINSTALL: Scenario = Scenario {
    name: "uninstall",
    set: new_runs,
    act: |host, obstacle| host.remove(Removal::Instance, obstacle).map(drop),
    after: GONE,
    between: Allowed { versions: &["2.0.0"], runs: Some(true), ..GONE },
    again: |host| host.remove(Removal::Instance, &Stops::never()).map(drop),
};

pub(crate) const UNINSTALL_STOPPED: Scenario = Scenario {
    name: "uninstall, stopped",
    set: old_stands,
    between: Allowed { versions: &["1.0.0"], runs: Some(false), ..GONE },
    ..UNINSTALL
};

pub(crate) const PURGE: Scenario = Scenario {
    name: "purge",
    act: |host, obstacle| host.remove(Removal::Everything, obstacle).map(drop),
    again: |host| host.remove(Removal::Everything, &Stops::never()).map(drop),
    ..UNINSTALL
};

fn expect_taken_back(outcome: Result<(), Failure>) -> Result<(), Failure> {
    match outcome {
        Err(Failure::TakenBack { .. } | Failure::SettingsTakenBack { .. }) => Ok(()),
        Ok(()) => panic!("a version that never becomes ready was kept"),
        other => other,
    }
}

/// What comes after a death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aftermath {
    /// One `recover`.
    Recover,
    /// The service's own next start, then one `recover`.
    NextStart,
    /// The host starts again, then one `recover`.
    Reboot,
    /// `recover` is killed at its first point, the next one at its second, and so on.
    KilledAgain,
    /// The journal is gone.
    Lost,
}

const AFTERMATHS: [Aftermath; 5] =
    [Aftermath::Recover, Aftermath::NextStart, Aftermath::Reboot, Aftermath::KilledAgain, Aftermath::Lost];

/// Fails and kills an operation at each of its points.
pub(crate) fn sweep(scenario: Scenario, platform: PlatformKind) {
    let host = prepared(scenario, platform);
    let clean = Stops::never();
    (scenario.act)(&host, &clean).unwrap_or_else(|error| panic!("{}: {error}", scenario.name));
    whole(&host, scenario.after).unwrap_or_else(|wrong| panic!("{}: {wrong}", scenario.name));
    by_its_definition(&host).unwrap_or_else(|wrong| panic!("{}: {wrong}", scenario.name));
    let points = clean.count();
    assert!(points >= 2, "{} has hardly a point", scenario.name);
    let mut cases = 0;
    let mut wrong = Vec::new();
    let mut note = |case: Result<usize, String>| match case {
        Ok(count) => cases += count,
        Err(reason) => wrong.push(reason),
    };
    for place in 0..points {
        note(failed(scenario, platform, place));
        for aftermath in aftermaths(platform, place) {
            note(killed(scenario, platform, &[(place, Fate::Death)], aftermath));
        }
        for second in twice(platform, place, points) {
            let stops = [(place, Fate::Failure), (second, Fate::Death)];
            note(killed(scenario, platform, &stops, Aftermath::Recover));
        }
    }
    eprintln!("{} on {platform}: {points} points, {cases} cases", scenario.name);
    let count = wrong.len();
    wrong.truncate(12);
    assert!(wrong.is_empty(), "{count} cases, among them:\n{}", wrong.join("\n"));
}

fn full() -> bool {
    std::env::var("MAINSTAY_FULL").is_ok_and(|full| full == "1")
}

/// The platforms differ in their steps, not in what recovery makes of them.
fn aftermaths(platform: PlatformKind, place: usize) -> Vec<Aftermath> {
    match platform {
        PlatformKind::Systemd if !full() => vec![AFTERMATHS[place % AFTERMATHS.len()]],
        _ => AFTERMATHS.to_vec(),
    }
}

/// The points at which an operation that fails at one is killed while it is undone: two of them, another two
/// for each point, or all.
fn twice(platform: PlatformKind, place: usize, points: usize) -> Vec<usize> {
    if full() {
        return (place + 1..=2 * points).collect();
    }
    let turns = if platform == PlatformKind::Systemd { 0 } else { 2 };
    (0..turns).map(|turn| place + 1 + (place * 7 + turn * points / 2) % points).collect()
}

fn prepared(scenario: Scenario, platform: PlatformKind) -> Host {
    let host = Host::new(platform);
    (scenario.set)(&host);
    host
}

/// A step fails: the operation itself undoes all of it, or goes on where that step does not matter.
fn failed(scenario: Scenario, platform: PlatformKind, place: usize) -> Result<usize, String> {
    let host = prepared(scenario, platform);
    let stops = Stops::new(&[(place, Fate::Failure)]);
    let outcome = (scenario.act)(&host, &stops);
    let told = |wrong: String| {
        format!(
            "{} on {platform}, failed at point {place} ({:?}), outcome {:?}: {wrong}; notices {:?}",
            scenario.name,
            stops.points.borrow().get(place),
            outcome.as_ref().map_err(ToString::to_string),
            host.notices.borrow()
        )
    };
    // Where undoing itself fails, that is for `recover`.
    if !matches!(outcome, Err(Failure::Killed | Failure::Stuck { .. } | Failure::Down { .. })) {
        whole(&host, scenario.between).map_err(told)?;
    }
    settled(&host, scenario.between).map_err(told)?;
    by_its_definition(&host).map_err(told)?;
    Ok(1)
}

fn killed(
    scenario: Scenario,
    platform: PlatformKind,
    at: &[(usize, Fate)],
    aftermath: Aftermath,
) -> Result<usize, String> {
    let host = prepared(scenario, platform);
    let stops = Stops::new(at);
    let outcome = (scenario.act)(&host, &stops);
    if at.len() > 1 && !stops.stopped() {
        return Ok(0);
    }
    let told = |wrong: String| {
        format!(
            "{} on {platform}, stopped at {at:?} (the last point was {:?}), then {aftermath:?}, outcome {:?}: {wrong}; \
             notices {:?}",
            scenario.name,
            stops.last(),
            outcome.as_ref().map_err(ToString::to_string),
            host.notices.borrow()
        )
    };
    let killed = matches!(outcome, Err(Failure::Killed));
    if !killed {
        return Err(told("it was not killed".to_owned()));
    }
    if aftermath == Aftermath::Lost && matches!(stops.last(), Some(Point::Moving(_))) {
        // With no word of it nobody can know what form data have that were just being moved.
        return Ok(0);
    }
    let mut cases = 1;
    match aftermath {
        Aftermath::Recover => {}
        Aftermath::NextStart => host.service.next_start(),
        Aftermath::Reboot => host.service.reboot(),
        Aftermath::KilledAgain => cases += killed_again(&host).map_err(told)?,
        Aftermath::Lost => {
            let _ = std::fs::remove_dir_all(host.layout.journal(&host.name));
            host.service.next_start();
            converges(&host, scenario).map_err(told)?;
            return Ok(cases);
        }
    }
    // A host that has started again runs what starts at boot, also what stood before.
    let runs = if aftermath == Aftermath::Reboot { None } else { scenario.between.runs };
    settled(&host, Allowed { runs, ..scenario.between }).map_err(told)?;
    if matches!(aftermath, Aftermath::Recover | Aftermath::KilledAgain) {
        by_its_definition(&host).map_err(told)?;
    }
    Ok(cases)
}

/// Kills `recover` at its first point, the next one at its second, until one survives.
fn killed_again(host: &Host) -> Result<usize, String> {
    for place in 0..200 {
        let stops = Stops::new(&[(place, Fate::Death)]);
        match host.recover(&stops) {
            Err(Failure::Killed) => {}
            Err(error) => return Err(format!("recover failed: {error}")),
            Ok(_) => return Ok(place),
        }
    }
    Err("recover never comes to an end".to_owned())
}

/// One `recover` puts all right, and a second one changes nothing.
fn settled(host: &Host, allowed: Allowed<'_>) -> Result<(), String> {
    host.recover(&Stops::never()).map_err(|error| format!("recover failed: {error}"))?;
    whole(host, allowed)?;
    let print = print_of(&host.root);
    host.recover(&Stops::never()).map_err(|error| format!("the second recover failed: {error}"))?;
    same(&print, &print_of(&host.root))
}

fn same(before: &str, after: &str) -> Result<(), String> {
    let differ: Vec<&str> = before
        .lines()
        .filter(|line| !after.contains(line))
        .chain(after.lines().filter(|line| !before.contains(line)))
        .collect();
    if differ.is_empty() { Ok(()) } else { Err(format!("the second recover changed {differ:?}")) }
}

/// Names and markers are enough: without a journal, what is there can still be started, and doing the same
/// again, or `apply`, brings it to the end.
fn converges(host: &Host, scenario: Scenario) -> Result<(), String> {
    host.recover(&Stops::never()).map_err(|error| format!("recover failed: {error}"))?;
    let print = print_of(&host.root);
    host.recover(&Stops::never()).map_err(|error| format!("the second recover failed: {error}"))?;
    same(&print, &print_of(&host.root))?;
    (scenario.again)(host).map_err(|error| format!("doing it again failed: {error}"))?;
    whole(host, Allowed { runs: None, ..scenario.after_again() })
}

impl Scenario {
    /// What doing it again leads to.
    fn after_again(&self) -> Allowed<'static> {
        if self.after.gone { self.after } else { Allowed { gone: false, ..self.between } }
    }
}
