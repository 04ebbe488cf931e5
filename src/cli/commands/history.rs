//! `history`

use std::time::Duration;

use crate::cli::arguments::TargetArguments;
use crate::cli::report::{Report, style};
use crate::cli::surroundings::{layouts, target_to_see};
use crate::cli::table::{Cell, Table};
use crate::cli::words;
use crate::engine::failure::Failure;
use crate::engine::past;
use crate::host::clock;
use crate::model::history::{Action, Event};
use crate::model::version::Version;

/// `history`
pub(crate) fn history(report: &Report, arguments: &TargetArguments) -> Result<u8, Failure> {
    let (layout, name) = past::place(target_to_see(report, arguments), &layouts(arguments.scope)?)?;
    let (answer, unreadable) = past::history(&layout, &name)?;
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
        table.row(row(event));
    }
    table.tell(report);
    Ok(0)
}

fn row(event: &Event) -> Vec<Cell> {
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
        event.reason.as_deref().unwrap_or_default().into(),
    ]
}

fn versions(from: Option<&Version>, to: Option<&Version>) -> String {
    match (from, to) {
        (Some(from), Some(to)) if from != to => format!("{from} -> {to}"),
        (_, Some(only)) | (Some(only), None) => only.to_string(),
        (None, None) => String::new(),
    }
}
