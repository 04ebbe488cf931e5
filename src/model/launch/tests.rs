use super::*;
use crate::model::contradiction::{read_manifest, read_package_description};

fn resolved(manifest: &str, package: &str) -> Result<LaunchSpec, ResolveError> {
    let manifest =
        format!(r#"{{ "name": "web", "package": {{ "name": "server" }}, "service": {manifest} }}"#);
    let package = format!(r#"{{ "component": "server", "version": "1.0.0", "service": {package} }}"#);
    let (manifest, _) = read_manifest("m", &manifest).unwrap();
    let (package, _) = read_package_description("p", &package).unwrap();
    let circumstances = Circumstances {
        platform: PlatformKind::Embedded,
        scope: Scope::User,
        deploy: "/d".into(),
        version: "1.0.0".parse().unwrap(),
        owner: None,
    };
    LaunchSpec::resolve(&manifest, Some(&package), circumstances)
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
