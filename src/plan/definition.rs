//! The definition of an instance, as steps: one file, or two where systemd holds its sockets.

use camino::Utf8Path;

use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::plan::observed::Observed;
use crate::plan::step::files::{removed, written};
use crate::plan::step::{Plan, Step, Undo};
use crate::plan::wanted::Wanted;
use crate::platform::calls::{self, Sockets};
use crate::platform::identity;

/// What the rest of a plan has to know of a definition that is changed.
#[derive(Debug, Default)]
pub(super) struct Defined {
    /// The steps that lead back to the one before, which a switch that fails needs before it can start what ran under
    /// it.
    pub(super) undo: Vec<Step>,
    /// Whether a restart opens the sockets anew.
    pub(super) sockets: Sockets,
    /// Whether it is another one, which counts from the next start of the service on.
    pub(super) is_new: bool,
}

/// Brings the definition to what is wanted.
pub(super) fn definition(plan: &mut Plan, wanted: &Wanted, observed: &Observed) -> Defined {
    let (spec, definition) = (&wanted.spec, &wanted.definition);
    let of = identity(spec);
    if lingering_is_missing(wanted, observed) {
        // First, because a user's service manager may run only from here on.
        for call in calls::linger(&wanted.caller.name) {
            plan.push(Step::Call { call }, Undo::Nothing);
        }
    }
    let socket = SocketFile::of(wanted, observed);
    let reload = calls::after_definition_written(&of);
    let is_new = observed.masked || observed.definition.as_deref() != Some(definition.text.as_str());
    // Where a journal was lost, the files may be as they are wanted, and systemd not know of it yet.
    let active = observed.link.as_ref().and_then(|link| observed.specs.get(link));
    let moves = socket.changes() || active.is_some_and(|active| active.sockets != spec.sockets);
    let closed = has_closed_sockets(wanted, observed);
    let mut defined = Defined { undo: Vec::new(), sockets: Sockets::if_any(moves || closed), is_new };
    if socket == SocketFile::Removed && observed.enabled {
        // As long as its file is there: it says what there is to undo.
        let undo = Undo::calls([calls::sockets_at_boot(&of, true)]);
        plan.push(Step::Call { call: calls::sockets_at_boot(&of, false) }, undo);
    }
    if is_new {
        let before = observed.definition.as_deref();
        let (step, undo) = written(&definition.path, &definition.text, definition.mode, before);
        let undo = if observed.masked { mask(&definition.path) } else { undo };
        let mut undo = undo.and_calls(reload.clone());
        if socket == SocketFile::Added {
            // Once nothing needs them any more: they would keep what ran before from its port.
            undo = undo.and_calls([calls::close_sockets(&of)]);
        }
        if socket == SocketFile::Removed && observed.runs() {
            // What was closed is opened by a start alone.
            undo = undo.and_calls(calls::restart(&of, Sockets::Left));
        }
        defined.undo = undo.steps();
        // What ran may have ended meanwhile, and failed to start again by the new definition; what runs is
        // left alone by this.
        let again = if observed.runs() { calls::start(&of) } else { Vec::new() };
        plan.push(step, undo.and_calls(again));
    }
    if let Some((step, undo)) = socket.step(wanted, observed) {
        let mut undo = undo.and_calls(reload.clone());
        if let (SocketFile::Added, Undo::Steps(steps)) = (socket, &mut undo) {
            // As long as its file is there.
            steps.insert(0, Step::Call { call: calls::sockets_at_boot(&of, false) });
        }
        // Before the service's own, which it may need.
        defined.undo.splice(0..0, undo.steps());
        plan.push(step, undo);
    }
    let unread =
        observed.needs_reload || observed.sockets.as_ref().is_some_and(|sockets| sockets.needs_reload);
    if is_new || moves || unread || observed.foreign.is_some() {
        for call in reload {
            plan.push(Step::Call { call }, Undo::Nothing);
        }
    }
    if moves && spec.sockets.is_empty() {
        if spec.platform == PlatformKind::Systemd {
            // What runs has them still, and what is started next has to listen by itself.
            plan.push(Step::Call { call: calls::close_sockets(&of) }, Undo::Nothing);
        }
        defined.sockets = Sockets::Left;
    }
    at_boot(plan, &of, socket, moves, (wanted, observed));
    defined
}

fn at_boot(
    plan: &mut Plan,
    of: &Marker,
    socket: SocketFile,
    moves: bool,
    (wanted, observed): (&Wanted, &Observed),
) {
    let boot = wanted.spec.boot;
    if observed.enabled != boot {
        for (call, undo) in calls::boot(of, boot).into_iter().zip(calls::boot(of, !boot)) {
            plan.push(Step::Call { call }, Undo::calls([undo]));
        }
    }
    let known =
        observed.enabled == boot && observed.sockets.as_ref().is_none_or(|sockets| sockets.at_boot == boot);
    let has_sockets = matches!(socket, SocketFile::Added | SocketFile::Kept | SocketFile::Changed);
    if has_sockets && (!known || (moves && boot)) {
        let undo = if known || socket == SocketFile::Added {
            Undo::Nothing
        } else {
            Undo::calls([calls::sockets_at_boot(of, !boot)])
        };
        plan.push(Step::Call { call: calls::sockets_at_boot(of, boot) }, undo);
    }
}

/// Whether the service runs, and the sockets that systemd is to hold for it are closed.
pub(super) fn has_closed_sockets(wanted: &Wanted, observed: &Observed) -> bool {
    let is_systemd = wanted.spec.platform == PlatformKind::Systemd && !wanted.spec.sockets.is_empty();
    let closed = match &observed.sockets {
        Some(sockets) => !sockets.listens,
        None => observed.socket.is_none(),
    };
    is_systemd && observed.runs() && closed
}

/// What disables a unit for good again.
fn mask(path: &Utf8Path) -> Undo {
    Undo::step(Step::Link { path: path.to_owned(), target: "/dev/null".into() })
}

/// What becomes of the file that has systemd hold the sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SocketFile {
    None,
    Kept,
    Added,
    Changed,
    Removed,
}

impl SocketFile {
    fn of(wanted: &Wanted, observed: &Observed) -> Self {
        let is_systemd = wanted.spec.platform == PlatformKind::Systemd;
        match (&observed.socket, &wanted.definition.socket) {
            (None, None) => Self::None,
            (Some(_), None) if !is_systemd => Self::None,
            (None, Some(_)) => Self::Added,
            (Some(_), None) => Self::Removed,
            (Some(before), Some(wanted)) if *before == wanted.text => Self::Kept,
            (Some(_), Some(_)) => Self::Changed,
        }
    }

    fn changes(self) -> bool {
        matches!(self, Self::Added | Self::Changed | Self::Removed)
    }

    fn step(self, wanted: &Wanted, observed: &Observed) -> Option<(Step, Undo)> {
        let path = wanted.layout.socket_definition(&wanted.spec.name);
        let mode = wanted.definition.mode;
        let before = observed.socket.as_deref();
        match (self, &wanted.definition.socket) {
            (Self::Added | Self::Changed, Some(socket)) => Some(written(&path, &socket.text, mode, before)),
            (Self::Removed, None) => Some(removed(path, before.unwrap_or_default())),
            _ => None,
        }
    }
}

/// Whether the user's services would not start without a login, and this one is to.
pub(super) fn lingering_is_missing(wanted: &Wanted, observed: &Observed) -> bool {
    let spec = &wanted.spec;
    spec.boot
        && spec.platform == PlatformKind::Systemd
        && spec.scope == Scope::User
        && observed.lingering == Some(false)
}
