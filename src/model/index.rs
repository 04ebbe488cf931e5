//! The index: which instances a scope has, read from their markers and kept only to be quick.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::marker::Marker;

/// The format that this build writes.
pub const FORMAT: u32 = 1;

/// `instances.json` of a scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay index")]
pub struct Index {
    /// The format of this file.
    pub format: u32,
    /// The instances, in order of name.
    pub instances: Vec<Marker>,
}

/// What a scan of one platform's definitions found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scan {
    /// All that there is.
    Found(Vec<Marker>),
    /// It could not be read; what the index says of this platform stays.
    Failed(String),
}

impl Index {
    /// The index after scans of all platforms: every marker that was found, and, of a platform whose scan
    /// failed, what was known before. The marker beats the index on every difference.
    #[must_use]
    pub fn reconcile(&self, scans: &[(crate::model::manifest::PlatformKind, Scan)]) -> Self {
        let mut instances: Vec<Marker> = Vec::new();
        for (platform, scan) in scans {
            match scan {
                Scan::Found(markers) => instances.extend(markers.iter().cloned()),
                Scan::Failed(_) => {
                    instances
                        .extend(self.instances.iter().filter(|known| known.platform == *platform).cloned());
                }
            }
        }
        instances.sort();
        instances.dedup();
        Self { format: FORMAT, instances }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::manifest::{PlatformKind, Scope};

    fn marker(name: &str, platform: PlatformKind, folder: &str) -> Marker {
        Marker {
            name: name.parse().unwrap(),
            component: "c".parse().unwrap(),
            platform,
            scope: Scope::User,
            folder: folder.into(),
        }
    }

    #[test]
    fn the_marker_beats_the_index_and_a_failed_scan_prunes_nothing() {
        let known = Index {
            format: FORMAT,
            instances: vec![
                marker("gone", PlatformKind::Embedded, "/gone"),
                marker("kept", PlatformKind::Systemd, "/kept"),
                marker("moved", PlatformKind::Embedded, "/old"),
            ],
        };
        let scans = [
            (PlatformKind::Systemd, Scan::Failed("unreadable".to_owned())),
            (PlatformKind::Embedded, Scan::Found(vec![marker("moved", PlatformKind::Embedded, "/new")])),
        ];
        let expected = vec![
            marker("kept", PlatformKind::Systemd, "/kept"),
            marker("moved", PlatformKind::Embedded, "/new"),
        ];
        assert_eq!(known.reconcile(&scans).instances, expected);
    }
}
