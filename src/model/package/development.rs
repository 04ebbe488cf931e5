//! Services that a package wants beside it while somebody develops: a database, a queue.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::address::{DEVELOPMENT_HTTP_PATTERN, TCP_PATTERN};
use crate::model::compose::Network;
use crate::model::duration::Span;
use crate::model::manifest::is_default;
use crate::model::name::ComponentName;
use crate::model::variable::VariableName;

/// One service for development, run from an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DevelopmentService {
    /// The image.
    #[schemars(length(min = 1), extend("examples" = ["docker.io/library/postgres:18-trixie"]))]
    pub image: String,
    /// The port of this host, and the one inside. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{ "host": 15432, "inside": 5432 }]))]
    pub port: Option<DevelopmentPort>,
    /// Variables of the service itself; `{generated}` is a secret that is made for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("default" = {}, "examples" = [{ "POSTGRES_PASSWORD": "{generated}" }]))]
    pub environment: BTreeMap<VariableName, String>,
    /// Variables that the package's program gets; `{port}` is the port of this host, `{generated}` the secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("default" = {}, "examples" = [{ "DATABASE_URL": "postgres://postgres:{generated}@127.0.0.1:{port}/postgres" }]))]
    pub variables: BTreeMap<VariableName, String>,
    /// What the image is started with, in place of its own arguments; `{port}` is the port of this host. Default: the image's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = [], "examples" = [["postgres", "-c", "fsync=off"]]))]
    pub command: Vec<String>,
    /// What it keeps: the name of a volume, and the folder in the container. Default: nothing but what the image itself keeps.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("default" = {}, "examples" = [{ "data": "/var/lib/postgresql" }]))]
    pub volumes: BTreeMap<ComponentName, String>,
    /// Which network it is in: one of its own of which `port` is published on the loopback address, or the host's, where it has to listen on `port.host` itself. Default: bridge.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = "bridge", "examples" = ["host"]))]
    pub network: Network,
    /// What it is waited for. Default: until its port takes a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = {}, "examples" = [{ "tcp": "127.0.0.1:15432", "timeout": "1m" }]))]
    pub wait: Option<DevelopmentWait>,
}

/// A port of this host that leads to one inside a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DevelopmentPort {
    /// The port of this host, on its loopback address.
    #[schemars(range(min = 1, max = 65535), extend("examples" = [15432]))]
    pub host: u16,
    /// The port inside the container.
    #[schemars(range(min = 1, max = 65535), extend("examples" = [5432]))]
    pub inside: u16,
}

/// When a service for development counts as ready.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DevelopmentWait {
    /// A host and port that takes a connection. Default: its `port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = TCP_PATTERN), extend("examples" = ["127.0.0.1:15432"]))]
    pub tcp: Option<String>,
    /// An address of this host that answers with a status from 200 to 299; `{port}` is the port of this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = DEVELOPMENT_HTTP_PATTERN), extend("examples" = ["http://127.0.0.1:{port}/health"]))]
    pub http: Option<String>,
    /// A command inside the container that exits with 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = [["pg_isready", "-h", "127.0.0.1", "-U", "postgres"]]))]
    pub command: Option<Vec<String>>,
    /// How long it may take. Default: 60s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "60s", "examples" = ["2m"]))]
    pub timeout: Option<Span>,
}
