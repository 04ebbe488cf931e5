//! Steps, as a preview shows them.

use std::fmt;

use crate::model::development::DevelopmentContainer;
use crate::model::owner::Owner;
use crate::plan::step::{DevelopmentVerb, Step};

impl fmt::Display for Step {
    /// What is done, as one line of a preview.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let as_whom = |rights: &Option<Owner>| {
            rights.as_ref().map(|owner| format!(" as {}", owner.name)).unwrap_or_default()
        };
        match self {
            Self::Folder { path, mode, owner } => {
                let owner = owner.as_ref().map(|owner| format!(" for {}", owner.name)).unwrap_or_default();
                write!(formatter, "create {path}/ (mode {mode:04o}){owner}")
            }
            Self::Write { path, text, mode, .. } => {
                write!(formatter, "write {path} ({} bytes, mode {mode:04o})", text.len())
            }
            Self::Edit { path, before, after, rights, .. } => match (before, after) {
                (_, None) => write!(formatter, "remove {path}{}", as_whom(rights)),
                (None, Some(text)) => {
                    write!(formatter, "write {path} ({} bytes){}", text.len(), as_whom(rights))
                }
                (Some(_), Some(_)) => write!(formatter, "edit {path}{}", as_whom(rights)),
            },
            Self::OwnFolder { path, there: true, rights } => {
                write!(formatter, "create {path}/ (mode 0700){}", as_whom(rights))
            }
            Self::OwnFolder { path, there: false, rights } => {
                write!(formatter, "remove {path}/ if it is empty{}", as_whom(rights))
            }
            Self::Record { path, event } => write!(formatter, "add `{}` to {path}", event.action),
            Self::Remove { path } => write!(formatter, "remove {path}"),
            Self::RemoveFolder { path } => write!(formatter, "remove {path}/ if it is empty"),
            Self::Link { path, target } => write!(formatter, "link {path} -> {target}"),
            Self::Move { from, to } => write!(formatter, "move {from} to {to}"),
            Self::Runtime { program, folder } => write!(formatter, "copy {program} to {folder}/mainstay"),
            Self::Publish { archive, folder, tree, digest, .. } => {
                write!(formatter, "unpack {archive} (sha256 {}…) to {folder}/{tree}/", digest.short())
            }
            Self::Mark { folder, tree, program } => write!(formatter, "mark {program} as {folder}/{tree}/"),
            Self::EmptyTrash { folder, .. } => write!(formatter, "remove what was put away in {folder}/"),
            Self::Call { call } => call.fmt(formatter),
            Self::Hook(hook) => {
                write!(formatter, "run {}: {}{}", hook.field, hook.argv.join(" "), as_whom(&hook.rights))
            }
            Self::Switch { switch } => switch.fmt(formatter),
            Self::MakeSwitch => formatter.write_str("make the switch, while the service is stopped"),
            Self::TidySnapshots { folder } => write!(formatter, "remove superseded snapshots in {folder}/"),
            Self::EndTrial { trial } => write!(formatter, "watch {} no more", trial.tree),
            Self::AwaitReady { tree, within, .. } => {
                write!(formatter, "wait until {tree} is ready (at most {within})")
            }
            Self::Overlap { within, .. } => {
                write!(formatter, "start it beside what runs, and let it take over (within {within})")
            }
            Self::Settle => formatter.write_str("record that it is done"),
            Self::Development { container, verb } => development(container, verb, formatter),
        }
    }
}

fn development(
    container: &DevelopmentContainer,
    verb: &DevelopmentVerb,
    formatter: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let DevelopmentContainer { service, engine, container: name, image, within, .. } = container;
    match verb {
        DevelopmentVerb::Up => {
            write!(formatter, "start {service} in the {engine} container {name} of {image}")?;
            if let Some(address) = container.address() {
                write!(formatter, " at {address}")?;
            }
            for volume in container.volumes.keys() {
                write!(formatter, ", with the volume {volume}")?;
            }
            write!(formatter, ", and wait until it answers (at most {within})")
        }
        DevelopmentVerb::Exchange => write!(formatter, "{engine} rm {name}, whose volumes stay"),
        DevelopmentVerb::Stop => write!(formatter, "{engine} stop {name}"),
        DevelopmentVerb::Remove { volumes } => {
            write!(formatter, "{engine} rm --force --volumes {name}")?;
            for volume in volumes {
                write!(formatter, "; {engine} volume rm {volume}")?;
            }
            Ok(())
        }
    }
}
