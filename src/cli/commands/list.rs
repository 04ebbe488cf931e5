//! `list`

use crate::cli::arguments::ListArguments;
use crate::cli::commands::status;
use crate::cli::report::Report;
use crate::cli::surroundings::layouts_to_list;
use crate::cli::table::{Cell, Table};
use crate::engine::failure::Failure;
use crate::engine::listing;
use crate::host::account;
use crate::model::answer::list::{ListAnswer, Listed};

/// `list`
pub(crate) fn list(report: &Report, arguments: &ListArguments) -> Result<u8, Failure> {
    let layouts = layouts_to_list(arguments.scope)?;
    let list = if arguments.all_users {
        if account::effective_uid() != 0 {
            return Err(Failure::Rights("reading other users' instances needs root".to_owned()));
        }
        listing::list_all_users(&layouts)?
    } else {
        listing::list(&layouts)
    };
    for notice in &list.notices {
        report.notice(notice);
    }
    if report.is_json() {
        report.document(&list);
    } else {
        told(report, &list, arguments.all_users);
    }
    Ok(0)
}

fn state(instance: &Listed) -> String {
    let trial = if instance.on_trial { ", on trial" } else { "" };
    format!("{}{trial}", instance.state)
}

fn told(report: &Report, list: &ListAnswer, all_users: bool) {
    if list.instances.is_empty() {
        report.say("no instance is installed here that this account may read");
        report.say(
            "  `mainstay install --name NAME --from ARCHIVE` installs one, `mainstay demo` shows how it goes",
        );
        return;
    }
    let mut headings = vec!["NAME", "STATE", "VERSION", "PLATFORM", "SCOPE", "FOLDER"];
    if all_users {
        headings.insert(5, "USER");
    }
    let mut table = Table::new(&headings);
    for instance in &list.instances {
        let version = instance.version.as_ref().map_or("?", |version| version.as_str());
        let mut row: Vec<Cell> = vec![
            (&instance.name).into(),
            Cell::styled(status::style_of(instance.state), state(instance)),
            version.into(),
            instance.platform.into(),
            instance.scope.into(),
        ];
        if all_users {
            row.push(instance.user.as_deref().unwrap_or_default().into());
        }
        row.push((&instance.folder).into());
        table.row(row);
    }
    table.tell(report);
}
