//! Units and property lists that somebody else wrote become manifests: line by line, as systemd itself and Python's
//! `plistlib` read them.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "tests start programs directly")]

mod oracle;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use camino::Utf8Path;
use mainstay::model::adoption::Fate;
use mainstay::model::manifest::Scope;
use mainstay::platform::adoption::Draft;
use mainstay::platform::launchd;
use mainstay::platform::systemd::escape;
use mainstay::platform::systemd::reader::{self, UnitFacts, UnitSource, UnitText};
use proptest::prelude::*;
use serde_json::{Value, json};

fn source(files: &[(&str, &str)]) -> UnitSource {
    let text = |(path, text): &(&str, &str)| UnitText {
        path: (*path).into(),
        text: (*text).to_owned(),
        is_drop_in: path.contains(".d/"),
    };
    UnitSource {
        facts: UnitFacts {
            unit: "web.service".to_owned(),
            scope: Scope::System,
            account: "root".to_owned(),
            uid: 0,
            home: "/root".into(),
        },
        files: files.iter().map(text).collect(),
        environment_files: BTreeMap::new(),
        run: "/run/mainstay/web".into(),
    }
}

fn read(text: &str) -> Draft {
    reader::read(&source(&[("/etc/systemd/system/web.service", text)]))
}

fn service(draft: &Draft) -> Value {
    serde_json::to_value(&draft.service).unwrap()
}

/// The settings that can't be carried over, with their lines.
fn refused(draft: &Draft) -> Vec<(&str, usize)> {
    draft.refused().map(|line| (line.key.as_str(), line.line)).collect()
}

#[test]
fn a_unit_becomes_a_manifest() {
    let draft = read(
        "[Unit]\nDescription=Orders of %N\nAfter=postgresql.service\nAfter=redis.service\n\
         StartLimitIntervalSec=60\nStartLimitBurst=3\n\n[Service]\nType=notify\nUser=orders\nGroup=www-data\n\
         Environment=PORT=80 \"GREETING=a b\" BRACES={data}\nEnvironment=LEVEL=\\x41\n\
         WorkingDirectory=/srv/orders\nExecStartPre=-/bin/prepare ${PORT}\n\
         ExecStart=/usr/bin/orders --port ${PORT} \\\n  # a comment between\n  --name 'a b' $NONE\n\
         Restart=always\nRestartSec=5\nTimeoutStopSec=1min 30s\nKillSignal=SIGINT\nLimitNOFILE=65536\n\
         MemoryMax=1G\nNice=-5\nUMask=0027\nSuccessExitStatus=143 SIGTERM\nRestartPreventExitStatus=CONFIG\n\
         WatchdogSec=30\nProtectSystem=full\nCapabilityBoundingSet=\nStateDirectory=orders\n\n\
         [Install]\nWantedBy=multi-user.target\n",
    );
    assert_eq!(refused(&draft), []);
    assert_eq!(
        service(&draft),
        json!({
            "command": ["/usr/bin/orders", "--port", "80", "--name", "a b"],
            "description": "Orders of web",
            "environment": {
                "BRACES": "{{data}}", "GREETING": "a b", "LEVEL": "A", "PORT": "80",
                "STATE_DIRECTORY": "/var/lib/orders"
            },
            "user": "orders", "group": "www-data", "umask": "0027", "workingDirectory": "/srv/orders",
            "restart": { "when": "always", "delays": ["5s"], "limit": 3, "window": "1m" },
            "stop": { "signal": "SIGINT", "timeout": "1m30s" },
            "ready": { "notify": true, "timeout": "1m30s" },
            "health": { "notify": true, "every": "30s" },
            "exitCodes": { "143": "success", "78": "fatal" },
            "limits": { "memory": "1GiB", "openFiles": 65536, "nice": -5 },
            "hardening": "off"
        })
    );
    assert_eq!(
        serde_json::to_value(&draft.systemd).unwrap(),
        json!({
            "unit": { "After": ["postgresql.service", "redis.service"] },
            "service": {
                "CapabilityBoundingSet": [""], "ExecStartPre": ["-:\"/bin/prepare\" \"80\""],
                "ProtectSystem": ["full"], "StateDirectory": ["orders"]
            }
        })
    );
    // The continued line is told of at its first.
    let start = draft.lines.iter().find(|line| line.key == "ExecStart").unwrap();
    assert_eq!((start.line, start.fate), (16, Fate::Carried));
    assert!(start.note.as_ref().unwrap().contains("`$PORT`"));
}

#[test]
fn what_can_not_be_carried_over_is_refused_with_its_line() {
    let mut draft = read(
        "[Unit]\nRefuseManualStop=yes\n[Service]\nType=dbus\nBusName=org.example\nExecStart=-@/bin/a b\n\
         ExecStart=/bin/c\nKillMode=process\nDynamicUser=yes\nRootDirectory=/srv\nEnvironmentFile=/etc/x*\n\
         RestartForceExitStatus=SIGKILL\nRestart=on-success\nLimitNOFILE=1:2\n[Install]\nAlias=b.service\n[Timer]\nX=1\n",
    );
    let found: Vec<_> = refused(&draft);
    for expected in [
        ("RefuseManualStop", 2),
        ("Type", 4),
        ("BusName", 5),
        ("ExecStart-prefix", 6),
        ("ExecStart", 7),
        ("KillMode", 8),
        ("DynamicUser", 9),
        ("RootDirectory", 10),
        ("EnvironmentFile", 11),
        ("RestartForceExitStatus", 12),
        ("Restart", 13),
        ("LimitNOFILE", 14),
        ("Alias", 16),
        ("X", 18),
    ] {
        assert!(found.contains(&expected), "{expected:?} of {found:?}");
    }
    assert!(draft.lines.iter().all(|line| line.fate != Fate::Refused || line.note.is_some()));
    let keys = ["Type", "Alias", "Nothing"].map(str::to_owned);
    assert_eq!(draft.leave_out(&keys), ["Nothing"]);
    assert!(draft.refused().all(|line| line.key != "Type" && line.key != "Alias"));
}

#[test]
fn a_later_line_counts_and_an_empty_one_takes_back() {
    let main =
        "[Service]\nExecStart=/bin/a\nEnvironment=A=1\nRestartSec=1\nRestartSec=2\nExecStartPre=/bin/p\n";
    let files = [
        ("/lib/systemd/system/web.service", main),
        (
            "/etc/systemd/system/web.service.d/a.conf",
            "[Service]\nExecStart=\nExecStart=/bin/b $A\nEnvironment=A=2\n",
        ),
        ("/etc/systemd/system/web.service.d/b.conf", "[Service]\nIOWeight=50\n[Unit]\nAfter=x.service\n"),
    ];
    let source = source(&files);
    let draft = reader::read(&source);
    assert_eq!(refused(&draft), []);
    assert_eq!(draft.service.command.as_deref().unwrap(), ["/bin/b", "2"]);
    assert_eq!(service(&draft)["restart"]["delays"], json!(["2s"]));
    // What only adds stays where it is, and is no part of the manifest.
    assert_eq!(source.files.iter().map(UnitText::moves).collect::<Vec<_>>(), [true, true, false]);
    assert!(draft.systemd.unit.is_empty() && !draft.systemd.service.contains_key("IOWeight"));
    assert_eq!(draft.lines.iter().filter(|line| line.fate == Fate::Stays).count(), 2);
}

#[test]
fn a_daemon_that_can_stay_in_the_foreground_is_brought_to() {
    for (line, words) in [
        ("/usr/sbin/nginx", vec!["/usr/sbin/nginx", "-g", "daemon off;"]),
        ("/usr/sbin/nginx -g 'daemon on; user x;'", vec!["/usr/sbin/nginx", "-g", "daemon off; user x;"]),
        ("/usr/sbin/nginx -g 'user x;' -q", vec!["/usr/sbin/nginx", "-g", "daemon off; user x;", "-q"]),
    ] {
        let draft = read(&format!("[Service]\nType=forking\nPIDFile=/run/x.pid\nExecStart={line}\n"));
        assert_eq!(refused(&draft), []);
        assert_eq!(draft.service.command.as_deref().unwrap(), words);
    }
    assert_eq!(refused(&read("[Service]\nType=forking\nExecStart=/usr/sbin/other\n")), [("Type", 2)]);
}

#[test]
fn signals_to_the_main_process_reach_the_program() {
    let draft = read(
        "[Service]\nExecStart=/bin/a\nExecStop=/bin/kill -s QUIT $MAINPID\nExecReload=/bin/kill -HUP $MAINPID\n",
    );
    assert_eq!(refused(&draft), []);
    assert_eq!(service(&draft)["stop"], json!({ "signal": "SIGQUIT", "timeout": "1m30s" }));
    assert_eq!(service(&draft)["pidFile"], json!("{run}/program.pid"));
    assert!(draft.systemd.service["ExecReload"][0].contains("/run/mainstay/web/program.pid"));
    let draft = read("[Service]\nExecStart=/bin/a\nExecStop=/bin/tell $MAINPID\n");
    assert_eq!(refused(&draft), [("ExecStop", 3)]);
}

#[test]
fn a_service_that_was_started_for_ever_still_is() {
    let restart =
        |lines: &str| service(&read(&format!("[Service]\nExecStart=/bin/a\n{lines}")))["restart"].clone();
    assert_eq!(restart(""), json!({ "when": "never" }));
    assert_eq!(restart("Restart=always\nRestartSec=5\n")["limit"], json!(1000));
    assert_eq!(restart("Restart=always\nRestartSec=1\n"), json!({ "when": "always", "delays": ["1s"] }));
    assert_eq!(restart("Restart=always\nStartLimitIntervalSec=0\n")["limit"], json!(1000));
}

/// What is written, shown and planned of a unit with this mode, in an empty folder.
fn dry_run(mode: u32, text: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("mends-of-adopt.service");
    fs_err::write(&unit, text).unwrap();
    fs_err::set_permissions(&unit, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    let deploy = folder.path().join("deploy");
    fs_err::create_dir(&deploy).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_mainstay"))
        .args(["adopt", unit.to_str().unwrap(), "--dry-run", "--json"])
        .current_dir(&deploy)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs_err::read_dir(&deploy).unwrap().count(), 0);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn what_others_can_not_read_is_kept_from_the_manifest() {
    let text = "[Service]\nExecStart=/bin/sleep 100\nEnvironment=MODE=a API_TOKEN=hunter2 BRACES={data}\n";
    for (mode, open) in [(0o644, json!({ "MODE": "a", "BRACES": "{{data}}" })), (0o640, Value::Null)] {
        let answer = dry_run(mode, text);
        let written = answer["manifest"].as_str().unwrap();
        let manifest: Value = serde_json::from_str(written).unwrap();
        assert!(!written.contains("hunter2"), "{written}");
        assert_eq!(manifest["service"]["environmentFile"], "mends-of-adopt.env");
        assert_eq!(manifest["service"]["environment"], open);
        let steps = answer["steps"].to_string();
        assert!(steps.contains("mends-of-adopt.env"), "{steps}");
    }
    let plain = dry_run(0o644, "[Service]\nExecStart=/bin/sleep 100\nEnvironment=MODE=a\n");
    assert!(!plain["manifest"].as_str().unwrap().contains("environmentFile"));
}

/// What can stand in a command line, piece by piece. Not `$`, of which systemd itself tells nothing here.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        " ",
        "  ",
        "\t",
        "a",
        "b c",
        "\"",
        "'",
        "\\",
        "\\x41",
        "\\n",
        "\\s",
        "\\101",
        "\\q",
        "\\u00e9",
        "%%",
        "%n",
        "%p",
        ";",
        " ; /bin/c ",
        "\\;",
        "é",
        "#",
        "=",
        "-",
        "@",
        "\"a b\"",
        "'c \"d'",
        "\\\"",
        "\\\\",
    ]);
    prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever stands in a unit, reading it comes to an end, and tells of each line.
    #[test]
    fn reading_never_panics(text in "(\\[(Unit|Service|Install|X-a|[a-z]{0,3})\\]?\n|(ExecStart|ExecStop|Type|Environment|EnvironmentFile|User|Restart|RestartSec|RestartSteps|RestartMaxDelaySec|StartLimitBurst|TimeoutSec|LimitNOFILE|MemoryMax|Nice|UMask|KillMode|StateDirectory|SuccessExitStatus|WorkingDirectory|[A-Za-z]{0,6}) {0,2}=[-@:+!$%{}\\\\\"'a-zé0-9;/ ~.*]{0,16}\\\\?\n|[#;].{0,5}\n|\\PC{0,8}\n){0,24}") {
        let draft = read(&text);
        for line in &draft.lines {
            prop_assert!(line.line >= 1 && line.line <= text.split(['\n', '\0']).count());
        }
    }

    /// What mainstay writes of words and variables is read as the same words and variables.
    #[test]
    fn what_was_written_is_read(
        words in prop::collection::vec("\\PC{0,8}|[%$\"'\\\\ \t{}]{0,6}", 0..6),
        value in "\\PC{0,12}|[%$\"'\\\\ \t\n]{0,8}",
    ) {
        let argv: Vec<String> = std::iter::once("/bin/x".to_owned()).chain(words).collect();
        let (Ok(line), Ok(variable)) = (escape::command(&argv), escape::assignment("A", &value)) else {
            return Ok(());
        };
        let draft = read(&format!("[Service]\nExecStart={line}\nEnvironment={variable}\n"));
        let literal = mainstay::model::token::literal;
        prop_assert_eq!(draft.service.command.unwrap(), argv.iter().map(|word| literal(word)).collect::<Vec<_>>());
        let read = draft.service.environment.into_iter().next().map(|(_, value)| value);
        prop_assert_eq!(read, Some(literal(&value)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A command line is read as systemd reads it.
    #[test]
    fn words_are_those_of_systemd(lines in prop::collection::vec(pieces(), 12)) {
        if !oracle::present() {
            return Ok(());
        }
        let folder = tempfile::tempdir().unwrap();
        for pieces in lines {
            let text = format!("[Service]\nType=oneshot\nExecStart=/bin/true {pieces}\n");
            let path = folder.path().join("web.service");
            fs_err::write(&path, &text).unwrap();
            let verdict = oracle::verify(&path);
            let is_refused = verdict.complaints.iter().any(|complaint| complaint.contains("Failed to load"));
            let section = if is_refused { &[][..] } else { oracle::section(&verdict, "web.service") };
            let theirs: Vec<Vec<String>> = section
                .split(|byte| *byte == b'\n')
                .filter_map(|line| line.trim_ascii_start().strip_prefix(b"Command Line: "))
                .map(|line| {
                    let words = oracle::words(line).into_iter();
                    words.map(|word| String::from_utf8_lossy(&word).into_owned()).collect()
                })
                .collect();
            let draft = read(&text);
            let ours = draft.service.command.clone().unwrap_or_default();
            match theirs.as_slice() {
                // Of several commands in a line systemd takes those that it can read; we take all of them or none.
                [_] if ours.is_empty() && pieces.contains(';') => {}
                [only] => prop_assert_eq!(only, &ours, "{}", text),
                // Several programs are none for a service, and what systemd does not take is not taken either.
                _ => prop_assert!(ours.is_empty(), "{text} became {ours:?}, and {theirs:?} for systemd"),
            }
        }
    }
}

/// A property list as Python writes it.
fn written(value: &Value, format: &str) -> Vec<u8> {
    let script = "import json, plistlib, sys\nsys.stdout.buffer.write(plistlib.dumps(json.load(sys.stdin), fmt=getattr(plistlib, sys.argv[1])))";
    let mut python = Command::new("python3")
        .args(["-c", script, format])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(value.to_string().as_bytes()).unwrap();
    python.wait_with_output().unwrap().stdout
}

#[test]
fn a_property_list_becomes_a_manifest() {
    let value = json!({
        "Label": "dev.acme.web",
        "ProgramArguments": ["/usr/local/bin/web", "--name", "a & b", "{data}"],
        "EnvironmentVariables": { "PORT": "80", "EMPTY": "" },
        "KeepAlive": { "SuccessfulExit": false },
        "RunAtLoad": true,
        "UserName": "web",
        "Umask": 23,
        "ThrottleInterval": 30,
        "ExitTimeOut": 45,
        "Nice": 5,
        "SoftResourceLimits": { "NumberOfFiles": 4096 },
        "ProcessType": "Standard",
        "StandardOutPath": "/var/log/web.log",
        "MachServices": { "dev.acme.web": true },
    });
    for format in ["FMT_XML", "FMT_BINARY"] {
        let found = launchd::reader::read(Utf8Path::new("web.plist"), &written(&value, format)).unwrap();
        assert_eq!(found.label.as_deref(), Some("dev.acme.web"));
        assert_eq!(
            service(&found.draft),
            json!({
                "command": ["/usr/local/bin/web", "--name", "a & b", "{{data}}"],
                "environment": { "PORT": "80", "EMPTY": "" },
                "user": "web", "umask": "0027", "workingDirectory": "/",
                "restart": { "when": "on-failure", "delays": ["30s"], "limit": 1000 },
                "stop": { "timeout": "45s" },
                "limits": { "openFiles": 4096, "nice": 5 }
            })
        );
        let mut left: Vec<&str> = found.draft.refused().map(|line| line.key.as_str()).collect();
        left.sort_unstable();
        assert_eq!(left, ["MachServices", "StandardOutPath"]);
        assert_eq!(found.draft.lines.len(), value.as_object().unwrap().len());
        assert!(found.draft.lines.iter().all(|line| (line.line > 0) == (format == "FMT_XML")));
    }
}

#[test]
fn what_launchd_supposes_is_written_out() {
    let draft =
        |value: Value| launchd::reader::read(Utf8Path::new("x"), &written(&value, "FMT_XML")).unwrap().draft;
    let plain = service(&draft(json!({ "Label": "x", "Program": "/bin/x" })));
    assert_eq!(plain["restart"], json!({ "when": "never" }));
    assert_eq!((&plain["boot"], &plain["stop"]), (&json!(false), &json!({ "timeout": "20s" })));
    let kept = service(&draft(json!({ "Label": "x", "Program": "/bin/x", "KeepAlive": true })));
    assert_eq!(kept["restart"], json!({ "when": "always", "delays": ["10s"], "limit": 1000 }));
    assert_eq!(kept.get("boot"), None);
    let turns = service(&draft(json!({ "Label": "x", "Program": "/bin/x", "StartInterval": 3600 })));
    assert_eq!(turns["schedule"], json!({ "every": "1h" }));
    for wrong in [&b"no plist"[..], b"", b"<plist><array/></plist>", b"bplist00\0"] {
        assert!(launchd::reader::read(Utf8Path::new("x"), wrong).is_err());
    }
}
