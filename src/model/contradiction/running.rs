//! What can't be meant together of a program that runs: its health, schedule, sockets, idleness and stop.

use super::{Check, DAY};
use crate::model::duration::Span;
use crate::model::health::Health;
use crate::model::idle::Idle;
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
    }

    pub(super) fn health(&mut self, health: &Health) {
        self.span(["service", "health", "every"], health.every, LONGEST_PAUSE);
        self.span(["service", "health", "timeout"], health.timeout, LONGEST_PAUSE);
        self.program(["service", "health", "command"], health.command.as_deref());
        for pointer in health.body.keys().filter(|key| !key.is_empty() && !key.starts_with('/')) {
            let message = format!(
                "`{pointer}` is no JSON pointer: it begins with `/`, as in `/{pointer}` for a field at the top"
            );
            self.key(["service", "health", "body", pointer], message);
        }
    }

    pub(super) fn schedule(&mut self, schedule: &Schedule) {
        match (schedule.every, &schedule.calendar) {
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
        self.asked_at_a_socket(service, sockets);
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

    pub(super) fn idle(&mut self, idle: &Idle) {
        if idle.after > Span::seconds(0) {
            self.span(["service", "idle", "after"], Some(idle.after), DAY);
        }
        self.program(["service", "idle", "busy"], idle.busy.as_deref());
    }
}
