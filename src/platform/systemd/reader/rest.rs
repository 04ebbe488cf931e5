//! What a manifest has no field for: it is passed on in systemd's own words, or can't be.

use super::Reader;
use super::lines::Assignment;
use super::quantities::truth;
use crate::model::manifest::Scope;
use crate::model::setting::{self, Section};
use crate::platform::systemd::{escape, extras};

/// Settings of which mainstay's own unit has some too: taking back what was said before would take back those.
const LISTS: [&str; 6] =
    ["ExecStartPre", "ExecStopPost", "ReadWritePaths", "RuntimeDirectory", "After", "Wants"];

/// Whether an assignment in a drop-in would undo what mainstay's own unit says, or says what it alone says.
pub(super) fn is_ours(assignment: &Assignment) -> bool {
    let takes_back = assignment.value.is_empty();
    takes_back || owned(&assignment.section, &assignment.key).is_some()
}

/// Why a setting can't be passed on, if it can't.
fn owned(section: &str, key: &str) -> Option<String> {
    let of = match section {
        "Unit" => Section::Unit,
        "Service" => Section::Service,
        _ => return None,
    };
    let refusal = setting::check_name(of, key).err().map(|error| error.to_string());
    refusal.or_else(|| extras::instead(section, key).map(|instead| format!("mainstay decides it: {instead}")))
}

/// Settings that keep a service from being managed, with their usual value.
const UNMANAGED: [(&str, bool); 2] = [("RefuseManualStart", false), ("RefuseManualStop", false)];

impl Reader<'_> {
    pub(super) fn rest(&mut self) {
        if let Some((place, value)) = self.lines.last("Unit", "Description") {
            match self.source.facts.written_out(&value) {
                Ok(text) => {
                    self.draft.service.description = Some(text);
                    self.lines.carried(place, "service.description");
                }
                Err(unresolved) => {
                    self.lines
                        .refused(place, format!("`%{}` stands for what the host decides", unresolved.0));
                }
            }
        }
        for (key, usual) in UNMANAGED {
            if let Some((place, value)) = self.lines.last("Unit", key) {
                if truth(&value) == Some(usual) {
                    self.lines.same(place, "so it is");
                } else {
                    self.lines.refused(place, "mainstay has to start and stop the service");
                }
            }
        }
        self.install();
        self.output();
        self.address_families();
        self.unsaid();
        for section in ["Unit", "Service"] {
            for (key, places) in self.lines.rest(section) {
                self.others(section, &key, places);
            }
        }
        for section in self.lines.sections() {
            for (_, places) in self.lines.rest(&section) {
                for place in places {
                    self.lines.refused(place, format!("a service has no section `[{section}]`"));
                }
            }
        }
    }

    /// Settings that only say what is so anyway.
    fn unsaid(&mut self) {
        for (key, is_usual) in [
            ("DynamicUser", truth as fn(&str) -> Option<bool>),
            ("RootDirectoryStartOnly", truth),
            ("PermissionsStartOnly", truth),
            ("NonBlocking", truth),
        ] {
            let no = self.lines.peek("Service", key).is_some_and(|value| is_usual(&value) == Some(false));
            if no && let Some((place, _)) = self.lines.last("Service", key) {
                self.lines.same(place, "so it is");
            }
        }
        if let Some((place, value)) = self.lines.last("Service", "SyslogIdentifier") {
            if value == self.facts().stem() || value == "%N" || value == "%p" {
                self.lines.same(place, "it is the instance's name");
            } else {
                self.lines.refused(place, "its lines are kept under the instance's name");
            }
        }
        if let Some((place, value)) = self.lines.last("Service", "StandardInput") {
            if value == "null" {
                self.lines.same(place, "so it is");
            } else {
                self.lines.refused(place, "a program reads nothing, or an open pipe (`service.stdin`)");
            }
        }
        for key in ["PassEnvironment", "UnsetEnvironment"] {
            for place in self.lines.many("Service", key) {
                self.lines
                    .refused(place, "a program has the variables that its manifest names, and no others");
            }
        }
        for place in self.lines.many("Service", "Sockets") {
            self.lines.refused(place, "say `service.sockets` in the manifest afterwards");
        }
    }

    /// Where what the program writes goes. Only the journal is where `logs` looks.
    fn output(&mut self) {
        for key in ["StandardOutput", "StandardError"] {
            let Some((place, value)) = self.lines.last("Service", key) else { continue };
            match value.as_str() {
                "journal" | "inherit" | "syslog" => self.lines.same(place, "the journal has it"),
                _ => self.lines.refused(place, "the journal has it, where `mainstay logs` finds it"),
            }
        }
    }

    /// The supervisor speaks to systemd by a Unix socket.
    fn address_families(&mut self) {
        let places = self.lines.many("Service", "RestrictAddressFamilies");
        let values: Vec<String> = places.iter().map(|place| self.lines.value(*place)).collect();
        let closes = values.first().is_some_and(|first| !first.starts_with('~'))
            && !values.iter().any(|value| value.split_whitespace().any(|word| word == "AF_UNIX"));
        for place in &places {
            self.pass(*place, "Service", "RestrictAddressFamilies");
        }
        if closes && let Some(place) = places.last() {
            self.add("Service", "RestrictAddressFamilies", "AF_UNIX".to_owned());
            self.lines.noting(*place, "with `AF_UNIX`, by which mainstay speaks to systemd");
        }
    }

    fn install(&mut self) {
        let usual = if self.facts().scope == Scope::System { "multi-user.target" } else { "default.target" };
        for place in self.lines.many("Install", "WantedBy") {
            if self.lines.value(place).split_whitespace().all(|word| word == usual) {
                self.lines.same(place, "`service.boot` says whether it starts with the host");
            } else {
                self.lines.refused(place, format!("mainstay starts its services with `{usual}`"));
            }
        }
        for (key, places) in self.lines.rest("Install") {
            for place in places {
                let reason = match key.as_str() {
                    "Alias" => "an instance has one name: units that name this one have to name that",
                    _ => "an instance starts with the host, or not (`service.boot`)",
                };
                self.lines.refused(place, reason);
            }
        }
    }

    /// A setting that is mainstay's own, or is passed on.
    fn others(&mut self, section: &str, key: &str, places: Vec<usize>) {
        for place in places {
            let value = self.lines.value(place);
            if let Some(reason) = owned(section, key) {
                self.lines.refused(place, reason);
            } else if value.is_empty() && LISTS.contains(&key) {
                self.lines.same(place, "it takes back what was said before");
            } else {
                self.pass(place, section, key);
            }
        }
    }

    /// Passes a line on as it is.
    pub(super) fn pass(&mut self, place: usize, section: &str, key: &str) {
        let value = self.lines.value(place);
        if let Some(reason) = owned(section, key) {
            return self.lines.refused(place, reason);
        }
        if let Err(error) = setting::check_value(key, &value) {
            return self.lines.refused(place, error.to_string());
        }
        match escape::verbatim(&value) {
            Ok(value) => {
                self.add(section, key, value);
                let section = section.to_lowercase();
                self.lines.carried(place, format!("systemd.{section}.{key}"));
            }
            Err(error) => self.lines.refused(place, error.to_string()),
        }
    }

    /// Adds a value to what is passed on.
    pub(super) fn add(&mut self, section: &str, key: &str, value: String) {
        let systemd = &mut self.draft.systemd;
        let map = if section == "Unit" { &mut systemd.unit } else { &mut systemd.service };
        map.entry(key.to_owned()).or_default().push(value);
    }
}
