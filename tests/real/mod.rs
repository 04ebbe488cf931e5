//! The real binary on the embedded platform, below a root folder of its own, with a small server as its program.

#![allow(dead_code, reason = "each test needs a part of it")]

pub(crate) mod after;

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::host::account;
use mainstay::host::files;
use mainstay::host::identity;
use mainstay::host::signal::Signal;
use mainstay::host::tree as processes;
use mainstay::model::digest::Digest;
use mainstay::model::layout::Layout;
use mainstay::model::name::InstanceName;
use mainstay::package::{pack, tree};

/// Longer than anything takes that does not hang.
pub(crate) const LONG: Duration = Duration::from_secs(20);
pub(crate) const MAINSTAY: &str = env!("CARGO_BIN_EXE_mainstay");

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Output {
    pub(crate) fn good(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    pub(crate) fn fails(self, code: i32, words: &str) -> Self {
        let said = format!("{}{}", self.out, self.err);
        assert!(self.code == Some(code) && said.contains(words), "{code}, {words}: {self:?}");
        self
    }
}

/// A root folder with deploy folders and archives, and a port.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    pub(crate) root: Utf8PathBuf,
    pub(crate) layout: Layout,
    pub(crate) port: u16,
}

pub(crate) fn is_root() -> bool {
    account::effective_uid() == 0
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("mainstay-test-").tempdir().unwrap();
        let top = Utf8PathBuf::try_from(folder.path().canonicalize().unwrap()).unwrap();
        let root = top.join("root");
        let usual = if is_root() { Layout::system() } else { Layout::user(&homeless(&top)) };
        let layout = usual.below(root.clone());
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        for name in ["root", "deploy"] {
            std::fs::create_dir(top.join(name)).unwrap();
        }
        Self { folder, root, layout, port }
    }

    pub(crate) fn top(&self) -> &Utf8Path {
        self.root.parent().unwrap()
    }

    pub(crate) fn deploy(&self) -> Utf8PathBuf {
        self.top().join("deploy")
    }

    /// Writes a manifest of a server, with further settings of the service.
    pub(crate) fn declare(&self, folder: &Utf8Path, name: &str, settings: &str) {
        std::fs::create_dir_all(folder).unwrap();
        let port = self.port;
        let text = format!(
            r#"{{
  "name": "{name}", "platform": "embedded",
  "package": {{ "name": "server", "version": "1.0.0" }},
  "service": {{
    "command": ["{{package}}/bin/server", "--port", "{port}"],
    "ready": {{ "http": "http://127.0.0.1:{port}/health", "timeout": "10s" }},
    "stop": {{ "timeout": "5s" }}{settings}
  }}
}}
"#
        );
        std::fs::write(folder.join("mainstay.json"), text).unwrap();
    }

    /// An archive of a version of the server.
    pub(crate) fn archive(&self, version: &str) -> String {
        let archive = self.top().join(format!("server-{version}.tar.gz"));
        if !archive.exists() {
            let source = self.top().join(format!("source-{version}"));
            std::fs::create_dir_all(source.join("bin")).unwrap();
            std::fs::copy(program("server"), source.join("bin/server")).unwrap();
            std::fs::write(source.join("words"), format!("words of {version}")).unwrap();
            let description = format!(r#"{{ "component": "server", "version": "{version}" }}"#);
            std::fs::write(source.join("mainstay-package.json"), description).unwrap();
            pack::pack(&source, &archive).unwrap();
        }
        archive.to_string()
    }

    /// An archive of a program that ends at once with this code.
    pub(crate) fn broken_archive(&self, version: &str) -> String {
        let archive = self.top().join(format!("server-{version}.tar.gz"));
        let source = self.top().join(format!("source-{version}"));
        std::fs::create_dir_all(source.join("bin")).unwrap();
        let path = source.join("bin/server");
        files::write(&path, "#!/bin/sh\necho no luck >&2\nexit 7\n", 0o755, None).unwrap();
        let description = format!(r#"{{ "component": "server", "version": "{version}" }}"#);
        std::fs::write(source.join("mainstay-package.json"), description).unwrap();
        pack::pack(&source, &archive).unwrap();
        archive.to_string()
    }

    /// A command with this root, to be typed in a folder.
    pub(crate) fn command(&self, program: &str, folder: &Utf8Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).env("MAINSTAY_ROOT", &self.root).env("RUST_BACKTRACE", "0");
        command.env_remove("XDG_RUNTIME_DIR").env("HOME", self.top());
        command
    }

    pub(crate) fn run_in(&self, folder: &Utf8Path, arguments: &[&str]) -> Output {
        let output = self.command(MAINSTAY, folder).args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Output { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.run_in(&self.deploy(), arguments)
    }

    /// What the server answers, if it does.
    pub(crate) fn answer(&self, path: &str) -> Option<String> {
        let address = ([127, 0, 0, 1], self.port).into();
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        head.contains(" 200 ").then(|| body.to_owned())
    }

    /// The process that answers.
    pub(crate) fn server(&self) -> Option<u32> {
        self.answer("/pid")?.trim().parse().ok()
    }

    /// The tree whose program answers; an error if that is no tree of the instance.
    pub(crate) fn running_tree(&self, name: &InstanceName) -> Option<String> {
        let pid = self.server()?;
        let file = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let file = Utf8PathBuf::try_from(file).ok()?;
        let tree = file.strip_prefix(self.layout.install(name)).ok()?.components().next()?.to_string();
        Some(tree)
    }

    /// The names, modes, links and contents below the root, but for what a running service writes.
    pub(crate) fn print(&self) -> String {
        let mut text = String::new();
        describe(&self.root, &mut text);
        text
    }

    pub(crate) fn journal(&self, name: &InstanceName) -> Vec<String> {
        mainstay::host::files::list(&self.layout.journal(name)).unwrap().unwrap_or_default()
    }
}

fn homeless(top: &Utf8Path) -> mainstay::model::layout::UserFolders {
    mainstay::model::layout::UserFolders {
        home: top.to_owned(),
        config_home: None,
        state_home: None,
        data_home: None,
        runtime_directory: None,
        local_data: None,
    }
}

/// The file of a test program: examples lie beside the folder of this test's own file.
pub(crate) fn program(name: &str) -> std::path::PathBuf {
    let own = std::env::current_exe().unwrap();
    let file = own.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(file.exists(), "{} is missing: `cargo build --examples` makes it", file.display());
    file
}

/// Asks again until there is an answer.
pub(crate) fn await_some<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn describe(folder: &Utf8Path, text: &mut String) {
    let mut entries: Vec<_> = folder.read_dir_utf8().unwrap().map(Result::unwrap).collect();
    entries.sort_by(|one, other| one.path().cmp(other.path()));
    for entry in entries {
        let path = entry.path();
        if matches!(entry.file_name(), "report" | "logs" | "run") {
            continue;
        }
        let Ok(facts) = path.symlink_metadata() else { continue };
        let content = if facts.is_symlink() {
            path.read_link_utf8().unwrap().to_string()
        } else if facts.is_file() && !matches!(path.extension(), Some("lock" | "holder")) {
            Digest::of(&std::fs::read(path).unwrap()).to_string()
        } else {
            String::new()
        };
        writeln!(text, "{path} {:o} {content}", files::facts(path).unwrap().unwrap().mode).unwrap();
        if facts.is_dir() {
            describe(path, text);
        }
    }
}

impl Drop for Place {
    /// Ends what was started here, and only that: it names the test's folder in its environment or command line, or works
    /// in it. A program that stands elsewhere does no more than that.
    fn drop(&mut self) {
        let top = self.top();
        let names_top = |pid: u32| {
            ["cmdline", "environ"].iter().any(|file| {
                let content = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
                content.windows(top.as_str().len()).any(|part| part == top.as_str().as_bytes())
            })
        };
        let works_there = |pid: u32| {
            std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder.starts_with(top))
        };
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let ours: Vec<_> = processes::all()
                .into_iter()
                .filter(|process| {
                    let pid = process.identity.pid;
                    pid != std::process::id() && (names_top(pid) || works_there(pid))
                })
                .collect();
            for process in &ours {
                let _ = identity::signal(process.identity, Signal::KILL);
            }
            if ours.is_empty() || Instant::now() > until {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // Version trees are sealed: without root's rights only their store can remove them.
        let _ = tree::trash(self.top(), "root").and_then(|_| tree::empty_trash(self.top()));
        let _ = &self.folder;
    }
}

/// Says that a test is left out, and why: `tests/run` names it in its summary. Where everything has to run, that fails.
pub(crate) fn left_out(why: &str) {
    // Not captured, as what a test prints is.
    let _ = writeln!(std::io::stderr(), "left out: {why}");
    if let Some(list) = std::env::var_os("MAINSTAY_LEFT_OUT") {
        let mut list = std::fs::File::options().create(true).append(true).open(list).unwrap();
        list.write_all(format!("{why}\n").as_bytes()).unwrap();
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
}
