use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use mainstay::model::manifest::VariableName;
use mainstay::model::socket::Socket;
use mainstay::model::status::Phase;
use rustix::process::Signal;
use serde::Deserialize;

use crate::host::{Host, LONG, Running, free_port, program, spec, wait_for};

#[derive(Deserialize)]
struct Dump {
    arguments: Vec<Vec<u8>>,
    environment: Vec<Vec<u8>>,
    folder: String,
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
    files: Option<u64>,
    descriptors: Vec<String>,
}

impl Dump {
    fn of(host: &Host) -> Self {
        let path = host.data().join("dump.json");
        let text = wait_for("the dump", LONG, || fs::read(&path).ok());
        serde_json::from_slice(&text).unwrap()
    }

    fn variables(&self) -> BTreeMap<String, Vec<u8>> {
        let split = |entry: &Vec<u8>| {
            let equals = entry.iter().position(|byte| *byte == b'=').unwrap();
            (String::from_utf8(entry[..equals].to_vec()).unwrap(), entry[equals + 1..].to_vec())
        };
        self.environment.iter().map(split).collect()
    }
}

fn name(text: &str) -> VariableName {
    VariableName::new(text).unwrap()
}

/// Texts that some service manager, shell or format would change.
fn corpus() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        "a b",
        " lead",
        "trail ",
        "\t",
        "\n",
        "\r",
        "a\nb\r\nc\td",
        "\"",
        "'",
        "a\"b'c",
        "\\",
        "a\\",
        r"C:\dir\",
        r"C:\Program Files\x\",
        r"\\srv\share",
        "\\\"",
        "\\\\\"",
        r"a\qb",
        "%",
        "%%",
        "100%",
        "%i",
        "%n",
        "%h",
        "%PATH%",
        "%b",
        "$",
        "$$",
        "$HOME",
        "${X:-y}",
        "$(id)",
        "`id`",
        "$2a$08$abcdefghijklmnopqrstuv",
        ";",
        "a;b",
        "#x",
        "--x=y z",
        "-",
        "--",
        "@x",
        ":x",
        "+x",
        "!x",
        "|x",
        "~",
        "~/x",
        "*",
        "[a]",
        r#"{"k": "C:\\x"}"#,
        "{x}",
        "{ data }",
        "é 日 😀",
        "\u{a0}",
        "\u{200b}",
        "\u{fffe}",
        "\u{1}",
        "\u{7f}",
        "yes",
        "no",
        "on",
        "0123",
        "1e3",
        "null",
        "12:30",
        "]]>",
        "&amp;",
        "<!--",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("x".repeat(8 << 10));
    texts
}

#[test]
fn every_argument_and_value_arrives_byte_for_byte() {
    let corpus = corpus();
    let file = program("dumps");
    let mut command = vec![file.as_str()];
    command.extend(corpus.iter().map(String::as_str));
    let mut spec = spec(&command);
    for (index, text) in corpus.iter().enumerate() {
        spec.environment.insert(name(&format!("E{index}")), text.clone());
    }
    let host = Host::new(&spec);
    // The same again, through the environment file and as secrets.
    let mut lines = String::new();
    for (index, text) in corpus.iter().enumerate() {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
        lines.extend([&format!("F{index}=\""), escaped.as_str(), "\"\n"]);
        let secret = host.root.join(format!("secret{index}"));
        fs::write(&secret, format!("{text}\n")).unwrap();
        spec.secrets.insert(name(&format!("S{index}")), secret);
    }
    fs::write(host.root.join("file.env"), lines).unwrap();
    spec.environment_file = Some(host.root.join("file.env"));
    host.put(&spec);
    let _driver = host.run();
    let dump = Dump::of(&host);
    let expected: Vec<_> = command.iter().map(|argument| argument.as_bytes().to_vec()).collect();
    assert_eq!(dump.arguments, expected);
    let variables = dump.variables();
    for (index, text) in corpus.iter().enumerate() {
        for source in ["E", "F", "S"] {
            assert_eq!(variables[&format!("{source}{index}")], text.as_bytes(), "{source} {text:?}");
        }
    }
}

#[test]
fn nothing_else_is_in_the_environment() {
    let mut spec = spec(&[&program("dumps")]);
    spec.environment.insert(name("FROM"), "{data}/{{data}}".to_owned());
    spec.environment.insert(name("HOME"), "mine".to_owned());
    let host = Host::new(&spec);
    let mut command = host.driver("run", "web");
    command.env("OF_THE_SHELL", "x").env("NOTIFY_SOCKET", "/nowhere");
    let driver = Running(command.spawn().unwrap());
    let dump = Dump::of(&host);
    let variables = dump.variables();
    let supervisor = host.wait_for_status("a status", |status| status.program.is_some()).supervisor;
    let expected = BTreeMap::from(
        [
            ("FROM", format!("{}/{{data}}", host.data())),
            ("HOME", "mine".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("LOGNAME", "tester".to_owned()),
            ("MAINSTAY_COMPONENT", "server".to_owned()),
            ("MAINSTAY_NAME", "web".to_owned()),
            ("MAINSTAY_PLATFORM", "embedded".to_owned()),
            ("MAINSTAY_SCOPE", "user".to_owned()),
            ("MAINSTAY_START", "1".to_owned()),
            ("MAINSTAY_SUPERVISOR", supervisor.to_string()),
            ("MAINSTAY_VERSION", "1.0.0".to_owned()),
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
            ("USER", "tester".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value.into_bytes())),
    );
    assert_eq!(variables, expected);
    assert_eq!(dump.folder, host.data().as_str());
    // Its three streams, and nothing of the supervisor's or of the caller's; `/proc` is where it looks itself.
    let others: Vec<_> = dump.descriptors.iter().filter(|path| !path.starts_with("/proc/")).collect();
    assert_eq!(others.len(), 3, "{others:?}");
    drop(driver);
}

#[test]
fn the_file_wins_over_the_spec_and_secrets_over_both_and_all_are_read_again() {
    let mut spec = spec(&[&program("dumps")]);
    for variable in ["A", "B", "C"] {
        spec.environment.insert(name(variable), "spec".to_owned());
    }
    let host = Host::new(&spec);
    let (file, secret) = (host.root.join("x.env"), host.root.join("secret"));
    fs::write(&file, "B=file\nC=file\n").unwrap();
    fs::write(&secret, b"\xff\n\n").unwrap();
    spec.environment_file = Some(file.clone());
    spec.secrets.insert(name("C"), secret);
    host.put(&spec);
    let mut driver = host.run();
    let variables = Dump::of(&host).variables();
    assert_eq!([&variables["A"][..], &variables["B"], &variables["C"]], [&b"spec"[..], b"file", b"\xff\n"]);
    driver.signal(Signal::TERM);
    driver.wait();
    fs::remove_file(host.data().join("dump.json")).unwrap();
    fs::write(&file, "B=edited\n").unwrap();
    let _driver = host.run();
    assert_eq!(Dump::of(&host).variables()["B"], b"edited");
}

#[test]
fn credentials_of_the_service_manager_stand_for_the_files() {
    let mut spec = spec(&[&program("dumps")]);
    spec.credentials = true;
    spec.environment_file = Some("/nowhere".into());
    spec.secrets.insert(name("TOKEN"), "/nowhere".into());
    let host = Host::new(&spec);
    let folder = host.root.join("credentials");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("environment"), "A=1\n").unwrap();
    fs::write(folder.join("TOKEN"), "t0ken\n").unwrap();
    let mut command = host.driver("run", "web");
    command.env("CREDENTIALS_DIRECTORY", &folder);
    let _driver = Running(command.spawn().unwrap());
    let variables = Dump::of(&host).variables();
    assert_eq!((&variables["A"][..], &variables["TOKEN"][..]), (&b"1"[..], &b"t0ken"[..]));
}

#[test]
fn the_limit_of_open_files_is_set() {
    let mut spec = spec(&[&program("dumps")]);
    spec.limits.open_files = Some(321);
    let host = Host::new(&spec);
    let _driver = host.run();
    assert_eq!(Dump::of(&host).files, Some(321));
}

#[test]
fn root_runs_the_program_as_another_account_with_its_groups_and_reads_as_that_account() {
    if rustix::process::getuid().as_raw() != 0 {
        return;
    }
    let mut spec = spec(&[&program("dumps")]);
    let host = Host::new(&spec);
    let open =
        |path: &camino::Utf8Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    open(&host.root, 0o755);
    open(&host.data(), 0o777);
    // The test programs may lie where that account can't go.
    let copy = host.root.join("dumps");
    fs::copy(program("dumps"), &copy).unwrap();
    spec.command = vec![copy.to_string()];
    let start = |spec: &mainstay::model::launch::LaunchSpec| {
        host.put(spec);
        let mut command = host.driver("run", "web");
        command.env("DRIVER_ACCOUNT", "65534,65533,65533,60001,60002");
        Running(command.spawn().unwrap())
    };
    let mut driver = start(&spec);
    let dump = Dump::of(&host);
    assert_eq!((dump.uid, dump.gid), (65534, 65533));
    let mut groups = dump.groups;
    groups.sort_unstable();
    assert_eq!(groups, [60001, 60002, 65533]);
    driver.signal(Signal::TERM);
    driver.wait();
    // Handed a socket, it is started through the tool, which lies where that account can't go.
    let listen = format!("127.0.0.1:{}", free_port()).try_into().unwrap();
    spec.sockets = vec![Socket { listen, name: None }];
    fs::remove_file(host.data().join("dump.json")).unwrap();
    let mut driver = start(&spec);
    let dump = Dump::of(&host);
    assert_eq!((dump.uid, dump.gid), (65534, 65533));
    driver.signal(Signal::TERM);
    driver.wait();
    spec.sockets.clear();
    // A file that only root can read is not read for a manifest of that account's.
    let secret = host.root.join("secret");
    fs::write(&secret, "root's").unwrap();
    open(&secret, 0o600);
    spec.secrets.insert(name("STOLEN"), secret);
    let mut driver = start(&spec);
    let status = host.wait_for_phase(Phase::BackingOff);
    assert!(status.message.contains("STOLEN") && status.message.contains("denied"), "{}", status.message);
    driver.signal(Signal::TERM);
    driver.wait();
}

#[test]
fn the_mask_and_the_priority_are_the_programs_and_not_the_supervisors() {
    // With sockets the program is started through another, which must hand these on.
    for sockets in [vec![], vec![format!("127.0.0.1:{}", free_port())]] {
        let mut spec = spec(&["/bin/sh", "-c", "umask; nice; read line < /proc/self/comm; exec sleep 60"]);
        spec.umask = Some("027".to_owned().try_into().unwrap());
        spec.limits.nice = Some(7);
        spec.sockets = sockets
            .into_iter()
            .map(|listen| Socket { listen: listen.try_into().unwrap(), name: None })
            .collect();
        let host = Host::new(&spec);
        let running = host.run();
        host.wait_for_phase(Phase::Ready);
        let log = host.log();
        assert!(log.contains("out 0027\n") && log.contains("out 7\n"), "{log}");
        let supervisor = fs::read_to_string(format!("/proc/{}/stat", running.pid())).unwrap();
        let nice = supervisor.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(16).unwrap();
        assert_ne!(nice, "7");
    }
}

#[test]
fn a_priority_that_is_not_ours_to_give_fails_the_start_with_the_reason() {
    let mut spec = spec(&["/bin/sleep", "60"]);
    spec.limits.nice = Some(-5);
    spec.restart.limit = 0;
    let host = Host::new(&spec);
    let mut running = host.run();
    if rustix::process::geteuid().is_root() {
        host.wait_for_phase(Phase::Ready);
        return;
    }
    assert_eq!(running.code(), Some(1));
    let message = host.status().unwrap().message;
    assert!(message.contains("its priority (nice) can't be -5: Permission denied"), "{message}");
}

#[test]
fn the_environment_is_read_again_at_a_start_after_one_that_failed() {
    let port = free_port();
    let answers = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let mut spec = spec(&["/bin/sh", "-c", "echo $WORD >seen; exec sleep 60"]);
    spec.ready.probe = mainstay::model::launch::Probe::Tcp(format!("127.0.0.1:{port}"));
    spec.restart.delays = vec![mainstay::model::duration::Span::milliseconds(300)];
    let host = Host::new(&spec);
    let file = host.root.join("web.env");
    spec.environment_file = Some(file.clone());
    host.put(&spec);
    fs::write(&file, "WORD=old\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let _driver = host.run();
    host.wait_for_status("the port in use", |status| status.failures > 0);
    fs::write(&file, "WORD=new\n").unwrap();
    drop(answers);
    let seen = wait_for("the program", LONG, || {
        fs::read_to_string(host.data().join("seen")).ok().filter(|seen| !seen.is_empty())
    });
    assert_eq!(seen, "new\n");
}

#[test]
fn the_environment_is_read_again_after_a_reconcile_command() {
    let mut spec = spec(&["/bin/sh", "-c", "echo $WORD >seen"]);
    let reconcile = "test $WORD = old && echo WORD=new >$FILE";
    spec.schedule = Some(mainstay::model::schedule::Schedule {
        every: Some(mainstay::model::duration::Span::seconds(3_600)),
        reconcile: Some(mainstay::model::schedule::Reconcile {
            command: ["/bin/sh", "-c", reconcile].map(str::to_owned).to_vec(),
            every_cycles: 1,
        }),
        ..Default::default()
    });
    let host = Host::new(&spec);
    let file = host.root.join("web.env");
    spec.environment_file = Some(file.clone());
    spec.environment.insert("FILE".to_owned().try_into().unwrap(), file.to_string());
    host.put(&spec);
    fs::write(&file, "WORD=old\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let _driver = host.run();
    host.wait_for_phase(Phase::Sleeping);
    assert_eq!(fs::read_to_string(host.data().join("seen")).unwrap(), "new\n");
}
