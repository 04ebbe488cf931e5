//! The sockets of a service that has ended: on systemd they outlive it, and have to be closed where it is not to be
//! started again.

use crate::engine::failure::CallError;
use crate::engine::manager::{HostManager, Manager as _};
use crate::engine::report;
use crate::engine::supervisor::{active_launch, defined};
use crate::model::ended::Ended;
use crate::model::layout::Layout;
use crate::model::manifest::{PlatformKind, Supervision};
use crate::model::name::InstanceName;
use crate::platform::calls;

/// Closes the sockets of a service whose supervisor has just ended for good: what is down stays down until it is
/// started by hand, and the next connection would start it. Says whether there was something to close.
///
/// Where systemd is about to start it again, the sockets stay: by the unit's `Requires=`, closing them would cancel
/// that start.
pub fn close_after_the_end(
    layout: &Layout,
    name: &InstanceName,
    ended: &Ended,
    earlier: Option<&Ended>,
) -> Result<bool, CallError> {
    if !report::read(layout, name).is_some_and(|status| ended.is_for_good(&status, earlier)) {
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
