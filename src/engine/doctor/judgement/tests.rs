use super::*;
use crate::engine::doctor::facts::{Disk, Lock, Open, PidFile, Runtime, Tree};
use crate::engine::holders::{Holder, Role};
use crate::model::answer::status::StatusAnswer;
use crate::model::moment::Moment;
use crate::model::status::{HealthStanding, ProcessIdentity};

/// An instance with which nothing is wrong.
fn healthy() -> Facts {
    let status: StatusAnswer = serde_json::from_value(serde_json::json!({
        "schema": "status.v1", "exitCode": 0, "name": "web", "component": "server", "platform": "systemd",
        "scope": "user", "folder": "/srv/web", "state": "ready", "pid": 811,
        "restarts": { "failures": 0, "counted": 0 }, "boot": { "starts": true, "reason": "its unit is enabled" },
        "definition": { "path": "/u/web.service", "edited": false, "needsReload": false, "dropIns": [] },
        "pendingRestart": false
    }))
    .unwrap();
    Facts {
        status,
        defined: true,
        lost_socket: None,
        manager: Ok(()),
        boot: Some(Enabled { wanted: true, is: true }),
        unlingering: None,
        runtime: Runtime {
            path: "/i/web/mainstay".into(),
            runs: true,
            version: Some("0.1.0".to_owned()),
            own: "0.1.0".to_owned(),
            other_build: false,
            replaced: false,
        },
        tree: Tree {
            link: "/i/web/server".into(),
            target: Some("server-1.0.0".to_owned()),
            whole: true,
            spec: Ok(()),
            content: Some((90..=100, 100)),
            damaged_before: None,
        },
        manifest: Manifest::Sound { changed: false, doubts: Vec::new() },
        locks: Vec::new(),
        pid_file: Some(PidFile {
            path: "/r/web.pid".into(),
            pid: Some(811),
            ours: true,
            process: Some("server".to_owned()),
            account: None,
        }),
        dead_sockets: Vec::new(),
        indexed: true,
        open: Vec::new(),
        clock: (at("2026-06-01T12:00:00Z"), Some(at("2026-06-01T12:00:30Z"))),
        supervised: true,
        holders: vec![holder(Role::Supervisor, 'S'), holder(Role::Program, 'S')],
        unchanged_for: Some(std::time::Duration::from_secs(60)),
        stop_limit: std::time::Duration::from_secs(45),
        unreadable: None,
        open_secrets: Vec::new(),
        logs: Some((1 << 20, 4 << 20)),
        lacks: None,
        disks: vec![Disk { folder: "/i/web".into(), available: 50 << 30, size: 100 << 30, no_files: false }],
    }
}

fn at(text: &str) -> Moment {
    Moment(text.parse().unwrap())
}

fn holder(role: Role, state: char) -> Holder {
    Holder {
        identity: ProcessIdentity { pid: 810, start_ticks: 1 },
        name: "server".to_owned(),
        state,
        parent: (1, "systemd".to_owned()),
        role,
    }
}

/// What is not sound once something has been changed: the check, the verdict, the message, the fix.
fn told(change: impl FnOnce(&mut Facts)) -> Vec<String> {
    let mut facts = healthy();
    change(&mut facts);
    let unsound = judge(&facts).into_iter().filter(|judged| judged.finding.verdict != Verdict::Sound);
    unsound
        .map(|judged| {
            let Finding { check, verdict, message, hint, fix } = judged.finding;
            assert!(hint.is_some(), "nobody is told what to do: {message}");
            assert_eq!(fix, judged.fix.map(|fix| fix.to_string()));
            let fix = fix.map(|fix| format!(" -> {fix}")).unwrap_or_default();
            format!("{verdict:?} {check:?}: {message}{fix}")
        })
        .collect()
}

#[test]
fn of_a_healthy_instance_everything_is_sound() {
    assert_eq!(told(|_| {}), [""; 0]);
    let findings = judge(&healthy());
    // One of each check, but those that have nothing to look at.
    assert_eq!(findings.len(), 15, "{findings:?}");
}

/// A change, and what it is told as.
type Case = (fn(&mut Facts), &'static str);

fn told_as(cases: &[Case]) {
    for (change, expected) in cases {
        assert_eq!(told(change), [*expected]);
    }
}

#[test]
fn faults_of_what_is_installed_are_told_with_what_mends_them() {
    told_as(&[
        (
            |facts| facts.defined = false,
            "Wrong Definition: there is no definition of it at `/u/web.service`, so nothing starts it",
        ),
        (
            |facts| facts.lost_socket = Some("/u/web.socket".into()),
            "Wrong Definition: there is no definition of its sockets at `/u/web.socket`, so nobody holds them",
        ),
        (
            |facts| facts.status.definition.needs_reload = true,
            "Wrong Definition: systemd has not read the definition as it is now -> let systemd read its units again",
        ),
        (
            |facts| facts.status.definition.edited = true,
            "Doubtful Definition: `/u/web.service` was edited by hand",
        ),
        (
            |facts| facts.status.definition.drop_ins = vec!["/u/web.service.d/x.conf".into()],
            "Doubtful Definition: `/u/web.service.d/x.conf` changes what it says",
        ),
        (
            |facts| facts.boot = Some(Enabled { wanted: true, is: false }),
            "Wrong Boot: it is to start at boot, and its unit is not enabled -> enable its unit",
        ),
        (
            |facts| facts.boot = Some(Enabled { wanted: false, is: true }),
            "Wrong Boot: the manifest says `\"boot\": false`, and its unit is enabled -> disable its unit",
        ),
        (
            |facts| facts.unlingering = Some("alice".to_owned()),
            "Wrong Boot: it starts with the first login of alice and ends with the last one -> let the services of alice run without a login",
        ),
        (
            |facts| facts.tree.target = None,
            "Wrong Version: the current link `/i/web/server` leads nowhere -> finish or undo what was interrupted",
        ),
        (
            |facts| facts.tree.whole = false,
            "Wrong Version: the active version `server-1.0.0` is not there, or not whole -> finish or undo what was interrupted",
        ),
        (
            |facts| facts.tree.spec = Err("it is damaged".to_owned()),
            "Wrong Version: the launch of `server-1.0.0` can't be used: it is damaged",
        ),
        (
            |facts| facts.runtime.runs = false,
            "Wrong Runtime: `/i/web/mainstay`, which its definition starts, is not there or can't be run",
        ),
        (
            |facts| facts.runtime.own = "0.2.0".to_owned(),
            "Doubtful Runtime: it is run by mainstay 0.1.0, and this is 0.2.0",
        ),
        (
            |facts| facts.runtime.replaced = true,
            "Doubtful Runtime: its supervisor still runs an earlier copy of mainstay",
        ),
    ]);
}

#[test]
fn faults_of_what_surrounds_it_are_told_with_what_mends_them() {
    told_as(&[
        (
            |facts| facts.tree.content = Some((90..=99, 100)),
            "Wrong Version: the files of the active version `server-1.0.0` hold 99 bytes, and its archive had 100: they were changed",
        ),
        (
            |facts| facts.tree.content = Some((101..=120, 100)),
            "Wrong Version: the files of the active version `server-1.0.0` hold 101 bytes, and its archive had 100: they were changed",
        ),
        (
            |facts| facts.tree.damaged_before = Some("server-0.9.0".to_owned()),
            "Doubtful Version: the version before, `server-0.9.0`, is damaged: there is no safe way back to it",
        ),
        (
            |facts| facts.indexed = false,
            "Doubtful Index: the index does not say what its definition says, and could not be written",
        ),
        (
            |facts| facts.open = vec![Open::Mode { path: "/s/web".into(), mode: 0o775 }],
            "Wrong Permissions: others than its owner can change `/s/web` (mode 0775) -> let nobody but its owner change `/s/web`",
        ),
        (
            |facts| facts.open = vec![Open::Owner { path: "/s/web".into(), uid: 1001 }],
            "Wrong Permissions: `/s/web` belongs to the account 1001, which can change what runs here",
        ),
        (
            |facts| facts.clock.1 = Some(at("2026-06-01T13:00:00Z")),
            "Doubtful Clock: the clock was set back: its active version was activated 3600 s from now",
        ),
        (
            |facts| facts.clock = (at("1970-01-01T00:05:00Z"), None),
            "Wrong Clock: the clock of this host is years behind: certificates and schedules can't be relied on",
        ),
    ]);
}

#[test]
fn faults_of_what_runs_are_told_with_what_mends_them() {
    told_as(&[
        (
            |facts| facts.manifest = Manifest::Missing("/srv/web/mainstay.json".into()),
            "Doubtful Manifest: there is no manifest at `/srv/web/mainstay.json`: it runs on, and can't be changed",
        ),
        (
            |facts| facts.manifest = Manifest::Faulty("no".to_owned()),
            "Doubtful Manifest: the manifest can't be used: no",
        ),
        (
            |facts| facts.manifest = Manifest::Sound { changed: true, doubts: Vec::new() },
            "Doubtful Manifest: the manifest says something else than was last applied",
        ),
        (
            |facts| {
                facts.manifest =
                    Manifest::Sound { changed: false, doubts: vec!["a".to_owned(), "b".to_owned()] }
            },
            "Doubtful Manifest: a; b",
        ),
        (
            |facts| facts.status.operation = Some(OperationState::Unfinished),
            "Wrong Operation: an operation was left unfinished -> finish or undo what was interrupted",
        ),
        (
            |facts| facts.status.operation = Some(OperationState::UnderWay),
            "Doubtful Operation: a command is at work on it",
        ),
        (
            |facts| {
                let holder = Some((99, "mainstay".to_owned(), 'T'));
                facts.locks = vec![Lock { path: "/s/web.operation.lock".into(), holder }];
            },
            "Wrong Locks: process 99 (mainstay), which holds `/s/web.operation.lock`, was stopped and does not go on",
        ),
        (|facts| facts.manager = Err("no bus".to_owned()), "Wrong Service: systemd can't be asked: no bus"),
        (
            |facts| {
                facts.status.state = InstanceState::Failed;
                facts.status.message = Some("it exited with code 3".to_owned());
                facts.holders.clear();
            },
            "Wrong Service: it failed and stays down: it exited with code 3",
        ),
        (
            |facts| {
                let last_error = Some("refused".to_owned());
                facts.status.health = Some(HealthStanding { failures: 2, last_success: None, last_error });
            },
            "Doubtful Service: running and ready, but it failed 2 questions in a row whether it works: refused",
        ),
        (
            |facts| facts.status.fallback = Some("its supervisor has left no report".to_owned()),
            "Wrong Report: its supervisor has left no report",
        ),
        (
            |facts| {
                facts.status.state = InstanceState::Stopped;
                (facts.supervised, facts.holders) = (false, vec![holder(Role::Program, 'S')]);
            },
            "Wrong Processes: it does not run, and processes of it do: process 810 (server) sleeps; its parent is 1 (systemd)",
        ),
        (
            |facts| {
                facts.status.state = InstanceState::Stopping;
                facts.holders = vec![holder(Role::Program, 'D')];
            },
            "Wrong Processes: it does not stop, because of process 810 (server) waits in the kernel for a device or a file system (state D), where no signal reaches it; its parent is 1 (systemd)",
        ),
        (
            |facts| {
                let process = None;
                facts.pid_file = facts.pid_file.take().map(|file| PidFile { ours: false, process, ..file });
            },
            "Doubtful PidFile: `/r/web.pid` names process 811, which has ended -> remove `/r/web.pid`, if it still names process 811 and that has ended",
        ),
        (
            |facts| facts.unreadable = Some("can't read the secret KEY from `/srv/web/key`: gone".into()),
            "Wrong Secrets: can't read the secret KEY from `/srv/web/key`: gone: its next start fails",
        ),
        (
            |facts| facts.open_secrets = vec!["/srv/web/token".into()],
            "Doubtful Secrets: every account of this host can read the secret in `/srv/web/token`",
        ),
        (
            |facts| facts.logs = Some((100 << 20, 4 << 20)),
            "Doubtful Logs: its log folder takes 100 MiB, and `logs` of the manifest allows 4",
        ),
        (
            |facts| facts.disks[0].available = 1 << 20,
            "Wrong Disk: the file system of `/i/web` is full: 1024 KiB are left",
        ),
    ]);
}

#[test]
fn what_only_looks_like_a_fault_is_none() {
    // Stopped, with nothing left: that was asked for.
    let stopped = |facts: &mut Facts| {
        facts.status.state = InstanceState::Stopped;
        (facts.supervised, facts.status.pid) = (false, None);
        facts.holders.clear();
        facts.pid_file = None;
    };
    assert_eq!(told(stopped), [""; 0]);
    // A stop that has just begun takes its time.
    let stopping = |facts: &mut Facts| {
        facts.status.state = InstanceState::Stopping;
        facts.unchanged_for = Some(std::time::Duration::from_secs(5));
    };
    assert_eq!(told(stopping), [""; 0]);
    // A command that works holds its lock.
    let working = |facts: &mut Facts| {
        let holder = Some((99, "mainstay".to_owned(), 'R'));
        facts.locks = vec![Lock { path: "/s/web.operation.lock".into(), holder }];
    };
    assert_eq!(told(working), [""; 0]);
    // A large file system that is nine tenths full has room.
    assert_eq!(told(|facts| facts.disks[0].available = 5 << 30), [""; 0]);
}

#[test]
fn what_another_process_answers_to_is_not_removed() {
    let named = told(|facts| {
        facts.pid_file = facts.pid_file.take().map(|file| PidFile { ours: false, ..file });
    });
    assert_eq!(
        named,
        ["Wrong PidFile: `/r/web.pid` names process 811 (server), which is not of this service"]
    );
    let left = told(|facts| {
        facts.pid_file = facts.pid_file.take().map(|file| PidFile { ours: false, pid: Some(810), ..file });
    });
    assert_eq!(
        left,
        [
            "Doubtful PidFile: `/r/web.pid` names process 810 (server), which is left of an earlier life of this service"
        ]
    );
    assert_eq!(
        told(|facts| facts.dead_sockets = vec!["/r/web.sock".into()]),
        ["Doubtful Sockets: nobody listens at the socket `/r/web.sock`"]
    );
    assert_eq!(
        told(|facts| facts.disks[0].no_files = true),
        ["Wrong Disk: the file system of `/i/web` takes no more files"]
    );
}
