//! The sockets of a service that has ended: on systemd they outlive it, and have to be closed where it is not to be
//! started again.

use crate::engine::failure::CallError;
use crate::engine::manager::{HostManager, Manager as _};
use crate::engine::report;
use crate::engine::supervisor::{active_launch, defined};
use crate::model::layout::Layout;
use crate::model::manifest::{PlatformKind, Supervision};
use crate::model::name::InstanceName;
use crate::model::status::Phase;
use crate::platform::calls;

/// Closes the sockets of a service whose supervisor has just ended for good: what is down stays down until it is
/// started by hand, and the next connection would start it. Says whether there was something to close.
pub fn close_after_the_end(layout: &Layout, name: &InstanceName) -> Result<bool, CallError> {
    let ended = report::read(layout, name).map(|status| status.phase);
    if !matches!(ended, Some(Phase::Failed | Phase::Completed)) {
        return Ok(false);
    }
    let (Ok(marker), Ok(spec)) = (defined(layout, name), active_launch(layout, name)) else {
        return Ok(false);
    };
    let by_us = marker.platform == PlatformKind::Systemd && spec.supervision == Supervision::Mainstay;
    if !by_us || spec.sockets.is_empty() {
        return Ok(false);
    }
    HostManager::new(layout.clone()).call(&calls::close_sockets_later(&marker)).map(|()| true)
}
