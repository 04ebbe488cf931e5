//! The calls of an instance's life: systemctl(1) and loginctl(1) for systemd, the guardian for embedded.

use crate::model::duration::Span;
use crate::model::layout::unit_name;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::platform::call::Call;

/// The beginning of a `systemctl` command in a scope. It never asks for a password and never pages.
pub(super) fn systemctl(scope: Scope) -> Vec<String> {
    let mut argv = vec!["systemctl".to_owned()];
    if scope == Scope::User {
        argv.push("--user".to_owned());
    }
    argv.push("--no-ask-password".to_owned());
    argv
}

fn on_unit(of: &Marker, words: &[&str]) -> Vec<String> {
    let mut argv = systemctl(of.scope);
    argv.extend(words.iter().copied().map(str::to_owned));
    argv.push(unit_name(&of.name));
    argv
}

fn reload(scope: Scope) -> Call {
    let mut argv = systemctl(scope);
    argv.push("daemon-reload".to_owned());
    Call::run("lets systemd read its units again", argv)
}

/// Forgets earlier failures: with them, a start limit or a grown restart delay would still count.
/// A unit that is not loaded has none, and the call fails.
fn reset_failed(of: &Marker) -> Call {
    Call::attempt("forgets earlier failures", on_unit(of, &["reset-failed"]))
}

/// After the definition was written or changed.
#[must_use]
pub fn after_definition_written(of: &Marker) -> Vec<Call> {
    match of.platform {
        PlatformKind::Systemd => vec![reload(of.scope)],
        PlatformKind::Embedded => Vec::new(),
    }
}

/// Lets the service start with the host or its user. For embedded the definition itself says so.
#[must_use]
pub fn enable(of: &Marker) -> Vec<Call> {
    match of.platform {
        PlatformKind::Systemd => {
            vec![Call::run("starts the service at boot", on_unit(of, &["enable"]))]
        }
        PlatformKind::Embedded => Vec::new(),
    }
}

/// Keeps the service from starting with the host or its user.
#[must_use]
pub fn disable(of: &Marker) -> Vec<Call> {
    match of.platform {
        PlatformKind::Systemd => {
            vec![Call::run("no longer starts the service at boot", on_unit(of, &["disable"]))]
        }
        PlatformKind::Embedded => Vec::new(),
    }
}

/// Either [`enable`] or [`disable`].
#[must_use]
pub fn boot(of: &Marker, at_boot: bool) -> Vec<Call> {
    if at_boot { enable(of) } else { disable(of) }
}

/// Asks for a start, and does not wait for it: what waits for readiness also watches for failure.
#[must_use]
pub fn start(of: &Marker) -> Vec<Call> {
    match of.platform {
        PlatformKind::Systemd => {
            vec![reset_failed(of), Call::run("starts the service", on_unit(of, &["start", "--no-block"]))]
        }
        PlatformKind::Embedded => vec![Call::StartGuardian { name: of.name.clone() }],
    }
}

/// Stops the service, and waits until it has stopped, at most for `limit`. On systemd the unit itself
/// carries the limit; a unit that is not loaded (exit code 5) has stopped.
#[must_use]
pub fn stop(of: &Marker, limit: Span) -> Vec<Call> {
    match of.platform {
        PlatformKind::Systemd => vec![Call::Run {
            argv: on_unit(of, &["stop"]),
            accept: vec![5],
            purpose: "stops the service".to_owned(),
            optional: false,
        }],
        PlatformKind::Embedded => vec![Call::StopGuardian { name: of.name.clone(), limit }],
    }
}

/// Stops the service if it runs, and starts it. On systemd this is one job, which systemd completes even
/// if its caller is gone: nothing lies between stop and start with nobody responsible.
#[must_use]
pub fn restart(of: &Marker) -> Vec<Call> {
    match of.platform {
        PlatformKind::Systemd => {
            vec![reset_failed(of), Call::run("restarts the service", on_unit(of, &["restart", "--no-block"]))]
        }
        PlatformKind::Embedded => vec![Call::RestartGuardian { name: of.name.clone() }],
    }
}

/// Before the definition is deleted: `disable` reads the definition to know which links to remove. Where
/// someone has deleted it already, systemd refuses, and at worst a link is left that leads nowhere.
#[must_use]
pub fn deregister(of: &Marker) -> Vec<Call> {
    match of.platform {
        PlatformKind::Systemd => {
            vec![Call::attempt("no longer starts the service at boot", on_unit(of, &["disable"]))]
        }
        PlatformKind::Embedded => Vec::new(),
    }
}

/// After the definition was deleted.
#[must_use]
pub fn after_definition_removed(of: &Marker) -> Vec<Call> {
    match of.platform {
        // A failed unit stays in memory after its file is gone, until its failure is forgotten.
        PlatformKind::Systemd => vec![reload(of.scope), reset_failed(of)],
        PlatformKind::Embedded => Vec::new(),
    }
}

/// Lets a user's services run while the user is not logged in, and start at boot.
#[must_use]
pub fn linger(user: &str) -> Vec<Call> {
    let argv = ["loginctl", "--no-ask-password", "enable-linger", user].map(str::to_owned).to_vec();
    vec![Call::attempt("keeps the user's services running without a login", argv)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::{ComponentName, InstanceName};

    fn identity(platform: PlatformKind, scope: Scope) -> Marker {
        Marker {
            name: InstanceName::new("web").unwrap(),
            component: ComponentName::new("server").unwrap(),
            platform,
            scope,
            folder: "/srv/web".into(),
        }
    }

    fn typed(calls: &[Call]) -> Vec<String> {
        calls.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_restart_on_systemd_is_one_job() {
        let calls = restart(&identity(PlatformKind::Systemd, Scope::User));
        assert_eq!(
            typed(&calls),
            [
                "systemctl --user --no-ask-password reset-failed web.service",
                "systemctl --user --no-ask-password restart --no-block web.service",
            ]
        );
        assert!(matches!(&calls[0], Call::Run { optional: true, .. }));
        assert!(matches!(&calls[1], Call::Run { optional: false, .. }));
    }

    #[test]
    fn the_life_of_a_unit() {
        let web = identity(PlatformKind::Systemd, Scope::System);
        let life = [
            after_definition_written(&web),
            boot(&web, true),
            start(&web),
            stop(&web, Span::seconds(45)),
            deregister(&web),
            after_definition_removed(&web),
        ]
        .concat();
        insta::assert_snapshot!(typed(&life).join("\n"), @r"
        systemctl --no-ask-password daemon-reload
        systemctl --no-ask-password enable web.service
        systemctl --no-ask-password reset-failed web.service
        systemctl --no-ask-password start --no-block web.service
        systemctl --no-ask-password stop web.service
        systemctl --no-ask-password disable web.service
        systemctl --no-ask-password daemon-reload
        systemctl --no-ask-password reset-failed web.service
        ");
    }

    #[test]
    fn an_embedded_instance_needs_its_guardian_only() {
        let web = identity(PlatformKind::Embedded, Scope::User);
        let limit = Span::seconds(45);
        assert!(after_definition_written(&web).is_empty() && enable(&web).is_empty());
        assert!(deregister(&web).is_empty() && after_definition_removed(&web).is_empty());
        let name = web.name.clone();
        assert_eq!(stop(&web, limit), [Call::StopGuardian { name: name.clone(), limit }]);
        assert_eq!(restart(&web), [Call::RestartGuardian { name }]);
    }
}
