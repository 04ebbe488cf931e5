//! A service manager with its supervisors, played in this process as the real ones behave: a start makes the
//! switch first, reads the link once, and reports; a launch that fails in its trial ends and is started again,
//! one that fails otherwise is given up.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use camino::Utf8Path;
use mainstay::engine::failure::{CallError, Failure};
use mainstay::engine::manager::{Manager, Seen, State, Taken};
use mainstay::engine::obstacle::Obstacle;
use mainstay::engine::supervisor::active_launch;
use mainstay::engine::switch::{self, Means};
use mainstay::host::{clock, files, identity};
use mainstay::model::launch::LaunchSpec;
use mainstay::model::layout::Layout;
use mainstay::model::manifest::PlatformKind;
use mainstay::model::marker::Marker;
use mainstay::model::name::InstanceName;
use mainstay::model::status::{Exit, Phase, ProcessIdentity, Status, TrialStanding};
use mainstay::model::trial::Trial;
use mainstay::platform::call::Call;

use crate::living::Living;
use crate::obstacle::Stops;

/// The version that never becomes ready, and the variable that has the same effect on any.
pub(crate) const BAD: &str = "3.0.0";
pub(crate) const BROKEN: &str = "BROKEN";

/// What a definition holds under which no program gets ready.
pub(crate) const POISON: &str = "man:poison(7)";

/// What runs.
pub(crate) struct Running {
    living: Living,
    /// The tree that was started.
    pub(crate) tree: String,
    /// The launch that was started.
    pub(crate) launch: String,
    /// The definition that it was started by.
    unit: String,
}

#[derive(Default)]
struct Inner {
    running: Option<Running>,
    /// Whether the manager starts it again if its supervisor dies.
    wanted: bool,
    /// The definition that counts: as it was when it was last read.
    unit: Option<String>,
    enabled: bool,
    lingering: bool,
    sockets: Sockets,
}

#[derive(Default)]
struct Sockets {
    /// The definition that counts.
    unit: Option<String>,
    /// Where the manager listens.
    open: Option<Vec<String>>,
    /// Whether it does at boot.
    enabled: bool,
}

/// The service manager of one host with one service.
pub(crate) struct Service {
    layout: Layout,
    name: InstanceName,
    platform: PlatformKind,
    inner: RefCell<Inner>,
    /// Whether the manager does not answer.
    pub(crate) deaf: Cell<bool>,
    /// Whether no program gets ready any more, as when their database is gone.
    pub(crate) barren: Cell<bool>,
    /// What the manager refuses to do: `restart`, `stop`, `start`.
    pub(crate) refused: RefCell<Vec<&'static str>>,
    /// Where a start is stopped that moves data.
    pub(crate) stops: RefCell<Rc<Stops>>,
}

impl Service {
    pub(crate) fn new(layout: &Layout, name: &InstanceName, platform: PlatformKind) -> Self {
        Self {
            layout: layout.clone(),
            name: name.clone(),
            platform,
            inner: RefCell::default(),
            deaf: Cell::default(),
            barren: Cell::default(),
            refused: RefCell::default(),
            stops: RefCell::new(Rc::new(Stops::never())),
        }
    }

    /// The tree and the launch that run.
    pub(crate) fn running(&self) -> Option<(String, String)> {
        self.inner.borrow().running.as_ref().map(|running| (running.tree.clone(), running.launch.clone()))
    }

    /// The definition by which what runs was started.
    pub(crate) fn unit(&self) -> Option<String> {
        self.inner.borrow().running.as_ref().map(|running| running.unit.clone())
    }

    /// Where the manager listens, and whether it would at boot.
    pub(crate) fn sockets(&self) -> (Option<Vec<String>>, bool) {
        let inner = self.inner.borrow();
        (inner.sockets.open.clone(), inner.sockets.enabled)
    }

    /// Whether the manager would start it at boot.
    pub(crate) fn enabled(&self) -> bool {
        self.inner.borrow().enabled
    }

    /// The supervisor dies, and whoever guards it starts it again.
    pub(crate) fn next_start(&self) {
        if self.inner.borrow().wanted {
            self.inner.borrow_mut().running = None;
            self.begin();
        }
    }

    /// Every process dies, and the host starts again what starts at boot.
    pub(crate) fn reboot(&self) {
        self.give_up();
        self.reload();
        self.inner.borrow_mut().sockets.open = None;
        if self.inner.borrow().sockets.enabled {
            self.open();
        }
        let at_boot = match self.platform {
            PlatformKind::Systemd => self.inner.borrow().enabled,
            _ => active_launch(&self.layout, &self.name).is_ok_and(|spec| spec.boot),
        };
        if at_boot && self.is_defined() {
            self.begin();
        }
    }

    fn is_defined(&self) -> bool {
        self.layout.definition(&self.name, self.platform).exists()
    }

    fn reload(&self) {
        let definition = self.layout.definition(&self.name, self.platform);
        self.inner.borrow_mut().unit = files::read(&definition).unwrap();
        let socket = self.layout.socket_definition(&self.name);
        self.inner.borrow_mut().sockets.unit = files::read(&socket).unwrap();
    }

    /// Opens the sockets, unless they are open already: then they stay where they are.
    fn open(&self) {
        let mut inner = self.inner.borrow_mut();
        let listens = |text: &String| {
            text.lines().filter_map(|line| line.strip_prefix("ListenStream=").map(str::to_owned)).collect()
        };
        let sockets = &mut inner.sockets;
        sockets.open = sockets.open.take().or_else(|| sockets.unit.as_ref().map(listens));
    }

    /// Whether a program that listens by itself finds its port taken, or one that is handed its sockets is not.
    fn is_shut_out(&self, spec: &LaunchSpec, unit: &str) -> bool {
        if self.platform == PlatformKind::Embedded {
            return false;
        }
        let needs = unit.contains(&format!("Requires={}.socket", self.name));
        if needs {
            self.open();
        }
        needs == spec.sockets.is_empty() || self.inner.borrow().sockets.open.is_some() != needs
    }

    fn begin(&self) {
        let stops = self.stops.borrow().clone();
        // Whoever guards it starts it again where the start itself is killed.
        while matches!(self.begin_against(&*stops), Err(Failure::Killed)) {}
    }

    /// The start that follows a failure, killed where the obstacle says so.
    pub(crate) fn start_against(&self, obstacle: &dyn Obstacle) -> Result<(), Failure> {
        self.begin_against(obstacle)
    }

    fn begin_against(&self, obstacle: &dyn Obstacle) -> Result<(), Failure> {
        if self.platform == PlatformKind::Embedded || self.inner.borrow().unit.is_none() {
            self.reload();
        }
        let means = Means { manager: self, obstacle, say: &|_| {} };
        match switch::at_start(&self.layout, &self.name, &means) {
            Err(Failure::Killed) => return Err(Failure::Killed),
            // Nothing may start over data that are neither of the one version nor of the other.
            Err(Failure::DataAway { .. }) => {
                self.give_up();
                return Ok(());
            }
            // As the real ones do: what can't be looked at must not keep down what can run.
            _ => {}
        }
        // A definition that is read again meanwhile counts for this very start (measured on systemd 252 and 257).
        let unit = self.inner.borrow().unit.clone().unwrap_or_default();
        let Ok(spec) = active_launch(&self.layout, &self.name) else {
            self.give_up();
            return Ok(());
        };
        let living = Living::begin();
        let mut status = status_of(&spec, living.identity);
        if self.barren.get() || is_bad(&spec) || unit.contains(POISON) || self.is_shut_out(&spec, &unit) {
            let on_trial = self.trial().is_some_and(|trial| trial.is_open_for(&spec));
            status.failures = if on_trial { 1 } else { 5 };
            status.phase = if on_trial { Phase::BackingOff } else { Phase::Failed };
            status.last_exit = Some(Exit::Code(1));
            if on_trial {
                status.trial = self.standing(&spec, Some("the program exited with code 1"));
            }
            self.report(&status);
            drop(living);
            if on_trial {
                // It has ended with 190, at which every guard starts it again.
                return self.begin_against(obstacle);
            }
            self.give_up();
            return Ok(());
        }
        self.report(&status);
        status.phase = Phase::Ready;
        status.ready = Some(clock::now());
        status.trial = self.standing(&spec, None);
        self.report(&status);
        let mut inner = self.inner.borrow_mut();
        inner.running = Some(Running { living, tree: spec.tree(), launch: spec.identity(), unit });
        inner.wanted = true;
        Ok(())
    }

    /// How far a trial is that has just begun, or failed.
    fn standing(&self, spec: &LaunchSpec, failed: Option<&str>) -> Option<TrialStanding> {
        let watch = self.trial().filter(|trial| trial.is_open_for(spec))?.watch?;
        let before = self.reported().filter(|status| status.launch == spec.identity());
        let before = before.and_then(|status| status.trial);
        Some(TrialStanding {
            ready_seconds: 0,
            of_seconds: watch.period.duration().as_secs(),
            was_ready: failed.is_none() || before.is_some_and(|before| before.was_ready),
            failed: failed.map(str::to_owned),
            ended: failed.map(|_| clock::now()),
        })
    }

    fn give_up(&self) {
        let mut inner = self.inner.borrow_mut();
        (inner.running, inner.wanted) = (None, false);
    }

    fn start(&self) {
        if self.inner.borrow().running.is_none() {
            self.begin();
        }
    }

    fn stop(&self) {
        let running = {
            let mut inner = self.inner.borrow_mut();
            inner.wanted = false;
            inner.running.take()
        };
        let Some(running) = running else { return };
        if let Some(mut status) = self.reported()
            && status.supervisor == running.living.identity
        {
            status.phase = Phase::Stopped;
            status.ready = None;
            self.report(&status);
        }
    }

    fn reported(&self) -> Option<Status> {
        let text = files::read(&self.layout.status(&self.name)).unwrap()?;
        serde_json::from_str(&text).ok()
    }

    /// The version on trial has been up for long enough.
    pub(crate) fn prove(&self) {
        let mut status = self.reported().unwrap();
        let trial = status.trial.as_mut().unwrap();
        trial.ready_seconds = trial.of_seconds;
        trial.ended = Some(clock::now());
        self.report(&status);
    }

    /// The version on trial fails, and whoever guards it starts it again.
    pub(crate) fn fail(&self) {
        let mut status = self.reported().unwrap();
        status.phase = Phase::BackingOff;
        status.ready = None;
        status.trial = self.standing(&active_launch(&self.layout, &self.name).unwrap(), Some("it crashed"));
        self.report(&status);
        self.inner.borrow_mut().running = None;
    }

    fn trial(&self) -> Option<Trial> {
        let text = files::read(&self.layout.trial(&self.name)).unwrap()?;
        serde_json::from_str(&text).ok()
    }

    fn report(&self, status: &Status) {
        let path = self.layout.status(&self.name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let beside = path.with_extension("new");
        std::fs::write(&beside, serde_json::to_vec(status).unwrap()).unwrap();
        std::fs::rename(&beside, &path).unwrap();
    }

    fn obey(&self, verb: &str) -> Result<(), String> {
        let refused = self.refused.borrow().contains(&verb);
        if refused { Err(format!("no {verb} today")) } else { Ok(()) }
    }

    fn guardian(&self, verb: &str, work: impl FnOnce()) -> Result<(), CallError> {
        let failed = |reason| CallError::Failed { call: verb.to_owned(), reason };
        self.obey(verb).map_err(failed)?;
        work();
        Ok(())
    }

    fn systemctl(&self, argv: &[String]) -> Result<(), String> {
        let words: Vec<&str> =
            argv.iter().skip(1).map(String::as_str).filter(|word| !word.starts_with("--")).collect();
        if argv[0] == "loginctl" {
            self.inner.borrow_mut().lingering = true;
            return Ok(());
        }
        let (service, socket) = (format!("{}.service", self.name), format!("{}.socket", self.name));
        let units = words.get(1..).unwrap_or_default();
        if units.iter().any(|unit| *unit != service && *unit != socket) {
            return Err(format!("it is not known how to {argv:?}"));
        }
        self.obey(words[0])?;
        if units.contains(&socket.as_str()) {
            self.on_sockets(words[0])?;
            if units == [socket.as_str()] {
                return Ok(());
            }
        }
        match words[0] {
            "reset-failed" => {}
            "daemon-reload" => self.reload(),
            "disable" => self.inner.borrow_mut().enabled = false,
            "stop" => self.stop(),
            "enable" | "start" | "restart" if !self.is_defined() => return Err("no such unit".to_owned()),
            "enable" => {
                self.reload();
                self.inner.borrow_mut().enabled = true;
            }
            "start" => self.start(),
            "restart" => {
                self.stop();
                self.begin();
            }
            _ => return Err(format!("it is not known how to {argv:?}")),
        }
        Ok(())
    }
}

impl Service {
    fn on_sockets(&self, word: &str) -> Result<(), String> {
        let defined = self.layout.socket_definition(&self.name).exists();
        match word {
            "enable" | "disable" | "restart" if !defined => return Err("no such unit".to_owned()),
            "enable" => self.inner.borrow_mut().sockets.enabled = true,
            "disable" => self.inner.borrow_mut().sockets.enabled = false,
            // What needs them goes with them.
            "stop" | "restart" => {
                let needed = self.inner.borrow().unit.as_ref().is_some_and(|unit| unit.contains("Requires="));
                if needed {
                    self.stop();
                }
                self.inner.borrow_mut().sockets.open = None;
            }
            _ => return Err(format!("it is not known how to {word} sockets")),
        }
        Ok(())
    }
}

fn is_bad(spec: &LaunchSpec) -> bool {
    spec.version.as_str() == BAD || spec.environment.keys().any(|name| name.as_str() == BROKEN)
}

fn status_of(spec: &LaunchSpec, supervisor: ProcessIdentity) -> Status {
    Status {
        program: Some(supervisor),
        started: Some(clock::now()),
        message: "simulated".to_owned(),
        ..Status::begun(spec, &identity::boot_id(), supervisor, clock::now())
    }
}

impl Manager for Service {
    fn call(&self, call: &Call) -> Result<(), CallError> {
        match call {
            Call::Run { argv, optional, .. } => match self.systemctl(argv) {
                Err(reason) if !*optional => Err(CallError::Failed { call: call.to_string(), reason }),
                _ => Ok(()),
            },
            Call::StartGuardian { .. } => self.guardian("start", || self.start()),
            // The races of launchd are played in `tests/launchd.rs`.
            Call::Launchd { .. } => panic!("the simulated host has no launchd"),
            // Containers are killed at every point on real engines, in `tests/systems/compose`.
            Call::Service { .. } => panic!("the simulated host is not Windows"),
            Call::Compose { .. } => panic!("the simulated host has no containers"),
            Call::StopGuardian { .. } => self.guardian("stop", || self.stop()),
            Call::RestartGuardian { .. } => self.guardian("restart", || {
                self.stop();
                self.begin();
            }),
        }
    }

    fn seen(&self, _: &Marker) -> Result<Seen, CallError> {
        if self.deaf.get() {
            let (manager, reason) = ("systemctl".to_owned(), "it does not answer".to_owned());
            return Err(CallError::Unavailable { manager, reason });
        }
        let inner = self.inner.borrow();
        let state = if inner.running.is_some() { State::Active } else { State::Inactive };
        let at_boot = self.platform == PlatformKind::Systemd && inner.enabled;
        Ok(Seen { state, at_boot, ..Seen::default() })
    }

    fn taken(&self, _: &Marker) -> Result<Taken, CallError> {
        Ok(Taken::default())
    }

    fn lingering(&self, _: &str) -> Result<bool, CallError> {
        Ok(self.inner.borrow().lingering)
    }
}

/// The files of a folder, all that is below it, by path.
pub(crate) fn exists(path: &Utf8Path) -> bool {
    path.symlink_metadata().is_ok()
}
