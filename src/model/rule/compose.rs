//! The rules of containers: what their engine has no words for, or what would need a supervisor beside the program.

use super::Given::{Filled, Is, No, Something, Yes};
use super::list::{name, rule};
use super::{Place, Rule};

const COMPOSE: Place = ("platform", Is("compose"));

/// All of them.
pub(super) fn all() -> Vec<Rule> {
    let mut rules = of_containers();
    rules.extend(of_supervision());
    rules.extend(of_restarts());
    rules.extend(of_accounts());
    rules.extend(of_images());
    rules
}

fn of_containers() -> Vec<Rule> {
    let container = ("compose", Something);
    let mut rules = vec![
        rule(
            &[COMPOSE],
            &[container],
            "platform",
            "a container needs an image: write `\"compose\": { \"image\": \"…\" }`",
        ),
        rule(
            &[("package.source", Is("image"))],
            &[container],
            "package.source",
            "an `image` is run on platform `compose`, and its name stands in `compose.image`",
        ),
        rule(
            &[("compose.network", Is("host")), ("compose.ports", Filled)],
            &[],
            "compose.ports",
            "in the host's own network every port is open already: leave `ports` out",
        ),
    ];
    for platform in ["systemd", "embedded", "launchd", "windows", "task"] {
        let message =
            format!("a container has no meaning on platform `{platform}`: write `\"platform\": \"compose\"`");
        rules.push(rule(&[("platform", Is(platform)), container], &[], "compose", message));
    }
    for section in ["systemd.unit", "systemd.service"] {
        let message = "settings of systemd have no meaning on platform `compose`";
        rules.push(rule(&[COMPOSE, (section, Filled)], &[], section, message));
    }
    for field in ["logs.maxSize", "logs.keep"] {
        let message = format!(
            "`{}` has no meaning on platform `compose`: the engine keeps the logs, by its own settings",
            name(field)
        );
        rules.push(rule(&[COMPOSE, (field, Something)], &[], field, message));
    }
    rules
}

/// What needs a supervisor beside the program.
fn of_supervision() -> Vec<Rule> {
    let mut rules = Vec::new();
    for (field, given) in [
        ("service.supervision", Something),
        ("service.health", Something),
        ("service.schedule", Something),
        ("service.exitCodes", Filled),
        ("service.onFailure", Something),
        ("service.restartOnChange", Filled),
        ("service.idle", Something),
        ("service.sockets", Filled),
        ("service.overlap", Yes),
        ("service.healthFile", Something),
        ("service.pidFile", Something),
        ("service.detach", Filled),
    ] {
        let message =
            format!("`{}` is a supervisor's work, and on platform `compose` there is none", name(field));
        rules.push(rule(&[COMPOSE, (field, given)], &[], field, message));
    }
    for way in ["service.stop.http", "service.stop.command"] {
        let message =
            format!("on platform `compose` a program is asked to end by a signal, not by `{}`", name(way));
        rules.push(rule(&[COMPOSE, (way, Something)], &[], way, message));
    }
    for (probe, given) in [("service.ready.file", Something), ("service.ready.notify", Yes)] {
        let message = format!(
            "on platform `compose` nobody hears of `{}`: ask by `http`, `tcp` or `command`, which is run in the container",
            name(probe)
        );
        rules.push(rule(&[COMPOSE, (probe, given)], &[], probe, message));
    }
    rules
}

fn of_restarts() -> Vec<Rule> {
    let mut rules = Vec::new();
    for field in ["service.restart.delays", "service.restart.limit", "service.restart.window"] {
        let message = format!(
            "`{}` has no meaning on platform `compose`: the engine has pauses of its own, and no limit",
            name(field)
        );
        rules.push(rule(&[COMPOSE, (field, Something)], &[], field, message));
    }
    let (when, not_at_boot) = ("service.restart.when", ("service.boot", No));
    rules.push(rule(
        &[COMPOSE, (when, Is("always")), not_at_boot],
        &[],
        when,
        "`always` and `\"boot\": false` exclude each other on platform `compose`: what an engine always starts again it starts at boot",
    ));
    rules.push(rule(
        &[COMPOSE, (when, Is("on-failure"))],
        &[not_at_boot],
        when,
        "on platform `compose` what starts at boot is started again after every ending: write `always`, or `\"boot\": false`",
    ));
    rules.push(rule(
        &[COMPOSE, (when, Is("never"))],
        &[],
        when,
        "on platform `compose` a program that fails is started again: write `always`, or with `\"boot\": false` `on-failure`",
    ));
    rules
}

/// What is decided in the container, or by its engine.
fn of_accounts() -> Vec<Rule> {
    let mut rules = Vec::new();
    for (field, given, why) in [
        ("service.user", Something, "the account is the image's: name another in `compose.user`"),
        ("service.group", Something, "the group is the image's: name another in `compose.user`"),
        ("service.umask", Something, "the engine decides it"),
        ("service.hardening", Is("standard"), "the engine locks a container in, by its own settings"),
        ("service.hardening", Is("strict"), "the engine locks a container in, by its own settings"),
        ("service.limits.nice", Something, "Compose has no words for it"),
    ] {
        let message = format!("`{}` has no meaning on platform `compose`: {why}", name(field));
        rules.push(rule(&[COMPOSE, (field, given)], &[], field, message));
    }
    rules
}

/// What belongs to an archive and its trees, or to a trial that somebody watches.
fn of_images() -> Vec<Rule> {
    let mut rules = Vec::new();
    for word in ["manager", "binary"] {
        let source = ("package.source", Is(word));
        let message = format!("on platform `compose` an image is run, no `{word}`: leave `source` out");
        rules.push(rule(&[COMPOSE, source], &[], source.0, message));
    }
    for (field, given) in [
        ("package.url", Something),
        ("package.sha256", Something),
        ("package.publicKey", Something),
        ("package.download", Filled),
    ] {
        let message = format!(
            "`{}` has no meaning on platform `compose`: the engine fetches the image, by the digest in `compose.image`",
            name(field)
        );
        rules.push(rule(&[COMPOSE, (field, given)], &[], field, message));
    }
    for (field, given, why) in [
        ("upgrade.trial", Something, "once it is ready nobody watches it, so there is no trial"),
        ("upgrade.data", Filled, "mainstay takes no snapshots of what a container keeps"),
        ("upgrade.migrateCompatible", Yes, "there is no migration"),
    ] {
        let message = format!("`{}` has no meaning on platform `compose`: {why}", name(field));
        rules.push(rule(&[COMPOSE, (field, given)], &[], field, message));
    }
    for field in [
        "upgrade.hooks.beforeStop",
        "upgrade.hooks.migrate",
        "upgrade.hooks.migrateBack",
        "upgrade.hooks.afterStart",
    ] {
        let message = format!("`{}` is not run on platform `compose`", name(field));
        rules.push(rule(&[COMPOSE, (field, Something)], &[], field, message));
    }
    rules
}
