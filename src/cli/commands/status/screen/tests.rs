use super::*;
use crate::model::answer::status::OperationState;
use crate::model::container::Container;
use crate::model::outcome::Outcome;
use crate::model::status::Exit;

fn moment(text: &str) -> Moment {
    Moment(format!("2026-05-08T{text}Z").parse().unwrap())
}

/// How an instance is that runs and says nothing special.
fn usual() -> StatusAnswer {
    serde_json::from_value(serde_json::json!({
        "schema": "status.v1", "exitCode": 0, "name": "sync", "component": "mail", "platform": "embedded",
        "scope": "user", "folder": "/srv/sync", "state": "ready", "restarts": { "failures": 0, "counted": 0 },
        "boot": { "starts": true, "reason": "process 1 is `mainstay boot`" },
        "definition": { "path": "/s/definition.json", "edited": false, "needsReload": false, "dropIns": [] },
        "pendingRestart": false
    }))
    .unwrap()
}

/// The screen at noon, without styles, and without the fields that no test here is about.
fn told(status: &StatusAnswer) -> String {
    let lines = screen(status, moment("12:00:00"), None).into_iter();
    let plain = lines.map(|line| anstream::adapter::strip_str(&line).to_string());
    let others = ["  boot ", "  folder ", "  definition ", "● "];
    let plain = plain.filter(|line| !others.iter().any(|other| line.starts_with(other)));
    plain.collect::<Vec<_>>().join("\n")
}

#[test]
fn runs_of_a_schedule_are_told_with_their_results() {
    let mut status = usual();
    status.state = InstanceState::Sleeping;
    status.message = Some("not shown".to_owned());
    let mut schedule =
        ScheduleStanding { cycles: 24, successes: 20, partials: 3, failures: 1, ..Default::default() };
    schedule.skipped = 2;
    schedule.last_start = Some(moment("11:10:00"));
    schedule.last_end = Some(moment("11:12:05"));
    schedule.last_outcome = Some(Outcome::Partial);
    schedule.next = Some(moment("12:12:00"));
    status.schedule = Some(schedule.clone());
    (status.last_exit, status.last_outcome) = (Some(Exit::Code(2)), Some(Outcome::Partial));
    let text = told(&status);
    let next = clock::local(moment("12:12:00"));
    for line in [
        "  state      sleeping until its next run".to_owned(),
        format!("  next run   {next}, in 12m"),
        "  last run   partial, ended 47m 55s ago after 2m 5s".to_owned(),
        "  runs       24 since its start: 20 complete, 3 partial, 1 failed; 2 turns were skipped because a run still ran".to_owned(),
        "  last exit  it exited with code 2 (partial)".to_owned(),
    ] {
        assert!(text.contains(&line), "{line}\n{text}");
    }
    assert!(!text.contains("not shown"));
    // A run that goes on has no result yet, and the one before is no news.
    schedule.last_start = Some(moment("11:59:00"));
    (schedule.next, schedule.skipped) = (None, 1);
    status.schedule = Some(schedule);
    let text = told(&status);
    assert!(text.contains(", 1m ago\n") && text.contains("  this run   since "), "{text}");
    assert!(text.contains("; one turn was skipped") && !text.contains("last run"), "{text}");
}

#[test]
fn health_is_told_while_the_program_runs() {
    let mut status = usual();
    status.health = Some(HealthStanding::default());
    assert!(!told(&status).contains("health"));
    status.pid = Some(5);
    let mut health = HealthStanding::default();
    let mut line = |health: &HealthStanding| {
        status.health = Some(health.clone());
        told(&status).lines().find_map(|line| line.strip_prefix("  health     ").map(str::to_owned)).unwrap()
    };
    assert_eq!(line(&health), "not asked yet");
    health.last_success = Some(moment("11:59:56"));
    assert_eq!(line(&health), "it works");
    (health.failures, health.last_error) = (1, Some("it answered with status 503".to_owned()));
    assert_eq!(line(&health), "it failed once: it answered with status 503; it worked 4s ago");
    (health.failures, health.last_success, health.last_error) = (3, None, None);
    assert_eq!(line(&health), "it failed 3 times in a row");
}

#[test]
fn what_is_not_the_usual_is_told() {
    let mut status = usual();
    assert_eq!(told(&status), "  state      running and ready");
    status.container = Some(Container::Docker);
    assert!(told(&status).contains("running in container (process supervisor: docker)"));
    status.platform = PlatformKind::Systemd;
    status.fallback = Some("its supervisor has left no report".to_owned());
    let text = told(&status);
    assert!(text.contains("running in container (docker), with a systemd of its own"), "{text}");
    assert!(
        text.contains("\n  ! its supervisor has left no report; this is what systemd and the files say\n"),
        "{text}"
    );
    status.state = InstanceState::Idle;
    assert!(told(&status).contains("idle: nobody needs it, the next connection starts it"));
}

/// An instance of which there is much to say.
fn eventful() -> StatusAnswer {
    let mut status = usual();
    status.pid = Some(4242);
    status.supervisor_pid = Some(4240);
    status.started = Some(moment("09:54:00"));
    status.ready = Some(moment("09:54:01"));
    status.uptime_seconds = Some(7_560);
    status.version = Some("0.4.0".parse().unwrap());
    status.previous_version = Some("0.3.0".parse().unwrap());
    status.memory = Some(12_900_000);
    status.operation = Some(OperationState::Unfinished);
    status.boot.reason =
        "no service manager starts it here: let what boots this host run `mainstay boot --user`".to_owned();
    status.boot.starts = Some(false);
    status.definition.drop_ins = vec!["/etc/systemd/system/sync.service.d/own.conf".into()];
    status.package = Some(
        serde_json::from_value(serde_json::json!({
            "title": "Orchestrator",
            "fields": [
                { "label": "Database", "value": "connected", "verdict": "good" },
                { "label": "Connected agents", "value": 3, "as": "number", "unit": "agents" },
                { "label": "Labels", "value": ["linux", "x86_64", "container", "large-memory", "\u{1b}[31mred"] },
                { "label": "Current job", "value": "idle", "absent": true }
            ]
        }))
        .unwrap(),
    );
    status
}

fn at(columns: usize) -> String {
    let lines = screen(&eventful(), moment("12:00:00"), Some(columns));
    let plain: Vec<String> =
        lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
    for line in &plain {
        assert!(width(line) <= columns, "{columns}: {line}");
    }
    // The host's time zone is nobody's business here.
    plain.join("\n").replace(&clock::local(moment("09:54:00")), "2026-05-08 09:54:00 UTC")
}

#[test]
fn the_screen_fits_every_terminal() {
    for (columns, expected) in [(40, NARROW), (80, USUAL), (200, WIDE)] {
        assert_eq!(at(columns), expected.trim_matches('\n'), "{columns}:\n{}", at(columns));
    }
    // Below that there is no room for a word and its value.
    for columns in 20..120 {
        at(columns);
    }
}

const NARROW: &str = r"
● sync (mail, embedded, user scope)
  state      running and ready
  ! unfinished operation: run mainstay
    recover --name sync
  uptime     2h 6m, since 2026-05-08
             09:54:00 UTC
  version    0.4.0 (before: 0.3.0)
  process    4242 (supervisor 4240)
  ready      after 1s
  memory     12.3 MiB
  boot       starts at boot: no, because
             no service manager starts
             it here: let what boots
             this host run `mainstay
             boot --user`
  folder     /srv/sync
  definition /s/definition.json

  Orchestrator
  Database          connected
  Connected agents  3 agents
  Labels            linux, x86_64,
                    container,
                    large-memory,
                    \x1b[31mred
  Current job       idle

  ! `/etc/systemd/system/sync.service.d/
    own.conf` changes what the
    definition says
";
const USUAL: &str = r"
● sync (mail, embedded, user scope)
  state      running and ready
  ! unfinished operation: run mainstay recover --name sync
  uptime     2h 6m, since 2026-05-08 09:54:00 UTC
  version    0.4.0 (before: 0.3.0)
  process    4242 (supervisor 4240)
  ready      after 1s
  memory     12.3 MiB
  boot       starts at boot: no, because no service manager starts it here: let
             what boots this host run `mainstay boot --user`
  folder     /srv/sync
  definition /s/definition.json

  Orchestrator
  Database          connected
  Connected agents  3 agents
  Labels            linux, x86_64, container, large-memory, \x1b[31mred
  Current job       idle

  ! `/etc/systemd/system/sync.service.d/own.conf` changes what the definition
    says
";
const WIDE: &str = r"
● sync (mail, embedded, user scope)
  state      running and ready
  ! unfinished operation: run mainstay recover --name sync
  uptime     2h 6m, since 2026-05-08 09:54:00 UTC
  version    0.4.0 (before: 0.3.0)
  process    4242 (supervisor 4240)
  ready      after 1s
  memory     12.3 MiB
  boot       starts at boot: no, because no service manager starts it here: let what boots this host run `mainstay boot --user`
  folder     /srv/sync
  definition /s/definition.json

  Orchestrator
  Database          connected
  Connected agents  3 agents
  Labels            linux, x86_64, container, large-memory, \x1b[31mred
  Current job       idle

  ! `/etc/systemd/system/sync.service.d/own.conf` changes what the definition says
";

#[test]
fn a_version_that_nobody_has_said_is_told_with_the_way_to_another_program() {
    let mut status = usual();
    status.version = Some(Version::unknown());
    let expected = "  version    unknown; `mainstay upgrade --restart-only` takes up another program";
    assert!(told(&status).contains(expected), "{}", told(&status));
    status.version = Some("1.0".parse().unwrap());
    assert!(!told(&status).contains("restart-only"));
}
