//! Definitions: other people's texts are read for our marker, and what we write carries it, whatever stands in it.

use mainstay::model::launch::LaunchSpec;
use mainstay::model::layout::Layout;
use mainstay::model::manifest::{PlatformKind, Scope};
use mainstay::model::marker::Marker;
use mainstay::platform::{self, Facts, embedded};

pub fn run(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    for kind in [PlatformKind::Systemd, PlatformKind::Embedded] {
        if let Some(marker) = platform::marker(kind, text) {
            written(&LaunchSpec::bare(&Marker { platform: kind, ..marker }));
        }
        let _ = platform::untouched(kind, text);
        let mut parts = text.split('\u{0}').map(str::to_owned);
        let folder = format!("/{}", parts.next().unwrap_or_default());
        let marker = Marker {
            name: "web".parse().unwrap(),
            component: "server".parse().unwrap(),
            platform: kind,
            scope: Scope::System,
            folder: folder.into(),
        };
        let mut spec = LaunchSpec::bare(&marker);
        spec.command = vec!["{package}/server".to_owned()];
        written(&spec);
        // Nothing that a manifest or package says can pass for a marker.
        spec.description = parts.next().unwrap_or_default();
        spec.working_directory = parts.next().unwrap_or_else(|| "{data}".to_owned());
        spec.health_file = parts.next();
        spec.command.extend(parts);
        written(&spec);
    }
    let _ = embedded::starts_at_boot(text);
}

/// Asserts that a definition, if there can be one, says whose it is and that nobody has touched it.
fn written(spec: &LaunchSpec) {
    let facts = Facts { systemd_version: 252, home: Some("/home/alice".into()), account: None };
    let Ok(definition) = platform::definition(spec, &Layout::system(), &facts) else { return };
    let marker = platform::marker(spec.platform, &definition.text);
    assert_eq!(marker.as_ref(), Some(&platform::identity(spec)), "{}", definition.text);
    assert!(platform::untouched(spec.platform, &definition.text), "{}", definition.text);
    assert!(!platform::untouched(spec.platform, &format!("{}Nice=1\n", definition.text)));
}
