//! A service of a compose file that somebody else wrote, as Compose itself reads it (`config --format json`): what of
//! it a manifest can say, and what it can't.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use thiserror::Error;

use crate::model::adoption::{AdoptedLine, Fate};
use crate::model::compose::{Compose, Network, Port, Volume};
use crate::model::duration::Span;
use crate::model::image::ImageName;
use crate::model::service::{Ready, Restart, RestartWhen, Service, Stdin, StopSignal};
use crate::model::shown::HIDDEN;
use crate::model::size::Size;
use crate::model::token::{literal, literal_variable};
use crate::model::variable::VariableName;
use crate::platform::adoption::Draft;

mod changes;
mod secrets;

/// Why no service is read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// It is not what Compose prints.
    #[error("what Compose says of `{file}` can't be read: {reason}")]
    Form {
        /// The file.
        file: Utf8PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It is built, or its image can't be read.
    #[error("`{service}` runs no image that can be named: {reason}")]
    NoImage {
        /// The service.
        service: String,
        /// Why not.
        reason: String,
    },
    /// There is none of that name, or several to choose from.
    #[error("name one of the services of `{file}`: {}", names.join(", "))]
    Which {
        /// The file.
        file: Utf8PathBuf,
        /// Their names.
        names: Vec<String>,
    },
}

/// A service that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The project that it is of.
    pub project: String,
    /// Its name there.
    pub service: String,
    /// What a manifest says of its program.
    pub draft: Draft,
    /// What a manifest says of its container.
    pub compose: Compose,
}

/// What Compose says of a file, and who may read it.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Its answer with all variables replaced.
    pub config: &'a str,
    /// Its answer with none replaced.
    pub plain: &'a str,
    /// Whether everybody may read the file.
    pub is_open: bool,
    /// Whether everybody may read the file of variables beside it, if there is one.
    pub are_variables_open: bool,
}

/// Reads one service. `text` is what stands in the file, for the places in it.
pub fn read(said: &Said<'_>, wanted: Option<&str>, file: &Utf8Path, text: &str) -> Result<Read, ReadError> {
    let form = |reason: String| ReadError::Form { file: file.to_owned(), reason };
    let [config, plain] = [said.config, said.plain]
        .map(|answer| serde_json::from_str::<Value>(answer).map_err(|error| form(error.to_string())));
    let (config, plain) = (config?, plain?);
    let services = config["services"].as_object().ok_or_else(|| form("it has no services".to_owned()))?;
    let which = || ReadError::Which { file: file.to_owned(), names: services.keys().cloned().collect() };
    let service = match (wanted, services.keys().next()) {
        (Some(wanted), _) => wanted.to_owned(),
        (None, Some(only)) if services.len() == 1 => only.clone(),
        _ => return Err(which()),
    };
    let settings = services.get(&service).and_then(Value::as_object).ok_or_else(which)?;
    let image = single(settings.get("image").and_then(Value::as_str).unwrap_or_default());
    let image = ImageName::new(image)
        .map_err(|error| ReadError::NoImage { service: service.clone(), reason: error.to_string() })?;
    let compose = Compose {
        image,
        engine: None,
        container_name: None,
        network: Network::default(),
        ports: Vec::new(),
        volumes: Vec::new(),
        user: None,
        entrypoint: None,
    };
    let program = Service::default();
    let mut reading = Reading { file, text, config: &config, service: program, compose, lines: Vec::new() };
    let plain = &plain["services"][&service];
    for (key, value) in settings.iter().filter(|(_, value)| !value.is_null() && *value != &Value::Bool(false))
    {
        if secrets::are_in(key, &plain[key], said) {
            reading.refuse(
                key,
                HIDDEN,
                "a variable that may be secret would stand in the manifest, which others can read: let the program read it \
                 from its environment",
            );
        } else {
            reading.setting(key, value);
        }
    }
    let private = secrets::private(&reading.service.environment, &plain["environment"], said);
    if !plain["env_file"].is_null() && settings.get("env_file").is_none_or(Value::is_null) {
        let line = reading.line("env_file", &told(&plain["env_file"])).carried("service.environmentFile");
        reading.lines.push(line.noting("what it says now: later changes of it are not read"));
    }
    for other in services.keys().filter(|other| **other != service) {
        reading.refuse(
            other,
            "a service",
            "it would be left in a file that is put away: give each service a file of its own first",
        );
    }
    if reading.service.restart.when.is_none() {
        reading.service.boot = Some(false);
    }
    let Reading { service: program, compose, lines, .. } = reading;
    Ok(Read {
        project: config["name"].as_str().unwrap_or_default().to_owned(),
        service,
        draft: Draft { service: program, lines, private, ..Draft::default() },
        compose,
    })
}

struct Reading<'a> {
    file: &'a Utf8Path,
    text: &'a str,
    config: &'a Value,
    service: Service,
    compose: Compose,
    lines: Vec<AdoptedLine>,
}

impl Reading<'_> {
    fn line(&self, key: &str, value: &str) -> AdoptedLine {
        let begins =
            |line: &&str| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.starts_with(':'));
        let place = self.text.lines().position(|line| begins(&line)).map_or(0, |place| place + 1);
        let (file, key, value) = (self.file.to_owned(), key.to_owned(), value.to_owned());
        AdoptedLine { file, line: place, key, value, fate: Fate::Same, field: None, note: None }
    }

    fn carry(&mut self, key: &str, value: &str, field: &str) {
        let line = self.line(key, value).carried(field);
        self.lines.push(line);
    }

    fn refuse(&mut self, key: &str, value: &str, why: &str) {
        let line = self.line(key, value).refused(why);
        self.lines.push(line);
    }

    fn note(&mut self, key: &str, note: &str) {
        for line in self.lines.iter_mut().filter(|line| line.key == key && line.fate == Fate::Carried) {
            line.note = Some(note.to_owned());
        }
    }

    fn setting(&mut self, key: &str, value: &Value) {
        let shown = told(value);
        let outcome = match key {
            "image" => Ok("compose.image"),
            "container_name" => {
                self.compose.container_name = value.as_str().map(single);
                Ok("compose.containerName")
            }
            "command" => {
                self.service.command = Some(list(value)).filter(|list| !list.is_empty());
                Ok("service.command")
            }
            "entrypoint" => {
                self.compose.entrypoint = Some(list(value)).filter(|list| !list.is_empty());
                Ok("compose.entrypoint")
            }
            "user" => {
                self.compose.user = value.as_str().map(single);
                Ok("compose.user")
            }
            "working_dir" => {
                self.service.working_directory = value.as_str().map(|text| literal(&single(text)));
                Ok("service.workingDirectory")
            }
            "stdin_open" => {
                self.service.stdin = Some(Stdin::Open);
                Ok("service.stdin")
            }
            "environment" => self.environment(value).map(|()| "service.environment"),
            "network_mode" if value == "host" => {
                self.compose.network = Network::Host;
                Ok("compose.network")
            }
            "networks" => self.networks(value).map(|()| "compose.network"),
            "ports" => each(value, port).map(|ports| self.compose.ports = ports).map(|()| "compose.ports"),
            "volumes" => {
                let config = self.config;
                each(value, |volume| self::volume(volume, config))
                    .map(|volumes| self.compose.volumes = volumes)
                    .map(|()| "compose.volumes")
            }
            "restart" => self.restart(value).map(|()| "service.restart.when"),
            "stop_signal" => self.stop_signal(value).map(|()| "service.stop.signal"),
            "stop_grace_period" => span(value)
                .map(|span| self.service.stop.timeout = Some(span))
                .map(|()| "service.stop.timeout"),
            "healthcheck" => self.health(value).map(|()| "service.ready.command"),
            "mem_limit" => number(value)
                .map(|bytes| self.service.limits.memory = Some(Size::new(bytes)))
                .map(|()| "service.limits.memory"),
            "pids_limit" => number(value)
                .map(|count| self.service.limits.processes = Some(count))
                .map(|()| "service.limits.processes"),
            "ulimits" => match (value.as_object().map(serde_json::Map::len), value["nofile"].as_u64()) {
                (Some(1), Some(files)) => {
                    self.service.limits.open_files = Some(files);
                    Ok("service.limits.openFiles")
                }
                _ => Err("a manifest has words for `nofile` alone, as one number".to_owned()),
            },
            _ => Err("a manifest has no words for it".to_owned()),
        };
        match outcome {
            Ok(field) => {
                self.carry(key, &shown, field);
                if let Some(note) = changes::of(key, value) {
                    self.note(key, &note);
                }
            }
            Err(why) => self.refuse(key, &shown, &why),
        }
    }

    fn environment(&mut self, value: &Value) -> Result<(), String> {
        let mut variables = BTreeMap::new();
        for (name, value) in value.as_object().into_iter().flatten() {
            let name = VariableName::try_from(name.clone()).map_err(|error| error.to_string())?;
            let Some(value) = value.as_str() else {
                return Err(format!("`{}` is whatever the shell has that starts it", name.as_str()));
            };
            variables.insert(name, literal_variable(&single(value)));
        }
        self.service.environment = variables;
        Ok(())
    }

    fn networks(&mut self, value: &Value) -> Result<(), String> {
        let own = |(name, settings): (&String, &Value)| name == "default" && settings.is_null();
        let default = &self.config["networks"]["default"];
        let usual = default.as_object().is_some_and(|default| {
            default.iter().all(|(key, value)| {
                key == "name" || key == "ipam" && value.as_object().is_none_or(serde_json::Map::is_empty)
            })
        });
        if usual && value.as_object().is_some_and(|all| all.iter().all(own)) {
            Ok(())
        } else {
            Err("a container of mainstay's is in the host's network, or in one of its own".to_owned())
        }
    }

    fn restart(&mut self, value: &Value) -> Result<(), String> {
        match value.as_str() {
            Some("always" | "unless-stopped") => {
                self.service.restart = Restart { when: Some(RestartWhen::Always), ..Restart::default() };
                Ok(())
            }
            Some("on-failure") => {
                self.service.restart = Restart { when: Some(RestartWhen::OnFailure), ..Restart::default() };
                self.service.boot = Some(false);
                Ok(())
            }
            _ => Err("a program that ends is started again: `always`, or `on-failure`".to_owned()),
        }
    }

    fn stop_signal(&mut self, value: &Value) -> Result<(), String> {
        let text = value.as_str().unwrap_or_default();
        let named = if text.starts_with("SIG") { text.to_owned() } else { format!("SIG{text}") };
        let signal: StopSignal = serde_json::from_value(Value::String(named))
            .map_err(|_| "`service.stop.signal` knows no such signal".to_owned())?;
        self.service.stop.signal = Some(signal);
        Ok(())
    }

    /// How often it is asked, and how long, is mainstay's then.
    fn health(&mut self, value: &Value) -> Result<(), String> {
        let test = list(&value["test"]);
        let words: Vec<String> = test.iter().skip(1).cloned().collect();
        let command = match (test.first().map(String::as_str), words.is_empty()) {
            (Some("CMD"), false) => words,
            (Some("CMD-SHELL"), false) => {
                ["/bin/sh".to_owned(), "-c".to_owned()].into_iter().chain(words).collect()
            }
            _ => return Err("it asks nothing".to_owned()),
        };
        self.service.ready = Some(Ready { command: Some(command), ..Ready::default() });
        Ok(())
    }
}

/// A text as it is meant: Compose doubles each `$` of what it prints.
fn single(text: &str) -> String {
    text.replace("$$", "$")
}

fn list(value: &Value) -> Vec<String> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(Value::as_str).map(|text| literal(&single(text))).collect()
}

fn each<T>(value: &Value, read: impl Fn(&Value) -> Result<T, String>) -> Result<Vec<T>, String> {
    value.as_array().into_iter().flatten().map(read).collect()
}

fn port(value: &Value) -> Result<Port, String> {
    let published = value["published"].as_str().ok_or("the host's port has to be said")?;
    let target = value["target"].as_u64().ok_or("the container's port has to be said")?;
    let protocol = value["protocol"].as_str().unwrap_or("tcp");
    let address = match value["host_ip"].as_str() {
        Some(address) if address.contains(':') => format!("[{address}]:"),
        Some(address) => format!("{address}:"),
        None => String::new(),
    };
    Port::try_from(format!("{address}{published}:{target}/{protocol}")).map_err(|error| error.to_string())
}

fn volume(value: &Value, config: &Value) -> Result<Volume, String> {
    let text = |key: &str| value[key].as_str().map(|text| literal(&single(text)));
    let target = text("target").ok_or("it says no place in the container")?;
    let read_only = value["read_only"] == true;
    let plain = ["bind", "volume"].iter().all(|kind| {
        value[*kind].as_object().is_none_or(|settings| settings.keys().all(|key| key == "create_host_path"))
    });
    match value["type"].as_str() {
        _ if !plain => Err("its further settings have no words in a manifest".to_owned()),
        Some("bind") => {
            let source = text("source").ok_or("it says no folder")?;
            Ok(Volume { source, target, read_only, external: false })
        }
        // It is another project's from now on, so it is called by its whole name, and never removed.
        Some("volume") => {
            let key = value["source"].as_str().ok_or("a volume without a name would be lost")?;
            let source = config["volumes"][key]["name"].as_str().unwrap_or(key).to_owned();
            Ok(Volume { source, target, read_only, external: true })
        }
        _ => Err("a manifest has words for folders and volumes alone".to_owned()),
    }
}

/// A duration as Compose prints it: `1m30s`.
fn span(value: &Value) -> Result<Span, String> {
    let text = value.as_str().unwrap_or_default();
    // It writes units of nothing out: `1m0s`.
    Span::try_from(text.to_owned()).map_err(|error| error.to_string())
}

fn number(value: &Value) -> Result<u64, String> {
    let read = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    read.ok_or_else(|| "it is no number".to_owned())
}

fn told(value: &Value) -> String {
    match value {
        Value::String(text) => single(text),
        // Their values may be secret.
        Value::Object(members) => members.keys().cloned().collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
