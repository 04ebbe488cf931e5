//! What mends what a guard refuses.

use super::{adopt, data, development, host, values};
use crate::engine::trust::Distrust;
use crate::host::remedy;
use crate::package::version::FileNameError;
use crate::plan::refusal::Refusal;

pub(super) fn refusal_help(refusal: &Refusal) -> Vec<String> {
    match refusal {
        Refusal::NameTaken { .. } => vec![
            "another version of that service? `mainstay upgrade` in its folder".to_owned(),
            "another service? give it another `name` in the manifest".to_owned(),
            "the same service, from now on from here? `--take-over`".to_owned(),
        ],
        Refusal::Occupied { .. } => vec![
            "name a new folder, or an empty one".to_owned(),
            "`--force` puts aside what is there, and says where".to_owned(),
        ],
        Refusal::Undefined { .. }
        | Refusal::NotOurs { .. }
        | Refusal::AlreadyOurs { .. }
        | Refusal::HasSocket { .. } => adopt::refusal_help(refusal),
        Refusal::DevelopmentTaken { .. }
        | Refusal::DevelopmentLocked { .. }
        | Refusal::DevelopmentPort { .. }
        | Refusal::NoEngine { .. } => development::refusal_help(refusal),
        Refusal::OtherPlatform { installed, .. } => vec![
            format!("to stay there, write `\"platform\": \"{installed}\"` in the manifest"),
            "to move it, uninstall it first: its data and configuration stay".to_owned(),
        ],
        Refusal::NotHere { platform, usual } => host::no_platform(*platform, *usual),
        Refusal::MissingVariables { .. } | Refusal::StartsNoMore { .. } => values::refusal_help(refusal),
        Refusal::OtherComponent { .. } => {
            vec!["choose another `name`, uninstall the instance first, or use `--take-over`".to_owned()]
        }
        Refusal::OtherAccount { name, wanted, data, .. } => vec![
            format!("`mainstay uninstall --name {name}`, which keeps its data and configuration"),
            format!(
                "then `chown -R {} '{data}'`, if that is there, and install it again",
                wanted.as_deref().unwrap_or("ACCOUNT")
            ),
        ],
        Refusal::NoTree { installed, .. } => {
            let command = if *installed { "upgrade" } else { "install" };
            vec![format!(
                "bring it: `mainstay {command} --from ARCHIVE`, or `mainstay install`, which fetches it where the manifest has a `package.url`"
            )]
        }
        Refusal::OtherKey { name, wanted, .. } => {
            let mut lines = vec![format!(
                "to give the old key up: `mainstay uninstall --name {name}`, then install again; data and configuration stay"
            )];
            if let Some(wanted) = wanted {
                lines.insert(0, format!(
                    "the new key counts once an archive comes that the old one has signed, with `key:{wanted}` in the trusted comment"
                ));
            }
            lines
        }
        Refusal::OtherTree { .. } => vec!["`--force` puts the new one in its place".to_owned()],
        Refusal::LiveTree { .. } => {
            vec!["stop the service first, or give the archive a version of its own".to_owned()]
        }
        Refusal::Downgrade { .. } | Refusal::NoOrder { .. } => {
            vec![
                "`--force` does it all the same; `mainstay upgrade --rollback` goes to the version before"
                    .to_owned(),
            ]
        }
        Refusal::DataTooNew { .. }
        | Refusal::NoSnapshot { .. }
        | Refusal::DataUnusable { .. }
        | Refusal::NoRoom { .. }
        | Refusal::DataNeedsRestart { .. } => data::help(refusal),
        Refusal::Unclear { reasons, .. } => {
            let mut lines = reasons.clone();
            lines.push("mend that, then run this again".to_owned());
            lines
        }
        Refusal::SocketsMove(_) => vec!["leave `--no-restart` out, or stop the service first".to_owned()],
        Refusal::BadVersion { name, bad } => vec![
            format!(
                "`mainstay upgrade --name {name} --from ARCHIVE --force` tries it again; where it is still unpacked, \
                 `--to {} --force` does too",
                bad.version
            ),
            "an archive with other bytes is another matter; `mainstay history` shows what happened"
                .to_owned(),
        ],
        Refusal::OlderProgram { .. } | Refusal::NoOldProgram { .. } => program_help(refusal),
        Refusal::ForeignTool { instead, .. } => vec![instead.clone()],
        Refusal::OtherToolKey { .. } => {
            vec!["leave `--public-key` out, or let the owner of that file exchange it".to_owned()]
        }
        Refusal::OutsidePackage { .. } => vec![
            "let `service.command` begin with `{package}/…`, or set `package.source` to `manager`".to_owned(),
            "`--force` unpacks and records it all the same".to_owned(),
        ],
        Refusal::NoPrevious(_) => vec![
            "`mainstay history` shows what was active; `mainstay upgrade --to VERSION` goes to any that is unpacked, also to one \
             that a rollback has left"
                .to_owned(),
        ],
    }
}

/// What helps where the program of a package manager is not the one that is wanted.
fn program_help(refusal: &Refusal) -> Vec<String> {
    match refusal {
        Refusal::OlderProgram { to, .. } => {
            vec![format!("if it is meant: `mainstay upgrade --version {to}`; else bring the newer one first")]
        }
        Refusal::NoOldProgram { bring, .. } => {
            let bring = bring.as_ref().map_or_else(
                || "bring the version that you want with its package manager".to_owned(),
                |command| format!("bring it: `{command}`"),
            );
            vec![format!("{bring}, then `mainstay upgrade --version VERSION`")]
        }
        _ => Vec::new(),
    }
}

pub(super) fn distrust_help(distrust: &Distrust) -> Vec<String> {
    match distrust {
        Distrust::Writable { path, .. } => vec![format!("`{}`", remedy::close_to_writers(path))],
        Distrust::Owner { path, owner, .. } => {
            vec![format!("`{}`, or run this as its owner", remedy::give(path, owner))]
        }
        Distrust::Foreign { path, owner } => vec![
            format!("`{}` lets the administrators own it", remedy::own(path)),
            format!("or run this as {owner}, with `--user`"),
        ],
        Distrust::NotAFile(_) | Distrust::Unreadable { .. } => vec!["put the file itself there".to_owned()],
        Distrust::NotAFolder(_) => vec!["name the folder that holds the manifest".to_owned()],
        Distrust::OtherUser { owner, .. } => {
            vec![format!(
                "leave `service.user` out, or set it to `{owner}`; to run as another account, let root own the folder"
            )]
        }
        Distrust::OtherGroup { .. } => {
            vec!["name one of the owner's groups, or let root own the folder".to_owned()]
        }
        Distrust::Socket { .. } => {
            vec!["listen somewhere else, or let root own the folder".to_owned()]
        }
        Distrust::Setting { .. } => vec!["leave it out, or let root own the folder".to_owned()],
    }
}

/// What helps where an archive's name says no version.
pub(super) fn version_help(error: &FileNameError) -> Vec<String> {
    match error {
        FileNameError::Other { other, version, .. } => vec![
            format!("if it is the one that you mean, write `{other}` as `package.name` into the manifest"),
            format!("else say the version with `--version {version}`, or take another archive"),
        ],
        FileNameError::Several { candidates, .. } => {
            let meant = candidates.first().map_or("1.0.0", String::as_str);
            vec![format!("say which with `--version`, as in `--version {meant}`")]
        }
        FileNameError::None { .. } | FileNameError::Form { .. } => {
            vec!["say it with `--version`, as in `--version 1.0.0`".to_owned()]
        }
    }
}
