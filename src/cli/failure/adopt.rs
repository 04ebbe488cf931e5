//! What helps where something is not adopted.

use crate::engine::adopt::AdoptError;

pub(super) fn code(error: &AdoptError) -> u8 {
    match error {
        AdoptError::NoUnit { .. } => 3,
        AdoptError::Lines { .. } | AdoptError::Link { .. } | AdoptError::HasManifest { .. } => 4,
        AdoptError::Name { .. }
        | AdoptError::Unreadable { .. }
        | AdoptError::NothingToLeaveOut { .. }
        | AdoptError::NoProgram { .. } => 2,
    }
}

pub(super) fn help(error: &AdoptError) -> Vec<String> {
    match error {
        AdoptError::NoUnit { .. } => {
            vec![
                "`systemctl list-units --type=service` shows what there is; a file is named by its path"
                    .to_owned(),
            ]
        }
        AdoptError::Name { .. } => vec![
            "adopt a copy of its file under a name of its own: `mainstay adopt FILE --name NAME`".to_owned(),
        ],
        AdoptError::Link { .. } => {
            vec!["put a copy of the unit in the place of the link, then try again".to_owned()]
        }
        AdoptError::Unreadable { .. } => vec!["name the file of a unit or of a property list".to_owned()],
        AdoptError::HasManifest { .. } => {
            vec!["go to a folder of its own, or name one with `--instance-dir`".to_owned()]
        }
        AdoptError::NothingToLeaveOut { .. } => {
            vec!["`--dry-run` shows what becomes of each line; leave `--leave-out` out where all is carried over".to_owned()]
        }
        AdoptError::NoProgram { .. } => vec!["a service is one program that runs: name its unit".to_owned()],
        AdoptError::Lines { lines, .. } => {
            let mut keys: Vec<&str> = lines.iter().map(|line| line.key.as_str()).collect();
            keys.dedup();
            let mut help: Vec<String> = lines
                .iter()
                .map(|line| {
                    let note = line.note.as_deref().unwrap_or_default();
                    format!("{}: {}={}: {note}", line.place(), line.key, line.value)
                })
                .collect();
            help.push(format!(
                "to do without: `--leave-out {}`; else change these lines first",
                keys.join(" ")
            ));
            help
        }
    }
}
