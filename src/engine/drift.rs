//! Looking for what is not as it was applied, beyond what every operation looks at.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::manager::Seen;
use crate::engine::target::Declared;
use crate::engine::variables::readable::unreadable;
use crate::engine::{Context, active, peek, report, resolve};
use crate::host::process::Credentials;
use crate::host::{account, files, untrusted};
use crate::model::contradiction::read_manifest;
use crate::model::digest::Digest;
use crate::model::drift::{DriftKind, DropIn};
use crate::model::launch::LaunchSpec;
use crate::model::layout::{Layout, socket_unit_name, unit_name};
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::model::receipt::Receipt;
use crate::model::started::{self, Started};
use crate::model::status::{ProcessIdentity, Status};
use crate::model::values::mixed;
use crate::plan::observed::Observed;
use crate::plan::wanted::Wanted;
use crate::platform::{self, systemd::reading};
use crate::supervise::{environment, values};

/// The largest file that is read of what others may have written, in bytes.
const LARGEST: u64 = 1 << 20;

/// Adds to what was observed what only tells of drift.
pub(crate) fn observe(context: &Context<'_>, declared: &Declared, wanted: &Wanted, observed: &mut Observed) {
    let (layout, name) = (&context.layout, &wanted.spec.name);
    let active = observed.link.as_ref().and_then(|link| observed.specs.get(link));
    observed.applied = applied(context, declared, wanted, observed);
    let supervisor = report::live(layout, name).map(|status| status.supervisor);
    observed.started = supervisor.and_then(|supervisor| started(layout, name, supervisor));
    if let (Some(started), Some(active)) = (&observed.started, active) {
        observed.given = given(wanted, active, started);
        let kept = values::kept(&layout.status(name)).filter(|_| !active.has_credentials());
        observed.kept = kept.map(|kept| mixed(&started.salt, values::bytes(&kept)));
    }
    observed.unreadable = unreadable(&wanted.spec, &wanted.beside);
    observed.drop_ins.retain(|drop_in| is_own(&drop_in.path, name));
    for path in unread(layout, wanted) {
        if observed.drop_ins.iter().all(|known| known.path != path) {
            observed.drop_ins.extend(drop_ins([path]));
        }
    }
    for drop_in in &mut observed.drop_ins {
        let text = files::read(&drop_in.path).ok().flatten().unwrap_or_default();
        drop_in.sets = reading::told(&text);
    }
}

/// The launch that was last applied, made again from the manifest in the receipt.
fn applied(
    context: &Context<'_>,
    declared: &Declared,
    wanted: &Wanted,
    observed: &Observed,
) -> Option<LaunchSpec> {
    let receipt = observed.receipt.as_ref()?;
    let version = receipt.active().filter(|active| active.version == wanted.spec.version)?.version.clone();
    if receipt.manifest == declared.document.text() {
        return Some(wanted.spec.clone());
    }
    let (manifest, document) = read_manifest(declared.path.as_str(), &receipt.manifest).ok()?;
    let before = Declared { manifest, document, ..declared.clone() };
    let tree = context.layout.tree(&wanted.spec.name, &wanted.spec.tree());
    let description = peek::description_in(&tree).ok()?;
    resolve::launch(&before, description.as_ref(), version, wanted.spec.platform, wanted.spec.scope).ok()
}

/// What a supervisor has written down of its program's start, if it is this one's.
pub(crate) fn started(layout: &Layout, name: &InstanceName, supervisor: ProcessIdentity) -> Option<Started> {
    let text = untrusted::read(&layout.started(name), LARGEST).ok()??;
    let started: Started = serde_json::from_str(&text).ok()?;
    (started.format <= started::FORMAT && started.supervisor == supervisor).then_some(started)
}

/// The variables that the active launch would get from its files now. Nothing where they can't be read: the next start
/// tells why.
fn given(wanted: &Wanted, active: &LaunchSpec, started: &Started) -> Option<BTreeMap<String, Digest>> {
    // As the program's account reads them; root's own are handed over by the service manager.
    let account = wanted.account.as_ref().filter(|_| !active.credentials);
    let account =
        account.map(|owner| Credentials { uid: owner.uid, gid: owner.gid, groups: account::groups(owner) });
    let variables = environment::from_files(active, None, account.as_ref()).ok()?;
    Some(mixed(&started.salt, values::bytes(&variables)))
}

/// Whether a drop-in is about this instance; those for all services are the distribution's.
pub(crate) fn is_own(path: &Utf8Path, name: &InstanceName) -> bool {
    let folder = path.parent().and_then(Utf8Path::file_name).unwrap_or_default();
    [unit_name(name), socket_unit_name(name)].iter().any(|unit| folder.strip_suffix(".d") == Some(unit))
}

/// The drop-ins beside our units, which systemd may not have read yet.
fn unread(layout: &Layout, wanted: &Wanted) -> Vec<Utf8PathBuf> {
    if wanted.spec.platform != PlatformKind::Systemd {
        return Vec::new();
    }
    let name = &wanted.spec.name;
    let folders = [unit_name(name), socket_unit_name(name)].map(|unit| layout.units().join(unit + ".d"));
    let found = folders.iter().flat_map(|folder| {
        let names = files::list(folder).ok().flatten().unwrap_or_default();
        names.into_iter().map(|name| folder.join(name)).filter(|path| path.extension() == Some("conf"))
    });
    found.collect()
}

/// Drop-ins of which only the place is known.
pub(crate) fn drop_ins(paths: impl IntoIterator<Item = Utf8PathBuf>) -> Vec<DropIn> {
    paths.into_iter().map(|path| DropIn { path, sets: Vec::new() }).collect()
}

/// What `status` knows of an instance.
pub(crate) struct Glance<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) of: &'a Marker,
    pub(crate) spec: Option<&'a LaunchSpec>,
    pub(crate) receipt: Option<&'a Receipt>,
    pub(crate) live: Option<&'a Status>,
    pub(crate) seen: Option<&'a Seen>,
    pub(crate) definition: Option<&'a str>,
    pub(crate) socket: Option<&'a str>,
}

/// What is seen not to be as it was applied, without a further question to anybody.
pub(crate) fn at_a_glance(glance: &Glance<'_>) -> Vec<DriftKind> {
    let Some(receipt) = glance.receipt else { return Vec::new() };
    let (kind, systemd) = (glance.of.platform, glance.of.platform == PlatformKind::Systemd);
    // A mask is a link to nowhere, or a file with nothing in it.
    let masked = systemd && glance.definition.is_some_and(|text| text.trim().is_empty());
    let unmarked = |text: &str| !masked && platform::marker(kind, text).is_none();
    let edited = |text: &str| !masked && !unmarked(text) && !platform::untouched(kind, text);
    let runs = glance.seen.is_some_and(|seen| seen.state.runs());
    let boot = glance.spec.map(|spec| spec.boot);
    let of_trees = glance.spec.is_none_or(|spec| spec.source.has_trees());
    let active = receipt.active().map(|active| &active.version);
    let version = active::version(glance.layout, glance.of);
    let launch = glance.spec.map(LaunchSpec::identity);
    let runs_otherwise = |live: &Status| {
        !live.launch.is_empty() && launch.as_ref().is_some_and(|launch| *launch != live.launch)
    };
    let has_sockets = systemd && glance.spec.is_some_and(|spec| !spec.sockets.is_empty());
    let at_boot =
        glance.seen.map(|seen| seen.at_boot).filter(|_| systemd && !masked && glance.definition.is_some());
    let found = [
        (masked, DriftKind::Masked),
        (glance.definition.is_none(), DriftKind::DefinitionMissing),
        (glance.definition.is_some_and(unmarked), DriftKind::MarkerGone),
        (glance.definition.is_some_and(edited), DriftKind::DefinitionEdited),
        (glance.seen.is_some_and(|seen| seen.needs_reload), DriftKind::NotRead),
        (at_boot == Some(false) && boot == Some(true), DriftKind::NotEnabled),
        (at_boot == Some(true) && boot == Some(false), DriftKind::Enabled),
        (has_sockets && glance.socket.is_none(), DriftKind::SocketMissing),
        (glance.socket.is_some_and(|text| !platform::untouched(kind, text)), DriftKind::SocketEdited),
        (of_trees && version.as_ref() != active, DriftKind::LinkMoved),
        (glance.spec.is_none(), DriftKind::LaunchMissing),
        (runs && glance.live.is_some_and(runs_otherwise), DriftKind::RunsOtherSettings),
    ];
    found.into_iter().filter_map(|(is, kind)| is.then_some(kind)).collect()
}
