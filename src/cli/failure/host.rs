//! What a person can do about a host that is not ready for a package.

use crate::engine::failure::Failure;
use crate::model::manifest::PlatformKind;
use crate::model::operating_system::OperatingSystem;

pub(super) fn help(failure: &Failure) -> Vec<String> {
    match failure {
        Failure::HostLacks { lacks, can_be_prepared, .. } => {
            let mut lines: Vec<String> = lacks.iter().filter_map(|lack| lack.mend.clone()).collect();
            if *can_be_prepared {
                lines.push(
                    "`mainstay install --prepare` shows what prepares this host, and does what is safe"
                        .to_owned(),
                );
            }
            lines.push("mend that, then run this again; `--without-checks` goes on all the same".to_owned());
            lines
        }
        Failure::Unprepared { not_undone, .. } => {
            let mut lines = vec!["the steps before it were undone, and nothing was installed".to_owned()];
            lines.extend(not_undone.iter().map(|left| format!("but {left}")));
            lines.push("mend that, then run this again; without `--prepare` nothing is prepared".to_owned());
            lines
        }
        _ => Vec::new(),
    }
}

/// What helps where a platform is not on this host.
pub(super) fn no_platform(platform: PlatformKind, usual: PlatformKind) -> Vec<String> {
    let home = OperatingSystem::of(platform).map(|home| format!("platform `{platform}` belongs to {home}"));
    let usual = format!(
        "write `\"platform\": \"{usual}\"` in the manifest, or leave it out: then it is what this host has"
    );
    let shown = format!("to see what another host would get, `mainstay render --platform {platform}`");
    home.into_iter().chain([usual, shown]).collect()
}
