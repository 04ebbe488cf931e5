//! Operations: lock, recover, observe, plan, show, execute. Here too: the switch that the service's own start
//! makes, and the guard's loop.

mod active;
pub mod adopt;
pub(crate) mod adoption;
pub mod asking;
pub mod beside;
pub mod change;
pub mod check;
mod container;
mod data;
pub mod development;
pub mod doctor;
mod drafted;
mod drift;
pub mod event;
mod execute;
pub mod export;
pub mod failure;
pub mod given;
pub mod guard;
mod hands;
pub mod history;
pub mod holders;
mod hooks;
pub mod journal;
mod leftovers;
pub mod lifecycle;
pub mod listing;
pub mod logs;
pub mod manager;
mod observe;
pub mod obstacle;
pub mod operation;
pub mod origin;
mod overlap;
pub mod packing;
pub mod peek;
pub mod preparation;
mod question;
mod ready;
mod readying;
pub mod recover;
mod references;
pub mod registry;
mod remarks;
pub mod remove;
pub mod render;
pub mod repair;
pub mod report;
pub mod requirements;
mod reserve;
pub mod resident;
pub mod resolve;
mod runtimes;
pub mod self_update;
mod snapshot;
pub mod sockets;
pub mod source;
mod space;
mod stage;
mod standing;
pub mod status;
pub mod strays;
pub mod supervisor;
pub mod switch;
pub mod target;
mod trial;
pub mod trust;
mod variables;
pub mod versions;
pub mod view;
pub mod wave;
pub mod windows;

use crate::engine::event::Event;
use crate::engine::manager::Manager;
use crate::engine::obstacle::Obstacle;
use crate::engine::switch::Means;
use crate::model::layout::Layout;
use crate::model::owner::Owner;
use crate::platform::Facts;
use camino::Utf8PathBuf;

/// All that an operation needs of its surroundings.
pub struct Context<'a> {
    /// Where everything of the caller's scope stands.
    pub layout: Layout,
    /// What decides a definition's text.
    pub facts: Facts,
    /// Who asks.
    pub caller: Owner,
    /// This program's own file, of which definitions name a copy.
    pub program: Utf8PathBuf,
    /// The service managers.
    pub manager: &'a dyn Manager,
    /// Who listens.
    pub events: &'a dyn Fn(Event),
    /// What stands in the way: nothing, but in tests.
    pub obstacle: &'a dyn Obstacle,
}

impl Context<'_> {
    /// Tells something.
    pub(crate) fn tell(&self, event: Event) {
        (self.events)(event);
    }

    /// What carries out what a start has left undone.
    pub(crate) fn means(&self) -> Means<'_> {
        Means { manager: self.manager, obstacle: self.obstacle, say: &|_| {} }
    }

    /// Tells something that did not go as wished and does not matter much.
    pub(crate) fn notice(&self, text: impl Into<String>) {
        self.tell(Event::Notice(text.into()));
    }
}
