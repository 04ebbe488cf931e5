//! What a manifest's fields can't mean together or can't mean at all: faults that no type refuses.

use std::collections::BTreeMap;

use crate::model::document::Document;
use crate::model::duration::Span;
use crate::model::manifest::{Manifest, PlatformKind, Scope, Systemd};
use crate::model::package::PackageDescription;
use crate::model::position::Segment;
use crate::model::problem::{Problem, Problems};
use crate::model::service::{Ready, Restart, RestartWhen, Service, Stdin, Supervision};
use crate::model::setting::{self, Section};
use crate::model::size::Size;

const NOTHING: Span = Span::seconds(0);
const DAY: Span = Span::seconds(86_400);
const MONTH: Span = Span::seconds(30 * 86_400);
/// How long a program may take to become ready where the manifest doesn't say.
const USUAL_READY_TIMEOUT: Span = Span::seconds(60);

/// Reads a manifest: its form, its fields, and what they mean together.
pub fn read_manifest(name: &str, text: &str) -> Result<(Manifest, Document), Problems> {
    let document = Document::parse(name, text)?;
    let manifest: Manifest = document.read()?;
    refuse_contradictions(&manifest, &document)?;
    Ok((manifest, document))
}

/// Reads a package description: its form, its fields, and what they mean together.
pub fn read_package_description(name: &str, text: &str) -> Result<(PackageDescription, Document), Problems> {
    let document = Document::parse(name, text)?;
    let description: PackageDescription = document.read()?;
    let mut check = Check { document: &document, problems: Vec::new() };
    check.service(&description.service);
    check.view(&description);
    check.host(&description.host);
    check.development(&description);
    check.finish()?;
    Ok((description, document))
}

/// Refuses a manifest that contradicts itself. Where platform and scope were left open, a caller who has
/// decided them asks again, with the decision put into the manifest.
pub fn refuse_contradictions(manifest: &Manifest, document: &Document) -> Result<(), Problems> {
    let mut check = Check { document, problems: Vec::new() };
    check.service(&manifest.service);
    check.upgrade(manifest);
    check.source(manifest);
    check.size(["logs", "maxSize"], manifest.logs.max_size);
    check.settings(Section::Unit, "unit", &manifest.systemd.unit);
    check.settings(Section::Service, "service", &manifest.systemd.service);
    if manifest.scope == Some(Scope::User) {
        check.of_a_user(&manifest.service);
    }
    if let Some(platform) = manifest.platform {
        check.running_on(platform, &manifest.service);
    }
    if manifest.platform == Some(PlatformKind::Embedded) {
        check.embedded(manifest);
    }
    check.finish()
}

struct Check<'a> {
    document: &'a Document,
    problems: Vec<Problem>,
}

impl Check<'_> {
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
            self.schedule(service, schedule);
        }
        self.sockets(service);
        self.program(["service", "onFailure"], service.on_failure.as_deref());
        if let Some(idle) = &service.idle {
            self.idle(service, idle);
        }
        if service.supervision == Some(Supervision::Native) {
            self.native(service);
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
        if restart.when == Some(RestartWhen::Never) {
            let given = [
                ("delays", restart.delays.is_some()),
                ("limit", restart.limit.is_some()),
                ("window", restart.window.is_some()),
            ];
            for (name, _) in given.into_iter().filter(|(_, given)| *given) {
                let message = format!("`{name}` has no meaning where `when` is `never`");
                self.key(["service", "restart", name], message);
            }
        }
    }

    fn ready(&mut self, ready: &Ready) {
        self.span(["service", "ready", "timeout"], ready.timeout, DAY);
        self.program(["service", "ready", "command"], ready.command.as_deref());
        let mut probes = probes(ready);
        probes.sort_by_key(|name| self.document.key_position(&path(["service", "ready", name])));
        if let Some((first, others)) = probes.split_first() {
            for other in others {
                let message =
                    format!("`{other}` stands beside `{first}`: a service becomes ready in one way only");
                self.key(["service", "ready", other], message);
            }
        }
        let timeout = ready.timeout.unwrap_or(USUAL_READY_TIMEOUT);
        if let Some(delay) = ready.delay.filter(|delay| *delay > timeout) {
            let message =
                format!("`{delay}` is longer than the timeout of `{timeout}`: it could never become ready");
            self.value(["service", "ready", "delay"], message);
        }
    }

    /// What a service manager can't do where mainstay's supervisor doesn't stand between.
    fn native(&mut self, service: &Service) {
        for name in service.ready.as_ref().map(probes).unwrap_or_default() {
            if name != "notify" {
                let message = format!(
                    "with `supervision` `native` a program becomes ready by `notify` only, not by `{name}`"
                );
                self.key(["service", "ready", name], message);
            }
        }
        if service.restart.delays.as_ref().is_some_and(|delays| delays.len() > 1) {
            let message =
                "with `supervision` `native` there is one delay: the service manager keeps no list of them";
            self.value(["service", "restart", "delays"], message);
        }
        self.running_natively(service);
        if service.stdin == Some(Stdin::Open) {
            let message =
                "with `supervision` `native` nobody holds the other end of an `open` standard input";
            self.value(["service", "stdin"], message);
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
        self.migration(manifest);
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

    /// A migration changes what the old version has to work with if the new one is taken back.
    fn migration(&mut self, manifest: &Manifest) {
        let upgrade = &manifest.upgrade;
        if upgrade.hooks.migrate.is_none() {
            return;
        }
        let there_is_a_way_back = !upgrade.data.is_empty()
            || upgrade.hooks.migrate_back.is_some()
            || upgrade.migrate_compatible == Some(true);
        if !there_is_a_way_back {
            let message = "a migration needs a way back: a snapshot (`upgrade.data`), a command (`migrateBack`), \
                           or the word that the old version can work with the new data (`upgrade.migrateCompatible`)";
            self.key(["upgrade", "hooks", "migrate"], message.to_owned());
        }
        if manifest.service.overlap == Some(true) {
            let message = "two versions can't run beside each other while data are migrated: `service.overlap` and \
                           `migrate` exclude each other";
            self.key(["upgrade", "hooks", "migrate"], message.to_owned());
        }
    }

    /// What a service that belongs to one user can't be.
    fn of_a_user(&mut self, service: &Service) {
        for (name, given) in [("user", service.user.is_some()), ("group", service.group.is_some())] {
            if given {
                let message =
                    format!("a service of user scope runs as its user: `{name}` belongs to system scope");
                self.value(["service", name], message);
            }
        }
    }

    /// What mainstay's own supervisor can't do without a service manager.
    fn embedded(&mut self, manifest: &Manifest) {
        let limits = &manifest.service.limits;
        if limits.processes.is_some() {
            let message = "`processes` can't be limited on platform `embedded`: a control group is needed, which systemd makes";
            self.key(["service", "limits", "processes"], message.to_owned());
        }
        if manifest.service.supervision == Some(Supervision::Native) {
            let message = "`native` leaves the watch to a service manager, and platform `embedded` has none";
            self.value(["service", "supervision"], message);
        }
        if manifest.systemd != Systemd::default() {
            self.key(["systemd"], "settings of systemd have no meaning on platform `embedded`".to_owned());
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
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(Problems::new(self.document.name(), self.problems))
        }
    }
}

mod package;
mod running;
mod source;

/// The ways of becoming ready that are given.
fn probes(ready: &Ready) -> Vec<&'static str> {
    let given = [
        ("http", ready.http.is_some()),
        ("tcp", ready.tcp.is_some()),
        ("command", ready.command.is_some()),
        ("file", ready.file.is_some()),
        ("delay", ready.delay.is_some()),
        ("notify", ready.notify == Some(true)),
    ];
    given.into_iter().filter_map(|(name, given)| given.then_some(name)).collect()
}

fn path<const DEPTH: usize>(names: [&str; DEPTH]) -> Vec<Segment> {
    names.into_iter().map(Segment::from).collect()
}
