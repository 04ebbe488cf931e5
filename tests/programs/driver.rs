//! Runs the supervisor or the guardian as the tool itself does, for an instance below a root folder:
//!
//! ```text
//! driver run ROOT NAME [--guardian PID:TICKS]
//! driver guard ROOT NAME[,NAME…] [--detached]
//! ```
//!
//! The launch spec is `launch/current.json` in the instance's state folder. Before each start the guardian adds
//! a line to `starts` there. If a trial is open, it takes the launch back before the second start: `launch/back.json`
//! becomes the current one.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::engine::guard::{AtStart, Entry, Event, GUARDIAN_OPTION, Hooks, detach, guard};
use mainstay::host::handover;
use mainstay::host::listening::HeldSockets;
use mainstay::host::process::Credentials;
use mainstay::model::launch::{Folders, LaunchSpec};
use mainstay::model::layout::Layout;
use mainstay::model::name::InstanceName;
use mainstay::model::socket::Socket;
use mainstay::supervise::{self, Account, Context, GuardianLink, LaunchReader, ManagerLink, ProgramOutput};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().collect();
    let words = &arguments[1..];
    if let Some(code) = handover::taken_over(words).or_else(|| supervise::keep_output(words)) {
        return Ok(ExitCode::from(code));
    }
    let [_, action, root, names, rest @ ..] = arguments.as_slice() else {
        return Err("usage: driver run|guard ROOT NAME".into());
    };
    let layout = Layout::system().below(Utf8PathBuf::from(root));
    match action.as_str() {
        "run" => run(&layout, root, &names.parse()?, rest),
        "guard" => {
            if rest.iter().any(|argument| argument == "--detached") {
                detach()?;
            }
            guard_all(&layout, root, names)
        }
        _ => Err("neither run nor guard".into()),
    }
}

fn read_spec(layout: &Layout, name: &InstanceName) -> Result<LaunchSpec> {
    Ok(serde_json::from_slice(&fs::read(layout.launch(name, "current"))?)?)
}

fn own_program() -> Result<String> {
    Ok(std::env::current_exe()?.to_str().ok_or("not text")?.to_owned())
}

#[expect(clippy::disallowed_methods, reason = "a test program reads its own environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn run(layout: &Layout, root: &str, name: &InstanceName, rest: &[String]) -> Result<ExitCode> {
    let spec = read_spec(layout, name)?;
    let guardian = rest.iter().skip_while(|argument| *argument != GUARDIAN_OPTION).nth(1);
    let credentials = variable("DRIVER_ACCOUNT").map(|numbers| {
        let mut numbers = numbers.split(',').filter_map(|number| number.parse().ok());
        let (uid, gid) = (numbers.next().unwrap_or(65534), numbers.next().unwrap_or(65534));
        Credentials { uid, gid, groups: numbers.collect() }
    });
    let context = Context {
        folders: Folders::of(&spec, layout),
        status: layout.status(name),
        refused: layout.refused_values(name),
        definition: None,
        trial: fs::read(layout.trial(name)).ok().map(|text| serde_json::from_slice(&text)).transpose()?,
        output: match variable("DRIVER_OUTPUT").as_deref() {
            Some("inherit") => ProgramOutput::Inherit,
            other => ProgramOutput::Capture { echo: other == Some("echo") },
        },
        account: Account { name: "tester".to_owned(), home: Utf8Path::new(root).join("home"), credentials },
        language: Some("C.UTF-8".to_owned()),
        manager: ManagerLink {
            notify_socket: variable("NOTIFY_SOCKET"),
            watchdog: variable("WATCHDOG_USEC").and_then(|usec| usec.parse().ok()).map(Duration::from_micros),
            credentials: variable("CREDENTIALS_DIRECTORY").map(Utf8PathBuf::from),
        },
        guardian: guardian.map(|identity| identity.parse()).transpose()?.map(|identity| GuardianLink {
            guardian: Some(identity),
            lock: layout.guardian_lock(name),
            command: ["guard", root, name.as_str(), "--detached"].map(str::to_owned).to_vec(),
        }),
        reader: Some(LaunchReader::new(
            {
                let (layout, name) = (layout.clone(), name.clone());
                move || read_spec(&layout, &name).ok()
            },
            || None,
        )),
        pid_file: None,
        sockets: HeldSockets::taken(&spec.sockets, name.as_str(), handover::inherited()?),
        spec,
    };
    let context = with_program(context)?;
    let code = match supervise::run(&context, &mut |_| {}) {
        Ok(ending) => ending.exit_code(),
        Err(error) => {
            writeln!(std::io::stderr(), "{error:?}")?;
            supervise::without_supervisor(context.trial.is_some())
        }
    };
    Ok(ExitCode::from(code))
}

fn with_program(mut context: Context) -> Result<Context> {
    if let Some(link) = &mut context.guardian {
        link.command.insert(0, own_program()?);
    }
    Ok(context)
}

struct DriverHooks {
    layout: Layout,
    program: String,
    root: String,
}

impl Hooks for DriverHooks {
    fn at_start(&mut self, name: &InstanceName) -> AtStart {
        match start(&self.layout, name) {
            Ok(spec) => AtStart::Start {
                stop_limit: spec.stop.timeout.duration(),
                sockets: spec.sockets,
                account: None,
            },
            Err(error) => AtStart::StayDown { reason: error.to_string() },
        }
    }

    fn launch(&mut self, name: &InstanceName) -> AtStart {
        self.at_start(name)
    }

    fn abandon(&mut self, _: &InstanceName) {}

    fn sockets(&mut self, name: &InstanceName) -> Option<(Vec<Socket>, Option<Credentials>)> {
        Some((read_spec(&self.layout, name).ok()?.sockets, None))
    }

    fn entry(&mut self, name: &InstanceName) -> Entry {
        let command = [self.program.as_str(), "run", &self.root, name.as_str()].map(str::to_owned).to_vec();
        Entry::of(&self.layout, name, command)
    }

    fn observe(&mut self, event: &Event) {
        let _ = writeln!(std::io::stderr(), "{event:?}");
    }
}

fn start(layout: &Layout, name: &InstanceName) -> Result<LaunchSpec> {
    let tried = layout.state(name).join("tried");
    if layout.trial(name).exists() {
        if tried.exists() {
            fs::rename(layout.launch(name, "back"), layout.launch(name, "current"))?;
            fs::remove_file(layout.trial(name))?;
        } else {
            fs::write(&tried, "")?;
        }
    }
    let starts = layout.state(name).join("starts");
    writeln!(fs::OpenOptions::new().append(true).create(true).open(starts)?, "start")?;
    read_spec(layout, name)
}

fn guard_all(layout: &Layout, root: &str, names: &str) -> Result<ExitCode> {
    let program = own_program()?;
    let entry = |name: &str| -> Result<Entry> {
        let command = [program.as_str(), "run", root, name].map(str::to_owned).to_vec();
        Ok(Entry::of(layout, &name.parse()?, command))
    };
    let entries = names.split(',').map(entry).collect::<Result<Vec<_>>>()?;
    let outcomes = guard(
        entries,
        None,
        handover::inherited()?,
        &mut DriverHooks { layout: layout.clone(), program: program.clone(), root: root.to_owned() },
    )?;
    let code = outcomes.iter().map(|(_, outcome)| outcome.exit_code()).max().unwrap_or(0);
    Ok(ExitCode::from(code))
}
