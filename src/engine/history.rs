//! The history of an instance, read.

use crate::engine::failure::Failure;
use crate::engine::target::{Target, TargetError};
use crate::engine::trial;
use crate::host::files;
use crate::model::answer::history::{Happening, HistoryAnswer};
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::supervise::read_events;

/// What happened to an instance, oldest first: what was done to it, and what its supervisor saw, which is a claim of
/// the service's own account. Lines that can't be read (of a crash, of a newer mainstay) are counted.
pub fn history(layout: &Layout, name: &InstanceName) -> Result<(HistoryAnswer, usize), Failure> {
    let text = files::read(&layout.history(name))?.unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let (done, unreadable): (Vec<_>, Vec<_>) = lines.map(serde_json::from_str).partition(Result::is_ok);
    let mut done: Vec<_> = done.into_iter().filter_map(Result::ok).collect();
    // What is not in it yet, because nobody has held the lock since.
    done.extend(trial::unwritten(layout, name, &done));
    let done = done.into_iter().map(Happening::Done);
    let seen = read_events(&layout.events(name)).into_iter().map(Happening::Seen);
    let mut events: Vec<Happening> = done.chain(seen).collect();
    events.sort_by_key(Happening::at);
    let answer = HistoryAnswer { schema: "history.v1".to_owned(), name: name.clone(), events };
    Ok((answer, unreadable.len()))
}

/// Where the history of an instance lies: with the instance, or, of one that is no longer installed, where it
/// was left.
pub fn place(found: Result<Target, Failure>, layouts: &[Layout]) -> Result<(Layout, InstanceName), Failure> {
    match found {
        Ok(target) => Ok((target.layout, target.name)),
        Err(Failure::Target(TargetError::Unknown { name, candidates })) => {
            let kept = |layout: &&Layout| matches!(files::facts(&layout.history(&name)), Ok(Some(_)));
            match layouts.iter().find(kept) {
                Some(layout) => Ok((layout.clone(), name)),
                None => Err(TargetError::Unknown { name, candidates }.into()),
            }
        }
        Err(other) => Err(other),
    }
}
