//! The services for development of an instance, as they were found.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::model::development::{DevelopmentContainer, DevelopmentRecord};
use crate::platform::development::Standing;

/// The services for development of an instance, as they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DevelopmentSeen {
    /// What is written down of them.
    pub record: Option<DevelopmentRecord>,
    /// The texts of the files that are kept of them, where there are any.
    pub files: BTreeMap<Utf8PathBuf, String>,
    /// What has the name of a container.
    pub containers: BTreeMap<String, Standing>,
    /// What has the name of a volume.
    pub volumes: BTreeMap<String, Standing>,
    /// The ports of this host that somebody has, with who that is as far as it is known.
    pub ports: BTreeMap<u16, Option<String>>,
}

impl DevelopmentSeen {
    /// None of them.
    pub const NONE: Self = Self {
        record: None,
        files: BTreeMap::new(),
        containers: BTreeMap::new(),
        volumes: BTreeMap::new(),
        ports: BTreeMap::new(),
    };

    /// Whether a container runs, and is made as it is wanted.
    #[must_use]
    pub fn runs(&self, container: &DevelopmentContainer) -> bool {
        self.containers.get(&container.container).is_some_and(|standing| {
            standing.runs() && standing.identity.as_deref() == Some(container.identity().as_str())
        })
    }
}
