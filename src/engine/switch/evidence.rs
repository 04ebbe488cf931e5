//! What there is to say against a launch that has not been ready yet.

use std::time::SystemTime;

use super::last_end;
use crate::engine::report;
use crate::host::{clock, files};
use crate::model::layout::Layout;
use crate::model::status::{Phase, Status};
use crate::model::trial::Switch;

/// Whether the new launch of a switch was started since its trial was opened. What leaves no word of itself has its
/// gate's time to.
pub(super) fn has_been_tried(layout: &Layout, switch: &Switch) -> bool {
    let name = &switch.to.name;
    let Some(opened) = files::changed(&layout.trial(name)) else { return true };
    let since = |moment: SystemTime| moment >= opened;
    if of_launch(layout, switch).is_some_and(|status| since(status.began.0.into())) {
        return true;
    }
    // A start that ended before its program was one has no code.
    let ended = last_end(layout, name).filter(|ended| !ended.code.is_empty());
    if ended.is_some_and(|ended| since(ended.at.0.into())) {
        return true;
    }
    let age = SystemTime::from(clock::now().0).duration_since(opened);
    age.map_or(true, |age| age >= switch.to.gate.duration())
}

/// Whether the new launch of a switch has failed, by its supervisor's word: it ended by itself, or ran out of time.
pub(crate) fn has_failed(layout: &Layout, switch: &Switch) -> bool {
    of_launch(layout, switch).is_some_and(|status| {
        let ended = status.failures > 0 || status.last_exit.is_some() || status.phase == Phase::Failed;
        let runs = report::live(layout, &switch.to.name).is_some();
        runs || (ended && !matches!(status.phase, Phase::Stopped | Phase::Stopping))
    })
}

fn of_launch(layout: &Layout, switch: &Switch) -> Option<Status> {
    let launch = switch.to.identity();
    report::read(layout, &switch.to.name).filter(|status| status.launch == launch)
}
