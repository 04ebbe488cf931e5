//! The folders that the tokens of a launch stand for.

use camino::Utf8PathBuf;

use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::token::Places;

/// The folders of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    package: Utf8PathBuf,
    config: Utf8PathBuf,
    data: Utf8PathBuf,
    logs: Utf8PathBuf,
    run: Utf8PathBuf,
    deploy: Utf8PathBuf,
}

impl Folders {
    /// Those of a launch, with the package where it is said to be: in its tree, or where the link leads that outlives
    /// versions.
    #[must_use]
    pub fn of(spec: &LaunchSpec, layout: &Layout, package: Utf8PathBuf) -> Self {
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
