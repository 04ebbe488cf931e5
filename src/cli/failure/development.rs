//! What helps where a service for development can't be had.

use crate::plan::refusal::Refusal;

pub(super) fn refusal_help(refusal: &Refusal) -> Vec<String> {
    match refusal {
        Refusal::DevelopmentTaken { what: "container", name, engine } => vec![
            format!("see what it is: `{engine} container inspect {name}`"),
            format!("to keep it under another name: `{engine} rename {name} NAME`; to remove it: `{engine} rm {name}`"),
        ],
        Refusal::DevelopmentTaken { what, name, engine } => vec![
            format!("see what it is: `{engine} {what} inspect {name}`"),
            format!("if nobody needs what it holds: `{engine} {what} rm {name}`"),
        ],
        Refusal::DevelopmentLocked { volume, engine } => {
            vec![format!("if nobody needs what it holds: `{engine} volume rm {volume}`, then run this again")]
        }
        Refusal::DevelopmentPort { port, .. } => vec![
            format!("`ss -ltnp 'sport = :{port}'` shows who listens there; stop that, then run this again"),
            "to use what runs there instead, set the variable in the environment file yourself, and leave `--dev` out"
                .to_owned(),
        ],
        Refusal::NoEngine { .. } => vec![
            "install Podman (`apt install podman`, `dnf install podman`, `brew install podman`) or Docker, and see that it answers: `podman version`".to_owned(),
            "without one, leave `--dev` out and name services of your own in the environment file".to_owned(),
        ],
        _ => Vec::new(),
    }
}
