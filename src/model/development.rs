//! Services for development as they run beside an instance: their containers, resolved, and the record of them.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::model::compose::{EngineKind, Network};
use crate::model::digest::Digest;
use crate::model::duration::Span;
use crate::model::marker::Marker;
use crate::model::name::{ComponentName, InstanceName};
use crate::model::package::{DevelopmentPort, DevelopmentService};
use crate::model::token::replace;
use crate::model::variable::VariableName;

pub mod lines;

/// The format of the record that this build writes.
pub const FORMAT: u32 = 1;
/// The token for the secret that is made for a service.
pub const GENERATED: &str = "generated";
/// The token for the port of this host.
pub const PORT: &str = "port";

/// How long a service may take until it answers, where nobody says otherwise.
const PATIENCE: Span = Span::seconds(60);

/// The container of a service for development. What is secret stands in a file that it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DevelopmentContainer {
    /// The service, as its package calls it.
    pub service: ComponentName,
    /// In whose engine it is.
    pub engine: EngineKind,
    /// Its name there.
    pub container: String,
    /// The image.
    pub image: String,
    /// The port of this host, on its loopback address, and the one inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<DevelopmentPort>,
    /// Which network it is in.
    #[serde(default)]
    pub network: Network,
    /// What it keeps: the name of a volume, and the folder in the container.
    #[serde(default)]
    pub volumes: BTreeMap<String, String>,
    /// What the image is started with; empty: its own.
    #[serde(default)]
    pub command: Vec<String>,
    /// Its own variables, with the secret's token in them.
    #[serde(default)]
    pub environment: BTreeMap<VariableName, String>,
    /// The file with these variables, mode 0600.
    pub file: Utf8PathBuf,
    /// The variables that the package's program gets, with the secret's token in them.
    #[serde(default)]
    pub gives: BTreeMap<VariableName, String>,
    /// What it is waited for.
    pub ready: DevelopmentReady,
    /// How long that may take.
    pub within: Span,
}

/// When a service for development counts as ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DevelopmentReady {
    /// It runs.
    Runs,
    /// A host and port takes a connection, and keeps it.
    Tcp(String),
    /// An address answers well.
    Http(String),
    /// A command in the container ends with 0.
    Command(Vec<String>),
}

impl DevelopmentContainer {
    /// The container of a service that a package describes, for an instance. `file` is the file of its variables.
    #[must_use]
    pub fn of(
        instance: &InstanceName,
        (name, service): (&ComponentName, &DevelopmentService),
        engine: EngineKind,
        file: Utf8PathBuf,
    ) -> Self {
        let port = service.port.map(|port| port.host.to_string());
        let ported = |text: &String| replace(text, |token| port.clone().filter(|_| token == PORT));
        let all = |variables: &BTreeMap<VariableName, String>| {
            variables.iter().map(|(name, value)| (name.clone(), ported(value))).collect()
        };
        let container = format!("{instance}-dev-{name}");
        let wait = service.wait.clone().unwrap_or_default();
        let ready = match (wait.tcp, wait.http, wait.command, service.port) {
            (Some(address), ..) => DevelopmentReady::Tcp(address),
            (_, Some(address), ..) => DevelopmentReady::Http(ported(&address)),
            (_, _, Some(command), _) => DevelopmentReady::Command(command.iter().map(ported).collect()),
            (.., Some(port)) => DevelopmentReady::Tcp(format!("127.0.0.1:{}", port.host)),
            _ => DevelopmentReady::Runs,
        };
        let volume =
            |(name, target): (&ComponentName, &String)| (format!("{container}-{name}"), target.clone());
        Self {
            service: name.clone(),
            engine,
            image: service.image.clone(),
            port: service.port,
            network: service.network,
            volumes: service.volumes.iter().map(volume).collect(),
            command: service.command.iter().map(ported).collect(),
            environment: all(&service.environment),
            file,
            gives: all(&service.variables),
            ready,
            within: wait.timeout.unwrap_or(PATIENCE),
            container,
        }
    }

    /// Whether it needs a secret of its own.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        let has = |text: &String| crate::model::token::words(text).contains(&GENERATED);
        self.environment.values().chain(self.gives.values()).any(has)
    }

    /// The text of the file of its variables, as container engines read it: a line to the end is the value.
    #[must_use]
    pub fn variables(&self, secret: &str) -> String {
        let line = |(name, value): (&VariableName, &String)| format!("{name}={}\n", filled(value, secret));
        self.environment.iter().map(line).collect()
    }

    /// What the package's program gets.
    #[must_use]
    pub fn given(&self, secret: &str) -> Vec<(VariableName, String)> {
        self.gives.iter().map(|(name, value)| (name.clone(), filled(value, secret))).collect()
    }

    /// A short word that tells it from one that has to be made otherwise. What it gives, and how it is waited for, does
    /// not count.
    #[must_use]
    pub fn identity(&self) -> String {
        let made = Self {
            gives: BTreeMap::new(),
            ready: DevelopmentReady::Runs,
            within: PATIENCE,
            file: Utf8PathBuf::new(),
            ..self.clone()
        };
        Digest::of(serde_json::to_string(&made).unwrap_or_default().as_bytes()).short()
    }

    /// Where it is reached, if it is.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        self.port.map(|port| format!("127.0.0.1:{}", port.host))
    }
}

fn filled(text: &str, secret: &str) -> String {
    replace(text, |token| (token == GENERATED).then(|| secret.to_owned()))
}

/// The services for development of an instance. It is written down before they are made, and not in the instance's own
/// folders, which a purge removes before them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DevelopmentRecord {
    /// The format of this file.
    pub format: u32,
    /// The instance.
    pub of: Marker,
    /// The environment file that names them to the program, absolute.
    pub environment_file: Utf8PathBuf,
    /// Their containers.
    pub containers: Vec<DevelopmentContainer>,
    /// What a package before described and this one does not: containers that run no more, and volumes, which stay until a
    /// purge for what they hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<DevelopmentContainer>,
}

impl DevelopmentRecord {
    /// Its text. It holds only strings and numbers, which JSON can always express.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// All that there may be of it, also what is wanted no more.
    pub fn all(&self) -> impl Iterator<Item = &DevelopmentContainer> {
        self.containers.iter().chain(&self.left)
    }

    /// What will be left of it under a record whose services are these. Of a service that is still there, those are the
    /// volumes that it has no more.
    #[must_use]
    pub fn left_by(&self, containers: &[DevelopmentContainer]) -> Vec<DevelopmentContainer> {
        let without = |old: &DevelopmentContainer| {
            let Some(new) = containers.iter().find(|new| new.service == old.service) else {
                return Some(old.clone());
            };
            let mut old = old.clone();
            old.volumes.retain(|volume, _| !new.volumes.contains_key(volume));
            (!old.volumes.is_empty()).then_some(old)
        };
        self.all().filter_map(without).collect()
    }

    /// The container of a service.
    #[must_use]
    pub fn container(&self, service: &ComponentName) -> Option<&DevelopmentContainer> {
        self.containers.iter().find(|container| container.service == *service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::manifest::{PlatformKind, Scope};

    fn service(text: &str) -> DevelopmentService {
        serde_json::from_str(text).unwrap()
    }

    fn made(text: &str) -> DevelopmentContainer {
        let name = "postgres".parse().unwrap();
        let instance = InstanceName::new("e2e").unwrap();
        DevelopmentContainer::of(
            &instance,
            (&name, &service(text)),
            EngineKind::Podman,
            "/s/postgres.env".into(),
        )
    }

    #[test]
    fn a_service_becomes_a_container_with_the_instances_name() {
        let container = made(
            r#"{ "image": "postgres:18", "port": { "host": 15432, "inside": 5432 }, "volumes": { "data": "/var/lib/postgresql" },
                "environment": { "POSTGRES_PASSWORD": "{generated}" }, "command": ["-p", "{port}"],
                "variables": { "URL": "postgres://{{port}}:{generated}@127.0.0.1:{port}/app" } }"#,
        );
        assert_eq!(container.container, "e2e-dev-postgres");
        assert_eq!(container.volumes["e2e-dev-postgres-data"], "/var/lib/postgresql");
        assert_eq!(container.command, ["-p", "15432"]);
        assert_eq!(container.ready, DevelopmentReady::Tcp("127.0.0.1:15432".to_owned()));
        let asked = |wait: &str| {
            made(&format!(r#"{{ "image": "a", "port": {{ "host": 15432, "inside": 1 }}, "wait": {wait} }}"#))
                .ready
        };
        let health = "http://127.0.0.1:15432/health".to_owned();
        assert_eq!(asked(r#"{ "http": "http://127.0.0.1:{port}/health" }"#), DevelopmentReady::Http(health));
        assert_eq!(container.variables("s3"), "POSTGRES_PASSWORD=s3\n");
        assert_eq!(container.given("s3")[0].1, "postgres://{port}:s3@127.0.0.1:15432/app");
        assert!(container.is_secret());
        let text = serde_json::to_string(&container).unwrap();
        assert!(
            !text.contains("s3") && serde_json::from_str::<DevelopmentContainer>(&text).unwrap() == container
        );
    }

    #[test]
    fn only_what_makes_it_another_container_tells_it_from_another() {
        let plain = made(r#"{ "image": "a" }"#);
        assert_eq!(plain.ready, DevelopmentReady::Runs);
        assert!(!plain.is_secret() && plain.address().is_none());
        let same = [
            r#"{ "image": "a", "variables": { "X": "1" } }"#,
            r#"{ "image": "a", "wait": { "timeout": "2m" } }"#,
        ];
        assert!(same.iter().all(|text| made(text).identity() == plain.identity()));
        let others = [
            r#"{ "image": "b" }"#,
            r#"{ "image": "a", "environment": { "X": "1" } }"#,
            r#"{ "image": "a", "port": { "host": 1, "inside": 2 } }"#,
            r#"{ "image": "a", "network": "host" }"#,
        ];
        assert!(others.iter().all(|text| made(text).identity() != plain.identity()));
    }

    #[test]
    fn what_a_package_describes_no_more_is_left_until_a_purge() {
        let old = made(r#"{ "image": "postgres:16", "volumes": { "data": "/d", "more": "/m" } }"#);
        let record = DevelopmentRecord {
            format: FORMAT,
            of: Marker {
                name: "e2e".parse().unwrap(),
                component: "notes".parse().unwrap(),
                platform: PlatformKind::Embedded,
                scope: Scope::User,
                folder: "/srv".into(),
            },
            environment_file: "/srv/e2e.env".into(),
            containers: vec![old.clone()],
            left: Vec::new(),
        };
        assert_eq!(record.left_by(&[]), [old]);
        let new = made(r#"{ "image": "postgres:17", "volumes": { "data": "/d" } }"#);
        let left = record.left_by(std::slice::from_ref(&new));
        assert_eq!(left.len(), 1);
        assert!(left[0].volumes.keys().all(|volume| volume.ends_with("-more")), "{left:?}");
        let next = DevelopmentRecord { containers: vec![new.clone()], left, ..record };
        assert_eq!(next.left_by(std::slice::from_ref(&new)).len(), 1, "it is not forgotten");
        assert_eq!(next.all().count(), 2);
    }
}
