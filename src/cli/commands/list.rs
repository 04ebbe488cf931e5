//! `list`

use std::time::{Duration, Instant};

use crate::cli::arguments::ListArguments;
use crate::cli::commands::status::style_of;
use crate::cli::commands::watching::{self, Watched};
use crate::cli::report::{Report, style, styled};
use crate::cli::surroundings::layouts_to_list;
use crate::cli::table::{Cell, Column, Cut, Table};
use crate::cli::words;
use crate::engine::failure::Failure;
use crate::engine::listing;
use crate::host::account;
use crate::model::answer::list::{ListAnswer, Listed};
use crate::model::answer::status::InstanceState;
use crate::model::layout::Layout;

/// The columns, and in which order they go where there is no room.
const NAME: Column = Column { heading: "NAME", rank: 0, cut: Cut::End, least: 10 };
const STATE: Column = Column { heading: "STATE", rank: 0, cut: Cut::End, least: 7 };
const VERSION: Column = Column { heading: "VERSION", rank: 1, cut: Cut::End, least: 9 };
const COMPONENT: Column = Column { heading: "COMPONENT", rank: 6, cut: Cut::End, least: 10 };
const PLATFORM: Column = Column { heading: "PLATFORM", rank: 5, cut: Cut::Never, least: 0 };
const SCOPE: Column = Column { heading: "SCOPE", rank: 4, cut: Cut::Never, least: 0 };
const USER: Column = Column { heading: "USER", rank: 2, cut: Cut::End, least: 6 };
const FOLDER: Column = Column { heading: "FOLDER", rank: 3, cut: Cut::Beginning, least: 24 };

/// `list`
pub(crate) fn list(report: &Report, arguments: &ListArguments) -> Result<u8, Failure> {
    let layouts = layouts_to_list(arguments.scope)?;
    if arguments.all_users && account::effective_uid() != 0 {
        return Err(Failure::Rights("reading other users' instances needs root".to_owned()));
    }
    let instances = Instances { layouts, arguments };
    // What can't be found out at all is told before anything is drawn.
    let list = instances.found()?;
    if arguments.watch {
        return Ok(watching::watch(report, &instances));
    }
    for notice in &list.notices {
        report.notice(notice);
    }
    if report.is_json() {
        report.document(&list);
    } else if list.instances.is_empty() {
        for line in nothing() {
            report.say(line);
        }
        // Root reads what is others' as well, and only where it says so.
        if !arguments.all_users && account::effective_uid() == 0 {
            report.say("  `mainstay list --all-users` shows those of other accounts");
        }
    } else {
        for line in instances.table(&list, report.columns()) {
            report.line(line);
        }
    }
    Ok(0)
}

/// The instances of some scopes, as they are listed.
struct Instances<'a> {
    layouts: Vec<Layout>,
    arguments: &'a ListArguments,
}

impl Instances<'_> {
    fn found(&self) -> Result<ListAnswer, Failure> {
        if self.arguments.all_users {
            listing::list_all_users(&self.layouts)
        } else {
            Ok(listing::list(&self.layouts))
        }
    }

    fn table(&self, list: &ListAnswer, columns: Option<usize>) -> Vec<String> {
        let (wide, all_users) = (self.arguments.wide, self.arguments.all_users);
        let mut table = Table::of(
            [
                (NAME, true),
                (STATE, true),
                (VERSION, true),
                (COMPONENT, wide),
                (PLATFORM, true),
                (SCOPE, true),
                (USER, all_users),
                (FOLDER, true),
            ]
            .into_iter()
            .filter_map(|(column, shown)| shown.then_some(column))
            .collect(),
        );
        for instance in &list.instances {
            let version = instance.version.as_ref().map_or("?", |version| version.as_str());
            let cells: [(Cell, bool); 8] = [
                ((&instance.name).into(), true),
                (Cell::styled(style_of(instance.state), state(instance)), true),
                (version.into(), true),
                ((&instance.component).into(), wide),
                (instance.platform.into(), true),
                (instance.scope.into(), true),
                (instance.user.as_deref().unwrap_or_default().into(), all_users),
                (words::visible(instance.folder.as_str()).into(), true),
            ];
            table.row(cells.into_iter().filter_map(|(cell, shown)| shown.then_some(cell)).collect());
        }
        table.lines(columns.filter(|_| !wide))
    }
}

impl Watched for Instances<'_> {
    type Answer = ListAnswer;
    type Traces = ();

    fn look(&self) -> ListAnswer {
        self.found().unwrap_or_else(|failure| ListAnswer {
            schema: "list.v1".to_owned(),
            instances: Vec::new(),
            notices: vec![failure.to_string()],
        })
    }

    fn compared(&self, answer: &ListAnswer) -> ListAnswer {
        answer.clone()
    }

    fn screen(&self, answer: &ListAnswer, _: Instant, columns: Option<usize>) -> Vec<String> {
        let mut lines = if answer.instances.is_empty() { nothing() } else { self.table(answer, columns) };
        lines.extend(answer.notices.iter().map(|notice| styled(style::DOUBTFUL, format!("! {notice}"))));
        lines
    }

    fn traces(&self) -> Self::Traces {}

    fn pause(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn exit_code(&self, _: &ListAnswer) -> u8 {
        0
    }
}

fn nothing() -> Vec<String> {
    vec![
        "no instance is installed here that this account may read".to_owned(),
        "  `mainstay install --name NAME --from ARCHIVE` installs one, `mainstay demo` shows how it goes"
            .to_owned(),
    ]
}

/// A state in as few words as a column takes.
fn state(instance: &Listed) -> String {
    let word = match instance.state {
        InstanceState::Ready => "ready",
        InstanceState::Sleeping => "sleeping",
        InstanceState::Idle => "idle",
        InstanceState::Starting => "starting",
        InstanceState::BackingOff => "backing off",
        InstanceState::Stopping => "stopping",
        InstanceState::Stopped => "stopped",
        InstanceState::Failed => "failed",
        InstanceState::Unknown => "unknown",
    };
    let trial = if instance.on_trial { ", on trial" } else { "" };
    format!("{word}{trial}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::ScopeArguments;

    fn shown(columns: Option<usize>, wide: bool) -> String {
        let instance = |name: &str, state: &str, version: &str| {
            serde_json::json!({
                "name": name, "component": "orchestrator", "state": state, "version": version,
                "platform": "systemd", "scope": "system", "folder": format!("/srv/deploy/customers/{name}")
            })
        };
        let mut list: ListAnswer = serde_json::from_value(serde_json::json!({
            "schema": "list.v1", "notices": [],
            "instances": [
                instance("kici-orchestrator", "ready", "0.4.0"),
                instance("mail", "backing-off", "2026.11.20-rc1"),
                instance("web", "failed", "1.0.0")
            ]
        }))
        .unwrap();
        list.instances[0].on_trial = true;
        let arguments =
            ListArguments { scope: ScopeArguments::default(), all_users: false, wide, watch: false };
        let lines = Instances { layouts: Vec::new(), arguments: &arguments }.table(&list, columns);
        let plain = lines.iter().map(|line| anstream::adapter::strip_str(line).to_string());
        plain.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_table_fits_the_terminal() {
        for (columns, wide, expected) in
            [(40, false, NARROW), (80, false, USUAL), (200, false, WHOLE), (40, true, WIDE)]
        {
            let table = shown(Some(columns), wide);
            assert_eq!(table, expected.trim_matches('\n'), "{columns}:\n{table}");
        }
        assert_eq!(shown(None, false), shown(Some(200), false));
    }

    const NARROW: &str = r"
NAME          STATE            VERSION
kici-orches…  ready, on trial  0.4.0
mail          backing off      2026.11.…
web           failed           1.0.0
";
    const USUAL: &str = r"
NAME               STATE            VERSION     SCOPE   FOLDER
kici-orchestrator  ready, on trial  0.4.0       system  …omers/kici-orchestrator
mail               backing off      2026.11.2…  system  …v/deploy/customers/mail
web                failed           1.0.0       system  …rv/deploy/customers/web
";
    const WHOLE: &str = r"
NAME               STATE            VERSION         PLATFORM  SCOPE   FOLDER
kici-orchestrator  ready, on trial  0.4.0           systemd   system  /srv/deploy/customers/kici-orchestrator
mail               backing off      2026.11.20-rc1  systemd   system  /srv/deploy/customers/mail
web                failed           1.0.0           systemd   system  /srv/deploy/customers/web
";
    const WIDE: &str = r"
NAME               STATE            VERSION         COMPONENT     PLATFORM  SCOPE   FOLDER
kici-orchestrator  ready, on trial  0.4.0           orchestrator  systemd   system  /srv/deploy/customers/kici-orchestrator
mail               backing off      2026.11.20-rc1  orchestrator  systemd   system  /srv/deploy/customers/mail
web                failed           1.0.0           orchestrator  systemd   system  /srv/deploy/customers/web
";
}
