//! The scores that `docs/platforms.md` tells are those that systemd gives.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod oracle;

use std::path::Path;

use mainstay::model::launch::{Circumstances, LaunchSpec};
use mainstay::model::layout::Layout;
use mainstay::model::manifest::{PlatformKind, Scope};
use mainstay::model::version::Version;
use mainstay::platform::{self, Facts};
use serde_json::{Value, json};

/// The version whose scores are told; others count a little differently.
const MEASURED: &str = "systemd 252 ";

fn exposure(profile: &str, user: Option<&str>) -> f64 {
    let mut manifest = json!({
        "name": "web",
        "package": { "name": "server" },
        "service": { "command": ["{package}/bin/server"], "hardening": profile },
    });
    manifest["service"]["user"] = user.map_or(Value::Null, Value::from);
    let circumstances = Circumstances {
        platform: PlatformKind::Systemd,
        scope: Scope::System,
        deploy: "/srv/web".into(),
        version: Version::new("1.0.0").unwrap(),
        owner: None,
    };
    let spec = LaunchSpec::resolve(&serde_json::from_value(manifest).unwrap(), None, circumstances).unwrap();
    let facts = Facts { systemd_version: 252, home: None, account: None };
    let definition = platform::definition(&spec, &Layout::system(), &facts).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web.service");
    fs_err::write(&path, definition.text).unwrap();
    oracle::exposure(&path)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test may run what it likes")]
fn the_scores_are_those_that_systemd_gives() {
    let version = std::process::Command::new("systemd-analyze").arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    if !version.is_ok_and(|version| version.starts_with(MEASURED)) {
        return;
    }
    let text =
        fs_err::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/platforms.md")).unwrap();
    for profile in ["off", "standard", "strict"] {
        let (own, root) = (exposure(profile, Some("kici")), exposure(profile, None));
        let row = format!("| `{profile}` | {own:.1} | {root:.1} |\n");
        assert!(text.contains(&row), "docs/platforms.md lacks {row}");
    }
}
