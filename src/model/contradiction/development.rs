//! What a package's services for development may say, each alone and all together.

use std::collections::BTreeMap;

use crate::model::compose::{Network, check_target};
use crate::model::contradiction::{Check, NOTHING};
use crate::model::development::{GENERATED, PORT};
use crate::model::image::ImageName;
use crate::model::package::{DevelopmentService, DevelopmentWait, PackageDescription};
use crate::model::position::Segment;
use crate::model::token::words;

impl Check<'_> {
    pub(super) fn development(&mut self, description: &PackageDescription) {
        let mut ports = BTreeMap::new();
        let mut given = BTreeMap::new();
        for (name, service) in &description.development {
            let place: [Segment; 2] = ["development".into(), name.as_str().into()];
            let place = Place(&place);
            self.development_service(service, &place);
            if let Some(port) = service.port
                && let Some(other) = ports.insert(port.host, name)
            {
                let message = format!("`{}` is the port of `{other}` already", port.host);
                self.at(&place.to(&["port", "host"]), message);
            }
            for variable in service.variables.keys() {
                if let Some(other) = given.insert(variable, name) {
                    let message = format!("`{other}` gives `{variable}` already");
                    self.at(&place.to(&["variables", variable.as_str()]), message);
                }
            }
        }
    }

    fn development_service(&mut self, service: &DevelopmentService, place: &Place<'_>) {
        if let Err(error) = ImageName::new(service.image.as_str()) {
            self.at(&place.to(&["image"]), error.to_string());
        }
        let needs_port = |check: &mut Self, text: &str, path: &[Segment]| {
            if service.port.is_none() && words(text).contains(&PORT) {
                check.at(path, "`{port}` has no meaning without `port`");
            }
        };
        for (field, variables) in [("environment", &service.environment), ("variables", &service.variables)] {
            for (name, value) in variables {
                let path = place.to(&[field, name.as_str()]);
                needs_port(self, value, &path);
                if value.contains(char::is_control) {
                    self.at(&path, "a value is one line, without control characters");
                }
            }
        }
        for (index, word) in service.command.iter().enumerate() {
            let mut path = place.to(&["command"]);
            path.push(index.into());
            needs_port(self, word, &path);
            if words(word).contains(&GENERATED) {
                self.at(
                    &path,
                    "a secret on a command line is there for all to read: hand it over by `environment`",
                );
            }
        }
        for (name, target) in &service.volumes {
            if let Err(reason) = check_target(target) {
                self.at(&place.to(&["volumes", name.as_str()]), reason);
            }
        }
        if let Some(port) = service.port.filter(|port| port.host != port.inside)
            && service.network == Network::Host
        {
            let message = format!(
                "in the host's network nothing leads from {} to {}: let it listen on `port.host` itself, and write the same here",
                port.host, port.inside
            );
            self.at(&place.to(&["port", "inside"]), message);
        }
        if let Some(wait) = &service.wait {
            self.development_wait(wait, place);
            if let Some(http) = &wait.http {
                needs_port(self, http, &place.to(&["wait", "http"]));
            }
        }
    }

    fn development_wait(&mut self, wait: &DevelopmentWait, place: &Place<'_>) {
        let ways =
            [("tcp", wait.tcp.is_some()), ("http", wait.http.is_some()), ("command", wait.command.is_some())];
        let mut ways = ways.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name);
        if let Some(first) = ways.next() {
            for other in ways {
                let message = format!("`{other}` stands beside `{first}`: wait for one of them");
                self.at(&place.to(&["wait", other]), message);
            }
        }
        if wait
            .command
            .as_ref()
            .is_some_and(|command| command.iter().any(|word| words(word).contains(&GENERATED)))
        {
            self.at(
                &place.to(&["wait", "command"]),
                "`{generated}` has no meaning here: a command line is there for all to read",
            );
        }
        if wait.timeout == Some(NOTHING) {
            self.at(&place.to(&["wait", "timeout"]), "`0s` is too short: it must be longer than nothing");
        }
    }
}

/// Where a service stands in the description.
struct Place<'a>(&'a [Segment]);

impl Place<'_> {
    fn to(&self, names: &[&str]) -> Vec<Segment> {
        self.0.iter().cloned().chain(names.iter().map(|name| Segment::from(*name))).collect()
    }
}
