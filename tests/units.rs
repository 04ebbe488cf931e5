//! Units: their texts, and what systemd itself thinks of them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod oracle;

use camino::{Utf8Path, Utf8PathBuf};
use insta::assert_snapshot;
use mainstay::model::launch::{Circumstances, LaunchSpec};
use mainstay::model::layout::{Layout, UserFolders};
use mainstay::model::manifest::{Manifest, PlatformKind, Scope};
use mainstay::model::version::Version;
use mainstay::platform::{self, Facts, Inexpressible};
use serde_json::{Value, json};

const FACTS: Facts = Facts { systemd_version: 252, home: None, account: None };

fn spec(scope: Scope, deploy: &str, manifest: Value) -> LaunchSpec {
    let manifest: Manifest = serde_json::from_value(manifest).unwrap();
    LaunchSpec::resolve(
        &manifest,
        None,
        Circumstances {
            platform: PlatformKind::Systemd,
            scope,
            deploy: deploy.into(),
            version: Version::new("1.2.3").unwrap(),
            owner: None,
        },
    )
    .unwrap()
}

fn manifest(service: Value) -> Value {
    let mut whole = json!({ "name": "web", "package": { "name": "server" } });
    whole["service"] = service;
    whole["service"]
        .as_object_mut()
        .unwrap()
        .entry("command")
        .or_insert(json!(["{package}/bin/server", "--port=80"]));
    whole
}

fn user_layout() -> Layout {
    Layout::user(&UserFolders {
        home: "/home/alice".into(),
        config_home: None,
        state_home: None,
        data_home: None,
        runtime_directory: Some("/run/user/1000".into()),
        local_data: None,
    })
}

fn unit(scope: Scope, service: Value, version: u32) -> Result<String, Inexpressible> {
    let layout = if scope == Scope::System { Layout::system() } else { user_layout() };
    let facts = Facts { systemd_version: version, home: None, account: None };
    let definition = platform::definition(&spec(scope, "/srv/web", manifest(service)), &layout, &facts)?;
    assert!(definition.text.ends_with("target\n"), "the last line is a line");
    assert!(definition.socket.iter().all(|socket| socket.text.ends_with("target\n")));
    assert_eq!(definition.path, layout.units().join("web.service"));
    Ok(definition.text)
}

fn system(service: Value) -> String {
    unit(Scope::System, service, 252).unwrap()
}

fn refusal(scope: Scope, service: Value) -> String {
    unit(scope, service, 252).unwrap_err().to_string()
}

fn native() -> Value {
    json!({ "supervision": "native", "user": "kici", "environment": { "PORT": "80", "GREETING": "50% \"off\"\n$HOME" },
            "environmentFile": "server.env", "stop": { "signal": "SIGQUIT" } })
}

#[test]
fn a_minimal_service_of_the_host() {
    assert_snapshot!(system(json!({})));
}

#[test]
fn a_service_of_a_user() {
    assert_snapshot!(unit(Scope::User, json!({}), 252).unwrap());
}

#[test]
fn a_strict_service_of_the_host() {
    assert_snapshot!(system(json!({ "hardening": "strict", "user": "kici" })));
}

#[test]
fn a_strict_service_of_a_user() {
    assert_snapshot!(unit(Scope::User, json!({ "hardening": "strict" }), 252).unwrap());
}

#[test]
fn a_run_folder_with_a_file_for_monitors_outlives_the_service() {
    let stays = |service: Value| {
        system(service)
            .lines()
            .find_map(|line| line.strip_prefix("RuntimeDirectoryPreserve=").map(str::to_owned))
    };
    assert_eq!(stays(json!({ "healthFile": "{run}/health.json" })).as_deref(), Some("yes"));
    assert_eq!(stays(json!({ "healthFile": "/run/mainstay/web/health.json" })).as_deref(), Some("yes"));
    for elsewhere in ["{data}/health.json", "health.json", "/run/mainstay/website/health.json"] {
        assert_eq!(stays(json!({ "healthFile": elsewhere })).as_deref(), Some("restart"), "{elsewhere}");
    }
    assert_eq!(stays(json!({})).as_deref(), Some("restart"));
}

#[test]
fn native_supervision_before_and_after_growing_delays() {
    assert_snapshot!("native_252", unit(Scope::System, native(), 252).unwrap());
    assert_snapshot!("native_257", unit(Scope::System, native(), 257).unwrap());
}

#[test]
fn a_moved_layout() {
    let layout = Layout::system().below("/srv/main stay".into()).with_config_root("/srv/conf%ig".into());
    let spec = spec(Scope::System, "/srv/web", manifest(json!({ "user": "kici" })));
    assert_snapshot!(platform::definition(&spec, &layout, &FACTS).unwrap().text);
}

#[test]
fn credentials_limits_and_settings_of_ones_own() {
    let mut whole = manifest(json!({
        "environmentFile": "server.env",
        "secrets": { "DATABASE_URL": { "file": "secrets/database-url" } },
        "limits": { "memory": "512MiB", "openFiles": 65536, "processes": 64 },
        "hardening": "off", "stop": { "timeout": "5m" }, "description": "The web, 100%"
    }));
    whole["systemd"] = json!({
        "unit": { "After": ["postgresql.service", "redis.service"] },
        "service": { "Nice": ["5"], "SupplementaryGroups": ["video"] }
    });
    let spec = LaunchSpec { credentials: true, ..spec(Scope::System, "/srv/web", whole) };
    assert_snapshot!(platform::definition(&spec, &Layout::system(), &FACTS).unwrap().text);
    let file = LaunchSpec { environment_file: Some("/srv/a b".into()), ..spec.clone() };
    let reason = platform::definition(&file, &Layout::system(), &FACTS).unwrap_err().to_string();
    assert!(reason.contains("`/srv/a b`") && reason.contains("credential"), "{reason}");
    let of_user = LaunchSpec { scope: Scope::User, ..spec };
    assert!(platform::definition(&of_user, &user_layout(), &FACTS).is_err());
}

fn with_sockets() -> Value {
    json!({
        "sockets": [{ "listen": "127.0.0.1:80", "name": "http" }, { "listen": "[::1]:80" },
                    { "listen": "/run/mainstay/web/web.sock" }],
        "user": "kici", "group": "www-data", "umask": "027", "limits": { "nice": 10 },
        "health": { "tcp": "127.0.0.1:81", "every": "20s" }
    })
}

#[test]
fn a_service_with_sockets_has_two_units() {
    for (scope, layout) in [(Scope::System, Layout::system()), (Scope::User, user_layout())] {
        let spec = spec(scope, "/srv/web", manifest(with_sockets()));
        let definition = platform::definition(&spec, &layout, &FACTS).unwrap();
        let socket = definition.socket.unwrap();
        assert_eq!(socket.path, layout.units().join("web.socket"));
        assert_eq!(platform::marker(PlatformKind::Systemd, &socket.text), Some(platform::identity(&spec)));
        assert!(platform::untouched(PlatformKind::Systemd, &socket.text));
        assert_snapshot!(format!("sockets_{scope}"), format!("{}\n{}", definition.text, socket.text));
    }
    let without = spec(Scope::System, "/srv/web", manifest(json!({ "sockets": [] })));
    assert_eq!(platform::definition(&without, &Layout::system(), &FACTS).unwrap().socket, None);
}

#[test]
fn the_watchdog_is_set_where_there_is_something_to_watch() {
    let watchdog = |service: Value| {
        let text = system(service);
        text.lines().find_map(|line| line.strip_prefix("WatchdogSec=").map(str::to_owned))
    };
    assert_eq!(watchdog(json!({})), None);
    assert_eq!(watchdog(json!({ "health": { "tcp": "127.0.0.1:80" } })).as_deref(), Some("30s"));
    let rarely = json!({ "health": { "tcp": "127.0.0.1:80", "every": "1m" } });
    assert_eq!(watchdog(rarely).as_deref(), Some("3m"));
    assert_eq!(watchdog(json!({ "schedule": { "every": "1h" } })).as_deref(), Some("30s"));
}

#[test]
fn odd_paths() {
    let deploy = r#"/srv/it's 50% "$HOME" \"#;
    let layout = Layout::system().below(r#"/opt/it's 50% "$HOME" \x"#.into());
    let spec = spec(Scope::System, deploy, manifest(json!({ "hardening": "strict", "user": "kici" })));
    let text = platform::definition(&spec, &layout, &FACTS).unwrap().text;
    assert_eq!(platform::marker(PlatformKind::Systemd, &text).unwrap().folder, deploy);
    assert_snapshot!(text);
}

#[test]
fn the_embedded_definition() {
    let spec = LaunchSpec {
        platform: PlatformKind::Embedded,
        ..spec(Scope::User, "/home/alice/web \"1\"", manifest(json!({ "boot": false })))
    };
    let definition = platform::definition(&spec, &user_layout(), &FACTS).unwrap();
    assert_snapshot!(definition.text);
    assert_eq!(definition.path, "/home/alice/.local/state/mainstay/web/definition.json");
    assert!(platform::untouched(PlatformKind::Embedded, &definition.text));
    assert!(!platform::untouched(PlatformKind::Embedded, &definition.text.replace("false", "true")));
    assert_eq!(platform::marker(PlatformKind::Embedded, &definition.text), Some(platform::identity(&spec)));
    assert_eq!(platform::embedded::starts_at_boot(&definition.text), Some(false));
    for service in [
        json!({ "supervision": "native" }),
        json!({ "hardening": "strict" }),
        json!({ "limits": { "processes": 1 } }),
    ] {
        let spec = LaunchSpec {
            platform: PlatformKind::Embedded,
            ..self::spec(Scope::User, "/home/alice/web", manifest(service.clone()))
        };
        assert!(platform::definition(&spec, &user_layout(), &FACTS).is_err(), "{service}");
    }
}

#[test]
fn the_marker_is_read_back_whatever_the_folder() {
    for folder in ["/srv/web", "/srv/a b", "/a\nb\\", "/é日\"'%$", "/x\\", "/\u{1}\u{7f}\u{2028}", "/a=b"] {
        for scope in [Scope::System, Scope::User] {
            let spec = spec(scope, folder, manifest(json!({ "workingDirectory": "/" })));
            let layout = if scope == Scope::System { Layout::system() } else { user_layout() };
            let text = platform::definition(&spec, &layout, &FACTS).unwrap().text;
            assert_eq!(platform::marker(PlatformKind::Systemd, &text), Some(platform::identity(&spec)));
            assert!(platform::untouched(PlatformKind::Systemd, &text));
        }
    }
    assert_eq!(platform::marker(PlatformKind::Systemd, "[Service]\nExecStart=/bin/true\n"), None);
    assert_eq!(platform::marker(PlatformKind::Systemd, "X-Mainstay-Component=server\n"), None);
    assert_eq!(platform::marker(PlatformKind::Systemd, ""), None);
    assert_eq!(platform::marker(PlatformKind::Embedded, "{}"), None);
}

#[test]
fn a_unit_edited_by_hand_is_told_apart() {
    let text = system(json!({}));
    assert!(platform::untouched(PlatformKind::Systemd, &text));
    assert!(!platform::untouched(PlatformKind::Systemd, &text.replace("KillMode=mixed", "KillMode=none")));
    assert!(!platform::untouched(PlatformKind::Systemd, &format!("{text}# mine\n")));
}

#[test]
fn a_definition_does_not_depend_on_the_version() {
    let one = spec(Scope::System, "/srv/web", manifest(native()));
    let other = LaunchSpec { version: Version::new("9.9").unwrap(), ..one.clone() };
    let text = |spec| platform::definition(spec, &Layout::system(), &FACTS).unwrap().text;
    assert_eq!(text(&one), text(&other));
}

#[test]
fn what_systemd_has_no_words_for_is_refused_with_the_reason() {
    let native = |more: Value| {
        let mut service = json!({ "supervision": "native" });
        service.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        refusal(Scope::System, service)
    };
    let refusals = [
        native(json!({ "ready": { "http": "http://127.0.0.1:80/" } })),
        native(json!({ "ready": { "tcp": "127.0.0.1:80" } })),
        native(json!({ "ready": { "command": ["true"] } })),
        native(json!({ "ready": { "file": "x" } })),
        native(json!({ "stdin": "open" })),
        native(json!({ "secrets": { "KEY": { "file": "key" } } })),
        native(json!({ "environmentFile": "*.env" })),
        native(json!({ "workingDirectory": "a\nb" })),
        native(json!({ "workingDirectory": ".." })),
        native(json!({ "command": ["bin/server"] })),
        native(json!({ "command": ["{package}/server", "a\0b"] })),
        native(json!({ "environment": { "A": "\u{fffe}" } })),
        native(json!({ "stop": { "timeout": "300000000d" } })),
        refusal(Scope::System, json!({ "limits": { "memory": "0B" } })),
        refusal(Scope::System, json!({ "limits": { "processes": 0 } })),
        refusal(Scope::System, json!({ "description": "two\nlines" })),
        refusal(Scope::System, json!({ "description": "ends in \\" })),
        refusal(Scope::System, json!({ "user": "a\nb" })),
        refusal(Scope::User, json!({ "limits": { "nice": -1 } })),
        refusal(Scope::User, json!({ "limits": { "openFiles": 63 } })),
        refusal(
            Scope::System,
            json!({ "limits": { "openFiles": 67 }, "sockets": [{ "listen": "127.0.0.1:80" }] }),
        ),
        native(
            json!({ "sockets": [{ "listen": "127.0.0.1:80", "name": "a" }, { "listen": "127.0.0.1:81" }] }),
        ),
        unit(Scope::System, json!({}), 239).unwrap_err().to_string(),
    ];
    assert_snapshot!(refusals.join("\n"));
}

#[test]
fn a_change_of_what_systemd_hands_over_once_is_not_watched() {
    let service = json!({ "environmentFile": "own.env", "restartOnChange": ["environment"] });
    let spec = LaunchSpec { credentials: true, ..spec(Scope::System, "/srv/web", manifest(service)) };
    let definition = |spec: &LaunchSpec| platform::definition(spec, &Layout::system(), &FACTS);
    let refused = definition(&spec).unwrap_err().to_string();
    assert!(refused.starts_with("`service.restartOnChange` can't be expressed: "), "{refused}");
    // Where the service reads them itself, it sees what changes.
    assert!(definition(&LaunchSpec { credentials: false, ..spec }).is_ok());
}

#[test]
fn settings_that_are_ours_are_refused_among_ones_own() {
    let refused = |section: &str, key: &str, value: &str| {
        let mut whole = manifest(json!({}));
        whole["systemd"] = json!({ section: { key: [value] } });
        let spec = spec(Scope::System, "/srv/web", whole);
        platform::definition(&spec, &Layout::system(), &FACTS).unwrap_err().to_string()
    };
    let refusals = [
        refused("unit", "StartLimitBurst", "1"),
        refused("unit", "X-Mainstay-Instance", "other"),
        refused("unit", "After=a\nX", "b"),
        refused("service", "ExecStart", "/bin/true"),
        refused("service", "User", "root"),
        refused("service", "Nice", "5\nUser=root"),
        refused("service", "ExecReload", "/bin/true \\"),
    ];
    assert_snapshot!(refusals.join("\n"));
}

/// A host of a test's own: every program that a unit names exists.
struct Host {
    folder: tempfile::TempDir,
    layout: Layout,
}

impl Host {
    fn new(layout: Layout, odd: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().join(odd);
        Self { folder, layout: layout.below(root) }
    }

    fn unit(&self, spec: &LaunchSpec, version: u32) -> Utf8PathBuf {
        place(&self.layout.runtime_program(&spec.name));
        place(&self.layout.current(&spec.name, &spec.component).join("bin/server"));
        let facts = Facts { systemd_version: version, home: None, account: None };
        let definition = platform::definition(spec, &self.layout, &facts).unwrap();
        let path = Utf8Path::from_path(self.folder.path()).unwrap().join("web.service");
        fs_err::write(&path, definition.text).unwrap();
        if let Some(socket) = definition.socket {
            fs_err::write(path.with_extension("socket"), socket.text).unwrap();
        }
        path
    }
}

/// Puts a program there that does nothing.
fn place(path: &Utf8Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, "#!/bin/sh\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn systemd_takes_every_unit_without_a_word() {
    if !oracle::present() {
        return;
    }
    for scope in [Scope::System, Scope::User] {
        let layout = if scope == Scope::System { Layout::system() } else { user_layout() };
        for odd in ["plain", r#"it's 50% "$HOME" \x"#] {
            let host = Host::new(layout.clone(), odd);
            for hardening in ["off", "standard", "strict"] {
                for supervision in ["mainstay", "native"] {
                    let service = json!({
                        "hardening": hardening, "supervision": supervision, "environment": { "A": "b" },
                        "limits": { "memory": "1GiB", "openFiles": 1024, "processes": 64 },
                    });
                    let spec = spec(scope, "/srv/web", manifest(service));
                    let unit = host.unit(&spec, oracle::version());
                    let said = oracle::warnings(unit.as_std_path(), scope == Scope::User);
                    assert_eq!(
                        said,
                        "",
                        "{scope} {hardening} {supervision}:\n{}",
                        fs_err::read_to_string(&unit).unwrap()
                    );
                }
            }
            let mut service = with_sockets();
            service["user"] = json!("root");
            service["group"] = json!("root");
            let unit = host.unit(&spec(scope, "/srv/web", manifest(service)), oracle::version());
            for unit in [unit.with_extension("socket"), unit] {
                assert_eq!(oracle::warnings(unit.as_std_path(), scope == Scope::User), "", "{unit}");
            }
        }
    }
}

#[test]
fn the_judge_sees_an_unknown_setting() {
    if oracle::present() {
        let host = Host::new(Layout::system(), "plain");
        let mut whole = manifest(json!({}));
        whole["systemd"] = json!({ "service": { "NoSuchSetting": ["1"] } });
        let unit = host.unit(&spec(Scope::System, "/srv/web", whole), 252);
        assert!(oracle::warnings(unit.as_std_path(), false).contains("NoSuchSetting"));
    }
}

#[test]
fn strict_is_strict() {
    if !oracle::present() {
        return;
    }
    let exposure = |service: Value, deploy: &str| {
        let spec = spec(Scope::System, deploy, manifest(service));
        let text = platform::definition(&spec, &Layout::system(), &FACTS).unwrap().text;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.service");
        fs_err::write(&path, text).unwrap();
        oracle::exposure(&path)
    };
    for deploy in ["/srv/web", "/home/kici/web"] {
        for supervision in ["mainstay", "native"] {
            let found = exposure(
                json!({ "hardening": "strict", "user": "kici", "supervision": supervision }),
                deploy,
            );
            assert!(found <= 1.5, "strict, {deploy}, {supervision}: {found}");
        }
    }
    // Below `/tmp` there can be no `/tmp` of its own; as root there is a user less.
    for (profile, most) in [("off", 9.2), ("standard", 7.6), ("strict", 1.6)] {
        let found = exposure(json!({ "hardening": profile, "user": "kici" }), "/tmp/web");
        assert!(found <= most, "{profile}: {found}");
        let found = exposure(json!({ "hardening": profile }), "/srv/web");
        assert!(found <= most + 0.4, "{profile} as root: {found}");
    }
}

#[test]
fn what_the_service_needs_is_not_hidden_from_it() {
    let private = |deploy: &str, home: &str| {
        let spec = spec(Scope::System, deploy, manifest(json!({ "hardening": "strict", "user": "kici" })));
        let facts = Facts { home: Some(home.into()), ..FACTS };
        let text = platform::definition(&spec, &Layout::system(), &facts).unwrap().text;
        text.contains("PrivateTmp=yes")
    };
    assert!(private("/srv/web", "/home/kici"));
    assert!(private("/tmpfiles/web", "/home/kici"));
    assert!(!private("/tmp/web", "/home/kici"));
    assert!(!private("/var/tmp/web", "/home/kici"));
    assert!(!private("/srv/web", "/tmp/kici"));
}
