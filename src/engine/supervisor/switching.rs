//! What comes before each start of an embedded instance.

use super::{Wishes, active_launch, at_start, entry, runs_as, scope_option};
use crate::engine::failure::Failure;
use crate::engine::guard::{AtStart, Entry, Event, Hooks};
use crate::engine::{hooks, runtimes, switch};
use crate::host::process::Credentials;
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::model::socket::Socket;

/// The hooks of the guardian.
pub(super) struct Switching<'a> {
    pub(super) layout: &'a Layout,
    pub(super) tell: &'a mut dyn FnMut(&Event),
}

impl Switching<'_> {
    /// What there is to start, and why the switch could not be looked at, if it could not.
    pub(super) fn found(&self, name: &InstanceName, hindrance: Option<Failure>) -> AtStart {
        match (active_launch(self.layout, name), hindrance) {
            // Data between two forms, or a word of them that only a newer build understands.
            (_, Some(failure @ (Failure::DataAway { .. } | Failure::Newer { .. }))) => {
                AtStart::Later { reason: failure.to_string() }
            }
            (Ok(spec), _) => AtStart::Start {
                stop_limit: spec.stop_limit().duration(),
                // Without the account nothing can be started either, and the supervisor says so.
                account: runs_as(&spec).ok().and_then(|(_, credentials)| credentials),
                sockets: spec.sockets,
            },
            (Err(error), _) if !error.is_final() => AtStart::Later { reason: error.to_string() },
            (Err(error), None) => AtStart::StayDown { reason: error.to_string() },
            (Err(error), Some(failure)) => AtStart::StayDown { reason: format!("{error}; {failure}") },
        }
    }
}

impl Hooks for Switching<'_> {
    fn at_start(&mut self, name: &InstanceName) -> AtStart {
        if switch::moves_data(self.layout, name) {
            let program = runtimes::program(self.layout, name).to_string();
            let words = ["recover", "--at-start", "--name", name.as_str(), scope_option(self.layout.scope)];
            let command = std::iter::once(program).chain(words.map(str::to_owned)).collect();
            return AtStart::First { command };
        }
        // A switch that can't be looked at must not keep down what can run.
        let found = at_start(self.layout, name);
        self.found(name, found.err())
    }

    fn launch(&mut self, name: &InstanceName) -> AtStart {
        self.found(name, None)
    }

    fn abandon(&mut self, name: &InstanceName) {
        hooks::end_migration(self.layout, name);
    }

    fn sockets(&mut self, name: &InstanceName) -> Option<(Vec<Socket>, Option<Credentials>)> {
        let spec = active_launch(self.layout, name).ok()?;
        let account = runs_as(&spec).ok().and_then(|(_, credentials)| credentials);
        Some((spec.sockets, account))
    }

    fn entry(&mut self, name: &InstanceName) -> Entry {
        entry(self.layout, name, &Wishes::default())
    }

    fn observe(&mut self, event: &Event) {
        (self.tell)(event);
    }
}
