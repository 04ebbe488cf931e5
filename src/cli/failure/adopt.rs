//! What helps where something is not adopted.

use camino::Utf8Path;

use super::log::told_last;
use crate::cli::words;
use crate::engine::adopt::AdoptError;
use crate::plan::refusal::Refusal;

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
        AdoptError::Unreadable { .. } => {
            vec!["name the file of a unit, of a property list or of a compose service".to_owned()]
        }
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

/// What starts again what ran before, with the last lines of what took its place.
pub(super) fn not_revived(call: &str, log: &[String]) -> Vec<String> {
    let mut lines = told_last(log);
    lines.push(format!("mend the cause, then type `{call}`"));
    lines
}

/// What helps where a name is somebody else's already.
pub(super) fn refusal_help(refusal: &Refusal) -> Vec<String> {
    match refusal {
        Refusal::Undefined { name, .. } => vec![format!(
            "`mainstay apply` in the folder of `{name}` writes it anew, and what runs runs on; then the same again"
        )],
        Refusal::NotOurs { name, definition } => {
            let typed = if matches!(Utf8Path::new(definition).extension(), Some("yaml" | "yml")) {
                format!("adopt --compose {}", words::visible(definition))
            } else {
                format!("adopt {name}.service")
            };
            vec![
                format!(
                    "to make that service mainstay's: `mainstay {typed}`, in a folder without a manifest"
                ),
                "else choose another `name`".to_owned(),
            ]
        }
        Refusal::AlreadyOurs { name, folder } => vec![
            format!("`mainstay status --name {name}` shows how it is; its manifest stands in `{folder}`"),
            "to move it to another folder, put its manifest there and type `mainstay apply --take-over`"
                .to_owned(),
        ],
        Refusal::HasSocket { name, .. } => vec![
            format!("`systemctl disable --now {name}.socket` and remove its file, then adopt the service"),
            "then let the manifest say `service.sockets`".to_owned(),
        ],
        _ => Vec::new(),
    }
}
