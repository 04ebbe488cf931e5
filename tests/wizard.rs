//! The wizard through a pseudo-terminal: what a person sees and types, and what stands on the disk afterwards.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and starts processes itself"
)]

mod real;

use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::package::pack;
use real::{LONG, MAINSTAY, Output, Place, program};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// What a person has to type, with a password in it.
const DATABASE: &str = "postgres://kici:hunter2@db/kici";

/// A program at a terminal.
struct Terminal {
    child: Child,
    keys: OwnedFd,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: std::thread::JoinHandle<()>,
    /// Up to where was looked at.
    seen: usize,
}

impl Terminal {
    fn new(place: &Place, columns: u16, variables: &[(&str, &str)], arguments: &[&str]) -> Self {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        rustix::io::fcntl_setfd(&keys, rustix::io::FdFlags::CLOEXEC).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let name = ptsname(&keys, Vec::new()).unwrap();
        let open = || {
            let file = std::fs::File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
            Stdio::from(file)
        };
        tcsetwinsize(&keys, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        // The terminal has to be the program's own, or Ctrl-C would be a letter.
        let mut command = place.command("setsid", &place.deploy());
        command.args(["--ctty", "--wait", MAINSTAY]).args(arguments);
        command.env_remove("CI").env_remove("NO_COLOR").env("TERM", "xterm-256color");
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = command.stdin(open()).stdout(open()).stderr(open()).spawn().unwrap();
        let screen = Arc::new(Mutex::new(Vec::new()));
        let (end, shown) = (keys.try_clone().unwrap(), Arc::clone(&screen));
        let reader = std::thread::spawn(move || {
            let mut buffer = [0_u8; 4096];
            while let Ok(count) = rustix::io::read(&end, &mut buffer) {
                if count == 0 {
                    break;
                }
                shown.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self { child, keys, screen, reader, seen: 0 }
    }

    /// All that was shown.
    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).replace("\r\n", "\n")
    }

    /// Waits until words are shown that were not looked at before, and a prompt after them.
    fn sees(&mut self, words: &str) {
        let began = Instant::now();
        loop {
            let shown = self.shown();
            let new = &shown[self.seen..];
            if let Some(at) = new.find(words)
                && let Some(prompt) = new[at..].find("> ")
            {
                self.seen += at + prompt + 2;
                return;
            }
            assert!(began.elapsed() < LONG, "no `{words}` in {new:?} of {shown}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn types(&self, keys: &str) {
        rustix::io::write(&self.keys, keys.as_bytes()).unwrap();
    }

    fn answers(&mut self, words: &str, line: &str) {
        self.sees(words);
        self.types(&format!("{line}\n"));
    }

    fn echoes(&self) -> bool {
        tcgetattr(&self.keys).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Waits for the end, and gives the exit code.
    fn ends(&mut self) -> Option<i32> {
        let began = Instant::now();
        loop {
            // What it said last is read when nobody holds the terminal any more.
            if let Some(status) = self.child.try_wait().unwrap()
                && self.reader.is_finished()
            {
                return status.code();
            }
            assert!(began.elapsed() < LONG, "it does not end: {}", self.shown());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// An archive of that package.
fn kici(place: &Place) -> String {
    let source = place.top().join("kici");
    std::fs::create_dir_all(source.join("bin")).unwrap();
    let description = "tests/seeds/kici/orchestrator/mainstay-package.json";
    std::fs::copy(
        Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(description),
        source.join("mainstay-package.json"),
    )
    .unwrap();
    std::fs::copy(program("kici"), source.join("bin/kici")).unwrap();
    let archive = place.top().join("kici-orchestrator-0.3.0.tar.gz");
    pack::pack(&source, &archive).unwrap();
    archive.to_string()
}

fn install(archive: &str) -> Vec<&str> {
    vec!["install", "--name", "kici", "--platform", "embedded", "--from", archive]
}

/// The files of the deploy folder, with their rights.
fn files(place: &Place) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    let mut open = vec![place.deploy()];
    while let Some(folder) = open.pop() {
        for entry in folder.read_dir_utf8().unwrap() {
            let path = entry.unwrap().path().to_owned();
            if path.is_dir() {
                open.push(path);
            } else {
                let mode = path.metadata().unwrap().permissions().mode() & 0o777;
                found.push((path.strip_prefix(place.deploy()).unwrap().to_string(), mode));
            }
        }
    }
    found.sort();
    found
}

fn text(place: &Place, file: &str) -> String {
    std::fs::read_to_string(place.deploy().join(file)).unwrap()
}

/// The lines of the environment file that say something.
fn variables(place: &Place) -> Vec<String> {
    let text = text(place, "orchestrator.env");
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// That nothing of an installation is there: no file of the deploy folder, no tree, no state.
fn nothing_is_left(place: &Place) {
    assert_eq!(files(place), []);
    let trees = place.layout.install(&"kici".parse().unwrap());
    assert!(!trees.exists(), "{trees} is there");
    assert!(!place.layout.state(&"kici".parse().unwrap()).exists());
}

/// What the orchestrator says that it is.
fn mode(place: &Place) -> String {
    let health: serde_json::Value = serde_json::from_str(&place.answer("/health").unwrap()).unwrap();
    health["mode"].as_str().unwrap().to_owned()
}

fn remove(place: &Place) {
    place.run(&["uninstall", "--yes", "--name", "kici"]).good();
}

#[test]
fn the_wizard_of_kici_installs_what_was_answered() {
    let place = Place::new();
    let archive = kici(&place);
    let port = place.port.to_string();
    let mut terminal = Terminal::new(&place, 80, &[], &install(&archive));
    terminal.answers("How does this orchestrator work?", "2");
    terminal.answers("Where is the database?", DATABASE);
    terminal.answers("On which port do agents connect?", &port);
    terminal.sees("Which key are secrets encrypted with?");
    assert!(!terminal.echoes());
    terminal.types("\n");
    terminal.answers("Where is the platform?", "");
    terminal.sees("Which key does the platform know it by?");
    terminal.types("s3cret-key\n");
    terminal.sees("Is that right?");
    assert!(terminal.echoes());
    assert_eq!(files(&place), [], "something is written before it was agreed to");
    terminal.types("\n");
    assert_eq!(terminal.ends(), Some(0), "{}", terminal.shown());
    let shown = terminal.shown();
    for words in
        ["mode: hybrid", "secrets-key: generated", "platform-key: ********", "database-url: ********"]
    {
        assert!(shown.contains(words), "no {words}: {shown}");
    }
    let key = text(&place, "secrets/secrets-key");
    assert_eq!(key.trim_end().len(), 64);
    // Typed where everybody sees it, the address is on the screen; what was typed unseen or made is not.
    assert!(!shown.contains("s3cret-key") && !shown.contains(key.trim_end()), "{shown}");
    assert_eq!(
        files(&place),
        [
            ("mainstay.json", 0o644),
            ("orchestrator.env", 0o600),
            ("secrets/database-url", 0o600),
            ("secrets/platform-key", 0o600),
            ("secrets/secrets-key", 0o600),
        ]
        .map(|(file, mode)| (file.to_owned(), mode))
    );
    assert_eq!(
        variables(&place),
        [
            "KICI_MODE=hybrid".to_owned(),
            format!("KICI_PORT={port}"),
            "KICI_PLATFORM_URL=https://platform.example.com".to_owned()
        ]
    );
    assert_eq!(text(&place, "secrets/platform-key"), "s3cret-key\n");
    assert_eq!(text(&place, "secrets/database-url"), format!("{DATABASE}\n"));
    let manifest = text(&place, "mainstay.json");
    assert!(!manifest.contains("hunter2") && manifest.contains("\"name\": \"kici\""), "{manifest}");
    assert_eq!(mode(&place), "hybrid");
    remove(&place);
}

#[test]
fn wrong_answers_are_told_with_the_reason_and_asked_again() {
    let place = Place::new();
    let archive = kici(&place);
    let mut terminal = Terminal::new(&place, 80, &[], &install(&archive));
    terminal.answers("How does this orchestrator work?", "4");
    terminal.answers("`4` is none of `platform`, `hybrid`, `independent`", "<");
    terminal.answers("this is the first question", "independent");
    terminal.answers("Where is the database?", "");
    terminal.answers("an answer is needed", "mysql://db");
    terminal.answers("an address begins with postgresql://… or postgres://…, not with", DATABASE);
    terminal.answers("On which port", "70000");
    terminal.answers("70000 is too large: at most 65535", "x");
    terminal.answers("`x` is no whole number", "\u{1b}[A");
    terminal.answers("without control characters", "4001");
    terminal.answers("Which key are secrets encrypted with?", "abc");
    terminal.answers("this does not match", "<");
    // Back: what was typed before is what Enter takes now.
    terminal.answers("[4001]", "<");
    terminal.answers("Where is the database?", "<");
    terminal.answers("How does this orchestrator work?", "");
    terminal.answers("Where is the database?", "");
    terminal.answers("On which port", "");
    terminal.answers("Which key are secrets", "");
    terminal.answers("Is that right?", "maybe");
    terminal.answers("type `y`, `n`, or the number of an answer", "1");
    // Another mode brings its questions.
    terminal.answers("How does this orchestrator work?", "platform");
    terminal.answers("Where is the platform?", "ftp://x");
    terminal.answers("an address begins with", "https://p.example");
    terminal.answers("Which key does the platform know it by?", "short");
    terminal.answers("at least 8 characters are needed", "long-enough");
    terminal.sees("Is that right?");
    let shown = terminal.shown();
    assert!(shown.contains("mode: platform") && shown.contains("port: 4001"), "{shown}");
    terminal.types("n\n");
    assert_eq!(terminal.ends(), Some(2));
    nothing_is_left(&place);
}

/// What a field of the manifest does not take is told at its question: at the end it would take all answers along.
#[test]
fn a_field_refuses_a_wrong_answer_at_once() {
    let place = Place::new();
    let source = place.top().join("fields");
    std::fs::create_dir_all(source.join("bin")).unwrap();
    std::fs::copy(program("server"), source.join("bin/server")).unwrap();
    let description = serde_json::json!({
        "component": "server", "version": "1.0.0",
        "service": { "command": ["{package}/bin/server", "--port", place.port.to_string()] },
        "questions": [
            { "id": "word", "kind": "text", "ask": "Which word?", "variable": "WORD" },
            { "id": "memory", "kind": "text", "ask": "How much memory?", "field": "service.limits.memory" }
        ]
    });
    std::fs::write(source.join("mainstay-package.json"), description.to_string()).unwrap();
    let archive = place.top().join("server-1.0.0.tar.gz");
    pack::pack(&source, &archive).unwrap();
    let mut terminal = Terminal::new(&place, 80, &[], &["init", "--from", archive.as_str()]);
    terminal.answers("Which word?", "hello");
    terminal.answers("How much memory?", "plenty");
    terminal.answers("`plenty` is no", "512MiB");
    terminal.answers("Is that right?", "");
    assert_eq!(terminal.ends(), Some(0), "{}", terminal.shown());
    assert!(text(&place, "mainstay.json").contains("\"memory\": \"512MiB\""));
    assert!(text(&place, "server.env").contains("WORD=hello"));
}

#[test]
fn whoever_interrupts_leaves_nothing() {
    let place = Place::new();
    let archive = kici(&place);
    for (at, keys) in [(0, "\u{3}"), (1, "\u{3}"), (3, "\u{3}"), (3, "\u{4}"), (5, "\u{3}"), (6, "\u{3}")] {
        let mut terminal = Terminal::new(&place, 80, &[], &install(&archive));
        let steps = [
            ("How does this orchestrator work?", ""),
            ("Where is the database?", DATABASE),
            ("On which port", ""),
            ("Which key are secrets", ""),
            ("Where is the platform?", ""),
            ("Which key does the platform", "long-enough"),
            ("Is that right?", ""),
        ];
        for (words, line) in &steps[..at] {
            terminal.answers(words, line);
        }
        terminal.sees(steps[at].0);
        terminal.types(keys);
        assert_eq!(terminal.ends(), Some(130), "{}", terminal.shown());
        assert!(terminal.shown().contains("nothing was written"), "{}", terminal.shown());
        assert!(terminal.echoes(), "at {at}");
        nothing_is_left(&place);
    }
}

#[test]
fn a_signal_while_a_secret_is_typed_gives_the_terminal_back() {
    let place = Place::new();
    let archive = kici(&place);
    let mut terminal = Terminal::new(&place, 80, &[], &install(&archive));
    terminal.answers("How does this orchestrator work?", "independent");
    terminal.answers("Where is the database?", DATABASE);
    terminal.answers("On which port", "");
    terminal.sees("Which key are secrets");
    assert!(!terminal.echoes());
    let child = rustix::process::Pid::from_raw(terminal.child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(child, Signal::TERM).unwrap();
    assert_eq!(terminal.ends(), Some(130));
    assert!(terminal.echoes());
    nothing_is_left(&place);
}

#[test]
fn it_is_read_on_a_narrow_terminal_and_without_colour() {
    let place = Place::new();
    let archive = kici(&place);
    for (columns, variables, coloured) in
        [(40, &[][..], true), (40, &[("NO_COLOR", "1")][..], false), (40, &[("TERM", "dumb")][..], false)]
    {
        let mut terminal = Terminal::new(&place, columns, variables, &install(&archive));
        terminal.answers("How does this orchestrator work?", "independent");
        terminal.answers("Where is the database?", "postgres://d/k");
        terminal.answers("On which port", "");
        terminal.answers("Which key are secrets", "");
        terminal.sees("Is that right?");
        let shown = terminal.shown();
        // Before it the archive is unpacked, and after it stand paths.
        let questions = &shown[shown.find("kici-orchestrator 0.3.0").unwrap()..];
        assert_eq!(questions.contains('\u{1b}'), coloured, "{shown:?}");
        let plain = strip(questions);
        let questions = plain.split("These files are written:").next().unwrap();
        for line in questions.lines() {
            // Only what is one word is longer, as an example of an address is.
            let words = line.trim().split(' ').count();
            assert!(line.chars().count() <= 40 || words == 1, "{line:?} of {plain}");
        }
        terminal.types("\u{3}");
        assert_eq!(terminal.ends(), Some(130));
    }
    nothing_is_left(&place);
}

/// A text without its colours.
fn strip(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            letters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(letter);
        }
    }
    plain
}

#[test]
fn a_narrow_screen_shows_whole_words() {
    if Command::new("tmux").arg("-V").output().is_err() {
        return;
    }
    let place = Place::new();
    let archive = kici(&place);
    let socket = place.top().join("tmux");
    let tmux = |arguments: &[&str]| {
        let mut command = place.command("tmux", &place.deploy());
        command.env_remove("CI").env_remove("TMUX").env("TERM", "xterm");
        let output =
            command.args(["-S", socket.as_str(), "-f", "/dev/null"]).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let typed = format!("{MAINSTAY} {}", install(&archive).join(" "));
    tmux(&["new-session", "-d", "-x", "40", "-y", "30", "-s", "wizard", &format!("{typed}; sleep 30")]);
    let sees = |words: &str| {
        let began = Instant::now();
        loop {
            let screen = tmux(&["capture-pane", "-p", "-t", "wizard"]);
            if screen.contains(words) {
                return screen;
            }
            assert!(began.elapsed() < LONG, "no `{words}` on {screen}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let screen = sees("[platform] >");
    for whole in ["  1) platform: the platform keeps", "     accounts and hands out jobs"] {
        assert!(screen.lines().any(|line| line == whole), "no `{whole}` on {screen}");
    }
    tmux(&["send-keys", "-t", "wizard", "3", "Enter"]);
    sees("Where is the database?");
    tmux(&["send-keys", "-t", "wizard", "C-c"]);
    sees("nothing was written");
    tmux(&["kill-server"]);
    nothing_is_left(&place);
}

#[test]
fn nobody_is_asked_where_nobody_is_and_the_flags_that_serve_are_named() {
    let place = Place::new();
    let archive = kici(&place);
    let typed = install(&archive);
    let lacking = |output: Output| {
        let output = output.fails(2, "`database-url` (Where is the database?)");
        assert!(
            output.err.contains("`--answers FILE`") && output.err.contains("--print-answers"),
            "{output:?}"
        );
    };
    lacking(place.run(&typed));
    place.run(&[&typed[..], &["--wizard"]].concat()).fails(2, "`--wizard` asks at a terminal");
    place.run(&[&typed[..], &["--set", "prt=1"]].concat()).fails(2, "did you mean `port`?");
    place.run(&[&typed[..], &["--set", "port=x"]].concat()).fails(2, "`--set port`: `x` is no whole number");
    nothing_is_left(&place);
    // A build has a terminal at times, and nobody before it.
    let mut terminal = Terminal::new(&place, 80, &[("CI", "true")], &typed);
    assert_eq!(terminal.ends(), Some(2), "{}", terminal.shown());
    let mut terminal = Terminal::new(&place, 80, &[], &[&typed[..], &["--no-wizard"]].concat());
    assert_eq!(terminal.ends(), Some(2), "{}", terminal.shown());
    nothing_is_left(&place);
}

#[test]
fn answers_come_from_files_and_flags() {
    let place = Place::new();
    let archive = kici(&place);
    let typed = install(&archive);
    let (answers, environment) = (place.top().join("answers.json"), place.top().join("mine.env"));
    let template = place.run(&["init", "--from", &archive, "--print-answers"]).good().out;
    assert!(template.contains("\"database-url\": null") && template.contains("\"port\": 4000"), "{template}");
    let filled = template
        .replace("\"database-url\": null", &format!("\"database-url\": \"{DATABASE}\""))
        .replace("\"mode\": \"platform\"", "\"mode\": \"independent\"")
        .replace("\"port\": 4000,", "");
    std::fs::write(&answers, filled.replace("\"independent\"", "\"alone\"")).unwrap();
    let with = [&typed[..], &["--answers", answers.as_str()]].concat();
    place.run(&with).fails(2, "answers.mode: `alone` is none of");
    std::fs::write(&answers, &filled).unwrap();
    // What is typed wins over what stands in the file.
    let other = place.top().join("typed");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(
        &answers,
        template.replace("\"database-url\": null", &format!("\"database-url\": \"{DATABASE}\"")),
    )
    .unwrap();
    let written = ["init", "--from", &archive, "--answers", answers.as_str(), "--set", "mode=independent"];
    place.run_in(&other, &[&written[..], &["--set", "port=4321", "--json"]].concat()).good();
    assert!(std::fs::read_to_string(other.join("orchestrator.env")).unwrap().contains("KICI_PORT=4321"));
    std::fs::write(&answers, &filled).unwrap();
    // The file of variables says the port, so nothing else may say another.
    std::fs::write(&environment, format!("# mine\nKICI_PORT={}\nOTHER='x y'", place.port)).unwrap();
    let with = [&with[..], &["--env-file", environment.as_str()]].concat();
    place.run(&[&with[..], &["--set", "port=1"]].concat()).fails(2, "says another KICI_PORT");
    nothing_is_left(&place);
    let dry = place.run(&[&with[..], &["--dry-run", "--verbose"]].concat()).good();
    assert!(!dry.out.contains("hunter2") && dry.out.contains("orchestrator.env"), "{dry:?}");
    nothing_is_left(&place);
    place.run(&with).good();
    assert_eq!(
        text(&place, "orchestrator.env"),
        format!("# mine\nKICI_PORT={}\nOTHER='x y'\nKICI_MODE=independent\n", place.port)
    );
    assert_eq!(mode(&place), "independent");
    let key = text(&place, "secrets/secrets-key");
    remove(&place);
    // Another installation in the same folder keeps what is there: above all the key.
    std::fs::remove_file(place.deploy().join("mainstay.json")).unwrap();
    place.run(&typed).good();
    assert_eq!(text(&place, "secrets/secrets-key"), key);
    remove(&place);
}

#[test]
fn a_failed_installation_leaves_no_answers() {
    let place = Place::new();
    let archive = kici(&place);
    let answers = place.top().join("answers.json");
    let filled = format!(r#"{{ "answers": {{ "mode": "independent", "database-url": "{DATABASE}" }} }}"#);
    std::fs::write(&answers, filled).unwrap();
    // A folder in the place of the history lets the last step fail.
    let typed = [&install(&archive)[..], &["--answers", answers.as_str()]].concat();
    let in_the_way = place.layout.history(&"kici".parse().unwrap());
    std::fs::create_dir_all(in_the_way.join("x")).unwrap();
    let output = place.run(&typed);
    let output = output.fails(1, "all before it was undone");
    assert_eq!(files(&place), [], "{output:?}");
    assert!(!place.deploy().join("secrets").exists());
}

#[test]
fn what_a_package_needs_is_there_before_anything_begins() {
    let place = Place::new();
    let archive = kici(&place);
    let manifest =
        r#"{ "name": "kici", "platform": "embedded", "package": { "name": "kici-orchestrator" } }"#;
    std::fs::write(place.deploy().join("mainstay.json"), manifest).unwrap();
    let output = place.run(&["install", "--from", &archive]).fails(4, "can't start without");
    assert!(
        output.err.contains("`KICI_MODE`, `KICI_SECRETS_KEY`") && output.err.contains("orchestrator.env"),
        "{output:?}"
    );
    assert!(!place.layout.install(&"kici".parse().unwrap()).exists());
}

#[test]
fn init_writes_a_manifest_and_nothing_over_one() {
    let place = Place::new();
    let archive = kici(&place);
    let mut terminal = Terminal::new(&place, 80, &[], &["init"]);
    terminal.answers("What is the service called?", "No Good");
    terminal.answers("`No Good` is not a name: use lower-case letters", "web");
    terminal.answers("What runs?", "program");
    terminal.answers("Which program?", "no-such-file");
    terminal.answers("there is no file", "/bin/sh");
    terminal.answers("On which port does it listen?", "8080");
    terminal.answers("Is that right?", "");
    assert_eq!(terminal.ends(), Some(0), "{}", terminal.shown());
    assert!(terminal.shown().contains("A manifest is made of your answers."), "{}", terminal.shown());
    let manifest: serde_json::Value = serde_json::from_str(&text(&place, "mainstay.json")).unwrap();
    assert_eq!(manifest["name"], "web");
    assert_eq!(manifest["package"], serde_json::json!({ "name": "web", "source": "binary" }));
    assert_eq!(manifest["service"]["command"], serde_json::json!(["/bin/sh"]));
    assert_eq!(manifest["service"]["ready"]["tcp"], "127.0.0.1:8080");
    place.run(&["validate"]).good();
    place.run(&["init", "--yes"]).fails(2, "there is a manifest already");
    std::fs::remove_file(place.deploy().join("mainstay.json")).unwrap();
    // Of a package: its questions.
    place.run(&["init", "--from", &archive]).fails(2, "`database-url`");
    assert_eq!(files(&place), []);
    let set = format!("database-url={DATABASE}");
    let typed =
        ["init", "--from", &archive, "--set", &set, "--set", "mode=independent", "--set", "upgrade.keep=2"];
    place.run(&[&typed[..], &["--dry-run"]].concat()).good();
    assert_eq!(files(&place), []);
    let output = place.run(&[&typed[..], &["--json"]].concat()).good();
    let answer: serde_json::Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!((&answer["operation"], &answer["changed"]), (&"init".into(), &true.into()));
    let names: Vec<String> = files(&place).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["mainstay.json", "orchestrator.env", "secrets/database-url", "secrets/secrets-key"]);
    assert!(text(&place, "mainstay.json").contains("\"keep\": 2"));
    // And without a person and a package: what was typed.
    let other: Utf8PathBuf = place.top().join("other");
    std::fs::create_dir(&other).unwrap();
    place.run_in(&other, &["init", "--yes"]).good();
    assert!(std::fs::read_to_string(other.join("mainstay.json")).unwrap().contains("\"name\": \"other\""));
    let mut terminal =
        Terminal::new(&place, 80, &[], &["init", "--instance-dir", "../root", "--set", "name=x"]);
    terminal.sees("What runs?");
    terminal.types("\u{3}");
    assert_eq!(terminal.ends(), Some(130));
    assert!(!place.root.join("mainstay.json").exists());
}

/// An archive is what somebody has at hand; the service's own name fits no archive.
#[test]
fn init_takes_the_packages_name_from_an_archive() {
    let place = Place::new();
    let answered = |typed: &[(&str, &str)], expected: &str| {
        let mut terminal = Terminal::new(&place, 80, &[], &["init"]);
        terminal.answers("What is the service called?", "k");
        terminal.answers("What runs?", "");
        for (words, answer) in typed {
            terminal.answers(words, answer);
        }
        terminal.answers("On which port does it listen?", "");
        terminal.answers("Is that right?", "");
        assert_eq!(terminal.ends(), Some(0), "{}", terminal.shown());
        let manifest: serde_json::Value = serde_json::from_str(&text(&place, "mainstay.json")).unwrap();
        assert_eq!((&manifest["name"], &manifest["package"]["name"]), (&"k".into(), &expected.into()));
        std::fs::remove_file(place.deploy().join("mainstay.json")).unwrap();
    };
    // By its path, whether it is there or not; and never by nothing.
    answered(
        &[
            ("Which archive brings it?", ""),
            ("an answer is needed", "Es Build"),
            ("`Es Build` is not a name: use lower-case letters", "/srv/packages/esbuild-linux-0.24.0.tgz"),
        ],
        "esbuild",
    );
    // As it says itself.
    let archive = kici(&place);
    let renamed = place.top().join("download.tar.gz");
    std::fs::rename(&archive, &renamed).unwrap();
    answered(&[("Which archive brings it?", "../download.tar.gz")], "kici-orchestrator");
    // One that lies there is the one.
    std::fs::write(place.deploy().join("esbuild-linux-0.24.0.tgz"), "").unwrap();
    answered(&[("[esbuild]", "")], "esbuild");
    let output = place.run(&["init", "--yes", "--dry-run"]).good();
    assert!(output.out.contains("\"name\": \"esbuild\""), "{output:?}");
    std::fs::remove_file(place.deploy().join("esbuild-linux-0.24.0.tgz")).unwrap();
    let output = place.run(&["init", "--yes", "--dry-run"]).good();
    assert!(output.err.contains("the archives are taken to be called `deploy`"), "{output:?}");
}

/// What stands in a folder may be for others to read, and another's.
#[test]
fn a_file_that_init_changes_keeps_its_rights_its_owner_and_where_it_fails_its_text() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let place = Place::new();
    let archive = kici(&place);
    let set = format!("database-url={DATABASE}");
    let typed = ["init", "--from", &archive, "--set", &set, "--set", "mode=independent", "--json"];
    let file = place.deploy().join("orchestrator.env");
    std::fs::write(&file, "OTHER=1\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    if real::is_root() {
        std::os::unix::fs::chown(&file, Some(1234), Some(2345)).unwrap();
    }
    let facts = || std::fs::metadata(&file).map(|found| (found.mode(), found.uid(), found.gid())).unwrap();
    let before = facts();
    // In the place of the folder of secrets stands a file.
    std::fs::write(place.deploy().join("secrets"), "").unwrap();
    place.run(&typed).fails(1, "secrets");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "OTHER=1\n");
    assert_eq!(facts(), before);
    std::fs::remove_file(place.deploy().join("secrets")).unwrap();
    // The secrets are written first, and gone again where what follows fails.
    let elsewhere = ["--set", "service.environmentFile=orchestrator.env/below"];
    place.run(&[&typed[..], &elsewhere].concat()).fails(1, "orchestrator.env/below");
    assert_eq!(files(&place).into_iter().map(|(name, _)| name).collect::<Vec<_>>(), ["orchestrator.env"]);
    assert!(!place.deploy().join("secrets").exists());
    place.run(&typed).good();
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("OTHER=1\nKICI_"));
    assert_eq!(facts(), before);
}

/// A package that would have its installer write where it likes.
#[test]
fn a_package_names_no_file_outside_the_deploy_folder() {
    let place = Place::new();
    let description = place.top().join("p.json");
    let target = place.top().join("outside");
    let path = &*description;
    let init = ["init", "--from", path.as_str(), "--yes"];
    let question = |goes: &str| {
        format!(
            r#""questions": [{{ "id": "a", "kind": "text", "ask": "?", "default": "{target}", {goes} }},
            {{ "id": "b", "kind": "text", "ask": "?", "default": "* * * * * root x", "secret": "KEY" }}]"#
        )
    };
    let secret = |file: &str| {
        format!(
            r#""service": {{ "secrets": {{ "KEY": {{ "file": "{file}" }} }} }},
            "questions": [{{ "id": "b", "kind": "text", "ask": "?", "default": "x", "secret": "KEY" }}]"#
        )
    };
    let environment = |file: &str| {
        format!(
            r#""service": {{ "environmentFile": "{file}" }},
            "questions": [{{ "id": "b", "kind": "text", "ask": "?", "default": "x", "variable": "KEY" }}]"#
        )
    };
    std::os::unix::fs::symlink(place.top(), place.deploy().join("out")).unwrap();
    let only = "may name only files of the deploy folder";
    for (rest, words) in [
        (question(r#""field": "service.secrets.KEY.file""#), "is not for a package to set"),
        (question(r#""field": "service.environmentFile""#), "is not for a package to set"),
        (question(r#""field": "service.user""#), "is not for a package to set"),
        (secret(target.as_str()), only),
        (secret("../outside"), only),
        (secret("out/outside"), only),
        (environment(target.as_str()), only),
        (environment("../outside"), only),
        (environment("out/outside"), only),
    ] {
        std::fs::write(path, format!(r#"{{ "component": "x", "version": "1", {rest} }}"#)).unwrap();
        let output = place.run(&init).fails(2, words);
        assert!(!output.err.contains("service.command"), "{output:?}");
        assert!(!target.exists() && !place.deploy().join("mainstay.json").exists(), "{rest}");
    }
    // Where a package names nothing, its secrets have a folder, which may be no link either.
    std::os::unix::fs::symlink(place.top(), place.deploy().join("secrets")).unwrap();
    let rest =
        r#""questions": [{ "id": "outside", "kind": "text", "ask": "?", "default": "x", "secret": "KEY" }]"#;
    std::fs::write(path, format!(r#"{{ "component": "x", "version": "1", {rest} }}"#)).unwrap();
    place.run(&init).fails(2, only);
    assert!(!target.exists());
    // The one who installs may name it.
    let set = format!("service.secrets.KEY.file={target}");
    place.run(&[&init[..], &["--set", &set]].concat()).good();
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "x\n");
}

#[test]
fn what_a_file_says_is_not_answered_otherwise() {
    let place = Place::new();
    let archive = kici(&place);
    std::fs::write(place.deploy().join("orchestrator.env"), "KICI_PORT=5000\nKICI_MODE=independent\n")
        .unwrap();
    let mut terminal = Terminal::new(&place, 80, &[], &install(&archive));
    terminal.answers("Where is the database?", DATABASE);
    terminal.answers("Which key are secrets", "");
    terminal.answers("Is that right?", "port");
    terminal.answers("which stays as it is", "n");
    assert_eq!(terminal.ends(), Some(2), "{}", terminal.shown());
    assert!(terminal.shown().contains("port: 5000"), "{}", terminal.shown());
}
