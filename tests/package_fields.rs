//! The package's own lines of `status`, by a real server: asked over HTTP and by a command, with answers of all sorts.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test that can't go on fails"
)]

mod real;
mod terminal;

use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use mainstay::package::pack;
use real::{Place, program};
use serde_json::{Value, json};
use terminal::Terminal;

/// A server with this to say of how it is shown, installed and running.
struct Shown {
    place: Place,
    say: Utf8PathBuf,
}

impl Shown {
    fn new(view: &Value) -> Self {
        let place = Place::new();
        let say = place.top().join("say.json");
        std::fs::write(&say, "{}").unwrap();
        let source = place.top().join("source");
        std::fs::create_dir_all(source.join("bin")).unwrap();
        std::fs::copy(program("server"), source.join("bin/server")).unwrap();
        let port = place.port;
        let description = json!({
            "component": "server", "version": "1.0.0",
            "service": {
                "command": ["{package}/bin/server", "--port", port.to_string(), "--say", say],
                "environment": { "PORT": port.to_string(), "SAID": say },
                "ready": { "http": "http://127.0.0.1:{env.PORT}/health" }
            },
            "status": view
        });
        std::fs::write(source.join("mainstay-package.json"), description.to_string()).unwrap();
        let archive = place.top().join("server-1.0.0.tar.gz");
        pack::pack(&source, &archive).unwrap();
        let name = ["--name", "web", "--component", "server", "--platform", "embedded"];
        let from = [&["install", "--from", archive.as_str()][..], &name].concat();
        place.run(&from).good();
        Self { place, say }
    }

    /// What `status --json` has of the package when the server says this.
    fn said(&self, say: &str) -> Value {
        std::fs::write(&self.say, say).unwrap();
        let answer = self.place.run(&["status", "--json"]).good();
        let answer: Value = serde_json::from_str(&answer.out).unwrap();
        answer["package"].clone()
    }
}

fn by_http() -> Value {
    json!({
        "title": "KiCI orchestrator",
        "http": "http://127.0.0.1:{env.PORT}/say",
        "fields": [
            { "label": "Mode", "pointer": "/mode" },
            { "label": "Database", "pointer": "/database", "good": ["connected"], "bad": ["disconnected"] },
            { "label": "Agents", "pointer": "/agents/connected", "as": "number", "unit": "connected" },
            { "label": "Current job", "pointer": "/job", "absent": "idle" },
            { "label": "Cache", "pointer": "/cache", "as": "bytes" },
            { "label": "Platform relay", "pointer": "/relay" }
        ]
    })
}

#[test]
fn a_running_program_says_how_it_is() {
    let shown = Shown::new(&by_http());
    // Also where it answers 503: what is not well has most to say.
    let said = shown.said(
        r#"{ "mode": "standalone", "database": "disconnected", "agents": { "connected": 3 }, "cache": 12900000 }"#,
    );
    assert_eq!(said["title"], "KiCI orchestrator");
    let field = |label: &str| said["fields"].as_array().unwrap().iter().find(|field| field["label"] == label);
    assert_eq!(field("Database").unwrap()["verdict"], "bad");
    assert_eq!(field("Agents").unwrap()["value"], 3);
    assert_eq!(field("Current job").unwrap()["absent"], true);
    assert!(field("Platform relay").is_none(), "{said}");
    let text = shown.place.run(&["status"]).good().out;
    for line in [
        "\n  KiCI orchestrator\n",
        "\n  Mode         standalone\n",
        "\n  Agents       3 connected\n",
        "\n  Current job  idle\n",
        "\n  Cache        12.3 MiB\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[test]
fn whatever_it_says_is_a_claim() {
    let shown = Shown::new(&by_http());
    // What speaks to a terminal stands there to be read.
    shown.said(r#"{ "mode": "\u001b]0;title\u0007\u001b[2J" }"#);
    let text = shown.place.run(&["status"]).good().out;
    assert!(text.contains(r"\x1b]0;title\x07\x1b[2J") && !text.contains('\x1b'), "{text}");
    // What is long is cut.
    let long = shown.said(&json!({ "mode": "x".repeat(100_000) }).to_string());
    assert_eq!(long["fields"][0]["value"].as_str().unwrap().chars().count(), 301);
    for (say, why) in [
        ("{ \"mode\": ", "a body that is not JSON"),
        ("", "a body that is not JSON"),
        (&"[".repeat(10_000), "a body that is not JSON"),
        (&format!("\"{}\"", "x".repeat(1 << 20)), "larger than 1 MiB"),
    ] {
        let said = shown.said(say);
        assert!(said["problem"].as_str().unwrap().contains(why), "{why}: {said}");
        assert_eq!(said["fields"], json!([]));
        let text = shown.place.run(&["status"]).good().out;
        assert!(text.contains("! it does not say how it is: "), "{text}");
    }
}

#[test]
fn one_that_does_not_answer_is_not_waited_for() {
    let mut view = by_http();
    view["http"] = json!("http://127.0.0.1:{env.PORT}/slow");
    let shown = Shown::new(&view);
    let began = Instant::now();
    let said = shown.said("{}");
    let took = began.elapsed();
    assert!(said["problem"].as_str().unwrap().contains("no answer in time"), "{said}");
    assert!(took > Duration::from_millis(900) && took < Duration::from_millis(2500), "{took:?}");
    // `list` does not ask.
    let began = Instant::now();
    assert!(shown.place.run(&["list"]).good().out.contains("ready"));
    assert!(began.elapsed() < Duration::from_millis(900));
    // One that is stopped is not asked either.
    shown.place.run(&["stop"]).good();
    let stopped = shown.place.run(&["status", "--json"]);
    let stopped: Value = serde_json::from_str(&stopped.out).unwrap();
    assert_eq!((&stopped["state"], &stopped["package"]), (&json!("stopped"), &Value::Null));
}

#[test]
fn a_command_is_asked_with_the_programs_variables() {
    let view = |command: &[&str]| {
        json!({ "command": command, "fields": [
            { "label": "Name", "pointer": "/name" }, { "label": "From", "pointer": "/from" }
        ] })
    };
    // `env` is no shell: it prints one variable, which is JSON here.
    let shown = Shown::new(&view(&["/bin/cat", "{deploy}/said.json"]));
    std::fs::write(shown.place.deploy().join("said.json"), r#"{ "name": "web", "from": "a file" }"#).unwrap();
    let said = shown.said("{}");
    assert_eq!(said["fields"][1]["value"], "a file", "{said}");
    std::fs::remove_file(shown.place.deploy().join("said.json")).unwrap();
    let said = shown.said("{}");
    assert!(said["problem"].as_str().unwrap().contains("`/bin/cat` exited with code 1: "), "{said}");

    let shown = Shown::new(&view(&["/usr/bin/printenv", "NOT_JSON"]));
    assert!(shown.said("{}")["problem"].as_str().unwrap().contains("exited with code 1"));
    let shown = Shown::new(&view(&["/usr/bin/printenv", "SAID"]));
    assert!(shown.said("{}")["problem"].as_str().unwrap().contains("did not print JSON"));
    let shown = Shown::new(&view(&["/bin/sleep", "20"]));
    let began = Instant::now();
    assert!(shown.said("{}")["problem"].as_str().unwrap().contains("took longer than 1s"));
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_watch_is_drawn_in_place_and_gives_the_terminal_back() {
    let shown = Shown::new(&by_http());
    shown.said(r#"{ "mode": "standalone" }"#);
    let mut command = shown.place.command(real::MAINSTAY, &shown.place.deploy());
    command.args(["status", "--watch"]).env("TERM", "xterm-256color").env_remove("NO_COLOR");
    let mut terminal = Terminal::controlling(&command, 80, 40);
    let first = terminal.awaits("the state", |screen| screen.contains("running and ready"));
    assert!(first.starts_with("● web (server, embedded, "), "{first}");
    assert!(first.contains("\n  Mode         standalone"), "{first}");
    assert_eq!(terminal.state(), (true, true));
    // A narrower window: the same, and no line runs on beyond it.
    terminal.resize(40, 40);
    let narrow = terminal.awaits("a narrow screen", |screen| screen.contains("because\n             "));
    assert!(narrow.lines().all(|line| line.chars().count() <= 40), "{narrow}");
    // A lower one: what does not fit is counted.
    terminal.resize(80, 5);
    terminal.awaits("a low screen", |screen| screen.lines().count() == 5 && screen.contains("more lines"));
    terminal.resize(80, 40);
    shown.place.run(&["stop"]).good();
    terminal.awaits("the stop", |screen| screen.contains("state      stopped"));
    // Only the first time is the screen wiped; after that each line goes over the one before.
    assert_eq!(terminal.bytes().matches("\x1b[2J").count(), 1);
    // Ctrl-Z: the terminal is the shell's, and nothing is drawn until this goes on.
    terminal.types("\x1a");
    terminal.until("the terminal is given back", |terminal| terminal.state() == (false, false));
    std::thread::sleep(Duration::from_millis(100));
    let then = terminal.bytes();
    std::thread::sleep(Duration::from_millis(1300));
    assert_eq!(terminal.bytes(), then);
    terminal.goes_on();
    terminal.until("it is drawn again", |terminal| terminal.state() == (true, true));
    terminal.awaits("the state again", |screen| screen.contains("state      stopped"));
    terminal.types("\x03");
    assert_eq!(terminal.ended(), 130);
    assert_eq!(terminal.state(), (false, false));
    assert!(terminal.bytes().contains("\x1b[?7h"));
    // What was seen last stands there.
    assert!(terminal.screen().contains("state      stopped"), "{}", terminal.screen());
}

#[test]
fn a_watch_without_a_terminal_tells_changes() {
    let shown = Shown::new(&by_http());
    let mut command = shown.place.command(real::MAINSTAY, &shown.place.deploy());
    // Continuous integration is no reason for colours on a terminal that knows none.
    command.args(["status", "--watch"]).env("TERM", "dumb").env("CI", "true");
    let terminal = Terminal::run(command, 80, 40);
    terminal.awaits("the state", |screen| screen.contains("running and ready"));
    shown.place.run(&["stop"]).good();
    terminal.awaits("the stop", |screen| screen.contains("state      stopped"));
    assert!(terminal.screen().contains("running and ready"));
    assert!(!terminal.bytes().contains('\x1b'), "{:?}", terminal.bytes());
}

#[test]
fn a_list_fits_every_terminal() {
    let shown = Shown::new(&by_http());
    for (columns, arguments, has, lacks) in [
        (40, &["list"][..], "ready", "FOLDER"),
        (80, &["list"], "FOLDER", "COMPONENT"),
        (200, &["list"], shown.place.deploy().as_str(), "COMPONENT"),
        (200, &["list", "--wide"], "COMPONENT", "…"),
    ] {
        let mut command = shown.place.command(real::MAINSTAY, &shown.place.deploy());
        command.args(arguments).env("TERM", "xterm");
        let mut terminal = Terminal::run(command, columns, 20);
        assert_eq!(terminal.ended(), 0);
        let screen = terminal.screen();
        assert!(screen.contains(has) && !screen.contains(lacks), "{columns}:\n{screen}");
        assert_eq!(screen.lines().count(), 2, "{screen}");
    }
    let mut command = shown.place.command(real::MAINSTAY, &shown.place.deploy());
    command.args(["list", "--watch"]).env("TERM", "xterm").env("NO_COLOR", "1");
    let mut terminal = Terminal::controlling(&command, 60, 20);
    terminal.awaits("the state", |screen| screen.contains("web") && screen.contains("ready"));
    shown.place.run(&["stop"]).good();
    terminal.awaits("the stop", |screen| screen.contains("stopped"));
    assert!(!terminal.bytes().contains("\x1b[32m"), "{:?}", terminal.bytes());
    terminal.types("\x03");
    assert_eq!((terminal.ended(), terminal.state()), (130, (false, false)));
}
