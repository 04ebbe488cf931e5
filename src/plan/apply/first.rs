//! The first start of a service whose manifest is made on the way. It is a step like any other: where the program does
//! not become ready, the manifest goes again, with all that came with it, and the same command, corrected, can be typed
//! again. Where a person has written the manifest, the installation stands, and the manifest is corrected instead; one that was
//! brought with the command gives way to what was there before.

use camino::{Utf8Path, Utf8PathBuf};

use super::await_ready;
use crate::model::manifest::PlatformKind;
use crate::plan::observed::Observed;
use crate::plan::step::files::put_away;
use crate::plan::step::{Operation, Plan, Step, Undo};
use crate::plan::wanted::Wanted;
use crate::platform::calls::{self, Sockets};
use crate::platform::identity;

/// Starts it before it is written down as installed; the manifest is there by then, so that it is found meanwhile. Says whether it is started by that.
pub(super) fn start(plan: &mut Plan, operation: Operation, wanted: &Wanted, observed: &Observed) -> bool {
    let spec = &wanted.spec;
    let is_first = operation == Operation::Install
        && observed.receipt.is_none()
        && !observed.runs()
        && !wanted.wishes.no_start
        && spec.platform != PlatformKind::Compose;
    if !is_first || (wanted.manifest.on_disk.is_some() && !wanted.manifest.brought) {
        return false;
    }
    let of = identity(spec);
    let sockets = Sockets::if_any(wanted.definition.socket.is_some());
    let stop = calls::stop(&of, spec.stop_limit(), sockets).into_iter().map(|call| Step::Call { call });
    let mut undo = Undo::Steps(stop.chain(taken_back(wanted, observed)).collect());
    for call in calls::start(&of) {
        plan.push(Step::Call { call }, std::mem::replace(&mut undo, Undo::Nothing));
    }
    plan.push(await_ready(spec, spec.ready.timeout), Undo::Nothing);
    true
}

/// The removal of what a program that was never ready has written into folders that were made for it. Its data go with
/// the answers by which they were made: the next try may have other ones. Its log stays, to be read.
fn taken_back(wanted: &Wanted, observed: &Observed) -> Vec<Step> {
    let (layout, spec) = (&wanted.layout, &wanted.spec);
    let name = &spec.name;
    let folders: [Utf8PathBuf; 3] = [layout.report(name), layout.data(name), layout.run(name, spec.platform)];
    let mut steps = Vec::new();
    for folder in folders.into_iter().filter(|folder| !observed.has(folder)) {
        if let (Some(parent), Some(entry)) = (folder.parent(), folder.file_name()) {
            let (away, _) = put_away(parent, entry, wanted.now);
            steps.push(away);
            steps.push(Step::EmptyTrash { folder: parent.to_owned(), entry: Some(entry.to_owned()) });
        }
    }
    if spec.platform == PlatformKind::Systemd {
        // The stop itself has written it.
        steps.push(Step::Remove { path: layout.ended(name) });
    }
    // In user scope data and logs stand together in a folder of the instance's own.
    let own = layout.data(name).parent().map(Utf8Path::to_owned);
    let own = own.filter(|own| own.file_name() == Some(name.as_str()) && *own != layout.state(name));
    steps.extend(own.map(|path| Step::RemoveFolder { path }));
    steps
}

impl Plan {
    /// Whether a step up to a place starts a service for the first time, and the plan has to be undone where that fails.
    #[must_use]
    pub fn starts_first(&self, place: usize) -> bool {
        let waits = self.steps.get(place).is_some_and(|it| matches!(it.step, Step::AwaitReady { .. }));
        waits
            && self.operation == Operation::Install
            && self.switch().is_none()
            && !self.restarts_before(place)
    }
}
