//! `history`

use std::time::Duration;

use crate::cli::arguments::HistoryArguments;
use crate::cli::report::{Report, style};
use crate::cli::surroundings::{layouts, target_to_see};
use crate::cli::table::{Cell, Table};
use crate::cli::words;
use crate::engine::failure::Failure;
use crate::engine::history;
use crate::engine::manager::HostManager;
use crate::engine::status::status;
use crate::host::clock;
use crate::model::answer::history::Happening;
use crate::model::event_line::EventLine;
use crate::model::history::{Action, Event};
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::model::moment::Moment;
use crate::model::outcome::Outcome;
use crate::model::version::Version;

/// `history`
pub(crate) fn history(report: &Report, arguments: &HistoryArguments) -> Result<u8, Failure> {
    let target = target_to_see(report, &arguments.target);
    let of = target.as_ref().ok().and_then(|target| target.marker.clone());
    let (layout, name) = history::place(target, &layouts(arguments.target.scope)?)?;
    let (mut answer, unreadable) = history::history(&layout, &name)?;
    if let Some(lines) = arguments.lines {
        answer.events.drain(..answer.events.len().saturating_sub(lines));
    }
    if unreadable > 0 {
        report.notice(format!("{unreadable} of its lines can't be read and are left out"));
    }
    if report.is_json() {
        report.document(&answer);
        return Ok(0);
    }
    if answer.events.is_empty() {
        report.say(format!("nothing has happened to {name} yet"));
        return Ok(0);
    }
    let mut table = Table::new(&["WHEN", "WHAT", "VERSION", "DOWN FOR", "BY", "WHY"]);
    for event in &answer.events {
        table.row(match event {
            Happening::Done(event) => done(event),
            Happening::Seen(line) => seen(line),
        });
    }
    let last = answer.events.last().filter(|last| matches!(last, Happening::Seen(_))).map(Happening::at);
    if let Some(row) = of.zip(last).and_then(|(of, last)| running(&layout, &of, last)) {
        table.row(row);
    }
    table.tell(report);
    Ok(0)
}

/// That it was started after the ending that was seen last, as with the host: else an ending would be the last word on a
/// service that runs.
fn running(layout: &Layout, of: &Marker, last: Moment) -> Option<Vec<Cell>> {
    let status = status(&HostManager::new(layout.clone()), layout, of);
    let started = status.started.filter(|started| status.pid.is_some() && *started > last)?;
    Some(vec![
        clock::local(started).into(),
        Cell::styled(style::GOOD, "started"),
        versions(None, status.version.as_ref()).into(),
        "".into(),
        "supervisor".into(),
        "it runs since then".into(),
    ])
}

/// What the supervisor saw. It is the service's own account that says so.
fn seen(line: &EventLine) -> Vec<Cell> {
    let style = match line.outcome {
        Some(Outcome::Failure | Outcome::Fatal) => style::BAD,
        Some(Outcome::Partial) => style::DOUBTFUL,
        _ => style::FAINT,
    };
    let what = match line.outcome {
        Some(outcome) => format!("{}: {outcome}", line.event),
        None => line.event.to_string(),
    };
    let why = match (&line.message, line.exit) {
        (message, Some(exit)) if message.is_empty() => format!("it {exit}"),
        (message, _) => words::visible(message).into_owned(),
    };
    vec![
        clock::local(line.at).into(),
        Cell::styled(style, what),
        "".into(),
        "".into(),
        "supervisor".into(),
        why.into(),
    ]
}

fn done(event: &Event) -> Vec<Cell> {
    let style = match event.action {
        Action::TakenBack | Action::Undone => style::BAD,
        _ => style::STRONG,
    };
    let downtime = event.downtime_ms.map(Duration::from_millis).map(words::duration);
    vec![
        clock::local(event.at).into(),
        Cell::styled(style, event.action),
        versions(event.from.as_ref(), event.to.as_ref()).into(),
        downtime.unwrap_or_default().into(),
        (&event.user).into(),
        words::visible(event.reason.as_deref().unwrap_or_default()).into(),
    ]
}

fn versions(from: Option<&Version>, to: Option<&Version>) -> String {
    match (from, to) {
        (Some(from), Some(to)) if from != to => format!("{from} -> {to}"),
        (_, Some(only)) | (Some(only), None) => only.to_string(),
        (None, None) => String::new(),
    }
}
