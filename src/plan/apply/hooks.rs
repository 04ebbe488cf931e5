//! The commands of a manifest around a switch, resolved.

use crate::model::hook::{self, HookCall};
use crate::model::launch::{Folders, LaunchSpec};
use crate::model::token::{Places, expand};
use crate::plan::wanted::Wanted;

/// The field of the command that brings data into the new form.
const MIGRATE: &str = "upgrade.hooks.migrate";
/// The field of the command that brings data into the old form.
const MIGRATE_BACK: &str = "upgrade.hooks.migrateBack";

/// From which launch to which the hooks of a switch are.
#[derive(Clone, Copy, Debug)]
pub struct Between<'a> {
    /// What is wanted.
    pub wanted: &'a Wanted,
    /// What runs now.
    pub from: &'a LaunchSpec,
    /// What is to run.
    pub to: &'a LaunchSpec,
}

impl Between<'_> {
    /// The way back.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self { from: self.to, to: self.from, ..self }
    }

    /// A command, with a version's tree as its `{package}`.
    #[must_use]
    pub fn call(self, field: &str, argv: Option<&Vec<String>>, package: &LaunchSpec) -> Option<HookCall> {
        let (layout, spec) = (&self.wanted.layout, &self.wanted.spec);
        let name = &spec.name;
        let tree = |spec: &LaunchSpec| layout.tree(name, &spec.tree()).into_string();
        let environment = [
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
            ("MAINSTAY_NAME", name.to_string()),
            ("MAINSTAY_VERSION", self.to.version.to_string()),
            ("MAINSTAY_FROM_VERSION", self.from.version.to_string()),
            ("MAINSTAY_TO_VERSION", self.to.version.to_string()),
            ("MAINSTAY_FROM_PACKAGE", tree(self.from)),
            ("MAINSTAY_TO_PACKAGE", tree(self.to)),
            ("MAINSTAY_DATA", layout.data(name).into_string()),
        ];
        with_places(self.wanted, package, |places| {
            Some(HookCall {
                field: field.to_owned(),
                argv: argv?.iter().map(|argument| expand(argument, places)).collect(),
                environment: environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
                folder: spec.deploy.clone(),
                rights: self.wanted.owner.clone(),
                limit: spec.hooks.timeout.unwrap_or(hook::USUAL_LIMIT),
            })
        })
    }

    /// What brings the data forward, from the older version's form to the newer one's.
    #[must_use]
    pub fn migrate(self) -> Option<HookCall> {
        let argv = self.wanted.spec.hooks.migrate.as_ref().or(self.to.hooks.migrate.as_ref());
        self.call(MIGRATE, argv, self.to)
    }

    /// What brings the data back, from the newer version's form to the older one's, by the newer one's program.
    #[must_use]
    pub fn migrate_back(self) -> Option<HookCall> {
        let argv = self.wanted.spec.hooks.migrate_back.as_ref().or(self.from.hooks.migrate_back.as_ref());
        self.call(MIGRATE_BACK, argv, self.from)
    }
}

/// Does something with the places of what is wanted, with a version's tree as `{package}`.
pub(super) fn with_places<T>(
    wanted: &Wanted,
    package: &LaunchSpec,
    work: impl FnOnce(&Places<'_>) -> T,
) -> T {
    let (layout, name) = (&wanted.layout, &wanted.spec.name);
    work(&Folders::with_package(&wanted.spec, layout, layout.tree(name, &package.tree())).places())
}
