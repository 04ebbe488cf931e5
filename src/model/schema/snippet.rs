//! Beginnings that an editor offers, and the order in which it offers fields.
//!
//! `${1:text}` is where the cursor stops, with what stands there until somebody types. The tests put those texts in and
//! ask the schema about the whole.

use serde_json::{Value, json};

/// The fields that matter most, in the order in which a person comes to them. All others follow by the alphabet.
const ORDER: [(&str, &[&str]); 9] = [
    ("Manifest", &["$schema", "name", "package", "service", "upgrade", "logs", "platform", "scope"]),
    ("Package", &["$schema", "component", "version", "service"]),
    ("PackageReference", &["name", "version", "url", "sha256", "publicKey", "source"]),
    (
        "Service",
        &[
            "command",
            "ready",
            "health",
            "environment",
            "environmentFile",
            "secrets",
            "user",
            "restart",
            "stop",
            "schedule",
            "limits",
            "sockets",
            "workingDirectory",
        ],
    ),
    ("Ready", &["http", "tcp", "file", "command", "notify", "delay", "timeout"]),
    ("Health", &["http", "tcp", "command", "notify", "every", "timeout", "failures"]),
    ("Schedule", &["every", "calendar", "jitter"]),
    ("Upgrade", &["gate", "trial", "keep", "data", "hooks"]),
    ("Hooks", &["beforeStop", "migrate", "migrateBack", "afterStart", "timeout"]),
];

/// At which place a field is offered, if it is among those that matter most.
pub(super) fn order(object: &str, field: &str) -> Option<usize> {
    let (_, fields) = ORDER.iter().find(|(name, _)| *name == object)?;
    fields.iter().position(|known| *known == field)
}

/// Names that are offered where they are free.
pub(super) fn names(object: &str, field: &str) -> Option<Value> {
    match (object, field) {
        ("Service", "environment") => Some(json!(["PORT", "HOST", "LOG_LEVEL", "TZ", "PATH"])),
        ("Service", "secrets") => Some(json!(["DATABASE_URL", "API_KEY"])),
        ("Service", "exitCodes") => Some(json!(["2", "42", "78"])),
        ("Health", "body") => Some(json!(["/status"])),
        ("Systemd", "unit") => {
            Some(json!(["After", "Before", "BindsTo", "ConditionPathExists", "PartOf", "Requires", "Wants"]))
        }
        ("Systemd", "service") => Some(json!([
            "AmbientCapabilities",
            "CPUQuota",
            "CPUWeight",
            "IOWeight",
            "LimitCORE",
            "OOMScoreAdjust",
            "ReadWritePaths",
            "Slice",
            "SupplementaryGroups",
        ])),
        _ => None,
    }
}

/// The beginnings of a field, or of the object itself where no field is named.
pub(super) fn of(object: &str, field: &str) -> Option<Value> {
    let beginnings = match (object, field) {
        ("Manifest", "") => manifests(),
        ("Package", "") => packages(),
        ("Manifest", "package") => references(),
        ("Manifest" | "Package", "service") => services(),
        ("Manifest", "upgrade") => upgrades(),
        ("Service", "command") => one(
            "a program of the package",
            "The program and its arguments, without a shell. `{package}` is the folder of the version that runs.",
            json!(["{package}/bin/${1:program}"]),
        ),
        ("Service", "environment") => one(
            "a variable",
            "A name and a text; numbers stand in quotes.",
            json!({ "${1:PORT}": "${2:8080}" }),
        ),
        ("Service", "secrets") => one(
            "a secret from a file",
            "A variable whose value is what the file holds. Let only its owner read it: `chmod 600`.",
            json!({ "${1:DATABASE_URL}": { "file": "secrets/${2:database-url}" } }),
        ),
        ("Service", "ready") => ready(),
        ("Service", "health") => health(),
        ("Service", "schedule") => schedules(),
        ("Service", "restart") => one(
            "another policy",
            "After which ending, after which pauses, and how often in which time.",
            json!({ "when": "${1|on-failure,always|}", "delays": ["${2:1s}", "${3:10s}"], "limit": "^${4:5}", "window": "${5:5m}" }),
        ),
        ("Service", "stop") => stops(),
        ("Service", "sockets") => one(
            "a listening socket",
            "Held for the program, so that no connection is refused while it restarts. The program takes it by `LISTEN_FDS`.",
            json!([{ "listen": "${1:127.0.0.1:8080}" }]),
        ),
        ("Service", "idle") => one(
            "stop when idle",
            "Stopped when nobody needed it for so long; with `sockets`, the next connection starts it.",
            json!({ "after": "${1:10m}" }),
        ),
        ("Service", "limits") => one(
            "memory and files",
            "What the program and its descendants may use.",
            json!({ "memory": "${1:512MiB}", "openFiles": "^${2:65536}" }),
        ),
        ("Service", "exitCodes") => one(
            "meanings of exit codes",
            "What codes mean that are neither success nor failure.",
            json!({ "${1:2}": "${2|partial,fatal,restart,success,failure|}" }),
        ),
        ("Upgrade", "hooks") => one(
            "a migration with a way back",
            "Run between the old version and the new one, and on the way back.",
            json!({ "migrate": ["{package}/bin/${1:program}", "migrate"], "migrateBack": ["{package}/bin/${1:program}", "migrate", "--down"] }),
        ),
        ("Systemd", "unit") => one(
            "after another unit",
            "Settings of the `[Unit]` section, each with its values.",
            json!({ "After": ["${1:postgresql.service}"], "Wants": ["${1:postgresql.service}"] }),
        ),
        _ => return None,
    };
    Some(beginnings.into_iter().map(|(label, description, body)| {
        json!({ "label": label, "description": description, "markdownDescription": description, "body": body })
    }).collect())
}

type Beginning = (&'static str, &'static str, Value);

fn one(label: &'static str, description: &'static str, body: Value) -> Vec<Beginning> {
    vec![(label, description, body)]
}

fn manifests() -> Vec<Beginning> {
    let address = crate::model::manifest::SCHEMA_ADDRESS;
    vec![
        (
            "a server from an archive",
            "Unpacked, started, and ready when it answers over HTTP.",
            json!({
                "$schema": address, "name": "${1:web}", "package": { "name": "${2:server}" },
                "service": {
                    "command": ["{package}/bin/${2:server}"],
                    "environment": { "PORT": "${3:8080}" },
                    "ready": { "http": "http://127.0.0.1:${3:8080}/" }
                }
            }),
        ),
        (
            "a program that is there already",
            "From a package manager or built here: run where it stands, not unpacked.",
            json!({
                "$schema": address, "name": "${1:web}",
                "package": { "name": "${1:web}", "source": "${2|binary,manager|}" },
                "service": { "command": ["/usr/local/bin/${3:program}"] }
            }),
        ),
        (
            "a job that is run again and again",
            "Run once an hour; between its runs nothing of it runs.",
            json!({
                "$schema": address, "name": "${1:job}", "package": { "name": "${2:job}" },
                "service": { "command": ["{package}/bin/${2:job}"], "schedule": { "every": "${3:1h}" } }
            }),
        ),
    ]
}

fn packages() -> Vec<Beginning> {
    one(
        "a package",
        "What it is, and how its program runs unless the user wants otherwise.",
        json!({
            "$schema": crate::model::package::SCHEMA_ADDRESS, "component": "${1:server}", "version": "${2:1.0.0}",
            "service": { "command": ["{package}/bin/${1:server}"] }
        }),
    )
}

fn references() -> Vec<Beginning> {
    vec![
        (
            "an archive that is given by hand",
            "`mainstay install --from` and `mainstay upgrade --from` name it.",
            json!({ "name": "${1:server}" }),
        ),
        (
            "archives from an address",
            "`mainstay upgrade --version` fetches from there. `{os}` is `linux`, `{arch}` as in `x86_64`.",
            json!({ "name": "${1:server}", "version": "${2:1.0.0}",
                "url": "https://${3:releases.example.com}/v{version}/${1:server}-{os}-{arch}.tar.gz" }),
        ),
        (
            "a program that is there already",
            "From a package manager or built here: run where it stands.",
            json!({ "name": "${1:server}", "source": "${2|binary,manager|}" }),
        ),
    ]
}

fn services() -> Vec<Beginning> {
    vec![
        (
            "a server",
            "Ready when it answers over HTTP.",
            json!({
                "command": ["{package}/bin/${1:server}"],
                "environment": { "PORT": "${2:8080}" },
                "ready": { "http": "http://127.0.0.1:${2:8080}/" }
            }),
        ),
        (
            "a job",
            "Run once an hour.",
            json!({ "command": ["{package}/bin/${1:job}"], "schedule": { "every": "${2:1h}" } }),
        ),
    ]
}

fn upgrades() -> Vec<Beginning> {
    vec![
        (
            "gate and trial",
            "How long a new version has to become ready, and to stay so.",
            json!({ "gate": "${1:60s}", "trial": "${2:10m}" }),
        ),
        (
            "data that are migrated",
            "A snapshot is taken before the migration, and goes back if the new version never becomes ready.",
            json!({ "data": ["{data}"], "hooks": { "migrate": ["{package}/bin/${1:program}", "migrate"] } }),
        ),
    ]
}

fn ready() -> Vec<Beginning> {
    vec![
        (
            "when it answers over HTTP",
            "A status from 200 to 299.",
            json!({ "http": "http://127.0.0.1:${1:8080}/${2:health}" }),
        ),
        ("when it takes connections", "A host and port.", json!({ "tcp": "127.0.0.1:${1:5432}" })),
        ("when a file appears", "Newer than the program's start.", json!({ "file": "{run}/${1:ready}" })),
        (
            "when a command says so",
            "It exits with 0.",
            json!({ "command": ["{package}/bin/${1:program}", "${2:check}"] }),
        ),
        ("when it says so itself", "`READY=1` by `sd_notify`.", json!({ "notify": true })),
        ("when it has stayed alive", "For so long.", json!({ "delay": "${1:5s}" })),
    ]
}

fn health() -> Vec<Beginning> {
    vec![
        (
            "asked over HTTP",
            "It is started again after three failures in a row.",
            json!({ "http": "http://127.0.0.1:${1:8080}/${2:health}", "every": "${3:10s}", "failures": "^${4:3}" }),
        ),
        (
            "asked for a field of its answer",
            "The JSON that it answers holds this text, named by JSON pointer.",
            json!({ "http": "http://127.0.0.1:${1:8080}/${2:health}", "body": { "/${3:status}": "${4:ok}" } }),
        ),
        (
            "asked for a connection",
            "A host and port.",
            json!({ "tcp": "127.0.0.1:${1:5432}", "every": "${2:10s}" }),
        ),
        (
            "asked by a command",
            "It exits with 0.",
            json!({ "command": ["{package}/bin/${1:program}", "${2:check}"], "every": "${3:1m}" }),
        ),
        (
            "says so itself",
            "`WATCHDOG=1` by `sd_notify`, at least once in this time.",
            json!({ "notify": true, "every": "${1:30s}" }),
        ),
    ]
}

fn schedules() -> Vec<Beginning> {
    vec![
        (
            "every so often",
            "From a minute to a day; the first run is at once.",
            json!({ "every": "${1:1h}" }),
        ),
        (
            "at times of the day",
            "As in a crontab: minute, hour, day, month, weekday.",
            json!({ "calendar": "${1:30 3 * * *}" }),
        ),
        (
            "at times of the day, somewhere",
            "With a time zone, which keeps summer time too.",
            json!({ "calendar": "${1:0 9 * * mon-fri} ${2:Europe/Vienna}", "jitter": "${3:5m}" }),
        ),
    ]
}

fn stops() -> Vec<Beginning> {
    vec![
        (
            "by another signal",
            "And how long it may take to drain.",
            json!({ "signal": "${1|SIGINT,SIGQUIT,SIGHUP,SIGTERM|}", "timeout": "${2:30s}" }),
        ),
        (
            "by a request",
            "It is sent a POST.",
            json!({ "http": "http://127.0.0.1:${1:8080}/${2:shutdown}", "timeout": "${3:30s}" }),
        ),
    ]
}
