//! What can't be meant together of a program that runs: its health, schedule, sockets, idleness and stop.

use super::{Check, DAY};
use crate::model::duration::Span;
use crate::model::health::Health;
use crate::model::idle::Idle;
use crate::model::manifest::PlatformKind;
use crate::model::schedule::Schedule;
use crate::model::service::Service;
use crate::model::socket::{Socket, answered_by};

/// The shortest time from one run of a schedule to the next.
const SHORTEST_CYCLE: Span = Span::seconds(60);
/// The longest time between two questions whether a program works: what is asked more rarely helps nobody.
const LONGEST_PAUSE: Span = Span::seconds(3600);

impl Check<'_> {
    pub(super) fn stop(&mut self, service: &Service) {
        let stop = &service.stop;
        self.span(["service", "stop", "timeout"], stop.timeout, DAY);
        self.program(["service", "stop", "command"], stop.command.as_deref());
        if stop.http.is_some() && stop.command.is_some() {
            let message = "`command` stands beside `http`: a program is asked to end in one way only";
            self.key(["service", "stop", "command"], message.to_owned());
        }
    }

    pub(super) fn health(&mut self, health: &Health) {
        self.span(["service", "health", "every"], health.every, LONGEST_PAUSE);
        self.span(["service", "health", "timeout"], health.timeout, LONGEST_PAUSE);
        self.program(["service", "health", "command"], health.command.as_deref());
        let given = [
            ("http", health.http.is_some()),
            ("tcp", health.tcp.is_some()),
            ("command", health.command.is_some()),
            ("notify", health.notify == Some(true)),
        ];
        let mut probes = given.into_iter().filter_map(|(name, given)| given.then_some(name));
        let Some(first) = probes.next() else {
            if health.status.is_some() || !health.body.is_empty() {
                let message = "nothing is asked here: `status` and `body` belong to `http`";
                self.value(["service", "health"], message);
            }
            return;
        };
        for other in probes {
            let message = format!("`{other}` stands beside `{first}`: a service is asked in one way only");
            self.key(["service", "health", other], message);
        }
        for pointer in health.body.keys().filter(|key| !key.is_empty() && !key.starts_with('/')) {
            let message = format!(
                "`{pointer}` is no JSON pointer: it begins with `/`, as in `/{pointer}` for a field at the top"
            );
            self.key(["service", "health", "body", pointer], message);
        }
        if first != "http" {
            for (name, given) in [("status", health.status.is_some()), ("body", !health.body.is_empty())] {
                if given {
                    let message =
                        format!("`{name}` belongs to `http`, and this service is asked by `{first}`");
                    self.key(["service", "health", name], message);
                }
            }
        }
    }

    pub(super) fn schedule(&mut self, service: &Service, schedule: &Schedule) {
        match (schedule.every, &schedule.calendar) {
            (None, None) => {
                self.value(["service", "schedule"], "it says no time: write `every` or `calendar`");
            }
            (Some(_), Some(_)) => {
                let message = "`calendar` stands beside `every`: a schedule has one of them";
                self.key(["service", "schedule", "calendar"], message.to_owned());
            }
            (Some(every), None) if every < SHORTEST_CYCLE => {
                let message = format!(
                    "`{every}` is too short: at least `{SHORTEST_CYCLE}`; a program that is needed more often had better run on"
                );
                self.value(["service", "schedule", "every"], message);
            }
            (Some(every), None) if every > DAY => {
                let message = format!("`{every}` is too long: at most `{DAY}`; write it as a `calendar`");
                self.value(["service", "schedule", "every"], message);
            }
            (None, Some(calendar)) if !calendar.comes() => {
                let message = format!("`{calendar}` names a day that does not come within four years");
                self.value(["service", "schedule", "calendar"], message);
            }
            _ => {}
        }
        self.span(["service", "schedule", "jitter"], schedule.jitter, DAY);
        if let (Some(every), Some(jitter)) = (schedule.every, schedule.jitter)
            && jitter >= every
        {
            let message = format!("`{jitter}` is not shorter than `every`: a run would miss its own turn");
            self.value(["service", "schedule", "jitter"], message);
        }
        if let Some(reconcile) = &schedule.reconcile {
            self.program(["service", "schedule", "reconcile", "command"], Some(&reconcile.command));
        }
        let beside = [
            ("health", service.health.is_some(), "between its runs nobody could answer"),
            ("idle", service.idle.is_some(), "it ends after each run by itself"),
            ("sockets", service.sockets.is_some(), "between its runs nobody would take the connections"),
        ];
        for (name, _, why) in beside.into_iter().filter(|(_, given, _)| *given) {
            let message = format!("`{name}` has no meaning for a program that is run on a `schedule`: {why}");
            self.key(["service", name], message);
        }
    }

    pub(super) fn sockets(&mut self, service: &Service) {
        let sockets = service.sockets.as_deref().unwrap_or_default();
        for (index, socket) in sockets.iter().enumerate() {
            if sockets.iter().take(index).any(|earlier| earlier.listen == socket.listen) {
                let path = ["service".into(), "sockets".into(), index.into(), "listen".into()];
                let message = format!("`{}` stands twice: a socket is held once", socket.listen);
                self.problems.push(self.document.problem(&path, message));
            }
        }
        if service.overlap == Some(true) && service.sockets.as_deref() == Some(&[]) {
            let message =
                "`overlap` needs `sockets`: two processes can't listen at one address by themselves";
            self.key(["service", "overlap"], message.to_owned());
        }
        self.asked_at_a_socket(service, sockets);
        let hooks = [("http", service.stop.http.is_some()), ("command", service.stop.command.is_some())];
        for (name, _) in hooks.into_iter().filter(|(_, given)| *given && service.overlap == Some(true)) {
            let message = format!(
                "`{name}` can't tell the old process from the new one, which `overlap` has run at the same time: use `signal`"
            );
            self.key(["service", "stop", name], message);
        }
    }

    /// A held socket takes connections whether the program runs or not, and with overlap both processes answer.
    fn asked_at_a_socket(&mut self, service: &Service, sockets: &[Socket]) {
        let overlaps = service.overlap == Some(true);
        let ready = service.ready.as_ref();
        let asked = [
            ("ready", "tcp", ready.and_then(|ready| ready.tcp.as_deref()), true),
            ("ready", "http", ready.and_then(|ready| ready.http.as_deref()), overlaps),
            ("health", "tcp", service.health.as_ref().and_then(|health| health.tcp.as_deref()), true),
        ];
        for (field, name, address, _) in asked.into_iter().filter(|(.., matters)| *matters) {
            if address.is_some_and(|address| answered_by(address, sockets)) {
                let address = address.unwrap_or_default();
                let message = match name {
                    "tcp" => format!(
                        "`{address}` is one of the `sockets`, which takes connections whether the program works or not: ask by `http` or `command`, or let it say so itself by `notify`"
                    ),
                    _ => format!(
                        "`{address}` is one of the `sockets`, where the old process answers as well as the new one: with `overlap` let it say so itself by `notify`"
                    ),
                };
                self.key(["service", field, name], message);
            }
        }
    }

    pub(super) fn idle(&mut self, service: &Service, idle: &Idle) {
        if idle.after > Span::seconds(0) {
            self.span(["service", "idle", "after"], Some(idle.after), DAY);
        }
        self.program(["service", "idle", "busy"], idle.busy.as_deref());
        let counted = service.sockets.as_ref().is_some_and(|sockets| !sockets.is_empty());
        if idle.busy.is_none() && !counted && idle.after > Span::seconds(0) {
            let message = "nothing shows whether somebody needs it: write `busy`, or `sockets`, whose connections are counted";
            self.value(["service", "idle"], message);
        }
    }

    /// What a service manager can't do alone for a running program.
    pub(super) fn running_natively(&mut self, service: &Service) {
        let given = [
            ("health", service.health.is_some()),
            ("schedule", service.schedule.is_some()),
            ("exitCodes", !service.exit_codes.is_empty()),
            ("onFailure", service.on_failure.is_some()),
            ("restartOnChange", service.restart_on_change.as_ref().is_some_and(|all| !all.is_empty())),
            ("idle", service.idle.is_some()),
            ("overlap", service.overlap == Some(true)),
            ("healthFile", service.health_file.is_some()),
            ("pidFile", service.pid_file.is_some()),
        ];
        for (name, _) in given.into_iter().filter(|(_, given)| *given) {
            let message =
                format!("`{name}` is the supervisor's work, and with `supervision` `native` there is none");
            self.key(["service", name], message);
        }
        for (name, given) in
            [("http", service.stop.http.is_some()), ("command", service.stop.command.is_some())]
        {
            if given {
                let message = format!(
                    "with `supervision` `native` a program is asked to end by a signal, not by `{name}`"
                );
                self.key(["service", "stop", name], message);
            }
        }
    }

    /// What a service manager has its own way for.
    pub(super) fn running_on(&mut self, platform: PlatformKind, service: &Service) {
        if platform == PlatformKind::Systemd && service.detach.as_ref().is_some_and(|names| !names.is_empty())
        {
            let message = "systemd ends all that a service has started: make what is to live on an instance of its own, with a folder and a manifest of its own";
            self.key(["service", "detach"], message.to_owned());
        }
    }
}
