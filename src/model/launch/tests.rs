use serde_json::{Value, json};

use super::*;
use crate::model::contradiction::{read_manifest, read_package_description};
use crate::model::hook;
use crate::model::schema::Published;

fn resolved(manifest: &str, package: &str) -> Result<LaunchSpec, ResolveError> {
    let manifest =
        format!(r#"{{ "name": "web", "package": {{ "name": "server" }}, "service": {manifest} }}"#);
    let package = format!(r#"{{ "component": "server", "version": "1.0.0", "service": {package} }}"#);
    let (manifest, _) = read_manifest("m", &manifest).unwrap();
    let (package, _) = read_package_description("p", &package).unwrap();
    LaunchSpec::resolve(&manifest, Some(&package), circumstances())
}

fn circumstances() -> Circumstances {
    Circumstances {
        platform: PlatformKind::Embedded,
        scope: Scope::User,
        deploy: "/d".into(),
        version: "1.0.0".parse().unwrap(),
        owner: None,
    }
}

#[test]
fn a_timeout_in_the_manifest_leaves_the_packages_probe_in_force() {
    let package = r#"{ "command": ["x"], "ready": { "http": "http://h/", "timeout": "5s" } }"#;
    let ready = |manifest| resolved(manifest, package).unwrap().ready;
    let http = Probe::Http("http://h/".to_owned());
    assert_eq!(ready("{}"), Readiness { probe: http.clone(), timeout: Span::seconds(5) });
    assert_eq!(
        ready(r#"{ "ready": { "timeout": "9s" } }"#),
        Readiness { probe: http, timeout: Span::seconds(9) }
    );
    let tcp = Probe::Tcp("h:1".to_owned());
    assert_eq!(
        ready(r#"{ "ready": { "tcp": "h:1" } }"#),
        Readiness { probe: tcp, timeout: Span::seconds(5) }
    );
}

#[test]
fn a_package_names_files_of_the_deploy_folder_only() {
    for file in ["/etc/shadow", "../other", "a/../../b"] {
        let package = format!(r#"{{ "command": ["x"], "secrets": {{ "A": {{ "file": "{file}" }} }} }}"#);
        assert!(matches!(resolved("{}", &package), Err(ResolveError::PackagePath { .. })), "{file}");
        let package = format!(r#"{{ "command": ["x"], "environmentFile": "{file}" }}"#);
        assert!(matches!(resolved("{}", &package), Err(ResolveError::PackagePath { .. })), "{file}");
    }
    let package = r#"{ "command": ["x"], "environmentFile": "conf/env" }"#;
    assert_eq!(resolved("{}", package).unwrap().environment_file, Some("/d/conf/env".into()));
    // What the user writes is the user's.
    let manifest = r#"{ "secrets": { "A": { "file": "/etc/a" } } }"#;
    assert!(resolved(manifest, r#"{ "command": ["x"] }"#).is_ok());
}

#[test]
fn a_packages_probe_does_not_ask_at_a_socket_of_the_manifest() {
    let sockets = r#""sockets": [{ "listen": "127.0.0.1:4000" }]"#;
    for (probe, manifest, refused) in [
        (r#""ready": { "tcp": "localhost:4000" }"#, String::new(), Some("service.ready")),
        (r#""health": { "tcp": "127.0.0.1:4000" }"#, String::new(), Some("service.health")),
        (r#""health": { "tcp": "127.0.0.1:4001" }"#, String::new(), None),
        (r#""health": { "http": "http://127.0.0.1:4000/" }"#, String::new(), None),
        (r#""ready": { "http": "http://127.0.0.1:4000/" }"#, String::new(), None),
        (
            r#""ready": { "http": "http://127.0.0.1:4000/" }"#,
            r#", "overlap": true"#.to_owned(),
            Some("service.ready"),
        ),
        // The manifest's own probe takes the place of the package's.
        (r#""ready": { "tcp": "127.0.0.1:4000" }"#, r#", "ready": { "notify": true }"#.to_owned(), None),
    ] {
        let manifest = format!("{{ {sockets}{manifest} }}");
        let package = format!(r#"{{ "command": ["x"], {probe} }}"#);
        let found = match resolved(&manifest, &package) {
            Err(ResolveError::AskedAtSocket { field, .. }) => Some(field),
            other => other.map(|_| None).unwrap(),
        };
        assert_eq!(found, refused, "{probe} {manifest}");
    }
}

/// The fields of a schema's object that have a default, with those of the objects in it, by their paths.
fn defaults(whole: &Value, part: &Value, path: &[&str], found: &mut Vec<(Vec<String>, Value)>) {
    let part = part
        .get("$ref")
        .and_then(Value::as_str)
        .map_or(part, |name| whole.pointer(name.trim_start_matches('#')).unwrap());
    let Some(members) = part.get("properties").and_then(Value::as_object) else { return };
    for (name, member) in members {
        let path = [path, &[name.as_str()]].concat();
        if let Some(default) = member.get("default") {
            found.push((path.iter().map(ToString::to_string).collect(), default.clone()));
        }
        let of = member.get("allOf").or(member.get("anyOf")).and_then(Value::as_array);
        for inner in of.into_iter().flatten().chain([member]) {
            defaults(whole, inner, &path, found);
        }
    }
}

#[test]
fn what_the_schema_calls_a_default_is_what_holds_where_nobody_says_it() {
    let schema: Value = serde_json::from_str(&Published::Manifest.text()).unwrap();
    let mut found = Vec::new();
    defaults(&schema, &schema, &[], &mut found);
    let mut compared = Vec::new();
    for (path, default) in found {
        // What a part of an object is worth shows only where there is the object.
        let mut said =
            json!({ "name": "web", "package": { "name": "server" }, "service": { "command": ["x"] } });
        if path.starts_with(&["service".to_owned(), "health".to_owned()]) {
            said["service"]["health"]["tcp"] = json!("127.0.0.1:1");
        }
        let resolve = |said: &Value| {
            let (manifest, _) = read_manifest("m", &said.to_string()).ok()?;
            let mut spec = LaunchSpec::resolve(&manifest, None, circumstances()).ok()?;
            // It stays as it was said, and is decided when a hook is run.
            spec.hooks.timeout.get_or_insert(hook::USUAL_LIMIT);
            Some(spec)
        };
        let unsaid = resolve(&said).unwrap();
        let mut place = &mut said;
        for name in &path {
            place = place.as_object_mut().unwrap().entry(name).or_insert_with(|| json!({}));
        }
        *place = default.clone();
        // What needs more than this is no field of every manifest.
        let Some(spec) = resolve(&said) else { continue };
        assert_eq!(spec, unsaid, "{path:?}: {default}");
        compared.push(path.join("."));
    }
    for field in [
        "service.restart.delays",
        "service.stop.timeout",
        "service.health.every",
        "logs.maxSize",
        "upgrade.trial",
    ] {
        assert!(compared.iter().any(|path| path == field), "{field} is not compared: {compared:?}");
    }
}
