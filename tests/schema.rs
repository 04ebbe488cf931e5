//! The published schemas are true: they are what the types give, they describe every field, and they and
//! mainstay take and refuse the same manifests.
//!
//! `UPDATE_SCHEMA=1 cargo test --test schema` writes the files in `schema/` anew.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mainstay::model::contradiction::{read_manifest, read_package_description, refuse_contradictions};
use mainstay::model::document::Document;
use mainstay::model::launch::LaunchSpec;
use mainstay::model::manifest::{self, Manifest, PlatformKind, Scope};
use mainstay::model::package;
use mainstay::model::schema::Published;
use mainstay::model::status::{Exit, Status};
use serde_json::Value;

/// Faults that no schema can express: it would have to reckon, to compare fields with each other, or to look into texts.
const BEYOND_A_SCHEMA: [&str; 43] = [
    "form-duplicate-field",
    "form-nul-in-an-argument",
    "value-calendar-hour",
    "value-calendar-zone",
    "value-duration-beyond-counting",
    "value-http-port",
    "value-image-tag",
    "value-level-no-expression",
    "value-listen-old-name",
    "value-listen-port",
    "value-name-kept",
    "value-port-number",
    "value-size-beyond-counting",
    "value-tcp-port",
    "value-url-word",
    "value-image-tag",
    "value-port-number",
    "meaning-compose-external-path",
    "meaning-compose-package-token",
    "meaning-compose-port-twice",
    "meaning-compose-project-name",
    "meaning-compose-target-twice",
    "meaning-compose-version-and-tag",
    "meaning-compose-volume-name",
    "meaning-delay-long",
    "meaning-gate-shorter-than-delay",
    "meaning-health-every-long",
    "meaning-health-tcp-at-a-socket",
    "meaning-hook-timeout-long",
    "meaning-idle-long",
    "meaning-manager-package-token",
    "meaning-overlap-ready-http-at-a-socket",
    "meaning-ready-delay-beyond-timeout",
    "meaning-ready-tcp-at-a-socket",
    "meaning-ready-timeout-long",
    "meaning-schedule-day-that-never-comes",
    "meaning-schedule-every-long",
    "meaning-schedule-every-short",
    "meaning-schedule-jitter-as-long-as-every",
    "meaning-schedule-jitter-long",
    "meaning-sockets-twice",
    "meaning-stop-timeout-long",
    "meaning-trial-long",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The name and text of every JSON file of a folder, in order.
fn files(name: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = std::fs::read_dir(folder(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    found.sort();
    found
}

fn schema(document: Published) -> Value {
    serde_json::from_str(&document.text()).unwrap()
}

fn validator() -> jsonschema::Validator {
    jsonschema::draft7::new(&schema(Published::Manifest)).unwrap()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the wish to write comes from who runs the test")]
fn the_files_are_what_the_types_give() {
    for document in Published::ALL {
        let path = folder("schema").join(format!("{}.json", document.name()));
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(&path, document.text()).unwrap();
        }
        let stored = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        assert_eq!(stored, document.text(), "run `UPDATE_SCHEMA=1 cargo test --test schema`");
        assert!(jsonschema::draft7::meta::is_valid(&schema(*document)), "{}", document.name());
        assert_eq!(Published::from_name(document.name()), Some(*document));
    }
    assert_eq!(Published::Manifest.address(), manifest::SCHEMA_ADDRESS);
    assert_eq!(Published::Package.address(), package::SCHEMA_ADDRESS);
    assert_eq!(Published::from_name("manifest"), Some(Published::Manifest));
    assert_eq!(Published::from_name("manifests"), None);
}

/// Calls back with the place and schema of every property.
fn properties(place: &str, schema: &Value, visit: &mut impl FnMut(&str, &Value)) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        visit(&format!("{place}.{name}"), property);
    }
    for (name, definition) in schema["definitions"].as_object().into_iter().flatten() {
        properties(name, definition, visit);
    }
}

/// What these are where they are not given depends on the host, the package or each other.
const WITHOUT_DEFAULT: [&str; 131] = [
    "answers.v1.$schema",
    "answers.v1.component",
    "manifest.v1.$schema",
    "manifest.v1.compose",
    "manifest.v1.name",
    "manifest.v1.package",
    "manifest.v1.platform",
    "manifest.v1.scope",
    "package.v1.$schema",
    "package.v1.component",
    "package.v1.image",
    "PackageImage.name",
    "PackageImage.digest",
    "package.v1.rollback",
    "package.v1.version",
    "Compose.containerName",
    "Compose.engine",
    "Compose.entrypoint",
    "Compose.image",
    "Compose.user",
    "Download.ca",
    "Download.certificate",
    "Health.command",
    "Health.http",
    "Health.status",
    "Health.tcp",
    "Hooks.afterStart",
    "Hooks.beforeStop",
    "Hooks.migrate",
    "Hooks.migrateBack",
    "Idle.after",
    "Idle.busy",
    "Limits.memory",
    "Limits.nice",
    "Limits.openFiles",
    "Limits.processes",
    "Logs.level",
    "PackageReference.name",
    "PackageReference.publicKey",
    "PackageReference.sha256",
    "PackageReference.url",
    "PackageReference.version",
    "Ready.command",
    "Ready.delay",
    "Ready.file",
    "Ready.http",
    "Ready.tcp",
    "Reconcile.command",
    "Reconcile.everyCycles",
    "RollbackBarrier.oldest",
    "RollbackBarrier.reason",
    "Schedule.calendar",
    "Schedule.every",
    "Schedule.jitter",
    "Schedule.reconcile",
    "Secret.file",
    "Service.command",
    "Service.description",
    "Service.environmentFile",
    "Service.group",
    "Service.hardening",
    "Service.health",
    "Service.healthFile",
    "Service.idle",
    "Service.onFailure",
    "Service.pidFile",
    "Service.schedule",
    "Service.umask",
    "Service.user",
    "Socket.listen",
    "Socket.name",
    "Stop.command",
    "Stop.http",
    "Upgrade.gate",
    "Volume.source",
    "Volume.target",
    "package.v1.status",
    "StatusView.title",
    "StatusView.http",
    "StatusView.command",
    "StatusView.fields",
    "ViewField.label",
    "ViewField.pointer",
    "ViewField.unit",
    "ViewField.absent",
    "Requirement.kind",
    "Requirement.why",
    "Requirement.mend",
    "Requirement.path",
    "Requirement.name",
    "Requirement.version",
    "Requirement.port",
    "Requirement.size",
    "Requirement.value",
    "Requirement.minimum",
    "Preparation.id",
    "Preparation.kind",
    "Preparation.what",
    "Preparation.name",
    "Preparation.value",
    "Preparation.path",
    "Preparation.mode",
    "Preparation.url",
    "Preparation.sha256",
    "Preparation.command",
    "Choice.explain",
    "Choice.label",
    "Choice.value",
    "Question.ask",
    "Question.default",
    "Question.explain",
    "Question.field",
    "Question.generate",
    "Question.id",
    "Question.kind",
    "Question.maximum",
    "Question.minimum",
    "Question.pattern",
    "Question.schemes",
    "Question.secret",
    "Question.variable",
    "VariableMeaning.default",
    "VariableMeaning.describe",
    "VariableMeaning.example",
    "DevelopmentService.image",
    "DevelopmentService.port",
    "DevelopmentPort.host",
    "DevelopmentPort.inside",
    "DevelopmentWait.http",
    "DevelopmentWait.tcp",
    "DevelopmentWait.command",
];

#[test]
fn every_field_is_described_with_a_true_default_and_true_examples() {
    let without_default = BTreeSet::from(WITHOUT_DEFAULT);
    for document in Published::ALL {
        properties(document.name(), &schema(*document), &mut |place, property| {
            assert!(
                property["description"].as_str().is_some_and(|text| text.ends_with(['.', '`', '…']))
                    // A field that is a type of its own is described there.
                    || property.get("$ref").is_some(),
                "no description: {place}"
            );
        });
    }
    for document in Published::WRITTEN_BY_PEOPLE {
        let whole = schema(document);
        let mut lacking = BTreeSet::new();
        properties(document.name(), &whole, &mut |place, property| {
            assert!(
                property["description"].as_str().is_some_and(|text| text.ends_with(['.', '`'])),
                "{place}"
            );
            let mut alone = property.clone();
            if let Some(definitions) = whole.get("definitions") {
                alone["definitions"] = definitions.clone();
            }
            let alone = jsonschema::draft7::new(&alone).unwrap();
            let examples = property["examples"].as_array().cloned().unwrap_or_default();
            assert!(!examples.is_empty(), "no example: {place}");
            for value in examples.iter().chain(property.get("default")) {
                assert!(alone.is_valid(value), "{place}: {value}");
            }
            if property.get("default").is_none() {
                lacking.insert(place.to_owned());
            }
        });
        let unexpected: Vec<_> =
            lacking.iter().filter(|place| !without_default.contains(place.as_str())).collect();
        assert!(unexpected.is_empty(), "no default: {unexpected:?}");
    }
}

#[test]
fn valid_manifests_pass_mainstay_the_types_and_the_schema() {
    let validator = validator();
    let manifests = files("tests/manifests/valid");
    assert!(manifests.len() >= 12);
    for (name, text) in &manifests {
        let (manifest, document) = read_manifest(name, text).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(manifest, serde_json::from_str::<Manifest>(text).unwrap(), "{name}");
        let instance: Value = serde_json::from_str(text).unwrap();
        if let Err(error) = validator.validate(&instance) {
            panic!("{name}: {error}");
        }
        let written = serde_json::to_string_pretty(&manifest).unwrap();
        assert_eq!(read_manifest(name, &written).unwrap().0, manifest, "{name}: written and read again");
        assert_eq!(document.text(), text);
    }
}

#[test]
fn the_valid_manifests_show_every_field() {
    fn fields(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Array(elements) => elements.iter().for_each(|element| fields(element, found)),
            Value::Object(members) => {
                for (name, member) in members {
                    found.insert(name.clone());
                    fields(member, found);
                }
            }
            _ => {}
        }
    }
    let mut shown = BTreeSet::new();
    for (_, text) in files("tests/manifests/valid") {
        fields(&serde_json::from_str(&text).unwrap(), &mut shown);
    }
    properties("manifest", &schema(Published::Manifest), &mut |place, _| {
        let name = place.rsplit('.').next().unwrap();
        assert!(shown.contains(name), "no valid manifest shows {place}");
    });
}

#[test]
fn invalid_manifests_are_refused_with_their_place_and_by_the_schema_where_it_can() {
    let validator = validator();
    let manifests = files("tests/manifests/invalid");
    assert!(manifests.len() >= 30);
    let mut told = Vec::new();
    for (name, text) in &manifests {
        let Err(problems) = read_manifest(&format!("{name}.json"), text) else { panic!("{name} is taken") };
        assert_eq!(problems.list.len(), 1, "one fault each: {problems}");
        told.push(problems.to_string());
        let by_form_and_fields =
            Document::parse(name, text).and_then(|document| document.read::<Manifest>()).is_err();
        let by_schema = serde_json::from_str(text).map_or(true, |instance| !validator.is_valid(&instance));
        let beyond = BEYOND_A_SCHEMA.contains(&name.as_str());
        assert_eq!(by_schema, !beyond, "the schema's verdict on {name}");
        assert_eq!(by_form_and_fields, !name.starts_with("meaning-"), "{name} is in the right group");
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("manifests");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("invalid", told.join("\n")));
}

proptest::proptest! {
    /// An editor never marks what mainstay takes: no pattern is narrower than the type behind it.
    #[test]
    fn what_mainstay_takes_the_schema_takes(
        (field, text) in proptest::prop_oneof![
            (proptest::strategy::Just("/name"), "[a-cA.x_-]{0,4}"),
            (proptest::strategy::Just("/package/version"), "[0-9a.+~_é-]{0,4}"),
            (proptest::strategy::Just("/package/sha256"), "[0-9a-fA-Fg]{63,65}"),
            (proptest::strategy::Just("/service/user"), "[a-c0_.é-]{0,4}"),
            (proptest::strategy::Just("/service/stop/timeout"), "([0-9]{0,3}(ms|s|m|h|d|x)?){0,3}"),
            (proptest::strategy::Just("/service/limits/memory"), "[0-9]{0,3}(B|kB|KiB|MB|MiB|TiB|K)?"),
            (proptest::strategy::Just("/service/umask"), "[0-8]{0,5}"),
            (proptest::strategy::Just("/service/sockets/0/listen"), "(/[a /%.]{0,3}|[0-9.]{0,3}|127[.]0[.]0[.]1|\\[[0-9a-f:%.]{0,4}\\]|\\[::1%?1?\\]):?[0-9]{0,7}"),
            (proptest::strategy::Just("/service/sockets/0/name"), "[a-c_.: -]{0,4}"),
            (proptest::strategy::Just("/service/schedule/calendar"), "[ \t]{0,1}([*0-9/,L-]{1,2}[ \t]{1,2}){3,5}[*0-9]?( (UTC|Europe/Vienna|\\+01:00))?[ \n]?"),
            (proptest::strategy::Just("/service/ready/http"), "http://[a1:.?#/\\[\\]{} -]{0,6}(\\{env\\.[A1]{0,2}\\})?"),
            (proptest::strategy::Just("/service/ready/tcp"), "[a1:.\\[\\] -]{0,4}(:[0-9]{0,6}|\\{env\\.[A1]{0,2}\\})"),
        ]
    ) {
        static VALIDATOR: std::sync::LazyLock<jsonschema::Validator> = std::sync::LazyLock::new(validator);
        let mut instance = serde_json::json!({
            "name": "e2e", "package": { "name": "x", "version": "1", "sha256": null },
            "service": { "user": null, "stop": { "timeout": null }, "limits": { "memory": null }, "umask": null,
                "sockets": [{ "listen": "/x", "name": null }], "schedule": { "calendar": null } }
        });
        if let Some(probe) = field.strip_prefix("/service/ready/") {
            instance["service"]["ready"] = serde_json::json!({ probe: null });
        }
        if !field.starts_with("/service/schedule/") {
            instance["service"]["schedule"] = Value::Null;
        }
        if !field.starts_with("/service/sockets/") {
            instance["service"]["sockets"] = Value::Null;
        }
        *instance.pointer_mut(field).unwrap() = text.into();
        let document = Document::parse("x", &instance.to_string()).unwrap();
        if read_manifest("x", document.text()).is_ok() {
            proptest::prop_assert!(VALIDATOR.is_valid(&instance), "{}", instance);
        }
    }
}

#[test]
fn every_fault_is_told_at_once() {
    let text = r#"{
  "nmae": "e2e",
  "package": { "name": "Orchestrator", "digest": "x" },
  "service": {
    "comand": "run",
    "env": {},
    "environment": { "A B": "1", "C": 2 },
    "restart": { "when": "sometimes", "delays": ["1s", 5, "x"], "limit": 0 },
    "ready": { "http": "ftp://x" }
  }
}"#;
    let problems = read_manifest("deploy/mainstay.json", text).unwrap_err();
    insta::assert_snapshot!(problems, @r#"
    deploy/mainstay.json:2:3: nmae: unknown field; did you mean `name`?
    deploy/mainstay.json:3:24: package.name: `Orchestrator` is not a name: use lower-case letters, digits, `.`, `_` and `-`, at most 63, with a letter or digit at both ends
    deploy/mainstay.json:3:40: package.digest: unknown field; possible here: `download`, `name`, `publicKey`, `sha256`, `source`, `url`, `version`
    deploy/mainstay.json:5:5: service.comand: unknown field; did you mean `command`?
    deploy/mainstay.json:6:5: service.env: unknown field; did you mean `environment`?
    deploy/mainstay.json:7:22: service.environment["A B"]: `A B` can't name an environment variable: use letters, digits and `_`, and no digit first
    deploy/mainstay.json:7:39: service.environment.C: a text in quotes is expected, not `2`, as in `"2"`
    deploy/mainstay.json:8:26: service.restart.when: `sometimes` can't stand here; possible here: `never`, `on-failure`, `always`
    deploy/mainstay.json:8:56: service.restart.delays[1]: a text in quotes is expected, not `5`, as in `"30s"`
    deploy/mainstay.json:8:59: service.restart.delays[2]: `x` is not a duration: write a number and a unit (ms, s, m, h, d), as in `30s` or `1h30m`
    deploy/mainstay.json:8:74: service.restart.limit: 0 is too small: at least 1
    deploy/mainstay.json:9:24: service.ready.http: `ftp://x` can't be probed: an address that begins with `http://` is needed, as in `http://127.0.0.1:8080/health`
    "#);
    let json = serde_json::to_value(&problems.list[0]).unwrap();
    assert_eq!(json["nearest"], "name");
    assert_eq!(json["line"], 2);
}

#[test]
fn what_the_manifest_left_open_is_asked_again_when_it_is_decided() {
    let text = r#"{ "name": "e2e", "package": { "name": "x" }, "service": { "user": "kici", "limits": { "processes": 9 } } }"#;
    let (mut manifest, document) = read_manifest("mainstay.json", text).unwrap();
    manifest.platform = Some(PlatformKind::Embedded);
    manifest.scope = Some(Scope::User);
    let problems = refuse_contradictions(&manifest, &document).unwrap_err();
    insta::assert_snapshot!(problems, @r"
    mainstay.json:1:59: service.user: a service of user scope runs as its user: `user` belongs to system scope
    mainstay.json:1:87: service.limits.processes: `processes` can't be limited on platform `embedded`: a control group is needed, which systemd makes
    ");
}

#[test]
fn package_descriptions_are_read_by_the_same_rules() {
    let text =
        r#"{ "component": "orchestrator", "version": "0.3.0", "service": { "command": ["{package}/run"] } }"#;
    let (description, _) = read_package_description("mainstay-package.json", text).unwrap();
    assert_eq!(description.version.as_str(), "0.3.0");
    let text = r#"{ "component": "orchestrator", "version": "0.3.0", "service": { "command": [""], "Boot": true } }"#;
    let problems = read_package_description("mainstay-package.json", text).unwrap_err();
    insta::assert_snapshot!(problems, @r"
    mainstay-package.json:1:77: service.command[0]: the name of the program is empty
    mainstay-package.json:1:82: service.Boot: unknown field; did you mean `boot`?
    ");
    let text = r#"{ "component": "orchestrator", "version": "0.3.0", "service": { "command": [""] } }"#;
    let problems = read_package_description("mainstay-package.json", text).unwrap_err();
    insta::assert_snapshot!(problems, @"mainstay-package.json:1:77: service.command[0]: the name of the program is empty");
}

#[test]
fn manifests_of_every_released_version_load() {
    let manifests = files("tests/fixtures/v1");
    assert!(manifests.iter().any(|(name, _)| name == "manifest"));
    for (name, text) in manifests.iter().filter(|(name, _)| name.starts_with("manifest")) {
        read_manifest(name, text).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn launches_and_reports_of_every_released_version_load() {
    let released: std::collections::BTreeMap<String, String> =
        files("tests/fixtures/v1").into_iter().collect();
    let launch: LaunchSpec = serde_json::from_str(&released["launch"]).unwrap();
    // A field that an old spec doesn't have must not change its identity: the supervisor that reported it
    // may be of another version than the command that reads the report.
    assert_eq!(launch.text(), released["launch"]);
    let report: Status = serde_json::from_str(&released["report"]).unwrap();
    assert_eq!((report.failures, report.last_exit), (2, Some(Exit::Code(3))));
    assert_eq!((report.last_outcome, report.health, report.schedule), (None, None, None));
}
