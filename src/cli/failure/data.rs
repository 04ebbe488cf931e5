//! What helps where an older version and the data, or a snapshot and the disk, do not go together.

use crate::plan::refusal::Refusal;

/// What the person can do.
pub(super) fn help(refusal: &Refusal) -> Vec<String> {
    match refusal {
        Refusal::DataTooNew { snapshot, .. } => {
            let mut lines = Vec::new();
            if let Some(snapshot) = snapshot {
                lines.push(format!(
                    "`--restore-data` puts back the snapshot {snapshot}: what was written since then is lost to it"
                ));
            }
            lines.push("`--force` goes back with the data as they are".to_owned());
            lines
        }
        Refusal::NoSnapshot { .. } => {
            vec!["leave `--restore-data` out: the data stay as they are".to_owned()]
        }
        Refusal::DataUnusable { .. } => {
            vec!["name folders that hold nothing but the service's data in `upgrade.data`".to_owned()]
        }
        Refusal::NoRoom { .. } => {
            vec![
                "make room: `mainstay upgrade --cleanup` removes old versions and their snapshots".to_owned(),
            ]
        }
        Refusal::DataNeedsRestart { .. } => {
            vec!["leave `--no-restart` out, or stop the service first".to_owned()]
        }
        _ => Vec::new(),
    }
}
