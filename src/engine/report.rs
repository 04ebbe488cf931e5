//! What a supervisor reports, read as a claim of somebody who may be lying or long dead.

use crate::host::{identity, untrusted};
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::model::status::{FORMAT, Status};

/// The largest status that is read, in bytes.
const LARGEST: u64 = 64 << 10;

/// The last status of an instance's supervisor, alive or not, of this boot of the host or an earlier one.
///
/// The boot that it names is no help here: in a container, a sandboxed supervisor may see another boot
/// identity than the rest of the host does (`ProtectKernelTunables=`, systemd.exec(5)).
#[must_use]
pub fn read(layout: &Layout, name: &InstanceName) -> Option<Status> {
    let text = untrusted::read(&layout.status(name), LARGEST).ok()??;
    let status: Status = serde_json::from_str(&text).ok()?;
    (status.format <= FORMAT).then_some(status)
}

/// The status of a supervisor that is alive.
#[must_use]
pub fn live(layout: &Layout, name: &InstanceName) -> Option<Status> {
    read(layout, name).filter(|status| identity::runs(status.supervisor))
}
