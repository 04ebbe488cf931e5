//! The stage of the demo: a temporary folder in which commands are shown and run, and which is left empty.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::cli::demo::packages::{self, DEPLOY};
use crate::cli::report::{Report, style, styled};
use crate::engine::failure::Failure;
use crate::host::process::{self, Input, Sink, Start};
use crate::host::rest::{self, AsFd};
use crate::host::signal::{Signal, SignalPipe};
use crate::host::{environment, files, http, identity, tree};
use crate::model::status::Exit;
use crate::package::tree as store;

/// The pause between two looks whether a command has ended.
const LOOK: Duration = Duration::from_millis(10);
/// How long processes that should not be there may take to die.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// Why the demo did not come to its end.
#[derive(Debug, Error)]
pub(crate) enum Broken {
    /// Something did not turn out as it should.
    #[error("{0}")]
    Check(String),
    /// A person or the system asked it to end.
    #[error("interrupted")]
    Interrupted,
    /// Something could not even be tried.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The system refused.
    #[error("can't {action}")]
    System {
        /// What was to be done.
        action: String,
        /// Why.
        source: io::Error,
    },
}

fn system(action: impl Into<String>) -> impl FnOnce(io::Error) -> Broken {
    let action = action.into();
    move |source| Broken::System { action, source }
}

/// Where the demo takes place.
pub(crate) struct Stage<'a> {
    report: &'a Report,
    folder: Utf8PathBuf,
    program: Utf8PathBuf,
    port: u16,
    variables: BTreeMap<String, OsString>,
    signals: SignalPipe,
}

impl<'a> Stage<'a> {
    /// Makes the folder, and writes the sample into it. From now on signals are caught, so that the folder
    /// does not stay behind.
    pub(crate) fn open(report: &'a Report) -> Result<Self, Broken> {
        let signals =
            SignalPipe::new(&[Signal::INT, Signal::TERM, Signal::HUP]).map_err(system("catch signals"))?;
        let port = http::free_port().map_err(system("find a free port"))?;
        let program = environment::own_program().map_err(Failure::from)?;
        let parent = files::canonical(&environment::temporary_folder()).map_err(Failure::from)?;
        let made = tempfile::Builder::new().prefix("mainstay-demo-").tempdir_in(&parent);
        let made = made.map_err(system(format!("make a folder in `{parent}`")))?;
        let folder = Utf8PathBuf::try_from(made.keep())
            .map_err(|error| system("use the folder")(error.into_io_error()))?;
        let variables =
            environment::changed("MAINSTAY_ROOT", folder.join("host").as_str(), &["MAINSTAY_CONFIG_ROOT"]);
        let stage = Self { report, folder, program, port, variables, signals };
        if let Err(failure) = packages::write(&stage.folder, port) {
            stage.remove_folder()?;
            return Err(failure.into());
        }
        Ok(stage)
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// Where the tool keeps everything during the demo.
    pub(crate) fn root(&self) -> Utf8PathBuf {
        self.folder.join("host")
    }

    /// Tells what comes next.
    pub(crate) fn scene(&self, text: &str) {
        self.report.line("");
        self.report.line(styled(style::STRONG, text));
    }

    /// Shows what a person types.
    pub(crate) fn typed(&self, text: &str) {
        self.report.line(format!("{} {text}", styled(style::HINT, "$")));
    }

    /// Shows a file of the stage as `cat` does.
    pub(crate) fn cat(&self, folder: &str, name: &str) -> Result<(), Broken> {
        self.typed(&format!("cat {name}"));
        let text = files::read(&self.folder.join(folder).join(name)).map_err(Failure::from)?;
        self.report.verbatim(text.unwrap_or_default().trim_end());
        Ok(())
    }

    /// Shows a command, runs it with its output going where this program's own goes, and wants it to succeed.
    pub(crate) fn run(&self, folder: &str, arguments: &[&str]) -> Result<(), Broken> {
        let line = format!("mainstay {}", arguments.join(" "));
        self.typed(&line);
        match self.ended(folder, arguments, (Sink::Inherit, Sink::Inherit))? {
            Exit::Code(0) => Ok(()),
            exit => Err(Broken::Check(format!("`{line}` {exit}"))),
        }
    }

    fn ended(&self, folder: &str, arguments: &[&str], outputs: (Sink, Sink)) -> Result<Exit, Broken> {
        let words: Vec<String> =
            std::iter::once("mainstay").chain(arguments.iter().copied()).map(str::to_owned).collect();
        let folder = self.folder.join(folder);
        let started = process::start(&Start {
            program: &self.program,
            arguments: &words,
            environment: Some(&self.variables),
            folder: Some(&folder),
            account: None,
            leads_group: false,
            input: Input::Null,
            output: outputs.0,
            error: outputs.1,
        });
        let pid = started.map_err(system(format!("run `{}`", self.program)))?.pid;
        let child = identity::identity_of(pid);
        let mut interrupted = false;
        loop {
            if let Some(exit) = process::reap_one(pid) {
                return if interrupted { Err(Broken::Interrupted) } else { Ok(exit) };
            }
            // What hinders the wait makes it a short one, and the loop looks again anyway.
            let _ = rest::any(&[self.signals.as_fd()], Some(LOOK));
            if self.signals.take() > 0 {
                interrupted = true;
                if let Some(child) = child {
                    identity::signal(child, Signal::TERM).map_err(system("end a command"))?;
                }
            }
        }
    }

    /// Asks the service over HTTP, and wants this answer.
    pub(crate) fn ask(&self, wanted: &str) -> Result<(), Broken> {
        let address = format!("http://127.0.0.1:{}/version", self.port);
        let (status, body) = http::get(self.port, "/version").map_err(system(format!("ask {address}")))?;
        self.report.line(format!("{} GET {address}", styled(style::HINT, "?")));
        self.report.line(body.trim_end());
        if (status, body.trim_end()) != (200, wanted) {
            return Err(Broken::Check(format!("the service should have answered `{wanted}`")));
        }
        Ok(())
    }

    /// Wants that nobody answers any more, that nothing of the tool's is left, and that no process is.
    pub(crate) fn nothing_left(&self) -> Result<(), Broken> {
        if http::get(self.port, "/version").is_ok() {
            return Err(Broken::Check(format!("something still answers on port {}", self.port)));
        }
        if let Some(process) = self.processes().first() {
            let (name, pid) = (&process.name, process.identity.pid);
            return Err(Broken::Check(format!("a process is left: {name}, {pid}")));
        }
        Ok(())
    }

    fn processes(&self) -> Vec<identity::Process> {
        let mut all = tree::all();
        all.retain(|process| tree::runs_from(process.identity.pid, &self.folder));
        all
    }

    /// Leaves nothing behind, however far the demo came.
    pub(crate) fn close(self, keep: bool) -> Result<(), Broken> {
        if !self.processes().is_empty() || self.is_installed() {
            let arguments = ["uninstall", "--name", "hello", "--purge", "--yes", "--quiet"];
            // If this fails, what it should have ended is ended below.
            let _ = self.ended(DEPLOY, &arguments, (Sink::Null, Sink::Null));
        }
        let left = tree::kill_all(KILL_LIMIT, || self.processes(), |_| {});
        if let Some(process) = left.first() {
            return Err(Broken::Check(format!("process {} can't be ended", process.identity.pid)));
        }
        if keep { Ok(()) } else { self.remove_folder() }
    }

    fn is_installed(&self) -> bool {
        files::list(&self.root().join("install/hello")).is_ok_and(|names| names.is_some())
    }

    /// Version trees are sealed, and only their store can remove them without root's rights.
    fn remove_folder(&self) -> Result<(), Broken> {
        for name in files::list(&self.folder).map_err(Failure::from)?.unwrap_or_default() {
            store::trash(&self.folder, &name).map_err(Failure::from)?;
        }
        store::empty_trash(&self.folder).map_err(Failure::from)?;
        files::remove_empty_folder(&self.folder).map_err(Failure::from)?;
        Ok(())
    }
}
