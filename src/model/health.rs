//! Liveness: how a program that is ready shows that it still works.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::address::{HTTP_PATTERN, TCP_PATTERN};
use crate::model::duration::Span;
use crate::model::rule::Below;

/// What a schema says of the place of a field: a JSON pointer (RFC 6901).
pub const POINTER_PATTERN: &str = "^/";

/// How a program that is ready shows that it still works: exactly one of the probes. A program that fails it so many
/// times in a row is ended and started again, by the restart policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = Below("service.health"))]
pub struct Health {
    /// An address that answers. `{env.NAME}` stands for a variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = HTTP_PATTERN), extend("examples" = ["http://127.0.0.1:{env.PORT}/health"]))]
    pub http: Option<String>,
    /// The status that the address answers with. Default: any from 200 to 299.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 599), extend("examples" = [200]))]
    pub status: Option<u16>,
    /// Fields that the JSON answer holds, by JSON pointer, with their texts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("default" = {}, "examples" = [{ "/status": "ok" }]))]
    pub body: BTreeMap<String, String>,
    /// A host and port that takes a connection, as in `127.0.0.1:5432`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = TCP_PATTERN), extend("examples" = ["127.0.0.1:5432"]))]
    pub tcp: Option<String>,
    /// A command that exits with 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = [["{package}/bin/orchestrator", "check"]]))]
    pub command: Option<Vec<String>>,
    /// The program says `WATCHDOG=1` itself (`sd_notify`), at least once per `every`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false, "examples" = [true]))]
    pub notify: Option<bool>,
    /// The time from one question to the next. Default: 10s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "10s", "examples" = ["1m"]))]
    pub every: Option<Span>,
    /// How long an answer may take. Default: 3s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "3s", "examples" = ["10s"]))]
    pub timeout: Option<Span>,
    /// How many failures in a row are too many. Default: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000), extend("default" = 3, "examples" = [5]))]
    pub failures: Option<u32>,
}

/// How a program shows that it still works, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HealthPolicy {
    /// What is asked.
    pub probe: HealthProbe,
    /// The time from one question to the next; with `notify`, the longest silence.
    pub every: Span,
    /// How long an answer may take.
    pub timeout: Span,
    /// How many failures in a row are too many.
    pub failures: u32,
}

/// One way to ask a program whether it still works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum HealthProbe {
    /// The address answers with this status (any good one), and with these fields. May hold `{env.NAME}`.
    Http {
        /// The address.
        address: String,
        /// The status; any from 200 to 299 if none is given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Texts of fields, by JSON pointer.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        body: BTreeMap<String, String>,
    },
    /// The host and port takes a connection. May hold `{env.NAME}`.
    Tcp(String),
    /// The command exits with 0, tokens unexpanded.
    Command(Vec<String>),
    /// The program says so itself (`sd_notify`).
    Notify,
}

impl HealthPolicy {
    const USUAL_EVERY: Span = Span::seconds(10);
    const USUAL_TIMEOUT: Span = Span::seconds(3);
    const USUAL_FAILURES: u32 = 3;

    /// The manifest's probe, or the package's where the manifest names none. `None`: neither does.
    #[must_use]
    pub fn resolve(ours: Option<&Health>, theirs: Option<&Health>) -> Option<Self> {
        let probe = ours.and_then(probe).or_else(|| theirs.and_then(probe))?;
        let either = |of: fn(&Health) -> Option<Span>| ours.and_then(of).or_else(|| theirs.and_then(of));
        Some(Self {
            probe,
            every: either(|health| health.every).unwrap_or(Self::USUAL_EVERY),
            timeout: either(|health| health.timeout).unwrap_or(Self::USUAL_TIMEOUT),
            failures: ours
                .and_then(|health| health.failures)
                .or_else(|| theirs.and_then(|health| health.failures))
                .unwrap_or(Self::USUAL_FAILURES),
        })
    }
}

fn probe(health: &Health) -> Option<HealthProbe> {
    if let Some(address) = &health.http {
        let (address, status, body) = (address.clone(), health.status, health.body.clone());
        return Some(HealthProbe::Http { address, status, body });
    }
    let tcp = health.tcp.clone().map(HealthProbe::Tcp);
    tcp.or_else(|| health.command.clone().map(HealthProbe::Command))
        .or_else(|| (health.notify == Some(true)).then_some(HealthProbe::Notify))
}
