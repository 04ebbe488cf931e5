//! What a running program says of itself, asked as its package says. Whatever it says is a claim.

use std::time::Duration;

use camino::Utf8Path;
use serde::Deserialize;
use serde_json::Value;

use crate::engine::{active, variables};
use crate::host::command::{self, Manner};
use crate::host::{account, files, probe};
use crate::model::answer::package_status::{PackageField, PackageStatus};
use crate::model::answer::status::{InstanceState, StatusAnswer};
use crate::model::launch::{Folders, LaunchSpec};
use crate::model::layout::Layout;
use crate::model::manifest::Scope;
use crate::model::marker::Marker;
use crate::model::package::view::{LONGEST_TIMEOUT, MOST_FIELDS, USUAL_TIMEOUT};
use crate::model::package::{self, StatusView};
use crate::model::token::{expand, expand_variables};

/// The largest answer of a command, in bytes; one over HTTP has the same limit.
const LARGEST: usize = 1 << 20;

/// All that is wanted of a description here. The rest of it was checked when its version came.
#[derive(Deserialize)]
struct Described {
    #[serde(default)]
    status: Option<StatusView>,
}

/// Asks a program that runs, and adds what it says to its status. One that sleeps until its next run is asked by its
/// command, which tells of the last one. Of an instance whose package has no lines of its own, one small file is read and
/// nobody asked.
pub fn add(layout: &Layout, of: &Marker, answer: &mut StatusAnswer) {
    let sleeps = answer.state == InstanceState::Sleeping;
    let runs = answer.pid.is_some() && matches!(answer.state, InstanceState::Ready | InstanceState::Starting);
    if !runs && !sleeps {
        return;
    }
    let Some(spec) = active::launch(layout, of) else { return };
    let Some(view) = view(layout, &spec).filter(|view| runs || view.command.is_some()) else { return };
    let said = ask(layout, &spec, &view);
    let title = view.title.clone().unwrap_or_else(|| spec.component.to_string());
    let line = |answer: &Value| {
        let lines = view.fields.iter().take(MOST_FIELDS);
        lines.filter_map(|field| PackageField::of(field, answer)).collect()
    };
    answer.package = Some(match said {
        Ok(said) => PackageStatus { title, problem: None, fields: line(&said) },
        Err(problem) => PackageStatus { title, problem: Some(problem), fields: Vec::new() },
    });
}

/// Whether asking counts as somebody's need: then whoever watches must not ask again and again.
#[must_use]
pub fn wakes(layout: &Layout, of: &Marker) -> bool {
    active::launch(layout, of).is_some_and(|spec| spec.idle.is_some())
}

fn view(layout: &Layout, spec: &LaunchSpec) -> Option<StatusView> {
    let path = layout.tree(&spec.name, &spec.tree()).join(package::FILE_NAME);
    let text = files::read(&path).ok()??;
    serde_json::from_str::<Described>(&text).ok()?.status
}

fn ask(layout: &Layout, spec: &LaunchSpec, view: &StatusView) -> Result<Value, String> {
    let limit = view.timeout.unwrap_or(USUAL_TIMEOUT).min(LONGEST_TIMEOUT).duration();
    if let Some(address) = &view.http {
        let variables = variables::open(layout, spec, &[]);
        let address = expand_variables(address, |name| variables.get(name).cloned());
        return probe::document(&address, limit);
    }
    let command = view.command.as_ref().ok_or("its package does not say how it is asked")?;
    run(layout, spec, command, limit)
}

fn run(layout: &Layout, spec: &LaunchSpec, command: &[String], limit: Duration) -> Result<Value, String> {
    let own = account::effective_uid();
    let account = variables::account(spec).ok_or("the account that runs it is not known here")?;
    // Somebody's program is run with nobody else's rights, least of all those of whoever looks.
    let theirs = spec.scope == Scope::System && spec.user.is_none();
    let runs_as = if theirs { 0 } else { account.uid };
    if own != 0 && own != runs_as {
        return Err("only root and the account that runs it can ask it".to_owned());
    }
    let folders = Folders::of(spec, layout);
    let argv: Vec<String> = command.iter().map(|argument| expand(argument, &folders.places())).collect();
    let environment = variables::all(layout, spec, &account);
    let folder = spec.start_folder(&folders.places());
    let manner = Manner {
        environment: Some(&environment),
        folder: Some(folder.as_path()).filter(|folder: &&Utf8Path| folder.is_dir()),
        rights: Some(&account),
        limit: Some(limit),
        largest: Some(LARGEST + 1),
    };
    let output = command::output(&argv, manner).map_err(|error| match error.kind() {
        std::io::ErrorKind::TimedOut => format!("`{}` took longer than {limit:?}", argv[0]),
        _ => format!("`{}` can't be run: {error}", argv[0]),
    })?;
    if output.code != Some(0) {
        let last = output.stderr.lines().next_back().unwrap_or_default();
        let code = output
            .code
            .map_or_else(|| "was ended by a signal".to_owned(), |code| format!("exited with code {code}"));
        return Err(format!("`{}` {code}{}{last}", argv[0], if last.is_empty() { "" } else { ": " }));
    }
    if output.stdout.len() > LARGEST {
        return Err(format!("`{}` printed more than 1 MiB", argv[0]));
    }
    serde_json::from_str(&output.stdout).map_err(|error| format!("`{}` did not print JSON: {error}", argv[0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::duration::Span;
    use crate::model::idle::Idle;
    use crate::model::manifest::PlatformKind;

    #[test]
    fn whoever_watches_a_program_that_sleeps_unneeded_does_not_ask_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = camino::Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        let layout = Layout::system().below(root);
        let of = Marker {
            name: "web".parse().unwrap(),
            component: "server".parse().unwrap(),
            platform: PlatformKind::Embedded,
            scope: Scope::System,
            folder: "/srv/web".into(),
        };
        let mut spec = LaunchSpec::bare(&of);
        let current = layout.current(&of.name, &of.component);
        for path in [&current, &layout.launch(&of.name, &spec.tree())] {
            files::create_folder(path.parent().unwrap(), 0o755, None).unwrap();
        }
        files::link(&current, spec.tree().as_str().into()).unwrap();
        let mut wakes_with = |idle: Option<Idle>| {
            spec.idle = idle;
            files::write(&layout.launch(&of.name, &spec.tree()), &spec.text(), 0o644, None).unwrap();
            wakes(&layout, &of)
        };
        assert!(!wakes_with(None));
        assert!(wakes_with(Some(Idle { after: Span::seconds(60), busy: None })));
    }
}
