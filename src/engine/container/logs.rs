//! The log of a container, as its engine keeps it.

use std::time::Duration;

use crate::engine::container;
use crate::engine::failure::{CallError, Failure};
use crate::host::command::{self, Manner};
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::model::moment::Moment;
use crate::platform::compose::query;

/// How long an engine may take to give the last lines.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which lines of a container's log are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    /// Not those before this.
    pub(crate) since: Option<Moment>,
    /// Not those after this.
    pub(crate) until: Option<Moment>,
    /// Only the last so many.
    pub(crate) lines: Option<usize>,
    /// Whether new lines are waited for.
    pub(crate) follow: bool,
}

/// Reads lines, each with its time, until no more are wanted.
pub(crate) fn read(
    layout: &Layout,
    of: &Marker,
    wanted: Wanted,
    each: &mut dyn FnMut(Moment, &str) -> bool,
) -> Result<(), Failure> {
    let Some(argv) = argv(layout, of, wanted) else { return Ok(()) };
    let engine = argv.first().cloned().unwrap_or_default();
    let mut odd = Vec::new();
    let mut wants_more = true;
    let code = command::stream_both(&argv, &mut |line| {
        match parted(line) {
            Some((at, text)) => wants_more = each(at, text),
            // Not of the container: the engine itself speaks.
            None => odd.push(line.to_owned()),
        }
        wants_more
    })
    .map_err(|error| CallError::Unavailable { manager: engine.clone(), reason: error.to_string() })?;
    if wants_more && code != Some(0) && !odd.iter().any(|line| is_missing(line)) {
        let reason = odd.last().cloned().unwrap_or_else(|| format!("it ended with {code:?}"));
        return Err(CallError::Unavailable { manager: engine, reason }.into());
    }
    Ok(())
}

/// The last lines that a container has written since a moment; none where they can't be read.
pub(crate) fn tail(layout: &Layout, of: &Marker, since: Moment, lines: usize) -> Vec<String> {
    let wanted = Wanted { since: Some(since), lines: Some(lines), ..Wanted::default() };
    let Some(argv) = argv(layout, of, wanted) else { return Vec::new() };
    let manner = Manner { limit: Some(PATIENCE), ..Manner::default() };
    let Ok(output) = command::output(&argv, manner) else { return Vec::new() };
    let mut found: Vec<(Moment, &str)> =
        output.stdout.lines().chain(output.stderr.lines()).filter_map(parted).collect();
    found.sort_by_key(|(at, _)| at.0);
    found.iter().map(|(at, text)| format!("{} {text}", crate::host::clock::local_precise(*at))).collect()
}

fn argv(layout: &Layout, of: &Marker, wanted: Wanted) -> Option<Vec<String>> {
    let entry = container::entry(layout, of)?;
    let told = |moment: Option<Moment>| moment.map(|moment| moment.0.to_string());
    let times = (told(wanted.since), told(wanted.until));
    Some(query::logs(entry.engine, &entry.container, times, wanted.lines, wanted.follow))
}

/// A line, and the time that stands before it.
fn parted(line: &str) -> Option<(Moment, &str)> {
    let (at, text) = line.split_once(' ').unwrap_or((line, ""));
    Some((Moment(at.parse().ok()?), text.trim_end_matches('\r')))
}

fn is_missing(line: &str) -> bool {
    line.to_ascii_lowercase().contains("no such container")
}
