//! A launchd to test against where there is none, behind the words of launchctl(1).
//!
//! Its state is the folder in `FAKE_LAUNCHD`. Each registered service has a keeper, a process that really starts its
//! program from the property list, starts it again as `KeepAlive` says, and ends it at a `bootout`. What people meet on
//! real hosts is switched on by lines `name=value` of the file `knobs`:
//!
//! - `no-gui=1`: nobody is logged in at the screen (112);
//! - `busy=MS`: so long after a service has gone a `bootstrap` fails with code 5, or with that of `busy-code=N`;
//! - `lingers=MS`: so long its label is still printed after its process has ended;
//! - `sleepy=1`: what is registered does not start by itself;
//! - `deaf=1`: a `bootstrap` says that all is well, and registers nothing;
//! - `sticky=N`: so many times a `kickstart -k` leaves the process as it is.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test program speaks, fails and starts processes itself"
)]

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some(launchd) = unix::Launchd::of_environment() else {
        eprintln!("FAKE_LAUNCHD names no folder");
        return std::process::ExitCode::from(64);
    };
    if let ["--keep", job] = words[..] {
        unix::keep(&launchd, std::path::Path::new(job));
        return std::process::ExitCode::SUCCESS;
    }
    launchd.note(&words.join(" "));
    std::process::ExitCode::from(launchd.answer(&words))
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command, ExitStatus, Stdio};
    use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

    use rustix::process::{Pid, Signal, kill_process, kill_process_group};

    const LOOK: Duration = Duration::from_millis(5);

    pub(crate) struct Launchd(PathBuf);

    impl Launchd {
        pub(crate) fn of_environment() -> Option<Self> {
            std::env::var_os("FAKE_LAUNCHD").map(|folder| Self(folder.into()))
        }

        pub(crate) fn note(&self, line: &str) {
            let log = fs::OpenOptions::new().append(true).create(true).open(self.0.join("log"));
            let _ = log.and_then(|mut log| writeln!(log, "{line}"));
        }

        fn knob(&self, name: &str) -> Option<u64> {
            let text = fs::read_to_string(self.0.join("knobs")).unwrap_or_default();
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
        }

        fn job(&self, target: &str) -> PathBuf {
            self.0.join("jobs").join(target.replace('/', "_"))
        }

        fn is_missing(&self, target: &str) -> bool {
            target.starts_with("gui/") && self.knob("no-gui").is_some()
        }

        /// Answers a command, and gives its exit code.
        pub(crate) fn answer(&self, words: &[&str]) -> u8 {
            match *words {
                [_, target] if self.is_missing(target) => no_domain(),
                [_, domain, _] if self.is_missing(domain) => no_domain(),
                ["print", target] => self.print(target),
                ["print-disabled", _] => self.print_disabled(),
                ["enable", target] => self.mark(target, false),
                ["disable", target] => self.mark(target, true),
                ["bootstrap", domain, file] => self.bootstrap(domain, Path::new(file)),
                ["bootout", target] => self.bootout(target),
                ["kickstart", target] => self.kickstart(target, false),
                ["kickstart", "-k", target] => self.kickstart(target, true),
                ["--login", domain, folder] => self.login(domain, Path::new(folder)),
                ["--logout", domain] => self.logout(domain),
                _ => {
                    self.note("LEGACY");
                    eprintln!("this launchctl does not know `{}`", words.join(" "));
                    64
                }
            }
        }

        fn print(&self, target: &str) -> u8 {
            let job = self.job(target);
            let Some(plist) = list(&job) else {
                eprintln!("Bad request.\nCould not find service in domain for {target}");
                return 113;
            };
            let read = |name: &str| fs::read_to_string(job.join(name)).ok();
            println!("{target} = {{");
            println!("\tactive count = 1");
            println!("\tpath = {}", read("path").unwrap_or_default());
            println!("\ttype = LaunchAgent");
            let pid = read("pid");
            println!("\tstate = {}\n", if pid.is_some() { "running" } else { "not running" });
            println!("\tprogram = {}", text_of(&plist, "Label"));
            println!("\tenvironment = {{");
            for (name, value) in environment(&plist) {
                println!("\t\t{name} => {value}");
            }
            println!("\t}}\n");
            println!("\truns = {}", read("runs").unwrap_or_else(|| "0".to_owned()));
            if let Some(pid) = pid {
                println!("\tpid = {pid}");
            }
            match read("exit") {
                None => println!("\tlast exit code = (never exited)"),
                Some(exit) => println!("\t{exit}"),
            }
            println!("\n\tendpoints = {{\n\t\tstate = active\n\t\tpid = 1\n\t}}\n}}");
            0
        }

        fn disabled(&self, label: &str) -> PathBuf {
            self.0.join("disabled").join(label)
        }

        fn mark(&self, target: &str, disabled: bool) -> u8 {
            let label = target.rsplit('/').next().unwrap_or_default();
            let path = self.disabled(label);
            let _ = fs::create_dir_all(self.0.join("disabled"));
            let _ = fs::write(path, if disabled { "disabled" } else { "enabled" });
            0
        }

        fn is_disabled(&self, label: &str) -> bool {
            fs::read_to_string(self.disabled(label)).is_ok_and(|word| word == "disabled")
        }

        fn print_disabled(&self) -> u8 {
            println!("\tdisabled services = {{");
            for entry in fs::read_dir(self.0.join("disabled")).into_iter().flatten().flatten() {
                let label = entry.file_name().to_string_lossy().into_owned();
                let word = fs::read_to_string(entry.path()).unwrap_or_default();
                println!("\t\t\"{label}\" => {word}");
            }
            println!("\t}}");
            0
        }

        fn bootstrap(&self, domain: &str, file: &Path) -> u8 {
            let failed = |code: u8, words: &str| {
                eprintln!("Bootstrap failed: {code}: {words}");
                code
            };
            let Ok(text) = fs::read(file) else { return failed(5, "Input/output error") };
            let writable = fs::metadata(file).is_ok_and(|file| file.permissions().mode() & 0o022 != 0);
            if writable {
                return failed(122, "Path had bad ownership/permissions");
            }
            let Some(plist) = parse(&text) else { return failed(109, "Invalid property list") };
            let label = text_of(&plist, "Label");
            let job = self.job(&format!("{domain}/{label}"));
            if job.exists() {
                return failed(37, "Operation already in progress");
            }
            let gone = fs::read_to_string(self.0.join("gone")).ok().and_then(|text| text.parse::<u64>().ok());
            if let (Some(busy), Some(gone)) = (self.knob("busy"), gone)
                && now() < gone + busy
            {
                let code = self.knob("busy-code").and_then(|code| u8::try_from(code).ok()).unwrap_or(5);
                return failed(code, "Input/output error");
            }
            if self.knob("deaf").is_some() || self.is_disabled(&label) {
                return 0;
            }
            fs::create_dir_all(&job).unwrap();
            fs::write(job.join("path"), file.to_string_lossy().as_bytes()).unwrap();
            fs::write(job.join("plist"), &text).unwrap();
            let starts = flag(&plist, "RunAtLoad") || keeps(&plist);
            if starts && self.knob("sleepy").is_none() {
                fs::write(job.join("start"), "").unwrap();
            }
            let own = std::env::current_exe().unwrap();
            let mut keeper = Command::new(own);
            keeper
                .arg("--keep")
                .arg(&job)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .process_group(0);
            // It outlives this process, and is nobody's to wait for.
            drop(keeper.spawn().unwrap());
            0
        }

        fn bootout(&self, target: &str) -> u8 {
            let job = self.job(target);
            if !job.exists() {
                eprintln!("Boot-out failed: 3: No such process");
                return 3;
            }
            fs::write(job.join("release"), "").unwrap();
            let began = Instant::now();
            while job.exists() {
                if began.elapsed() > Duration::from_millis(200) {
                    eprintln!("Boot-out failed: 36: Operation now in progress");
                    return 36;
                }
                std::thread::sleep(LOOK);
            }
            0
        }

        fn kickstart(&self, target: &str, kill: bool) -> u8 {
            let job = self.job(target);
            if !job.exists() {
                eprintln!("Could not find service in domain for {target}");
                return 113;
            }
            let sticky = self.knob("sticky").unwrap_or_default();
            if kill && sticky > 0 {
                let text = fs::read_to_string(self.0.join("knobs")).unwrap_or_default();
                let text = text.replace(&format!("sticky={sticky}"), &format!("sticky={}", sticky - 1));
                fs::write(self.0.join("knobs"), text).unwrap();
                return 0;
            }
            if kill {
                fs::write(job.join("kill"), "").unwrap();
            }
            fs::write(job.join("start"), "").unwrap();
            0
        }

        /// What launchd does when its user logs in.
        fn login(&self, domain: &str, folder: &Path) -> u8 {
            let mut files: Vec<PathBuf> =
                fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
            files.sort();
            for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "plist")) {
                self.bootstrap(domain, file);
            }
            0
        }

        fn logout(&self, domain: &str) -> u8 {
            let prefix = format!("{}_", domain.replace('/', "_"));
            for entry in fs::read_dir(self.0.join("jobs")).into_iter().flatten().flatten() {
                if entry.file_name().to_string_lossy().starts_with(&prefix) {
                    fs::write(entry.path().join("release"), "").unwrap();
                    while entry.path().exists() {
                        std::thread::sleep(LOOK);
                    }
                }
            }
            0
        }
    }

    fn no_domain() -> u8 {
        eprintln!("Bad request.\nCould not find domain for");
        112
    }

    fn now() -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or_default()
    }

    fn parse(text: &[u8]) -> Option<plist::Dictionary> {
        plist::Value::from_reader(std::io::Cursor::new(text)).ok()?.into_dictionary()
    }

    fn list(job: &Path) -> Option<plist::Dictionary> {
        parse(&fs::read(job.join("plist")).ok()?)
    }

    fn text_of(plist: &plist::Dictionary, key: &str) -> String {
        plist.get(key).and_then(plist::Value::as_string).unwrap_or_default().to_owned()
    }

    fn flag(plist: &plist::Dictionary, key: &str) -> bool {
        plist.get(key).and_then(plist::Value::as_boolean) == Some(true)
    }

    fn seconds(plist: &plist::Dictionary, key: &str, usual: u64) -> Duration {
        let value = plist.get(key).and_then(plist::Value::as_unsigned_integer);
        Duration::from_secs(value.unwrap_or(usual))
    }

    /// Whether it is started again where it did not end well, which also starts it first.
    fn keeps(plist: &plist::Dictionary) -> bool {
        let conditions = plist.get("KeepAlive").and_then(plist::Value::as_dictionary);
        conditions.and_then(|keys| keys.get("SuccessfulExit")?.as_boolean()) == Some(false)
    }

    fn environment(plist: &plist::Dictionary) -> Vec<(String, String)> {
        let variables = plist.get("EnvironmentVariables").and_then(plist::Value::as_dictionary);
        let variables = variables.into_iter().flatten();
        variables.filter_map(|(name, value)| Some((name.clone(), value.as_string()?.to_owned()))).collect()
    }

    fn start(plist: &plist::Dictionary) -> Option<Child> {
        let words: Vec<&str> =
            plist.get("ProgramArguments")?.as_array()?.iter().filter_map(plist::Value::as_string).collect();
        let open = |key: &str| {
            let file = fs::OpenOptions::new().append(true).create(true).open(text_of(plist, key));
            file.map_or_else(|_| Stdio::null(), Stdio::from)
        };
        let mut command = Command::new(words.first()?);
        command.args(&words[1..]).env_clear().envs(environment(plist));
        command.env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("XPC_SERVICE_NAME", text_of(plist, "Label"));
        command.envs(std::env::var_os("HOME").map(|home| ("HOME", home)));
        command.current_dir("/").process_group(0);
        command.stdin(Stdio::null()).stdout(open("StandardOutPath")).stderr(open("StandardErrorPath"));
        command.spawn().ok()
    }

    fn signal(child: &Child, signal: Signal) {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let _ = pid.map(|pid| kill_process(pid, signal));
    }

    fn told(status: ExitStatus) -> String {
        match (status.code(), status.signal()) {
            (Some(code), _) => format!("last exit code = {code}"),
            (None, signal) => format!("last terminating signal = Killed: {}", signal.unwrap_or_default()),
        }
    }

    /// The life of a registered service.
    pub(crate) fn keep(launchd: &Launchd, job: &Path) {
        let Some(plist) = list(job) else { return };
        let throttle = seconds(&plist, "ThrottleInterval", 10);
        let patience = seconds(&plist, "ExitTimeOut", 5);
        let mut child: Option<Child> = None;
        let mut last_start: Option<Instant> = None;
        let mut due: Option<Instant> = None;
        let mut releasing: Option<Instant> = None;
        let mut runs = 0;
        loop {
            if !launchd.0.exists() {
                // The test is over.
                if let Some(child) = &mut child {
                    signal(child, Signal::TERM);
                    std::thread::sleep(Duration::from_millis(500));
                    let _ = child.kill();
                }
                return;
            }
            if let Some(one) = &mut child
                && let Ok(Some(status)) = one.try_wait()
            {
                // launchd ends what is left of its group.
                if let Some(group) = i32::try_from(one.id()).ok().and_then(Pid::from_raw) {
                    let _ = kill_process_group(group, Signal::KILL);
                }
                let _ = fs::write(job.join("exit"), told(status));
                let _ = fs::remove_file(job.join("pid"));
                child = None;
                if releasing.is_none() && !status.success() && keeps(&plist) {
                    due = Some(last_start.map_or_else(Instant::now, |start| start + throttle));
                }
            }
            if releasing.is_none() && job.join("release").exists() {
                releasing = Some(Instant::now());
                if let Some(child) = &child {
                    signal(child, Signal::TERM);
                }
            }
            if let Some(began) = releasing {
                if let Some(child) = &child {
                    if began.elapsed() > patience {
                        signal(child, Signal::KILL);
                    }
                } else {
                    std::thread::sleep(Duration::from_millis(launchd.knob("lingers").unwrap_or_default()));
                    let _ = fs::write(launchd.0.join("gone"), now().to_string());
                    let _ = fs::remove_dir_all(job);
                    return;
                }
                std::thread::sleep(LOOK);
                continue;
            }
            if fs::remove_file(job.join("kill")).is_ok()
                && let Some(child) = &child
            {
                signal(child, Signal::KILL);
                due = Some(Instant::now());
            }
            if fs::remove_file(job.join("start")).is_ok() && child.is_none() {
                due = Some(Instant::now());
            }
            if child.is_none() && due.is_some_and(|moment| Instant::now() >= moment) {
                due = None;
                last_start = Some(Instant::now());
                child = start(&plist);
                if let Some(child) = &child {
                    runs += 1;
                    let _ = fs::write(job.join("runs"), runs.to_string());
                    let _ = fs::write(job.join("pid"), child.id().to_string());
                }
            }
            std::thread::sleep(LOOK);
        }
    }
}
