//! What other instances of this host need of what was done for one of them: that stays when the one goes.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Done, Undo, placed};
use crate::engine::{active, registry, requirements, variables};
use crate::model::launch::{Folders, LaunchSpec};
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::model::package::{PreparationKind, RequirementKind};
use crate::platform::identity;

/// The needs of all instances but one.
pub(super) struct Others(Vec<Needs>);

struct Needs {
    instance: Marker,
    account: Option<String>,
    /// The settings and modules of the kernel that its package asks for.
    kernel: Vec<String>,
    /// The files and folders that its package makes or asks for.
    paths: Vec<Utf8PathBuf>,
}

impl Others {
    /// Looks at the instances of a scope.
    pub(super) fn of(layout: &Layout, but: &InstanceName) -> Self {
        let others = registry::instances(layout).markers.into_iter().filter(|marker| marker.name != *but);
        let needs = |spec: LaunchSpec| {
            let host = requirements::host_of(layout, &spec);
            let setting = requirements::setting(layout, &spec, &[]);
            let steps = || host.prepare.iter().filter(|step| step.when.holds(&setting));
            let checks = || host.checks.iter().filter(|check| check.when.holds(&setting));
            let set = steps()
                .filter(|step| matches!(step.kind, PreparationKind::Sysctl | PreparationKind::KernelModule));
            let asked = checks().filter(|check| {
                matches!(check.kind, RequirementKind::Sysctl | RequirementKind::KernelModule)
            });
            let names = set.map(|step| &step.name).chain(asked.map(|check| &check.name));
            let paths = steps().map(|step| &step.path).chain(checks().map(|check| &check.path));
            let folders = Folders::of(&spec, layout);
            Needs {
                instance: identity(&spec),
                paths: paths.flatten().map(|path| placed(path, &folders.places())).collect(),
                account: variables::account(&spec).map(|account| account.name),
                kernel: names.flatten().map(|name| name.replace('/', ".")).collect(),
            }
        };
        Self(others.filter_map(|marker| active::launch(layout, &marker)).map(needs).collect())
    }

    /// Who lives by what a step has done, and why it can't be undone.
    pub(super) fn need(&self, done: &Done) -> Option<(&Marker, String)> {
        done.undo.iter().find_map(|undo| match undo {
            Undo::Leave { user, group } => {
                let other = self.0.iter().find(|other| other.account.as_ref() == Some(user))?;
                let name = &other.instance.name;
                let why = format!("{user} stays in the group `{group}`: `{name}` runs as {user} as well");
                Some((&other.instance, why))
            }
            Undo::Setting { name, .. } | Undo::Loaded { module: name } => {
                let name = name.replace('/', ".");
                let other = self.0.iter().find(|other| other.kernel.contains(&name))?;
                let needing = &other.instance.name;
                let why = format!("`{name}` of the kernel stays as it is: `{needing}` needs it as well");
                Some((&other.instance, why))
            }
            Undo::Remove { path, .. } => self.using(path, |needed| needed == path),
            // A folder is used by whoever needs something in it.
            Undo::RemoveFolder { path, .. } => self.using(path, |needed| needed.starts_with(path)),
        })
    }

    fn using(&self, path: &Utf8Path, uses: impl Fn(&Utf8PathBuf) -> bool) -> Option<(&Marker, String)> {
        let other = self.0.iter().find(|other| other.paths.iter().any(&uses))?;
        let name = &other.instance.name;
        Some((&other.instance, format!("`{path}` stays: `{name}` needs it as well")))
    }
}
