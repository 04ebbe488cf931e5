//! What a manifest's fields can't mean together or can't mean at all: faults that no type refuses.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use serde::de::DeserializeOwned;

use crate::model::document::Document;
use crate::model::duration::Span;
use crate::model::manifest::Manifest;
use crate::model::package::PackageDescription;
use crate::model::position::Segment;
use crate::model::problem::{Problem, Problems};
use crate::model::readiness::Readiness;
use crate::model::rule::broken;
use crate::model::service::{Ready, Restart, Service};
use crate::model::setting::{self, Section};
use crate::model::size::Size;

const NOTHING: Span = Span::seconds(0);
const DAY: Span = Span::seconds(86_400);
const MONTH: Span = Span::seconds(30 * 86_400);

/// Reads a manifest: its form, its fields, and what they mean together.
pub fn read_manifest(name: &str, text: &str) -> Result<(Manifest, Document), Problems> {
    let document = Document::parse(name, text)?;
    let manifest: Manifest = match document.read() {
        Ok(manifest) => manifest,
        Err(problems) => {
            return Err(with_what_else(&document, problems, of_manifest));
        }
    };
    refuse_contradictions(&manifest, &document)?;
    Ok((manifest, document))
}

/// Reads a package description: its form, its fields, and what they mean together.
pub fn read_package_description(name: &str, text: &str) -> Result<(PackageDescription, Document), Problems> {
    let document = Document::parse(name, text)?;
    let description: PackageDescription = match document.read() {
        Ok(description) => description,
        Err(problems) => return Err(with_what_else(&document, problems, of_package)),
    };
    let mut check = Check { document: &document, problems: broken(&document, &document.to_json(), false) };
    of_package(&mut check, &description);
    check.finish()?;
    Ok((description, document))
}

fn of_manifest(check: &mut Check, manifest: &Manifest) {
    check.manifest(manifest);
}

fn of_package(check: &mut Check, description: &PackageDescription) {
    check.service(&description.service);
    check.view(description);
    check.host(&description.host);
    check.development(description);
    check.image(description);
    check.questions(description);
}

/// Adds to the faults of a document's fields what else is wrong with it, as far as that can be told without them.
fn with_what_else<T: DeserializeOwned>(
    document: &Document,
    problems: Problems,
    look: impl Fn(&mut Check, &T),
) -> Problems {
    let mut check = Check { document, problems: broken(document, &document.to_json(), true) };
    if let Some(rest) = document.read_without(&problems.list) {
        look(&mut check, &rest);
    }
    let mut list = problems.list;
    // What is told already is not told again of the same bytes.
    let told: HashSet<Range<usize>> = list.iter().map(|told| told.range.clone()).collect();
    let further = check.problems.into_iter().filter(|new| !told.contains(&new.range));
    list.extend(further);
    document.refused(list)
}

/// Refuses a manifest that contradicts itself. Where platform and scope were left open, a caller who has
/// decided them asks again, with the decision put into the manifest.
pub fn refuse_contradictions(manifest: &Manifest, document: &Document) -> Result<(), Problems> {
    let mut value = document.to_json();
    if let Some(platform) = manifest.platform {
        value["platform"] = platform.as_str().into();
    }
    if let Some(scope) = manifest.scope {
        value["scope"] = scope.as_str().into();
    }
    let mut check = Check { document, problems: broken(document, &value, false) };
    check.manifest(manifest);
    check.finish()
}

struct Check<'a> {
    document: &'a Document,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn manifest(&mut self, manifest: &Manifest) {
        self.service(&manifest.service);
        self.upgrade(manifest);
        self.source(manifest);
        self.size(["logs", "maxSize"], manifest.logs.max_size);
        self.settings(Section::Unit, "unit", &manifest.systemd.unit);
        self.settings(Section::Service, "service", &manifest.systemd.service);
        if let Some(compose) = &manifest.compose {
            self.container(manifest, compose);
        }
    }

    fn service(&mut self, service: &Service) {
        self.program(["service", "command"], service.command.as_deref());
        if service.description.as_ref().is_some_and(|text| text.contains(char::is_control)) {
            self.value(["service", "description"], "a description is one line, without control characters");
        }
        self.restart(&service.restart);
        if let Some(ready) = &service.ready {
            self.ready(ready);
        }
        self.size(["service", "limits", "memory"], service.limits.memory);
        self.stop(service);
        if let Some(health) = &service.health {
            self.health(health);
        }
        if let Some(schedule) = &service.schedule {
            self.schedule(schedule);
        }
        self.sockets(service);
        self.program(["service", "onFailure"], service.on_failure.as_deref());
        if let Some(idle) = &service.idle {
            self.idle(idle);
        }
    }

    fn restart(&mut self, restart: &Restart) {
        for (index, delay) in restart.delays.iter().flatten().enumerate() {
            if *delay > DAY {
                let path = ["service".into(), "restart".into(), "delays".into(), index.into()];
                self.problems
                    .push(self.document.problem(&path, format!("`{delay}` is too long: at most `{DAY}`")));
            }
        }
        self.span(["service", "restart", "window"], restart.window, MONTH);
    }

    fn ready(&mut self, ready: &Ready) {
        self.span(["service", "ready", "timeout"], ready.timeout, DAY);
        self.program(["service", "ready", "command"], ready.command.as_deref());
        let timeout = ready.timeout.unwrap_or(Readiness::USUAL_TIMEOUT);
        if let Some(delay) = ready.delay.filter(|delay| *delay > timeout) {
            let message =
                format!("`{delay}` is longer than the timeout of `{timeout}`: it could never become ready");
            self.value(["service", "ready", "delay"], message);
        }
    }

    fn upgrade(&mut self, manifest: &Manifest) {
        let upgrade = &manifest.upgrade;
        self.span(["upgrade", "gate"], upgrade.gate, DAY);
        self.program(["upgrade", "hooks", "beforeStop"], upgrade.hooks.before_stop.as_deref());
        self.program(["upgrade", "hooks", "migrate"], upgrade.hooks.migrate.as_deref());
        self.program(["upgrade", "hooks", "migrateBack"], upgrade.hooks.migrate_back.as_deref());
        self.program(["upgrade", "hooks", "afterStart"], upgrade.hooks.after_start.as_deref());
        self.span(["upgrade", "hooks", "timeout"], upgrade.hooks.timeout, DAY);
        if let Some(trial) = upgrade.trial.filter(|trial| *trial > MONTH) {
            self.value(["upgrade", "trial"], format!("`{trial}` is too long: at most `{MONTH}`"));
        }
        let delay = manifest.service.ready.as_ref().and_then(|ready| ready.delay);
        if let (Some(gate), Some(delay)) = (upgrade.gate, delay)
            && gate > NOTHING
            && gate < delay
        {
            let message =
                format!("`{gate}` is shorter than `service.ready.delay`: no new version could pass");
            self.value(["upgrade", "gate"], message);
        }
    }

    fn settings(&mut self, section: Section, field: &str, settings: &BTreeMap<String, Vec<String>>) {
        for (name, values) in settings {
            if let Err(error) = setting::check_name(section, name) {
                self.key(["systemd", field, name], error.to_string());
            }
            for (index, value) in values.iter().enumerate() {
                if let Err(error) = setting::check_value(name, value) {
                    let path = ["systemd".into(), field.into(), name.as_str().into(), index.into()];
                    self.problems.push(self.document.problem(&path, error.to_string()));
                }
            }
        }
    }

    fn program<const DEPTH: usize>(&mut self, names: [&str; DEPTH], command: Option<&[String]>) {
        if command.and_then(<[String]>::first).is_some_and(String::is_empty) {
            let mut path = path(names);
            path.push(0.into());
            self.problems.push(self.document.problem(&path, "the name of the program is empty"));
        }
    }

    fn span<const DEPTH: usize>(&mut self, names: [&str; DEPTH], span: Option<Span>, longest: Span) {
        match span {
            Some(NOTHING) => {
                self.value(names, "`0s` is too short: it must be longer than nothing");
            }
            Some(span) if span > longest => {
                self.value(names, format!("`{span}` is too long: at most `{longest}`"));
            }
            _ => {}
        }
    }

    fn size<const DEPTH: usize>(&mut self, names: [&str; DEPTH], size: Option<Size>) {
        if size == Some(Size::new(0)) {
            self.value(names, "`0B` is too small: nothing fits into it");
        }
    }

    fn value<const DEPTH: usize>(&mut self, names: [&str; DEPTH], message: impl Into<String>) {
        self.problems.push(self.document.problem(&path(names), message));
    }

    fn key<const DEPTH: usize>(&mut self, names: [&str; DEPTH], message: String) {
        self.problems.push(self.document.key_problem(&path(names), message));
    }

    fn finish(self) -> Result<(), Problems> {
        if self.problems.is_empty() { Ok(()) } else { Err(self.document.refused(self.problems)) }
    }
}

mod compose;
mod development;
mod package;
mod questions;
mod running;
mod source;

fn path<const DEPTH: usize>(names: [&str; DEPTH]) -> Vec<Segment> {
    names.into_iter().map(Segment::from).collect()
}
