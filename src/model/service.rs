//! How a program runs: its command, its surroundings, and what is done when it ends.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::account::USER_PATTERN;
use crate::model::address::{HTTP_PATTERN, TCP_PATTERN};
use crate::model::duration::Span;
use crate::model::health::Health;
use crate::model::idle::Idle;
use crate::model::manifest::is_default;
use crate::model::outcome::ExitCodes;
use crate::model::rule::Below;
use crate::model::schedule::Schedule;
use crate::model::size::Size;
use crate::model::socket::Socket;
use crate::model::umask::Umask;
use crate::model::variable::VariableName;
use crate::model::watched::Watched;

/// How the program runs. A package may bring any of these as its defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = Below("service"))]
pub struct Service {
    /// The program and its arguments, run without a shell. Tokens: `{package} {config} {data} {logs} {run} {deploy}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = [["{package}/bin/orchestrator", "--config", "{config}/orchestrator.toml"]]))]
    pub command: Option<Vec<String>>,
    /// One sentence for the service manager's lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["Orders of the web shop"]))]
    pub description: Option<String>,
    /// Variables of the program's environment. Never for secrets: they can be read in the definition.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("default" = {}, "examples" = [{ "PORT": "4000" }]))]
    pub environment: BTreeMap<VariableName, String>,
    /// A file of `KEY=value` lines, read again at each start; its values win over `environment`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", length(min = 1), extend("examples" = ["orchestrator.env"]))]
    pub environment_file: Option<Utf8PathBuf>,
    /// Variables whose values stand in files of their own; they win over all others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("default" = {}, "examples" = [{ "DATABASE_URL": { "file": "secrets/database-url" } }]))]
    pub secrets: BTreeMap<VariableName, Secret>,
    /// The account that runs the program, in system scope. Default: the deploy folder's owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = USER_PATTERN), extend("examples" = ["kici"]))]
    pub user: Option<String>,
    /// The group that the program runs as, in system scope. Default: the account's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = USER_PATTERN), extend("examples" = ["www-data"]))]
    pub group: Option<String>,
    /// The rights that files of the program do not get. Default: `0022`; with `hardening` `strict`, `0077`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["027"]))]
    pub umask: Option<Umask>,
    /// Where the program starts. Default: `{data}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("default" = "{data}", "examples" = ["{package}"]))]
    pub working_directory: Option<String>,
    /// What the program's standard input is: `null` (default), or `open`, a pipe that never ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "null", "examples" = ["open"]))]
    pub stdin: Option<Stdin>,
    /// Whether the service starts with the host (or with its user). Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true, "examples" = [false]))]
    pub boot: Option<bool>,
    /// Who watches the program: `mainstay` (default), or `native`, the service manager itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "mainstay", "examples" = ["native"]))]
    pub supervision: Option<Supervision>,
    /// When and how often the program is started again.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = {}, "examples" = [{ "when": "always", "delays": ["1s", "10s"], "limit": 3, "window": "1m" }]))]
    pub restart: Restart,
    /// How the program is asked to end.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = {}, "examples" = [{ "signal": "SIGINT", "timeout": "2m" }]))]
    pub stop: Stop,
    /// How it shows that it is ready. Default: it stays alive for one second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = { "delay": "1s" }, "examples" = [{ "http": "http://127.0.0.1:{env.PORT}/health", "timeout": "2m" }]))]
    pub ready: Option<Ready>,
    /// How it shows, once it is ready, that it still works. Default: nobody asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{ "http": "http://127.0.0.1:{env.PORT}/health", "every": "10s", "failures": 3 }]))]
    pub health: Option<Health>,
    /// When it is run, if it does not run on by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{ "every": "1h" }]))]
    pub schedule: Option<Schedule>,
    /// What its exit codes mean: `success`, `partial`, `failure`, `restart` or `fatal`. Default: 0 is success, all else failure.
    #[serde(default, skip_serializing_if = "ExitCodes::is_empty")]
    #[schemars(extend("default" = {}, "examples" = [{ "2": "partial", "4": "fatal", "42": "restart" }]))]
    pub exit_codes: ExitCodes,
    /// A command that is run when the program ends as partial, failure or fatal; the facts stand in its environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = [["{deploy}/alert.sh"]]))]
    pub on_failure: Option<Vec<String>>,
    /// Whose change starts the program anew: `program`, `config`, `environment`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = [], "examples" = [["program", "config"]]))]
    pub restart_on_change: Option<Vec<Watched>>,
    /// When it is stopped because nobody needs it. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{ "after": "10m" }]))]
    pub idle: Option<Idle>,
    /// Listening sockets that are held for the program, so that no connection is refused while it restarts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = [], "examples" = [[{ "listen": "127.0.0.1:4000" }]]))]
    pub sockets: Option<Vec<Socket>>,
    /// Whether, at a restart or an upgrade, the new process becomes ready beside the old one. Needs `sockets`. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false, "examples" = [true]))]
    pub overlap: Option<bool>,
    /// A file with the state for monitors: last start, last success, failures in a row, last error (JSON).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["{run}/health.json"]))]
    pub health_file: Option<String>,
    /// A file with the program's process number, while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["{run}/web.pid"]))]
    pub pid_file: Option<String>,
    /// Names of processes that the program starts and that live on when it stops. On systemd, make it an instance of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = [], "examples" = [["orchestrator-worker"]]))]
    pub detach: Option<Vec<String>>,
    /// What it may use.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = {}, "examples" = [{ "memory": "512MiB", "openFiles": 65536 }]))]
    pub limits: Limits,
    /// How far the program is locked in. Default: `standard` in system scope, `off` in user scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["strict"]))]
    pub hardening: Option<Hardening>,
}

/// Where a secret's value stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secret {
    /// A file that holds the value and nothing else (one line feed at its end is dropped).
    #[schemars(with = "String", length(min = 1), extend("examples" = ["secrets/database-url"]))]
    pub file: Utf8PathBuf,
}

/// What the program reads from its standard input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Stdin {
    /// The end of a file, at once.
    #[default]
    Null,
    /// A pipe on which nothing ever comes and which never ends.
    Open,
}

/// Who watches the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Supervision {
    /// mainstay's supervisor: readiness, exact back-off, status.
    #[default]
    Mainstay,
    /// The service manager's own, for a program that speaks its protocol (`sd_notify`).
    Native,
}

/// When and how often a program that has ended is started again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = Below("service.restart"))]
pub struct Restart {
    /// After which ending. Default: `on-failure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "on-failure", "examples" = ["always"]))]
    pub when: Option<RestartWhen>,
    /// The pauses before the first, second, … restart; the last one goes on. Default: 1s, 5s, 15s, 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("default" = ["1s", "5s", "15s", "30s"], "examples" = [["1s", "10s"]]))]
    pub delays: Option<Vec<Span>>,
    /// How many restarts within `window` are made before the service stays down. Default: 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000), extend("default" = 5, "examples" = [3]))]
    pub limit: Option<u32>,
    /// The time in which restarts are counted. Default: 5m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "5m", "examples" = ["1m"]))]
    pub window: Option<Span>,
}

/// The endings after which a program is started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum RestartWhen {
    /// None.
    Never,
    /// A non-zero exit code, a signal, a missed readiness.
    #[default]
    OnFailure,
    /// Any ending that was not asked for.
    Always,
}

/// How a program is asked to end, and how long it may take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = Below("service.stop"))]
pub struct Stop {
    /// The signal that asks. Default: SIGTERM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "SIGTERM", "examples" = ["SIGINT"]))]
    pub signal: Option<StopSignal>,
    /// An address that is sent a POST instead of the signal. If it answers with no status from 200 to 299, the signal follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = HTTP_PATTERN), extend("examples" = ["http://127.0.0.1:{env.PORT}/shutdown"]))]
    pub http: Option<String>,
    /// A command that is run instead of the signal. If it fails, the signal follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = [["{package}/bin/orchestrator", "drain"]]))]
    pub command: Option<Vec<String>>,
    /// How long the program may take to drain; then it is killed with all its descendants. Default: 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "30s", "examples" = ["2m"]))]
    pub timeout: Option<Span>,
}

/// The signals that programs understand as a request to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
pub enum StopSignal {
    /// The usual request.
    #[default]
    Sigterm,
    /// As Ctrl-C.
    Sigint,
    /// As Ctrl-\; some servers (nginx) drain on it.
    Sigquit,
    /// As a closed terminal.
    Sighup,
    /// Whatever the program makes of it.
    Sigusr1,
    /// Whatever the program makes of it.
    Sigusr2,
}

impl StopSignal {
    /// Its name, as service managers and engines know it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sigterm => "SIGTERM",
            Self::Sigint => "SIGINT",
            Self::Sigquit => "SIGQUIT",
            Self::Sighup => "SIGHUP",
            Self::Sigusr1 => "SIGUSR1",
            Self::Sigusr2 => "SIGUSR2",
        }
    }
}

/// How a program shows that it is ready: exactly one of the probes, and how long it may take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = Below("service.ready"))]
pub struct Ready {
    /// An address that answers with a status from 200 to 299. `{env.NAME}` stands for a variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = HTTP_PATTERN), extend("examples" = ["http://127.0.0.1:{env.PORT}/health"]))]
    pub http: Option<String>,
    /// A host and port that takes a connection, as in `127.0.0.1:5432`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = TCP_PATTERN), extend("examples" = ["127.0.0.1:5432"]))]
    pub tcp: Option<String>,
    /// A command that exits with 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = [["{package}/bin/orchestrator", "check"]]))]
    pub command: Option<Vec<String>>,
    /// A file that exists and is newer than the program's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["{run}/ready"]))]
    pub file: Option<String>,
    /// The program stays alive for this long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["5s"]))]
    pub delay: Option<Span>,
    /// The program says `READY=1` itself (`sd_notify`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false, "examples" = [true]))]
    pub notify: Option<bool>,
    /// How long it may take. Default: 60s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "60s", "examples" = ["2m"]))]
    pub timeout: Option<Span>,
}

/// What the program may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Memory, of the program and its descendants. Without systemd, the supervisor looks every few seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["512MiB"]))]
    pub memory: Option<Size>,
    /// Open files, each process. On systemd at least 64, because the supervisor has the same limit there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000), extend("examples" = [65536]))]
    pub open_files: Option<u64>,
    /// How readily it leaves the processor to others: from -20 (least) to 19 (most), setpriority(2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -20, max = 19), extend("examples" = [10]))]
    pub nice: Option<i8>,
    /// Processes and threads, of the program and its descendants. On systemd only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4_194_304), extend("examples" = [512]))]
    pub processes: Option<u64>,
}

/// How far the program is locked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Hardening {
    /// Not at all.
    Off,
    /// What hardly any program notices.
    Standard,
    /// What a server without special needs can do without.
    Strict,
}
