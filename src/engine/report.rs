//! What a supervisor reports, read as a claim of somebody who may be lying or long dead.

use crate::host::files::FileError;
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
    look(layout, name).ok().flatten()
}

/// The same, or why it can't be read, as the end of a sentence.
pub fn look(layout: &Layout, name: &InstanceName) -> Result<Option<Status>, String> {
    let path = layout.status(name);
    let told = |error: FileError| format!("{error}: {}", error.source);
    let Some(text) = untrusted::read(&path, LARGEST).map_err(told)? else { return Ok(None) };
    let damaged = |error: serde_json::Error| format!("`{path}` is damaged: {error}");
    let status: Status = serde_json::from_str(&text).map_err(damaged)?;
    if status.format > FORMAT {
        return Err(format!("`{path}` has format {}, which a newer mainstay wrote", status.format));
    }
    Ok(Some(status))
}

/// The status of a supervisor that is alive.
#[must_use]
pub fn live(layout: &Layout, name: &InstanceName) -> Option<Status> {
    read(layout, name).filter(|status| identity::runs(status.supervisor))
}
