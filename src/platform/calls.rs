//! The calls of an instance's life: systemctl(1) and loginctl(1) for systemd, the guardian for embedded.

use camino::Utf8Path;

use crate::model::compose::{EngineKind, OldContainer};
use crate::model::duration::Span;
use crate::model::layout::{socket_unit_name, unit_name};
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::platform::call::{Call, ServiceVerb, Verb};
use crate::platform::launchd::course::{Goal, Strange};

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
    on(of, words, &[unit_name(&of.name)])
}

fn on(of: &Marker, words: &[&str], units: &[String]) -> Vec<String> {
    let mut argv = systemctl(of.scope);
    argv.extend(words.iter().copied().map(str::to_owned));
    argv.extend_from_slice(units);
    argv
}

/// What the sockets of a service need at a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sockets {
    /// There are none, or nothing has to be done about them: where a service needs them, its start opens them.
    #[default]
    Left,
    /// They are opened and closed with the service.
    Along,
}

impl Sockets {
    /// Along, if there are any.
    #[must_use]
    pub fn if_any(any: bool) -> Self {
        if any { Self::Along } else { Self::Left }
    }

    fn units(self, of: &Marker) -> Vec<String> {
        match self {
            Self::Left => vec![unit_name(&of.name)],
            Self::Along => vec![unit_name(&of.name), socket_unit_name(&of.name)],
        }
    }
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
        PlatformKind::Windows | PlatformKind::Task => vec![service(of, ServiceVerb::Register)],
        _ => Vec::new(),
    }
}

/// Lets the service start with the host or its user. For embedded the definition itself says so.
#[must_use]
pub fn enable(of: &Marker) -> Vec<Call> {
    match of.platform {
        PlatformKind::Systemd => {
            vec![Call::run("starts the service at boot", on_unit(of, &["enable"]))]
        }
        PlatformKind::Launchd => vec![launchd(of, Goal::Enable)],
        _ => Vec::new(),
    }
}

/// Keeps the service from starting with the host or its user.
#[must_use]
pub fn disable(of: &Marker) -> Vec<Call> {
    match of.platform {
        PlatformKind::Systemd => {
            vec![Call::run("no longer starts the service at boot", on_unit(of, &["disable"]))]
        }
        PlatformKind::Launchd => vec![launchd(of, Goal::Disable)],
        _ => Vec::new(),
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
        PlatformKind::Compose => vec![compose(of, Verb::Up)],
        PlatformKind::Launchd => vec![launchd(of, Goal::Start)],
        PlatformKind::Windows | PlatformKind::Task => vec![service(of, ServiceVerb::Start)],
    }
}

/// Stops the service, and waits until it has stopped, at most for `limit`. On systemd the unit itself
/// carries the limit; a unit that is not loaded (exit code 5) has stopped. Sockets that stayed open would let the next
/// connection start it again.
#[must_use]
pub fn stop(of: &Marker, limit: Span, sockets: Sockets) -> Vec<Call> {
    match of.platform {
        PlatformKind::Systemd => vec![Call::Run {
            argv: on(of, &["stop"], &sockets.units(of)),
            accept: vec![5],
            purpose: "stops the service".to_owned(),
            optional: false,
        }],
        PlatformKind::Embedded => vec![Call::StopGuardian { name: of.name.clone(), limit }],
        PlatformKind::Compose => vec![compose(of, Verb::Stop)],
        PlatformKind::Launchd => vec![launchd(of, Goal::Stop)],
        PlatformKind::Windows | PlatformKind::Task => vec![service(of, ServiceVerb::Stop { limit })],
    }
}

/// Stops the service if it runs, and starts it. On systemd this is one job, which systemd completes even
/// if its caller is gone: nothing lies between stop and start with nobody responsible. Sockets stay open, unless they
/// are to be opened anew, elsewhere.
#[must_use]
pub fn restart(of: &Marker, sockets: Sockets) -> Vec<Call> {
    match of.platform {
        PlatformKind::Systemd => {
            let mut units = sockets.units(of);
            // The sockets first: the service is restarted with them.
            units.reverse();
            let argv = on(of, &["restart", "--no-block"], &units);
            vec![reset_failed(of), Call::run("restarts the service", argv)]
        }
        PlatformKind::Embedded => vec![Call::RestartGuardian { name: of.name.clone() }],
        PlatformKind::Compose => vec![compose(of, Verb::Restart)],
        PlatformKind::Launchd => vec![launchd(of, Goal::Restart)],
        PlatformKind::Windows | PlatformKind::Task => vec![service(of, ServiceVerb::Restart)],
    }
}

/// Has a launch run in the place of another one, which may run, have ended, or never have been left.
#[must_use]
pub fn replace(of: &Marker, sockets: Sockets) -> Vec<Call> {
    match of.platform {
        // What is made as it should be goes on.
        PlatformKind::Compose => start(of),
        _ => restart(of, sockets),
    }
}

fn launchd(of: &Marker, goal: Goal) -> Call {
    Call::Launchd { of: of.clone(), goal, strange: None }
}

/// Starts or stops what launchd had before an instance took its place.
#[must_use]
pub fn of_strange(of: &Marker, strange: &Strange, goal: Goal) -> Call {
    Call::Launchd { of: of.clone(), goal, strange: Some(strange.clone()) }
}

fn service(of: &Marker, verb: ServiceVerb) -> Call {
    Call::Service { of: of.clone(), verb }
}

fn compose(of: &Marker, verb: Verb) -> Call {
    Call::Compose { of: of.clone(), verb, engine: None }
}

/// Before the entry of a container is deleted: it says in whose engine the container is.
#[must_use]
pub fn discard(of: &Marker, volumes: bool) -> Vec<Call> {
    match of.platform {
        PlatformKind::Compose => vec![compose(of, Verb::Down { volumes })],
        _ => Vec::new(),
    }
}

/// The same for what ran before mainstay, whose start says itself when it is over.
#[must_use]
pub fn restart_and_wait(of: &Marker) -> Vec<Call> {
    match of.platform {
        PlatformKind::Systemd => {
            vec![reset_failed(of), Call::run("restarts the service as it was", on_unit(of, &["restart"]))]
        }
        _ => Vec::new(),
    }
}

/// The commands that bring back what was before: those that let its files count again, and those that start it.
#[must_use]
pub fn way_back(of: &Marker) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let mut reread = systemctl(of.scope);
    reread.push("daemon-reload".to_owned());
    (vec![reread], vec![on_unit(of, &["reset-failed"]), on_unit(of, &["restart", "--no-block"])])
}

/// The calls that end a container which somebody else has made, and free its name.
#[must_use]
pub fn put_aside(old: &OldContainer) -> Vec<Call> {
    let argv = |words: &[&str]| -> Vec<String> {
        [old.engine.as_str()].iter().chain(words).map(|word| (*word).to_owned()).collect()
    };
    let aside = old.name_aside();
    let stop = Call::run("stops the container as it was", argv(&["stop", &old.number]));
    let rename = Call::run("keeps the container as it was", argv(&["rename", &old.number, &aside]));
    if old.ran { vec![stop, rename] } else { vec![rename] }
}

/// The call that removes such a container, when another one has its place for good.
#[must_use]
pub fn remove_old(old: &OldContainer) -> Call {
    let words = [old.engine.as_str(), "rm", &old.number].map(str::to_owned).to_vec();
    Call::attempt("removes the container as it was", words)
}

/// A command that was kept since the adoption, to bring back what was there before it.
#[must_use]
pub fn as_before(argv: Vec<String>) -> Call {
    Call::run("starts it as it was", argv)
}

/// The call by which its own file makes such a container anew, and starts it if it ran.
#[must_use]
pub fn up_by_own_file(engine: EngineKind, project: &str, file: &Utf8Path, service: &str, run: bool) -> Call {
    let how = if run { "--detach" } else { "--no-start" };
    let words =
        [engine.as_str(), "compose", "--project-name", project, "--file", file.as_str(), "up", how, service];
    Call::run("starts the container as it was", words.map(str::to_owned).to_vec())
}

/// Opens the sockets at boot, or no longer.
#[must_use]
pub fn sockets_at_boot(of: &Marker, at_boot: bool) -> Call {
    let unit = [socket_unit_name(&of.name)];
    if at_boot {
        Call::run("opens the sockets at boot", on(of, &["enable"], &unit))
    } else {
        Call::attempt("no longer opens the sockets at boot", on(of, &["disable"], &unit))
    }
}

/// Closes the sockets alone. Their definition may be gone already; what is open is still known.
#[must_use]
pub fn close_sockets(of: &Marker) -> Call {
    Call::attempt("closes the sockets", on(of, &["stop"], &[socket_unit_name(&of.name)]))
}

/// Closes the sockets as soon as that can be, and does not wait: asked from within the service's own end.
#[must_use]
pub fn close_sockets_later(of: &Marker) -> Call {
    let argv = on(of, &["stop", "--no-block"], &[socket_unit_name(&of.name)]);
    Call::attempt("closes the sockets", argv)
}

/// Before the definition is deleted: `disable` reads the definition to know which links to remove. Where
/// someone has deleted it already, systemd refuses, and at worst a link is left that leads nowhere.
#[must_use]
pub fn deregister(of: &Marker) -> Vec<Call> {
    match of.platform {
        PlatformKind::Systemd => {
            vec![Call::attempt("no longer starts the service at boot", on_unit(of, &["disable"]))]
        }
        // What does not run may be registered all the same.
        PlatformKind::Launchd => vec![launchd(of, Goal::Stop)],
        _ => Vec::new(),
    }
}

/// After the definition was deleted.
#[must_use]
pub fn after_definition_removed(of: &Marker) -> Vec<Call> {
    match of.platform {
        // A failed unit stays in memory after its file is gone, until its failure is forgotten.
        PlatformKind::Systemd => vec![reload(of.scope), reset_failed(of)],
        // Registered as it is defined now: not at all.
        PlatformKind::Windows | PlatformKind::Task => vec![service(of, ServiceVerb::Register)],
        _ => Vec::new(),
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
    fn for_whom_lingering_is_switched_on_is_known() {
        let of = |calls: Vec<Call>| calls.iter().find_map(|call| call.lingers().map(str::to_owned));
        assert_eq!(of(linger("alice")).as_deref(), Some("alice"));
        assert_eq!(of(restart(&identity(PlatformKind::Systemd, Scope::User), Sockets::Left)), None);
    }

    #[test]
    fn a_restart_on_systemd_is_one_job() {
        let calls = restart(&identity(PlatformKind::Systemd, Scope::User), Sockets::Left);
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
            stop(&web, Span::seconds(45), Sockets::Along),
            deregister(&web),
            after_definition_removed(&web),
        ]
        .concat();
        insta::assert_snapshot!(typed(&life).join("\n"), @r"
        systemctl --no-ask-password daemon-reload
        systemctl --no-ask-password enable web.service
        systemctl --no-ask-password reset-failed web.service
        systemctl --no-ask-password start --no-block web.service
        systemctl --no-ask-password stop web.service web.socket
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
        assert_eq!(stop(&web, limit, Sockets::Along), [Call::StopGuardian { name: name.clone(), limit }]);
        assert_eq!(restart(&web, Sockets::Along), [Call::RestartGuardian { name }]);
    }
}
