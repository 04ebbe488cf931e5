//! The property lists that are written for launchd, and what two other readers of property lists make of them.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    clippy::disallowed_methods,
    reason = "a test that fails panics, says what it saw, and starts processes itself"
)]

mod real;

use std::io::Write as _;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use mainstay::model::launch::{Circumstances, LaunchSpec};
use mainstay::model::layout::{HostFolders, Layout, UserFolders};
use mainstay::model::manifest::{PlatformKind, Scope};
use mainstay::model::operating_system::OperatingSystem;
use mainstay::model::version::Version;
use mainstay::platform::{self, Facts, Inexpressible};
use serde_json::{Value, json};

fn spec(scope: Scope, deploy: &str, service: Value) -> LaunchSpec {
    let mut manifest = json!({ "name": "web", "package": { "name": "server" }, "service": service });
    manifest["service"]["command"] = json!(["{package}/bin/server"]);
    let circumstances = Circumstances {
        platform: PlatformKind::Launchd,
        scope,
        deploy: deploy.into(),
        version: Version::new("1.0.0").unwrap(),
        owner: None,
    };
    LaunchSpec::resolve(&serde_json::from_value(manifest).unwrap(), None, circumstances).unwrap()
}

fn layout(scope: Scope) -> Layout {
    match scope {
        Scope::System => Layout::system_of(OperatingSystem::MacOs, &HostFolders::default()),
        Scope::User => Layout::user_of(OperatingSystem::MacOs, &UserFolders::of("/Users/ann".into())),
    }
}

fn text(spec: &LaunchSpec, layout: &Layout) -> Result<String, Inexpressible> {
    let facts = Facts { systemd_version: 0, home: None, account: None };
    platform::definition(spec, layout, &facts).map(|definition| definition.text)
}

/// Folders whose names mean something to XML, to a shell, or to a reader that trims.
const ODD: &str = "/Users/ann/a  b & <c> \"d\" 'e' ]]> $HOME %n é 日 😀 \\ <!--";

/// Every property list that a snapshot shows, and others with odd paths.
fn all() -> Vec<(&'static str, String)> {
    let (system, user) = (layout(Scope::System), layout(Scope::User));
    let by_hand = json!({ "boot": false, "stop": { "timeout": "2m" } });
    vec![
        ("daemon", text(&spec(Scope::System, "/srv/web", json!({ "user": "kici" })), &system).unwrap()),
        ("agent", text(&spec(Scope::User, "/Users/ann/web", json!({})), &user).unwrap()),
        ("by_hand", text(&spec(Scope::User, "/Users/ann/web", by_hand), &user).unwrap()),
        ("odd", text(&spec(Scope::User, ODD, json!({})), &user.clone().below(ODD.into())).unwrap()),
        ("lines", text(&spec(Scope::User, " /a\tb\nc\rd ", json!({})), &user).unwrap()),
    ]
}

#[test]
fn a_daemon_an_agent_and_odd_paths() {
    for (name, text) in all() {
        assert_snapshot!(name, text);
    }
}

#[test]
fn what_a_property_list_can_not_say_is_refused_with_the_reason() {
    let refusal = |service: Value| {
        text(&spec(Scope::System, "/srv/web", service), &layout(Scope::System)).unwrap_err().to_string()
    };
    let told = [
        refusal(json!({ "hardening": "strict" })),
        refusal(json!({ "supervision": "native" })),
        text(&spec(Scope::System, "/srv/a\u{1}b", json!({})), &layout(Scope::System))
            .unwrap_err()
            .to_string(),
    ];
    assert_snapshot!(told.join("\n"));
}

#[test]
fn the_marker_comes_back_and_an_edit_shows() {
    for (name, text) in all() {
        let marker = platform::marker(PlatformKind::Launchd, &text).unwrap();
        assert_eq!((marker.name.as_str(), marker.component.as_str()), ("web", "server"), "{name}");
        assert!(platform::untouched(PlatformKind::Launchd, &text), "{name}");
        let edited = text.replace("Interactive", "Background");
        assert!(!platform::untouched(PlatformKind::Launchd, &edited), "{name}");
        assert_eq!(platform::marker(PlatformKind::Launchd, &edited), Some(marker), "an edit keeps it ours");
    }
    let (_, odd) = all().swap_remove(3);
    assert_eq!(platform::marker(PlatformKind::Launchd, &odd).unwrap().folder, ODD);
    assert_eq!(platform::marker(PlatformKind::Launchd, "<plist><dict/></plist>"), None);
}

#[test]
fn whether_it_starts_by_itself_is_nothing_to_what_runs() {
    let user = layout(Scope::User);
    let part = |service: Value| {
        let text = text(&spec(Scope::User, "/Users/ann/web", service), &user).unwrap();
        platform::running_part(PlatformKind::Launchd, &text)
    };
    assert_eq!(part(json!({})), part(json!({ "boot": false })));
    assert_ne!(part(json!({})), part(json!({ "stop": { "timeout": "2m" } })));
}

/// What another program makes of a text; nothing where it is not installed, which is said.
fn passed_through(program: &str, arguments: &[&str], text: &str) -> Option<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        real::left_out(&format!("{program} is not installed"));
        return None;
    };
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} refuses it: {said}\n{text}");
    Some(output.stdout)
}

/// A property list as JSON, as this crate's parser reads it.
fn read(bytes: &[u8]) -> Value {
    fn json(value: &plist::Value) -> Value {
        match value {
            plist::Value::String(text) => text.as_str().into(),
            plist::Value::Boolean(truth) => (*truth).into(),
            plist::Value::Integer(number) => number.as_unsigned().unwrap().into(),
            plist::Value::Array(values) => values.iter().map(json).collect(),
            plist::Value::Dictionary(keys) => {
                Value::Object(keys.iter().map(|(key, value)| (key.clone(), json(value))).collect())
            }
            other => panic!("{other:?}"),
        }
    }
    json(&plist::Value::from_reader(std::io::Cursor::new(bytes)).unwrap())
}

#[test]
fn python_and_libplist_read_the_same() {
    let script = "import json,plistlib,sys; json.dump(plistlib.loads(sys.stdin.buffer.read()), sys.stdout)";
    for (name, text) in all() {
        let here = read(text.as_bytes());
        assert_eq!(here["MainstayInstance"], "web");
        if let Some(there) = passed_through("python3", &["-c", script], &text) {
            assert_eq!(serde_json::from_slice::<Value>(&there).unwrap(), here, "{name}, by plistlib");
        }
        // It only converts: what its parser understood is in the binary form that it writes.
        if let Some(there) = passed_through("plistutil", &["-i", "-", "-f", "bin", "-o", "-"], &text) {
            assert!(there.starts_with(b"bplist"));
            assert_eq!(read(&there), here, "{name}, by libplist");
        }
    }
}
