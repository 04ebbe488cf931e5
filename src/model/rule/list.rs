//! The rules.

use super::Given::{Empty, Filled, Is, Lasting, Several, Something, Yes};
use super::{Place, Rule};

/// All of them.
pub(super) fn all() -> Vec<Rule> {
    let mut rules = Vec::new();
    rules.extend(of_probes());
    rules.extend(of_ending());
    rules.extend(of_schedules());
    rules.extend(of_native());
    rules.extend(of_platforms());
    rules.extend(of_sources());
    rules.extend(of_upgrades());
    rules.extend(super::compose::all());
    rules
}

pub(super) fn rule(
    given: &[Place],
    lacking: &[Place],
    refused: &'static str,
    message: impl Into<String>,
) -> Rule {
    Rule {
        given: given.to_vec(),
        lacking: lacking.to_vec(),
        refused,
        message: message.into(),
        or_later: None,
    }
}

/// Of these, one is possible: the one that stands first in the document.
fn one_of(places: &[Place], message: impl Fn(&str, &str) -> String) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (index, first) in places.iter().enumerate() {
        for second in &places[index + 1..] {
            let (one, other) = (name(first.0), name(second.0));
            let mut rule = rule(&[*first, *second], &[], second.0, message(other, one));
            rule.or_later = Some((first.0, message(one, other)));
            rules.push(rule);
        }
    }
    rules
}

pub(super) fn name(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

const HEALTH_PROBES: [Place; 4] = [
    ("service.health.http", Something),
    ("service.health.tcp", Something),
    ("service.health.command", Something),
    ("service.health.notify", Yes),
];

fn of_probes() -> Vec<Rule> {
    let ready = [
        ("service.ready.http", Something),
        ("service.ready.tcp", Something),
        ("service.ready.command", Something),
        ("service.ready.file", Something),
        ("service.ready.delay", Something),
        ("service.ready.notify", Yes),
    ];
    let mut rules = one_of(&ready, |other, first| {
        format!("`{other}` stands beside `{first}`: a service becomes ready in one way only")
    });
    rules.extend(one_of(&HEALTH_PROBES, |other, first| {
        format!("`{other}` stands beside `{first}`: a service is asked in one way only")
    }));
    for of_http in [("service.health.status", Something), ("service.health.body", Filled)] {
        let field = name(of_http.0);
        rules.push(rule(
            &[of_http],
            &HEALTH_PROBES,
            of_http.0,
            format!("nothing is asked here: `{field}` belongs to `http`"),
        ));
        for probe in &HEALTH_PROBES[1..] {
            let message =
                format!("`{field}` belongs to `http`, and this service is asked by `{}`", name(probe.0));
            rules.push(rule(&[of_http, *probe], &HEALTH_PROBES[..1], of_http.0, message));
        }
    }
    rules
}

fn of_ending() -> Vec<Rule> {
    let ways = [("service.stop.http", Something), ("service.stop.command", Something)];
    let mut rules = one_of(&ways, |other, first| {
        format!("`{other}` stands beside `{first}`: a program is asked to end in one way only")
    });
    for field in ["service.restart.delays", "service.restart.limit", "service.restart.window"] {
        let message = format!("`{}` has no meaning where `when` is `never`", name(field));
        rules.push(rule(&[("service.restart.when", Is("never")), (field, Something)], &[], field, message));
    }
    for (way, _) in ways {
        let message = format!(
            "`{}` can't tell the old process from the new one, which `overlap` has run at the same time: use `signal`",
            name(way)
        );
        rules.push(rule(&[("service.overlap", Yes), (way, Something)], &[], way, message));
    }
    rules
}

fn of_schedules() -> Vec<Rule> {
    let times = [("service.schedule.every", Something), ("service.schedule.calendar", Something)];
    let mut rules = one_of(&times, |other, first| {
        format!("`{other}` stands beside `{first}`: a schedule has one of them")
    });
    let schedule = ("service.schedule", Something);
    rules.push(rule(&[schedule], &times, "service.schedule", "it says no time: write `every` or `calendar`"));
    for (field, why) in [
        ("service.health", "between its runs nobody could answer"),
        ("service.idle", "it ends after each run by itself"),
        ("service.sockets", "between its runs nobody would take the connections"),
    ] {
        let message =
            format!("`{}` has no meaning for a program that is run on a `schedule`: {why}", name(field));
        rules.push(rule(&[schedule, (field, Something)], &[], field, message));
    }
    rules.push(rule(
        &[("service.idle.after", Lasting)],
        &[("service.idle.busy", Something), ("service.sockets", Filled)],
        "service.idle",
        "nothing shows whether somebody needs it: write `busy`, or `sockets`, whose connections are counted",
    ));
    rules.push(rule(
        &[("service.overlap", Yes), ("service.sockets", Empty)],
        &[],
        "service.overlap",
        "`overlap` needs `sockets`: two processes can't listen at one address by themselves",
    ));
    rules
}

/// What a service manager can't do where mainstay's supervisor doesn't stand between.
fn of_native() -> Vec<Rule> {
    let native = ("service.supervision", Is("native"));
    let mut rules = Vec::new();
    for probe in [
        "service.ready.http",
        "service.ready.tcp",
        "service.ready.command",
        "service.ready.file",
        "service.ready.delay",
    ] {
        let message = format!(
            "with `supervision` `native` a program becomes ready by `notify` only, not by `{}`",
            name(probe)
        );
        rules.push(rule(&[native, (probe, Something)], &[], probe, message));
    }
    for (field, given) in [
        ("service.health", Something),
        ("service.schedule", Something),
        ("service.exitCodes", Filled),
        ("service.onFailure", Something),
        ("service.restartOnChange", Filled),
        ("service.idle", Something),
        ("service.overlap", Yes),
        ("service.healthFile", Something),
        ("service.pidFile", Something),
    ] {
        let message = format!(
            "`{}` is the supervisor's work, and with `supervision` `native` there is none",
            name(field)
        );
        rules.push(rule(&[native, (field, given)], &[], field, message));
    }
    for way in ["service.stop.http", "service.stop.command"] {
        let message = format!(
            "with `supervision` `native` a program is asked to end by a signal, not by `{}`",
            name(way)
        );
        rules.push(rule(&[native, (way, Something)], &[], way, message));
    }
    rules.push(rule(
        &[native, ("service.restart.delays", Several)],
        &[],
        "service.restart.delays",
        "with `supervision` `native` there is one delay: the service manager keeps no list of them",
    ));
    rules.push(rule(
        &[native, ("service.stdin", Is("open"))],
        &[],
        "service.stdin",
        "with `supervision` `native` nobody holds the other end of an `open` standard input",
    ));
    rules
}

fn of_platforms() -> Vec<Rule> {
    let mut rules = Vec::new();
    for field in ["service.user", "service.group"] {
        let message =
            format!("a service of user scope runs as its user: `{}` belongs to system scope", name(field));
        rules.push(rule(&[("scope", Is("user")), (field, Something)], &[], field, message));
    }
    rules.push(rule(
        &[("platform", Is("embedded")), ("service.supervision", Is("native"))],
        &[],
        "service.supervision",
        "`native` leaves the watch to a service manager, and platform `embedded` has none",
    ));
    for word in ["launchd", "windows", "task"] {
        rules.push(rule(
            &[("platform", Is(word)), ("service.supervision", Is("native"))],
            &[],
            "service.supervision",
            format!("`native` is for systemd: on platform `{word}` mainstay watches the program"),
        ));
    }
    for word in ["embedded", "launchd", "windows", "task"] {
        let platform = ("platform", Is(word));
        rules.push(rule(
            &[platform, ("service.limits.processes", Something)],
            &[],
            "service.limits.processes",
            format!(
                "`processes` can't be limited on platform `{word}`: a control group is needed, which systemd makes"
            ),
        ));
        for section in ["systemd.unit", "systemd.service"] {
            rules.push(rule(
                &[platform, (section, Filled)],
                &[],
                section,
                format!("settings of systemd have no meaning on platform `{word}`"),
            ));
        }
    }
    rules.push(rule(
        &[("platform", Is("task")), ("scope", Is("system"))],
        &[],
        "platform",
        "a task belongs to a user: for the host write `\"platform\": \"windows\"`",
    ));
    rules.push(rule(
        &[("platform", Is("windows")), ("scope", Is("user"))],
        &[],
        "platform",
        "a service of Windows belongs to the host: for a user write `\"platform\": \"task\"`",
    ));
    rules.push(rule(
        &[("platform", Is("systemd")), ("service.detach", Filled)],
        &[],
        "service.detach",
        "systemd ends all that a service has started: make what is to live on an instance of its own, with a folder and a manifest of its own",
    ));
    rules
}

/// What has no meaning where mainstay does not unpack the program: nothing is fetched, and there is no version tree.
fn of_sources() -> Vec<Rule> {
    let mut rules = Vec::new();
    for word in ["manager", "binary"] {
        let source = ("package.source", Is(word));
        for (field, given) in [
            ("package.url", Something),
            ("package.sha256", Something),
            ("package.publicKey", Something),
            ("package.download", Filled),
        ] {
            let message =
                format!("`{}` has no meaning where `source` is `{word}`: nothing is fetched", name(field));
            rules.push(rule(&[source, (field, given)], &[], field, message));
        }
        for (field, given) in [
            ("upgrade.data", Filled),
            ("upgrade.hooks.migrate", Something),
            ("upgrade.hooks.migrateBack", Something),
        ] {
            let message = format!(
                "`{}` has no meaning where `package.source` is `{word}`: there is no old program to go back to",
                name(field)
            );
            rules.push(rule(&[source, (field, given)], &[], field, message));
        }
        rules.push(rule(
            &[source],
            &[("service.command", Something)],
            "package.source",
            format!("with `source` `{word}` no package says what to run: write `service.command`"),
        ));
    }
    rules
}

/// A migration changes what the old version has to work with if the new one is taken back.
fn of_upgrades() -> Vec<Rule> {
    let migrate = ("upgrade.hooks.migrate", Something);
    let ways_back = [
        ("upgrade.data", Filled),
        ("upgrade.hooks.migrateBack", Something),
        ("upgrade.migrateCompatible", Yes),
    ];
    let without_way_back = rule(
        &[migrate],
        &ways_back,
        migrate.0,
        "a migration needs a way back: a snapshot (`upgrade.data`), a command (`migrateBack`), or the word that the old version can work with the new data (`upgrade.migrateCompatible`)",
    );
    let beside_another = rule(
        &[("service.overlap", Yes), migrate],
        &[],
        migrate.0,
        "two versions can't run beside each other while data are migrated: `service.overlap` and `migrate` exclude each other",
    );
    vec![without_way_back, beside_another]
}
