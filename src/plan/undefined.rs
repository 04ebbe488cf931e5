//! What may be done with an instance whose definition is gone, masked or without its marker. It is still an instance,
//! and whatever runs of it still runs.

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::launch::LaunchSpec;
use crate::model::layout::{Layout, unit_name};
use crate::model::manifest::{PlatformKind, Scope};
use crate::plan::observed::Observed;
use crate::plan::refusal::Refusal;
use crate::platform::systemd::reading::outranks;

/// Refuses where the definition that is there is somebody else's, and where the definition is needed and is not there.
/// A container's is always needed, because it says in whose engine the container is.
pub fn guard(spec: &LaunchSpec, layout: &Layout, observed: &Observed, needed: bool) -> Result<(), Refusal> {
    let name = &spec.name;
    if !observed.is_undefined(name) {
        return Ok(());
    }
    let place = layout.definition(name, spec.platform);
    if let Some(definition) = observed.replaced_by(name, &place) {
        return Err(Refusal::NotOurs { name: name.clone(), definition });
    }
    // One that systemd passes over when ours is there again is still what systemd goes by now.
    if let Some(definition) = &observed.foreign {
        return Err(if outranks(Utf8Path::new(definition)) {
            Refusal::NotOurs { name: name.clone(), definition: definition.clone() }
        } else {
            Refusal::Undefined { name: name.clone(), place }
        });
    }
    if needed || spec.platform == PlatformKind::Compose {
        return Err(Refusal::Undefined { name: name.clone(), place });
    }
    Ok(())
}

/// The link by which systemd starts a unit at boot. Where its file is gone, `systemctl disable` leaves it.
#[must_use]
pub fn boot_link(spec: &LaunchSpec, layout: &Layout) -> Option<Utf8PathBuf> {
    let target = match spec.scope {
        Scope::System => "multi-user.target.wants",
        Scope::User => "default.target.wants",
    };
    let path = layout.units().join(target).join(unit_name(&spec.name));
    (spec.platform == PlatformKind::Systemd).then_some(path)
}
