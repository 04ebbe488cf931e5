//! The folders that the tokens of a launch stand for.

use camino::Utf8PathBuf;

use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::token::Places;

/// The folders of an instance, with the package of one launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// The version tree, or the link that leads to the active one.
    pub package: Utf8PathBuf,
    /// The configuration folder.
    pub config: Utf8PathBuf,
    /// What the program keeps.
    pub data: Utf8PathBuf,
    /// Captured logs.
    pub logs: Utf8PathBuf,
    /// What lasts only while it runs.
    pub run: Utf8PathBuf,
    /// The folder of the manifest.
    pub deploy: Utf8PathBuf,
}

impl Folders {
    /// Those of a launch, with its own version tree.
    #[must_use]
    pub fn of(spec: &LaunchSpec, layout: &Layout) -> Self {
        Self::with_package(spec, layout, layout.tree(&spec.name, &spec.tree()))
    }

    /// Those of a launch for what outlives versions, as a definition does: with the link to the active tree.
    #[must_use]
    pub fn lasting(spec: &LaunchSpec, layout: &Layout) -> Self {
        Self::with_package(spec, layout, layout.current(&spec.name, &spec.component))
    }

    /// Those of a launch with the package of another.
    #[must_use]
    pub fn with_package(spec: &LaunchSpec, layout: &Layout, package: Utf8PathBuf) -> Self {
        let name = &spec.name;
        Self {
            package,
            config: layout.config(name),
            data: layout.data(name),
            logs: layout.logs(name),
            run: layout.run(name, spec.platform),
            deploy: spec.deploy.clone(),
        }
    }

    /// What the tokens stand for.
    #[must_use]
    pub fn places(&self) -> Places<'_> {
        Places {
            package: &self.package,
            config: &self.config,
            data: &self.data,
            logs: &self.logs,
            run: &self.run,
            deploy: &self.deploy,
        }
    }
}
