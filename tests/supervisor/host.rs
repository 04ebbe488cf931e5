//! A root folder with an instance in it, and the processes that belong to it.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::host::identity::{self, Process};
use mainstay::host::tree;
use mainstay::model::launch::{Circumstances, LaunchSpec};
use mainstay::model::layout::Layout;
use mainstay::model::manifest::{Manifest, PlatformKind, Scope};
use mainstay::model::name::InstanceName;
use mainstay::model::status::{Phase, Status};
use mainstay::supervise::read_status;
use rustix::process::Signal;

/// Longer than anything takes that does not hang.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) struct Host {
    _folder: tempfile::TempDir,
    pub(crate) root: Utf8PathBuf,
    pub(crate) layout: Layout,
    pub(crate) name: InstanceName,
}

/// The file of a test program: examples lie beside the folder of this test's own file.
pub(crate) fn program(name: &str) -> String {
    let own = std::env::current_exe().unwrap();
    let file = own.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(file.exists(), "{} is missing: `cargo build --examples` makes it", file.display());
    file.to_str().unwrap().to_owned()
}

/// A spec of one version with a command and nothing else.
pub(crate) fn spec(command: &[&str]) -> LaunchSpec {
    named_spec("web", "1.0.0", command)
}

pub(crate) fn named_spec(name: &str, version: &str, command: &[&str]) -> LaunchSpec {
    let manifest = serde_json::json!({
        "name": name, "package": { "name": "server" }, "service": { "command": command }
    });
    let manifest: Manifest = serde_json::from_value(manifest).unwrap();
    let circumstances = Circumstances {
        platform: PlatformKind::Embedded,
        scope: Scope::User,
        deploy: "/".into(),
        version: version.parse().unwrap(),
        owner: None,
    };
    LaunchSpec::resolve(&manifest, None, circumstances).unwrap()
}

impl Host {
    pub(crate) fn new(spec: &LaunchSpec) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        let layout = Layout::system().below(root.clone());
        let host = Self { _folder: folder, root, layout, name: spec.name.clone() };
        host.put(spec);
        host
    }

    /// Makes this the launch of its instance.
    pub(crate) fn put(&self, spec: &LaunchSpec) {
        let name = &spec.name;
        for folder in [
            self.layout.launches(name),
            self.layout.data(name),
            self.layout.locks(),
            self.layout.tree(name, &spec.tree()),
        ] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(self.layout.launch(name, "current"), serde_json::to_vec(spec).unwrap()).unwrap();
    }

    pub(crate) fn driver(&self, action: &str, names: &str) -> Command {
        let mut command = Command::new(program("driver"));
        command.args([action, self.root.as_str(), names]);
        let log = fs::OpenOptions::new().append(true).create(true).open(self.root.join("driver.log"));
        command.stdin(Stdio::null()).stderr(log.unwrap());
        command
    }

    pub(crate) fn run(&self) -> Running {
        Running(self.driver("run", self.name.as_str()).spawn().unwrap())
    }

    pub(crate) fn guard(&self) -> Running {
        Running(self.driver("guard", self.name.as_str()).spawn().unwrap())
    }

    pub(crate) fn status(&self) -> Option<Status> {
        read_status(&self.layout.status(&self.name))
    }

    pub(crate) fn wait_for_status(&self, what: &str, wanted: impl Fn(&Status) -> bool) -> Status {
        wait_for(&format!("{what}; now {:?}", self.status().map(|status| status.message)), LONG, || {
            self.status().filter(&wanted)
        })
    }

    pub(crate) fn wait_for_phase(&self, phase: Phase) -> Status {
        self.wait_for_status(&format!("{phase:?}"), |status| status.phase == phase)
    }

    /// The processes of this host that run a test program other than the driver.
    pub(crate) fn programs(&self) -> Vec<Process> {
        let driver = PathBuf::from(program("driver"));
        let is_program = |process: &Process| {
            let file = fs::read_link(format!("/proc/{}/exe", process.identity.pid));
            file.is_ok_and(|file| file != driver)
        };
        self.processes().into_iter().filter(is_program).collect()
    }

    /// Every process that carries the name of the root folder.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let belongs = |process: &Process| {
            ["cmdline", "environ"].iter().any(|file| {
                let content = fs::read(format!("/proc/{}/{file}", process.identity.pid)).unwrap_or_default();
                content.windows(self.root.as_str().len()).any(|part| part == self.root.as_str().as_bytes())
            })
        };
        tree::all().into_iter().filter(belongs).collect()
    }

    pub(crate) fn log(&self) -> String {
        let path = self.layout.logs(&self.name).join(format!("{}.log", self.name));
        // A test may have put something there that never ends.
        let mut log = Vec::new();
        if let Ok(file) = fs::File::open(path) {
            let _ = file.take(16 << 20).read_to_end(&mut log);
        }
        String::from_utf8_lossy(&log).into_owned()
    }

    pub(crate) fn data(&self) -> Utf8PathBuf {
        self.layout.data(&self.name)
    }

    /// How often the guardian has started a supervisor.
    pub(crate) fn starts(&self) -> usize {
        let starts = self.layout.state(&self.name).join("starts");
        fs::read_to_string(starts).unwrap_or_default().lines().count()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let shown = |path: &Utf8Path| fs::read_to_string(path).unwrap_or_default();
            eprintln!("status: {:?}", self.status());
            eprintln!("driver: {}", shown(&self.root.join("driver.log")));
            eprintln!("guardian: {}", shown(&self.root.join("guardian.log")));
            eprintln!("log: {}", self.log().chars().take(2_000).collect::<String>());
        }
        // Children of this test are reaped by their `Running`, here they are only killed.
        for _ in 0..500 {
            for process in self.processes() {
                let _ = identity::signal(process.identity, Signal::KILL);
            }
            if self.processes().is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// A driver that this test started; it is killed when the test ends.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        identity::signal(identity::identity_of(self.pid()).unwrap(), signal).unwrap();
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        wait_for("the end of the driver", LONG, || self.0.try_wait().unwrap())
    }

    pub(crate) fn code(&mut self) -> Option<i32> {
        self.wait().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn wait_for<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < limit, "waited {limit:?} for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What the test server answers.
pub(crate) fn get(port: u16, path: &str) -> Option<String> {
    use std::io::{Read as _, Write};
    let mut connection = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(connection, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}
