//! What is done to files and folders most often, each with its way back.

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::layout::hidden;
use crate::model::moment::Moment;
use crate::plan::step::{Step, Undo};

/// Writes a file, over one of another text or where there was none.
pub(in crate::plan) fn written(path: &Utf8Path, text: &str, mode: u32, before: Option<&str>) -> (Step, Undo) {
    let step = |text: &str| Step::Write { path: path.to_owned(), text: text.to_owned(), mode, owner: None };
    let undo = before.map_or_else(|| Step::Remove { path: path.to_owned() }, step);
    (step(text), Undo::step(undo))
}

/// Removes a file that everybody may read and that says this.
pub(in crate::plan) fn removed(path: Utf8PathBuf, text: &str) -> (Step, Undo) {
    let back = Step::Write { path: path.clone(), text: text.to_owned(), mode: 0o644, owner: None };
    (Step::Remove { path }, Undo::step(back))
}

/// Takes what a folder holds out of use, to be removed for good later.
pub(in crate::plan) fn put_away(folder: &Utf8Path, entry: &str, now: Moment) -> (Step, Undo) {
    let (from, to) = (folder.join(entry), away(folder, entry, now));
    (Step::Move { from: from.clone(), to: to.clone() }, Undo::step(Step::Move { from: to, to: from }))
}

/// The way back from a step that has given something new in a folder its name.
pub(in crate::plan) fn unpublished(folder: &Utf8Path, entry: &str, now: Moment) -> Undo {
    let to = away(folder, &format!("undone-{entry}"), now);
    Undo::step(Step::Move { from: folder.join(entry), to })
}

fn away(folder: &Utf8Path, entry: &str, now: Moment) -> Utf8PathBuf {
    folder.join(hidden::put_away(entry, now.0.as_microsecond()))
}
