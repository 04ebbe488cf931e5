//! What the parts of a package's description can't mean: its lines of `status`, its checks of the host, the steps that
//! prepare it.

use std::collections::BTreeSet;

use crate::model::contradiction::Check;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::package::view::{LONGEST_TIMEOUT, MOST_FIELDS, is_pointer};
use crate::model::package::{
    Host, PackageDescription, Preparation, PreparationKind, Requirement, RequirementKind, Rights, StatusView,
    ViewField,
};
use crate::model::position::Segment;
use crate::model::token::words;

/// The folders that an instance's account may write in.
const SERVICES_OWN: [&str; 4] = ["config", "data", "logs", "run"];

impl Check<'_> {
    pub(super) fn view(&mut self, description: &PackageDescription) {
        let Some(view) = &description.status else { return };
        let here = ["status".into()];
        match (&view.http, &view.command) {
            (Some(_), Some(_)) => {
                self.key(["status", "command"], "`command` stands beside `http`: ask in one way".to_owned());
            }
            (None, None) => {
                self.at(&here, "nothing says what is asked: write `http`, an address, or `command`");
            }
            _ => {}
        }
        self.program(["status", "command"], view.command.as_deref());
        self.span(["status", "timeout"], view.timeout, LONGEST_TIMEOUT);
        if view.fields.len() > MOST_FIELDS {
            self.value(
                ["status", "fields"],
                format!("{} lines are more than a screen takes: at most {MOST_FIELDS}", view.fields.len()),
            );
        }
        self.lines(view);
    }

    fn lines(&mut self, view: &StatusView) {
        let mut labels = BTreeSet::new();
        for (index, field) in view.fields.iter().enumerate() {
            let place = |name: &str| -> Vec<Segment> {
                vec!["status".into(), "fields".into(), index.into(), name.into()]
            };
            if !labels.insert(&field.label) {
                self.at(&place("label"), format!("another line is called `{}` already", field.label));
            }
            if field.label.contains(char::is_control) {
                self.at(&place("label"), "a label is one line, without control characters");
            }
            if !is_pointer(&field.pointer) {
                let meant = format!("/{}", field.pointer.trim_start_matches(['$', '.']).replace('.', "/"));
                let message =
                    format!("`{}` is no JSON pointer (RFC 6901): write it as in `{meant}`", field.pointer);
                self.at(&place("pointer"), message);
            }
            if let Some(message) = field.wrong_unit() {
                self.at(&place("unit"), message);
            }
            self.verdicts(field, &place("bad"));
        }
    }

    fn verdicts(&mut self, field: &ViewField, place: &[Segment]) {
        if let Some(both) = field.bad.iter().find(|value| field.good.contains(value)) {
            self.at(place, format!("`{both}` is good and bad at once"));
        }
    }

    pub(super) fn host(&mut self, host: &Host) {
        for (index, requirement) in host.checks.iter().enumerate() {
            self.requirement(requirement, &["host".into(), "checks".into(), index.into()]);
        }
        let mut known = BTreeSet::new();
        for (index, step) in host.prepare.iter().enumerate() {
            let place: [Segment; 3] = ["host".into(), "prepare".into(), index.into()];
            if !known.insert(&step.id) {
                self.at(&within(&place, "id"), format!("another step is called `{}` already", step.id));
            }
            self.preparation(step, &place);
        }
    }

    fn requirement(&mut self, requirement: &Requirement, place: &[Segment]) {
        self.fields(&requirement.given(), requirement.kind.fields(), place);
        if let Some(path) = &requirement.path {
            self.absolute(path, &within(place, "path"));
        }
        if requirement.kind == RequirementKind::Sysctl {
            match (&requirement.value, requirement.minimum) {
                (Some(_), Some(_)) => self.at(
                    &within(place, "minimum"),
                    "`minimum` stands beside `value`: one of them says what it must be",
                ),
                (None, None) => self.at(place, "nothing says what it must be: write `value` or `minimum`"),
                _ => {}
            }
        }
        if let Some(name) = &requirement.name
            && (name.contains(|letter: char| letter.is_control() || letter.is_whitespace())
                || name.contains(".."))
        {
            self.at(&within(place, "name"), "a name has no blanks, no control characters and no `..`");
        }
        if let Some(port) = &requirement.port
            && !is_port(port)
        {
            let message = format!(
                "`{port}` is no port: write `4000`, `127.0.0.1:4000`, or a variable, as in `{{env.PORT}}`"
            );
            self.at(&within(place, "port"), message);
        }
        let words: Vec<&str> = match requirement.kind {
            RequirementKind::Scope => [Scope::System, Scope::User].map(Scope::as_str).to_vec(),
            RequirementKind::Platform => PlatformKind::ALL.iter().map(|kind| kind.as_str()).collect(),
            RequirementKind::Os => vec!["linux", "macos", "windows"],
            _ => return,
        };
        for (index, word) in requirement.one_of.iter().enumerate() {
            if !words.contains(&word.as_str()) {
                let mut path = within(place, "oneOf");
                path.push(index.into());
                let allowed = words.iter().map(|word| (*word).to_owned()).collect();
                let problem = self.document.problem(&path, format!("`{word}` can't stand here"));
                self.problems.push(problem.instead_of(word, allowed));
            }
        }
    }

    fn preparation(&mut self, step: &Preparation, place: &[Segment]) {
        use PreparationKind::{Group, KernelModule, Print, Sysctl};
        self.fields(&step.given(), step.kind.fields(), place);
        if let Some(path) = &step.path {
            self.absolute(path, &within(place, "path"));
            if words(path).contains(&"package") || words(path).contains(&"run") {
                self.at(
                    &within(place, "path"),
                    "what prepares the host lies where no upgrade and no restart takes it away: not in `{package}` or `{run}`",
                );
            }
        }
        // Whoever may write there could lay a link, and have root follow it.
        if step.rights == Rights::Root
            && let Some(token) =
                step.path.iter().flat_map(|path| words(path)).find(|word| SERVICES_OWN.contains(word))
        {
            let message = format!(
                "the service's account can write in `{{{token}}}`, so nothing is made there with root's rights: write `\"rights\": \"account\"`"
            );
            self.at(&within(place, "path"), message);
        }
        if step.kind == Print && step.safe {
            self.at(&within(place, "safe"), "what is only printed is not done: `safe` has no meaning here");
        }
        if matches!(step.kind, Group | KernelModule | Sysctl) && step.rights == Rights::Account {
            self.at(&within(place, "rights"), "only root can do this: leave `rights` out");
        }
        if step.owner == Some(Rights::Root) && step.rights == Rights::Account {
            self.at(&within(place, "owner"), "only root makes what is root's: leave `rights` out");
        }
        if step.kind == PreparationKind::Sysctl
            && step.value.as_ref().is_some_and(|value| value.contains(char::is_control))
        {
            self.at(&within(place, "value"), "a value is one line, without control characters");
        }
    }

    /// The fields that a kind needs, and no others.
    fn fields(&mut self, given: &[&str], kind: (&[&str], &[&str]), place: &[Segment]) {
        let (needed, possible) = kind;
        for name in needed.iter().filter(|name| !given.contains(name)) {
            self.at(&within(place, "kind"), format!("this kind needs `{name}`"));
        }
        for name in given.iter().filter(|name| !needed.contains(name) && !possible.contains(name)) {
            let problem = self
                .document
                .key_problem(&within(place, name), format!("`{name}` has no meaning for this kind"));
            self.problems.push(problem);
        }
    }

    fn absolute(&mut self, path: &str, place: &[Segment]) {
        let token =
            path.starts_with('{') && words(path).first().is_some_and(|word| path[1..].starts_with(word));
        if !path.starts_with('/') && !token {
            self.at(
                place,
                format!("`{path}` is not absolute: begin with `/` or a token, as in `{{data}}/…`"),
            );
        } else if path.split('/').any(|part| part == "..") {
            self.at(place, format!("`{path}` leads up again: write it without `..`"));
        }
    }

    pub(super) fn image(&mut self, description: &PackageDescription) {
        let Some(image) = &description.image else { return };
        if image.name.digest().is_some() {
            self.at(&["image".into(), "name".into()], "a digest stands in `image.digest` or `image.digests`");
        }
    }

    pub(super) fn at(&mut self, path: &[Segment], message: impl Into<String>) {
        self.problems.push(self.document.problem(path, message));
    }
}

fn within(place: &[Segment], name: &str) -> Vec<Segment> {
    place.iter().cloned().chain([Segment::from(name)]).collect()
}

fn is_port(text: &str) -> bool {
    let port = text.rsplit_once(':').map_or(text, |(host, port)| if host.is_empty() { "" } else { port });
    let variable = port.strip_prefix("{env.").and_then(|rest| rest.strip_suffix('}'));
    variable.is_some_and(|name| !name.is_empty()) || port.parse::<u16>().is_ok_and(|port| port > 0)
}
