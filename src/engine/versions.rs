//! The versions of an instance that are unpacked, in the order in which they were last active.

use std::fmt;

use crate::engine::failure::Failure;
use crate::engine::observe::read_receipt;
use crate::model::digest::Digest;
use crate::model::layout::Layout;
use crate::model::moment::Moment;
use crate::model::name::{ComponentName, InstanceName};
use crate::model::receipt::Receipt;
use crate::model::version::Version;
use crate::package::tree;

/// A version that is unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// The version.
    pub version: Version,
    /// The digest of the archive that it came from.
    pub digest: Digest,
    /// Whether it is the active one.
    pub is_active: bool,
    /// When it was last made active, as far as that is recorded.
    pub activated: Option<Moment>,
    /// Why it was taken back, if it was.
    pub bad: Option<String>,
}

impl fmt::Display for Unpacked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.version)?;
        if self.is_active {
            formatter.write_str("  active")?;
        }
        if let Some(activated) = &self.activated {
            write!(formatter, "  since {activated}")?;
        }
        if let Some(reason) = &self.bad {
            write!(formatter, "  was taken back: {reason}")?;
        }
        Ok(())
    }
}

/// The whole trees of an instance: those that were active, newest activation first; then the others, newest version
/// first where there is an order.
pub fn versions(
    layout: &Layout,
    name: &InstanceName,
    component: &ComponentName,
) -> Result<Vec<Unpacked>, Failure> {
    let receipt = read_receipt(&layout.receipt(name))?;
    let trees = tree::versions(&layout.install(name), component)?;
    let whole = trees.into_iter().filter_map(|tree| Some((tree.version, tree.complete?.digest)));
    Ok(ordered(whole.collect(), receipt.as_ref()))
}

fn ordered(whole: Vec<(Version, Digest)>, receipt: Option<&Receipt>) -> Vec<Unpacked> {
    let activations = receipt.map(|receipt| receipt.activations.as_slice()).unwrap_or_default();
    let active = receipt.and_then(Receipt::active).map(|active| &active.version);
    let mut found: Vec<(Option<usize>, Unpacked)> = whole
        .into_iter()
        .map(|(version, digest)| {
            let place = activations.iter().rposition(|activation| activation.version == version);
            let bad = receipt.and_then(|receipt| receipt.bad.iter().rev().find(|bad| bad.version == version));
            let unpacked = Unpacked {
                digest,
                is_active: active == Some(&version),
                activated: place.map(|place| activations[place].at),
                bad: bad.map(|bad| bad.reason.clone()),
                version,
            };
            (place, unpacked)
        })
        .collect();
    found.sort_by(|(one_place, one), (other_place, other)| {
        let by_version = other.version.order(&one.version);
        let by_name = || other.version.as_str().cmp(one.version.as_str());
        other_place.cmp(one_place).then_with(|| by_version.unwrap_or_else(by_name))
    });
    found.into_iter().map(|(_, unpacked)| unpacked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_activations_and_not_of_names() {
        let receipt: Receipt = serde_json::from_value(serde_json::json!({
            "format": 1, "name": "web", "component": "server", "platform": "embedded", "scope": "user",
            "folder": "/deploy", "manifest": "", "changed": "2026-01-01T00:00:00Z",
            "activations": [
                { "version": "0.10.0", "at": "2026-01-01T00:00:00Z" },
                { "version": "0.9.0", "at": "2026-01-02T00:00:00Z" },
                { "version": "0.11.0", "at": "2026-01-03T00:00:00Z" }
            ],
            "bad": [{ "version": "0.12.0", "reason": "it crashed", "at": "2026-01-04T00:00:00Z" }]
        }))
        .unwrap();
        let digest: Digest = "ab".repeat(32).parse().unwrap();
        let whole = ["0.10.0", "0.11.0", "0.12.0", "0.2.0", "0.9.0"];
        let whole = whole.map(|text| (Version::new(text).unwrap(), digest));
        let found = ordered(whole.to_vec(), Some(&receipt));
        let names: Vec<&str> = found.iter().map(|found| found.version.as_str()).collect();
        assert_eq!(names, ["0.11.0", "0.9.0", "0.10.0", "0.12.0", "0.2.0"]);
        assert!(found[0].is_active && !found[1].is_active);
        assert_eq!(found[3].bad.as_deref(), Some("it crashed"));
    }
}
